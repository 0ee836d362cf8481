/**
 * A directory of the host as a file system, over an injected `HostDirectory`. Guests cannot get out of it: the VFS resolves
 * `..` and links itself, this class builds paths only from names that came through `lookup` or `create`, and the host side
 * follows no link.
 *
 * Inodes: a number is given to each path when it is first seen and kept in the store, with parent and name; hard links
 * share a number by the host's identity. A file that is removed while open stays readable only where the host keeps it: the
 * number is marked gone and answers ENOENT.
 */
import {
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  Errno,
  type Result,
} from '../../abi/errno.ts';
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../abi/fcntl.ts';
import { V9FS_MAGIC } from '../../abi/mount.ts';
import { isDirectory, isRegular, isSymlink, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../abi/stat.ts';
import type { Sequence, Store, Table } from '../../ipc/store.ts';
import type { AttributeChange, Attributes, DirectoryEntry, FileSystem, NewInode, SpaceUse } from '../contract.ts';
import type { HostDirectory, HostStat } from './directory.ts';

interface Node {
  /** Directory and name by which it was last seen; parent 0: gone. */
  parent: number;
  name: string;
  identity: string;
  /** Raised by each write through this mount. */
  writes: number;
}

const ROOT = 1;
const DEPTH_MAX = 2048;

export class HostFs implements FileSystem {
  readonly type = 'host';
  readonly root = ROOT;
  readonly blockSize = 4096;
  readonly #host: HostDirectory;
  readonly #nodes: Table<number, Node>;
  readonly #byIdentity: Table<string, { readonly ino: number }>;
  readonly #numbers: Sequence;

  constructor(store: Store, host: HostDirectory, name: string) {
    this.#host = host;
    this.#nodes = store.table(`${name}:node`);
    this.#byIdentity = store.table(`${name}:identity`);
    this.#numbers = store.sequence(`${name}:node`);
    if (!this.#nodes.has(ROOT)) this.#nodes.set(ROOT, { parent: ROOT, name: '', identity: '', writes: 0 });
  }

  getattr(ino: number): Result<Attributes> {
    const stat = this.#stat(ino);
    if (stat instanceof Errno) return stat;
    const { mode, nlink, uid, gid, rdev, size, blocks, atime, mtime, ctime } = stat;
    const version = mtime.seconds * 1e6 + Math.floor(mtime.nanoseconds / 1000) + this.#nodes.get(ino)!.writes;
    return { mode, nlink, uid, gid, rdev, size, blocks, atime, mtime, ctime, version };
  }

  /** The host keeps its own access times. */
  touch(): void {}

  setattr(ino: number, change: AttributeChange): Result<void> {
    const path = this.#writable(ino);
    if (path instanceof Errno) return path;
    const stat = this.#host.stat(path);
    if (stat instanceof Errno) return stat;
    if (change.uid !== undefined || change.gid !== undefined) {
      const result = this.#host.chown(path, change.uid ?? stat.uid, change.gid ?? stat.gid);
      if (result instanceof Errno) return result;
    }
    if (change.mode !== undefined) {
      if (isSymlink(stat.mode)) return EOPNOTSUPP;
      const result = this.#host.chmod(path, change.mode & 0o7777);
      if (result instanceof Errno) return result;
    }
    if (change.atime !== undefined || change.mtime !== undefined)
      return this.#host.utimes(path, change.atime ?? stat.atime, change.mtime ?? stat.mtime);
    return undefined;
  }

  lookup(directory: number, name: string): Result<number> {
    const path = this.#childPath(directory, name);
    if (path instanceof Errno) return path;
    const stat = this.#host.stat(path);
    return stat instanceof Errno ? stat : this.#number(directory, name, stat);
  }

  parent(directory: number): Result<number> {
    const node = this.#nodes.get(directory);
    return node === undefined || node.parent === 0 ? ENOENT : node.parent;
  }

  nameOf(directory: number, child: number): Result<string> {
    const node = this.#nodes.get(child);
    return node !== undefined && node.parent === directory ? node.name : ENOENT;
  }

  create(directory: number, name: string, inode: NewInode): Result<number> {
    if (this.#host.readOnly) return EROFS;
    const path = this.#childPath(directory, name);
    if (path instanceof Errno) return path;
    const mode = inode.mode & 0o7777;
    const made =
      (inode.mode & S_IFMT) === S_IFREG
        ? this.#host.create(path, mode)
        : (inode.mode & S_IFMT) === S_IFDIR
          ? this.#host.mkdir(path, mode)
          : (inode.mode & S_IFMT) === S_IFLNK
            ? this.#host.symlink(inode.target ?? '', path)
            : EPERM;
    if (made instanceof Errno) return made;
    return this.lookup(directory, name);
  }

  link(directory: number, name: string, ino: number): Result<void> {
    const from = this.#writable(ino);
    if (from instanceof Errno) return from;
    const path = this.#childPath(directory, name);
    return path instanceof Errno ? path : this.#host.link(from, path);
  }

  unlink(directory: number, name: string): Result<void> {
    return this.#remove(directory, name, false);
  }

  rmdir(directory: number, name: string): Result<void> {
    return this.#remove(directory, name, true);
  }

  rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string, flags: number): Result<void> {
    if (this.#host.readOnly) return EROFS;
    if (flags & RENAME_EXCHANGE) return EINVAL;
    const from = this.#childPath(fromDirectory, fromName);
    if (from instanceof Errno) return from;
    const to = this.#childPath(toDirectory, toName);
    if (to instanceof Errno) return to;
    const moved = this.lookup(fromDirectory, fromName);
    if (moved instanceof Errno) return moved;
    const replaced = this.lookup(toDirectory, toName);
    if (!(replaced instanceof Errno) && flags & RENAME_NOREPLACE) return EEXIST;
    if (replaced === moved) return undefined;
    const result = this.#host.rename(from, to);
    if (result instanceof Errno) return result;
    if (!(replaced instanceof Errno)) this.#lost(replaced);
    const node = this.#nodes.edit(moved);
    if (node !== undefined) {
      node.parent = toDirectory;
      node.name = toName;
    }
    return undefined;
  }

  readlink(ino: number, _pid: number): Result<string> {
    const path = this.#path(ino);
    return path instanceof Errno ? path : this.#host.readlink(path);
  }

  /** Cookies are positions in the sorted listing, from 3: a name that comes or goes meanwhile shifts at most its followers. */
  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void> {
    const path = this.#path(directory);
    if (path instanceof Errno) return path;
    const names = this.#host.readdir(path);
    if (names instanceof Errno) return names;
    const sorted = [...names].sort();
    for (let i = Math.max(0, cookie - 2); i < sorted.length; i++) {
      const stat = this.#host.stat(path === '' ? sorted[i] : `${path}/${sorted[i]}`);
      if (stat instanceof Errno) continue;
      const ino = this.#number(directory, sorted[i], stat);
      if (!emit({ name: sorted[i], ino, type: stat.mode >>> 12, cookie: i + 3 })) return undefined;
    }
    return undefined;
  }

  read(ino: number, offset: number, into: Uint8Array): Result<number> {
    const path = this.#path(ino);
    return path instanceof Errno ? path : this.#host.read(path, offset, into);
  }

  write(ino: number, offset: number, bytes: Uint8Array): Result<number> {
    const path = this.#writable(ino);
    if (path instanceof Errno) return path;
    const written = this.#host.write(path, offset, bytes);
    if (!(written instanceof Errno)) this.#nodes.edit(ino)!.writes++;
    return written;
  }

  truncate(ino: number, size: number): Result<void> {
    const path = this.#writable(ino);
    if (path instanceof Errno) return path;
    this.#nodes.edit(ino)!.writes++;
    return this.#host.truncate(path, size);
  }

  /** The host's holes are not looked for: all is data. */
  seek(ino: number, offset: number, data: boolean): Result<number> {
    const stat = this.#stat(ino);
    if (stat instanceof Errno) return stat;
    if (offset >= stat.size) return ENXIO;
    return data ? offset : stat.size;
  }

  punch(): Result<void> {
    return EOPNOTSUPP;
  }

  sync(): Result<void> {
    return this.#host.sync();
  }

  statfs(): Result<SpaceUse> {
    const space = this.#host.statfs();
    return space instanceof Errno ? space : { magic: V9FS_MAGIC, nameLength: 255, ...space };
  }

  forget(ino: number): void {
    if (this.#nodes.get(ino)?.parent === 0) this.#nodes.delete(ino);
  }

  destroy(): void {
    for (const ino of [...this.#nodes.keys()]) this.#nodes.delete(ino);
    for (const identity of [...this.#byIdentity.keys()]) this.#byIdentity.delete(identity);
  }

  #stat(ino: number): Result<HostStat> {
    const path = this.#path(ino);
    if (path instanceof Errno) return path;
    return this.#host.stat(path);
  }

  /** Path of an inode from the root, as the host knows it. */
  #path(ino: number): Result<string> {
    let path = '';
    let depth = 0;
    for (let at = ino; at !== ROOT; ) {
      const node = this.#nodes.get(at);
      if (node === undefined || node.parent === 0) return ENOENT;
      // A directory that the host shows inside itself (a bind mount) must not send us round in circles.
      if (++depth > DEPTH_MAX) return ELOOP;
      path = path === '' ? node.name : `${node.name}/${path}`;
      at = node.parent;
    }
    return path;
  }

  #writable(ino: number): Result<string> {
    return this.#host.readOnly ? EROFS : this.#path(ino);
  }

  #childPath(directory: number, name: string): Result<string> {
    // The VFS never passes such names; a way out of the mount must not depend on that.
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) return EINVAL;
    const path = this.#path(directory);
    if (path instanceof Errno) return path;
    return path === '' ? name : `${path}/${name}`;
  }

  #number(directory: number, name: string, stat: HostStat): number {
    const known = this.#byIdentity.get(stat.identity);
    if (known !== undefined) {
      const node = this.#nodes.get(known.ino);
      if (node !== undefined) {
        if (node.parent !== directory || node.name !== name) {
          const row = this.#nodes.edit(known.ino)!;
          row.parent = directory;
          row.name = name;
        }
        return known.ino;
      }
    }
    const ino = ROOT + this.#numbers.next();
    this.#nodes.set(ino, { parent: directory, name, identity: stat.identity, writes: 0 });
    this.#byIdentity.set(stat.identity, { ino });
    return ino;
  }

  #remove(directory: number, name: string, wantDirectory: boolean): Result<void> {
    if (this.#host.readOnly) return EROFS;
    const path = this.#childPath(directory, name);
    if (path instanceof Errno) return path;
    const stat = this.#host.stat(path);
    if (stat instanceof Errno) return stat;
    if (isDirectory(stat.mode) !== wantDirectory) return wantDirectory ? ENOTDIR : EISDIR;
    const ino = this.#number(directory, name, stat);
    const result = wantDirectory ? this.#host.rmdir(path) : this.#host.unlink(path);
    if (result instanceof Errno) return result;
    if (stat.nlink <= 1 || !isRegular(stat.mode)) this.#lost(ino);
    return undefined;
  }

  /** The file is gone from the host: its number is never given to another. */
  #lost(ino: number): void {
    const node = this.#nodes.edit(ino);
    if (node === undefined) return;
    this.#byIdentity.delete(node.identity);
    node.parent = 0;
  }
}
