/**
 * What a host must give so that one of its directories can be mounted: synchronous access below one root. `src/host/node`
 * implements it over `node:fs`; tests over a plain object. (`src/fs` touches no platform API.)
 *
 * Rules for implementations:
 *  - Paths are relative to the root, `/`-separated, without empty components, `.` or `..`; the empty path is the root.
 *    Names are byte strings, one char a byte: convert to Buffers, not through UTF-16.
 *  - **No symbolic link of the host is ever followed**, neither as last component nor before: use lstat, readlink, and for
 *    opens O_NOFOLLOW, and check that every directory on the way is one (the guest's VFS resolves links inside the guest's tree).
 *    HostFs never passes a path whose components it has not seen as directories, but the host may change meanwhile.
 *  - Errors are values: map the host's code by name to `Errno`. Nothing throws.
 *  - Everything is done with the rights of the host's user; owners are shown as the host reports them.
 */
import type { Result } from '../../abi/errno.ts';
import type { Time } from '../../abi/stat.ts';

export interface HostStat {
  /** st_mode with the type. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blocks: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctime: Time;
  /** Identity of the file on the host (device and inode number), so that hard links are recognised. */
  readonly identity: string;
}

export interface HostDirectory {
  /** Refuses all changes with EROFS when set. */
  readonly readOnly: boolean;
  /** lstat(2). */
  stat(path: string): Result<HostStat>;
  /** Names, without `.` and `..`. */
  readdir(path: string): Result<readonly string[]>;
  readlink(path: string): Result<string>;
  /** pread(2) on a regular file; 0 at the end. */
  read(path: string, offset: number, into: Uint8Array): Result<number>;
  /** pwrite(2) on an existing regular file. */
  write(path: string, offset: number, bytes: Uint8Array): Result<number>;
  truncate(path: string, size: number): Result<void>;
  /** Creates an empty regular file (O_CREAT | O_EXCL). */
  create(path: string, mode: number): Result<void>;
  mkdir(path: string, mode: number): Result<void>;
  symlink(target: string, path: string): Result<void>;
  link(existing: string, path: string): Result<void>;
  unlink(path: string): Result<void>;
  rmdir(path: string): Result<void>;
  rename(from: string, to: string): Result<void>;
  chmod(path: string, mode: number): Result<void>;
  /** chown(2) without following; EPERM where the host's user may not. */
  chown(path: string, uid: number, gid: number): Result<void>;
  utimes(path: string, atime: Time, mtime: Time): Result<void>;
  /** Space of the file system below, in blocks of `blockSize`. */
  statfs(): Result<{ blockSize: number; blocks: number; blocksFree: number; files: number; filesFree: number }>;
  /** Flushes what was written. */
  sync(): Result<void>;
}
