/** futex(2): decodes the operation; the waiting is in kernel/futex.ts. */
import { EFAULT, EINVAL, ENOSYS, Errno, type Result } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Thread } from '../thread.ts';
import type { KernelCall } from './call.ts';

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;
const ALL_BITS = -1;

interface Arguments {
  readonly uaddr: number;
  readonly operation: number;
  readonly value: number;
  readonly timeout: number;
  readonly uaddr2: number;
  readonly value3: number;
}

/** The monotonic time at which a wait ends; undefined without a timeout. */
const deadline = (
  kernel: Kernel,
  thread: Thread,
  address: number,
  absolute: boolean,
  realtime: boolean,
): Result<number> | undefined => {
  if (address === 0) return undefined;
  const bytes = thread.process.memory.read(address, 16);
  if (bytes instanceof Errno) return EFAULT;
  const view = new DataView(bytes.buffer);
  const seconds = Number(view.getBigInt64(0, true));
  const nanoseconds = Number(view.getBigInt64(8, true));
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= 1e9) return EINVAL;
  const span = seconds * 1e9 + nanoseconds;
  if (!absolute) return kernel.now() + span;
  if (!realtime) return span;
  const now = kernel.realtime();
  return kernel.now() + (seconds - now.seconds) * 1e9 + (nanoseconds - now.nanoseconds);
};

export const futex: KernelCall = (kernel, thread, args: Arguments) => {
  const { uaddr, operation, value, timeout, uaddr2, value3 } = args;
  const command = operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
  const realtime = (operation & FUTEX_CLOCK_REALTIME) !== 0;
  const { process } = thread;
  if (uaddr % 4 !== 0) return EINVAL;
  const own = (operation & FUTEX_PRIVATE) !== 0;
  const word = { process, address: uaddr, own };
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const bits = command === FUTEX_WAIT ? ALL_BITS : value3 | 0;
      if (bits === 0) return EINVAL;
      const until = deadline(kernel, thread, timeout, command === FUTEX_WAIT_BITSET, realtime);
      if (until instanceof Errno) return until;
      return kernel.futexes.wait(thread, word, value, bits, until);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
      const bits = command === FUTEX_WAKE ? ALL_BITS : value3 | 0;
      return bits === 0 ? EINVAL : kernel.futexes.wake(word, value | 0, bits);
    }
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
      const moved = timeout | 0;
      if ((value | 0) < 0 || moved < 0 || uaddr2 % 4 !== 0) return EINVAL;
      return kernel.futexes.requeue(
        word,
        value,
        moved,
        { process, address: uaddr2, own },
        command === FUTEX_CMP_REQUEUE ? value3 : undefined,
      );
    }
    default:
      return ENOSYS;
  }
};
