/** mremap(2). */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, Errno, type Result } from '../../../abi/errno.ts';
import { MMAP_MIN_ADDR, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../../abi/mman.ts';
import { USER_LIMIT } from '../../../memory/layout.ts';
import { findFree, isFree, slotsFree } from '../free-space.ts';
import { mayLock, mayMap } from '../limits.ts';
import { add, type Entry, endOf, populate, regionAt, remove } from '../regions.ts';
import { backingOf, LOCKED, type MemoryRegion, SHARED } from '../rows.ts';
import {
  aligned,
  editProcess,
  getProcess,
  inUserSpace,
  type MemoryHandlers,
  type MemoryServer,
  pageUp,
} from '../state.ts';
import { install, unmap } from './mmap.ts';

/** The part of a region from `start` on, `length` bytes of it. */
const partOf = ([from, region]: Entry, start: number, length: number): MemoryRegion => ({
  ...region,
  length,
  offset: region.object < 0 ? 0 : region.offset + (start - from),
});

/** Makes a region longer where it is. Undefined if there is no room. */
const growInPlace = (m: MemoryServer, pid: number, entry: Entry, more: number): Errno | undefined | 'grown' => {
  const [start, region] = entry;
  const end = start + region.length;
  if (!inUserSpace(end, more) || !isFree(m, pid, end, more)) return undefined;
  if (region.prot !== 0 && !slotsFree(m, pid, getProcess(m, pid), end, more)) return undefined;
  const tail = partOf(entry, end, more);
  const mapped = m.context.kernel.mapPages(pid, end, more, tail.prot, backingOf(tail), tail.name);
  if (mapped instanceof Errno) return mapped;
  add(m, pid, end, tail);
  return 'grown';
};

/** Moves `oldLength` bytes and makes them `newLength` at the new place. */
const moveTo = (
  m: MemoryServer,
  pid: number,
  entry: Entry,
  from: number,
  oldLength: number,
  to: number,
  newLength: number,
  keep: boolean,
): Result<number> => {
  const { kernel } = m.context;
  const whole = partOf(entry, from, newLength);
  const left = partOf(entry, from, oldLength);
  if (oldLength > 0) {
    const moved = kernel.movePages(pid, from, to, oldLength);
    if (moved instanceof Errno) return moved;
    remove(m, pid, from, from + oldLength);
  }
  const more = newLength - oldLength;
  if (more > 0) {
    const tail = partOf([to, whole], to + oldLength, more);
    const mapped = kernel.mapPages(pid, to + oldLength, more, tail.prot, backingOf(tail), tail.name);
    if (mapped instanceof Errno) return mapped;
  }
  if (keep) whole.flags &= ~LOCKED;
  add(m, pid, to, whole);
  if ((whole.flags & LOCKED) !== 0) populate(m, pid, to, to + newLength);
  if (keep) {
    left.flags &= ~LOCKED;
    const kept = install(m, pid, from, left);
    if (kept !== undefined) return kept;
  }
  return to;
};

export const mremapCalls = (m: MemoryServer): Pick<MemoryHandlers, 'mremap'> => ({
  mremap({ oldAddr, oldLength: rawOld, newLength: rawNew, flags, newAddr }, { caller: { pid } }) {
    const mayMove = (flags & MREMAP_MAYMOVE) !== 0;
    const fixed = (flags & MREMAP_FIXED) !== 0;
    const keep = (flags & MREMAP_DONTUNMAP) !== 0;
    if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) return EINVAL;
    if ((fixed || keep) && !mayMove) return EINVAL;
    if (keep && pageUp(rawOld) !== pageUp(rawNew)) return EINVAL;
    if (!aligned(oldAddr)) return EINVAL;
    if (rawNew <= 0 || rawNew > USER_LIMIT) return EINVAL;
    const oldLength = pageUp(rawOld);
    const newLength = pageUp(rawNew);
    if (fixed || keep) {
      if (!aligned(newAddr) || !inUserSpace(newAddr, newLength)) return EINVAL;
      if (newAddr < oldAddr + oldLength && oldAddr < newAddr + newLength) return EINVAL;
      if (fixed && newAddr < MMAP_MIN_ADDR) return EPERM;
    }
    const entry = regionAt(m, pid, oldAddr);
    if (entry === undefined) return EFAULT;
    if (!inUserSpace(oldAddr, oldLength)) return newLength <= oldLength ? EINVAL : EFAULT;
    const [start, region] = entry;

    // Shrinking in place is unmapping the tail; the rest need not be one region.
    if (!fixed && !keep && newLength <= oldLength)
      return unmap(m, pid, oldAddr + newLength, oldLength - newLength) ?? { result: oldAddr };

    // Of a private mapping there is nothing that a second one could show.
    if (oldLength === 0 && (region.flags & SHARED) === 0) return EINVAL;
    // A tail that is cut off first need not belong to the same region.
    if (oldAddr + Math.min(oldLength, newLength) > endOf(entry)) return EFAULT;
    const more = keep ? newLength : Math.max(0, newLength - oldLength);
    if ((region.flags & LOCKED) !== 0) {
      const refused = mayLock(m, pid, more, EAGAIN);
      if (refused !== undefined) return refused;
    }
    const refused = more === 0 ? undefined : mayMap(m, pid, more, region.prot, region.flags);
    if (refused !== undefined) return refused;

    if (fixed) {
      const cleared = unmap(m, pid, newAddr, newLength);
      if (cleared !== undefined) return cleared;
      if (newLength < oldLength) {
        const cut = unmap(m, pid, oldAddr + newLength, oldLength - newLength);
        if (cut !== undefined) return cut;
      }
      const source = regionAt(m, pid, oldAddr)!;
      const to = moveTo(m, pid, source, oldAddr, Math.min(oldLength, newLength), newAddr, newLength, keep);
      return to instanceof Errno ? to : { result: to };
    }
    if (!keep && oldLength > 0 && oldAddr + oldLength === endOf(entry)) {
      const grown = growInPlace(m, pid, [start, region], more);
      if (grown instanceof Errno) return grown;
      if (grown === 'grown') {
        if ((region.flags & LOCKED) !== 0) populate(m, pid, oldAddr + oldLength, oldAddr + newLength);
        return { result: oldAddr };
      }
    }
    if (!mayMove) return ENOMEM;
    // Without MREMAP_FIXED the new address of MREMAP_DONTUNMAP is a hint.
    const hinted = keep && newAddr >= MMAP_MIN_ADDR && isFree(m, pid, newAddr, newLength);
    const target =
      hinted && slotsFree(m, pid, getProcess(m, pid), newAddr, newLength)
        ? newAddr
        : findFree(m, pid, editProcess(m, pid), newLength, region.prot);
    if (target === undefined) return ENOMEM;
    const to = moveTo(m, pid, entry, oldAddr, oldLength, target, newLength, keep);
    return to instanceof Errno ? to : { result: to };
  },
});
