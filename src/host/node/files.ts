/**
 * `os.fs`: the guest's files for the host, in the shape of node:fs/promises. Every method is VFS messages on behalf of
 * PID 1, so it acts as root of the guest, and errors are those of the guest's system calls.
 */
import { Errno } from '../../abi/errno.ts';
import { AT_FDCWD, O_APPEND, O_CREAT, O_DIRECTORY, O_RDONLY, O_TRUNC, O_WRONLY } from '../../abi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, STAT_SIZE } from '../../abi/stat.ts';
import { INIT, type System } from '../../system/system.ts';
import { toBytes, unwrap, XinimError } from './text.ts';

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const CHUNK = 1 << 16;

/** What stat(2) says of a file; sizes in bytes, times as Date. */
export class GuestStats {
  readonly mode: number;
  readonly ino: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: Date;

  constructor(raw: Uint8Array) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    this.ino = Number(view.getBigUint64(8, true));
    this.nlink = Number(view.getBigUint64(16, true));
    this.mode = view.getUint32(24, true);
    this.uid = view.getUint32(28, true);
    this.gid = view.getUint32(32, true);
    this.size = Number(view.getBigInt64(48, true));
    this.mtime = new Date(Number(view.getBigInt64(88, true)) * 1000 + Number(view.getBigInt64(96, true)) / 1e6);
  }

  isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }

  isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }

  isSymbolicLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
}

export class GuestFiles {
  readonly #system: System;
  readonly #poke: () => void;

  constructor(system: System, poke: () => void) {
    this.#system = system;
    this.#poke = poke;
  }

  readFile(path: string): Promise<Uint8Array>;
  readFile(path: string, encoding: 'utf8' | 'utf-8'): Promise<string>;
  async readFile(path: string, encoding?: 'utf8' | 'utf-8'): Promise<Uint8Array | string> {
    const bytes = await this.#withOpen(path, O_RDONLY, 0, async (fd) => {
      const chunks: Uint8Array[] = [];
      for (;;) {
        const buffer = new Uint8Array(CHUNK);
        const count = await this.#transfer('read', fd, buffer, 'out', path);
        if (count === 0) return Buffer.concat(chunks);
        chunks.push(buffer.subarray(0, count));
      }
    });
    return encoding === undefined ? bytes : bytes.toString('utf8');
  }

  async writeFile(path: string, data: Uint8Array | string, options: { mode?: number } = {}): Promise<void> {
    await this.#write(path, data, O_WRONLY | O_CREAT | O_TRUNC, options.mode);
  }

  async appendFile(path: string, data: Uint8Array | string, options: { mode?: number } = {}): Promise<void> {
    await this.#write(path, data, O_WRONLY | O_CREAT | O_APPEND, options.mode);
  }

  /** Names in a folder, sorted, without `.` and `..`. */
  async readdir(path: string): Promise<string[]> {
    const names = await this.#withOpen(path, O_RDONLY | O_DIRECTORY, 0, async (fd) => {
      const found: string[] = [];
      for (;;) {
        const buffer = new Uint8Array(CHUNK);
        const count = await this.#transfer('getdents', fd, buffer, 'out', path, { wide: true });
        if (count === 0) return found;
        const view = new DataView(buffer.buffer);
        for (let at = 0; at < count; at += view.getUint16(at + 16, true)) {
          const start = at + 19;
          const name = Buffer.from(buffer.subarray(start, buffer.indexOf(0, start))).toString('utf8');
          if (name !== '.' && name !== '..') found.push(name);
        }
      }
    });
    return names.sort();
  }

  async stat(path: string): Promise<GuestStats> {
    return this.#stat(path, 0);
  }

  async lstat(path: string): Promise<GuestStats> {
    return this.#stat(path, AT_SYMLINK_NOFOLLOW);
  }

  async mkdir(path: string, options: { mode?: number; recursive?: boolean } = {}): Promise<void> {
    if (options.recursive) {
      const parts = path.split('/').filter((part) => part !== '');
      for (let i = 1; i < parts.length; i++) {
        const parent = `/${parts.slice(0, i).join('/')}`;
        await this.#call('mkdir', { dirfd: AT_FDCWD, path: toBytes(parent), mode: 0o755 }, parent, ['EEXIST']);
      }
    }
    const allowed = options.recursive ? ['EEXIST'] : [];
    await this.#call('mkdir', { dirfd: AT_FDCWD, path: toBytes(path), mode: options.mode ?? 0o755 }, path, allowed);
  }

  async unlink(path: string): Promise<void> {
    await this.#call('unlink', { dirfd: AT_FDCWD, path: toBytes(path), flags: 0 }, path);
  }

  async rmdir(path: string): Promise<void> {
    await this.#call('unlink', { dirfd: AT_FDCWD, path: toBytes(path), flags: AT_REMOVEDIR }, path);
  }

  /** Removes a file; with `recursive` a folder and all in it; with `force` nothing is no error. */
  async rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
    let stats: GuestStats;
    try {
      stats = await this.lstat(path);
    } catch (error) {
      if (options.force && error instanceof XinimError && error.code === 'ENOENT') return;
      throw error;
    }
    if (!stats.isDirectory() || !options.recursive) return this.unlink(path);
    for (const name of await this.readdir(path)) await this.rm(`${path}/${name}`, options);
    await this.rmdir(path);
  }

  async rename(from: string, to: string): Promise<void> {
    const values = { olddirfd: AT_FDCWD, oldpath: toBytes(from), newdirfd: AT_FDCWD, newpath: toBytes(to), flags: 0 };
    await this.#call('rename', values, from);
  }

  async symlink(target: string, path: string): Promise<void> {
    await this.#call('symlink', { target: toBytes(target), dirfd: AT_FDCWD, path: toBytes(path) }, path);
  }

  async readlink(path: string): Promise<string> {
    const buffer = new Uint8Array(4096);
    const buf = this.#system.kernel.grantBytes('vfs', buffer, 'out');
    const { result } = await this.#call('readlink', { dirfd: AT_FDCWD, path: toBytes(path), buf }, path);
    return Buffer.from(buffer.subarray(0, result)).toString('utf8');
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.#call('chmod', { dirfd: AT_FDCWD, path: toBytes(path), mode, flags: 0 }, path);
  }

  async chown(path: string, uid: number, gid: number): Promise<void> {
    await this.#call('chown', { dirfd: AT_FDCWD, path: toBytes(path), uid, gid, flags: 0 }, path);
  }

  async truncate(path: string, length = 0): Promise<void> {
    await this.#call('truncate', { path: toBytes(path), length }, path);
  }

  async #stat(path: string, flags: number): Promise<GuestStats> {
    const raw = new Uint8Array(STAT_SIZE);
    const buf = this.#system.kernel.grantBytes('vfs', raw, 'out');
    await this.#call('stat', { dirfd: AT_FDCWD, path: toBytes(path), flags, buf }, path);
    return new GuestStats(raw);
  }

  async #write(path: string, data: Uint8Array | string, flags: number, mode = 0o644): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    await this.#withOpen(path, flags, mode, async (fd) => {
      for (let at = 0; at < bytes.length; )
        at += await this.#transfer('write', fd, bytes.subarray(at, at + CHUNK), 'in', path);
    });
  }

  async #withOpen<T>(path: string, flags: number, mode: number, action: (fd: number) => Promise<T>): Promise<T> {
    const opened = await this.#call('openFile', { dirfd: AT_FDCWD, path: toBytes(path), flags, mode }, path);
    try {
      return await action(opened.result);
    } finally {
      await this.#call('close', { fd: opened.result }, path);
    }
  }

  async #transfer(
    call: 'read' | 'write' | 'getdents',
    fd: number,
    bytes: Uint8Array,
    direction: 'in' | 'out',
    path: string,
    extra: Readonly<Record<string, unknown>> = {},
  ): Promise<number> {
    const buf = this.#system.kernel.grantBytes('vfs', bytes, direction);
    return (await this.#call(call, { fd, buf, ...extra }, path)).result;
  }

  #call(
    call: string,
    values: Readonly<Record<string, unknown>>,
    path: string,
    allowed: readonly string[] = [],
  ): Promise<{ result: number }> {
    const { kernel } = this.#system;
    const outcome = new Promise<{ result: number }>((resolve, reject) => {
      kernel.request(
        kernel.vfs,
        call,
        values,
        (answer) => {
          if (answer instanceof Errno && allowed.includes(answer.name)) resolve({ result: 0 });
          else {
            try {
              resolve(unwrap(answer as { result: number } | Errno, call, path));
            } catch (error) {
              reject(error);
            }
          }
        },
        INIT,
      );
      kernel.drain();
    });
    this.#poke();
    return outcome;
  }
}
