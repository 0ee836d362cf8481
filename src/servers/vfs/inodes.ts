/**
 * Who holds an inode: open descriptions, working directories and roots, mappings and running programs. While one does, the
 * file system keeps the inode although its last name may be gone; when the last one lets go, it is told (`forget`).
 */

import { inodeOf, superblockOf } from '../../fs/object-number.ts';
import { notifyGone } from './events/notify.ts';
import { fileSystem, objectOf } from './mounts.ts';
import type { HeldInode, Place } from './rows.ts';
import type { Vfs } from './state.ts';

export const holdObject = (vfs: Vfs, object: number): HeldInode => {
  const row = vfs.held.edit(object);
  if (row !== undefined) {
    row.holders++;
    return row;
  }
  const made: HeldInode = { holders: 1, writers: 0, pipe: 0, linkable: false };
  vfs.held.set(object, made);
  return made;
};

export const releaseObject = (vfs: Vfs, object: number): void => {
  const row = vfs.held.edit(object);
  if (row === undefined) return;
  row.holders--;
  if (row.holders > 0) return;
  vfs.held.delete(object);
  if (row.pipe !== 0) vfs.pipes.delete(row.pipe);
  if (vfs.seals.size > 0) vfs.seals.delete(object);
  notifyGone(vfs, object, inodeOf(object));
  fileSystem(vfs, superblockOf(object)).forget(inodeOf(object));
};

export const hold = (vfs: Vfs, place: Place): HeldInode => holdObject(vfs, objectOf(vfs, place));
export const release = (vfs: Vfs, place: Place): void => releaseObject(vfs, objectOf(vfs, place));

/** After a name was removed: the inode goes at once if it was the last and nobody holds it. */
export const forgetIfFree = (vfs: Vfs, place: Place): void => {
  const object = objectOf(vfs, place);
  if (vfs.held.has(object)) return;
  notifyGone(vfs, object, place.ino);
  fileSystem(vfs, superblockOf(object)).forget(place.ino);
};
