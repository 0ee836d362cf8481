/**
 * One number for an inode of any file system: what mappings, locks and holds are keyed by. Usual ones fit 30 bits, which
 * JavaScript engines keep unboxed; the rest take 53.
 *
 *     superblock < 2^10 and inode < 2^20:  superblock · 2^20 + inode
 *     otherwise:                           superblock · 2^32 + inode     (at least 2^32, for superblocks start at 1)
 */
const SMALL = 1 << 20;
const WORD = 0x1_0000_0000;

export const numberOf = (superblock: number, ino: number): number =>
  ino < SMALL && superblock < 1024 ? superblock * SMALL + ino : superblock * WORD + ino;

export const superblockOf = (object: number): number =>
  object < WORD ? Math.floor(object / SMALL) : Math.floor(object / WORD);

export const inodeOf = (object: number): number => (object < WORD ? object % SMALL : object % WORD);
