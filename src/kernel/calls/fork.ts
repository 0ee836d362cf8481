/** fork(2), vfork(2), clone(2), clone3(2): see kernel/fork.ts and kernel/threads.ts. */
import { E2BIG, EFAULT, EINVAL, Errno } from '../../abi/errno.ts';
import { SIGCHLD, SIGRTMAX } from '../../abi/signals.ts';
import { CLONE_FLAGS } from '../../abi/syscalls/kernel.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import { clone as make } from '../fork.ts';
import type { KernelCall } from './call.ts';

const PLAIN = {
  flags: 0,
  stack: 0,
  parentTid: 0,
  childTid: 0,
  tls: 0,
  pidfd: 0,
  exitSignal: SIGCHLD,
  clearHandlers: false,
};
/** The exit signal, in the flags of clone. */
const CSIGNAL = 0xff;

interface Arguments {
  readonly flags: number;
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
}

export const clone: KernelCall = (kernel, thread, args: Arguments) => {
  const flags = (args.flags % 0x1_0000_0000) | 0;
  return make(kernel, thread, {
    ...args,
    pidfd: args.parentTid,
    flags: flags & ~CSIGNAL,
    exitSignal: flags & CSIGNAL,
    clearHandlers: false,
  });
};

export const fork: KernelCall = (kernel, thread) => make(kernel, thread, PLAIN);

export const vfork: KernelCall = (kernel, thread) =>
  make(kernel, thread, { ...PLAIN, flags: CLONE_FLAGS.CLONE_VFORK | CLONE_FLAGS.CLONE_VM });

/**
 * struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; 64 bytes at first, then
 * set_tid, set_tid_size and cgroup, 88 in all. What a larger one has besides must be zero.
 */
const SIZE_FIRST = 64;
const SIZE_KNOWN = 88;
const CLONE_CLEAR_SIGHAND = 1n << 32n;

export const clone3: KernelCall = (kernel, thread, { args, size }: { args: number; size: number }) => {
  if (size > PAGE_SIZE) return E2BIG;
  if (size < SIZE_FIRST) return EINVAL;
  const bytes = thread.process.memory.read(args, size);
  if (bytes instanceof Errno) return EFAULT;
  if (bytes.subarray(SIZE_KNOWN).some((byte) => byte !== 0)) return E2BIG;
  const padded = new Uint8Array(SIZE_KNOWN);
  padded.set(bytes.subarray(0, SIZE_KNOWN));
  const field = new BigUint64Array(padded.buffer);
  const [wide, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls, setTid, setTidSize] = field;
  if (setTidSize > 32n || (setTid === 0n) !== (setTidSize === 0n)) return EINVAL;
  if (exitSignal > 0xffn || exitSignal > BigInt(SIGRTMAX)) return EINVAL;
  const flags = Number(BigInt.asIntN(32, wide));
  const clearHandlers = (wide & CLONE_CLEAR_SIGHAND) !== 0n;
  if ((wide & ~CLONE_CLEAR_SIGHAND) >> 32n !== 0n || (flags & (CSIGNAL | CLONE_FLAGS.CLONE_DETACHED)) !== 0)
    return EINVAL;
  if ((flags & (CLONE_FLAGS.CLONE_THREAD | CLONE_FLAGS.CLONE_PARENT)) !== 0 && exitSignal !== 0n) return EINVAL;
  if (clearHandlers && (flags & CLONE_FLAGS.CLONE_SIGHAND) !== 0) return EINVAL;
  if ((stack === 0n) !== (stackSize === 0n) || stack + stackSize >= 1n << 47n) return EINVAL;
  // Numbers are chosen by the system alone.
  if (setTidSize !== 0n) return EINVAL;
  return make(kernel, thread, {
    flags,
    stack: Number(stack + stackSize),
    parentTid: Number(parentTid),
    childTid: Number(childTid),
    tls: Number(tls),
    pidfd: Number(pidfd),
    exitSignal: Number(exitSignal),
    clearHandlers,
  });
};
