/**
 * The rows of the memory manager's tables. Names follow the reference (ProcessMemory, MemoryRegion, ShmSegment). Rows hold
 * numbers and shared strings only; a region is keyed by its start, so it does not repeat it.
 */
import type { Backing } from '../../ipc/kernel-calls.ts';

/** Flags of a region. */
export const SHARED = 1;
/** `object` is a file of the VFS; with SHARED but without FILE it is a shared object of the kernel. */
export const FILE = 2;
/** Grows downwards on faults below it. */
export const STACK = 4;
/** An attached System V segment. */
export const SHM = 8;
export const LOCKED = 16;
/** madvise: left out of a child; emptied in a child. */
export const NO_FORK = 32;
export const WIPE_ON_FORK = 64;
/** A shared mapping of a file that is not open for writing: mprotect may not make it writable. */
export const NO_WRITE = 128;

export interface MemoryRegion {
  /** Bytes. */
  length: number;
  prot: number;
  flags: number;
  /** What backs it, −1 for zeros. */
  object: number;
  /** Position in the object of the region's start. */
  offset: number;
  /** As /proc/PID/maps shows it. */
  name: string;
}

export interface ProcessMemory {
  heapStart: number;
  /** The break as brk(2) reports it: any byte, not only page boundaries. */
  heapBreak: number;
  heapMax: number;
  /** Where the search outside the mmap zone goes on (free-space.ts). */
  mmapHint: number;
  /** The mmap zone. */
  zoneStart: number;
  zoneEnd: number;
  /** Low 32 bits, within the zone's slots, between which lie all accessible regions outside the zone. */
  foreignLow: number;
  foreignHigh: number;
  /** Total of all regions, and of the private writable ones (RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK). */
  virtualBytes: number;
  dataBytes: number;
  lockedBytes: number;
  /** mlockall(MCL_FUTURE): new regions are locked, and brought in at once or, with MCL_ONFAULT, when touched. */
  lockFuture: 'no' | 'now' | 'on fault';
}

export interface ShmSegment {
  /** What shmget returned: index + 32768 × sequence. */
  id: number;
  key: number;
  size: number;
  /** Permission bits, SHM_DEST and SHM_LOCKED. */
  mode: number;
  uid: number;
  gid: number;
  cuid: number;
  cgid: number;
  /** Regions that map it. */
  attached: number;
  /** The kernel's shared object. */
  object: number;
  atime: number;
  dtime: number;
  ctime: number;
  cpid: number;
  lpid: number;
}

/** What backs a region, as the kernel calls take it. */
export const backingOf = (region: Readonly<MemoryRegion>): Backing => {
  if (region.object < 0) return { kind: 'zero' };
  if ((region.flags & SHARED) === 0) return { kind: 'file', object: region.object, offset: region.offset };
  return { kind: 'shared', object: region.object, offset: region.offset, file: (region.flags & FILE) !== 0 };
};
