/** Who may do what with an inode: path_resolution(7), "Permissions", and the sticky bit of inode(7). */
import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, capabilityBit } from '../../abi/credentials.ts';
import { R_OK, W_OK, X_OK } from '../../abi/fcntl.ts';
import { isDirectory, S_ISVTX } from '../../abi/stat.ts';
import type { Attributes } from '../../fs/contract.ts';
import type { Actor } from './actor.ts';

type Owned = Pick<Attributes, 'mode' | 'uid' | 'gid'>;

export const inGroup = (actor: Actor, gid: number): boolean => actor.gid === gid || actor.groups.includes(gid);

export const capable = (actor: Pick<Actor, 'capabilities'>, capability: number): boolean =>
  (actor.capabilities & capabilityBit(capability)) !== 0n;

/**
 * Whether all of `wanted` (R_OK | W_OK | X_OK) is granted. CAP_DAC_OVERRIDE grants all but executing a file without any x bit,
 * CAP_DAC_READ_SEARCH reading, and searching directories (capabilities(7)).
 */
export const permits = (actor: Actor, inode: Owned, wanted: number): boolean => {
  const { mode } = inode;
  const granted = actor.uid === inode.uid ? mode >>> 6 : inGroup(actor, inode.gid) ? mode >>> 3 : mode;
  if ((granted & wanted & (R_OK | W_OK | X_OK)) === wanted) return true;
  if (capable(actor, CAP_DAC_OVERRIDE) && ((wanted & X_OK) === 0 || isDirectory(mode) || (mode & 0o111) !== 0))
    return true;
  return (isDirectory(mode) ? (wanted & W_OK) === 0 : wanted === R_OK) && capable(actor, CAP_DAC_READ_SEARCH);
};

export const owns = (actor: Actor, inode: Owned): boolean => actor.uid === inode.uid || capable(actor, CAP_FOWNER);

/** Whether an entry of the directory may be removed or renamed: sticky directories give only owners that right. */
export const mayRemoveFrom = (actor: Actor, directory: Owned, inode: Owned): boolean =>
  permits(actor, directory, W_OK | X_OK) &&
  ((directory.mode & S_ISVTX) === 0 || owns(actor, directory) || owns(actor, inode));
