/**
 * ramfs: a file system in memory, all of it in the store's tables. Inodes by number, directory entries by
 * `directory/name` (constant-time lookup) and by cookie (ordered listing), file contents in sparse pages.
 *
 * Invariants: a directory's nlink is 2 + its subdirectories; `usage` counts inodes and pages of data; an inode with nlink 0
 * exists until `forget`. Space and inodes are limited (ENOSPC), so that a guest cannot exhaust the host.
 * Specification: inode(7), rename(2), symlink(7).
 */
import {
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  Errno,
  type Result,
} from '../../abi/errno.ts';
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../abi/fcntl.ts';
import { TMPFS_MAGIC } from '../../abi/mount.ts';
import { isDirectory, isSymlink, S_IFDIR, type Time } from '../../abi/stat.ts';
import type { Store } from '../../ipc/store.ts';
import type { AttributeChange, Attributes, DirectoryEntry, FileSystem, NewInode, SpaceUse } from '../contract.ts';
import { PAGE, punchData, seekData, truncateData, writeData } from './data.ts';
import { type Inode, openTables, type Tables } from './rows.ts';

export interface RamfsOptions {
  /** Prefix of the table names: one for each instance. */
  readonly name: string;
  readonly type?: string;
  /** Limits in bytes of data and in inodes. */
  readonly maxBytes?: number;
  readonly maxInodes?: number;
  readonly rootMode?: number;
  /** Inode numbers are multiples of it, but the root's (overlay). */
  readonly stride?: number;
  readonly uid?: number;
  readonly gid?: number;
}

const NO_XATTRS: ReadonlyMap<string, string> = new Map();
const LINK_MAX = 0x7fff_ffff;
/** Size of a directory as tmpfs shows it: 20 bytes an entry, with `.` and `..`. */
const ENTRY_SIZE = 20;

export class Ramfs implements FileSystem {
  readonly type: string;
  readonly root = 1;
  readonly blockSize = PAGE;
  readonly #tables: Tables;
  readonly #now: () => Time;
  readonly #maxPages: number;
  readonly #maxInodes: number;
  readonly #stride: number;

  constructor(store: Store, now: () => Time, options: RamfsOptions) {
    this.type = options.type ?? 'tmpfs';
    this.#tables = openTables(store, options.name);
    this.#now = now;
    this.#maxPages = Math.floor((options.maxBytes ?? Infinity) / PAGE);
    this.#maxInodes = options.maxInodes ?? Infinity;
    this.#stride = options.stride ?? 1;
    if (this.#tables.usage.get(0) === undefined) {
      this.#tables.usage.set(0, { pages: 0, inodes: 0 });
      const mode = S_IFDIR | (options.rootMode ?? 0o755);
      const ino = this.#newInode({ mode, uid: options.uid ?? 0, gid: options.gid ?? 0 }, now());
      const row = ino instanceof Errno ? undefined : this.#tables.inodes.edit(ino);
      if (row !== undefined) row.parent = this.root;
    }
  }

  getattr(ino: number): Result<Attributes> {
    return this.#tables.inodes.get(ino) ?? ENOENT;
  }

  touch(ino: number, now: Time): void {
    const row = this.#tables.inodes.edit(ino);
    if (row !== undefined) row.atime = now;
  }

  setattr(ino: number, change: AttributeChange): Result<void> {
    const row = this.#tables.inodes.edit(ino);
    if (row === undefined) return ENOENT;
    if (change.mode !== undefined) row.mode = (row.mode & 0o170000) | (change.mode & 0o7777);
    if (change.uid !== undefined) row.uid = change.uid;
    if (change.gid !== undefined) row.gid = change.gid;
    if (change.atime !== undefined) row.atime = change.atime;
    if (change.mtime !== undefined) row.mtime = change.mtime;
    row.ctime = this.#now();
    return undefined;
  }

  lookup(directory: number, name: string): Result<number> {
    const entry = this.#tables.entries.get(`${directory}/${name}`);
    if (entry !== undefined) return entry.ino;
    const row = this.#tables.inodes.get(directory);
    return row !== undefined && !isDirectory(row.mode) ? ENOTDIR : ENOENT;
  }

  parent(directory: number): Result<number> {
    const row = this.#tables.inodes.get(directory);
    if (row === undefined) return ENOENT;
    return isDirectory(row.mode) ? row.parent : ENOTDIR;
  }

  nameOf(directory: number, child: number): Result<string> {
    for (const [, entry] of this.#tables.order.range(directory)) if (entry.ino === child) return entry.name;
    return ENOENT;
  }

  create(directory: number, name: string, inode: NewInode): Result<number> {
    const free = this.#mayAdd(directory, name);
    if (free instanceof Errno) return free;
    const time = this.#now();
    const ino = this.#newInode(inode, time);
    if (ino instanceof Errno) return ino;
    this.#attach(directory, name, ino, inode.mode, time);
    return ino;
  }

  createUnnamed(inode: NewInode): Result<number> {
    const ino = this.#newInode(inode, this.#now());
    if (!(ino instanceof Errno)) this.#tables.inodes.edit(ino)!.nlink = 0;
    return ino;
  }

  link(directory: number, name: string, ino: number): Result<void> {
    const free = this.#mayAdd(directory, name);
    if (free instanceof Errno) return free;
    const row = this.#tables.inodes.edit(ino);
    if (row === undefined) return ENOENT;
    if (row.nlink >= LINK_MAX) return EMLINK;
    row.nlink++;
    this.#attach(directory, name, ino, row.mode, this.#now());
    return undefined;
  }

  unlink(directory: number, name: string): Result<void> {
    const ino = this.lookup(directory, name);
    if (ino instanceof Errno) return ino;
    if (isDirectory(this.#tables.inodes.get(ino)!.mode)) return EISDIR;
    this.#dropEntry(directory, name, ino, this.#now());
    return undefined;
  }

  rmdir(directory: number, name: string): Result<void> {
    const ino = this.lookup(directory, name);
    if (ino instanceof Errno) return ino;
    if (!isDirectory(this.#tables.inodes.get(ino)!.mode)) return ENOTDIR;
    if (this.#tables.order.count(ino) > 0) return ENOTEMPTY;
    this.#dropEntry(directory, name, ino, this.#now());
    return undefined;
  }

  rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string, flags: number): Result<void> {
    const moved = this.lookup(fromDirectory, fromName);
    if (moved instanceof Errno) return moved;
    const inTheWay = this.lookup(toDirectory, toName);
    const time = this.#now();
    const movedMode = this.#tables.inodes.get(moved)!.mode;
    if (inTheWay instanceof Errno) {
      if (inTheWay !== ENOENT || flags & RENAME_EXCHANGE) return inTheWay;
      if (this.#tables.inodes.get(toDirectory)?.nlink === 0) return ENOENT;
    } else {
      if (flags & RENAME_NOREPLACE) return EEXIST;
      if (inTheWay === moved) return undefined;
      const otherMode = this.#tables.inodes.get(inTheWay)!.mode;
      if (flags & RENAME_EXCHANGE) {
        this.#detach(fromDirectory, fromName, movedMode, time);
        this.#detach(toDirectory, toName, otherMode, time);
        this.#attach(fromDirectory, fromName, inTheWay, otherMode, time);
        this.#attach(toDirectory, toName, moved, movedMode, time);
        return undefined;
      }
      if (isDirectory(otherMode) && !isDirectory(movedMode)) return EISDIR;
      if (!isDirectory(otherMode) && isDirectory(movedMode)) return ENOTDIR;
      if (isDirectory(otherMode) && this.#tables.order.count(inTheWay) > 0) return ENOTEMPTY;
      this.#dropEntry(toDirectory, toName, inTheWay, time);
    }
    this.#detach(fromDirectory, fromName, movedMode, time);
    this.#attach(toDirectory, toName, moved, movedMode, time);
    return undefined;
  }

  readlink(ino: number, _pid: number): Result<string> {
    const row = this.#tables.inodes.get(ino);
    if (row === undefined) return ENOENT;
    return isSymlink(row.mode) ? row.target : EINVAL;
  }

  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void> {
    let next = this.#tables.order.ceiling(directory, cookie + 1);
    while (next !== undefined) {
      const [key, entry] = next;
      if (!emit({ name: entry.name, ino: entry.ino, type: entry.type, cookie: key })) return undefined;
      next = this.#tables.order.ceiling(directory, key + 1);
    }
    return undefined;
  }

  read(ino: number, offset: number, into: Uint8Array): Result<number> {
    return this.#tables.data.read(ino, offset, into);
  }

  write(ino: number, offset: number, bytes: Uint8Array): Result<number> {
    return writeData(this.#tables, ino, offset, bytes, this.#maxPages, this.#now());
  }

  truncate(ino: number, size: number): Result<void> {
    return truncateData(this.#tables, ino, size, this.#now());
  }

  seek(ino: number, offset: number, data: boolean): Result<number> {
    return seekData(this.#tables, ino, offset, data);
  }

  punch(ino: number, offset: number, length: number): Result<void> {
    return punchData(this.#tables, ino, offset, length, this.#now());
  }

  xattrs(ino: number): Result<ReadonlyMap<string, string>> {
    const row = this.#tables.inodes.get(ino);
    return row === undefined ? ENOENT : (row.xattrs ?? NO_XATTRS);
  }

  setXattr(ino: number, name: string, value: string | undefined): Result<void> {
    const row = this.#tables.inodes.edit(ino);
    if (row === undefined) return ENOENT;
    // The row was copied shallowly: the map is replaced.
    const xattrs = new Map(row.xattrs);
    if (value === undefined) xattrs.delete(name);
    else xattrs.set(name, value);
    row.xattrs = xattrs.size > 0 ? xattrs : undefined;
    row.ctime = this.#now();
    return undefined;
  }

  sync(): Result<void> {
    return undefined;
  }

  statfs(): Result<SpaceUse> {
    const { pages, inodes } = this.#tables.usage.get(0)!;
    const finite = (limit: number): number => (limit === Infinity ? 0 : limit);
    return {
      magic: TMPFS_MAGIC,
      blockSize: PAGE,
      blocks: finite(this.#maxPages),
      blocksFree: Math.max(0, finite(this.#maxPages) - pages),
      files: finite(this.#maxInodes),
      filesFree: Math.max(0, finite(this.#maxInodes) - inodes),
      nameLength: 255,
    };
  }

  forget(ino: number): void {
    const row = this.#tables.inodes.get(ino);
    if (row === undefined || row.nlink > 0) return;
    const usage = this.#tables.usage.edit(0)!;
    usage.inodes--;
    usage.pages -= row.blocks >>> 3;
    this.#tables.data.delete(ino);
    this.#tables.inodes.delete(ino);
  }

  destroy(): void {
    const { inodes, entries, order, data, usage } = this.#tables;
    for (const ino of [...inodes.keys()]) {
      order.clear(ino);
      data.delete(ino);
      inodes.delete(ino);
    }
    for (const key of [...entries.keys()]) entries.delete(key);
    usage.delete(0);
  }

  /** Enters an inode under a number that is not ours; its contents are whoever's gave it until it is written (overlay). */
  adopt(ino: number, row: Inode): Errno | undefined {
    const usage = this.#tables.usage.edit(0)!;
    if (usage.inodes >= this.#maxInodes) return ENOSPC;
    usage.inodes++;
    this.#tables.inodes.set(ino, row);
    return undefined;
  }

  #newInode(inode: NewInode, time: Time): Result<number> {
    const usage = this.#tables.usage.edit(0)!;
    if (usage.inodes >= this.#maxInodes) return ENOSPC;
    usage.inodes++;
    // The first one is the root, also when the tables had another file system before.
    const next = (): number => (this.#tables.numbers.next() + this.root) * this.#stride;
    const ino = this.#tables.inodes.size === 0 ? this.root : next();
    const target = inode.target ?? '';
    this.#tables.inodes.set(ino, {
      mode: inode.mode,
      nlink: isDirectory(inode.mode) ? 2 : 1,
      uid: inode.uid,
      gid: inode.gid,
      rdev: inode.rdev ?? 0,
      size: isDirectory(inode.mode) ? 2 * ENTRY_SIZE : target.length,
      blocks: 0,
      atime: time,
      mtime: time,
      ctime: time,
      btime: time,
      version: 1,
      target,
      parent: 0,
      cookie: 3,
    });
    return ino;
  }

  #mayAdd(directory: number, name: string): Result<void> {
    if (this.#tables.entries.has(`${directory}/${name}`)) return EEXIST;
    const row = this.#tables.inodes.get(directory);
    if (row === undefined) return ENOENT;
    if (!isDirectory(row.mode)) return ENOTDIR;
    return row.nlink === 0 ? ENOENT : undefined;
  }

  /** Adds a name for an inode whose link count already includes it. */
  #attach(directory: number, name: string, ino: number, mode: number, time: Time): void {
    const row = this.#tables.inodes.edit(directory)!;
    const cookie = row.cookie++;
    this.#tables.entries.set(`${directory}/${name}`, { ino, cookie });
    this.#tables.order.set(directory, cookie, { name, ino, type: mode >>> 12 });
    row.size += ENTRY_SIZE;
    row.mtime = time;
    row.ctime = time;
    row.version++;
    const inode: Inode = this.#tables.inodes.edit(ino)!;
    inode.ctime = time;
    if (isDirectory(mode)) {
      row.nlink++;
      inode.parent = directory;
    }
  }

  /** Removes a name and leaves the inode's link count alone. */
  #detach(directory: number, name: string, mode: number, time: Time): void {
    const key = `${directory}/${name}`;
    const row = this.#tables.inodes.edit(directory)!;
    this.#tables.order.delete(directory, this.#tables.entries.get(key)!.cookie);
    this.#tables.entries.delete(key);
    row.size -= ENTRY_SIZE;
    row.mtime = time;
    row.ctime = time;
    row.version++;
    if (isDirectory(mode)) row.nlink--;
  }

  /** Removes a name and the link that it was. */
  #dropEntry(directory: number, name: string, ino: number, time: Time): void {
    const inode = this.#tables.inodes.edit(ino)!;
    this.#detach(directory, name, inode.mode, time);
    inode.nlink = isDirectory(inode.mode) ? 0 : inode.nlink - 1;
    inode.ctime = time;
  }
}
