/**
 * The contract of a file system: what ramfs, devfs, procfs and host directories (later ext2, FAT32, overlay) give the VFS.
 *
 * Division of labour. The VFS walks paths, crosses mounts, follows symbolic links, checks every permission, sticky bits and
 * read-only mounts, clips set-id bits, and knows who holds an inode open. A file system knows inodes by number and names in
 * directories; it checks what only it can know (ENOENT, EEXIST, ENOTDIR, ENOTEMPTY, ENOSPC, …) and keeps the times.
 *
 * Rules:
 *  - State lives in the store (ipc/store.ts); an instance holds only what can be rebuilt.
 *  - Inode numbers are below 2^32 and are not reused while the inode may be held.
 *  - An inode whose last name is gone stays usable until `forget`, which the VFS calls when nobody holds it any more.
 *  - Names are byte strings (one char a byte), never empty, `.`, `..`, with `/` or longer than 255: the VFS has checked.
 *  - Nothing throws but bugs; a back end that must wait for a device lets `FaultPending` pass, as handlers do, and the whole
 *    request runs again once the data is there.
 */

import type { Result } from '../abi/errno.ts';
import type { Time } from '../abi/stat.ts';

export interface Attributes {
  /** Type and permission bits as in st_mode. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number of device files. */
  readonly rdev: number;
  readonly size: number;
  /** Allocated space in units of 512 bytes. */
  readonly blocks: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctime: Time;
  /** When the inode was made, if that is known. */
  readonly btime?: Time;
  /** Changes whenever the contents do. */
  readonly version: number;
}

/** What `setattr` changes. Every change sets ctime. */
export interface AttributeChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly atime?: Time;
  readonly mtime?: Time;
}

/** What a new inode is. `mode` has the type: regular, directory, symlink (with `target`), FIFO, socket or device (`rdev`). */
export interface NewInode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev?: number;
  readonly target?: string;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: number;
  /** Type code as in dirent.h (mode >> 12), 0 if unknown. */
  readonly type: number;
  /** Position behind this entry: readdir with it goes on with the next one. Greater than 2; stable while the entry lives. */
  readonly cookie: number;
}

export interface SpaceUse {
  readonly magic: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly files: number;
  readonly filesFree: number;
  readonly nameLength: number;
}

/** Where a link of procfs that is no mere text leads (`/proc/5/fd/3`, `/proc/5/cwd`). */
export type Jump =
  | { readonly kind: 'inode'; readonly mount: number; readonly ino: number }
  | { readonly kind: 'file'; readonly file: number };

export interface FileSystem {
  /** Name of the type as in /proc/filesystems. */
  readonly type: string;
  readonly root: number;
  /** What st_blksize says. */
  readonly blockSize: number;

  getattr(ino: number): Result<Attributes>;
  /** Marks an inode read at `now`. Called only when the relatime rule asks for it. */
  touch(ino: number, now: Time): void;
  setattr(ino: number, change: AttributeChange): Result<void>;

  /** ENOENT, ENOTDIR. */
  lookup(directory: number, name: string): Result<number>;
  /** The directory that holds this directory; the root is its own. */
  parent(directory: number): Result<number>;
  /** A name of `child` in the directory. ENOENT. */
  nameOf(directory: number, child: number): Result<string>;
  /** Makes a file of any type. EEXIST, ENOSPC. */
  create(directory: number, name: string, inode: NewInode): Result<number>;
  /** Makes a regular file without a name (O_TMPFILE, memfd_create), which `link` may give one. ENOSPC. Absent: EOPNOTSUPP. */
  createUnnamed?(inode: NewInode): Result<number>;
  /** EEXIST, EMLINK. Directories are refused by the VFS. */
  link(directory: number, name: string, ino: number): Result<void>;
  /** Removes a name that is not a directory. EISDIR. */
  unlink(directory: number, name: string): Result<void>;
  /** Removes an empty directory. ENOTDIR, ENOTEMPTY. */
  rmdir(directory: number, name: string): Result<void>;
  /**
   * rename(2) within the file system with flags of renameat2(2). The VFS has checked permissions, loops (a directory into
   * its own subtree) and types; the file system replaces atomically, ENOTEMPTY for a directory that is not.
   */
  rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string, flags: number): Result<void>;
  /** EINVAL if it is no symbolic link. `pid` is who asks (/proc/self). */
  readlink(ino: number, pid: number): Result<string>;
  /** Entries behind `cookie` (0: all), without `.` and `..`, until `emit` returns false. */
  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void>;

  /** Copies from the file; returns the count, 0 at the end. */
  read(ino: number, offset: number, into: Uint8Array): Result<number>;
  /** Writes and returns the count, short only when space runs out (ENOSPC if none). Sets mtime, ctime. */
  write(ino: number, offset: number, bytes: Uint8Array): Result<number>;
  truncate(ino: number, size: number): Result<void>;
  /** Next data or hole at or behind `offset` (< size). ENXIO if there is no data. */
  seek(ino: number, offset: number, data: boolean): Result<number>;
  /** Zeroes a range, giving its space back where possible. */
  punch(ino: number, offset: number, length: number): Result<void>;
  sync(): Result<void>;
  statfs(): Result<SpaceUse>;
  /** Nobody holds the inode: if its last name is gone, it goes. */
  forget(ino: number): void;
  /** The file system is unmounted for good: its state may go. */
  destroy(): void;
  /** Extended attributes by name, values as byte strings. A file system without the method has none to offer. */
  xattrs?(ino: number): Result<ReadonlyMap<string, string>>;
  /** Sets or (undefined) removes one and sets ctime. Names, sizes and permissions are the VFS's affair. */
  setXattr?(ino: number, name: string, value: string | undefined): Result<void>;
  /** Where a link leads that is more than its text; undefined for all others. */
  jump?(ino: number, pid: number): Result<Jump> | undefined;
}
