/**
 * Contents of ramfs files: writing under a limit of pages, truncation, holes. `blocks` of an inode and `pages` of the usage
 * row follow what the store's contents have allocated.
 */
import { EFBIG, ENOENT, ENOSPC, ENXIO, EOPNOTSUPP, type Result } from '../../abi/errno.ts';
import type { Time } from '../../abi/stat.ts';
import type { Inode, Tables } from './rows.ts';

export const PAGE = 4096;
/** Largest size of a file: the integers that messages carry. */
export const MAX_FILE = 2 ** 52;
/** Holes are searched for and punched page by page, in at most this many bytes a call. */
const SCAN_LIMIT = 1 << 28;

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

const isZero = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
};

/**
 * The store does not say which pages exist: pages of zeros count as holes, and what is too much to look through as data;
 * lseek(2) permits both.
 */
export const seekData = (tables: Tables, ino: number, offset: number, data: boolean): Result<number> => {
  const row = tables.inodes.get(ino);
  if (row === undefined) return ENOENT;
  if (offset >= row.size) return ENXIO;
  if (isDense(row) || (row.blocks > 0 && row.size - offset > SCAN_LIMIT)) return data ? offset : row.size;
  if (row.blocks === 0) return data ? ENXIO : offset;
  const page = new Uint8Array(PAGE);
  for (let at = offset - (offset % PAGE); at < row.size; at += PAGE) {
    const count = tables.data.read(ino, at, page);
    if (isZero(page.subarray(0, count)) !== data) return Math.max(at, offset);
  }
  return data ? ENXIO : row.size;
};

export const punchData = (tables: Tables, ino: number, offset: number, length: number, time: Time): Result<void> => {
  const row = tables.inodes.edit(ino);
  if (row === undefined) return ENOENT;
  const end = Math.min(offset + length, row.size);
  if (end === row.size && offset < end) {
    tables.data.truncate(ino, offset);
    tables.data.truncate(ino, end);
  } else if (row.blocks > 0) {
    if (end - offset > SCAN_LIMIT) return EOPNOTSUPP;
    const zeros = new Uint8Array(PAGE);
    const page = new Uint8Array(PAGE);
    for (let at = offset; at < end; ) {
      const count = Math.min(PAGE - (at % PAGE), end - at);
      tables.data.read(ino, at, page.subarray(0, count));
      if (!isZero(page.subarray(0, count))) tables.data.write(ino, at, zeros.subarray(0, count));
      at += count;
    }
  }
  changed(row, time);
  account(tables, ino, row);
  return undefined;
};
