/**
 * mlock(2) and its family. Nothing is ever paged out here, so a lock brings pages in once and is accounted: RLIMIT_MEMLOCK,
 * MADV_DONTNEED and MS_INVALIDATE on locked pages, locking of future mappings.
 */
import { EINVAL, ENOMEM, EPERM, Errno } from '../../../abi/errno.ts';
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT } from '../../../abi/mman.ts';
import { PAGE_SIZE, USER_LIMIT } from '../../../memory/layout.ts';
import { mayLock } from '../limits.ts';
import { change, endOf, overlapping, populate } from '../regions.ts';
import { LOCKED } from '../rows.ts';
import {
  editProcess,
  getProcess,
  inUserSpace,
  type MemoryHandlers,
  type MemoryServer,
  pageDown,
  pageUp,
  wrappedUp,
  wraps,
} from '../state.ts';

const setLocked = (
  m: MemoryServer,
  pid: number,
  addr: number,
  length: number,
  on: boolean,
): Errno | { result: number } => {
  const start = pageDown(addr);
  if (wrappedUp(length + (addr - start)) === 0) return { result: 0 };
  if (wraps(start, length + (addr - start))) return EINVAL;
  const end = pageUp(addr + length);
  if (!inUserSpace(start, end - start)) return ENOMEM;
  const entries = overlapping(m, pid, start, end);
  if (on) {
    let already = 0;
    for (const entry of entries)
      if ((entry[1].flags & LOCKED) !== 0) already += Math.min(end, endOf(entry)) - Math.max(start, entry[0]);
    const refused = mayLock(m, pid, end - start - already, ENOMEM);
    if (refused !== undefined) return refused;
  }
  // Up to the first hole.
  let at = start;
  for (const entry of entries) {
    if (entry[0] > at) break;
    const from = at;
    at = Math.min(end, endOf(entry));
    change(m, pid, from, at, (row) => {
      row.flags = on ? row.flags | LOCKED : row.flags & ~LOCKED;
    });
  }
  return at >= end ? { result: 0 } : ENOMEM;
};

const setAll = (m: MemoryServer, pid: number, on: boolean): void => {
  for (const entry of m.regions.range(pid, PAGE_SIZE, USER_LIMIT)) {
    // Merging may have swallowed the region meanwhile; what it went into has been changed with it.
    const row = m.regions.get(pid, entry[0]);
    if (row === undefined) continue;
    change(m, pid, entry[0], entry[0] + row.length, (region) => {
      region.flags = on ? region.flags | LOCKED : region.flags & ~LOCKED;
    });
  }
};

export const mlockCalls = (m: MemoryServer): Pick<MemoryHandlers, 'mlock' | 'munlock' | 'mlockall' | 'munlockall'> => ({
  mlock({ addr, length, flags }, { caller: { pid } }) {
    if ((flags & ~MLOCK_ONFAULT) !== 0) return EINVAL;
    const locked = setLocked(m, pid, addr, length, true);
    if (locked instanceof Errno || (flags & MLOCK_ONFAULT) !== 0) return locked;
    // Pages that cannot be brought in at all stay locked, but are reported.
    const start = pageDown(addr);
    const end = pageUp(addr + length);
    populate(m, pid, start, end);
    const entries = overlapping(m, pid, start, end);
    return length > 0 && entries.some(([, region]) => region.prot === 0) ? ENOMEM : locked;
  },

  munlock: ({ addr, length }, { caller: { pid } }) => setLocked(m, pid, addr, length, false),

  mlockall({ flags }, { caller: { pid } }) {
    if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT)
      return EINVAL;
    const current = (flags & MCL_CURRENT) !== 0;
    const { virtualBytes, lockedBytes } = getProcess(m, pid);
    const refused = mayLock(m, pid, current ? virtualBytes - lockedBytes : 0, ENOMEM);
    if (refused === EPERM || (current && refused !== undefined)) return refused;
    const onFault = (flags & MCL_ONFAULT) !== 0;
    editProcess(m, pid).lockFuture = (flags & MCL_FUTURE) === 0 ? 'no' : onFault ? 'on fault' : 'now';
    if (current) setAll(m, pid, true);
    if (current && !onFault) populate(m, pid, 0, USER_LIMIT);
    return { result: 0 };
  },

  munlockall(_request, { caller: { pid } }) {
    editProcess(m, pid).lockFuture = 'no';
    setAll(m, pid, false);
    return { result: 0 };
  },
});
