/** Calls that add, remove and move names: mkdir, mknod, link, symlink, unlink, rmdir, rename and their *at forms, readlink. */
import { CAP_DAC_READ_SEARCH, CAP_MKNOD } from '../../../abi/credentials.ts';
import {
  EACCES,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  Errno,
  EXDEV,
  type Result,
} from '../../../abi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  R_OK,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  W_OK,
  X_OK,
} from '../../../abi/fcntl.ts';
import { IN_ATTRIB, IN_CREATE, IN_DELETE } from '../../../abi/inotify.ts';
import {
  isDirectory,
  isRegular,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
} from '../../../abi/stat.ts';
import type { Attributes } from '../../../fs/contract.ts';
import { type Actor, actorOf } from '../actor.ts';
import { notifyEntry, notifyInode, notifyMove } from '../events/notify.ts';
import { openFileOf } from '../files.ts';
import { forgetIfFree } from '../inodes.ts';
import { fileSystemOf, isReadOnly, objectOf, pointKey } from '../mounts.ts';
import { createIn } from '../open.ts';
import { done } from '../outcome.ts';
import { capable, mayRemoveFrom, owns, permits } from '../permission.ts';
import type { Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { type Found, find, walk } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';
import { placeOf } from './stat.ts';

/** Where something new shall go. EEXIST if there is something, ENOENT for a slash behind what is to be no directory. */
const newName = (vfs: Vfs, actor: Actor, dirfd: number, path: string, directory: boolean): Result<Found> => {
  const found = walk(vfs, actor, dirfd, path, 'never');
  if (found instanceof Errno) return found;
  if (found.ino !== -1) return EEXIST;
  return found.slash && !directory ? ENOENT : found;
};

const attributesOf = (vfs: Vfs, place: Place): Result<Attributes> => fileSystemOf(vfs, place.mount).getattr(place.ino);

/** Whether the directory stands for a mount, which can be neither removed nor moved. */
const isMountPoint = (vfs: Vfs, parent: Place, found: Found): boolean =>
  found.mount !== parent.mount || vfs.mountPoints.has(pointKey(found.mount, found.ino));

/** Checks that a name may be taken out of its directory. */
const mayRemove = (vfs: Vfs, actor: Actor, found: Found): Result<Attributes> => {
  const directory = attributesOf(vfs, found.parent);
  if (directory instanceof Errno) return directory;
  const attributes = attributesOf(vfs, found);
  if (attributes instanceof Errno) return attributes;
  if (!permits(actor, directory, W_OK | X_OK)) return EACCES;
  if (!mayRemoveFrom(actor, directory, attributes)) return EPERM;
  return attributes;
};

/** unlink(2). */
export const unlinkName = (vfs: Vfs, actor: Actor, dirfd: number, path: string): Errno | typeof done => {
  const found = walk(vfs, actor, dirfd, path, 'never');
  if (found instanceof Errno) return found;
  if (found.last !== 'name') return EISDIR;
  if (isReadOnly(vfs, found.parent.mount)) return EROFS;
  if (found.ino === -1) return ENOENT;
  const attributes = mayRemove(vfs, actor, found);
  if (attributes instanceof Errno) return attributes;
  if (isDirectory(attributes.mode)) return EISDIR;
  if (found.slash) return ENOTDIR;
  const result = fileSystemOf(vfs, found.parent.mount).unlink(found.parent.ino, found.name);
  if (result instanceof Errno) return result;
  notifyInode(vfs, found, IN_ATTRIB);
  forgetIfFree(vfs, found);
  notifyEntry(vfs, found.parent, found.name, IN_DELETE, false);
  return done;
};

const removeDirectory = (vfs: Vfs, actor: Actor, dirfd: number, path: string): Errno | typeof done => {
  const found = walk(vfs, actor, dirfd, path, 'never');
  if (found instanceof Errno) return found;
  if (found.last === 'dot') return EINVAL;
  if (found.last === 'dotdot') return ENOTEMPTY;
  if (found.last !== 'name') return EBUSY;
  if (isReadOnly(vfs, found.parent.mount)) return EROFS;
  if (found.ino === -1) return ENOENT;
  if (isMountPoint(vfs, found.parent, found)) return EBUSY;
  const attributes = mayRemove(vfs, actor, found);
  if (attributes instanceof Errno) return attributes;
  if (!isDirectory(attributes.mode)) return ENOTDIR;
  const { rootMount, rootIno } = actor.process;
  if (found.mount === rootMount && found.ino === rootIno) return EBUSY;
  const result = fileSystemOf(vfs, found.parent.mount).rmdir(found.parent.ino, found.name);
  if (result instanceof Errno) return result;
  forgetIfFree(vfs, found);
  notifyEntry(vfs, found.parent, found.name, IN_DELETE, true);
  return done;
};

/** Whether `ino` is the directory or lies above it, within one file system. */
const isAbove = (vfs: Vfs, mount: number, ino: number, directory: number): boolean => {
  const fs = fileSystemOf(vfs, mount);
  for (let at = directory; ; ) {
    if (at === ino) return true;
    if (at === fs.root) return false;
    const parent = fs.parent(at);
    if (parent instanceof Errno) return false;
    at = parent;
  }
};

/** A directory that moves to another parent gets another `..`: that needs write permission on it. */
const mayMove = (actor: Actor, attributes: Attributes, from: Place, to: Place): boolean =>
  !isDirectory(attributes.mode) || from.ino === to.ino || permits(actor, attributes, W_OK);

const renameName = (vfs: Vfs, actor: Actor, from: Found, to: Found, flags: number): Errno | typeof done => {
  if (from.parent.mount !== to.parent.mount) return EXDEV;
  if (from.last !== 'name') return EBUSY;
  if (to.last !== 'name') return flags & RENAME_NOREPLACE ? EEXIST : EBUSY;
  const { mount } = from.parent;
  if (isReadOnly(vfs, mount)) return EROFS;
  if (from.ino === -1) return ENOENT;
  const exists = to.ino !== -1;
  if (exists && flags & RENAME_NOREPLACE) return EEXIST;
  if (!exists && flags & RENAME_EXCHANGE) return ENOENT;
  const fs = fileSystemOf(vfs, mount);
  const attributes = attributesOf(vfs, from);
  if (attributes instanceof Errno) return attributes;
  if (!isDirectory(attributes.mode) && (from.slash || to.slash)) return ENOTDIR;
  // What stands for a mount has the inode of another file system; it is refused below.
  if (from.mount === mount && isDirectory(attributes.mode) && isAbove(vfs, mount, from.ino, to.parent.ino))
    return EINVAL;
  if (exists && to.mount === mount && isAbove(vfs, mount, to.ino, from.parent.ino))
    return flags & RENAME_EXCHANGE ? EINVAL : ENOTEMPTY;
  const movable = mayRemove(vfs, actor, from);
  if (movable instanceof Errno) return movable;
  if (!mayMove(actor, attributes, from.parent, to.parent)) return EACCES;
  if (exists) {
    if (from.mount === to.mount && from.ino === to.ino) return done;
    const other = mayRemove(vfs, actor, to);
    if (other instanceof Errno) return other;
    if (flags & RENAME_EXCHANGE && !mayMove(actor, other, to.parent, from.parent)) return EACCES;
    if (!(flags & RENAME_EXCHANGE)) {
      if (isDirectory(other.mode) && !isDirectory(attributes.mode)) return EISDIR;
      if (!isDirectory(other.mode) && isDirectory(attributes.mode)) return ENOTDIR;
    }
    if (isMountPoint(vfs, to.parent, to)) return EBUSY;
  } else {
    const directory = attributesOf(vfs, to.parent);
    if (directory instanceof Errno) return directory;
    if (!permits(actor, directory, W_OK | X_OK)) return EACCES;
  }
  if (isMountPoint(vfs, from.parent, from)) return EBUSY;
  const result = fs.rename(from.parent.ino, from.name, to.parent.ino, to.name, flags & ~RENAME_WHITEOUT);
  if (result instanceof Errno) return result;
  if (flags & RENAME_WHITEOUT) {
    // What an overlay takes for "there is nothing": a device 0:0, left where the file was.
    const left = createIn(vfs, actor, from.parent, from.name, S_IFCHR, { rdev: 0 });
    if (left instanceof Errno) return left;
  }
  const source = { directory: from.parent, name: from.name };
  const target = { directory: to.parent, name: to.name };
  const replaced = exists && !(flags & RENAME_EXCHANGE) ? to : undefined;
  notifyMove(vfs, source, target, from, isDirectory(attributes.mode), replaced);
  if (flags & RENAME_EXCHANGE) {
    const other = attributesOf(vfs, to);
    notifyMove(vfs, target, source, to, !(other instanceof Errno) && isDirectory(other.mode));
  }
  if (replaced !== undefined) forgetIfFree(vfs, to);
  return done;
};

/** protected_hardlinks: nobody may link to files that are not theirs unless they are harmless and writable. */
const mayLink = (actor: Actor, attributes: Attributes): boolean => {
  if (owns(actor, attributes)) return true;
  const { mode } = attributes;
  if (!isRegular(mode) || mode & S_ISUID || (mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010)) return false;
  return permits(actor, attributes, R_OK | W_OK);
};

export const names = (
  vfs: Vfs,
): CallsOf<'mkdir' | 'mknod' | 'link' | 'symlink' | 'readlink' | 'unlink' | 'rename'> => ({
  mkdir: ({ dirfd, path, mode }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const found = newName(vfs, actor, dirfd, path, true);
    if (found instanceof Errno) return found;
    const bits = S_IFDIR | (mode & 0o1777 & ~actor.process.umask);
    const ino = createIn(vfs, actor, found.parent, found.name, bits);
    return ino instanceof Errno ? ino : done;
  },

  mknod: ({ dirfd, path, mode, device }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const type = mode & S_IFMT || S_IFREG;
    if (type === S_IFDIR) return EPERM;
    if (![S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK].includes(type)) return EINVAL;
    const found = newName(vfs, actor, dirfd, path, false);
    if (found instanceof Errno) return found;
    if ((type === S_IFCHR || type === S_IFBLK) && !capable(actor, CAP_MKNOD)) return EPERM;
    const bits = type | (mode & 0o7777 & ~actor.process.umask);
    const rdev = type === S_IFCHR || type === S_IFBLK ? device : 0;
    const ino = createIn(vfs, actor, found.parent, found.name, bits, { rdev });
    return ino instanceof Errno ? ino : done;
  },

  link: ({ olddirfd, oldpath, newdirfd, newpath, flags }, call) => {
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    if (oldpath === '' && flags & AT_EMPTY_PATH && !capable(actor, CAP_DAC_READ_SEARCH)) return ENOENT;
    const old: Result<Place> =
      oldpath === '' && flags & AT_EMPTY_PATH
        ? openFileOf(vfs, actor.pid, olddirfd)
        : find(vfs, actor, olddirfd, oldpath, (flags & AT_SYMLINK_FOLLOW) !== 0);
    if (old instanceof Errno) return old;
    const found = newName(vfs, actor, newdirfd, newpath, false);
    if (found instanceof Errno) return found;
    if (found.parent.mount !== old.mount) return EXDEV;
    const attributes = attributesOf(vfs, old);
    if (attributes instanceof Errno) return attributes;
    const directory = attributesOf(vfs, found.parent);
    if (directory instanceof Errno) return directory;
    if (isReadOnly(vfs, found.parent.mount)) return EROFS;
    if (!mayLink(actor, attributes)) return EPERM;
    if (!permits(actor, directory, W_OK | X_OK)) return EACCES;
    if (isDirectory(attributes.mode)) return EPERM;
    const object = objectOf(vfs, old);
    if (attributes.nlink === 0 && !vfs.held.get(object)?.linkable) return ENOENT;
    const linked = fileSystemOf(vfs, old.mount).link(found.parent.ino, found.name, old.ino);
    if (linked instanceof Errno) return linked;
    if (attributes.nlink === 0) vfs.held.edit(object)!.linkable = false;
    notifyInode(vfs, old, IN_ATTRIB);
    notifyEntry(vfs, found.parent, found.name, IN_CREATE, false);
    return done;
  },

  symlink: ({ target, dirfd, path }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    if (target === '') return ENOENT;
    if (target.length >= 4096) return ENAMETOOLONG;
    const found = newName(vfs, actor, dirfd, path, false);
    if (found instanceof Errno) return found;
    const ino = createIn(vfs, actor, found.parent, found.name, S_IFLNK | 0o777, { target });
    return ino instanceof Errno ? ino : done;
  },

  readlink: ({ dirfd, path, buf }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    if (buf?.length === 0) return EINVAL;
    const place = path === '' ? placeOf(vfs, actor, dirfd, path, AT_EMPTY_PATH) : find(vfs, actor, dirfd, path, false);
    if (place instanceof Errno) return place;
    const target = fileSystemOf(vfs, place.mount).readlink(place.ino, actor.pid);
    if (target === EINVAL && path === '') return ENOENT;
    if (target instanceof Errno) return target;
    if (buf === null) return EFAULT;
    const bytes = new Uint8Array(Math.min(target.length, buf.length));
    for (let i = 0; i < bytes.length; i++) bytes[i] = target.charCodeAt(i);
    const copied = vfs.context.copyOut(buf, 0, bytes);
    return copied instanceof Errno ? copied : { result: bytes.length };
  },

  unlink: ({ dirfd, path, flags }, call) => {
    if (flags & ~AT_REMOVEDIR) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    return flags & AT_REMOVEDIR ? removeDirectory(vfs, actor, dirfd, path) : unlinkName(vfs, actor, dirfd, path);
  },

  rename: ({ olddirfd, oldpath, newdirfd, newpath, flags }, call) => {
    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) return EINVAL;
    if (flags & RENAME_WHITEOUT && flags & RENAME_EXCHANGE) return EINVAL;
    if ((flags & (RENAME_NOREPLACE | RENAME_EXCHANGE)) === (RENAME_NOREPLACE | RENAME_EXCHANGE)) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const from = walk(vfs, actor, olddirfd, oldpath, 'never');
    if (from instanceof Errno) return from;
    const to = walk(vfs, actor, newdirfd, newpath, 'never');
    if (to instanceof Errno) return to;
    return renameName(vfs, actor, from, to, flags);
  },
});
