/**
 * POSIX timers (timer_create(2)): what is armed, and what happens when it is due.
 *
 * A timer has at most one signal queued. While it is, the timer stands still; when a thread takes the signal, what has
 * expired meanwhile is its overrun, and the timer goes on. Timers of real time stand among the alarms (timers.ts); those of
 * CPU time are looked at with the interval timers.
 */
import { Errno } from '../../abi/errno.ts';
import { timerInfo } from '../../abi/signals.ts';
import { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID } from '../../abi/time.ts';
import type { PosixTimer, QueuedSignal } from './rows.ts';
import { type ProcessServer, TIMERS_CHANGED } from './server.ts';

/** Keys of alarms are exact integers. */
const LAST_KEY = 2 ** 52;

export const timerKey = (pid: number, id: number): string => `${pid}:${id}`;

export const isCpuClock = (clock: number): boolean =>
  clock < 0 || clock === CLOCK_PROCESS_CPUTIME_ID || clock === CLOCK_THREAD_CPUTIME_ID;

/** The clock that a timer counts on. A clock of CPU time is −1 − tid for a thread, 2 for the process. */
export const clockNow = (s: ProcessServer, timer: Readonly<Pick<PosixTimer, 'pid' | 'clock'>>): number => {
  if (!isCpuClock(timer.clock)) return s.context.now();
  if (timer.clock < 0) {
    const thread = s.context.kernel.threads(timer.pid).find(({ tid }) => tid === -1 - timer.clock);
    return thread === undefined ? 0 : thread.userTime + thread.systemTime;
  }
  const view = s.context.kernel.process(timer.pid);
  return view instanceof Errno ? 0 : view.userTime + view.systemTime;
};

/** Enters the timer where it is found when it is due. */
const enter = (s: ProcessServer, key: string, timer: PosixTimer): void => {
  if (timer.at === undefined || timer.signal === 0) return;
  if (isCpuClock(timer.clock)) s.table.cpuTimers.set(key, { pid: timer.pid });
  else {
    let time = Math.min(Math.max(Math.ceil(timer.at), 0), LAST_KEY);
    while (s.table.alarms.get(0, time) !== undefined) time++;
    s.table.alarms.set(0, time, { pid: timer.pid, timer: key });
    timer.key = time;
  }
  s.context.wake(TIMERS_CHANGED);
};

const withdraw = (s: ProcessServer, key: string, timer: PosixTimer): void => {
  if (timer.key !== undefined) s.table.alarms.delete(0, timer.key);
  timer.key = undefined;
  s.table.cpuTimers.delete(key);
};

/** Takes the signal that a timer has queued back: it was set anew, or deleted. */
const recall = (s: ProcessServer, key: string, timer: PosixTimer): void => {
  if (!timer.queued) return;
  timer.queued = false;
  const process = s.table.processes.edit(timer.pid);
  if (process === undefined) return;
  for (const queue of [process, ...process.threads.map((tid) => s.table.threads.edit(tid))]) {
    if (queue === undefined || !queue.sigQueue.some((queued) => queued.timer === key)) continue;
    const { signal } = timer;
    queue.sigQueue = queue.sigQueue.filter((queued) => queued.timer !== key);
    if (!queue.sigQueue.some((queued) => queued.signal === signal)) queue.sigPending &= ~(1n << BigInt(signal - 1));
    s.table.account(timer.uid, 'signals', -1);
  }
};

/** Arms a timer for a time on its clock, or disarms it. */
export const setTimer = (s: ProcessServer, key: string, at: number | undefined, interval: number): void => {
  const timer = s.table.posixTimers.edit(key)!;
  withdraw(s, key, timer);
  recall(s, key, timer);
  timer.at = at;
  timer.interval = interval;
  timer.overrun = 0;
  enter(s, key, timer);
};

/** Moves a timer on to its first time past `now`; the expirations that are passed. */
const forward = (timer: PosixTimer, now: number): number => {
  if (timer.at === undefined || timer.at > now) return 0;
  if (timer.interval === 0) {
    timer.at = undefined;
    return 1;
  }
  const passed = Math.floor((now - timer.at) / timer.interval) + 1;
  timer.at += passed * timer.interval;
  return passed;
};

/** What is left until a timer is next due; 0 if it is not armed. */
export const timeLeft = (s: ProcessServer, timer: Readonly<PosixTimer>): number => {
  const now = clockNow(s, timer);
  const copy = { ...timer };
  forward(copy, now);
  return copy.at === undefined ? 0 : Math.max(copy.at - now, 1);
};

/** A timer is due: it stands still until its signal is taken. The signal to send, if it still has one. */
export const expireTimer = (s: ProcessServer, key: string): Readonly<PosixTimer> | undefined => {
  const timer = s.table.posixTimers.edit(key);
  if (timer === undefined) return undefined;
  withdraw(s, key, timer);
  timer.queued = true;
  return timer;
};

/** The signal of a timer is ignored, or nobody is left to take it: the timer goes on at once. */
export const resume = (s: ProcessServer, key: string): number => {
  const timer = s.table.posixTimers.edit(key);
  if (timer === undefined || !timer.queued) return 0;
  timer.queued = false;
  const passed = forward(timer, clockNow(s, timer));
  enter(s, key, timer);
  return Math.min(Math.max(passed - 1, 0), 0x7fff_ffff);
};

/** A thread takes a queued signal: what a timer's stands for is known only now. */
export const takeTimerSignal = (s: ProcessServer, queued: QueuedSignal): QueuedSignal => {
  if (queued.timer === undefined) return queued;
  const overrun = resume(s, queued.timer);
  const timer = s.table.posixTimers.edit(queued.timer);
  if (timer === undefined) return queued;
  timer.overrun = overrun;
  return { ...queued, info: timerInfo(timer.signal, timer.id, overrun, timer.value) };
};

export const deleteTimer = (s: ProcessServer, pid: number, id: number): boolean => {
  const key = timerKey(pid, id);
  const timer = s.table.posixTimers.edit(key);
  if (timer === undefined) return false;
  withdraw(s, key, timer);
  recall(s, key, timer);
  s.table.posixTimers.delete(key);
  s.table.account(timer.uid, 'signals', -1);
  const ids = s.table.timerIds.edit(pid)!;
  ids.ids = ids.ids.filter((other) => other !== id);
  return true;
};

/** The process ends or executes another program. */
export const deleteTimers = (s: ProcessServer, pid: number): void => {
  for (const id of s.table.timerIds.get(pid)?.ids ?? []) deleteTimer(s, pid, id);
  s.table.timerIds.delete(pid);
};
