/**
 * The file system behind descriptors that stand for no file (eventfd, epoll, timerfd …): one inode that all of them share and
 * that nothing changes. What they are lies in the VFS's tables, by open file.
 */
import { EINVAL, ENOENT, ENOTDIR, EOPNOTSUPP, EPERM, ESPIPE, type Result } from '../../../abi/errno.ts';
import { ANON_INODE_FS_MAGIC } from '../../../abi/mount.ts';
import type { Attributes, FileSystem, SpaceUse } from '../../../fs/contract.ts';

/** The inode. */
export const ANONYMOUS_INODE = 1;

const EPOCH = Object.freeze({ seconds: 0, nanoseconds: 0 });
const attributes: Attributes = Object.freeze({
  mode: 0o600,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  size: 0,
  blocks: 0,
  atime: EPOCH,
  mtime: EPOCH,
  ctime: EPOCH,
  version: 1,
});

export class AnonymousFs implements FileSystem {
  readonly type: string = 'anon_inodefs';
  readonly root: number = 0;
  readonly blockSize = 4096;

  getattr: FileSystem['getattr'] = () => attributes;
  touch(): void {}
  setattr: FileSystem['setattr'] = () => EOPNOTSUPP;
  lookup: FileSystem['lookup'] = () => ENOTDIR;
  parent: FileSystem['parent'] = () => ENOTDIR;
  nameOf: FileSystem['nameOf'] = () => ENOENT;
  create = (): Result<number> => EPERM;
  link = (): Result<void> => EPERM;
  unlink: FileSystem['unlink'] = () => EPERM;
  rmdir = (): Result<void> => EPERM;
  rename = (): Result<void> => EPERM;
  readlink = (): Result<string> => EINVAL;
  readdir: FileSystem['readdir'] = () => ENOTDIR;
  read = (): Result<number> => EINVAL;
  write = (): Result<number> => EINVAL;
  truncate = (): Result<void> => EINVAL;
  seek = (): Result<number> => ESPIPE;
  punch = (): Result<void> => ESPIPE;
  sync = (): Result<void> => undefined;

  statfs(): Result<SpaceUse> {
    return {
      magic: ANON_INODE_FS_MAGIC,
      blockSize: 4096,
      blocks: 0,
      blocksFree: 0,
      files: 0,
      filesFree: 0,
      nameLength: 255,
    };
  }

  forget(_ino: number): void {}
  destroy(): void {}
}
