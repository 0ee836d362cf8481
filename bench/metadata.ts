/**
 * Bytes that a server's store takes on the heap: every row is walked and counted as V8 lays values out on a 64-bit host
 * without compressed pointers (header 24 and 8 a member, 16 for a number that is no small integer, strings by length,
 * elements of arrays and maps), plus the slot and the map entry that hold the row. What several rows have in common
 * (frozen objects, shared partitions) is counted once.
 *
 * Entry point: `storeBytes`. File contents are data, not metadata: they are not counted.
 */
import type { TransactionalStore } from '../src/kernel/store/store.ts';

const WORD = 8;
const HEADER = 3 * WORD;
/** Row object's slot, with epoch and serial, and its key, value and chain in a Map. */
const SLOT = HEADER + 3 * WORD + 4 * WORD;

const sizeOf = (value: unknown, seen: Set<unknown>): number => {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 0 : 2 * WORD;
    case 'bigint':
      return 3 * WORD;
    case 'string':
      if (value.length < 2 || seen.has(value)) return 0;
      seen.add(value);
      return 2 * WORD + Math.ceil(value.length / WORD) * WORD;
    case 'object':
      break;
    default:
      return 0;
  }
  if (value === null || seen.has(value)) return 0;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return 12 * WORD + value.byteLength;
  let bytes = HEADER;
  if (Array.isArray(value)) {
    bytes += 3 * WORD + value.length * WORD;
    for (const item of value) bytes += sizeOf(item, seen);
    return bytes;
  }
  if (value instanceof Map || value instanceof Set) {
    bytes += 4 * WORD;
    const items = value instanceof Map ? [...value] : [...value].map((item) => [item]);
    for (const item of items) bytes += 4 * WORD + item.reduce((sum: number, part) => sum + sizeOf(part, seen), 0);
    return bytes;
  }
  for (const member of Object.values(value)) bytes += WORD + sizeOf(member, seen);
  return bytes;
};

export const storeBytes = (store: TransactionalStore): number => {
  const seen = new Set<unknown>();
  let bytes = 0;
  for (const [key, row] of store.rows()) bytes += SLOT + sizeOf(key, seen) + sizeOf(row, seen);
  return bytes;
};
