/**
 * Programs and mappings: openExecutable, mapFile, readObject, writeObject, releaseObject. An object is an inode under its
 * number (fs/object-number.ts); from the first mapping or execution until `releaseObject` it holds the inode once.
 */
import {
  EACCES,
  EBADF,
  EFAULT,
  EINVAL,
  EISDIR,
  ENODEV,
  ENOENT,
  EPERM,
  Errno,
  ETXTBSY,
  type Result,
} from '../../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, R_OK, X_OK } from '../../../abi/fcntl.ts';
import { IN_ACCESS, IN_CLOSE_NOWRITE, IN_OPEN } from '../../../abi/inotify.ts';
import { MS_NOEXEC, MS_NOSUID } from '../../../abi/mount.ts';
import { isDirectory, isRegular, isSymlink, S_ISGID, S_ISUID } from '../../../abi/stat.ts';
import { inodeOf, superblockOf } from '../../../fs/object-number.ts';
import { actorOf } from '../actor.ts';
import { notifyPlace } from '../events/notify.ts';
import { canRead, canWrite, openFileOf } from '../files.ts';
import { holdObject, releaseObject } from '../inodes.ts';
import { markRead } from '../io/regular.ts';
import { fileSystem, fileSystemOf, objectOf } from '../mounts.ts';
import { nothing } from '../outcome.ts';
import { childPath, directoryPath, openFilePath, rootOf } from '../paths.ts';
import { permits } from '../permission.ts';
import { sealsOf, UNWRITABLE } from '../seals.ts';
import type { Vfs } from '../state.ts';
import { type Found, find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

const PROT_WRITE = 2;
const PROT_EXEC = 4;

/** The object is in use: holds its inode the first time. */
export const useObject = (vfs: Vfs, object: number, executed: boolean, shared: boolean): void => {
  const row = vfs.objects.edit(object);
  if (row === undefined) {
    vfs.objects.set(object, { executed, shared });
    holdObject(vfs, object);
    return;
  }
  row.executed ||= executed;
  row.shared ||= shared;
};

/** Absolute path of what was found, as the process sees it. */
const pathOfFound = (vfs: Vfs, found: Found, root: ReturnType<typeof rootOf>): Result<string> => {
  if (found.file !== 0) {
    const file = vfs.files.get(found.file);
    return file === undefined ? ENOENT : openFilePath(vfs, file, root);
  }
  if (found.last === 'jump') {
    // The text of the link (/proc/PID/exe) is the path.
    const fs = fileSystemOf(vfs, found.parent.mount);
    const link = fs.lookup(found.parent.ino, found.name);
    return link instanceof Errno ? link : fs.readlink(link, 0);
  }
  return found.last === 'name' ? childPath(vfs, found.parent, found.name, root) : directoryPath(vfs, found, root);
};

export const objects = (
  vfs: Vfs,
): CallsOf<'openExecutable' | 'mapFile' | 'readObject' | 'writeObject' | 'releaseObject'> => ({
  openExecutable: ({ pid, dirfd, path, flags }) => {
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) return EINVAL;
    let place: { mount: number; ino: number };
    let shown: Result<string>;
    if (path === '' && flags & AT_EMPTY_PATH && dirfd === AT_FDCWD) {
      // The working directory: nothing to execute.
      return EACCES;
    }
    if (path === '' && flags & AT_EMPTY_PATH) {
      const file = openFileOf(vfs, pid, dirfd);
      if (file instanceof Errno) return file;
      place = file;
      shown = openFilePath(vfs, file, rootOf(actor));
    } else {
      const found = find(vfs, actor, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) === 0);
      if (found instanceof Errno) return found;
      place = found;
      shown = pathOfFound(vfs, found, rootOf(actor));
    }
    const fs = fileSystemOf(vfs, place.mount);
    const attributes = fs.getattr(place.ino);
    if (attributes instanceof Errno) return attributes;
    const { mode } = attributes;
    const mount = vfs.mounts.get(place.mount)!;
    if (isDirectory(mode)) return EACCES;
    if (isSymlink(mode)) return Errno.of(40);
    if (!isRegular(mode) || mount.flags & MS_NOEXEC || !permits(actor, attributes, X_OK)) return EACCES;
    const object = objectOf(vfs, place);
    if ((vfs.held.get(object)?.writers ?? 0) > 0) return ETXTBSY;
    useObject(vfs, object, true, false);
    // A program is opened, read and closed; what follows are page faults, which nobody hears of.
    for (const mask of [IN_OPEN, IN_ACCESS, IN_CLOSE_NOWRITE]) notifyPlace(vfs, place, mask);
    const setIds = (mount.flags & MS_NOSUID) === 0;
    return {
      object,
      size: attributes.size,
      setuid: setIds && mode & S_ISUID ? attributes.uid : -1,
      // Without group execute permission the bit meant mandatory locking.
      setgid: setIds && (mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010) ? attributes.gid : -1,
      path: shown instanceof Errno ? path : shown,
      version: attributes.version,
      readable: permits(actor, attributes, R_OK),
    };
  },

  mapFile: ({ pid, fd, protection, shared }) => {
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    const file = openFileOf(vfs, pid, fd);
    if (file instanceof Errno || file.kind === 'path') return EBADF;
    if (!canRead(file)) return EACCES;
    if (shared && protection & PROT_WRITE && !canWrite(file)) return EACCES;
    if (file.kind === 'zero') return { object: -1, size: 0, path: '/dev/zero', version: 0, zero: true, writable: true };
    if (file.kind !== 'regular') return ENODEV;
    const fs = fileSystemOf(vfs, file.mount);
    if (fs.type === 'proc') return ENODEV;
    if (protection & PROT_EXEC && vfs.mounts.get(file.mount)!.flags & MS_NOEXEC) return Errno.of(1);
    const attributes = fs.getattr(file.ino);
    if (attributes instanceof Errno) return attributes;
    const object = objectOf(vfs, file);
    const sealed = shared && (sealsOf(vfs, object) & UNWRITABLE) !== 0;
    if (sealed && protection & PROT_WRITE) return EPERM;
    const writable = canWrite(file) && !sealed;
    // mprotect may add write permission later if the descriptor had it.
    useObject(vfs, object, false, shared && writable);
    markRead(vfs, file, fs, 1);
    const path = openFilePath(vfs, file, rootOf(actor));
    return { object, size: attributes.size, path, version: attributes.version, zero: false, writable };
  },

  readObject: ({ object, offset, buf }) => {
    if (!vfs.objects.has(object)) return EBADF;
    if (buf === null) return EFAULT;
    const fs = fileSystem(vfs, superblockOf(object));
    const ino = inodeOf(object);
    let done = 0;
    while (done < buf.length) {
      const into = vfs.scratch.subarray(0, Math.min(buf.length - done, vfs.scratch.length));
      const count = fs.read(ino, offset + done, into);
      if (count instanceof Errno) return count;
      if (count === 0) break;
      const copied = vfs.context.copyOut(buf, done, into.subarray(0, count));
      if (copied instanceof Errno) return copied;
      done += count;
    }
    return { result: done };
  },

  writeObject: ({ object, offset, buf }) => {
    if (!vfs.objects.has(object)) return EBADF;
    if (buf === null) return EFAULT;
    const fs = fileSystem(vfs, superblockOf(object));
    const ino = inodeOf(object);
    const attributes = fs.getattr(ino);
    if (attributes instanceof Errno) return attributes;
    if (isDirectory(attributes.mode)) return EISDIR;
    const length = Math.max(0, Math.min(buf.length, attributes.size - offset));
    if (length === 0) return { result: 0 };
    const bytes = vfs.context.copyIn(buf, 0, length);
    if (bytes instanceof Errno) return bytes;
    const written = fs.write(ino, offset, bytes);
    return written instanceof Errno ? written : { result: written };
  },

  releaseObject: ({ object }) => {
    if (vfs.objects.delete(object)) releaseObject(vfs, object);
    return nothing;
  },
});
