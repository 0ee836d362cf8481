/** populate: fills the file system from one message (fs/populate.ts). Only the kernel may send it. */
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOTDIR, EPERM, Errno, type Result } from '../../../abi/errno.ts';
import { AT_FDCWD } from '../../../abi/fcntl.ts';
import { isDirectory, isRegular, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '../../../abi/stat.ts';
import { decodePopulate, type PopulateRecord } from '../../../fs/populate.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Actor, actorOf } from '../actor.ts';
import { fileSystemOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import type { Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { walk } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

const types = {
  directory: S_IFDIR,
  file: S_IFREG,
  symlink: S_IFLNK,
  link: 0,
  character: S_IFCHR,
  block: S_IFBLK,
  fifo: S_IFIFO,
} as const;

class Populator {
  readonly #vfs: Vfs;
  readonly #host: Actor;
  readonly #data: Grant | null;
  /** Directories that this message has found or made. */
  readonly #directories = new Map<string, Place>();

  constructor(vfs: Vfs, host: Actor, data: Grant | null) {
    this.#vfs = vfs;
    this.#host = host;
    this.#data = data;
  }

  add(record: PopulateRecord): Errno | undefined {
    const path = record.path.replace(/\/+$/, '');
    if (path === '') return record.type === 'directory' ? undefined : EINVAL;
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (slash < 0 || name === '.' || name === '..' || name.length > 255) return EINVAL;
    const parent = this.#directory(path.slice(0, slash));
    if (parent instanceof Errno) return parent;
    const fs = fileSystemOf(this.#vfs, parent.mount);
    if (record.type === 'link') {
      const found = walk(this.#vfs, this.#host, AT_FDCWD, record.target, false);
      if (found instanceof Errno) return found;
      if (found.ino === -1) return ENOENT;
      if (found.mount !== parent.mount) return Errno.of(18);
      const result = fs.link(parent.ino, name, found.ino);
      return result instanceof Errno && result !== EEXIST ? result : undefined;
    }
    const { uid, gid, rdev, target } = record;
    const mode = types[record.type] | (record.mode & 0o7777);
    const made = fs.create(parent.ino, name, { mode, uid, gid, rdev, target });
    const ino = made === EEXIST ? this.#existing(parent, name, record) : made;
    if (ino instanceof Errno) return ino;
    if (record.type === 'file' && record.dataLength > 0) {
      const written = this.#write(parent.mount, ino, record);
      if (written !== undefined) return written;
    }
    const mtime = Number.isNaN(record.mtime) ? undefined : { seconds: Math.floor(record.mtime), nanoseconds: 0 };
    if (made === EEXIST || mtime !== undefined) {
      const result = fs.setattr(ino, { mode: record.mode & 0o7777, uid, gid, mtime });
      if (result instanceof Errno) return result;
    }
    return undefined;
  }

  /** What is there already is taken over: directories as they are, files emptied. */
  #existing(parent: Place, name: string, record: PopulateRecord): Result<number> {
    const fs = fileSystemOf(this.#vfs, parent.mount);
    const path = record.path;
    if (record.type === 'directory') {
      const place = this.#directory(path.replace(/\/+$/, ''));
      if (place instanceof Errno) return place;
      return place.mount === parent.mount ? place.ino : fs.lookup(parent.ino, name);
    }
    const ino = fs.lookup(parent.ino, name);
    if (ino instanceof Errno) return ino;
    const attributes = fs.getattr(ino);
    if (attributes instanceof Errno) return attributes;
    if (record.type !== 'file' || !isRegular(attributes.mode)) return EEXIST;
    return fs.truncate(ino, 0) ?? ino;
  }

  #write(mount: number, ino: number, record: PopulateRecord): Errno | undefined {
    if (this.#data === null || record.dataOffset + record.dataLength > this.#data.length) return EFAULT;
    const bytes = this.#vfs.context.copyIn(this.#data, record.dataOffset, record.dataLength);
    if (bytes instanceof Errno) return bytes;
    const written = fileSystemOf(this.#vfs, mount).write(ino, 0, bytes);
    if (written instanceof Errno) return written;
    return written < bytes.length ? Errno.of(28) : undefined;
  }

  #directory(path: string): Result<Place> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const found = path === '' ? walk(this.#vfs, this.#host, AT_FDCWD, '/', true) : this.#find(path);
    if (found instanceof Errno) return found;
    const attributes = fileSystemOf(this.#vfs, found.mount).getattr(found.ino);
    if (attributes instanceof Errno) return attributes;
    if (!isDirectory(attributes.mode)) return ENOTDIR;
    const place = { mount: found.mount, ino: found.ino };
    this.#directories.set(path, place);
    return place;
  }

  #find(path: string): Result<Place> {
    const found = walk(this.#vfs, this.#host, AT_FDCWD, path, true);
    if (found !== ENOENT && (found instanceof Errno || found.ino !== -1)) return found;
    const slash = path.lastIndexOf('/');
    const parent = this.#directory(path.slice(0, slash));
    if (parent instanceof Errno) return parent;
    const fs = fileSystemOf(this.#vfs, parent.mount);
    const ino = fs.create(parent.ino, path.slice(slash + 1), { mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
    return ino instanceof Errno ? ino : { mount: parent.mount, ino };
  }
}

export const populating = (vfs: Vfs): CallsOf<'populate'> => ({
  populate: ({ entries, data }, call) => {
    if (call.caller.pid !== 0) return EPERM;
    if (entries === null) return EFAULT;
    const host = actorOf(vfs, 0);
    if (host instanceof Errno) return host;
    const bytes = vfs.context.copyIn(entries, 0, entries.length);
    if (bytes instanceof Errno) return bytes;
    const records = decodePopulate(bytes);
    if (records === undefined) return EINVAL;
    const populator = new Populator(vfs, host, data);
    for (const record of records) {
      const failed = populator.add(record);
      if (failed !== undefined) {
        vfs.kernel.log(`populate: ${record.path}: ${failed.text}`);
        return failed;
      }
    }
    return done;
  },
});
