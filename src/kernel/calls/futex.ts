/** futex(2), futex_waitv(2): decodes the operation; the waiting is in kernel/futex.ts and kernel/futex-locks.ts. */
import { EFAULT, EINVAL, ENOSYS, Errno, type Result } from '../../abi/errno.ts';
import type { FutexWord } from '../futex.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import type { Thread } from '../thread.ts';
import type { KernelCall } from './call.ts';

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAKE_OP = 5;
const FUTEX_LOCK_PI = 6;
const FUTEX_UNLOCK_PI = 7;
const FUTEX_TRYLOCK_PI = 8;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;
const ALL_BITS = -1;
const CLOCK_MONOTONIC = 1;

const TIMED = [FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_LOCK_PI2];
const MAY_CHOOSE_CLOCK = [FUTEX_WAIT_BITSET, FUTEX_LOCK_PI2];

type Waited = FutexWord & { readonly value: number };

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
  if (!absolute) return thread.resumed ? (thread.deadline ?? 0) : kernel.now() + span;
  if (!realtime) return span;
  const now = kernel.realtime();
  return kernel.now() + (seconds - now.seconds) * 1e9 + (nanoseconds - now.nanoseconds);
};

/** FUTEX_WAKE_OP's operation: 4 bits each of operation and comparison, 12 each of their operands. */
const decodeChange = (code: number) => {
  const operation = (code >>> 28) & 7;
  const comparison = (code >>> 24) & 15;
  const given = (code << 8) >> 20;
  const compared = (code << 20) >> 20;
  const operand = code >>> 31 === 1 ? 1 << (given & 31) : given;
  if (operation > 4 || comparison > 5) return ENOSYS;
  return (old: number): { readonly value: number; readonly wakes: boolean } => ({
    value: [operand, old + operand, old | operand, old & ~operand, old ^ operand][operation],
    wakes: [old === compared, old !== compared, old < compared, old >= compared, old <= compared, old > compared][
      comparison
    ],
  });
};

export const futex: KernelCall = (kernel, thread, args: Arguments) => {
  const { uaddr, operation, value, timeout, uaddr2, value3 } = args;
  const command = operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
  const realtime = (operation & FUTEX_CLOCK_REALTIME) !== 0;
  const absolute = command !== FUTEX_WAIT;
  const until = TIMED.includes(command)
    ? deadline(kernel, thread, timeout, absolute, command === FUTEX_LOCK_PI || realtime)
    : undefined;
  if (until instanceof Errno) return until;
  if (realtime && !MAY_CHOOSE_CLOCK.includes(command)) return ENOSYS;
  const { process } = thread;
  const own = (operation & FUTEX_PRIVATE) !== 0;
  const word: FutexWord = { process, address: uaddr, own };
  const second: FutexWord = { process, address: uaddr2, own };
  const { futexes } = kernel;
  if (uaddr % 4 !== 0) return command in NAMES ? EINVAL : ENOSYS;
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const bits = command === FUTEX_WAIT ? ALL_BITS : value3 | 0;
      if (bits === 0) return EINVAL;
      // A timed wait is not restarted after a handler: it would start over (restart_syscall(2)).
      if (until !== undefined) thread.restart = 'interrupt';
      thread.deadline = until;
      return futexes.wait(thread, word, value, bits, until);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
      const bits = command === FUTEX_WAKE ? ALL_BITS : value3 | 0;
      // Linux wakes one even if asked for none.
      return bits === 0 ? EINVAL : futexes.wake(word, Math.max(value | 0, 1), bits);
    }
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
      const moved = timeout | 0;
      if ((value | 0) < 0 || moved < 0 || uaddr2 % 4 !== 0) return EINVAL;
      return futexes.requeue(word, value, moved, second, command === FUTEX_CMP_REQUEUE ? value3 : undefined);
    }
    case FUTEX_WAKE_OP: {
      if (uaddr2 % 4 !== 0) return EINVAL;
      const change = decodeChange(value3);
      if (change instanceof Errno) return change;
      return futexes.operate(word, Math.max(value | 0, 1), second, Math.max(timeout | 0, 1), change);
    }
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return futexes.locks.lock(thread, word, until, false);
    case FUTEX_TRYLOCK_PI:
      return futexes.locks.lock(thread, word, undefined, true);
    case FUTEX_UNLOCK_PI:
      return futexes.locks.unlock(thread, word);
    default:
      return ENOSYS;
  }
};

const NAMES: Readonly<Record<number, true>> = {
  [FUTEX_WAIT]: true,
  [FUTEX_WAKE]: true,
  [FUTEX_REQUEUE]: true,
  [FUTEX_CMP_REQUEUE]: true,
  [FUTEX_WAKE_OP]: true,
  [FUTEX_LOCK_PI]: true,
  [FUTEX_UNLOCK_PI]: true,
  [FUTEX_TRYLOCK_PI]: true,
  [FUTEX_WAIT_BITSET]: true,
  [FUTEX_WAKE_BITSET]: true,
  [FUTEX_LOCK_PI2]: true,
};

const FUTEX2_SIZE_U32 = 2;
/** Whether these are flags of a 32-bit futex, and the value and mask fit one. */
const isPlain = (flags: number, ...values: readonly bigint[]): boolean =>
  (flags & ~FUTEX_PRIVATE) === FUTEX2_SIZE_U32 && values.every((value) => value <= 0xffff_ffffn);

export const futex_wait: KernelCall = (
  kernel,
  thread,
  args: { uaddr: number; value: bigint; mask: bigint; flags: number; timeout: number; clock: number },
) => {
  const { uaddr, value, mask, flags, timeout, clock } = args;
  if (!isPlain(flags, value, mask)) return EINVAL;
  if (timeout !== 0 && clock !== 0 && clock !== CLOCK_MONOTONIC) return EINVAL;
  const until = deadline(kernel, thread, timeout, true, clock !== CLOCK_MONOTONIC);
  if (until instanceof Errno) return until;
  if (mask === 0n || uaddr % 4 !== 0) return EINVAL;
  if (until !== undefined) thread.restart = 'interrupt';
  const word = { process: thread.process, address: uaddr, own: (flags & FUTEX_PRIVATE) !== 0 };
  return kernel.futexes.wait(thread, word, Number(value), Number(mask) | 0, until);
};

export const futex_wake: KernelCall = (
  kernel,
  { process },
  args: { uaddr: number; mask: bigint; count: number; flags: number },
) => {
  const { uaddr, mask, count, flags } = args;
  if (!isPlain(flags, mask) || mask === 0n || uaddr % 4 !== 0) return EINVAL;
  const word = { process, address: uaddr, own: (flags & FUTEX_PRIVATE) !== 0 };
  // This one takes a count at its word.
  return kernel.futexes.wake(word, Math.max(count, 0), Number(mask) | 0);
};

export const futex_requeue: KernelCall = (
  kernel,
  { process },
  args: { waiters: number; flags: number; woken: number; moved: number },
) => {
  if (args.flags !== 0 || args.waiters === 0) return EINVAL;
  const words = readWaiters(process, args.waiters, 2);
  if (words instanceof Errno) return words;
  if (args.woken < 0 || args.moved < 0) return EINVAL;
  const [from, to] = words;
  return kernel.futexes.requeue(from, args.woken, args.moved, to, from.value);
};

const WAITV_BYTES = 24;
const WAITV_MAX = 128;

/** An array of struct futex_waitv: value, address, flags, reserved. */
const readWaiters = (process: Process, at: number, count: number): Result<Waited[]> => {
  const words: Waited[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = process.memory.read(at + index * WAITV_BYTES, WAITV_BYTES);
    if (bytes instanceof Errno) return EFAULT;
    const view = new DataView(bytes.buffer);
    const flags = view.getUint32(16, true);
    const value = view.getBigUint64(0, true);
    const address = view.getBigUint64(8, true);
    if (!isPlain(flags, value) || view.getUint32(20, true) !== 0 || address % 4n !== 0n) return EINVAL;
    if (address >= 1n << 47n) return EFAULT;
    words.push({ process, address: Number(address), own: (flags & FUTEX_PRIVATE) !== 0, value: Number(value) });
  }
  return words;
};

export const futex_waitv: KernelCall = (
  kernel,
  thread,
  args: { waiters: number; count: number; flags: number; timeout: number; clock: number },
) => {
  const { waiters, count, flags, timeout, clock } = args;
  if (flags !== 0 || count === 0 || count > WAITV_MAX || waiters === 0) return EINVAL;
  if (timeout !== 0 && clock !== 0 && clock !== CLOCK_MONOTONIC) return EINVAL;
  const until = deadline(kernel, thread, timeout, true, clock !== CLOCK_MONOTONIC);
  if (until instanceof Errno) return until;
  const words = readWaiters(thread.process, waiters, count);
  return words instanceof Errno ? words : kernel.futexes.waitMany(thread, words, until);
};
