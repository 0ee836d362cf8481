/**
 * nanosleep(2) and clock_nanosleep(2). A relative sleep that a handler interrupts tells what was left. One that only a stop
 * interrupted is started again by the kernel, and goes on to the end it had (`sleepUntil`).
 */

import { EINTR, EINVAL, EOPNOTSUPP, Errno } from '../../../abi/errno.ts';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_REALTIME_COARSE,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  decodeTimespec,
  encodeTimespec,
  NANOSECONDS,
  TIMER_ABSTIME,
  TIMESPEC_BYTES,
} from '../../../abi/time.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { type ProcessHandlers, type ProcessServer, readStruct, self, threadOf, writeOptional } from '../server.ts';
import { cpuTime } from '../timers.ts';

/** How often a sleep on CPU time looks, at the most. */
const TICK = 4_000_000;
const FOREVER = Number.MAX_SAFE_INTEGER;

/** Clocks that exist but cannot be slept on; the alarm clocks would need a real-time clock that wakes the machine. */
const WITHOUT_SLEEP: readonly number[] = [
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
];
const REALTIME: readonly number[] = [CLOCK_REALTIME, CLOCK_TAI];
const MONOTONIC: readonly number[] = [CLOCK_MONOTONIC, CLOCK_BOOTTIME];

export const sleepCalls = (s: ProcessServer): Pick<ProcessHandlers, 'nanosleep' | 'clockNanosleep'> => {
  const sleepFor = (nanoseconds: number, remain: Grant | null, call: Delivery): Outcome<{ result: number }> => {
    const thread = s.table.threads.get(call.caller.tid);
    const resumed = thread?.sleepUntil ?? 0;
    const deadline = Math.min(resumed === 0 ? call.since + nanoseconds : resumed, FOREVER);
    const over = s.context.now() >= deadline;
    const stopped = call.reason === 'cancelled' && !over && self(s, call.caller.pid).state === 'STOPPED';
    if (stopped) threadOf(s, call.caller.tid).sleepUntil = deadline;
    else if (resumed !== 0 && (over || call.reason === 'cancelled')) threadOf(s, call.caller.tid).sleepUntil = 0;
    if (over) return { result: 0 };
    if (call.reason !== 'cancelled') return wait([], { deadline });
    return writeOptional(s, remain, encodeTimespec(deadline - s.context.now())) ?? EINTR;
  };

  const sleepUntil = (deadline: number, call: Delivery): Outcome<{ result: number }> => {
    if (s.context.now() >= deadline) return { result: 0 };
    return call.reason === 'cancelled' ? EINTR : wait([], { deadline: Math.min(deadline, FOREVER) });
  };

  /** Other threads of the process may use CPU time meanwhile. `state` remembers the time to wake at. */
  const sleepOnCpu = (time: number, absolute: boolean, call: Delivery): Outcome<{ result: number }> => {
    const used = cpuTime(s, call.caller.pid).total;
    const target = call.reason !== 'first' ? call.state : absolute ? time : used + time;
    if (used >= target) return { result: 0 };
    if (call.reason === 'cancelled') return EINTR;
    return wait([], { deadline: s.context.now() + Math.max(target - used, TICK), state: target });
  };

  const monotonicOf = (clock: number, time: number): number => {
    if (MONOTONIC.includes(clock)) return time;
    const { seconds, nanoseconds } = s.context.realtime();
    return s.context.now() + (time - (seconds * NANOSECONDS + nanoseconds));
  };

  return {
    nanosleep({ request, remain }, call) {
      const bytes = readStruct(s, request, TIMESPEC_BYTES);
      if (bytes instanceof Errno) return bytes;
      const time = decodeTimespec(bytes);
      return time === undefined ? EINVAL : sleepFor(time, remain, call);
    },

    clockNanosleep({ clock, flags, request, remain }, call) {
      if (WITHOUT_SLEEP.includes(clock)) return EOPNOTSUPP;
      const known = REALTIME.includes(clock) || MONOTONIC.includes(clock) || clock === CLOCK_PROCESS_CPUTIME_ID;
      if (!known) return EINVAL;
      const bytes = readStruct(s, request, TIMESPEC_BYTES);
      if (bytes instanceof Errno) return bytes;
      const time = decodeTimespec(bytes);
      if (time === undefined) return EINVAL;
      const absolute = (flags & TIMER_ABSTIME) !== 0;
      if (clock === CLOCK_PROCESS_CPUTIME_ID) return sleepOnCpu(time, absolute, call);
      return absolute ? sleepUntil(monotonicOf(clock, time), call) : sleepFor(time, remain, call);
    },
  };
};
