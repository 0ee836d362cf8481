/**
 * The regions of a process: looking them up, adding, removing and changing parts of them with splitting and merging, and
 * the totals that limits are checked against. All changes of region rows go through `add`, `remove` and `change`.
 *
 * Invariants: regions are page-aligned, disjoint, not empty; neighbours alike in everything are one row (attached
 * segments excepted: every shmat counts); the totals in ProcessMemory and the attach counts of segments agree with the rows.
 */
import { PROT_WRITE } from '../../abi/mman.ts';
import { claimSlots, occupy, vacate } from './free-space.ts';
import { LOCKED, type MemoryRegion, type ProcessMemory, SHARED, SHM, STACK } from './rows.ts';
import { attach, detach } from './segments.ts';
import { editProcess, type MemoryServer } from './state.ts';

export type Entry = [start: number, region: Readonly<MemoryRegion>];

export const endOf = ([start, region]: Entry): number => start + region.length;

/** The region that holds an address. */
export const regionAt = (m: MemoryServer, pid: number, address: number): Entry | undefined => {
  const entry = m.regions.floor(pid, address);
  return entry !== undefined && address < endOf(entry) ? entry : undefined;
};

/** Regions that meet [start, end), ascending. */
export const overlapping = (m: MemoryServer, pid: number, start: number, end: number): Entry[] => {
  const first = regionAt(m, pid, start);
  return m.regions.range(pid, first === undefined ? start : first[0], end);
};

/** Whether regions cover [start, end) without a hole. */
export const covered = (entries: readonly Entry[], start: number, end: number): boolean => {
  let at = start;
  for (const entry of entries) {
    if (entry[0] > at) return false;
    at = endOf(entry);
  }
  return at >= end;
};

/** Brings in what is accessible within [start, end). Best effort: whoever touches a page that is missing still gets it. */
export const populate = (m: MemoryServer, pid: number, start: number, end: number): void => {
  for (const entry of overlapping(m, pid, start, end)) {
    if (entry[1].prot === 0) continue;
    const from = Math.max(start, entry[0]);
    void m.context.kernel.populatePages(pid, from, Math.min(end, endOf(entry)) - from);
  }
};

/** Private and writable: counts against RLIMIT_DATA. */
export const isData = (prot: number, flags: number): boolean =>
  (prot & PROT_WRITE) !== 0 && (flags & (SHARED | STACK)) === 0;

const count = (process: ProcessMemory, region: Readonly<MemoryRegion>, sign: 1 | -1): void => {
  process.virtualBytes += sign * region.length;
  if (isData(region.prot, region.flags)) process.dataBytes += sign * region.length;
  if ((region.flags & LOCKED) !== 0) process.lockedBytes += sign * region.length;
};

const mergeable = (left: Entry, right: Entry): boolean => {
  const [start, a] = left;
  const [next, b] = right;
  return (
    start + a.length === next &&
    a.prot === b.prot &&
    a.flags === b.flags &&
    a.object === b.object &&
    a.name === b.name &&
    (a.object < 0 || a.offset + a.length === b.offset) &&
    (a.flags & SHM) === 0
  );
};

/** Joins the region that starts at `start` to its neighbours if nothing distinguishes them. */
const merge = (m: MemoryServer, pid: number, start: number): void => {
  let here: Entry = [start, m.regions.get(pid, start)!];
  const before = m.regions.floor(pid, start - 1);
  if (before !== undefined && mergeable(before, here)) {
    m.regions.delete(pid, start);
    const row = m.regions.edit(pid, before[0])!;
    row.length += here[1].length;
    here = [before[0], row];
  }
  const after = m.regions.get(pid, endOf(here));
  if (after !== undefined && mergeable(here, [endOf(here), after])) {
    m.regions.delete(pid, endOf(here));
    m.regions.edit(pid, here[0])!.length += after.length;
  }
};

/** Makes `at` a boundary: a region that spans it becomes two. */
const split = (m: MemoryServer, pid: number, at: number): void => {
  const entry = regionAt(m, pid, at);
  if (entry === undefined || entry[0] === at) return;
  const [start, region] = entry;
  const head = at - start;
  const offset = region.object < 0 ? 0 : region.offset + head;
  const tail = { ...region, length: region.length - head, offset };
  m.regions.edit(pid, start)!.length = head;
  m.regions.set(pid, at, tail);
  if ((region.flags & SHM) !== 0) attach(m, region.object);
};

/** Adds a region where nothing is mapped. */
export const add = (m: MemoryServer, pid: number, start: number, region: MemoryRegion): void => {
  const process = editProcess(m, pid);
  count(process, region, 1);
  claimSlots(process, start, region);
  occupy(m, pid, process, start, start + region.length);
  m.regions.set(pid, start, region);
  if ((region.flags & SHM) !== 0) attach(m, region.object);
  merge(m, pid, start);
};

/** Removes what is mapped within [start, end), splitting at its ends; returns what was there. */
export const remove = (m: MemoryServer, pid: number, start: number, end: number): Entry[] => {
  if (overlapping(m, pid, start, end).length === 0) return [];
  split(m, pid, start);
  split(m, pid, end);
  const removed = overlapping(m, pid, start, end);
  const process = editProcess(m, pid);
  for (const entry of removed) {
    const [at, region] = entry;
    m.regions.delete(pid, at);
    vacate(m, pid, process, at, endOf(entry));
    count(process, region, -1);
    if ((region.flags & SHM) !== 0) detach(m, region.object, pid);
  }
  return removed;
};

/** Changes protection or flags of what is mapped within [start, end); `mutate` may change `prot` and `flags` only. */
export const change = (
  m: MemoryServer,
  pid: number,
  start: number,
  end: number,
  mutate: (region: MemoryRegion) => void,
): void => {
  split(m, pid, start);
  split(m, pid, end);
  const process = editProcess(m, pid);
  const entries = overlapping(m, pid, start, end);
  for (const [at, region] of entries) {
    count(process, region, -1);
    const row = m.regions.edit(pid, at)!;
    mutate(row);
    count(process, row, 1);
    claimSlots(process, at, row);
  }
  for (const [at] of entries) if (m.regions.get(pid, at) !== undefined) merge(m, pid, at);
};
