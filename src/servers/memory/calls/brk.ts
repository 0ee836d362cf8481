/** brk(2), and the growth of stacks. */
import { EAGAIN, EFAULT, Errno } from '../../../abi/errno.ts';
import { PROT_READ, PROT_WRITE } from '../../../abi/mman.ts';
import { RLIMIT_STACK } from '../../../abi/resource.ts';
import { PAGE_SIZE } from '../../../memory/layout.ts';
import { isFree } from '../free-space.ts';
import { mayLock, mayMap } from '../limits.ts';
import { add, endOf, populate, remove } from '../regions.ts';
import { LOCKED, STACK } from '../rows.ts';
import {
  editProcess,
  getProcess,
  limitOf,
  type MemoryHandlers,
  type MemoryServer,
  pageDown,
  pageUp,
} from '../state.ts';

const READ_WRITE = PROT_READ | PROT_WRITE;
/** A stack grows by this much at once if it may: fewer messages on deep recursion. */
const STACK_STEP = 0x1_0000;
/** vm.stack_guard_gap: 256 pages between a stack and what lies below. */
const GUARD_GAP = 256 * PAGE_SIZE;

export const brkCalls = (m: MemoryServer): Pick<MemoryHandlers, 'brk' | 'growStack'> => ({
  /** The new break, or, if it cannot be had, the one there is: brk has no errors. */
  brk({ addr }, { caller: { pid } }) {
    const { kernel } = m.context;
    const process = getProcess(m, pid);
    const unchanged = { result: process.heapBreak };
    if (addr < process.heapStart || addr > process.heapMax) return unchanged;
    const oldEnd = pageUp(process.heapBreak);
    const newEnd = pageUp(addr);
    if (newEnd > oldEnd) {
      const length = newEnd - oldEnd;
      if (mayMap(m, pid, length, READ_WRITE, 0) !== undefined) return unchanged;
      if (process.lockFuture !== 'no' && mayLock(m, pid, length, EAGAIN) !== undefined) return unchanged;
      if (!isFree(m, pid, oldEnd, length)) return unchanged;
      if (kernel.mapPages(pid, oldEnd, length, READ_WRITE, { kind: 'zero' }, '[heap]') instanceof Errno)
        return unchanged;
      const flags = process.lockFuture === 'no' ? 0 : LOCKED;
      add(m, pid, oldEnd, { length, prot: READ_WRITE, flags, object: -1, offset: 0, name: '[heap]' });
      if (process.lockFuture === 'now') populate(m, pid, oldEnd, newEnd);
    } else if (newEnd < oldEnd) {
      if (kernel.unmapPages(pid, newEnd, oldEnd - newEnd) instanceof Errno) return unchanged;
      remove(m, pid, newEnd, oldEnd);
    }
    editProcess(m, pid).heapBreak = addr;
    const told = kernel.setHeap(pid, process.heapStart, addr);
    return told instanceof Errno ? told : { result: addr };
  },

  growStack({ pid, address }) {
    const { kernel } = m.context;
    const found = m.regions.ceiling(pid, address);
    if (found === undefined || (found[1].flags & STACK) === 0) return EFAULT;
    const [start, stack] = found;
    const below = m.regions.floor(pid, address);
    // An inaccessible neighbour is a guard already.
    const floor = below === undefined ? 0 : endOf(below) + (below[1].prot === 0 ? 0 : GUARD_GAP);
    const limit = limitOf(m, pid, RLIMIT_STACK);
    const needed = pageDown(address);
    const fits = (bottom: number): boolean =>
      bottom >= floor &&
      endOf(found) - bottom <= limit &&
      mayMap(m, pid, start - bottom, stack.prot, stack.flags) === undefined &&
      ((stack.flags & LOCKED) === 0 || mayLock(m, pid, start - bottom, EAGAIN) === undefined);
    const roomy = Math.min(needed, start - STACK_STEP);
    const bottom = fits(roomy) ? roomy : needed;
    if (!fits(bottom)) return EFAULT;
    const mapped = kernel.mapPages(pid, bottom, start - bottom, stack.prot, { kind: 'zero' }, stack.name);
    if (mapped instanceof Errno) return mapped;
    add(m, pid, bottom, { ...stack, length: start - bottom });
    return { grown: start - bottom };
  },
});
