/** truncate(2), fallocate(2), fsync(2), sync(2), fadvise64(2), sendfile(2), copy_file_range(2). */
import {
  EACCES,
  EBADF,
  EFBIG,
  EINVAL,
  EIO,
  EISDIR,
  ENODEV,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  Errno,
  ESPIPE,
  ETXTBSY,
  EXDEV,
  type Result,
} from '../../../abi/errno.ts';
import {
  AT_FDCWD,
  F_SEAL_GROW,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_APPEND,
  W_OK,
} from '../../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../../abi/inotify.ts';
import { isDirectory, isRegular } from '../../../abi/stat.ts';
import type { FileSystem } from '../../../fs/contract.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Delivery, Outcome } from '../../../ipc/server.ts';
import { wait } from '../../../ipc/server.ts';
import { actorOf } from '../actor.ts';
import { notifyFile, notifyPlace } from '../events/notify.ts';
import { canRead, canWrite, fileNumber, openFileOf, usableFileOf } from '../files.ts';
import { dropPrivileges, markRead, withinLimit } from '../io/regular.ts';
import { breakLease } from '../leases.ts';
import { fileSystem, fileSystemOf, isReadOnly, objectOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import { permits } from '../permission.ts';
import { putBytes, writeChannel } from '../pipe/pipe.ts';
import type { OpenFile, Place } from '../rows.ts';
import { mayResize, sealsOf, UNWRITABLE, writable } from '../seals.ts';
import { sendBytes } from '../socket/send.ts';
import { sendChannel } from '../socket/socket.ts';
import type { Vfs } from '../state.ts';
import { drain, emit, postProcess } from '../terminal/output.ts';
import { inputRoom, isHungUp, typeAtSlave } from '../terminal/pty.ts';
import { masterChannel, ptyOf } from '../terminal/pty-row.ts';
import { editTerminal, outputChannel } from '../terminal/row.ts';
import { find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

type Done = Errno | typeof done;
const SIGPIPE = 13;
/** One call copies at most this much, so that no call keeps the server for long. */
const COPY_MAX = 1 << 24;

const setSize = (vfs: Vfs, pid: number, place: Place, size: number): Done => {
  const fs = fileSystemOf(vfs, place.mount);
  const attributes = fs.getattr(place.ino);
  if (attributes instanceof Errno) return attributes;
  const sealed = mayResize(vfs, objectOf(vfs, place), attributes.size, size);
  if (sealed !== undefined) return sealed;
  if (size > attributes.size) {
    const limit = withinLimit(vfs, pid, attributes.size, size - attributes.size);
    if (limit instanceof Errno) return limit;
    if (limit < size - attributes.size) return EFBIG;
  }
  dropPrivileges(vfs, pid, fs, place.ino);
  const object = objectOf(vfs, place);
  if (vfs.objects.has(object)) {
    const end = Math.min(size, attributes.size);
    vfs.kernel.invalidatePages(object, end, attributes.size, size < attributes.size);
  }
  const result = fs.truncate(place.ino, size);
  if (result instanceof Errno) return result;
  notifyPlace(vfs, place, IN_MODIFY);
  return done;
};

interface Source {
  readonly file: Readonly<OpenFile>;
  readonly number: number;
  /** Where to read; undefined: the file position. */
  readonly at: number | undefined;
}

const source = (vfs: Vfs, pid: number, fd: number, at: number | undefined): Result<Source> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const file = vfs.files.get(number);
  if (file === undefined || !canRead(file)) return EBADF;
  return { file, number, at };
};

/** Reads the eight bytes of a loff_t that a call may name. */
export const readOffset = (vfs: Vfs, grant: Grant | null): Result<number | undefined> => {
  if (grant === null) return undefined;
  const bytes = vfs.context.copyIn(grant, 0, 8);
  if (bytes instanceof Errno) return bytes;
  const value = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
  return value < 0 ? EINVAL : value;
};

export const writeOffset = (vfs: Vfs, grant: Grant, value: number): Result<void> => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  const copied = vfs.context.copyOut(grant, 0, bytes);
  return copied instanceof Errno ? copied : undefined;
};

/** Gives bytes to any kind of open file; 0 when it would have to wait. */
export const deliver = (vfs: Vfs, call: Delivery, target: Source, bytes: Uint8Array, at: number): Outcome<number> => {
  const { file } = target;
  const { pid } = call.caller;
  switch (file.kind) {
    case 'regular': {
      const allowed = withinLimit(vfs, pid, at, bytes.length);
      if (allowed instanceof Errno) return allowed;
      const fs = fileSystemOf(vfs, file.mount);
      const attributes = fs.getattr(file.ino);
      if (attributes instanceof Errno) return attributes;
      const length = writable(vfs, objectOf(vfs, file), at, allowed, attributes.size);
      if (length instanceof Errno) return length;
      dropPrivileges(vfs, pid, fs, file.ino);
      const object = objectOf(vfs, file);
      const written = fs.write(file.ino, at, bytes.subarray(0, length));
      if (!(written instanceof Errno) && vfs.objects.has(object)) vfs.kernel.invalidatePages(object, at, written);
      return written;
    }
    case 'pipe':
      if (vfs.pipes.get(file.target)!.readers > 0) return putBytes(vfs, file.target, bytes);
      vfs.kernel.raiseSignal(pid, SIGPIPE, true);
      return Errno.of(32);
    case 'terminal': {
      const row = editTerminal(vfs, file.target);
      if (isHungUp(vfs, file.target, file.position)) return EIO;
      if (row.stopped || !drain(vfs, file.target, row)) return 0;
      emit(vfs, file.target, row, postProcess(row, bytes));
      return bytes.length;
    }
    case 'socket':
      return sendBytes(vfs, call, file, bytes);
    case 'master': {
      const room = Math.min(bytes.length, inputRoom(ptyOf(vfs, file.target)!));
      typeAtSlave(vfs, file.target, bytes.slice(0, room));
      return room;
    }
    case 'full':
      return Errno.of(28);
    case 'null':
    case 'zero':
    case 'random':
      return bytes.length;
    default:
      return EINVAL;
  }
};

/** The channel by which a file tells that it takes more; undefined for one that always does. */
const roomFor = ({ kind, target }: Readonly<OpenFile>): string | undefined => {
  if (kind === 'pipe') return writeChannel(target);
  if (kind === 'terminal') return outputChannel(target);
  if (kind === 'master') return masterChannel(target);
  return kind === 'socket' ? sendChannel(target) : undefined;
};

/** Bytes of what sendfile(2) may read: a regular file or an endless device. */
export const readSource = (file: Readonly<OpenFile>, fs: FileSystem, at: number, into: Uint8Array): Result<number> => {
  if (file.kind === 'regular') return fs.read(file.ino, at, into);
  if (file.kind === 'null') return 0;
  if (file.kind !== 'zero' && file.kind !== 'full') return EINVAL;
  into.fill(0);
  return into.length;
};

/** Copies between open files, advancing positions or offsets; the count, or why nothing went. */
const copy = (vfs: Vfs, call: Delivery, from: Source, to: Source, length: number): Outcome<number> => {
  const fs = fileSystemOf(vfs, from.file.mount);
  const start = from.at ?? from.file.position;
  let target = to.at ?? to.file.position;
  if (to.at === undefined && to.file.flags & O_APPEND && to.file.kind === 'regular') {
    const attributes = fileSystemOf(vfs, to.file.mount).getattr(to.file.ino);
    if (attributes instanceof Errno) return attributes;
    target = attributes.size;
  }
  let copied = 0;
  while (copied < length) {
    const into = vfs.scratch.subarray(0, Math.min(length - copied, vfs.scratch.length));
    const count = readSource(from.file, fs, start + copied, into);
    if (count instanceof Errno) return copied > 0 ? copied : count;
    if (count === 0) break;
    const written = deliver(vfs, call, to, into.subarray(0, count), target + copied);
    if (typeof written !== 'number') {
      if (copied === 0) return written;
      break;
    }
    copied += written;
    if (written < count) break;
  }
  if (copied > 0) {
    if (from.at === undefined && from.file.kind === 'regular') vfs.files.edit(from.number)!.position = start + copied;
    if (to.at === undefined && to.file.kind === 'regular') vfs.files.edit(to.number)!.position = target + copied;
    if (from.file.kind === 'regular') markRead(vfs, from.file, fs, start);
    notifyFile(vfs, from.file, IN_ACCESS);
    notifyFile(vfs, to.file, IN_MODIFY);
  }
  return copied;
};

export const contents = (
  vfs: Vfs,
): CallsOf<'truncate' | 'ftruncate' | 'allocate' | 'fsync' | 'sync' | 'advise' | 'sendfile' | 'copyRange'> => ({
  truncate: ({ path, length }, call) => {
    if (length < 0) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = find(vfs, actor, AT_FDCWD, path, true);
    if (place instanceof Errno) return place;
    const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
    if (attributes instanceof Errno) return attributes;
    if (isDirectory(attributes.mode)) return EISDIR;
    if (!isRegular(attributes.mode)) return EINVAL;
    if (!permits(actor, attributes, W_OK)) return EACCES;
    if (isReadOnly(vfs, place.mount)) return EROFS;
    if (vfs.objects.get(objectOf(vfs, place))?.executed) return ETXTBSY;
    const blocked = breakLease(vfs, place, true, 0);
    return blocked ?? setSize(vfs, actor.pid, place, length);
  },

  ftruncate: ({ fd, length }, call) => {
    if (length < 0) return EINVAL;
    const file = usableFileOf(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    if (file.kind !== 'regular' || !canWrite(file)) return EINVAL;
    return setSize(vfs, call.caller.pid, file, length);
  },

  allocate: ({ fd, mode, offset, length }, call) => {
    const file = usableFileOf(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) return EOPNOTSUPP;
    if (offset < 0 || length <= 0) return EINVAL;
    if (mode & FALLOC_FL_PUNCH_HOLE && mode !== (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) return EOPNOTSUPP;
    if (!canWrite(file)) return EBADF;
    if (file.kind === 'pipe') return ESPIPE;
    if (file.kind === 'directory') return EISDIR;
    if (file.kind !== 'regular') return ENODEV;
    const fs = fileSystemOf(vfs, file.mount);
    const attributes = fs.getattr(file.ino);
    if (attributes instanceof Errno) return attributes;
    dropPrivileges(vfs, call.caller.pid, fs, file.ino);
    if (offset + length > Number.MAX_SAFE_INTEGER) return EFBIG;
    const object = objectOf(vfs, file);
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
      if (sealsOf(vfs, object) & UNWRITABLE) return EPERM;
      if (vfs.objects.has(object)) vfs.kernel.invalidatePages(object, offset, length);
      const result = fs.punch(file.ino, offset, length);
      if (result instanceof Errno) return result;
    }
    if (!(mode & FALLOC_FL_PUNCH_HOLE) && offset + length > attributes.size && sealsOf(vfs, object) & F_SEAL_GROW)
      return EPERM;
    // Space is not reserved: files are sparse, and a write that finds none says so.
    if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && offset + length > attributes.size)
      return setSize(vfs, call.caller.pid, file, offset + length);
    notifyFile(vfs, file, IN_MODIFY);
    return done;
  },

  fsync: ({ fd, whole }, call) => {
    const file = usableFileOf(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    if (!whole && file.kind !== 'regular' && file.kind !== 'directory') return EINVAL;
    return fileSystemOf(vfs, file.mount).sync() ?? done;
  },

  sync: () => {
    for (const superblock of vfs.superblocks.keys()) fileSystem(vfs, superblock).sync();
    return done;
  },

  advise: ({ fd, length, advice, readahead }, call) => {
    const file = openFileOf(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    if (file.kind === 'path') return EBADF;
    if (readahead && !canRead(file)) return EBADF;
    if (readahead) return file.kind === 'regular' ? done : EINVAL;
    if (file.kind === 'pipe') return ESPIPE;
    return advice < 0 || advice > 5 || length < 0 ? EINVAL : done;
  },

  sendfile: ({ outfd, infd, offset, count }, call) => {
    const { pid } = call.caller;
    const at = readOffset(vfs, offset);
    if (at instanceof Errno) return at;
    const from = source(vfs, pid, infd, at);
    if (from instanceof Errno) return from;
    const toNumber = fileNumber(vfs, pid, outfd);
    if (toNumber instanceof Errno) return toNumber;
    const file = vfs.files.get(toNumber);
    if (file === undefined || !canWrite(file)) return EBADF;
    if (from.file.kind === 'pipe') return at === undefined ? EINVAL : ESPIPE;
    if (file.flags & O_APPEND) return EINVAL;
    const to: Source = { file, number: toNumber, at: undefined };
    const copied = copy(vfs, call, from, to, Math.min(count, COPY_MAX));
    if (typeof copied !== 'number') return copied;
    const channel = roomFor(file);
    if (copied === 0 && count > 0 && channel !== undefined) {
      const attributes = fileSystemOf(vfs, from.file.mount).getattr(from.file.ino);
      const more = !(attributes instanceof Errno) && (at ?? from.file.position) < attributes.size;
      if (more && file.flags & 0o4000) return Errno.of(11);
      if (more) return wait([channel]);
    }
    if (offset !== null && at !== undefined) {
      const stored = writeOffset(vfs, offset, at + copied);
      if (stored instanceof Errno) return stored;
    }
    return { result: copied };
  },

  copyRange: ({ infd, inoffset, outfd, outoffset, length, flags }, call) => {
    const { pid } = call.caller;
    if (flags !== 0) return EINVAL;
    const inAt = readOffset(vfs, inoffset);
    if (inAt instanceof Errno) return inAt;
    const outAt = readOffset(vfs, outoffset);
    if (outAt instanceof Errno) return outAt;
    const from = source(vfs, pid, infd, inAt);
    if (from instanceof Errno) return from;
    const toNumber = fileNumber(vfs, pid, outfd);
    if (toNumber instanceof Errno) return toNumber;
    const file = vfs.files.get(toNumber);
    if (file === undefined || !canWrite(file) || file.flags & O_APPEND) return EBADF;
    if (from.file.kind === 'directory' || file.kind === 'directory') return EISDIR;
    if (from.file.kind !== 'regular' || file.kind !== 'regular') return EINVAL;
    const fs = fileSystemOf(vfs, from.file.mount);
    // Generated files have no size to copy by; another type of file system is another device.
    if (fs.type !== fileSystemOf(vfs, file.mount).type) return EXDEV;
    const attributes = fs.getattr(from.file.ino);
    if (attributes instanceof Errno) return attributes;
    const start = inAt ?? from.file.position;
    const target = outAt ?? file.position;
    const count = Math.max(0, Math.min(length, attributes.size - start, COPY_MAX));
    if (objectOf(vfs, from.file) === objectOf(vfs, file) && start < target + count && target < start + count)
      return EINVAL;
    const copied = copy(vfs, call, from, { file, number: toNumber, at: outAt }, count);
    if (typeof copied !== 'number') return copied;
    if (inoffset !== null && inAt !== undefined) {
      const stored = writeOffset(vfs, inoffset, inAt + copied);
      if (stored instanceof Errno) return stored;
    }
    if (outoffset !== null && outAt !== undefined) {
      const stored = writeOffset(vfs, outoffset, outAt + copied);
      if (stored instanceof Errno) return stored;
    }
    return { result: copied };
  },
});
