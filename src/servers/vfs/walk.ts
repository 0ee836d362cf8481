/**
 * Path resolution: path_resolution(7). From a path to an inode, or to the directory in which a name is missing.
 *
 * Mounts are crossed in both directions, symbolic links followed (40 at most), search permission checked on every directory,
 * `..` stops at the process's root. What a path's last component means (missing, link, trailing slash) is the caller's to
 * judge: `walk` reports it.
 */
import { EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, Errno, EXDEV, type Result } from '../../abi/errno.ts';
import { AT_FDCWD, X_OK } from '../../abi/fcntl.ts';
import { isDirectory, isSymlink } from '../../abi/stat.ts';
import type { Attributes } from '../../fs/contract.ts';
import type { Actor } from './actor.ts';
import { openFileOf } from './files.ts';
import { cross, fileSystemOf, pointKey } from './mounts.ts';
import { permits } from './permission.ts';
import type { Place } from './rows.ts';
import type { Vfs } from './state.ts';

const PATH_MAX = 4096;
const NAME_MAX = 255;
const LINKS_MAX = 40;

/** Whether only slashes come behind this position. */
const isLast = (path: string, at: number): boolean => {
  while (at < path.length && path.charCodeAt(at) === 0x2f) at++;
  return at === path.length;
};

export interface Found {
  /** The inode; `ino` −1 if the last component does not exist. */
  readonly mount: number;
  readonly ino: number;
  /** Directory and name of the last component. */
  readonly parent: Place;
  readonly name: string;
  /** What kind the last component is: a name, `.`, `..`, the root, or a jump through a link of procfs. */
  readonly last: 'name' | 'dot' | 'dotdot' | 'root' | 'jump';
  /** The path ended in a slash: it must be a directory. */
  readonly slash: boolean;
  /** The open file that a jump led to (`/proc/self/fd/3`), else 0. */
  readonly file: number;
}

/** Limits that openat2(2) may set to a resolution (RESOLVE_*). */
export interface Restrictions {
  /** Other mounts are not entered: EXDEV. */
  readonly noXdev?: boolean;
  /** Links of procfs that are no mere text are not followed: ELOOP. */
  readonly noMagicLinks?: boolean;
  readonly noSymlinks?: boolean;
  /** Nothing outside the directory where the path starts: EXDEV. */
  readonly beneath?: boolean;
  /** That directory is the root. */
  readonly inRoot?: boolean;
}

const FREE: Restrictions = Object.freeze({});

/** Where a relative path starts. EBADF, ENOTDIR. */
export const startOf = (vfs: Vfs, actor: Actor, dirfd: number): Result<Place> => {
  const { process } = actor;
  if (dirfd === AT_FDCWD) return { mount: process.cwdMount, ino: process.cwdIno };
  const file = openFileOf(vfs, actor.pid, dirfd);
  if (file instanceof Errno) return EBADF;
  const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
  if (attributes instanceof Errno) return attributes;
  return isDirectory(attributes.mode) ? { mount: file.mount, ino: file.ino } : ENOTDIR;
};

/** The directory above, not beyond the actor's root. */
export const above = (vfs: Vfs, actor: Actor, place: Place, scope?: Place): Result<Place> => {
  let { mount, ino } = place;
  const rootMount = scope?.mount ?? actor.process.rootMount;
  const rootIno = scope?.ino ?? actor.process.rootIno;
  for (;;) {
    if (mount === rootMount && ino === rootIno) return { mount, ino };
    const row = vfs.mounts.get(mount)!;
    if (ino !== row.root) break;
    if (row.parent === 0) return { mount, ino };
    ino = row.point;
    mount = row.parent;
  }
  const parent = fileSystemOf(vfs, mount).parent(ino);
  return parent instanceof Errno ? parent : { mount, ino: parent };
};

/**
 * Resolves a path relative to `dirfd`. `follow`: whether a link as last component is followed; 'never' does not even if a slash
 * comes behind it, as calls do that make or remove the name.
 */
export const walk = (
  vfs: Vfs,
  actor: Actor,
  dirfd: number,
  path: string,
  follow: boolean | 'never',
  how: Restrictions = FREE,
): Result<Found> => {
  if (path.length >= PATH_MAX) return ENAMETOOLONG;
  if (path === '') return ENOENT;
  let { rootMount, rootIno } = actor.process;
  let mount = rootMount;
  let ino = rootIno;
  const absolute = path.charCodeAt(0) === 0x2f;
  if (absolute && how.beneath) return EXDEV;
  let scope: Place | undefined;
  if (!absolute || how.inRoot) {
    const start = startOf(vfs, actor, dirfd);
    if (start instanceof Errno) return start;
    mount = start.mount;
    ino = start.ino;
    if (how.beneath || how.inRoot) scope = start;
    if (how.inRoot) ({ mount: rootMount, ino: rootIno } = start);
  }
  let fs = fileSystemOf(vfs, mount);
  // Attributes of the present inode where the last step has read them.
  let here: Attributes | undefined;
  let parent: Place = { mount, ino };
  let name = '';
  let last: Found['last'] = 'root';
  let file = 0;
  let links = 0;
  let at = 0;
  for (;;) {
    const slashes = at;
    while (at < path.length && path.charCodeAt(at) === 0x2f) at++;
    if (at === path.length) return { mount, ino, parent, name, last, slash: at > slashes && last !== 'root', file };
    let end = path.indexOf('/', at);
    if (end < 0) end = path.length;
    const component = path.slice(at, end);
    at = end;

    const directory: Result<Attributes> = here ?? fs.getattr(ino);
    if (directory instanceof Errno) return directory;
    if (!isDirectory(directory.mode)) return ENOTDIR;
    if (!permits(actor, directory, X_OK)) return EACCES;
    if (component.length > NAME_MAX) return ENAMETOOLONG;
    file = 0;
    if (component === '.') {
      parent = { mount, ino };
      name = component;
      last = 'dot';
      continue;
    }
    if (component === '..') {
      parent = { mount, ino };
      name = component;
      last = 'dotdot';
      if (how.beneath && scope !== undefined && scope.mount === mount && scope.ino === ino) return EXDEV;
      const up = above(vfs, actor, parent, scope);
      if (up instanceof Errno) return up;
      if (how.noXdev && up.mount !== mount) return EXDEV;
      ({ mount, ino } = up);
      fs = fileSystemOf(vfs, mount);
      here = undefined;
      continue;
    }

    const child = fs.lookup(ino, component);
    if (child instanceof Errno) {
      if (child !== ENOENT) return child;
      if (!isLast(path, at)) return ENOENT;
      const slash = at < path.length;
      return { mount, ino: -1, parent: { mount, ino }, name: component, last: 'name', slash, file: 0 };
    }
    const attributes: Result<Attributes> = fs.getattr(child);
    if (attributes instanceof Errno) return attributes;
    if (
      isSymlink(attributes.mode) &&
      (follow === true || (at < path.length && !(follow === 'never' && isLast(path, at))))
    ) {
      if (++links > LINKS_MAX || how.noSymlinks) return ELOOP;
      const jump = fs.jump?.(child, actor.pid);
      if (jump instanceof Errno) return jump;
      if (jump !== undefined) {
        if (how.noMagicLinks) return ELOOP;
        if (scope !== undefined) return EXDEV;
        const before = mount;
        parent = { mount, ino };
        name = component;
        last = 'jump';
        if (jump.kind === 'inode') ({ mount, ino } = jump);
        else {
          const target = vfs.files.get(jump.file);
          if (target === undefined) return ENOENT;
          ({ mount, ino } = target);
          file = jump.file;
        }
        if (how.noXdev && mount !== before) return EXDEV;
        fs = fileSystemOf(vfs, mount);
        here = undefined;
        continue;
      }
      const target = fs.readlink(child, actor.pid);
      if (target instanceof Errno) return target;
      if (target === '') return ENOENT;
      path = at < path.length ? target + path.slice(at) : target;
      if (path.length >= PATH_MAX) return ENAMETOOLONG;
      at = 0;
      here = directory;
      if (target.charCodeAt(0) === 0x2f) {
        if (how.beneath || (how.noXdev && mount !== rootMount)) return EXDEV;
        mount = rootMount;
        ino = rootIno;
        fs = fileSystemOf(vfs, mount);
        here = undefined;
        parent = { mount, ino };
        name = '';
        last = 'root';
      }
      continue;
    }
    parent = { mount, ino };
    name = component;
    last = 'name';
    ino = child;
    here = attributes;
    if (isDirectory(attributes.mode) && vfs.mountPoints.has(pointKey(mount, ino))) {
      if (how.noXdev) return EXDEV;
      ({ mount, ino } = cross(vfs, { mount, ino }));
      fs = fileSystemOf(vfs, mount);
      here = undefined;
    }
  }
};

/** As `walk`, for calls that need the file to exist. ENOENT; ENOTDIR for a slash behind what is no directory. */
export const find = (
  vfs: Vfs,
  actor: Actor,
  dirfd: number,
  path: string,
  follow: boolean,
  how: Restrictions = FREE,
): Result<Found> => {
  const found = walk(vfs, actor, dirfd, path, follow, how);
  if (found instanceof Errno) return found;
  if (found.ino === -1) return ENOENT;
  if (found.slash) {
    const attributes = fileSystemOf(vfs, found.mount).getattr(found.ino);
    if (attributes instanceof Errno) return attributes;
    if (!isDirectory(attributes.mode)) return ENOTDIR;
  }
  return found;
};
