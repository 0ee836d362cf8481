/** Who may do what with an inode: path_resolution(7), "Permissions", and the sticky bit of inode(7). */
import { R_OK, W_OK, X_OK } from '../../abi/fcntl.ts';
import { isDirectory, S_ISVTX } from '../../abi/stat.ts';
import type { Attributes } from '../../fs/contract.ts';
import type { Actor } from './actor.ts';

type Owned = Pick<Attributes, 'mode' | 'uid' | 'gid'>;

export const inGroup = (actor: Actor, gid: number): boolean => actor.gid === gid || actor.groups.includes(gid);

/** Whether all of `wanted` (R_OK | W_OK | X_OK) is granted. Root may all but execute a file without any x bit. */
export const permits = (actor: Actor, inode: Owned, wanted: number): boolean => {
  const { mode } = inode;
  if (actor.uid === 0) return (wanted & X_OK) === 0 || isDirectory(mode) || (mode & 0o111) !== 0;
  const granted = actor.uid === inode.uid ? mode >>> 6 : inGroup(actor, inode.gid) ? mode >>> 3 : mode;
  return (granted & wanted & (R_OK | W_OK | X_OK)) === wanted;
};

export const owns = (actor: Actor, inode: Owned): boolean => actor.uid === 0 || actor.uid === inode.uid;

/** Whether an entry of the directory may be removed or renamed: sticky directories give only owners that right. */
export const mayRemoveFrom = (actor: Actor, directory: Owned, inode: Owned): boolean =>
  permits(actor, directory, W_OK | X_OK) &&
  ((directory.mode & S_ISVTX) === 0 || owns(actor, directory) || owns(actor, inode));
