/** stat(2) and its family, statx(2), access(2), statfs(2). */
import { EACCES, EFAULT, EINVAL, ENOENT, EROFS, Errno, type Result } from '../../../abi/errno.ts';
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
  W_OK,
} from '../../../abi/fcntl.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, ST_RELATIME } from '../../../abi/mount.ts';
import {
  isDirectory,
  isRegular,
  STAT_SIZE,
  STATFS_SIZE,
  STATX_SIZE,
  type StatSource,
  type Time,
  writeStat,
  writeStatfs,
  writeStatx,
} from '../../../abi/stat.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Actor, actorOf, realActorOf } from '../actor.ts';
import { openFileOf } from '../files.ts';
import { fileSystemOf, PIPE_MOUNT } from '../mounts.ts';
import { done } from '../outcome.ts';
import { permits } from '../permission.ts';
import type { Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

const STAT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

/** The inode that `dirfd` and path name; with AT_EMPTY_PATH an empty path names the descriptor itself. */
export const placeOf = (
  vfs: Vfs,
  actor: Actor,
  dirfd: number,
  path: string | undefined,
  flags: number,
): Result<Place> => {
  if (path === undefined && !(flags & AT_EMPTY_PATH)) return EFAULT;
  if (!path && flags & AT_EMPTY_PATH) {
    if (dirfd === AT_FDCWD) return { mount: actor.process.cwdMount, ino: actor.process.cwdIno };
    return openFileOf(vfs, actor.pid, dirfd);
  }
  return find(vfs, actor, dirfd, path ?? '', (flags & AT_SYMLINK_NOFOLLOW) === 0);
};

const sourceOf = (vfs: Vfs, place: Place): Result<StatSource & { btime: Time | undefined }> => {
  const { superblock } = vfs.mounts.get(place.mount)!;
  const fs = fileSystemOf(vfs, place.mount);
  const attributes = fs.getattr(place.ino);
  if (attributes instanceof Errno) return attributes;
  const { nlink, mode, uid, gid, rdev, size, blocks, atime, mtime, ctime, btime } = attributes;
  const { ino } = place;
  const { blockSize } = fs;
  return { device: superblock, ino, nlink, mode, uid, gid, rdev, size, blockSize, blocks, atime, mtime, ctime, btime };
};

export const stats = (vfs: Vfs): CallsOf<'stat' | 'fstat' | 'statx' | 'access' | 'statfs' | 'fstatfs'> => {
  // Structures are built here and copied out at once.
  const bytes = new Uint8Array(STATX_SIZE);
  const view = new DataView(bytes.buffer);
  const statBytes = bytes.subarray(0, STAT_SIZE);
  const statfsBytes = bytes.subarray(0, STATFS_SIZE);

  const giveStat = (place: Place, buf: Grant | null): Errno | typeof done => {
    const source = sourceOf(vfs, place);
    if (source instanceof Errno) return source;
    if (buf === null) return EFAULT;
    writeStat(view, source);
    const copied = vfs.context.copyOut(buf, 0, statBytes);
    return copied instanceof Errno || copied < STAT_SIZE ? EFAULT : done;
  };

  const giveStatfs = (place: Place, buf: Grant | null): Errno | typeof done => {
    const mount = vfs.mounts.get(place.mount)!;
    const space = fileSystemOf(vfs, place.mount).statfs();
    if (space instanceof Errno) return space;
    if (buf === null) return EFAULT;
    const flags =
      (mount.flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)) | (place.mount === PIPE_MOUNT ? 0 : ST_RELATIME);
    writeStatfs(view, space, mount.superblock, flags);
    const copied = vfs.context.copyOut(buf, 0, statfsBytes);
    return copied instanceof Errno || copied < STATFS_SIZE ? EFAULT : done;
  };

  return {
    stat: ({ dirfd, path, flags, buf }, call) => {
      if (flags & ~STAT_FLAGS) return EINVAL;
      const actor = actorOf(vfs, call.caller.pid);
      if (actor instanceof Errno) return actor;
      const place = placeOf(vfs, actor, dirfd, path, flags);
      return place instanceof Errno ? place : giveStat(place, buf);
    },

    fstat: ({ fd, buf }, call) => {
      const file = openFileOf(vfs, call.caller.pid, fd);
      return file instanceof Errno ? file : giveStat(file, buf);
    },

    statx: ({ dirfd, path, flags, mask, buf }, call) => {
      if (flags & ~STAT_FLAGS || (flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE || mask & 0x8000_0000)
        return EINVAL;
      const actor = actorOf(vfs, call.caller.pid);
      if (actor instanceof Errno) return actor;
      const place = placeOf(vfs, actor, dirfd, path, flags);
      if (place instanceof Errno) return place;
      const source = sourceOf(vfs, place);
      if (source instanceof Errno) return source;
      if (buf === null) return EFAULT;
      const mountRoot = vfs.mounts.get(place.mount)!.root === place.ino;
      writeStatx(view, { ...source, mountId: place.mount, mountRoot }, mask);
      const copied = vfs.context.copyOut(buf, 0, bytes);
      return copied instanceof Errno || copied < STATX_SIZE ? EFAULT : done;
    },

    access: ({ dirfd, path, mode, flags }, call) => {
      if (mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return EINVAL;
      const actor = (flags & AT_EACCESS ? actorOf : realActorOf)(vfs, call.caller.pid);
      if (actor instanceof Errno) return actor;
      const place = placeOf(vfs, actor, dirfd, path, flags);
      if (place instanceof Errno) return place;
      const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
      if (attributes instanceof Errno) return attributes;
      const mount = vfs.mounts.get(place.mount)!;
      if (mode & 1 && isRegular(attributes.mode) && mount.flags & MS_NOEXEC) return EACCES;
      if (mode & W_OK && mount.flags & MS_RDONLY && (isRegular(attributes.mode) || isDirectory(attributes.mode)))
        return EROFS;
      if (!permits(actor, attributes, mode)) return EACCES;
      return done;
    },

    statfs: ({ path, buf }, call) => {
      const actor = actorOf(vfs, call.caller.pid);
      if (actor instanceof Errno) return actor;
      if (path === '') return ENOENT;
      const place = find(vfs, actor, AT_FDCWD, path, true);
      return place instanceof Errno ? place : giveStatfs(place, buf);
    },

    fstatfs: ({ fd, buf }, call) => {
      const file = openFileOf(vfs, call.caller.pid, fd);
      return file instanceof Errno ? file : giveStatfs(file, buf);
    },
  };
};
