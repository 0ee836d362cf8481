/** mount(2) and umount2(2), for root. Bind mounts, moves and propagation are refused with EINVAL. */

import { CAP_SYS_ADMIN } from '../../../abi/credentials.ts';
import { EBUSY, EINVAL, ENODEV, ENOTDIR, EPERM, Errno } from '../../../abi/errno.ts';
import { AT_FDCWD } from '../../../abi/fcntl.ts';
import * as m from '../../../abi/mount.ts';
import { isDirectory } from '../../../abi/stat.ts';
import { superblockOf } from '../../../fs/object-number.ts';
import { actorOf } from '../actor.ts';
import { notifyUnmount } from '../events/notify.ts';
import { hold, release } from '../inodes.ts';
import { addMount, addSuperblock, fileSystem, fileSystemOf, pointKey, ROOT_MOUNT } from '../mounts.ts';
import { done } from '../outcome.ts';
import { capable } from '../permission.ts';
import type { Vfs } from '../state.ts';
import { find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

const KEPT = m.MS_RDONLY | m.MS_NOSUID | m.MS_NODEV | m.MS_NOEXEC | m.MS_NOATIME;
const REFUSED = m.MS_BIND | m.MS_MOVE | m.MS_UNBINDABLE | m.MS_PRIVATE | m.MS_SLAVE | m.MS_SHARED;
/** Types that a program may mount; pipes are mounted nowhere. */
const MOUNTABLE = new Set(['tmpfs', 'ramfs', 'proc', 'devtmpfs', 'devpts', 'host']);

/** Whether anybody uses the mounted file system: open files, working directories, mappings. */
const isBusy = (vfs: Vfs, mount: number): boolean => {
  for (const row of vfs.mounts.keys()) if (vfs.mounts.get(row)!.parent === mount) return true;
  const { superblock } = vfs.mounts.get(mount)!;
  for (const object of vfs.held.keys()) if (superblockOf(object) === superblock) return true;
  return false;
};

export const mounting = (vfs: Vfs): CallsOf<'mount' | 'unmount'> => ({
  mount: ({ source, target, type, flags, data }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = find(vfs, actor, AT_FDCWD, target, true);
    if (place instanceof Errno) return place;
    if (!capable(actor, CAP_SYS_ADMIN)) return EPERM;
    // Old programs put a magic number into the upper half.
    const low = ((flags & 0xffff_0000) | 0) === m.MS_MGC_VAL ? flags & 0xffff : flags;
    if (low & REFUSED) return EINVAL;
    if (low & m.MS_REMOUNT) {
      const row = vfs.mounts.get(place.mount)!;
      if (place.ino !== row.root) return EINVAL;
      vfs.mounts.edit(place.mount)!.flags = low & KEPT;
      return done;
    }
    if (type === undefined) return EINVAL;
    if (!MOUNTABLE.has(type)) return ENODEV;
    const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
    if (attributes instanceof Errno) return attributes;
    if (!isDirectory(attributes.mode)) return ENOTDIR;
    const name = source === undefined || source === '' ? 'none' : source;
    const superblock = addSuperblock(vfs, type, name, data ?? '');
    if (superblock instanceof Errno) return superblock;
    const mount = addMount(vfs, superblock, place, name, low & KEPT);
    if (mount instanceof Errno) return mount;
    // The covered directory stays as long as it is covered.
    hold(vfs, place);
    return done;
  },

  unmount: ({ target, flags }, call) => {
    if (flags & ~(m.MNT_FORCE | m.MNT_DETACH | m.MNT_EXPIRE | m.UMOUNT_NOFOLLOW)) return EINVAL;
    if (flags & (m.MNT_DETACH | m.MNT_EXPIRE)) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = find(vfs, actor, AT_FDCWD, target, (flags & m.UMOUNT_NOFOLLOW) === 0);
    if (place instanceof Errno) return place;
    if (!capable(actor, CAP_SYS_ADMIN)) return EPERM;
    const row = vfs.mounts.get(place.mount)!;
    if (place.ino !== row.root) return EINVAL;
    if (place.mount === ROOT_MOUNT || isBusy(vfs, place.mount)) return EBUSY;
    notifyUnmount(vfs, row.superblock);
    fileSystem(vfs, row.superblock).destroy();
    vfs.mounts.delete(place.mount);
    vfs.mountPoints.delete(pointKey(row.parent, row.point));
    vfs.superblocks.delete(row.superblock);
    vfs.fileSystems.delete(row.superblock);
    release(vfs, { mount: row.parent, ino: row.point });
    return done;
  },
});
