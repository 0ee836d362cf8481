/**
 * Copy-on-write: a file system that can be written, over one or more that are not (a folder of the host, a tar image). What
 * is changed is kept in a ramfs (`upper`), the layers below are only read. The first layer lies on top of the others.
 *
 * The idea: an inode keeps its number for life, and what is copied up is the *inode*, not the path. Attributes are copied when
 * they first change, a file's contents when they are first written, a directory's list of names when a name in it first
 * comes, goes or moves (`#own`). A list holds inode numbers, copied up or not, so renaming a directory of a layer moves one
 * name and copies nothing below it; hard links of a layer stay links; there are no whiteouts, no opaque directories and no
 * EXDEV. Numbers, versions, times and cookies are the same before and after, so mappings and open files notice nothing.
 *
 * Numbers: with n layers, inode i of layer k (1 … n) is i · (n + 1) + k; those of `upper` are multiples of n + 1. A directory
 * that several layers have goes by its number in the uppermost (`merged`, `identity`).
 *
 * State, by inode number: rows and lists of names in the tables of `upper`; `owned`: contents or list are those of `upper`.
 * An owned number without a row is gone for good.
 */
import { EIO, ENOENT, ENOSPC, Errno, type Result } from '../../abi/errno.ts';
import { OVERLAYFS_MAGIC } from '../../abi/mount.ts';
import { isDirectory, isRegular, isSymlink, type Time } from '../../abi/stat.ts';
import type { Store, Table } from '../../ipc/store.ts';
import type { AttributeChange, Attributes, DirectoryEntry, FileSystem, NewInode, SpaceUse } from '../contract.ts';
import { PAGE } from '../ramfs/data.ts';
import { Ramfs } from '../ramfs/ramfs.ts';
import { openTables, type Tables } from '../ramfs/rows.ts';

export interface OverlayOptions {
  /** Prefix of the table names: one for each instance. */
  readonly name: string;
  /** Limits of what is changed, in bytes of data and in inodes. */
  readonly maxBytes?: number;
  readonly maxInodes?: number;
}

interface Origin {
  readonly fs: FileSystem;
  readonly ino: number;
  /** Position of the layer. */
  readonly layer: number;
}

const NO_XATTRS: ReadonlyMap<string, string> = new Map();
/** Cookies of a directory that several layers have: those of layer k lie above k times this. */
const COOKIES = 2 ** 40;
/** Contents are copied up in pieces of this size. */
const PIECE = 1 << 17;

export class Overlay implements FileSystem {
  readonly type = 'overlay';
  readonly root: number;
  readonly blockSize = PAGE;
  readonly #layers: readonly FileSystem[];
  readonly #stride: number;
  readonly #upper: Ramfs;
  readonly #rows: Tables;
  readonly #owned: Table<number, object>;
  /** Directories that more layers than one have: all their numbers, the uppermost first (and the key). */
  readonly #merged: Table<number, { readonly members: readonly number[] }>;
  /** The key in `merged` of the other members. */
  readonly #identity: Table<number, { readonly ino: number }>;

  constructor(store: Store, now: () => Time, layers: readonly FileSystem[], options: OverlayOptions) {
    const { name, maxBytes, maxInodes } = options;
    this.#layers = layers;
    this.#stride = layers.length + 1;
    this.#upper = new Ramfs(store, now, { name: `${name}:upper`, stride: this.#stride, maxBytes, maxInodes });
    this.#rows = openTables(store, `${name}:upper`);
    this.#owned = store.table(`${name}:owned`);
    this.#merged = store.table(`${name}:merged`);
    this.#identity = store.table(`${name}:identity`);
    this.root = this.#number(0, layers[0].root);
    if (layers.length > 1 && !this.#merged.has(this.root))
      this.#merge(layers.map((layer, i) => this.#number(i, layer.root)));
  }

  getattr(ino: number): Result<Attributes> {
    const row = this.#rows.inodes.get(ino);
    if (row !== undefined) return row;
    const origin = this.#origin(ino);
    if (origin === undefined) return ENOENT;
    const attributes = origin.fs.getattr(origin.ino);
    // Nobody can say how many folders there are in all of them without reading them.
    return attributes instanceof Errno || !this.#merged.has(ino) ? attributes : { ...attributes, nlink: 1 };
  }

  touch(ino: number, now: Time): void {
    if (this.#bring(ino) === undefined) this.#upper.touch(ino, now);
  }

  setattr(ino: number, change: AttributeChange): Result<void> {
    return this.#bring(ino) ?? this.#upper.setattr(ino, change);
  }

  lookup(directory: number, name: string): Result<number> {
    const origin = this.#origin(directory);
    if (origin === undefined) return this.#upper.lookup(directory, name);
    const merged = this.#merged.get(directory);
    return merged === undefined ? this.#lookupIn(origin, name) : this.#lookupMerged(merged.members, name);
  }

  parent(directory: number): Result<number> {
    if (directory === this.root) return directory;
    if (this.#rows.inodes.has(directory)) return this.#upper.parent(directory);
    const origin = this.#origin(directory);
    if (origin === undefined) return ENOENT;
    const parent = origin.fs.parent(origin.ino);
    return parent instanceof Errno ? parent : this.#known(this.#number(origin.layer, parent));
  }

  nameOf(directory: number, child: number): Result<string> {
    const origin = this.#origin(directory);
    if (origin === undefined) return this.#upper.nameOf(directory, child);
    const { fs, ino, layer } = this.#split(child);
    for (const { fs: layerFs, ino: member, layer: at } of this.#members(directory))
      if (fs === layerFs && layer === at) {
        const name = fs.nameOf(member, ino);
        if (!(name instanceof Errno)) return name;
      }
    return ENOENT;
  }

  create(directory: number, name: string, inode: NewInode): Result<number> {
    return this.#own(directory) ?? this.#upper.create(directory, name, inode);
  }

  link(directory: number, name: string, ino: number): Result<void> {
    return this.#own(directory) ?? this.#bring(ino) ?? this.#upper.link(directory, name, ino);
  }

  unlink(directory: number, name: string): Result<void> {
    return this.#ownChild(directory, name, false) ?? this.#upper.unlink(directory, name);
  }

  rmdir(directory: number, name: string): Result<void> {
    return this.#ownChild(directory, name, true) ?? this.#upper.rmdir(directory, name);
  }

  rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string, flags: number): Result<void> {
    const failed = this.#ownChild(fromDirectory, fromName, false) ?? this.#own(toDirectory);
    if (failed !== undefined) return failed;
    const inTheWay = this.#ownChild(toDirectory, toName, true);
    if (inTheWay !== undefined && inTheWay !== ENOENT) return inTheWay;
    return this.#upper.rename(fromDirectory, fromName, toDirectory, toName, flags);
  }

  readlink(ino: number, pid: number): Result<string> {
    if (this.#rows.inodes.has(ino)) return this.#upper.readlink(ino, pid);
    const origin = this.#origin(ino);
    return origin === undefined ? ENOENT : origin.fs.readlink(origin.ino, pid);
  }

  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void> {
    if (this.#origin(directory) === undefined) return this.#upper.readdir(directory, cookie, emit);
    const members = this.#members(directory);
    let going = true;
    for (let k = Math.floor(cookie / COOKIES); k < members.length && going; k++) {
      const { fs, ino, layer } = members[k];
      const above = members.slice(0, k);
      const result = fs.readdir(ino, Math.max(0, cookie - k * COOKIES), (entry) => {
        if (above.some((other) => !(other.fs.lookup(other.ino, entry.name) instanceof Errno))) return true;
        const number = this.#known(this.#number(layer, entry.ino));
        going = emit({ name: entry.name, ino: number, type: entry.type, cookie: k * COOKIES + entry.cookie });
        return going;
      });
      if (result instanceof Errno) return result;
    }
    return undefined;
  }

  read(ino: number, offset: number, into: Uint8Array): Result<number> {
    const origin = this.#origin(ino);
    return origin === undefined ? this.#upper.read(ino, offset, into) : origin.fs.read(origin.ino, offset, into);
  }

  write(ino: number, offset: number, bytes: Uint8Array): Result<number> {
    return this.#own(ino) ?? this.#upper.write(ino, offset, bytes);
  }

  truncate(ino: number, size: number): Result<void> {
    return this.#own(ino, size) ?? this.#upper.truncate(ino, size);
  }

  seek(ino: number, offset: number, data: boolean): Result<number> {
    const origin = this.#origin(ino);
    return origin === undefined ? this.#upper.seek(ino, offset, data) : origin.fs.seek(origin.ino, offset, data);
  }

  xattrs(ino: number): Result<ReadonlyMap<string, string>> {
    if (this.#rows.inodes.has(ino)) return this.#upper.xattrs(ino);
    const origin = this.#origin(ino);
    if (origin === undefined) return ENOENT;
    const named = origin.fs.xattrs?.(origin.ino);
    if (named !== undefined) return named;
    const attributes = origin.fs.getattr(origin.ino);
    return attributes instanceof Errno ? attributes : NO_XATTRS;
  }

  setXattr(ino: number, name: string, value: string | undefined): Result<void> {
    return this.#bring(ino) ?? this.#upper.setXattr(ino, name, value);
  }

  punch(ino: number, offset: number, length: number): Result<void> {
    return this.#own(ino) ?? this.#upper.punch(ino, offset, length);
  }

  sync(): Result<void> {
    return undefined;
  }

  statfs(): Result<SpaceUse> {
    const space = this.#upper.statfs();
    return space instanceof Errno ? space : { ...space, magic: OVERLAYFS_MAGIC };
  }

  forget(ino: number): void {
    const row = this.#rows.inodes.get(ino);
    if (row === undefined || row.nlink > 0) return;
    if (ino % this.#stride !== 0 && (!isRegular(row.mode) || !this.#owned.has(ino))) {
      // Its blocks are the layer's: ramfs must not count them as given back.
      this.#rows.inodes.edit(ino)!.blocks = 0;
      this.#owned.set(ino, {});
    }
    this.#upper.forget(ino);
  }

  destroy(): void {
    this.#upper.destroy();
    for (const table of [this.#owned, this.#merged, this.#identity])
      for (const key of [...table.keys()]) table.delete(key);
    for (const layer of this.#layers) layer.destroy();
  }

  #number(layer: number, ino: number): number {
    return ino * this.#stride + layer + 1;
  }

  #split(ino: number): { readonly fs: FileSystem | undefined; readonly ino: number; readonly layer: number } {
    const layer = (ino % this.#stride) - 1;
    return { fs: this.#layers[layer], ino: Math.floor(ino / this.#stride), layer };
  }

  /** Where contents (or list of names) of an inode are, if they are a layer's still. */
  #origin(ino: number): Origin | undefined {
    const layer = (ino % this.#stride) - 1;
    if (layer < 0 || this.#owned.has(ino)) return undefined;
    return { fs: this.#layers[layer], ino: Math.floor(ino / this.#stride), layer };
  }

  /** The directories of layers that a directory consists of. */
  #members(directory: number): readonly Origin[] {
    const members = this.#merged.get(directory)?.members ?? [directory];
    return members.map((member) => this.#split(member) as Origin);
  }

  /** The number by which a directory goes. */
  #known(ino: number): number {
    return this.#identity.size === 0 ? ino : (this.#identity.get(ino)?.ino ?? ino);
  }

  #merge(members: readonly number[]): void {
    this.#merged.set(members[0], { members });
    for (const member of members.slice(1)) this.#identity.set(member, { ino: members[0] });
  }

  #lookupIn({ fs, ino, layer }: Origin, name: string): Result<number> {
    const child = fs.lookup(ino, name);
    return child instanceof Errno ? child : this.#number(layer, child);
  }

  /** The uppermost layer's file counts; if it is a directory, those of the layers below join it, down to what is none. */
  #lookupMerged(members: readonly number[], name: string): Result<number> {
    const found: number[] = [];
    for (const member of members) {
      const origin = this.#split(member) as Origin;
      const child = origin.fs.lookup(origin.ino, name);
      if (child instanceof Errno) {
        if (child === ENOENT) continue;
        return child;
      }
      const attributes = origin.fs.getattr(child);
      if (attributes instanceof Errno) return attributes;
      if (!isDirectory(attributes.mode)) {
        if (found.length === 0) return this.#number(origin.layer, child);
        break;
      }
      found.push(this.#number(origin.layer, child));
    }
    if (found.length === 0) return ENOENT;
    if (found.length > 1 && !this.#merged.has(found[0])) this.#merge(found);
    return found[0];
  }

  /** Copies an inode's attributes up, if that has not been done. */
  #bring(ino: number): Errno | undefined {
    if (this.#rows.inodes.has(ino)) return undefined;
    const origin = this.#origin(ino);
    if (origin === undefined) return ENOENT;
    const attributes = this.getattr(ino);
    if (attributes instanceof Errno) return attributes;
    const target = isSymlink(attributes.mode) ? origin.fs.readlink(origin.ino, 0) : '';
    if (target instanceof Errno) return target;
    const parent = isDirectory(attributes.mode) ? this.parent(ino) : 0;
    if (parent instanceof Errno) return parent;
    const { btime = attributes.mtime } = attributes;
    const named = this.xattrs(ino);
    const xattrs = named instanceof Errno || named.size === 0 ? undefined : named;
    return this.#upper.adopt(ino, { ...attributes, btime, target, parent, cookie: 3, xattrs });
  }

  /**
   * Takes an inode over from its layer, contents and all: of a file no more than `size` bytes, of a directory the list. EIO if
   * the layer gives less than it said there was.
   */
  #own(ino: number, size = Number.POSITIVE_INFINITY): Errno | undefined {
    const origin = this.#origin(ino);
    if (origin === undefined) return undefined;
    const failed = this.#bring(ino);
    if (failed !== undefined) return failed;
    const { mode } = this.#rows.inodes.get(ino)!;
    if (isDirectory(mode)) return this.#ownList(ino);
    return isRegular(mode) ? this.#ownContents(ino, origin, size) : undefined;
  }

  #ownList(ino: number): Errno | undefined {
    let cookie = 2;
    let directories = 0;
    const entries: DirectoryEntry[] = [];
    const result = this.readdir(ino, 0, (entry) => {
      entries.push(entry);
      return true;
    });
    if (result instanceof Errno) return result;
    for (const entry of entries) {
      // In a directory of several layers the entry may be one too: it is merged when it is looked up.
      const child = entry.type === 4 ? this.lookup(ino, entry.name) : entry.ino;
      if (child instanceof Errno) continue;
      this.#rows.entries.set(`${ino}/${entry.name}`, { ino: child, cookie: entry.cookie });
      this.#rows.order.set(ino, entry.cookie, { name: entry.name, ino: child, type: entry.type });
      cookie = Math.max(cookie, entry.cookie);
      if (entry.type === 4) directories++;
    }
    const row = this.#rows.inodes.edit(ino)!;
    row.cookie = cookie + 1;
    row.nlink = 2 + directories;
    this.#owned.set(ino, {});
    return undefined;
  }

  #ownContents(ino: number, origin: Origin, size: number): Errno | undefined {
    const { size: whole, blocks, mtime, ctime, version } = this.#rows.inodes.get(ino)!;
    const wanted = Math.min(size, whole);
    const space = this.#upper.statfs();
    if (space instanceof Errno) return space;
    if (space.blocks !== 0 && Math.ceil(wanted / PAGE) > space.blocksFree) return ENOSPC;
    const row = this.#rows.inodes.edit(ino)!;
    row.size = 0;
    row.blocks = 0;
    const failed = this.#copyContents(ino, origin, wanted);
    const after = this.#rows.inodes.edit(ino)!;
    if (failed !== undefined) {
      // As before, so that the file is still the layer's.
      this.#upper.truncate(ino, 0);
      Object.assign(after, { size: whole, blocks, mtime, ctime, version });
      return failed;
    }
    Object.assign(after, { mtime, ctime, version });
    this.#owned.set(ino, {});
    return undefined;
  }

  #copyContents(ino: number, { fs, ino: from }: Origin, size: number): Errno | undefined {
    const piece = new Uint8Array(Math.min(PIECE, size));
    for (let at = 0; at < size; ) {
      const count = fs.read(from, at, piece.subarray(0, Math.min(piece.length, size - at)));
      if (count instanceof Errno) return count;
      if (count === 0) return EIO;
      const written = this.#upper.write(ino, at, piece.subarray(0, count));
      if (written instanceof Errno) return written;
      if (written < count) return ENOSPC;
      at += count;
    }
    return undefined;
  }

  /** Takes over a directory and the attributes of what it has under a name; with `list`, that one's own list too. */
  #ownChild(directory: number, name: string, list: boolean): Errno | undefined {
    const failed = this.#own(directory);
    if (failed !== undefined) return failed;
    const child = this.#upper.lookup(directory, name);
    if (child instanceof Errno) return child;
    const brought = this.#bring(child);
    if (brought !== undefined || !list) return brought;
    return isDirectory(this.#rows.inodes.get(child)!.mode) ? this.#own(child) : undefined;
  }
}
