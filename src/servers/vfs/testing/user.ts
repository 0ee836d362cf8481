/** System calls of a process against the test machine: numbers, strings and errnos instead of grants and replies. */
import { Errno } from '../../../abi/errno.ts';
import { AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from '../../../abi/fcntl.ts';
import type { Sleeper, VfsMachine } from './machine.ts';

export const toBytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
export const toText = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const resultOf = (outcome: unknown): number | Errno =>
  outcome instanceof Errno ? outcome : (outcome as { result: number }).result;

export interface Stat {
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blocks: number;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

const decodeStat = (bytes: Uint8Array): Stat => {
  const view = new DataView(bytes.buffer);
  const word = (at: number): number => Number(view.getBigInt64(at, true));
  const time = (at: number): bigint => view.getBigInt64(at, true) * 1_000_000_000n + view.getBigInt64(at + 8, true);
  return {
    dev: word(0),
    ino: word(8),
    nlink: word(16),
    mode: view.getUint32(24, true),
    uid: view.getUint32(28, true),
    gid: view.getUint32(32, true),
    rdev: word(40),
    size: word(48),
    blocks: word(64),
    atime: time(72),
    mtime: time(88),
    ctime: time(104),
  };
};

export class User {
  constructor(
    readonly machine: VfsMachine,
    readonly pid: number,
  ) {}

  open(path: string, flags = 0, mode = 0o644, dirfd = AT_FDCWD): number | Errno {
    return resultOf(this.machine.call('openFile', this.pid, { dirfd, path, flags, mode }));
  }

  /** As `open`, which must succeed. */
  fd(path: string, flags = 0, mode = 0o644): number {
    const fd = this.open(path, flags, mode);
    if (fd instanceof Errno) throw new Error(`open ${path}: ${fd.name}`);
    return fd;
  }

  close(fd: number): number | Errno {
    return resultOf(this.machine.call('close', this.pid, { fd }));
  }

  read(fd: number, length: number): string | Errno {
    const bytes = new Uint8Array(length);
    const count = resultOf(this.machine.call('read', this.pid, { fd, buf: this.machine.grant(bytes) }));
    return count instanceof Errno ? count : toText(bytes.subarray(0, count));
  }

  /** A read that may sleep; the second value is filled when it is done. */
  startRead(fd: number, length: number): { sleeper: Sleeper; text: () => string | Errno } {
    const bytes = new Uint8Array(length);
    const sleeper = this.machine.start('read', this.pid, { fd, buf: this.machine.grant(bytes) });
    const text = (): string | Errno => {
      if (sleeper.sleeps) throw new Error('read still sleeps');
      const count = resultOf(sleeper.outcome);
      return count instanceof Errno ? count : toText(bytes.subarray(0, count));
    };
    return { sleeper, text };
  }

  write(fd: number, text: string): number | Errno {
    return resultOf(this.machine.call('write', this.pid, { fd, buf: this.machine.grant(toBytes(text)) }));
  }

  startWrite(fd: number, text: string): Sleeper {
    return this.machine.start('write', this.pid, { fd, buf: this.machine.grant(toBytes(text)) });
  }

  pread(fd: number, length: number, offset: number): string | Errno {
    const bytes = new Uint8Array(length);
    const request = { fd, buf: this.machine.grant(bytes), offset, flags: 0, current: false };
    const count = resultOf(this.machine.call('readAt', this.pid, request));
    return count instanceof Errno ? count : toText(bytes.subarray(0, count));
  }

  pwrite(fd: number, text: string, offset: number): number | Errno {
    const request = { fd, buf: this.machine.grant(toBytes(text)), offset, flags: 0, current: false };
    return resultOf(this.machine.call('writeAt', this.pid, request));
  }

  lseek(fd: number, offset: number, whence: number): number | Errno {
    return resultOf(this.machine.call('seek', this.pid, { fd, offset, whence }));
  }

  stat(path: string, flags = 0, dirfd = AT_FDCWD): Stat | Errno {
    const bytes = new Uint8Array(144);
    const outcome = this.machine.call('stat', this.pid, { dirfd, path, flags, buf: this.machine.grant(bytes) });
    return outcome instanceof Errno ? outcome : decodeStat(bytes);
  }

  lstat(path: string): Stat | Errno {
    return this.stat(path, AT_SYMLINK_NOFOLLOW);
  }

  /** As `stat`, which must succeed. */
  attributes(path: string): Stat {
    const stat = this.stat(path);
    if (stat instanceof Errno) throw new Error(`stat ${path}: ${stat.name}`);
    return stat;
  }

  fstat(fd: number): Stat | Errno {
    const bytes = new Uint8Array(144);
    const outcome = this.machine.call('fstat', this.pid, { fd, buf: this.machine.grant(bytes) });
    return outcome instanceof Errno ? outcome : decodeStat(bytes);
  }

  access(path: string, mode: number, flags = 0): number | Errno {
    return resultOf(this.machine.call('access', this.pid, { dirfd: AT_FDCWD, path, mode, flags }));
  }

  mkdir(path: string, mode = 0o755): number | Errno {
    return resultOf(this.machine.call('mkdir', this.pid, { dirfd: AT_FDCWD, path, mode }));
  }

  rmdir(path: string): number | Errno {
    return resultOf(this.machine.call('unlink', this.pid, { dirfd: AT_FDCWD, path, flags: AT_REMOVEDIR }));
  }

  unlink(path: string): number | Errno {
    return resultOf(this.machine.call('unlink', this.pid, { dirfd: AT_FDCWD, path, flags: 0 }));
  }

  link(oldpath: string, newpath: string, flags = 0): number | Errno {
    const request = { olddirfd: AT_FDCWD, oldpath, newdirfd: AT_FDCWD, newpath, flags };
    return resultOf(this.machine.call('link', this.pid, request));
  }

  symlink(target: string, path: string): number | Errno {
    return resultOf(this.machine.call('symlink', this.pid, { target, dirfd: AT_FDCWD, path }));
  }

  readlink(path: string, length = 4096): string | Errno {
    const bytes = new Uint8Array(length);
    const request = { dirfd: AT_FDCWD, path, buf: this.machine.grant(bytes) };
    const count = resultOf(this.machine.call('readlink', this.pid, request));
    return count instanceof Errno ? count : toText(bytes.subarray(0, count));
  }

  rename(oldpath: string, newpath: string, flags = 0): number | Errno {
    const request = { olddirfd: AT_FDCWD, oldpath, newdirfd: AT_FDCWD, newpath, flags };
    return resultOf(this.machine.call('rename', this.pid, request));
  }

  chmod(path: string, mode: number): number | Errno {
    return resultOf(this.machine.call('chmod', this.pid, { dirfd: AT_FDCWD, path, mode, flags: 0 }));
  }

  chown(path: string, uid: number, gid: number): number | Errno {
    return resultOf(this.machine.call('chown', this.pid, { dirfd: AT_FDCWD, path, uid, gid, flags: 0 }));
  }

  chdir(path: string): number | Errno {
    return resultOf(this.machine.call('chdir', this.pid, { path }));
  }

  chroot(path: string): number | Errno {
    return resultOf(this.machine.call('chroot', this.pid, { path }));
  }

  getcwd(length = 4096): string | Errno {
    const bytes = new Uint8Array(length);
    const count = resultOf(this.machine.call('getcwd', this.pid, { buf: this.machine.grant(bytes) }));
    return count instanceof Errno ? count : toText(bytes.subarray(0, count - 1));
  }

  umask(mask: number): number | Errno {
    return resultOf(this.machine.call('umask', this.pid, { mask }));
  }

  truncate(path: string, length: number): number | Errno {
    return resultOf(this.machine.call('truncate', this.pid, { path, length }));
  }

  mknod(path: string, mode: number, device = 0): number | Errno {
    return resultOf(this.machine.call('mknod', this.pid, { dirfd: AT_FDCWD, path, mode, device }));
  }

  dup(fd: number): number | Errno {
    return resultOf(this.machine.call('dup', this.pid, { fd }));
  }

  dup2(oldfd: number, newfd: number): number | Errno {
    return resultOf(this.machine.call('dup2', this.pid, { oldfd, newfd, flags: 0, same: true }));
  }

  fcntl(fd: number, command: number, argument = 0): number | Errno {
    return resultOf(this.machine.call('fcntl', this.pid, { fd, command, argument, lock: null }));
  }

  pipe(flags = 0): [number, number] {
    const bytes = new Uint8Array(8);
    const outcome = resultOf(this.machine.call('pipe', this.pid, { buf: this.machine.grant(bytes), flags }));
    if (outcome instanceof Errno) throw new Error(`pipe: ${outcome.name}`);
    const view = new DataView(bytes.buffer);
    return [view.getInt32(0, true), view.getInt32(4, true)];
  }

  /** An ioctl whose argument is a buffer, which is filled. */
  ioctl(fd: number, request: number, bytes?: Uint8Array, argument = 0): number | Errno {
    const buf = bytes === undefined ? null : this.machine.grant(bytes);
    return resultOf(this.machine.call('ioctl', this.pid, { fd, request, argument, buf }));
  }

  /** All names of a directory, as getdents64 gives them in pieces of `size` bytes. */
  list(path: string, size = 4096): string[] | Errno {
    const fd = this.open(path, 0o200000);
    if (fd instanceof Errno) return fd;
    const names: string[] = [];
    for (;;) {
      const bytes = new Uint8Array(size);
      const request = { fd, buf: this.machine.grant(bytes), wide: true };
      const count = resultOf(this.machine.call('getdents', this.pid, request));
      if (count instanceof Errno) return count;
      if (count === 0) break;
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < count; at += view.getUint16(at + 16, true)) {
        let end = at + 19;
        while (bytes[end] !== 0) end++;
        names.push(toText(bytes.subarray(at + 19, end)));
      }
    }
    this.close(fd);
    return names;
  }

  /** Writes a whole file. */
  put(path: string, text: string, mode = 0o644): void {
    const fd = this.fd(path, 0o1101, mode);
    if (text !== '' && this.write(fd, text) !== text.length) throw new Error(`short write to ${path}`);
    this.close(fd);
  }

  /** Reads a whole file. */
  get(path: string): string | Errno {
    const fd = this.open(path);
    if (fd instanceof Errno) return fd;
    let all = '';
    for (;;) {
      const part = this.read(fd, 65536);
      if (part instanceof Errno) return part;
      if (part === '') break;
      all += part;
    }
    this.close(fd);
    return all;
  }
}
