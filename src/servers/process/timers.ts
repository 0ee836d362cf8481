/**
 * Interval timers, alarm, and the CPU time limit: what is armed, and what happens when it is due.
 *
 * The handler of `timers` (calls/timers.ts) sleeps until `nextDeadline` and then calls `expire`; whoever arms something wakes
 * it. Real timers are kept in order of time, so the next one is found in O(log n). A timer of CPU time is looked at again
 * after as much real time as it has CPU time left: it cannot be due earlier on one processor; never sooner than a tick.
 */
import { Errno } from '../../abi/errno.ts';
import { RLIMIT_CPU } from '../../abi/resource.ts';
import { SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU, timerInfo } from '../../abi/signals.ts';
import { NANOSECONDS } from '../../abi/time.ts';
import { clockNow, deleteTimers, expireTimer } from './posix-timers.ts';
import type { CpuTimer, IntervalTimers, ProcessControlBlock } from './rows.ts';
import { type ProcessServer, TIMERS_CHANGED } from './server.ts';
import { sendKernelSignal, sendSignal } from './signals/send.ts';

/** How often a CPU timer is looked at, at the most. */
const TICK = 4_000_000;
/** Keys of alarms are exact integers; a later timer is looked at here and put off again. */
const LAST_KEY = 2 ** 52;

const NOTHING: IntervalTimers = { real: undefined, virtual: undefined, prof: undefined, cpuLimit: Infinity };

const isIdle = (t: Readonly<IntervalTimers>): boolean =>
  t.real === undefined && t.virtual === undefined && t.prof === undefined && t.cpuLimit === Infinity;

export const timersOf = (s: ProcessServer, pid: number): Readonly<IntervalTimers> => s.table.timers.get(pid) ?? NOTHING;

const change = (s: ProcessServer, pid: number, with_: Partial<IntervalTimers>): void => {
  const timers = { ...timersOf(s, pid), ...with_ };
  if (isIdle(timers)) s.table.timers.delete(pid);
  else s.table.timers.set(pid, timers);
};

const enter = (s: ProcessServer, pid: number, at: number, interval: number, last: number): void => {
  let key = Math.min(Math.ceil(at), last);
  while (s.table.alarms.get(0, key) !== undefined) key++;
  s.table.alarms.set(0, key, { pid });
  change(s, pid, { real: { at, interval, key } });
};

/** Arms ITIMER_REAL for a monotonic time, or disarms it. */
export const setReal = (s: ProcessServer, pid: number, at: number | undefined, interval = 0): void => {
  const old = timersOf(s, pid).real;
  if (old !== undefined) s.table.alarms.delete(0, old.key);
  if (at === undefined) {
    change(s, pid, { real: undefined });
    return;
  }
  enter(s, pid, at, interval, LAST_KEY);
  s.context.wake(TIMERS_CHANGED);
};

export interface CpuTime {
  readonly user: number;
  /** User and system time together. */
  readonly total: number;
}

export const cpuTime = (s: ProcessServer, pid: number): CpuTime => {
  const view = s.context.kernel.process(pid);
  return view instanceof Errno
    ? { user: 0, total: 0 }
    : { user: view.userTime, total: view.userTime + view.systemTime };
};

/** Arms ITIMER_VIRTUAL or ITIMER_PROF. */
export const setCpuTimer = (
  s: ProcessServer,
  pid: number,
  which: 'virtual' | 'prof',
  timer: CpuTimer | undefined,
): void => {
  change(s, pid, { [which]: timer });
  s.context.wake(TIMERS_CHANGED);
};

/** RLIMIT_CPU has been set or inherited. */
export const watchCpuLimit = (s: ProcessServer, process: Readonly<ProcessControlBlock>): void => {
  const [soft, hard] = process.limits[RLIMIT_CPU];
  // Linux treats a limit of 0 as one second.
  const cpuLimit = Math.min(Math.max(soft, 1), Math.max(hard, 1)) * NANOSECONDS;
  if (timersOf(s, process.pid).cpuLimit === cpuLimit) return;
  change(s, process.pid, { cpuLimit });
  s.context.wake(TIMERS_CHANGED);
};

/** A process ends. */
export const disarmAll = (s: ProcessServer, pid: number): void => {
  deleteTimers(s, pid);
  const timers = s.table.timers.get(pid);
  if (timers === undefined) return;
  if (timers.real !== undefined) s.table.alarms.delete(0, timers.real.key);
  s.table.timers.delete(pid);
};

/** The first multiple of the interval past `now`: expirations that were missed are one signal. */
const following = (at: number, interval: number, now: number): number =>
  at + interval * (Math.floor((now - at) / interval) + 1);

const expireReal = (s: ProcessServer, now: number): void => {
  for (;;) {
    const first = s.table.alarms.ceiling(0, 0);
    if (first === undefined || first[0] > now) return;
    const { pid, timer } = first[1];
    if (timer !== undefined) {
      expirePosix(s, timer);
      continue;
    }
    const real = timersOf(s, pid).real;
    if (real === undefined) {
      s.table.alarms.delete(0, first[0]);
    } else if (real.at > now) {
      // A time past the last key is put off for as long again.
      s.table.alarms.delete(0, first[0]);
      enter(s, pid, real.at, real.interval, now + LAST_KEY);
    } else {
      setReal(s, pid, real.interval === 0 ? undefined : following(real.at, real.interval, now), real.interval);
      sendKernelSignal(s, pid, SIGALRM);
    }
  }
};

const expireCpuTimer = (s: ProcessServer, pid: number, which: 'virtual' | 'prof', used: number): void => {
  const timer = timersOf(s, pid)[which];
  if (timer === undefined || used < timer.at) return;
  const next = timer.interval === 0 ? undefined : { ...timer, at: following(timer.at, timer.interval, used) };
  change(s, pid, { [which]: next });
  sendKernelSignal(s, pid, which === 'virtual' ? SIGVTALRM : SIGPROF);
};

/** SIGXCPU at the soft limit and every second after it, SIGKILL at the hard one (getrlimit(2)). */
const enforceCpuLimit = (s: ProcessServer, pid: number, used: number): void => {
  if (used < timersOf(s, pid).cpuLimit) return;
  const process = s.table.processes.get(pid);
  if (process === undefined) return;
  const hard = Math.max(process.limits[RLIMIT_CPU][1], 1) * NANOSECONDS;
  if (used >= hard) {
    sendKernelSignal(s, pid, SIGKILL);
    return;
  }
  change(s, pid, { cpuLimit: Math.min(used + NANOSECONDS, hard) });
  sendKernelSignal(s, pid, SIGXCPU);
};

const expirePosix = (s: ProcessServer, key: string): void => {
  const timer = expireTimer(s, key);
  if (timer === undefined) return;
  const info = timerInfo(timer.signal, timer.id, 0, timer.value);
  sendSignal(s, timer.pid, timer.signal, info, { tid: timer.tid === 0 ? undefined : timer.tid, timer: key });
};

const cpuDue = (s: ProcessServer, key: string): number => {
  const timer = s.table.posixTimers.get(key);
  return timer?.at === undefined ? Infinity : timer.at - clockNow(s, timer);
};

/** Raises the signals of all timers that are due. */
export const expire = (s: ProcessServer): void => {
  expireReal(s, s.context.now());
  for (const key of [...s.table.cpuTimers.keys()]) if (cpuDue(s, key) <= 0) expirePosix(s, key);
  for (const pid of [...s.table.timers.keys()]) {
    const timers = timersOf(s, pid);
    if (timers.virtual === undefined && timers.prof === undefined && timers.cpuLimit === Infinity) continue;
    const { user, total } = cpuTime(s, pid);
    expireCpuTimer(s, pid, 'virtual', user);
    expireCpuTimer(s, pid, 'prof', total);
    enforceCpuLimit(s, pid, total);
  }
};

/** Monotonic time of the next look, undefined if nothing is armed. */
export const nextDeadline = (s: ProcessServer): number | undefined => {
  const now = s.context.now();
  let next = s.table.alarms.ceiling(0, 0)?.[0] ?? Infinity;
  for (const [pid, { virtual, prof, cpuLimit }] of s.table.timers.entries()) {
    if (virtual === undefined && prof === undefined && cpuLimit === Infinity) continue;
    const { user, total } = cpuTime(s, pid);
    const left = Math.min((virtual?.at ?? Infinity) - user, (prof?.at ?? Infinity) - total, cpuLimit - total);
    next = Math.min(next, now + Math.max(left, TICK));
  }
  for (const key of s.table.cpuTimers.keys()) next = Math.min(next, now + Math.max(cpuDue(s, key), TICK));
  return next === Infinity ? undefined : next;
};
