/** The file system of sockets: an inode is a socket. As that of pipes (pipe/pipefs.ts) it has no names. */
import { ENOENT, EOPNOTSUPP, type Result } from '../../../abi/errno.ts';
import { SOCKFS_MAGIC } from '../../../abi/mount.ts';
import { S_IFSOCK } from '../../../abi/stat.ts';
import type { FileSystem, SpaceUse } from '../../../fs/contract.ts';
import { AnonymousFs } from '../events/anonymous-fs.ts';
import type { Vfs } from '../state.ts';

export class SocketFs extends AnonymousFs {
  override readonly type: string = 'sockfs';
  readonly #vfs: Vfs;

  constructor(vfs: Vfs) {
    super();
    this.#vfs = vfs;
  }

  override getattr: FileSystem['getattr'] = (ino) => {
    const row = this.#vfs.sockets.get(ino);
    if (row === undefined) return ENOENT;
    const { uid, gid, time } = row;
    const mode = S_IFSOCK | row.mode;
    const times = { atime: time, mtime: time, ctime: time };
    return { mode, nlink: 1, uid, gid, rdev: 0, size: 0, blocks: 0, ...times, version: 1 };
  };

  override setattr: FileSystem['setattr'] = (ino, change) => {
    const row = this.#vfs.sockets.edit(ino);
    if (row === undefined) return EOPNOTSUPP;
    if (change.mode !== undefined) row.mode = change.mode & 0o7777;
    if (change.uid !== undefined) row.uid = change.uid;
    if (change.gid !== undefined) row.gid = change.gid;
    return undefined;
  };

  override statfs(): Result<SpaceUse> {
    const none = { blocks: 0, blocksFree: 0, files: 0, filesFree: 0 };
    return { ...none, magic: SOCKFS_MAGIC, blockSize: 4096, nameLength: 255 };
  }

  /** The last descriptor is gone: what is left of the socket is its inode. */
  override forget(ino: number): void {
    this.#vfs.sockets.delete(ino);
  }
}
