/** mmap(2) and munmap(2). */
import {
  EAGAIN,
  EEXIST,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import * as mman from '../../../abi/mman.ts';
import { USER_LIMIT } from '../../../memory/layout.ts';
import { findFree, findLow, isFree, slotsFree } from '../free-space.ts';
import { mayLock, mayMap } from '../limits.ts';
import { add, endOf, overlapping, populate, remove } from '../regions.ts';
import { backingOf, FILE, LOCKED, type MemoryRegion, NO_WRITE, SHARED, STACK } from '../rows.ts';
import {
  aligned,
  editProcess,
  getProcess,
  inUserSpace,
  type MemoryHandlers,
  type MemoryServer,
  pageDown,
  pageUp,
} from '../state.ts';

const PROTECTION = mman.PROT_READ | mman.PROT_WRITE | mman.PROT_EXEC;

/** Bytes of [start, end) that are mapped. */
const mappedBytes = (m: MemoryServer, pid: number, start: number, end: number): number => {
  let bytes = 0;
  for (const entry of overlapping(m, pid, start, end)) bytes += Math.min(end, endOf(entry)) - Math.max(start, entry[0]);
  return bytes;
};

/** Takes a range out of the address space, wherever something is mapped in it. */
export const unmap = (m: MemoryServer, pid: number, start: number, length: number): Errno | undefined => {
  const end = start + length;
  const entries = overlapping(m, pid, start, end);
  if (entries.length === 0) return undefined;
  // Cutting a hole makes two regions of one.
  if (entries.length === 1 && entries[0][0] < start && endOf(entries[0]) > end)
    if (m.regions.count(pid) >= mman.MAX_MAP_COUNT) return ENOMEM;
  const unmapped = m.context.kernel.unmapPages(pid, start, length);
  if (unmapped instanceof Errno) return unmapped;
  remove(m, pid, start, end);
  return undefined;
};

/** Puts a region at `start`, replacing what is there. */
export const install = (m: MemoryServer, pid: number, start: number, region: MemoryRegion): Errno | undefined => {
  const { kernel } = m.context;
  const mapped = kernel.mapPages(pid, start, region.length, region.prot, backingOf(region), region.name);
  if (mapped instanceof Errno) return mapped;
  remove(m, pid, start, start + region.length);
  add(m, pid, start, region);
  return undefined;
};

/** Where the mapping goes: the fixed address, the hint if it is free, or a place of our choice. */
const choose = (
  m: MemoryServer,
  pid: number,
  request: { addr: number; protection: number; flags: number },
  length: number,
): Result<number> => {
  const { addr, flags } = request;
  if ((flags & (mman.MAP_FIXED | mman.MAP_FIXED_NOREPLACE)) !== 0) {
    if (!inUserSpace(addr, length)) return ENOMEM;
    if (!aligned(addr)) return EINVAL;
    if (addr < mman.MMAP_MIN_ADDR) return EPERM;
    if ((flags & mman.MAP_FIXED_NOREPLACE) !== 0 && !isFree(m, pid, addr, length)) return EEXIST;
    return addr;
  }
  const process = getProcess(m, pid);
  if (addr !== 0) {
    const hint = Math.max(pageDown(addr), mman.MMAP_MIN_ADDR);
    if (
      inUserSpace(hint, length) &&
      isFree(m, pid, hint, length) &&
      (request.protection === 0 || slotsFree(m, pid, process, hint, length))
    )
      return hint;
  }
  const found =
    (flags & mman.MAP_32BIT) !== 0
      ? findLow(m, pid, length)
      : findFree(m, pid, editProcess(m, pid), length, request.protection);
  return found ?? ENOMEM;
};

export const mmapCalls = (m: MemoryServer): Pick<MemoryHandlers, 'mmap' | 'munmap'> => ({
  mmap(request, { caller: { pid } }) {
    const { kernel } = m.context;
    const { flags, offset } = request;
    const prot = request.protection & PROTECTION;
    const type = flags & mman.MAP_TYPE;
    const anonymous = (flags & mman.MAP_ANONYMOUS) !== 0 || request.object < 0;
    const shared = type === mman.MAP_SHARED || type === mman.MAP_SHARED_VALIDATE;
    if (request.length <= 0) return EINVAL;
    if (!aligned(offset) || offset < 0) return EINVAL;
    if (request.length > USER_LIMIT) return ENOMEM;
    if (!shared && type !== mman.MAP_PRIVATE) return EINVAL;
    // MAP_SHARED_VALIDATE is for files, and for flags that the file's driver knows.
    if (type === mman.MAP_SHARED_VALIDATE && anonymous) return EINVAL;
    if (type === mman.MAP_SHARED_VALIDATE && (flags & mman.MAP_SYNC) !== 0) return EOPNOTSUPP;
    if (shared && anonymous && (flags & mman.MAP_GROWSDOWN) !== 0) return EINVAL;
    if (!Number.isSafeInteger(offset + request.length)) return EOVERFLOW;
    // There are no huge pages to be had.
    if ((flags & mman.MAP_HUGETLB) !== 0) return ENOMEM;
    const length = pageUp(request.length);

    const start = choose(m, pid, { addr: request.addr, protection: prot, flags }, length);
    if (start instanceof Errno) return start;
    const { lockFuture } = getProcess(m, pid);
    const lock = (flags & mman.MAP_LOCKED) !== 0 || lockFuture !== 'no';
    const replaced = (flags & mman.MAP_FIXED) === 0 ? 0 : mappedBytes(m, pid, start, start + length);
    const refused =
      mayMap(m, pid, length - replaced, prot, shared ? SHARED : 0) ??
      (lock ? mayLock(m, pid, length, EAGAIN) : undefined);
    if (refused !== undefined) return refused;

    let object = anonymous ? -1 : request.object;
    if (anonymous && shared) {
      const created = kernel.createShared(length);
      if (created instanceof Errno) return created;
      object = created;
    }
    const readOnly = shared && !anonymous && ((request.maxProtection ?? PROTECTION) & mman.PROT_WRITE) === 0;
    const installed = install(m, pid, start, {
      length,
      prot,
      flags:
        (shared ? SHARED : 0) |
        (anonymous ? 0 : FILE) |
        (lock ? LOCKED : 0) |
        (readOnly ? NO_WRITE : 0) |
        ((flags & mman.MAP_GROWSDOWN) !== 0 ? STACK : 0),
      object,
      offset: anonymous ? 0 : offset,
      name: anonymous ? (shared ? '/dev/zero (deleted)' : '') : request.name,
    });
    if (installed !== undefined) return installed;
    if (anonymous && shared) {
      // From now on the mappings alone keep the object.
      const released = kernel.releaseShared(object);
      if (released instanceof Errno) return released;
    }
    if ((flags & (mman.MAP_POPULATE | mman.MAP_LOCKED)) !== 0 || lockFuture === 'now')
      populate(m, pid, start, start + length);
    return { result: start };
  },

  munmap({ addr, length }, { caller: { pid } }) {
    if (!aligned(addr) || length <= 0 || !inUserSpace(addr, length)) return EINVAL;
    return unmap(m, pid, addr, pageUp(length)) ?? { result: 0 };
  },
});
