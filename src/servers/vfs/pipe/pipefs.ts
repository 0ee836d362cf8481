/**
 * The file system of anonymous pipes: an inode is a pipe. It has no names, so that all that works on names answers ENOTDIR or
 * EPERM; what it gives is attributes, and the end of a pipe that nobody holds.
 */
import { EINVAL, ENOENT, ENOTDIR, EPERM, ESPIPE, type Result } from '../../../abi/errno.ts';
import { PIPEFS_MAGIC } from '../../../abi/mount.ts';
import type { Time } from '../../../abi/stat.ts';
import type { AttributeChange, Attributes, FileSystem, SpaceUse } from '../../../fs/contract.ts';
import type { Vfs } from '../state.ts';

export class PipeFs implements FileSystem {
  readonly type = 'pipefs';
  readonly root = 0;
  readonly blockSize = 4096;
  readonly #vfs: Vfs;

  constructor(vfs: Vfs) {
    this.#vfs = vfs;
  }

  getattr(ino: number): Result<Attributes> {
    const row = this.#vfs.pipes.get(ino);
    if (row === undefined) return ENOENT;
    const { mode, uid, gid, time } = row;
    return {
      mode,
      nlink: 1,
      uid,
      gid,
      rdev: 0,
      size: 0,
      blocks: 0,
      atime: time,
      mtime: time,
      ctime: time,
      version: 1,
    };
  }

  touch(): void {}

  setattr(ino: number, change: AttributeChange): Result<void> {
    const row = this.#vfs.pipes.edit(ino);
    if (row === undefined) return ENOENT;
    if (change.mode !== undefined) row.mode = 0o010000 | (change.mode & 0o7777);
    if (change.uid !== undefined) row.uid = change.uid;
    if (change.gid !== undefined) row.gid = change.gid;
    if (change.mtime !== undefined) row.time = change.mtime satisfies Time;
    return undefined;
  }

  lookup = (): Result<number> => ENOTDIR;
  parent = (): Result<number> => ENOTDIR;
  nameOf = (): Result<string> => ENOENT;
  create = (): Result<number> => EPERM;
  link = (): Result<void> => EPERM;
  unlink = (): Result<void> => EPERM;
  rmdir = (): Result<void> => EPERM;
  rename = (): Result<void> => EPERM;
  readlink = (): Result<string> => EINVAL;
  readdir = (): Result<void> => ENOTDIR;
  read = (): Result<number> => EINVAL;
  write = (): Result<number> => EINVAL;
  truncate = (): Result<void> => EINVAL;
  seek = (): Result<number> => ESPIPE;
  punch = (): Result<void> => ESPIPE;
  sync = (): Result<void> => undefined;

  statfs(): Result<SpaceUse> {
    return {
      magic: PIPEFS_MAGIC,
      blockSize: 4096,
      blocks: 0,
      blocksFree: 0,
      files: 0,
      filesFree: 0,
      nameLength: 255,
    };
  }

  /** The last descriptor is gone; a host stream may still hold an end. */
  forget(ino: number): void {
    const row = this.#vfs.pipes.get(ino);
    if (row !== undefined && row.readers === 0 && row.writers === 0) this.#vfs.pipes.delete(ino);
  }

  destroy(): void {}
}
