/** The file system of POSIX message queues, mounted on /dev/mqueue: a file is a queue, and reads as its state. mq_overview(7). */
import { EACCES, EINVAL, ENOENT, ENOTDIR, EPERM, type Result } from '../../../abi/errno.ts';
import { MQUEUE_MAGIC } from '../../../abi/mount.ts';
import { S_IFDIR, S_IFREG } from '../../../abi/stat.ts';
import type { DirectoryEntry, FileSystem, SpaceUse } from '../../../fs/contract.ts';
import { AnonymousFs } from '../events/anonymous-fs.ts';
import type { Vfs } from '../state.ts';

/** Inode of the directory; queue n is inode n + 1. */
export const MQUEUE_ROOT = 1;

export class MqueueFs extends AnonymousFs {
  override readonly type: string = 'mqueue';
  override readonly root: number = MQUEUE_ROOT;
  readonly #vfs: Vfs;

  constructor(vfs: Vfs) {
    super();
    this.#vfs = vfs;
  }

  override getattr: FileSystem['getattr'] = (ino) => {
    const rest = { rdev: 0, blocks: 0, version: 1 };
    const time = this.#vfs.kernel.system().bootTime;
    if (ino === MQUEUE_ROOT)
      return {
        ...rest,
        mode: S_IFDIR | 0o1777,
        nlink: 2,
        uid: 0,
        gid: 0,
        size: 0,
        atime: time,
        mtime: time,
        ctime: time,
      };
    const row = this.#vfs.mqueues.get(ino - 1);
    if (row === undefined) return ENOENT;
    const { uid, gid, atime, mtime, ctime } = row;
    return {
      ...rest,
      mode: S_IFREG | row.mode,
      nlink: row.name === '' ? 0 : 1,
      uid,
      gid,
      size: 80,
      atime,
      mtime,
      ctime,
    };
  };

  override setattr: FileSystem['setattr'] = (ino, change) => {
    const row = this.#vfs.mqueues.edit(ino - 1);
    if (row === undefined) return EPERM;
    if (change.mode !== undefined) row.mode = change.mode & 0o7777;
    if (change.uid !== undefined) row.uid = change.uid;
    if (change.gid !== undefined) row.gid = change.gid;
    row.ctime = this.#vfs.now();
    return undefined;
  };

  override lookup: FileSystem['lookup'] = (directory, name) => {
    if (directory !== MQUEUE_ROOT) return ENOTDIR;
    const found = this.#vfs.mqueueNames.get(name);
    return found === undefined ? ENOENT : found.queue + 1;
  };

  override parent: FileSystem['parent'] = () => MQUEUE_ROOT;

  override nameOf: FileSystem['nameOf'] = (_directory, child) => this.#vfs.mqueues.get(child - 1)?.name || ENOENT;

  override readdir: FileSystem['readdir'] = (directory, cookie, emit: (entry: DirectoryEntry) => boolean) => {
    if (directory !== MQUEUE_ROOT) return ENOTDIR;
    const found = [...this.#vfs.mqueues.entries()].filter(([, row]) => row.name !== '');
    for (const [number, row] of found.sort(([a], [b]) => a - b))
      if (number + 2 > cookie && !emit({ name: row.name, ino: number + 1, type: S_IFREG >> 12, cookie: number + 2 }))
        break;
    return undefined;
  };

  override create = (): Result<number> => EACCES;

  override unlink: FileSystem['unlink'] = (_directory, name) => {
    const found = this.#vfs.mqueueNames.get(name);
    if (found === undefined) return ENOENT;
    this.#vfs.mqueueNames.delete(name);
    this.#vfs.mqueues.edit(found.queue)!.name = '';
    return undefined;
  };

  override read = (): Result<number> => EINVAL;

  override statfs(): Result<SpaceUse> {
    const none = { blocks: 0, blocksFree: 0, files: 0, filesFree: 0 };
    return { ...none, magic: MQUEUE_MAGIC, blockSize: 4096, nameLength: 255 };
  }

  /** Nobody has it open: it goes if it has no name. */
  override forget(ino: number): void {
    if (this.#vfs.mqueues.get(ino - 1)?.name !== '') return;
    this.#vfs.mqueueMessages.clear(ino - 1);
    this.#vfs.mqueues.delete(ino - 1);
  }
}
