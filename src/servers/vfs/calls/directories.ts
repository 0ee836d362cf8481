/** getdents(2), getcwd(2), chdir(2), fchdir(2), chroot(2), umask(2). */

import { CAP_SYS_CHROOT } from '../../../abi/credentials.ts';
import { direntLength, writeDirent } from '../../../abi/dirent.ts';
import {
  EACCES,
  EBADF,
  EFAULT,
  EINVAL,
  ENOENT,
  ENOTDIR,
  EPERM,
  ERANGE,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import { AT_FDCWD, X_OK } from '../../../abi/fcntl.ts';
import { IN_ACCESS } from '../../../abi/inotify.ts';
import { isDirectory } from '../../../abi/stat.ts';
import { type Actor, actorOf, editProcessRow } from '../actor.ts';
import { notifyFile } from '../events/notify.ts';
import { fileNumber, openFileOf } from '../files.ts';
import { hold, release } from '../inodes.ts';
import { markRead } from '../io/regular.ts';
import { fileSystemOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import { directoryPath, rootOf } from '../paths.ts';
import { capable, permits } from '../permission.ts';
import type { Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { above, find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

/** Bytes of records that one call fills at most. */
const DENTS_MAX = 1 << 17;
const DT_DIR = 4;
/** Cookies of `.` and `..`; those of real entries are greater. */
const DOT = 1;
const DOTDOT = 2;

/** Checks that a process may enter a directory. */
const enterable = (vfs: Vfs, actor: Actor, place: Place): Errno | undefined => {
  // The kernel's requests all start at the root.
  if (actor.pid === 0) return EPERM;
  const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
  if (attributes instanceof Errno) return attributes;
  if (!isDirectory(attributes.mode)) return ENOTDIR;
  return permits(actor, attributes, X_OK) ? undefined : EACCES;
};

const setCwd = (vfs: Vfs, pid: number, place: Place): void => {
  hold(vfs, place);
  const row = editProcessRow(vfs, pid);
  const before = { mount: row.cwdMount, ino: row.cwdIno };
  row.cwdMount = place.mount;
  row.cwdIno = place.ino;
  release(vfs, before);
};

export const directories = (vfs: Vfs): CallsOf<'getdents' | 'getcwd' | 'chdir' | 'fchdir' | 'chroot' | 'umask'> => ({
  getdents: ({ fd, buf, wide }, call) => {
    const { pid } = call.caller;
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    const number = fileNumber(vfs, pid, fd);
    if (number instanceof Errno) return number;
    const file = vfs.files.get(number);
    if (file === undefined || file.kind === 'path') return EBADF;
    if (file.kind !== 'directory') return ENOTDIR;
    if (buf === null) return EFAULT;
    const fs = fileSystemOf(vfs, file.mount);
    const attributes = fs.getattr(file.ino);
    if (attributes instanceof Errno) return attributes;
    if (attributes.nlink === 0) return ENOENT;
    const into = vfs.scratch;
    const limit = Math.min(buf.length, DENTS_MAX);
    let length = 0;
    let position = file.position;
    let full = false;
    const put = (ino: number, cookie: number, type: number, name: string): boolean => {
      const size = direntLength(name, wide);
      if (length + size > limit) {
        full = true;
        return false;
      }
      writeDirent(into, length, ino, cookie, type, name, wide);
      length += size;
      position = cookie;
      return true;
    };
    if (position < DOT) put(file.ino, DOT, DT_DIR, '.');
    if (position === DOT && !full) {
      const up = above(vfs, actor, file);
      put(up instanceof Errno ? file.ino : up.ino, DOTDOT, DT_DIR, '..');
    }
    if (position >= DOTDOT && !full) {
      const result = fs.readdir(file.ino, position, ({ name, ino, type, cookie }) => put(ino, cookie, type, name));
      if (result instanceof Errno) return result;
    }
    if (!full || length > 0) notifyFile(vfs, file, IN_ACCESS);
    if (length === 0) return full ? EINVAL : { result: 0 };
    const copied = vfs.context.copyOut(buf, 0, into.subarray(0, length));
    if (copied instanceof Errno || copied < length) return EFAULT;
    vfs.files.edit(number)!.position = position;
    markRead(vfs, file, fs, file.position);
    return { result: length };
  },

  getcwd: ({ buf }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const { cwdMount, cwdIno } = actor.process;
    const path: Result<string> = directoryPath(vfs, { mount: cwdMount, ino: cwdIno }, rootOf(actor));
    if (path instanceof Errno) return path;
    if (buf === null) return EFAULT;
    if (buf.length < path.length + 1) return ERANGE;
    const bytes = new Uint8Array(path.length + 1);
    for (let i = 0; i < path.length; i++) bytes[i] = path.charCodeAt(i);
    const copied = vfs.context.copyOut(buf, 0, bytes);
    return copied instanceof Errno || copied < bytes.length ? EFAULT : { result: bytes.length };
  },

  chdir: ({ path }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = find(vfs, actor, AT_FDCWD, path, true);
    if (place instanceof Errno) return place;
    const refused = enterable(vfs, actor, place);
    if (refused !== undefined) return refused;
    setCwd(vfs, actor.pid, place);
    return done;
  },

  fchdir: ({ fd }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const file = openFileOf(vfs, actor.pid, fd);
    if (file instanceof Errno) return file;
    const refused = enterable(vfs, actor, file);
    if (refused !== undefined) return refused;
    setCwd(vfs, actor.pid, file);
    return done;
  },

  chroot: ({ path }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = find(vfs, actor, AT_FDCWD, path, true);
    if (place instanceof Errno) return place;
    const refused = enterable(vfs, actor, place);
    if (refused !== undefined) return refused;
    if (!capable(actor, CAP_SYS_CHROOT)) return EPERM;
    hold(vfs, place);
    const row = editProcessRow(vfs, actor.pid);
    const before = { mount: row.rootMount, ino: row.rootIno };
    row.rootMount = place.mount;
    row.rootIno = place.ino;
    release(vfs, before);
    return done;
  },

  umask: ({ mask }, call) => {
    const row = editProcessRow(vfs, call.caller.pid);
    const before = row.umask;
    row.umask = mask & 0o777;
    return { result: before };
  },
});
