/**
 * Writes a tree as a tar file (ustar with pax headers where they are needed), always the same bytes for the same tree:
 * names in order, no owner names. `writeTar` gives pieces to a sink; contents are copied from where the tree has them.
 */
import { Errno } from '../../abi/errno.ts';
import { isDirectory, isRegular, isSymlink, major, minor, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from '../../abi/stat.ts';
import { ArchiveError, BLOCK, fitsHeader, formatHeader } from './header.ts';
import { formatPax } from './pax.ts';
import type { FileTree, TreeNode } from './tree.ts';

export interface WriteOptions {
  /** Goes into a global header; no program that reads tar files minds it. */
  readonly comment?: string;
  /** No file is younger than this (seconds since the epoch). */
  readonly latest?: number;
}

export type Sink = (bytes: Uint8Array) => void;

const PIECE = 1 << 20;
const NOTHING = { mode: 0o644, uid: 0, gid: 0, mtime: 0, linkName: '', major: 0, minor: 0 };

const padding = (size: number): Uint8Array => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

const writeExtension = (
  sink: Sink,
  type: 'x' | 'g',
  records: Iterable<readonly [key: string, value: string]>,
): void => {
  const bytes = formatPax(records);
  sink(formatHeader({ ...NOTHING, name: type === 'x' ? './PaxHeaders' : './GlobalHead', type, size: bytes.length }));
  sink(bytes);
  sink(padding(bytes.length));
};

const typeOf = (node: TreeNode): string => {
  if (isDirectory(node.mode)) return '5';
  if (isSymlink(node.mode)) return '2';
  switch (node.mode & S_IFMT) {
    case S_IFCHR:
      return '3';
    case S_IFBLK:
      return '4';
    case S_IFIFO:
      return '6';
    default:
      return '0';
  }
};

const writeHeaders = (sink: Sink, name: string, node: TreeNode, link: string | undefined, latest: number): void => {
  const mtime = Math.min(node.mtime, latest);
  const type = link === undefined ? typeOf(node) : '1';
  const linkName = link ?? node.target;
  const size = type === '0' ? node.size : 0;
  const pax: [string, string][] = [];
  if (!fitsHeader.name(name)) pax.push(['path', name]);
  if (!fitsHeader.name(linkName)) pax.push(['linkpath', linkName]);
  if (!fitsHeader.size(size)) pax.push(['size', String(size)]);
  if (!fitsHeader.id(node.uid)) pax.push(['uid', String(node.uid)]);
  if (!fitsHeader.id(node.gid)) pax.push(['gid', String(node.gid)]);
  if (!fitsHeader.time(mtime)) pax.push(['mtime', String(mtime)]);
  if (link === undefined) for (const [key, value] of node.xattrs ?? []) pax.push([`SCHILY.xattr.${key}`, value]);
  if (pax.length > 0) writeExtension(sink, 'x', pax);
  const device = type === '3' || type === '4';
  sink(
    formatHeader({
      name,
      mode: node.mode & 0o7777,
      uid: node.uid,
      gid: node.gid,
      size,
      mtime,
      type,
      linkName,
      major: device ? major(node.rdev) : 0,
      minor: device ? minor(node.rdev) : 0,
    }),
  );
};

const writeContents = (sink: Sink, name: string, node: TreeNode): ArchiveError | undefined => {
  const { contents, size } = node;
  if (contents === undefined) return undefined;
  if ('bytes' in contents) sink(contents.bytes);
  else
    for (let at = 0; at < size; ) {
      const piece = new Uint8Array(Math.min(PIECE, size - at));
      const count = contents.file.read(contents.offset + at, piece);
      if (count instanceof Errno || count < piece.length)
        return new ArchiveError(
          `${name} cannot be read: ${count instanceof Errno ? count.text : 'its archive is too short'}`,
        );
      sink(piece);
      at += count;
    }
  sink(padding(size));
  return undefined;
};

/** Writes all of the tree. Returns what stopped it, if anything did. */
export const writeTar = (tree: FileTree, sink: Sink, options: WriteOptions = {}): ArchiveError | undefined => {
  const { comment, latest = Number.POSITIVE_INFINITY } = options;
  if (comment !== undefined) writeExtension(sink, 'g', [['comment', comment]]);
  const written = new Map<TreeNode, string>();
  // What is still to be written, the next one last: a tree may be deep, so no recursion.
  const left: [name: string, node: TreeNode][] = [['./', tree.root]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [name, node] = next;
    const first = written.get(node);
    writeHeaders(sink, name, node, first, latest);
    if (first !== undefined) continue;
    if (isRegular(node.mode)) {
      const failed = writeContents(sink, name, node);
      if (failed !== undefined) return failed;
    }
    if (node.children === undefined) {
      if (node.nlink > 1) written.set(node, name);
      continue;
    }
    const prefix = node === tree.root ? '' : name;
    const children = [...node.children].sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [child, below] of children) left.push([`${prefix}${child}${isDirectory(below.mode) ? '/' : ''}`, below]);
  }
  sink(new Uint8Array(2 * BLOCK));
  return undefined;
};
