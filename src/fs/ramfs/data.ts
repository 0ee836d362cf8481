/**
 * Contents of ramfs files: writing under a limit of pages, truncation, holes. `blocks` of an inode and `pages` of the usage
 * row follow what the store's contents have allocated.
 */
import { EFBIG, ENOENT, ENOSPC, ENXIO, type Result } from '../../abi/errno.ts';
import type { Time } from '../../abi/stat.ts';
import type { Inode, Tables } from './rows.ts';

export const PAGE = 4096;
/** Largest size of a file: the integers that messages carry. */
export const MAX_FILE = 2 ** 52;

/** Brings `blocks` and the usage row up to date after contents have changed. */
const account = (tables: Tables, ino: number, row: Inode): void => {
  const pages = Math.ceil(tables.data.allocated(ino) / PAGE);
  const before = row.blocks / 8;
  if (pages === before) return;
  tables.usage.edit(0)!.pages += pages - before;
  row.blocks = pages * 8;
};

const changed = (row: Inode, time: Time): void => {
  row.mtime = time;
  row.ctime = time;
  row.version++;
};

const isDense = (row: Inode): boolean => row.blocks / 8 === Math.ceil(row.size / PAGE);

/** How many bytes of a write fit: pages behind the last allocated one count as new, so does every page of a sparse file. */
const room = (tables: Tables, row: Inode, offset: number, length: number, maxPages: number): number => {
  const free = maxPages - tables.usage.get(0)!.pages;
  const present = isDense(row) ? Math.ceil(row.size / PAGE) * PAGE : 0;
  const firstNew = Math.max(offset, present);
  const lastFitting = (Math.floor(firstNew / PAGE) + free) * PAGE;
  return Math.max(0, Math.min(length, lastFitting - offset));
};

export const writeData = (
  tables: Tables,
  ino: number,
  offset: number,
  bytes: Uint8Array,
  maxPages: number,
  time: Time,
): Result<number> => {
  const row = tables.inodes.edit(ino);
  if (row === undefined) return ENOENT;
  if (offset + bytes.length > MAX_FILE) return EFBIG;
  let count = bytes.length;
  if (maxPages !== Infinity) {
    count = room(tables, row, offset, count, maxPages);
    if (count === 0 && bytes.length > 0) return ENOSPC;
    if (count < bytes.length) bytes = bytes.subarray(0, count);
  }
  tables.data.write(ino, offset, bytes);
  if (offset + count > row.size) row.size = offset + count;
  changed(row, time);
  account(tables, ino, row);
  return count;
};

export const truncateData = (tables: Tables, ino: number, size: number, time: Time): Result<void> => {
  const row = tables.inodes.edit(ino);
  if (row === undefined) return ENOENT;
  if (size > MAX_FILE) return EFBIG;
  tables.data.truncate(ino, size);
  row.size = size;
  changed(row, time);
  account(tables, ino, row);
  return undefined;
};

export const seekData = (tables: Tables, ino: number, offset: number, data: boolean): Result<number> => {
  const row = tables.inodes.get(ino);
  if (row === undefined) return ENOENT;
  if (offset >= row.size) return ENXIO;
  return data ? (tables.data.nextData(ino, offset) ?? ENXIO) : tables.data.nextHole(ino, offset);
};

export const punchData = (tables: Tables, ino: number, offset: number, length: number, time: Time): Result<void> => {
  const row = tables.inodes.edit(ino);
  if (row === undefined) return ENOENT;
  tables.data.punch(ino, offset, length);
  changed(row, time);
  account(tables, ino, row);
  return undefined;
};
