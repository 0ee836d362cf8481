/**
 * A folder of the host for `--mount`, over node:fs (the contract is fs/host/directory.ts).
 *
 * Confinement. The root is resolved once. A path below it is built of names that the guest's VFS has walked; here every
 * folder on the way is checked with lstat to be a folder, so no symbolic link of the host is followed. Opens use O_NOFOLLOW
 * and are checked again after the fact where the host can tell where a descriptor leads (/proc/self/fd on Linux): a
 * folder that was swapped for a link in between is noticed before a byte is read or written.
 */
import * as fs from 'node:fs';
import * as errnos from '../../abi/errno.ts';
import { EACCES, EINVAL, EIO, ELOOP, ENOTDIR, EROFS, Errno, type Result } from '../../abi/errno.ts';
import type { Time } from '../../abi/stat.ts';
import type { HostDirectory, HostStat } from '../../fs/host/directory.ts';

const { constants } = fs;

/** Host errors by their code's name; what Linux does not know is EIO. */
const errnoOf = (error: unknown): Errno => {
  const code = (error as { code?: unknown }).code;
  const found = typeof code === 'string' ? (errnos as Record<string, unknown>)[code] : undefined;
  return found instanceof Errno ? found : EIO;
};

const attempt = <T>(action: () => T): Result<T> => {
  try {
    return action();
  } catch (error) {
    return errnoOf(error);
  }
};

const time = (nanoseconds: bigint): Time => ({
  seconds: Number(nanoseconds / 1_000_000_000n),
  nanoseconds: Number(nanoseconds % 1_000_000_000n),
});

/** Names are byte strings, one char a byte. */
const bytesOf = (path: string): Buffer => Buffer.from(path, 'latin1');
const nameOf = (bytes: Buffer): string => bytes.toString('latin1');

const canTellDescriptors = process.platform === 'linux';

class NodeDirectory implements HostDirectory {
  readonly #root: string;

  constructor(
    root: string,
    readonly readOnly: boolean,
  ) {
    this.#root = nameOf(Buffer.from(fs.realpathSync(root)));
  }

  stat(path: string): Result<HostStat> {
    return this.#at(path, (full) => {
      const s = fs.lstatSync(full, { bigint: true });
      return {
        mode: Number(s.mode),
        nlink: Number(s.nlink),
        uid: Number(s.uid),
        gid: Number(s.gid),
        rdev: Number(s.rdev),
        size: Number(s.size),
        blocks: Number(s.blocks),
        atime: time(s.atimeNs),
        mtime: time(s.mtimeNs),
        ctime: time(s.ctimeNs),
        identity: `${s.dev}:${s.ino}`,
      };
    });
  }

  readdir(path: string): Result<readonly string[]> {
    return this.#at(path, (full) => {
      if (!fs.lstatSync(full).isDirectory()) return ENOTDIR;
      return fs.readdirSync(full, { encoding: 'buffer' }).map(nameOf);
    });
  }

  readlink(path: string): Result<string> {
    return this.#at(path, (full) => nameOf(fs.readlinkSync(full, { encoding: 'buffer' })));
  }

  read(path: string, offset: number, into: Uint8Array): Result<number> {
    return this.#open(path, constants.O_RDONLY, (fd) => {
      let done = 0;
      while (done < into.length) {
        const count = fs.readSync(fd, into, done, into.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(path: string, offset: number, bytes: Uint8Array): Result<number> {
    return this.#change(() =>
      this.#open(path, constants.O_WRONLY, (fd) => {
        let done = 0;
        while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
        return done;
      }),
    );
  }

  truncate(path: string, size: number): Result<void> {
    return this.#change(() => this.#open(path, constants.O_WRONLY, (fd) => fs.ftruncateSync(fd, size)));
  }

  create(path: string, mode: number): Result<void> {
    return this.#change(() =>
      this.#open(
        path,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
        (fd) => fs.fchmodSync(fd, mode),
        mode,
      ),
    );
  }

  mkdir(path: string, mode: number): Result<void> {
    return this.#change(() =>
      this.#at(path, (full) => {
        fs.mkdirSync(full, mode);
        fs.chmodSync(full, mode);
      }),
    );
  }

  symlink(target: string, path: string): Result<void> {
    return this.#change(() => this.#at(path, (full) => fs.symlinkSync(bytesOf(target), full)));
  }

  link(existing: string, path: string): Result<void> {
    return this.#change(() => this.#at(existing, (from) => this.#at(path, (to) => fs.linkSync(from, to))));
  }

  unlink(path: string): Result<void> {
    return this.#change(() => this.#at(path, (full) => fs.unlinkSync(full)));
  }

  rmdir(path: string): Result<void> {
    return this.#change(() => this.#at(path, (full) => fs.rmdirSync(full)));
  }

  rename(from: string, to: string): Result<void> {
    return this.#change(() => this.#at(from, (source) => this.#at(to, (target) => fs.renameSync(source, target))));
  }

  chmod(path: string, mode: number): Result<void> {
    return this.#change(() =>
      this.#at(path, (full) => {
        // chmod follows links: there are none to change the mode of.
        if (fs.lstatSync(full).isSymbolicLink()) return EINVAL;
        return fs.chmodSync(full, mode);
      }),
    );
  }

  chown(path: string, uid: number, gid: number): Result<void> {
    return this.#change(() => this.#at(path, (full) => fs.lchownSync(full, uid, gid)));
  }

  utimes(path: string, atime: Time, mtime: Time): Result<void> {
    const seconds = (t: Time): number => t.seconds + t.nanoseconds / 1e9;
    return this.#change(() => this.#at(path, (full) => fs.lutimesSync(full, seconds(atime), seconds(mtime))));
  }

  statfs(): Result<{ blockSize: number; blocks: number; blocksFree: number; files: number; filesFree: number }> {
    return attempt(() => {
      const s = fs.statfsSync(bytesOf(this.#root));
      return { blockSize: s.bsize, blocks: s.blocks, blocksFree: s.bfree, files: s.files, filesFree: s.ffree };
    });
  }

  sync(): Result<void> {
    return attempt(() => {
      const fd = fs.openSync(bytesOf(this.#root), constants.O_RDONLY);
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  #change<T>(action: () => Result<T>): Result<T> {
    return this.readOnly ? EROFS : action();
  }

  /** Runs an action on the host's path, all folders before the last component being folders. */
  #at<T>(path: string, action: (full: Buffer) => Result<T>): Result<T> {
    return attempt(() => {
      const parts = path === '' ? [] : path.split('/');
      if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) return EINVAL;
      let full = this.#root;
      for (const [i, part] of parts.entries()) {
        full = `${full}/${part}`;
        if (i < parts.length - 1 && !fs.lstatSync(bytesOf(full)).isDirectory()) return ENOTDIR;
      }
      return action(bytesOf(full));
    });
  }

  #open<T>(path: string, flags: number, action: (fd: number) => T, mode?: number): Result<T> {
    return this.#at(path, (full) => {
      // Opening a FIFO or a device of the host could block or act: only regular files are opened.
      const creates = (flags & constants.O_CREAT) !== 0;
      if (!creates) {
        const stat = fs.lstatSync(full);
        if (stat.isSymbolicLink()) return ELOOP;
        if (!stat.isFile()) return EACCES;
      }
      const fd = fs.openSync(full, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode);
      try {
        if (canTellDescriptors) {
          const actual = fs.readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
          if (!actual.equals(full)) return EACCES;
        }
        if (!fs.fstatSync(fd).isFile()) return EACCES;
        return action(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }
}

/** Opens a host folder. Throws if it is none. */
export const nodeDirectory = (root: string, readOnly: boolean): HostDirectory => {
  if (!fs.statSync(root).isDirectory()) throw new Error(`${root} is not a folder`);
  return new NodeDirectory(root, readOnly);
};
