/** inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). */
import { EACCES, EBADF, EEXIST, EINVAL, EMFILE, ENOSPC, ENOTDIR, Errno, type Result } from '../../../abi/errno.ts';
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK, O_RDONLY, R_OK } from '../../../abi/fcntl.ts';
import {
  IN_ALL_EVENTS,
  IN_DONT_FOLLOW,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_ONLYDIR,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
} from '../../../abi/inotify.ts';
import { isDirectory } from '../../../abi/stat.ts';
import { actorOf } from '../actor.ts';
import { openAnonymous } from '../events/anonymous.ts';
import { removeWatch } from '../events/notify.ts';
import { fileNumber } from '../files.ts';
import { fileSystemOf, objectOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import { permits } from '../permission.ts';
import type { Vfs } from '../state.ts';
import { find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

/** /proc/sys/fs/inotify: max_user_instances, max_user_watches (here of an instance). */
const INSTANCES_MAX = 128;
const WATCHES_MAX = 65536;
const FLAGS = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT;
/** What Linux takes for a bit of a mask. */
const KNOWN = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | FLAGS;
/** Flags that stay with the watch. */
const KEPT = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

const instanceOf = (vfs: Vfs, pid: number, fd: number): Result<number> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const kind = vfs.files.get(number)?.kind;
  if (kind === undefined || kind === 'path') return EBADF;
  return kind === 'inotify' ? number : EINVAL;
};

export const inotify = (vfs: Vfs): CallsOf<'inotifyInit' | 'inotifyAdd' | 'inotifyRemove'> => ({
  inotifyInit: ({ flags }, call) => {
    if (flags & ~(O_CLOEXEC | O_NONBLOCK)) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    let count = 0;
    for (const [, { uid }] of vfs.inotifies.entries()) if (uid === actor.uid) count++;
    if (count >= INSTANCES_MAX) return EMFILE;
    const made = openAnonymous(vfs, actor.pid, 'inotify', O_RDONLY, flags);
    if (made instanceof Errno) return made;
    vfs.inotifies.set(made.number, { uid: actor.uid, lastWatch: 0, bytes: 0 });
    return { result: made.fd };
  },

  inotifyAdd: ({ fd, path, mask }, call) => {
    if (mask & ~KNOWN || (mask & KNOWN) === 0) return EINVAL;
    if (mask & IN_MASK_ADD && mask & IN_MASK_CREATE) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const instance = instanceOf(vfs, actor.pid, fd);
    if (instance instanceof Errno) return instance;
    const found = find(vfs, actor, AT_FDCWD, path, (mask & IN_DONT_FOLLOW) === 0);
    if (found instanceof Errno) return found;
    const attributes = fileSystemOf(vfs, found.mount).getattr(found.ino);
    if (attributes instanceof Errno) return attributes;
    if (mask & IN_ONLYDIR && !isDirectory(attributes.mode)) return ENOTDIR;
    if (!permits(actor, attributes, R_OK)) return EACCES;
    const object = objectOf(vfs, found);
    const watches = vfs.marks.get(object)?.watches ?? [];
    const existing = watches.find((mark) => mark.instance === instance);
    if (existing !== undefined) {
      if (mask & IN_MASK_CREATE) return EEXIST;
      const row = vfs.watches.edit(instance, existing.watch)!;
      row.mask = mask & IN_MASK_ADD ? row.mask | (mask & KEPT) : mask & KEPT;
      return { result: existing.watch };
    }
    if (vfs.watches.count(instance) >= WATCHES_MAX) return ENOSPC;
    const row = vfs.inotifies.edit(instance)!;
    const watch = ++row.lastWatch;
    vfs.watches.set(instance, watch, { object, mask: mask & KEPT });
    vfs.marks.set(object, { watches: [...watches, { instance, watch }] });
    return { result: watch };
  },

  inotifyRemove: ({ fd, watch }, call) => {
    const instance = instanceOf(vfs, call.caller.pid, fd);
    if (instance instanceof Errno) return instance;
    if (vfs.watches.get(instance, watch) === undefined) return EINVAL;
    removeWatch(vfs, instance, watch);
    return done;
  },
});
