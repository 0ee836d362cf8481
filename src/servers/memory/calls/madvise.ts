/** madvise(2), mincore(2), msync(2). */
import { EBUSY, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, Errno } from '../../../abi/errno.ts';
import * as mman from '../../../abi/mman.ts';
import { change, covered, type Entry, endOf, overlapping } from '../regions.ts';
import { FILE, LOCKED, NO_FORK, SHARED, WIPE_ON_FORK } from '../rows.ts';
import { aligned, inUserSpace, type MemoryHandlers, type MemoryServer, pageUp, wrappedUp, wraps } from '../state.ts';

/** What an advice does to the part [start, end) of a region. */
type Advise = (m: MemoryServer, pid: number, start: number, end: number, entry: Entry) => Errno | undefined;

const nothing: Advise = () => undefined;

const setFlags =
  (on: number, off: number, privateOnly: boolean): Advise =>
  (m, pid, start, end, [, region]) => {
    if (privateOnly && ((region.flags & SHARED) !== 0 || region.object >= 0)) return EINVAL;
    change(m, pid, start, end, (row) => {
      row.flags = (row.flags | on) & ~off;
    });
    return undefined;
  };

const ADVICE = new Map<number, Advise>([
  [mman.MADV_NORMAL, nothing],
  [mman.MADV_RANDOM, nothing],
  [mman.MADV_SEQUENTIAL, nothing],
  [mman.MADV_WILLNEED, nothing],
  [
    mman.MADV_DONTNEED,
    (m, pid, start, end, [, region]) => {
      if ((region.flags & LOCKED) !== 0) return EINVAL;
      const discarded = m.context.kernel.discardPages(pid, start, end - start);
      return discarded instanceof Errno ? discarded : undefined;
    },
  ],
  // The pages may be reclaimed while memory is short; until then they keep their contents, as here.
  [
    mman.MADV_FREE,
    (_m, _pid, _start, _end, [, region]) =>
      (region.flags & (SHARED | LOCKED)) !== 0 || region.object >= 0 ? EINVAL : undefined,
  ],
  [mman.MADV_REMOVE, (_m, _pid, _start, _end, [, region]) => ((region.flags & SHARED) === 0 ? EINVAL : EOPNOTSUPP)],
  [mman.MADV_DONTFORK, setFlags(NO_FORK, 0, false)],
  [mman.MADV_DOFORK, setFlags(0, NO_FORK, false)],
  [mman.MADV_WIPEONFORK, setFlags(WIPE_ON_FORK, 0, true)],
  [mman.MADV_KEEPONFORK, setFlags(0, WIPE_ON_FORK, false)],
  [mman.MADV_MERGEABLE, nothing],
  [mman.MADV_UNMERGEABLE, nothing],
  [mman.MADV_HUGEPAGE, nothing],
  [mman.MADV_NOHUGEPAGE, nothing],
  [mman.MADV_DONTDUMP, nothing],
  [mman.MADV_DODUMP, nothing],
  [mman.MADV_COLD, nothing],
  [mman.MADV_PAGEOUT, nothing],
]);

export const madviseCalls = (m: MemoryServer): Pick<MemoryHandlers, 'madvise' | 'mincore' | 'msync'> => ({
  /** Holes do not stop it, but are reported at the end. */
  madvise({ addr, length, advice }, { caller: { pid } }) {
    const advise = ADVICE.get(advice);
    if (advise === undefined || !aligned(addr) || length < 0) return EINVAL;
    if (length === 0) return { result: 0 };
    if (wraps(addr, length)) return EINVAL;
    const end = addr + pageUp(length);
    const entries = overlapping(m, pid, addr, end);
    for (const entry of entries) {
      const refused = advise(m, pid, Math.max(addr, entry[0]), Math.min(end, endOf(entry)), entry);
      if (refused !== undefined) return refused;
    }
    return covered(entries, addr, end) ? { result: 0 } : ENOMEM;
  },

  mincore({ addr, length, vec }, { caller: { pid } }) {
    if (!aligned(addr)) return EINVAL;
    if (length < 0 || !inUserSpace(addr, length)) return ENOMEM;
    if (length === 0) return { result: 0 };
    if (vec === null) return EFAULT;
    const end = addr + pageUp(length);
    if (!covered(overlapping(m, pid, addr, end), addr, end)) return ENOMEM;
    const resident = m.context.kernel.residentPages(pid, addr, end - addr);
    if (resident instanceof Errno) return resident;
    const written = m.context.copyOut(vec, 0, resident);
    if (written instanceof Errno) return written;
    return written < resident.length ? EFAULT : { result: 0 };
  },

  msync({ addr, length, flags }, { caller: { pid } }) {
    if ((flags & ~(mman.MS_ASYNC | mman.MS_INVALIDATE | mman.MS_SYNC)) !== 0) return EINVAL;
    if ((flags & mman.MS_ASYNC) !== 0 && (flags & mman.MS_SYNC) !== 0) return EINVAL;
    if (!aligned(addr)) return EINVAL;
    if (wrappedUp(length) === 0) return { result: 0 };
    if (!inUserSpace(addr, length)) return ENOMEM;
    const end = addr + pageUp(length);
    const entries = overlapping(m, pid, addr, end);
    for (const entry of entries) {
      const { flags: kind } = entry[1];
      if ((flags & mman.MS_INVALIDATE) !== 0 && (kind & LOCKED) !== 0) return EBUSY;
      if ((flags & mman.MS_SYNC) === 0 || (kind & SHARED) === 0 || (kind & FILE) === 0) continue;
      const from = Math.max(addr, entry[0]);
      const synced = m.context.kernel.syncPages(pid, from, Math.min(end, endOf(entry)) - from);
      if (synced instanceof Errno) return synced;
    }
    return covered(entries, addr, end) ? { result: 0 } : ENOMEM;
  },
});
