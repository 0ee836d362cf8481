/**
 * Telling inotify instances what happens to inodes: inotify(7). Whoever changes something calls one of
 *
 *     notifyFile    an open file was opened, read, written, closed: its own watches, and by its name those of its directory
 *     notifyPlace   the same for what a path led to
 *     notifyEntry   a name came into a directory or went from it
 *     notifyMove    a name was moved: two events with one cookie
 *     notifyGone    an inode's last name and last holder are gone
 *
 * Each costs a look at a table's size as long as nobody watches anything. Events wait in a queue of the instance; one that is
 * equal to the last in the queue is dropped; past a limit IN_Q_OVERFLOW says that some are missing.
 */
import { Errno } from '../../../abi/errno.ts';
import {
  IN_ALL_EVENTS,
  IN_ATTRIB,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONESHOT,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  INOTIFY_EVENT_BYTES,
  inotifyNameBytes,
} from '../../../abi/inotify.ts';
import { POLLIN, POLLRDNORM } from '../../../abi/poll.ts';
import { isDirectory } from '../../../abi/stat.ts';
import { inodeOf, numberOf, superblockOf } from '../../../fs/object-number.ts';
import { fileSystem, fileSystemOf, objectOf } from '../mounts.ts';
import type { OpenFile, Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { Notice } from './rows.ts';

/** /proc/sys/fs/inotify/max_queued_events. */
export const QUEUE_MAX = 16384;
export const inotifyChannel = (instance: number): string => `inotify:${instance}`;

export const noticeBytes = (notice: Readonly<Notice>): number => INOTIFY_EVENT_BYTES + inotifyNameBytes(notice.name);

const same = (a: Readonly<Notice>, b: Readonly<Notice>): boolean =>
  a.watch === b.watch && a.mask === b.mask && a.name === b.name;

/** Puts an event into an instance's queue. */
const queue = (vfs: Vfs, instance: number, notice: Notice): void => {
  const row = vfs.inotifies.edit(instance);
  if (row === undefined) return;
  const last = vfs.notices.floor(instance, Number.MAX_SAFE_INTEGER);
  if (last !== undefined && same(last[1], notice)) return;
  const full = vfs.notices.count(instance) >= QUEUE_MAX;
  const entered = full ? { watch: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: '' } : notice;
  if (full && last !== undefined && last[1].mask === IN_Q_OVERFLOW) return;
  vfs.notices.set(instance, vfs.noticeNumbers.next(), entered);
  row.bytes += noticeBytes(entered);
  vfs.wake(inotifyChannel(instance), POLLIN | POLLRDNORM);
};

/** Ends a watch, and says so. */
export const removeWatch = (vfs: Vfs, instance: number, watch: number): void => {
  const row = vfs.watches.get(instance, watch);
  if (row === undefined) return;
  vfs.watches.delete(instance, watch);
  const left = vfs.marks
    .get(row.object)
    ?.watches.filter((other) => other.instance !== instance || other.watch !== watch);
  if (left === undefined || left.length === 0) vfs.marks.delete(row.object);
  else vfs.marks.set(row.object, { watches: left });
  queue(vfs, instance, { watch, mask: IN_IGNORED, cookie: 0, name: '' });
};

interface Event {
  readonly mask: number;
  readonly name?: string;
  readonly cookie?: number;
  /** It comes through a name that is gone. */
  readonly unlinked?: boolean;
}

/** Tells the watches of one inode. */
const tell = (vfs: Vfs, object: number, { mask, name = '', cookie = 0, unlinked = false }: Event): void => {
  for (const { instance, watch } of vfs.marks.get(object)?.watches ?? []) {
    const wanted = vfs.watches.get(instance, watch)!.mask;
    if ((wanted & mask & IN_ALL_EVENTS) === 0 || (unlinked && wanted & IN_EXCL_UNLINK)) continue;
    queue(vfs, instance, { watch, mask: mask >>> 0, cookie, name });
    if (wanted & IN_ONESHOT) removeWatch(vfs, instance, watch);
  }
};

/** An event of an inode itself. */
export const notifyInode = (vfs: Vfs, place: Place, mask: number): void => {
  if (vfs.marks.size === 0) return;
  const object = objectOf(vfs, place);
  if (vfs.marks.has(object)) tell(vfs, object, { mask: mask | directoryBit(vfs, place, mask) });
};

const directoryBit = (vfs: Vfs, place: Place, mask: number): number => {
  if (mask & (IN_DELETE_SELF | IN_MOVE_SELF)) return 0;
  const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
  return !(attributes instanceof Errno) && isDirectory(attributes.mode) ? IN_ISDIR : 0;
};

/** The name by which the directory knows it now; its old one if it has none any more, undefined if it was moved elsewhere. */
const presentName = (
  vfs: Vfs,
  place: Place,
  parent: number,
  name: string,
): { name: string; unlinked: boolean } | undefined => {
  const fs = fileSystemOf(vfs, place.mount);
  if (fs.lookup(parent, name) === place.ino) return { name, unlinked: false };
  const attributes = fs.getattr(place.ino);
  if (attributes instanceof Errno || attributes.nlink === 0) return { name, unlinked: true };
  const other = fs.nameOf(parent, place.ino);
  return other instanceof Errno ? undefined : { name: other, unlinked: false };
};

const tellBoth = (vfs: Vfs, place: Place, parent: number, name: string, mask: number): void => {
  const all = mask | directoryBit(vfs, place, mask);
  if (parent !== 0) {
    const directory = numberOf(vfs.mounts.get(place.mount)!.superblock, parent);
    if (vfs.marks.has(directory)) {
      const present = presentName(vfs, place, parent, name);
      if (present !== undefined) tell(vfs, directory, { mask: all, ...present });
    }
  }
  const object = objectOf(vfs, place);
  if (vfs.marks.has(object)) tell(vfs, object, { mask: all });
};

/** A directory's own place in the one above it; open directories do not remember it. */
const parentOf = (vfs: Vfs, place: Place): { parent: number; name: string } => {
  const fs = fileSystemOf(vfs, place.mount);
  const parent = place.ino === fs.root ? ENTRYLESS : fs.parent(place.ino);
  const name = parent instanceof Errno ? parent : fs.nameOf(parent, place.ino);
  return parent instanceof Errno || name instanceof Errno ? { parent: 0, name: '' } : { parent, name };
};
const ENTRYLESS = Errno.of(2);

export const notifyFile = (vfs: Vfs, file: Readonly<OpenFile>, mask: number): void => {
  if (vfs.marks.size === 0 || file.kind === 'path') return;
  const { parent, name } = file.parent === 0 && file.kind === 'directory' ? parentOf(vfs, file) : file;
  tellBoth(vfs, file, parent, name, mask);
};

/** `place` may be what a walk found, with directory and name, or an open file. */
export const notifyPlace = (
  vfs: Vfs,
  place: Place & { readonly parent?: Place | number; readonly name?: string; readonly last?: string },
  mask: number,
): void => {
  if (vfs.marks.size === 0) return;
  const { parent, name = '' } = place;
  if (typeof parent === 'object' && place.last === 'name' && parent.mount === place.mount)
    tellBoth(vfs, place, parent.ino, name, mask);
  else if (typeof parent === 'number' && parent !== 0) tellBoth(vfs, place, parent, name, mask);
  else {
    const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
    const above =
      !(attributes instanceof Errno) && isDirectory(attributes.mode) ? parentOf(vfs, place) : { parent: 0, name: '' };
    tellBoth(vfs, place, above.parent, above.name, mask);
  }
};

/** A name in a directory: IN_CREATE, IN_DELETE. */
export const notifyEntry = (vfs: Vfs, directory: Place, name: string, mask: number, isDir: boolean): void => {
  if (vfs.marks.size === 0) return;
  tell(vfs, objectOf(vfs, directory), { mask: mask | (isDir ? IN_ISDIR : 0), name });
};

/** A name was moved; `replaced` is what it took the place of. */
export const notifyMove = (
  vfs: Vfs,
  from: { readonly directory: Place; readonly name: string },
  to: { readonly directory: Place; readonly name: string },
  moved: Place,
  isDir: boolean,
  replaced?: Place,
): void => {
  if (vfs.marks.size === 0) return;
  const cookie = vfs.cookieNumbers.next() >>> 0;
  const bit = isDir ? IN_ISDIR : 0;
  tell(vfs, objectOf(vfs, from.directory), { mask: IN_MOVED_FROM | bit, name: from.name, cookie });
  tell(vfs, objectOf(vfs, to.directory), { mask: IN_MOVED_TO | bit, name: to.name, cookie });
  if (replaced !== undefined) notifyInode(vfs, replaced, IN_ATTRIB);
  notifyInode(vfs, moved, IN_MOVE_SELF);
};

/** The inode is about to be forgotten: if its last name is gone, so is it, and whoever watched it. */
export const notifyGone = (vfs: Vfs, object: number, ino: number): void => {
  if (vfs.marks.size === 0 || !vfs.marks.has(object)) return;
  const attributes = fileSystem(vfs, superblockOf(object)).getattr(ino);
  if (!(attributes instanceof Errno) && attributes.nlink > 0) return;
  tell(vfs, object, { mask: IN_DELETE_SELF });
  for (const { instance, watch } of vfs.marks.get(object)?.watches ?? []) removeWatch(vfs, instance, watch);
};

/** A file system is unmounted: its watches end. */
export const notifyUnmount = (vfs: Vfs, superblock: number): void => {
  for (const [object, { watches }] of [...vfs.marks.entries()]) {
    if (superblockOf(object) !== superblock) continue;
    const attributes = fileSystem(vfs, superblock).getattr(inodeOf(object));
    const bit = !(attributes instanceof Errno) && isDirectory(attributes.mode) ? IN_ISDIR : 0;
    for (const { instance, watch } of watches) {
      queue(vfs, instance, { watch, mask: IN_UNMOUNT | bit, cookie: 0, name: '' });
      removeWatch(vfs, instance, watch);
    }
  }
};
