/**
 * Calls that run with another signal mask: ppoll(2), pselect6(2), epoll_pwait(2). The process manager sets the mask before
 * the call sleeps (temporaryMask) and puts it back after (restoreMask), unless a signal frame has taken it along.
 */
import { EFAULT, EINTR, EINVAL, Errno, type Result } from '../abi/errno.ts';
import type { Syscall } from '../abi/syscall.ts';
import { LATER } from './calls/call.ts';
import type { Handler } from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import { interrupt } from './signals.ts';
import type { Thread } from './thread.ts';

const MASK_BYTES = 8;

/** The mask that the call asks for; undefined if it asks for none. */
const loadMask = (
  thread: Thread,
  { argument, size, indirect }: NonNullable<Syscall['options']['mask']>,
): Result<bigint> | undefined => {
  const { registers, process } = thread;
  let pointer = registers.u53(argument);
  let bytes = size === undefined ? MASK_BYTES : registers.u53(size);
  if (pointer === 0) return undefined;
  if (indirect) {
    const set = process.memory.word(pointer);
    const length = process.memory.word(pointer + 8);
    if (set instanceof Errno || length instanceof Errno) return EFAULT;
    if (set === 0) return undefined;
    pointer = set;
    bytes = length;
  }
  if (bytes !== MASK_BYTES) return EINVAL;
  const mask = process.memory.read(pointer, MASK_BYTES);
  return mask instanceof Errno ? EFAULT : new DataView(mask.buffer).getBigUint64(0, true);
};

/** A handler that sets the mask first. */
export const withMask =
  (kernel: Kernel, call: Syscall, handler: Handler): Handler =>
  (thread) => {
    const mask = loadMask(thread, call.options.mask!);
    if (mask instanceof Errno) return mask;
    if (mask === undefined) return handler(thread);
    const { patient = false } = call.options.mask!;
    const first = handler(thread);
    // What is ready at once comes before any signal. The mask matters to a call that sleeps, and to one that found nothing.
    if ((first !== LATER && (first !== 0 || patient)) || thread.state === 'dead') return first;
    const { pid } = thread.process;
    // The process manager answers this at once: it sleeps in no circumstance.
    const set = kernel.pm.port.requestUntyped({ pid: 0, tid: 0 }, 'temporaryMask', { pid, tid: thread.tid, mask });
    if (set instanceof Errno) return set;
    thread.masked = true;
    if (!(set as { interrupted?: boolean }).interrupted) return first;
    if (first === 0) return EINTR;
    interrupt(kernel, thread);
    return first;
  };

/** The call has ended. */
export const restoreMask = (kernel: Kernel, thread: Thread): void => {
  thread.masked = false;
  kernel.request(kernel.pm, 'restoreMask', { pid: thread.process.pid, tid: thread.tid }, () => {});
};
