/**
 * System V segments (shmget(2)): identifiers, permission, attach counts, deferred destruction.
 *
 * Invariants: `attached` is the number of regions, in all processes, that map the segment; a segment marked SHM_DEST is
 * gone as soon as that is 0. Its pages are a shared object of the kernel, released with the segment.
 */
import { CAP_IPC_OWNER, capabilityBit } from '../../abi/credentials.ts';
import { EACCES, EINVAL, Errno, type Result } from '../../abi/errno.ts';
import { IPC_PRIVATE, SHM_DEST, SHMMNI } from '../../abi/shm.ts';
import type { ProcessView } from '../../ipc/kernel-calls.ts';
import type { ShmSegment } from './rows.ts';
import type { MemoryServer } from './state.ts';

/** Identifiers are index + SEQUENCE_STEP × sequence, as Linux makes them. */
const SEQUENCE_STEP = 0x8000;

export const seconds = (m: MemoryServer): number => m.context.realtime().seconds;

/** Index and identifier for a new segment; undefined if all are taken. */
export const nextId = (m: MemoryServer): { index: number; id: number } | undefined => {
  let index = 0;
  while (m.segments.has(index)) index++;
  if (index >= SHMMNI) return undefined;
  const state = m.segmentIds.edit(0) ?? { last: -1, sequence: 0 };
  if (index <= state.last) state.sequence = (state.sequence + 1) % 0x1_0000;
  state.last = index;
  m.segmentIds.set(0, state);
  return { index, id: index + SEQUENCE_STEP * state.sequence };
};

export const sequenceOf = (id: number): number => Math.floor(id / SEQUENCE_STEP);

/** Index of the segment with an identifier. EINVAL. */
export const indexOf = (m: MemoryServer, id: number): Result<number> => {
  if (id < 0) return EINVAL;
  const index = id % SEQUENCE_STEP;
  return m.segments.get(index)?.id === id ? index : EINVAL;
};

/** Whether a process may access a segment as the permission bits `wanted` (0o444, 0o666, …) say. EACCES. */
export const mayAccess = (segment: Readonly<ShmSegment>, who: ProcessView, wanted: number): Errno | undefined => {
  if ((who.capabilities.effective & capabilityBit(CAP_IPC_OWNER)) !== 0n) return undefined;
  const asked = (wanted >> 6) | (wanted >> 3) | wanted;
  let granted = segment.mode;
  if (who.euid === segment.uid || who.euid === segment.cuid) granted >>= 6;
  else if ([who.egid, ...who.groups].some((group) => group === segment.gid || group === segment.cgid)) granted >>= 3;
  return (asked & ~granted & 7) === 0 ? undefined : EACCES;
};

const edit = (m: MemoryServer, object: number): [number, ShmSegment] | undefined => {
  const found = m.segmentByObject.get(object);
  const segment = found === undefined ? undefined : m.segments.edit(found.index);
  return segment === undefined ? undefined : [found!.index, segment];
};

/** A region more maps the object. */
export const attach = (m: MemoryServer, object: number): void => {
  const found = edit(m, object);
  if (found !== undefined) found[1].attached++;
};

/** A region less maps the object. */
export const detach = (m: MemoryServer, object: number, pid: number): void => {
  const found = edit(m, object);
  if (found === undefined) return;
  const [index, segment] = found;
  segment.attached--;
  segment.dtime = seconds(m);
  segment.lpid = pid;
  if (segment.attached === 0 && (segment.mode & SHM_DEST) !== 0) destroy(m, index, segment);
};

/** Marks a segment for destruction; it goes at once if nothing maps it. Its key is free from now on. */
export const markDestroyed = (m: MemoryServer, index: number): void => {
  const segment = m.segments.edit(index);
  if (segment === undefined) return;
  if (segment.key !== IPC_PRIVATE) m.segmentByKey.delete(segment.key);
  segment.key = IPC_PRIVATE;
  segment.mode |= SHM_DEST;
  if (segment.attached === 0) destroy(m, index, segment);
};

const destroy = (m: MemoryServer, index: number, segment: Readonly<ShmSegment>): void => {
  m.segments.delete(index);
  m.segmentByObject.delete(segment.object);
  const released = m.context.kernel.releaseShared(segment.object);
  if (released instanceof Errno) m.context.kernel.log(`shared object ${segment.object}: ${released.text}`);
};
