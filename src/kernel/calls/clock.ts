/**
 * Clocks: clock_gettime(2), clock_getres(2), clock_settime(2), gettimeofday(2), settimeofday(2), time(2). The time of day is
 * the platform's plus what root has set; the monotonic clocks count from boot.
 */
import { CAP_SYS_TIME, capabilityBit } from '../../abi/credentials.ts';
import { EFAULT, EINVAL, EPERM, Errno, type Result } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Thread } from '../thread.ts';
import type { KernelCall } from './call.ts';

interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const CLOCK_REALTIME = 0;
const LAST_CLOCK = 11;

const split = (nanoseconds: number): Time => {
  const seconds = Math.floor(nanoseconds / 1e9);
  return { seconds, nanoseconds: Math.floor(nanoseconds - seconds * 1e9) };
};

/** CPU time, the turn that is under way included. */
const cpuTime = (kernel: Kernel, thread: Thread, whole: boolean): Time => {
  kernel.runner.settle();
  const counted = whole ? thread.process.userTime + thread.process.systemTime : thread.userTime + thread.systemTime;
  return split(counted);
};

const read = (kernel: Kernel, thread: Thread, clock: number): Result<Time> => {
  switch (clock) {
    case 0: // CLOCK_REALTIME
    case 5: // CLOCK_REALTIME_COARSE
    case 8: // CLOCK_REALTIME_ALARM
      return kernel.realtime();
    case 1: // CLOCK_MONOTONIC
    case 4: // CLOCK_MONOTONIC_RAW
    case 6: // CLOCK_MONOTONIC_COARSE
    case 7: // CLOCK_BOOTTIME
    case 9: // CLOCK_BOOTTIME_ALARM
      return split(kernel.now());
    case 2:
      return cpuTime(kernel, thread, true);
    case 3:
      return cpuTime(kernel, thread, false);
    case LAST_CLOCK: // CLOCK_TAI, without a leap second table
      return kernel.realtime();

    default:
      return clock < 0 ? otherProcess(kernel, thread, clock) : EINVAL;
  }
};

/** Clocks of processes and threads, as clock_getcpuclockid(3) encodes them: ~pid << 3, type, per-thread flag. */
const otherProcess = (kernel: Kernel, thread: Thread, clock: number): Result<Time> => {
  const id = ~(clock >> 3);
  if ((clock & 3) === 3) return EINVAL;
  if ((clock & 4) !== 0) {
    // Threads are known within their process only.
    const other = id === 0 ? thread : thread.process.thread(id);
    if (other === undefined) return EINVAL;
    return other === thread ? cpuTime(kernel, thread, false) : split(other.userTime + other.systemTime);
  }
  const process = id === 0 ? thread.process : kernel.processes.get(id);
  if (process === undefined || process.gone) return EINVAL;
  if (process === thread.process) return cpuTime(kernel, thread, true);
  return split((clock & 3) === 1 ? process.userTime : process.userTime + process.systemTime);
};

const encode = ({ seconds, nanoseconds }: Time, unit = 1): Uint8Array => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, seconds, true);
  view.setInt32(4, Math.floor(seconds / 0x1_0000_0000), true);
  view.setInt32(8, Math.floor(nanoseconds / unit), true);
  return bytes;
};

export const clock_gettime: KernelCall = (kernel, thread, { clock, tp }: { clock: number; tp: number }) => {
  const time = read(kernel, thread, clock);
  if (time instanceof Errno) return time;
  return thread.process.memory.write(tp, encode(time)) ?? 0;
};

export const clock_getres: KernelCall = (kernel, thread, { clock, tp }: { clock: number; tp: number }) => {
  const time = read(kernel, thread, clock);
  if (time instanceof Errno) return time;
  if (tp === 0) return 0;
  const coarse = clock === 5 || clock === 6;
  return thread.process.memory.write(tp, encode({ seconds: 0, nanoseconds: coarse ? 4_000_000 : 1 })) ?? 0;
};

const maySet = ({ process }: Thread): boolean =>
  (process.identity.capabilities.effective & capabilityBit(CAP_SYS_TIME)) !== 0n;

const set = (kernel: Kernel, thread: Thread, address: number, unit: number): number | Errno => {
  const bytes = thread.process.memory.read(address, 16);
  if (bytes instanceof Errno) return EFAULT;
  const view = new DataView(bytes.buffer);
  const seconds = Number(view.getBigInt64(0, true));
  const fraction = Number(view.getBigInt64(8, true));
  if (seconds < 0 || fraction < 0 || fraction >= 1e9 / unit) return EINVAL;
  if (!maySet(thread)) return EPERM;
  kernel.time.set({ seconds, nanoseconds: fraction * unit });
  kernel.request(kernel.vfs, 'clockSet', {}, () => {});
  return 0;
};

export const clock_settime: KernelCall = (kernel, thread, { clock, tp }: { clock: number; tp: number }) =>
  clock === CLOCK_REALTIME ? set(kernel, thread, tp, 1) : EINVAL;

export const settimeofday: KernelCall = (kernel, thread, { tv, tz }: { tv: number; tz: number }) => {
  if (tv !== 0) return set(kernel, thread, tv, 1000);
  if (tz !== 0 && thread.process.memory.read(tz, 8) instanceof Errno) return EFAULT;
  return maySet(thread) ? 0 : EPERM;
};

export const gettimeofday: KernelCall = (kernel, thread, { tv, tz }: { tv: number; tz: number }) => {
  const { memory } = thread.process;
  if (tv !== 0 && memory.write(tv, encode(kernel.realtime(), 1000)) instanceof Errno) return EFAULT;
  // The kernel's time zone is UTC.
  return tz === 0 ? 0 : (memory.write(tz, new Uint8Array(8)) ?? 0);
};

export const time: KernelCall = (kernel, thread, { tloc }: { tloc: number }) => {
  const { seconds } = kernel.realtime();
  if (tloc === 0) return seconds;
  const bytes = encode({ seconds, nanoseconds: 0 }).subarray(0, 8);
  return thread.process.memory.write(tloc, bytes) ?? seconds;
};
