/**
 * Where a new mapping goes. Accessible pages should have their low 32 bits to themselves (memory/layout.ts), so mappings
 * are placed in the *zone*: one stretch of addresses whose slots no image, heap or stack takes.
 *
 *     0x7000_4000_0000  zone start      mappings, upwards from here      zone end = slots of the stack, less a gap
 *     0x7001_0000_0000  far             large reservations and what the zone cannot hold
 *     0x7fff_fe00_0000  stack top
 *
 * The free stretches of the zone are rows of `gaps`, keyed by (pages, first slot): the best fit is one search, O(log n).
 * Regions outside the zone (a fixed address that the program chose) may share slots with it; `foreignLow`/`foreignHigh`
 * bound them, and a candidate that meets the bounds is checked against each. A clash that cannot be avoided is legal:
 * the memory mechanism serves it, slowly.
 *
 * Invariant: the gaps of a process are exactly the maximal stretches of its zone without a region. `occupy` is called
 * before a region's row is inserted, `vacate` after it was deleted.
 */

import { MMAP_MIN_ADDR } from '../../abi/mman.ts';
import { GUEST_LIMIT, MMAP_END, MMAP_HIGH, MMAP_LOW, PAGE_SIZE, WINDOW_SIZE } from '../../memory/layout.ts';
import type { MemoryRegion, ProcessMemory } from './rows.ts';
import { STACK } from './rows.ts';
import type { MemoryServer } from './state.ts';

/** Where a process's mappings beyond its zone start: in the next stretch of addresses with the same slots. */
export const farStart = (zoneStart: number): number => zoneStart - (zoneStart % WINDOW_SIZE) + WINDOW_SIZE;
const FAR_END = MMAP_END - (MMAP_END % WINDOW_SIZE);
/** Inaccessible reservations from this size on do not take room in the zone. */
const LARGE_RESERVATION = 0x1000_0000;
/** Slots a gap key can tell apart. */
const SLOTS = WINDOW_SIZE / PAGE_SIZE;
const GAP = Object.freeze({});

type Zone = Pick<Readonly<ProcessMemory>, 'zoneStart' | 'zoneEnd'>;

/** The multiple of 4 GiB below a process's zone. */
const windowOf = ({ zoneStart }: Zone): number => zoneStart - (zoneStart % WINDOW_SIZE);

const gapKey = (start: number, end: number): number =>
  ((end - start) / PAGE_SIZE) * SLOTS + (start % WINDOW_SIZE) / PAGE_SIZE;

const addGap = (m: MemoryServer, pid: number, start: number, end: number): void => {
  if (end > start) m.gaps.set(pid, gapKey(start, end), GAP);
};

const dropGap = (m: MemoryServer, pid: number, start: number, end: number): void => {
  if (end > start) m.gaps.delete(pid, gapKey(start, end));
};

/** Makes the whole zone free. */
export const openZone = (m: MemoryServer, pid: number, zoneStart: number, zoneEnd: number): void => {
  m.gaps.clear(pid);
  addGap(m, pid, zoneStart, zoneEnd);
};

/** End of the last region before an address, and start of the first from it on, within the zone. */
const neighbours = (
  m: MemoryServer,
  pid: number,
  { zoneStart, zoneEnd }: Zone,
  start: number,
  end: number,
): [number, number] => {
  const before = m.regions.floor(pid, start);
  const after = m.regions.ceiling(pid, end);
  return [
    before === undefined ? zoneStart : Math.max(zoneStart, before[0] + before[1].length),
    after === undefined ? zoneEnd : Math.min(zoneEnd, after[0]),
  ];
};

/** A region is about to take [start, end), which is free. */
export const occupy = (m: MemoryServer, pid: number, zone: Zone, start: number, end: number): void => {
  if (end <= zone.zoneStart || start >= zone.zoneEnd) return;
  const [left, right] = neighbours(m, pid, zone, start, end);
  dropGap(m, pid, left, right);
  addGap(m, pid, left, start);
  addGap(m, pid, end, right);
};

/** The region at [start, end) is gone. */
export const vacate = (m: MemoryServer, pid: number, zone: Zone, start: number, end: number): void => {
  if (end <= zone.zoneStart || start >= zone.zoneEnd) return;
  const [left, right] = neighbours(m, pid, zone, start, end);
  dropGap(m, pid, left, start);
  dropGap(m, pid, end, right);
  addGap(m, pid, left, right);
};

/** An accessible region outside the zone takes slots: widens the bounds within which candidates are checked. */
export const claimSlots = (process: ProcessMemory, start: number, region: Readonly<MemoryRegion>): void => {
  const end = start + region.length;
  if (region.prot === 0 || (region.flags & STACK) !== 0 || (start >= process.zoneStart && end <= process.zoneEnd))
    return;
  const low = start % WINDOW_SIZE;
  const high = low + region.length;
  if (high > WINDOW_SIZE) {
    process.foreignLow = MMAP_LOW;
    process.foreignHigh = MMAP_HIGH;
  } else if (high > MMAP_LOW && low < MMAP_HIGH) {
    process.foreignLow = Math.min(process.foreignLow, Math.max(low, MMAP_LOW));
    process.foreignHigh = Math.max(process.foreignHigh, Math.min(high, MMAP_HIGH));
  }
};

/** End (low 32 bits) of an accessible region outside the zone whose slots meet [low, high), or 0. */
const foreignConflict = (
  m: MemoryServer,
  pid: number,
  process: Readonly<ProcessMemory>,
  low: number,
  high: number,
): number => {
  if (high <= process.foreignLow || low >= process.foreignHigh) return 0;
  const rows = [...m.regions.range(pid, 0, process.zoneStart), ...m.regions.range(pid, process.zoneEnd)];
  for (const [start, region] of rows) {
    if (region.prot === 0 || (region.flags & STACK) !== 0) continue;
    const from = start % WINDOW_SIZE;
    const to = from + region.length;
    if (from < high && to > low) return to;
    if (to > WINDOW_SIZE && to - WINDOW_SIZE > low) return to - WINDOW_SIZE;
  }
  return 0;
};

/** Best fit in the zone; `strict` refuses slots that a region outside it takes. */
const findInZone = (
  m: MemoryServer,
  pid: number,
  process: Readonly<ProcessMemory>,
  length: number,
  strict: boolean,
): number | undefined => {
  let gap = m.gaps.ceiling(pid, (length / PAGE_SIZE) * SLOTS);
  while (gap !== undefined) {
    const low = (gap[0] % SLOTS) * PAGE_SIZE;
    const end = low + Math.floor(gap[0] / SLOTS) * PAGE_SIZE;
    for (let at = low; at + length <= end; ) {
      const conflict = strict ? foreignConflict(m, pid, process, at, at + length) : 0;
      if (conflict === 0) return windowOf(process) + at;
      at = Math.max(conflict, at + PAGE_SIZE);
    }
    gap = m.gaps.ceiling(pid, gap[0] + 1);
  }
  return undefined;
};

/** First free stretch in [from, to) going up from region to region. */
const findAbove = (m: MemoryServer, pid: number, from: number, to: number, length: number): number | undefined => {
  let at = from;
  const before = m.regions.floor(pid, at);
  if (before !== undefined) at = Math.max(at, before[0] + before[1].length);
  while (at + length <= to) {
    const next = m.regions.ceiling(pid, at);
    if (next === undefined || next[0] >= at + length) return at;
    at = next[0] + next[1].length;
  }
  return undefined;
};

const findFar = (m: MemoryServer, pid: number, process: ProcessMemory, length: number): number | undefined => {
  const start = farStart(process.zoneStart);
  let from = Math.max(start, process.mmapHint);
  // Start where slots are, in case parts of it become accessible.
  const low = from % WINDOW_SIZE;
  if (low < MMAP_LOW) from += MMAP_LOW - low;
  else if (low + Math.min(length, MMAP_HIGH - MMAP_LOW) > MMAP_HIGH) from += WINDOW_SIZE - low + MMAP_LOW;
  const found = findAbove(m, pid, from, FAR_END, length) ?? findAbove(m, pid, start, FAR_END, length);
  if (found !== undefined) process.mmapHint = found + length;
  return found;
};

/** Whether [start, start + length) meets no region. */
export const isFree = (m: MemoryServer, pid: number, start: number, length: number): boolean => {
  const last = m.regions.floor(pid, start + length - 1);
  return last === undefined || last[0] + last[1].length <= start;
};

/** Whether the slots of [start, start + length) are taken by no accessible page elsewhere. */
export const slotsFree = (
  m: MemoryServer,
  pid: number,
  process: Readonly<ProcessMemory>,
  start: number,
  length: number,
): boolean => {
  const low = start % WINDOW_SIZE;
  const high = low + length;
  if (high > GUEST_LIMIT) return false;
  const base = start - low;
  // The halves that hold anything by default: image and heap, mappings, stack.
  for (const half of [0, windowOf(process), FAR_END]) {
    if (half === base) continue;
    const below = m.regions.floor(pid, half + high - 1);
    if (below !== undefined && below[0] + below[1].length > half + low && below[1].prot !== 0) return false;
  }
  if (base !== FAR_END && high > process.zoneEnd - windowOf(process) && low < MMAP_HIGH) return false;
  return foreignConflict(m, pid, process, low, high) === 0;
};

/** An address for a new mapping of `length` bytes, or undefined if there is no room. `process` may be written to. */
export const findFree = (
  m: MemoryServer,
  pid: number,
  process: ProcessMemory,
  length: number,
  prot: number,
): number | undefined => {
  if (prot === 0 && length >= LARGE_RESERVATION) {
    const far = findFar(m, pid, process, length);
    if (far !== undefined) return far;
  }
  return (
    findInZone(m, pid, process, length, true) ??
    findInZone(m, pid, process, length, false) ??
    findFar(m, pid, process, length)
  );
};

/** An address below 2 GiB (MAP_32BIT). */
export const findLow = (m: MemoryServer, pid: number, length: number): number | undefined =>
  findAbove(m, pid, 0x4000_0000, 0x8000_0000, length) ?? findAbove(m, pid, MMAP_MIN_ADDR, 0x8000_0000, length);
