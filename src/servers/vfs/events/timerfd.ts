/**
 * Timer descriptors: timerfd_create(2). A timer is due when its clock has reached `at`; what is due stays due until it is read,
 * so only the first due time after setting, reading or asking needs an alarm. Alarms are kept in order of time; the request
 * `alarms`, which sleeps until the next one, wakes the readers.
 *
 * Invariant: a timer that is armed and not due has one alarm. Timers of the time of day get theirs anew when that is set.
 */
import { EAGAIN, ECANCELED, EFAULT, EINVAL, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { POLLIN } from '../../../abi/poll.ts';
import { CLOCK_REALTIME, CLOCK_REALTIME_ALARM, NANOSECONDS } from '../../../abi/time.ts';
import { wait } from '../../../ipc/server.ts';
import type { FileIo } from '../io/operations.ts';
import type { Vfs } from '../state.ts';
import type { Timer } from './rows.ts';

const WORD = 8;
/** Keys of alarms are exact integers; a later timer is looked at here and put off again. */
const LAST_KEY = 2 ** 52;
export const ALARMS_CHANGED = 'alarms:changed';
const channelOf = (file: number): string => `timerfd:${file}`;

export const isTimeOfDay = (clock: number): boolean => clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_ALARM;

/** The time on a timer's clock. */
export const clockNow = (vfs: Vfs, clock: number): number => {
  if (!isTimeOfDay(clock)) return vfs.context.now();
  const { seconds, nanoseconds } = vfs.context.realtime();
  return seconds * NANOSECONDS + nanoseconds;
};

const dropAlarm = (vfs: Vfs, timer: Timer): void => {
  if (timer.alarm !== 0) vfs.alarms.delete(0, timer.alarm);
  timer.alarm = 0;
};

/** Sets the alarm of a timer that is armed and not yet due, and takes it from any other. */
export const setAlarm = (vfs: Vfs, file: number): void => {
  const timer = vfs.timers.edit(file)!;
  dropAlarm(vfs, timer);
  if (timer.at === undefined) return;
  const left = timer.at - clockNow(vfs, timer.clock);
  if (left <= 0) {
    vfs.wake(channelOf(file), POLLIN);
    return;
  }
  let key = Math.min(Math.ceil(vfs.context.now() + left), LAST_KEY);
  while (vfs.alarms.get(0, key) !== undefined) key++;
  vfs.alarms.set(0, key, { file });
  timer.alarm = key;
  vfs.wake(ALARMS_CHANGED);
};

/** Counts the due times that have passed and goes on to the next; a timer without interval is then disarmed. */
export const advance = (vfs: Vfs, file: number): Timer => {
  const timer = vfs.timers.edit(file)!;
  if (timer.at === undefined) return timer;
  const late = clockNow(vfs, timer.clock) - timer.at;
  if (late < 0) return timer;
  dropAlarm(vfs, timer);
  if (timer.interval === 0) {
    timer.ticks++;
    timer.at = undefined;
    return timer;
  }
  const passed = Math.floor(late / timer.interval) + 1;
  timer.ticks += passed;
  timer.at += passed * timer.interval;
  setAlarm(vfs, file);
  return timer;
};

/** Wakes the readers of all timers that are due; the time of the next alarm, if there is one. */
export const expireAlarms = (vfs: Vfs): number | undefined => {
  for (;;) {
    const first = vfs.alarms.ceiling(0, 0);
    if (first === undefined) return undefined;
    const [key, { file }] = first;
    if (key > vfs.context.now()) return key;
    vfs.alarms.delete(0, key);
    vfs.timers.edit(file)!.alarm = 0;
    // Clocks may differ by less than a nanosecond's rounding: what is not due after all is put off.
    setAlarm(vfs, file);
  }
};

/** The time of day was set. */
export const clockWasSet = (vfs: Vfs): void => {
  for (const [file, timer] of [...vfs.timers.entries()]) {
    if (!isTimeOfDay(timer.clock)) continue;
    if (timer.cancelOnSet) {
      vfs.timers.edit(file)!.cancelled = true;
      vfs.wake(channelOf(file), POLLIN);
    }
    setAlarm(vfs, file);
  }
};

const isDue = (vfs: Vfs, timer: Readonly<Timer>): boolean =>
  timer.cancelled || timer.ticks > 0 || (timer.at !== undefined && clockNow(vfs, timer.clock) >= timer.at);

export const timerfdIo: FileIo = {
  seekable: 'still',
  watchable: true,

  read: (vfs, { file, number, buf }) => {
    if (buf.length < WORD) return EINVAL;
    if (!isDue(vfs, vfs.timers.get(number)!)) return file.flags & O_NONBLOCK ? EAGAIN : wait([channelOf(number)]);
    const timer = advance(vfs, number);
    const { ticks } = timer;
    timer.ticks = 0;
    if (timer.cancelled) {
      timer.cancelled = false;
      return ECANCELED;
    }
    const bytes = new Uint8Array(WORD);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(ticks), true);
    const copied = vfs.context.copyOut(buf, 0, bytes);
    return copied instanceof Errno || copied < WORD ? EFAULT : WORD;
  },

  write: () => EINVAL,

  poll: (vfs, file) => ({
    events: isDue(vfs, vfs.timers.get(file.target)!) ? POLLIN : 0,
    channels: [channelOf(file.target)],
  }),

  close: (vfs, _file, number) => {
    dropAlarm(vfs, vfs.timers.edit(number)!);
    vfs.timers.delete(number);
  },
};
