/**
 * Extended attributes, xattr(7): setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their forms for links and
 * descriptors. Names are of the classes `user.` (files and folders, by their permissions), `trusted.` (root's) and `security.`
 * (anybody reads, root writes); all others, POSIX ACLs too, are not supported.
 */
import {
  E2BIG,
  EACCES,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODATA,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EROFS,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, R_OK, W_OK } from '../../../abi/fcntl.ts';
import { isDirectory, isRegular, S_ISVTX } from '../../../abi/stat.ts';
import { XATTR_CREATE, XATTR_NAME_MAX, XATTR_REPLACE, XATTR_SIZE_MAX } from '../../../abi/xattr.ts';
import type { Attributes } from '../../../fs/contract.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Actor, actorOf } from '../actor.ts';
import { usableFileOf } from '../files.ts';
import { fileSystemOf, isReadOnly } from '../mounts.ts';
import { done } from '../outcome.ts';
import { owns, permits } from '../permission.ts';
import type { Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

/** Names and values that one inode may have, in bytes: what ext4 gives them, a block. */
const INODE_MAX = 4096;

/** The inode of a path, or of a descriptor where there is none. */
const placeFor = (vfs: Vfs, actor: Actor, fd: number, path: string | undefined, flags: number): Result<Place> =>
  flags & AT_EMPTY_PATH
    ? usableFileOf(vfs, actor.pid, fd)
    : find(vfs, actor, AT_FDCWD, path ?? '', (flags & AT_SYMLINK_NOFOLLOW) === 0);

/** Whether the actor may touch an attribute of that name; EOPNOTSUPP for a class that there is not. */
const mayAccess = (actor: Actor, inode: Attributes, name: string, write: boolean): Errno | undefined => {
  const refused = write ? EPERM : ENODATA;
  if (name.startsWith('security.')) return write && actor.uid !== 0 ? EPERM : undefined;
  if (name.startsWith('trusted.')) return actor.uid === 0 ? undefined : refused;
  if (!name.startsWith('user.')) return EOPNOTSUPP;
  if (!isRegular(inode.mode) && !isDirectory(inode.mode)) return refused;
  if (write && isDirectory(inode.mode) && inode.mode & S_ISVTX && !owns(actor, inode)) return EPERM;
  return permits(actor, inode, write ? W_OK : R_OK) ? undefined : EACCES;
};

const isName = (name: string): boolean => name !== '' && name.length <= XATTR_NAME_MAX;
/** `user.` with nothing behind it names nothing. */
const isBare = (name: string): boolean => name.endsWith('.') && name.indexOf('.') === name.length - 1;

const attributesOf = (vfs: Vfs, place: Place): Result<ReadonlyMap<string, string>> =>
  fileSystemOf(vfs, place.mount).xattrs?.(place.ino) ?? EOPNOTSUPP;

const change = (
  vfs: Vfs,
  actor: Actor,
  place: Place,
  name: string,
  value: string | undefined,
  flags: number,
): Errno | typeof done => {
  const fs = fileSystemOf(vfs, place.mount);
  const inode = fs.getattr(place.ino);
  if (inode instanceof Errno) return inode;
  if (isReadOnly(vfs, place.mount)) return EROFS;
  const refused = mayAccess(actor, inode, name, true);
  if (refused !== undefined) return refused;
  if (isBare(name)) return EINVAL;
  const present = attributesOf(vfs, place);
  if (present instanceof Errno) return present;
  const exists = present.has(name);
  if (value === undefined ? !exists : flags & XATTR_REPLACE && !exists) return ENODATA;
  if (flags & XATTR_CREATE && exists) return EEXIST;
  if (value !== undefined) {
    let total = name.length + value.length;
    for (const [other, bytes] of present) if (other !== name) total += other.length + bytes.length;
    if (total > INODE_MAX) return ENOSPC;
  }
  return fs.setXattr?.(place.ino, name, value) ?? done;
};

/** Gives bytes to a caller who may have asked for their length only. */
const give = (vfs: Vfs, text: string, buf: Grant | null, size: number): Errno | { result: number } => {
  if (size === 0) return { result: text.length };
  if (text.length > size) return ERANGE;
  if (text.length === 0) return { result: 0 };
  if (buf === null) return EFAULT;
  const copied = vfs.context.copyOut(
    buf,
    0,
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
  );
  return copied instanceof Errno || copied < text.length ? EFAULT : { result: text.length };
};

export const xattrs = (vfs: Vfs): CallsOf<'setXattr' | 'getXattr' | 'listXattrs' | 'removeXattr'> => ({
  setXattr: ({ fd, path, at, name, value, size, flags }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = placeFor(vfs, actor, fd, path, at);
    if (place instanceof Errno) return place;
    if (flags & ~(XATTR_CREATE | XATTR_REPLACE)) return EINVAL;
    if (!isName(name)) return ERANGE;
    if (size > XATTR_SIZE_MAX) return E2BIG;
    let text = '';
    if (size > 0) {
      const bytes = value === null ? EFAULT : vfs.context.copyIn(value, 0, size);
      if (bytes instanceof Errno) return EFAULT;
      for (const byte of bytes) text += String.fromCharCode(byte);
    }
    return change(vfs, actor, place, name, text, flags);
  },

  getXattr: ({ fd, path, at, name, buf, size }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = placeFor(vfs, actor, fd, path, at);
    if (place instanceof Errno) return place;
    if (!isName(name)) return ERANGE;
    const inode = fileSystemOf(vfs, place.mount).getattr(place.ino);
    if (inode instanceof Errno) return inode;
    const refused = mayAccess(actor, inode, name, false);
    if (refused !== undefined) return refused;
    if (isBare(name)) return EINVAL;
    const present = attributesOf(vfs, place);
    if (present instanceof Errno) return present;
    const value = present.get(name);
    return value === undefined ? ENODATA : give(vfs, value, buf, size);
  },

  listXattrs: ({ fd, path, at, buf, size }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = placeFor(vfs, actor, fd, path, at);
    if (place instanceof Errno) return place;
    const present = attributesOf(vfs, place);
    if (present instanceof Errno && present !== EOPNOTSUPP) return present;
    let names = '';
    if (!(present instanceof Errno))
      for (const name of present.keys()) if (actor.uid === 0 || !name.startsWith('trusted.')) names += `${name}\0`;
    return give(vfs, names, buf, size);
  },

  removeXattr: ({ fd, path, at, name }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = placeFor(vfs, actor, fd, path, at);
    if (place instanceof Errno) return place;
    if (!isName(name)) return ERANGE;
    return change(vfs, actor, place, name, undefined, 0);
  },
});
