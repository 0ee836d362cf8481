/** timer_create, timer_settime, timer_gettime, timer_getoverrun, timer_delete (../posix-timers.ts). */
import { EAGAIN, EFAULT, EINVAL, EOPNOTSUPP, Errno, type Result } from '../../../abi/errno.ts';
import { RLIMIT_SIGPENDING } from '../../../abi/resource.ts';
import { isSignal, SIGALRM } from '../../../abi/signals.ts';
import * as time from '../../../abi/time.ts';
import { clockNow, deleteTimer, isCpuClock, setTimer, timeLeft, timerKey } from '../posix-timers.ts';
import {
  encodeInt,
  type ProcessHandlers,
  type ProcessServer,
  readStruct,
  self,
  writeOptional,
  writeStruct,
} from '../server.ts';

type Names = 'timerCreate' | 'timerSettime' | 'timerGettime' | 'timerGetoverrun' | 'timerDelete';

/** struct sigevent: 0 value, 8 signal, 12 notify, 16 thread. */
const SIGEVENT_BYTES = 64;
const SIGEV_SIGNAL = 0;
const SIGEV_NONE = 1;
const SIGEV_THREAD = 2;
const SIGEV_THREAD_ID = 4;
const ITIMERSPEC_BYTES = 32;

const CLOCKS: readonly number[] = [
  time.CLOCK_REALTIME,
  time.CLOCK_MONOTONIC,
  time.CLOCK_BOOTTIME,
  time.CLOCK_TAI,
  time.CLOCK_PROCESS_CPUTIME_ID,
  time.CLOCK_THREAD_CPUTIME_ID,
];
/** Clocks that can be read but not waited for; the alarm clocks would need a real-time clock that wakes the machine. */
const WITHOUT_TIMERS: readonly number[] = [
  time.CLOCK_MONOTONIC_RAW,
  time.CLOCK_REALTIME_COARSE,
  time.CLOCK_MONOTONIC_COARSE,
  time.CLOCK_REALTIME_ALARM,
  time.CLOCK_BOOTTIME_ALARM,
];

interface Event {
  readonly signal: number;
  readonly tid: number;
  readonly value: bigint | undefined;
}

export const posixTimerCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => {
  const decodeEvent = (bytes: Uint8Array, threads: readonly number[]): Result<Event> => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const signal = view.getInt32(8, true);
    const notify = view.getInt32(12, true);
    const value = view.getBigUint64(0, true);
    if (notify === SIGEV_NONE) return { signal: 0, tid: 0, value };
    if (notify !== SIGEV_SIGNAL && notify !== SIGEV_THREAD && notify !== SIGEV_THREAD_ID) return EINVAL;
    const tid = notify === SIGEV_THREAD_ID ? view.getInt32(16, true) : 0;
    if (!isSignal(signal) || (notify === SIGEV_THREAD_ID && !threads.includes(tid))) return EINVAL;
    return { signal, tid, value };
  };

  /** The clock as the timer keeps it; clocks of processes and threads are encoded as clock_getcpuclockid(3) does. */
  const clockOf = (clock: number, pid: number, tid: number): Result<number> => {
    if (clock === time.CLOCK_THREAD_CPUTIME_ID) return -1 - tid;
    if (clock >= 0) return CLOCKS.includes(clock) ? clock : WITHOUT_TIMERS.includes(clock) ? EOPNOTSUPP : EINVAL;
    const whose = ~(clock >> 3);
    if ((clock & 3) === 3) return EINVAL;
    if ((clock & 4) === 0) return whose === 0 || whose === pid ? time.CLOCK_PROCESS_CPUTIME_ID : EINVAL;
    const thread = whose === 0 ? tid : whose;
    return s.table.threads.get(thread)?.pid === pid ? -1 - thread : EINVAL;
  };

  /** The monotonic time of a time of day, for what is armed with TIMER_ABSTIME. */
  const monotonicOf = (clock: number, at: number): number => {
    if (clock !== time.CLOCK_REALTIME && clock !== time.CLOCK_TAI) return at;
    const { seconds, nanoseconds } = s.context.realtime();
    return s.context.now() + (at - (seconds * time.NANOSECONDS + nanoseconds));
  };

  return {
    timerCreate({ clock: asked, event, id: result }, { caller: { pid, tid } }) {
      const process = self(s, pid);
      const clock = clockOf(asked, pid, tid);
      if (clock instanceof Errno) return clock;
      const bytes = event === null ? undefined : readStruct(s, event, SIGEVENT_BYTES);
      if (bytes instanceof Errno) return bytes;
      const decoded =
        bytes === undefined ? { signal: SIGALRM, tid: 0, value: undefined } : decodeEvent(bytes, process.threads);
      if (decoded instanceof Errno) return decoded;
      if ((s.table.users.get(process.uid)?.signals ?? 0) >= process.limits[RLIMIT_SIGPENDING][0]) return EAGAIN;
      const ids = s.table.timerIds.edit(pid) ?? { next: 0, ids: [] };
      const id = ids.next;
      if (writeStruct(s, result, encodeInt(id)) !== undefined) return EFAULT;
      ids.next = (id + 1) & 0x7fff_ffff;
      ids.ids = [...ids.ids, id];
      s.table.timerIds.set(pid, ids);
      const { signal } = decoded;
      const value = decoded.value ?? BigInt(id);
      s.table.account(process.uid, 'signals', 1);
      s.table.posixTimers.set(timerKey(pid, id), {
        pid,
        id,
        clock,
        signal,
        tid: decoded.tid,
        value,
        uid: process.uid,
        at: undefined,
        interval: 0,
        key: undefined,
        queued: false,
        overrun: 0,
      });
      return { result: 0 };
    },

    timerSettime({ id, flags, value, old }, { caller: { pid } }) {
      if (value === null) return EINVAL;
      const bytes = readStruct(s, value, ITIMERSPEC_BYTES);
      if (bytes instanceof Errno) return bytes;
      const interval = time.decodeTimespec(bytes, 0);
      const first = time.decodeTimespec(bytes, 16);
      if (interval === undefined || first === undefined) return EINVAL;
      const key = timerKey(pid, id);
      const timer = s.table.posixTimers.get(key);
      if (timer === undefined) return EINVAL;
      const before = time.encodeItimerspec(timer.interval, timeLeft(s, timer));
      const absolute = (flags & time.TIMER_ABSTIME) !== 0;
      const start = absolute ? 0 : clockNow(s, timer);
      const at = absolute && !isCpuClock(timer.clock) ? monotonicOf(timer.clock, first) : start + first;
      setTimer(s, key, first === 0 ? undefined : at, first === 0 ? 0 : interval);
      return writeOptional(s, old, before) ?? { result: 0 };
    },

    timerGettime({ id, value }, { caller: { pid } }) {
      const timer = s.table.posixTimers.get(timerKey(pid, id));
      if (timer === undefined) return EINVAL;
      return writeStruct(s, value, time.encodeItimerspec(timer.interval, timeLeft(s, timer))) ?? { result: 0 };
    },

    timerGetoverrun({ id }, { caller: { pid } }) {
      const timer = s.table.posixTimers.get(timerKey(pid, id));
      return timer === undefined ? EINVAL : { result: timer.overrun };
    },

    timerDelete({ id }, { caller: { pid } }) {
      return deleteTimer(s, pid, id) ? { result: 0 } : EINVAL;
    },
  };
};
