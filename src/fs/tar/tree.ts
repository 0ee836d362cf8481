/**
 * A tree of files whose contents lie in archives: what tar images are indexed into (tarfs.ts) and what new ones are put
 * together from (writer.ts). `FileTree.apply` adds the members of an archive, by the rules of `ApplyOptions`; `add` one file.
 *
 * Names are resolved inside the tree as chroot(2) would: absolute links start at its root, `..` stops there. Nothing of the
 * host is touched. An archive with `..` in a member's name, with links to what is not there, or larger than the limits is
 * refused. Layers follow the OCI image specification, "Image Layer Filesystem Changeset".
 */
import {
  isDirectory,
  isSymlink,
  makedev,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
} from '../../abi/stat.ts';
import type { HostFile } from '../host/file.ts';
import { ArchiveError } from './header.ts';
import { type Member, readMembers } from './reader.ts';

/** Where a regular file's contents are. */
export type Contents = { readonly file: HostFile; readonly offset: number } | { readonly bytes: Uint8Array };

export interface TreeNode {
  /** Position in `FileTree.nodes` plus one, once `number` has run. */
  ino: number;
  /** As st_mode. */
  mode: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  /** Seconds since the epoch, with a fraction. */
  mtime: number;
  nlink: number;
  readonly target: string;
  readonly contents?: Contents;
  xattrs?: ReadonlyMap<string, string>;
  /** Directories only. */
  readonly children?: Map<string, TreeNode>;
  /** Directories: who holds them; the root itself. */
  parent?: TreeNode;
  /** The archive that said of it last. */
  layer: number;
}

/** What a new file is like; the rest is zero. */
export type NewNode = Pick<TreeNode, 'mode'> &
  Partial<Pick<TreeNode, 'uid' | 'gid' | 'mtime'>> & {
    readonly target?: string;
    readonly bytes?: Uint8Array;
  };

export interface ApplyOptions {
  /** The archive is a layer over what is there: whiteouts (`.wh.NAME`, `.wh..wh..opq`) count, and anything replaces anything. */
  readonly layer?: boolean;
  /** A folder's member leaves a symbolic link to a folder in its place, and a link's a folder (as dpkg does). */
  readonly keepLinks?: boolean;
}

/** Limits of a tree: what an index in memory may take. */
const NODES_MAX = 4_000_000;
const NAMES_MAX = 1 << 29;
const PATH_MAX = 4096;
const NAME_MAX = 255;
const LINKS_MAX = 40;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

const types: Readonly<Record<string, number>> = {
  '0': S_IFREG,
  '2': S_IFLNK,
  '3': S_IFCHR,
  '4': S_IFBLK,
  '5': S_IFDIR,
  '6': S_IFIFO,
};

/** The components of a member's name; `.` is left out. */
const split = (name: string): string[] | ArchiveError => {
  const bad = (why: string): ArchiveError => new ArchiveError(`the name ${JSON.stringify(name.slice(0, 80))} ${why}`);
  if (name.length > PATH_MAX) return bad('is too long');
  if (name.includes('\0')) return bad('has a zero byte in it');
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') return bad('has .. in it');
    if (part.length > NAME_MAX) return bad('has a component of more than 255 bytes');
    parts.push(part);
  }
  return parts;
};

export class FileTree {
  readonly root: TreeNode;
  /** All files by inode number minus one, after `number`. */
  nodes: readonly TreeNode[] = [];
  #count = 1;
  #nameBytes = 0;
  #layer = 0;

  constructor() {
    this.root = this.#node(S_IFDIR | 0o755, { mode: 0 });
    this.root.parent = this.root;
    this.root.nlink = 2;
  }

  /** Adds the members of an archive. Returns the archive's comment, or why it is refused; then the tree is of no use. */
  apply(file: HostFile, options: ApplyOptions = {}): string | ArchiveError {
    this.#layer++;
    return readMembers(file, (member) => this.#member(file, member, options));
  }

  /** Adds one file; a directory that is there takes the new attributes, another file is replaced. Parents are made. */
  add(path: string, node: NewNode): TreeNode | ArchiveError {
    const parts = split(path);
    if (parts instanceof ArchiveError) return parts;
    const name = parts.pop();
    const made = this.#node(node.mode, node);
    if (name === undefined) return this.#describe(this.root, made);
    const directory = this.#directory(parts);
    if (directory instanceof ArchiveError) return directory;
    return this.#enter(directory, name, made, { layer: true, keepLinks: true });
  }

  /** The file of a path, links followed unless it is the last component and `follow` says no. */
  find(path: string, follow = true): TreeNode | undefined {
    const found = this.#walk(this.root, path.split('/'), follow, false);
    return found instanceof ArchiveError ? undefined : found;
  }

  /** Gives every file its number, the root 1. */
  number(): void {
    const nodes: TreeNode[] = [this.root];
    this.root.ino = 1;
    const seen = new Set<TreeNode>(nodes);
    for (let i = 0; i < nodes.length; i++)
      for (const child of nodes[i].children?.values() ?? []) {
        if (seen.has(child)) continue;
        if (child.nlink > 1) seen.add(child);
        nodes.push(child);
        child.ino = nodes.length;
      }
    this.nodes = nodes;
  }

  #node(mode: number, rest: NewNode): TreeNode {
    return {
      ino: 0,
      mode,
      uid: rest.uid ?? 0,
      gid: rest.gid ?? 0,
      rdev: 0,
      size: isSymlink(mode) ? (rest.target ?? '').length : (rest.bytes?.length ?? 0),
      mtime: rest.mtime ?? 0,
      nlink: 0,
      target: rest.target ?? '',
      contents: rest.bytes === undefined ? undefined : { bytes: rest.bytes },
      children: isDirectory(mode) ? new Map() : undefined,
      layer: this.#layer,
    };
  }

  #member(file: HostFile, member: Member, options: ApplyOptions): ArchiveError | undefined {
    const parts = split(member.name);
    if (parts instanceof ArchiveError) return parts;
    const name = parts.pop();
    if (name === undefined) {
      if (member.type !== '5') return new ArchiveError('a member that is no folder has no name');
      this.#describe(this.root, this.#fromMember(file, member));
      return undefined;
    }
    const directory = this.#directory(parts);
    if (directory instanceof ArchiveError) return directory;
    if (options.layer) {
      // Folders that have something of this layer are its own too, though it need not say so.
      for (let at = directory; at.layer !== this.#layer; at = at.parent!) at.layer = this.#layer;
      if (name.startsWith(WHITEOUT)) return this.#whiteout(directory, name);
    }
    if (member.type === '1') return this.#link(directory, name, member, options);
    const entered = this.#enter(directory, name, this.#fromMember(file, member), options);
    return entered instanceof ArchiveError ? entered : undefined;
  }

  #fromMember(file: HostFile, member: Member): TreeNode {
    const { type, uid, gid, size, mtime, linkName, major, minor, offset, xattrs } = member;
    const mode = types[type] | (type === '2' ? 0o777 : member.mode);
    return {
      ino: 0,
      mode,
      uid,
      gid,
      rdev: type === '3' || type === '4' ? makedev(major, minor) : 0,
      size: type === '2' ? linkName.length : size,
      mtime,
      nlink: 0,
      target: type === '2' ? linkName : '',
      contents: type === '0' ? { file, offset } : undefined,
      xattrs,
      children: type === '5' ? new Map() : undefined,
      layer: this.#layer,
    };
  }

  #link(directory: TreeNode, name: string, member: Member, options: ApplyOptions): ArchiveError | undefined {
    const parts = split(member.linkName);
    if (parts instanceof ArchiveError) return parts;
    const target = this.#walk(this.root, parts, false, false);
    const what = `${member.name} is a hard link to ${member.linkName}, which`;
    if (target === undefined || target instanceof ArchiveError) return new ArchiveError(`${what} is not there`);
    if (isDirectory(target.mode)) return new ArchiveError(`${what} is a folder`);
    // A link to itself, as some writers make of a file that is given twice.
    if (directory.children!.get(name) === target) return undefined;
    const entered = this.#enter(directory, name, target, options);
    return entered instanceof ArchiveError ? entered : undefined;
  }

  /** Puts a node under a name, in place of what is there. */
  #enter(directory: TreeNode, name: string, node: TreeNode, options: ApplyOptions): TreeNode | ArchiveError {
    const children = directory.children!;
    const there = children.get(name);
    if (there !== undefined) {
      if (isDirectory(node.mode)) {
        if (isDirectory(there.mode)) return this.#describe(there, node);
        if (isSymlink(there.mode) && options.keepLinks) {
          const behind = this.#walk(directory, [name], true, false);
          if (behind !== undefined && !(behind instanceof ArchiveError) && isDirectory(behind.mode)) return behind;
        }
      } else if (isDirectory(there.mode) && isSymlink(node.mode) && options.keepLinks && there.children!.size > 0) {
        return there;
      } else if (isDirectory(there.mode) && !options.layer && there.children!.size > 0)
        return new ArchiveError(`${name} is a folder with files in it and something else as well`);
      this.#remove(directory, name);
    }
    this.#count++;
    this.#nameBytes += name.length + node.target.length;
    if (this.#count > NODES_MAX || this.#nameBytes > NAMES_MAX) return new ArchiveError('it has too many files');
    children.set(name, node);
    if (isDirectory(node.mode)) {
      node.nlink = 2;
      node.parent = directory;
      directory.nlink++;
    } else node.nlink++;
    return node;
  }

  /** Gives a directory the attributes of another node. */
  #describe(node: TreeNode, from: TreeNode): TreeNode {
    node.mode = S_IFDIR | (from.mode & 0o7777);
    node.uid = from.uid;
    node.gid = from.gid;
    node.mtime = from.mtime;
    node.xattrs = from.xattrs;
    node.layer = from.layer;
    return node;
  }

  #remove(directory: TreeNode, name: string): void {
    const node = directory.children!.get(name)!;
    directory.children!.delete(name);
    if (!isDirectory(node.mode)) {
      node.nlink--;
      return;
    }
    directory.nlink--;
    // Links from below to files elsewhere count off; a tree may be deep, so no recursion.
    const left: TreeNode[] = [node];
    for (let at = left.pop(); at !== undefined; at = left.pop())
      for (const child of at.children!.values()) {
        if (isDirectory(child.mode)) left.push(child);
        else child.nlink--;
      }
  }

  #whiteout(directory: TreeNode, name: string): ArchiveError | undefined {
    if (name === OPAQUE) {
      for (const [child, node] of [...directory.children!]) this.#hide(directory, child, node);
      return undefined;
    }
    const hidden = name.slice(WHITEOUT.length);
    const node = directory.children!.get(hidden);
    if (node !== undefined) this.#hide(directory, hidden, node);
    return undefined;
  }

  /** Removes what lower layers brought: what this layer has itself added stays. */
  #hide(directory: TreeNode, name: string, node: TreeNode): void {
    if (node.layer !== this.#layer) {
      this.#remove(directory, name);
      return;
    }
    if (!isDirectory(node.mode)) return;
    const left: TreeNode[] = [node];
    for (let at = left.pop(); at !== undefined; at = left.pop())
      for (const [child, below] of [...at.children!]) {
        if (below.layer !== this.#layer) this.#remove(at, child);
        else if (isDirectory(below.mode)) left.push(below);
      }
  }

  /** The directory of these components; those that are missing are made. */
  #directory(parts: readonly string[]): TreeNode | ArchiveError {
    // The usual case first: directories that are there.
    let node = this.root;
    for (const part of parts) {
      const next = node.children?.get(part);
      if (next === undefined || !isDirectory(next.mode)) {
        const found = this.#walk(this.root, parts, true, true);
        if (found === undefined || found instanceof ArchiveError)
          return found ?? new ArchiveError('a folder is missing');
        return isDirectory(found.mode) ? found : new ArchiveError(`${parts.join('/')} is no folder`);
      }
      node = next;
    }
    return node;
  }

  #walk(
    start: TreeNode,
    parts: readonly string[],
    follow: boolean,
    make: boolean,
  ): TreeNode | ArchiveError | undefined {
    const left = [...parts].reverse();
    let node = start;
    let links = 0;
    while (left.length > 0) {
      const part = left.pop()!;
      if (part === '' || part === '.') continue;
      if (!isDirectory(node.mode))
        return make ? new ArchiveError(`${parts.join('/')} leads through a file`) : undefined;
      if (part === '..') {
        node = node.parent!;
        continue;
      }
      let next: TreeNode | ArchiveError | undefined = node.children!.get(part);
      if (next === undefined) {
        if (!make) return undefined;
        next = this.#enter(node, part, this.#node(S_IFDIR | 0o755, { mode: 0 }), {});
        if (next instanceof ArchiveError) return next;
      } else if (isSymlink(next.mode) && (follow || left.length > 0)) {
        if (++links > LINKS_MAX || left.length > PATH_MAX)
          return new ArchiveError(`${parts.join('/')} has a loop of links`);
        left.push(...next.target.split('/').reverse());
        if (next.target.startsWith('/')) node = this.root;
        continue;
      }
      node = next;
    }
    return node;
  }
}
