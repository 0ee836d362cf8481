/** The life of an address space: exec lays it out, fork copies it, exit ends it. The kernel sends these. */
import { ENOMEM, Errno } from '../../../abi/errno.ts';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../../../abi/mman.ts';
import { RLIMIT_STACK } from '../../../abi/resource.ts';
import { HEAP_MAX, HEAP_START, MMAP_HIGH, MMAP_LOW, WINDOW_SIZE } from '../../../memory/layout.ts';
import { farStart, openZone } from '../free-space.ts';
import { add, remove } from '../regions.ts';
import { backingOf, FILE, LOCKED, type MemoryRegion, NO_FORK, SHM, STACK, WIPE_ON_FORK } from '../rows.ts';
import { attach, detach } from '../segments.ts';
import { leave, share } from '../sharing.ts';
import { limitOf, type MemoryHandlers, type MemoryServer, pageUp } from '../state.ts';
import { undoSemaphores } from './semaphores.ts';

/** A fresh stack beyond what arguments need, as Linux makes it: 33 pages. */
const STACK_START_SIZE = 0x2_1000;
/** Slots kept for the stack at most, and between them and the mmap zone. */
const STACK_RESERVE_MAX = 0x1000_0000;
const STACK_GAP = 0x10_0000;
/** Numbers a segment has in exec's request. */
const SEGMENT_FIELDS = 5;

/** Where a heap that follows its image ends: with the slots of heaps, or, if it starts beyond them, after as many bytes. */
const heapLimit = (start: number): number => {
  const slot = start % WINDOW_SIZE;
  return slot < HEAP_MAX ? start - slot + HEAP_MAX : start + (HEAP_MAX - HEAP_START);
};

/** Lets go of everything the process has, but for what others use too. */
const clear = (m: MemoryServer, pid: number): void => {
  if (leave(m.sharing, pid)) return;
  for (const [, region] of m.regions.range(pid)) if ((region.flags & SHM) !== 0) detach(m, region.object, pid);
  m.regions.clear(pid);
  m.gaps.clear(pid);
  m.processes.delete(pid);
};

/** What a child does not take over as it stands: locks, attach counts, regions that madvise set apart. */
const inherit = (m: MemoryServer, child: number): Errno | Record<string, never> => {
  const { kernel } = m.context;
  for (const [start, region] of m.regions.range(child)) {
    if ((region.flags & SHM) !== 0) attach(m, region.object);
    if ((region.flags & LOCKED) !== 0) m.regions.edit(child, start)!.flags &= ~LOCKED;
    if ((region.flags & NO_FORK) !== 0) {
      remove(m, child, start, start + region.length);
      const unmapped = kernel.unmapPages(child, start, region.length);
      if (unmapped instanceof Errno) return unmapped;
    } else if ((region.flags & WIPE_ON_FORK) !== 0) {
      const wiped = kernel.discardPages(child, start, region.length);
      if (wiped instanceof Errno) return wiped;
    }
  }
  return {};
};

export const execCalls = (m: MemoryServer): Pick<MemoryHandlers, 'exec' | 'fork' | 'exit'> => ({
  exec(request) {
    const { pid, segments, names, stackSize, stackExecutable, stackTop, zoneStart } = request;
    const { kernel } = m.context;
    clear(m, pid);
    const emptied = kernel.leaveMemory(pid);
    if (emptied instanceof Errno) return emptied;

    // The heap is where the reference has it, unless the image lies there or brings its own place: then it follows the image.
    let follows = request.heapFollows;
    for (let i = 0; i < segments.length; i += SEGMENT_FIELDS)
      if (segments[i] < HEAP_MAX && segments[i] + segments[i + 1] > HEAP_START) follows = true;
    const heapStart = (follows ? pageUp(request.imageEnd) : HEAP_START) + request.heapGap;
    const heapMax = follows ? heapLimit(heapStart) : HEAP_MAX;

    const stackLimit = Math.min(limitOf(m, pid, RLIMIT_STACK), STACK_RESERVE_MAX);
    const zoneEnd = zoneStart - (zoneStart % WINDOW_SIZE) + (stackTop % WINDOW_SIZE) - pageUp(stackLimit) - STACK_GAP;
    m.processes.set(pid, {
      heapStart,
      heapBreak: heapStart,
      heapMax,
      mmapHint: farStart(zoneStart),
      zoneStart,
      zoneEnd,
      foreignLow: MMAP_HIGH,
      foreignHigh: MMAP_LOW,
      virtualBytes: 0,
      dataBytes: 0,
      lockedBytes: 0,
      lockFuture: 'no',
    });
    openZone(m, pid, zoneStart, zoneEnd);

    const place = (start: number, region: MemoryRegion): Errno | undefined => {
      const mapped = kernel.mapPages(pid, start, region.length, region.prot, backingOf(region), region.name);
      if (mapped instanceof Errno) return mapped;
      add(m, pid, start, region);
      return undefined;
    };
    for (let i = 0; i < segments.length; i += SEGMENT_FIELDS) {
      const [start, length, prot, object, offset] = segments.slice(i, i + SEGMENT_FIELDS);
      if (length === 0) continue;
      const flags = object < 0 ? 0 : FILE;
      const name = names[i / SEGMENT_FIELDS] ?? '';
      const placed = place(start, { length, prot, flags, object, offset: object < 0 ? 0 : offset, name });
      if (placed !== undefined) return placed;
    }
    const stackLength = pageUp(Math.min(pageUp(stackSize) + STACK_START_SIZE, Math.max(stackLimit, stackSize)));
    if (stackLength > STACK_RESERVE_MAX) return ENOMEM;
    const stack = {
      length: stackLength,
      prot: PROT_READ | PROT_WRITE | (stackExecutable ? PROT_EXEC : 0),
      flags: STACK,
      object: -1,
      offset: 0,
      name: '[stack]',
    };
    const placed = place(stackTop - stackLength, stack) ?? kernel.setHeap(pid, heapStart, heapStart);
    if (placed instanceof Errno) return placed;
    return { heapStart };
  },

  fork({ parent, child, shared }) {
    const { kernel } = m.context;
    const row = m.processes.get(parent);
    if (shared) {
      const lent = kernel.shareMemory(parent, child);
      if (lent instanceof Errno) return lent;
      share(m.sharing.owners, parent, child);
      return {};
    }
    const forked = kernel.forkMemory(parent, child);
    if (forked instanceof Errno) return forked;
    // A process that has not executed anything yet has nothing to copy.
    if (row === undefined) return {};
    m.processes.set(child, { ...row, lockedBytes: 0, lockFuture: 'no' });
    m.regions.copy(parent, child);
    m.gaps.copy(parent, child);
    return inherit(m, child);
  },

  exit({ pid }) {
    undoSemaphores(m, pid);
    clear(m, pid);
    // ESRCH: the kernel has ended the address space already.
    void m.context.kernel.leaveMemory(pid);
    return {};
  },
});
