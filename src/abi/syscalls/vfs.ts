/** System calls that the VFS answers (ipc/protocols/vfs.ts): files, directories, descriptors, pipes, terminals, mounts. */
import {
  type ArgumentKind,
  address,
  type BufferRequest,
  bufferIn,
  bufferOut,
  bufferOutInt,
  choice,
  fd,
  flags,
  type GuestReader,
  int,
  long,
  octal,
  path,
  pathOrNull,
  size,
  structIn,
  structInOut,
  structOut,
  transferIn,
  transferOut,
  uint,
  vectorIn,
  vectorOut,
} from '../arguments.ts';
import { EFAULT, EINVAL, ERANGE, Errno } from '../errno.ts';
import * as f from '../fcntl.ts';
import { ioctlShapes } from '../ioctl.ts';
import * as m from '../mount.ts';
import { POLLFD_SIZE } from '../poll.ts';
import { STAT_SIZE, STATFS_SIZE, STATX_SIZE } from '../stat.ts';
import { syscall } from '../syscall.ts';
import { XATTR_CREATE, XATTR_NAME_MAX, XATTR_REPLACE } from '../xattr.ts';

type Buffer = ArgumentKind<BufferRequest | null>;

const openFlags = flags('open flags', f.openFlagNames, 'O_RDONLY');
const atFlags = flags('at flags', {
  AT_SYMLINK_NOFOLLOW: f.AT_SYMLINK_NOFOLLOW,
  AT_SYMLINK_FOLLOW: f.AT_SYMLINK_FOLLOW,
  AT_NO_AUTOMOUNT: f.AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH: f.AT_EMPTY_PATH,
});
const unlinkFlags = flags('unlink flags', { AT_REMOVEDIR: f.AT_REMOVEDIR });
const accessFlags = flags('access flags', {
  AT_EACCESS: f.AT_EACCESS,
  AT_SYMLINK_NOFOLLOW: f.AT_SYMLINK_NOFOLLOW,
  AT_EMPTY_PATH: f.AT_EMPTY_PATH,
});
const accessMode = flags('access mode', { R_OK: f.R_OK, W_OK: f.W_OK, X_OK: f.X_OK }, 'F_OK');
const renameFlags = flags('rename flags', {
  RENAME_NOREPLACE: f.RENAME_NOREPLACE,
  RENAME_EXCHANGE: f.RENAME_EXCHANGE,
  RENAME_WHITEOUT: f.RENAME_WHITEOUT,
});
const descriptorFlags = flags('descriptor flags', { O_CLOEXEC: f.O_CLOEXEC, O_NONBLOCK: f.O_NONBLOCK });
const transferFlags = flags('RWF flags', {
  RWF_HIPRI: f.RWF_HIPRI,
  RWF_DSYNC: f.RWF_DSYNC,
  RWF_SYNC: f.RWF_SYNC,
  RWF_NOWAIT: f.RWF_NOWAIT,
  RWF_APPEND: f.RWF_APPEND,
});
const whence = choice('whence', {
  SEEK_SET: f.SEEK_SET,
  SEEK_CUR: f.SEEK_CUR,
  SEEK_END: f.SEEK_END,
  SEEK_DATA: f.SEEK_DATA,
  SEEK_HOLE: f.SEEK_HOLE,
});
const lockOperation = flags('flock', {
  LOCK_SH: f.LOCK_SH,
  LOCK_EX: f.LOCK_EX,
  LOCK_NB: f.LOCK_NB,
  LOCK_UN: f.LOCK_UN,
});
const allocateMode = flags('fallocate mode', {
  FALLOC_FL_KEEP_SIZE: f.FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE: f.FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE: f.FALLOC_FL_ZERO_RANGE,
});
const mountFlags: ArgumentKind<number> = {
  ...flags('mount flags', {
    MS_RDONLY: m.MS_RDONLY,
    MS_NOSUID: m.MS_NOSUID,
    MS_NODEV: m.MS_NODEV,
    MS_NOEXEC: m.MS_NOEXEC,
    MS_REMOUNT: m.MS_REMOUNT,
    MS_BIND: m.MS_BIND,
    MS_MOVE: m.MS_MOVE,
    MS_REC: m.MS_REC,
    MS_SILENT: m.MS_SILENT,
  }),
  load: (a, i) => a.i32(i),
};
const closeRangeFlags = flags('close_range flags', {
  CLOSE_RANGE_UNSHARE: f.CLOSE_RANGE_UNSHARE,
  CLOSE_RANGE_CLOEXEC: f.CLOSE_RANGE_CLOEXEC,
});

const xattrName: ArgumentKind<string> = {
  ...path,
  name: 'attribute',
  load: (a, i, guest) => guest.string(a.u53(i), XATTR_NAME_MAX + 1, ERANGE),
};
/** Where the value is: argument 2, its size argument 3. More than a value may have is refused before it is looked at. */
const xattrIn = {
  name: xattrName,
  value: bufferIn(3),
  size,
  flags: flags('xattr flags', { XATTR_CREATE, XATTR_REPLACE }),
};
const xattrOut = { name: xattrName, buf: bufferOut(3), size };
const xattrList = { buf: bufferOut(2), size };
const xattrNote = 'no POSIX ACLs; file capabilities are kept but grant nothing';

const stat = structOut('stat', STAT_SIZE);
const statfs = structOut('statfs', STATFS_SIZE);
const offsetPointer = structInOut('loff_t*', 8);
const timespec = structInOut('timespec', 16);
const timeval = structInOut('timeval', 16);

const hexadecimal = (value: number): string => (value === 0 ? 'NULL' : `0x${value.toString(16)}`);

/** `struct pollfd[]` with its count in argument 1; no more than RLIMIT_NOFILE can make sense, 2^20 is its ceiling. */
const pollfds: Buffer = {
  name: 'pollfd[]',
  when: 'leave',
  load: (a, i) => {
    const count = a.u53(1);
    if (count > 1 << 20) return EINVAL;
    const start = a.u53(i);
    const length = count * POLLFD_SIZE;
    if (length === 0) return null;
    return start === 0 ? EFAULT : { direction: 'both', segments: [{ address: start, length }], length };
  },
  show: (value, guest, result) => {
    if (value === null) return 'NULL';
    const bytes = guest.read(value.segments[0].address, Math.min(value.length, 64));
    if (bytes instanceof Errno) return hexadecimal(value.segments[0].address);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const items: string[] = [];
    for (let at = 0; at + POLLFD_SIZE <= bytes.length; at += POLLFD_SIZE) {
      const events = `events=0x${(view.getInt16(at + 4, true) & 0xffff).toString(16)}`;
      const revents = result > 0 ? `, revents=0x${(view.getInt16(at + 6, true) & 0xffff).toString(16)}` : '';
      items.push(`{fd=${view.getInt32(at, true)}, ${events}${revents}}`);
    }
    return `[${items.join(', ')}${value.length > bytes.length ? ', ...' : ''}]`;
  },
};

/** An fd_set for the count in argument 0, in whole words as the kernel copies it. */
const fdSet: Buffer = {
  name: 'fd_set',
  when: 'leave',
  load: (a, i) => {
    const count = a.i32(0);
    const start = a.u53(i);
    if (start === 0 || count <= 0) return null;
    const length = Math.ceil(Math.min(count, 1 << 20) / 64) * 8;
    return { direction: 'both', segments: [{ address: start, length }], length };
  },
  show: (value, guest) => {
    if (value === null) return 'NULL';
    const bytes = guest.read(value.segments[0].address, value.length);
    if (bytes instanceof Errno) return hexadecimal(value.segments[0].address);
    const set: number[] = [];
    for (let n = 0; n < bytes.length * 8; n++) if (bytes[n >>> 3] & (1 << (n & 7))) set.push(n);
    return `[${set.join(' ')}]`;
  },
};

const fcntlCommand = choice('fcntl command', f.fcntlNames);
const lockCommands: readonly number[] = [
  f.F_GETLK,
  f.F_SETLK,
  f.F_SETLKW,
  f.F_OFD_GETLK,
  f.F_OFD_SETLK,
  f.F_OFD_SETLKW,
];

/** Size of the structure that a command's argument points to, 0 if it is a number. */
const pointedSize = (command: number): number => {
  if (lockCommands.includes(command)) return f.FLOCK_SIZE;
  return command === f.F_GETOWN_EX || command === f.F_SETOWN_EX ? f.OWNER_EX_SIZE : 0;
};

/** The third argument of fcntl as a number; `flockArgument` is the same register as a structure. */
const fcntlArgument: ArgumentKind<number> = {
  name: 'argument',
  when: 'enter',
  load: (a, i) => (pointedSize(a.i32(1)) > 0 ? a.u53(i) : a.i32(i)),
  show: String,
};

/** The structure of lock and owner commands, from the register of the argument before; null for other commands. Shown by that one. */
const flockArgument: Buffer = {
  name: 'flock',
  when: 'enter',
  load: (a) => {
    const length = pointedSize(a.i32(1));
    const start = a.u53(2);
    if (start === 0 || length === 0) return null;
    return { direction: 'both', segments: [{ address: start, length }], length };
  },
  show: () => '',
};

const ioctlRequest = number('ioctl request', (value) => ioctlShapes.get(value)?.name ?? `0x${value.toString(16)}`);

function number(name: string, show: (value: number) => string): ArgumentKind<number> {
  return { name, when: 'enter', load: (a, i) => a.u32(i), show };
}

/** What an ioctl's argument points to, sized by the request in argument 1, from the register of the argument before. */
const ioctlBuffer: Buffer = {
  name: 'ioctl buffer',
  when: 'enter',
  load: (a) => {
    const shape = ioctlShapes.get(a.u32(1));
    const start = a.u53(2);
    if (shape === undefined || shape.size === 0 || start === 0) return null;
    const { direction, size: length } = shape;
    return { direction, segments: [{ address: start, length }], length };
  },
  show: () => '',
};

/** `struct utimbuf` or two timevals or timespecs; NULL for the present. */
const times = (name: string, bytes: number): Buffer => ({
  ...structIn(name, bytes),
  show: (value, guest: GuestReader) => {
    if (value === null) return 'NULL';
    const read = guest.read(value.segments[0].address, bytes);
    if (read instanceof Errno) return hexadecimal(value.segments[0].address);
    const view = new DataView(read.buffer, read.byteOffset, read.byteLength);
    const words: string[] = [];
    for (let at = 0; at < bytes; at += 8) words.push(String(view.getBigInt64(at, true)));
    return `[${words.join(', ')}]`;
  },
});

const here = { dirfd: f.AT_FDCWD };
const here2 = { olddirfd: f.AT_FDCWD, newdirfd: f.AT_FDCWD };
const at = { dirfd: fd, path };

export const vfsSyscalls = {
  read: syscall(0, 'vfs', 'read', { fd, buf: transferOut(2), count: size }),
  write: syscall(1, 'vfs', 'write', { fd, buf: transferIn(2), count: size }),
  open: syscall(2, 'vfs', 'openFile', { path, flags: openFlags, mode: octal }, { with: here }),
  close: syscall(3, 'vfs', 'close', { fd }),
  stat: syscall(4, 'vfs', 'stat', { path, buf: stat }, { with: { ...here, flags: 0 } }),
  fstat: syscall(5, 'vfs', 'fstat', { fd, buf: stat }),
  lstat: syscall(6, 'vfs', 'stat', { path, buf: stat }, { with: { ...here, flags: f.AT_SYMLINK_NOFOLLOW } }),
  poll: syscall(7, 'vfs', 'poll', { fds: pollfds, count: uint, timeout: int }, { restart: 'interrupt' }),
  lseek: syscall(8, 'vfs', 'seek', { fd, offset: long, whence }),
  ioctl: syscall(16, 'vfs', 'ioctl', { fd, request: ioctlRequest, argument: address, buf: ioctlBuffer }),
  pread64: syscall(
    17,
    'vfs',
    'readAt',
    { fd, buf: transferOut(2), count: size, offset: long },
    { with: { flags: 0, current: false } },
  ),
  pwrite64: syscall(
    18,
    'vfs',
    'writeAt',
    { fd, buf: transferIn(2), count: size, offset: long },
    { with: { flags: 0, current: false } },
  ),
  readv: syscall(19, 'vfs', 'read', { fd, buf: vectorOut(2), count: size }),
  writev: syscall(20, 'vfs', 'write', { fd, buf: vectorIn(2), count: size }),
  access: syscall(21, 'vfs', 'access', { path, mode: accessMode }, { with: { ...here, flags: 0 } }),
  pipe: syscall(22, 'vfs', 'pipe', { buf: structOut('int[2]', 8) }, { with: { flags: 0 } }),
  select: syscall(
    23,
    'vfs',
    'select',
    { count: int, readfds: fdSet, writefds: fdSet, exceptfds: fdSet, timeout: timeval },
    { restart: 'interrupt' },
  ),
  dup: syscall(32, 'vfs', 'dup', { fd }),
  dup2: syscall(33, 'vfs', 'dup2', { oldfd: fd, newfd: fd }, { with: { flags: 0, same: true } }),
  sendfile: syscall(40, 'vfs', 'sendfile', { outfd: fd, infd: fd, offset: offsetPointer, count: size }),
  fcntl: syscall(72, 'vfs', 'fcntl', { fd, command: fcntlCommand, argument: fcntlArgument, lock: flockArgument }),
  flock: syscall(73, 'vfs', 'flock', { fd, operation: lockOperation }),
  fsync: syscall(74, 'vfs', 'fsync', { fd }, { with: { whole: false } }),
  fdatasync: syscall(75, 'vfs', 'fsync', { fd }, { with: { whole: false } }),
  truncate: syscall(76, 'vfs', 'truncate', { path, length: long }),
  ftruncate: syscall(77, 'vfs', 'ftruncate', { fd, length: long }),
  getdents: syscall(78, 'vfs', 'getdents', { fd, buf: bufferOut(2), count: uint }, { with: { wide: false } }),
  getcwd: syscall(79, 'vfs', 'getcwd', { buf: bufferOut(1), size }),
  chdir: syscall(80, 'vfs', 'chdir', { path }),
  fchdir: syscall(81, 'vfs', 'fchdir', { fd }),
  rename: syscall(82, 'vfs', 'rename', { oldpath: path, newpath: path }, { with: { ...here2, flags: 0 } }),
  mkdir: syscall(83, 'vfs', 'mkdir', { path, mode: octal }, { with: here }),
  rmdir: syscall(84, 'vfs', 'unlink', { path }, { with: { ...here, flags: f.AT_REMOVEDIR } }),
  creat: syscall(
    85,
    'vfs',
    'openFile',
    { path, mode: octal },
    { with: { ...here, flags: f.O_CREAT | f.O_WRONLY | f.O_TRUNC } },
  ),
  link: syscall(86, 'vfs', 'link', { oldpath: path, newpath: path }, { with: { ...here2, flags: 0 } }),
  unlink: syscall(87, 'vfs', 'unlink', { path }, { with: { ...here, flags: 0 } }),
  symlink: syscall(88, 'vfs', 'symlink', { target: path, path }, { with: here }),
  readlink: syscall(89, 'vfs', 'readlink', { path, buf: bufferOutInt(2), size: int }, { with: here }),
  chmod: syscall(90, 'vfs', 'chmod', { path, mode: octal }, { with: { ...here, flags: 0 } }),
  fchmod: syscall(91, 'vfs', 'fchmod', { fd, mode: octal }),
  chown: syscall(92, 'vfs', 'chown', { path, uid: int, gid: int }, { with: { ...here, flags: 0 } }),
  fchown: syscall(93, 'vfs', 'fchown', { fd, uid: int, gid: int }),
  lchown: syscall(
    94,
    'vfs',
    'chown',
    { path, uid: int, gid: int },
    { with: { ...here, flags: f.AT_SYMLINK_NOFOLLOW } },
  ),
  umask: syscall(95, 'vfs', 'umask', { mask: octal }),
  utime: syscall(
    132,
    'vfs',
    'setTimes',
    { path, times: times('utimbuf', 16) },
    { with: { ...here, flags: 0, form: 0 } },
  ),
  mknod: syscall(133, 'vfs', 'mknod', { path, mode: octal, device: uint }, { with: here }),
  statfs: syscall(137, 'vfs', 'statfs', { path, buf: statfs }),
  fstatfs: syscall(138, 'vfs', 'fstatfs', { fd, buf: statfs }),
  vhangup: syscall(153, 'vfs', 'vhangup', {}),
  chroot: syscall(161, 'vfs', 'chroot', { path }),
  sync: syscall(162, 'vfs', 'sync', {}),
  mount: syscall(
    165,
    'vfs',
    'mount',
    { source: pathOrNull, target: path, type: pathOrNull, flags: mountFlags, data: pathOrNull },
    { partial: 'no bind mounts, moves or propagation' },
  ),
  setxattr: syscall(188, 'vfs', 'setXattr', { path, ...xattrIn }, { with: { fd: 0, at: 0 }, partial: xattrNote }),
  lsetxattr: syscall(
    189,
    'vfs',
    'setXattr',
    { path, ...xattrIn },
    { with: { fd: 0, at: f.AT_SYMLINK_NOFOLLOW }, partial: xattrNote },
  ),
  fsetxattr: syscall(
    190,
    'vfs',
    'setXattr',
    { fd, ...xattrIn },
    { with: { path: undefined, at: f.AT_EMPTY_PATH }, partial: xattrNote },
  ),
  getxattr: syscall(191, 'vfs', 'getXattr', { path, ...xattrOut }, { with: { fd: 0, at: 0 } }),
  lgetxattr: syscall(192, 'vfs', 'getXattr', { path, ...xattrOut }, { with: { fd: 0, at: f.AT_SYMLINK_NOFOLLOW } }),
  fgetxattr: syscall(193, 'vfs', 'getXattr', { fd, ...xattrOut }, { with: { path: undefined, at: f.AT_EMPTY_PATH } }),
  listxattr: syscall(194, 'vfs', 'listXattrs', { path, ...xattrList }, { with: { fd: 0, at: 0 } }),
  llistxattr: syscall(195, 'vfs', 'listXattrs', { path, ...xattrList }, { with: { fd: 0, at: f.AT_SYMLINK_NOFOLLOW } }),
  flistxattr: syscall(
    196,
    'vfs',
    'listXattrs',
    { fd, ...xattrList },
    { with: { path: undefined, at: f.AT_EMPTY_PATH } },
  ),
  removexattr: syscall(197, 'vfs', 'removeXattr', { path, name: xattrName }, { with: { fd: 0, at: 0 } }),
  lremovexattr: syscall(
    198,
    'vfs',
    'removeXattr',
    { path, name: xattrName },
    { with: { fd: 0, at: f.AT_SYMLINK_NOFOLLOW } },
  ),
  fremovexattr: syscall(
    199,
    'vfs',
    'removeXattr',
    { fd, name: xattrName },
    { with: { path: undefined, at: f.AT_EMPTY_PATH } },
  ),
  umount2: syscall(
    166,
    'vfs',
    'unmount',
    { target: path, flags: int },
    { partial: 'MNT_DETACH and MNT_EXPIRE are refused' },
  ),
  readahead: syscall(
    187,
    'vfs',
    'advise',
    { fd, offset: long, length: size },
    { with: { advice: 3, readahead: true } },
  ),
  getdents64: syscall(217, 'vfs', 'getdents', { fd, buf: bufferOut(2), count: uint }, { with: { wide: true } }),
  fadvise64: syscall(
    221,
    'vfs',
    'advise',
    { fd, offset: long, length: long, advice: int },
    { with: { readahead: false } },
  ),
  utimes: syscall(
    235,
    'vfs',
    'setTimes',
    { path, times: times('timeval[2]', 32) },
    { with: { ...here, flags: 0, form: 1 } },
  ),
  openat: syscall(257, 'vfs', 'openFile', { ...at, flags: openFlags, mode: octal }),
  mkdirat: syscall(258, 'vfs', 'mkdir', { ...at, mode: octal }),
  mknodat: syscall(259, 'vfs', 'mknod', { ...at, mode: octal, device: uint }),
  fchownat: syscall(260, 'vfs', 'chown', { ...at, uid: int, gid: int, flags: atFlags }),
  futimesat: syscall(
    261,
    'vfs',
    'setTimes',
    { dirfd: fd, path: pathOrNull, times: times('timeval[2]', 32) },
    { with: { flags: 0, form: 1 } },
  ),
  newfstatat: syscall(262, 'vfs', 'stat', { dirfd: fd, path: pathOrNull, buf: stat, flags: atFlags }),
  unlinkat: syscall(263, 'vfs', 'unlink', { ...at, flags: unlinkFlags }),
  renameat: syscall(
    264,
    'vfs',
    'rename',
    { olddirfd: fd, oldpath: path, newdirfd: fd, newpath: path },
    { with: { flags: 0 } },
  ),
  linkat: syscall(265, 'vfs', 'link', { olddirfd: fd, oldpath: path, newdirfd: fd, newpath: path, flags: atFlags }),
  symlinkat: syscall(266, 'vfs', 'symlink', { target: path, dirfd: fd, path }),
  readlinkat: syscall(267, 'vfs', 'readlink', { ...at, buf: bufferOutInt(3), size: int }),
  fchmodat: syscall(268, 'vfs', 'chmod', { ...at, mode: octal }, { with: { flags: 0 } }),
  faccessat: syscall(269, 'vfs', 'access', { ...at, mode: accessMode }, { with: { flags: 0 } }),
  pselect6: syscall(
    270,
    'vfs',
    'pselect',
    {
      count: int,
      readfds: fdSet,
      writefds: fdSet,
      exceptfds: fdSet,
      timeout: timespec,
      mask: structIn('{sigset*, size}', 16),
    },
    { restart: 'interrupt', mask: { argument: 5, indirect: true } },
  ),
  ppoll: syscall(
    271,
    'vfs',
    'ppoll',
    { fds: pollfds, count: uint, timeout: timespec, mask: structIn('sigset', 8), size },
    { restart: 'interrupt', mask: { argument: 3, size: 4 } },
  ),
  utimensat: syscall(
    280,
    'vfs',
    'setTimes',
    { dirfd: fd, path: pathOrNull, times: times('timespec[2]', 32), flags: atFlags },
    { with: { form: 2 } },
  ),
  fallocate: syscall(285, 'vfs', 'allocate', { fd, mode: allocateMode, offset: long, length: long }),
  dup3: syscall(292, 'vfs', 'dup2', { oldfd: fd, newfd: fd, flags: descriptorFlags }, { with: { same: false } }),
  pipe2: syscall(293, 'vfs', 'pipe', { buf: structOut('int[2]', 8), flags: descriptorFlags }),
  preadv: syscall(
    295,
    'vfs',
    'readAt',
    { fd, buf: vectorOut(2), count: size, offset: long },
    { with: { flags: 0, current: false } },
  ),
  pwritev: syscall(
    296,
    'vfs',
    'writeAt',
    { fd, buf: vectorIn(2), count: size, offset: long },
    { with: { flags: 0, current: false } },
  ),
  syncfs: syscall(306, 'vfs', 'fsync', { fd }, { with: { whole: true } }),
  renameat2: syscall(316, 'vfs', 'rename', {
    olddirfd: fd,
    oldpath: path,
    newdirfd: fd,
    newpath: path,
    flags: renameFlags,
  }),
  copy_file_range: syscall(326, 'vfs', 'copyRange', {
    infd: fd,
    inoffset: offsetPointer,
    outfd: fd,
    outoffset: offsetPointer,
    length: size,
    flags: uint,
  }),
  preadv2: syscall(
    327,
    'vfs',
    'readAt',
    { fd, buf: vectorOut(2), count: size, offset: long, high: long, flags: transferFlags },
    { with: { current: true } },
  ),
  pwritev2: syscall(
    328,
    'vfs',
    'writeAt',
    { fd, buf: vectorIn(2), count: size, offset: long, high: long, flags: transferFlags },
    { with: { current: true } },
  ),
  statx: syscall(332, 'vfs', 'statx', {
    dirfd: fd,
    path: pathOrNull,
    flags: atFlags,
    mask: uint,
    buf: structOut('statx', STATX_SIZE),
  }),
  close_range: syscall(436, 'vfs', 'closeRange', { first: uint, last: uint, flags: closeRangeFlags }),
  faccessat2: syscall(439, 'vfs', 'access', { ...at, mode: accessMode, flags: accessFlags }),
  fchmodat2: syscall(452, 'vfs', 'chmod', { ...at, mode: octal, flags: atFlags }),
};
