/**
 * A tar file as a file system that is only read: the index is in memory (tree.ts), contents come from the host's file when
 * they are asked for. `openTar` indexes; the tree may be shared by any number of instances, for it never changes.
 *
 * Inode numbers are positions in the tree. Cookies are places in the directory's list, from 3.
 */
import { EINVAL, ENOENT, ENOTDIR, ENXIO, EROFS, type Errno, type Result } from '../../abi/errno.ts';
import { SQUASHFS_MAGIC } from '../../abi/mount.ts';
import { isDirectory, isSymlink, type Time } from '../../abi/stat.ts';
import type { Attributes, DirectoryEntry, FileSystem, SpaceUse } from '../contract.ts';
import type { HostFile } from '../host/file.ts';
import { ArchiveError } from './header.ts';
import { FileTree, type TreeNode } from './tree.ts';

/** What a tar file is once it has been indexed. */
export interface TarImage {
  readonly tree: FileTree;
  /** The comment of its global header, '' if there is none. */
  readonly comment: string;
}

export const openTar = (file: HostFile): TarImage | ArchiveError => {
  const tree = new FileTree();
  const comment = tree.apply(file);
  if (comment instanceof ArchiveError) return comment;
  tree.number();
  return { tree, comment };
};

const BLOCK_SIZE = 4096;
const NO_XATTRS: ReadonlyMap<string, string> = new Map();

const timeOf = (seconds: number): Time => {
  const whole = Math.floor(seconds);
  return { seconds: whole, nanoseconds: Math.min(999_999_999, Math.round((seconds - whole) * 1e9)) };
};

export class TarFs implements FileSystem {
  readonly type = 'tarfs';
  readonly root = 1;
  readonly blockSize = BLOCK_SIZE;
  readonly #tree: FileTree;
  /** Listings of directories that were read: names in order. */
  readonly #lists = new Map<number, readonly string[]>();

  constructor(tree: FileTree) {
    this.#tree = tree;
  }

  getattr(ino: number): Result<Attributes> {
    const node = this.#node(ino);
    if (node === undefined) return ENOENT;
    const { mode, nlink, uid, gid, rdev } = node;
    const size = isDirectory(mode) ? BLOCK_SIZE : node.size;
    const blocks = isSymlink(mode) ? 0 : Math.ceil(size / BLOCK_SIZE) * (BLOCK_SIZE / 512);
    const time = timeOf(node.mtime);
    return { mode, nlink, uid, gid, rdev, size, blocks, atime: time, mtime: time, ctime: time, version: 1 };
  }

  touch(): void {}

  setattr(): Errno {
    return EROFS;
  }

  lookup(directory: number, name: string): Result<number> {
    const node = this.#node(directory);
    if (node === undefined) return ENOENT;
    if (node.children === undefined) return ENOTDIR;
    return node.children.get(name)?.ino ?? ENOENT;
  }

  parent(directory: number): Result<number> {
    const node = this.#node(directory);
    if (node === undefined) return ENOENT;
    return node.parent?.ino ?? ENOTDIR;
  }

  nameOf(directory: number, child: number): Result<string> {
    for (const [name, node] of this.#node(directory)?.children ?? []) if (node.ino === child) return name;
    return ENOENT;
  }

  create(): Errno {
    return EROFS;
  }
  link(): Errno {
    return EROFS;
  }
  unlink(): Errno {
    return EROFS;
  }
  rmdir(): Errno {
    return EROFS;
  }
  rename(): Errno {
    return EROFS;
  }

  readlink(ino: number): Result<string> {
    const node = this.#node(ino);
    if (node === undefined) return ENOENT;
    return isSymlink(node.mode) ? node.target : EINVAL;
  }

  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void> {
    const children = this.#node(directory)?.children;
    if (children === undefined) return ENOTDIR;
    let names = this.#lists.get(directory);
    if (names === undefined) {
      names = [...children.keys()];
      this.#lists.set(directory, names);
    }
    for (let i = Math.max(0, cookie - 2); i < names.length; i++) {
      const { ino, mode } = children.get(names[i])!;
      if (!emit({ name: names[i], ino, type: mode >>> 12, cookie: i + 3 })) break;
    }
    return undefined;
  }

  read(ino: number, offset: number, into: Uint8Array): Result<number> {
    const node = this.#node(ino);
    if (node === undefined) return ENOENT;
    const { contents, size } = node;
    if (contents === undefined || offset >= size) return 0;
    const wanted = Math.min(into.length, size - offset);
    const part = wanted === into.length ? into : into.subarray(0, wanted);
    if ('file' in contents) return contents.file.read(contents.offset + offset, part);
    part.set(contents.bytes.subarray(offset, offset + wanted));
    return wanted;
  }

  write(): Errno {
    return EROFS;
  }
  truncate(): Errno {
    return EROFS;
  }

  /** All is data. */
  seek(ino: number, offset: number, data: boolean): Result<number> {
    const node = this.#node(ino);
    if (node === undefined) return ENOENT;
    if (offset >= node.size) return ENXIO;
    return data ? offset : node.size;
  }

  xattrs(ino: number): Result<ReadonlyMap<string, string>> {
    const node = this.#node(ino);
    return node === undefined ? ENOENT : (node.xattrs ?? NO_XATTRS);
  }

  punch(): Errno {
    return EROFS;
  }
  sync(): Result<void> {
    return undefined;
  }

  statfs(): Result<SpaceUse> {
    const files = this.#tree.nodes.length;
    return {
      magic: SQUASHFS_MAGIC,
      blockSize: BLOCK_SIZE,
      blocks: 0,
      blocksFree: 0,
      files,
      filesFree: 0,
      nameLength: 255,
    };
  }

  forget(): void {}
  destroy(): void {}

  #node(ino: number): TreeNode | undefined {
    return this.#tree.nodes[ino - 1];
  }
}
