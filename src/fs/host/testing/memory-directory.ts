/** A host directory in memory, for tests: it follows no links and refuses what a real one would. */
import * as e from '../../../abi/errno.ts';
import { isDirectory, isSymlink, S_IFDIR, S_IFLNK, S_IFREG, type Time } from '../../../abi/stat.ts';
import type { HostDirectory, HostStat } from '../directory.ts';

interface Node {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  data: Uint8Array;
  target: string;
  children: Map<string, Node>;
  atime: Time;
  mtime: Time;
  ctime: Time;
  readonly identity: string;
}

const parts = (path: string): string[] => (path === '' ? [] : path.split('/'));

export class MemoryDirectory implements HostDirectory {
  readOnly = false;
  /** Every path that was asked for, to show that none leads out. */
  readonly asked: string[] = [];
  readonly #now: () => Time;
  #count = 0;
  readonly root: Node;

  constructor(now: () => Time) {
    this.#now = now;
    this.root = this.#node(S_IFDIR | 0o755);
  }

  stat(path: string): HostStat | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    const { mode, uid, gid, nlink, atime, mtime, ctime, identity } = node;
    const size = isSymlink(mode) ? node.target.length : node.data.length;
    const directories = [...node.children.values()].filter((child) => isDirectory(child.mode)).length;
    const links = isDirectory(mode) ? 2 + directories : nlink;
    const blocks = Math.ceil(size / 512);
    return { mode, uid, gid, nlink: links, rdev: 0, size, blocks, atime, mtime, ctime, identity };
  }

  readdir(path: string): readonly string[] | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    return isDirectory(node.mode) ? [...node.children.keys()] : e.ENOTDIR;
  }

  readlink(path: string): string | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    return isSymlink(node.mode) ? node.target : e.EINVAL;
  }

  read(path: string, offset: number, into: Uint8Array): number | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    const piece = node.data.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  }

  write(path: string, offset: number, bytes: Uint8Array): number | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    if (offset + bytes.length > node.data.length) this.#resize(node, offset + bytes.length);
    node.data.set(bytes, offset);
    node.mtime = this.#now();
    return bytes.length;
  }

  truncate(path: string, size: number): undefined | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    this.#resize(node, size);
    node.mtime = this.#now();
  }

  create(path: string, mode: number): undefined | e.Errno {
    return this.#add(path, this.#node(S_IFREG | mode));
  }

  mkdir(path: string, mode: number): undefined | e.Errno {
    return this.#add(path, this.#node(S_IFDIR | mode));
  }

  symlink(target: string, path: string): undefined | e.Errno {
    const node = this.#node(S_IFLNK | 0o777);
    node.target = target;
    return this.#add(path, node);
  }

  link(existing: string, path: string): undefined | e.Errno {
    const node = this.#find(existing);
    if (node instanceof e.Errno) return node;
    const added = this.#add(path, node);
    if (added === undefined) node.nlink++;
    return added;
  }

  unlink(path: string): undefined | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    node.nlink--;
    this.#remove(path);
  }

  rmdir(path: string): undefined | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    if (node.children.size > 0) return e.ENOTEMPTY;
    this.#remove(path);
  }

  rename(from: string, to: string): undefined | e.Errno {
    const node = this.#find(from);
    if (node instanceof e.Errno) return node;
    const other = this.#find(to);
    if (!(other instanceof e.Errno)) {
      if (other.children.size > 0) return e.ENOTEMPTY;
      this.#remove(to);
    }
    this.#remove(from);
    return this.#add(to, node);
  }

  chmod(path: string, mode: number): undefined | e.Errno {
    return this.#change(path, (node) => {
      node.mode = (node.mode & 0o170000) | mode;
    });
  }

  chown(path: string, uid: number, gid: number): undefined | e.Errno {
    return this.#change(path, (node) => {
      node.uid = uid;
      node.gid = gid;
    });
  }

  utimes(path: string, atime: Time, mtime: Time): undefined | e.Errno {
    return this.#change(path, (node) => {
      node.atime = atime;
      node.mtime = mtime;
    });
  }

  statfs(): { blockSize: number; blocks: number; blocksFree: number; files: number; filesFree: number } {
    return { blockSize: 4096, blocks: 100, blocksFree: 50, files: 10, filesFree: 5 };
  }

  sync(): undefined {}

  #node(mode: number): Node {
    const time = this.#now();
    return {
      mode,
      uid: 1000,
      gid: 100,
      nlink: 1,
      data: new Uint8Array(0),
      target: '',
      children: new Map(),
      atime: time,
      mtime: time,
      ctime: time,
      identity: `1:${++this.#count}`,
    };
  }

  #find(path: string): Node | e.Errno {
    this.asked.push(path);
    let node: Node = this.root;
    for (const part of parts(path)) {
      if (!isDirectory(node.mode)) return e.ENOTDIR;
      const child = node.children.get(part);
      if (child === undefined) return e.ENOENT;
      node = child;
    }
    return node;
  }

  #parent(path: string): [Node, string] | e.Errno {
    const names = parts(path);
    const name = names.pop()!;
    const node = this.#find(names.join('/'));
    if (node instanceof e.Errno) return node;
    return isDirectory(node.mode) ? [node, name] : e.ENOTDIR;
  }

  #add(path: string, node: Node): undefined | e.Errno {
    const place = this.#parent(path);
    if (place instanceof e.Errno) return place;
    const [parent, name] = place;
    if (parent.children.has(name)) return e.EEXIST;
    parent.children.set(name, node);
    parent.mtime = this.#now();
  }

  #remove(path: string): void {
    const place = this.#parent(path);
    if (place instanceof e.Errno) return;
    place[0].children.delete(place[1]);
    place[0].mtime = this.#now();
  }

  #change(path: string, change: (node: Node) => void): undefined | e.Errno {
    const node = this.#find(path);
    if (node instanceof e.Errno) return node;
    change(node);
    node.ctime = this.#now();
  }

  #resize(node: Node, size: number): void {
    const data = new Uint8Array(size);
    data.set(node.data.subarray(0, size));
    node.data = data;
  }
}
