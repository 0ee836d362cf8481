/** eventfd(2), timerfd_create(2) and its family, and the request on which the VFS sleeps until a timer is due. */

import { CAP_WAKE_ALARM } from '../../../abi/credentials.ts';
import { EBADF, EFAULT, EINVAL, EPERM, Errno, type Result } from '../../../abi/errno.ts';
import { EFD_SEMAPHORE, ITIMERSPEC_BYTES, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../../../abi/events.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from '../../../abi/fcntl.ts';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  decodeTimespec,
  encodeItimerspec,
} from '../../../abi/time.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { wait } from '../../../ipc/server.ts';
import { actorOf } from '../actor.ts';
import { openAnonymous } from '../events/anonymous.ts';
import {
  ALARMS_CHANGED,
  advance,
  clockNow,
  clockWasSet,
  expireAlarms,
  isTimeOfDay,
  setAlarm,
} from '../events/timerfd.ts';
import { fileNumber } from '../files.ts';
import { done, nothing } from '../outcome.ts';
import { capable } from '../permission.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

type Names = 'alarms' | 'clockSet' | 'eventfd' | 'timerCreate' | 'timerSet' | 'timerGet';

const CLOCKS = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM];
const DESCRIPTOR_FLAGS = O_CLOEXEC | O_NONBLOCK;

/** The open file of a timer descriptor. EBADF, EINVAL. */
const timerOf = (vfs: Vfs, pid: number, fd: number): Result<number> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const kind = vfs.files.get(number)?.kind;
  if (kind === undefined || kind === 'path') return EBADF;
  return kind === 'timerfd' ? number : EINVAL;
};

/** Interval and time left. */
const shown = (vfs: Vfs, file: number): Uint8Array => {
  const { at, interval, clock } = advance(vfs, file);
  return encodeItimerspec(interval, at === undefined ? 0 : Math.max(1, at - clockNow(vfs, clock)));
};

const give = (vfs: Vfs, buf: Grant | null, bytes: Uint8Array): Errno | typeof done => {
  const copied = buf === null ? EFAULT : vfs.context.copyOut(buf, 0, bytes);
  return copied instanceof Errno || copied < bytes.length ? EFAULT : done;
};

export const eventDescriptors = (vfs: Vfs): CallsOf<Names> => ({
  alarms: () => {
    const deadline = expireAlarms(vfs);
    return wait([ALARMS_CHANGED], { deadline });
  },

  clockSet: () => {
    clockWasSet(vfs);
    return nothing;
  },

  eventfd: ({ initial, flags }, call) => {
    if (flags & ~(DESCRIPTOR_FLAGS | EFD_SEMAPHORE)) return EINVAL;
    const made = openAnonymous(vfs, call.caller.pid, 'eventfd', O_RDWR, flags);
    if (made instanceof Errno) return made;
    vfs.counters.set(made.number, { count: BigInt(initial), semaphore: (flags & EFD_SEMAPHORE) !== 0 });
    return { result: made.fd };
  },

  timerCreate: ({ clock, flags }, call) => {
    if (flags & ~DESCRIPTOR_FLAGS || !CLOCKS.includes(clock)) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    if ((clock === CLOCK_REALTIME_ALARM || clock === CLOCK_BOOTTIME_ALARM) && !capable(actor, CAP_WAKE_ALARM))
      return EPERM;
    const made = openAnonymous(vfs, actor.pid, 'timerfd', O_RDWR, flags);
    if (made instanceof Errno) return made;
    vfs.timers.set(made.number, {
      clock,
      at: undefined,
      interval: 0,
      ticks: 0,
      cancelOnSet: false,
      cancelled: false,
      alarm: 0,
    });
    return { result: made.fd };
  },

  timerSet: ({ fd, flags, value, old }, call) => {
    const bytes = value === null ? EFAULT : vfs.context.copyIn(value, 0, ITIMERSPEC_BYTES);
    if (bytes instanceof Errno) return EFAULT;
    const interval = decodeTimespec(bytes, 0);
    const first = decodeTimespec(bytes, 16);
    if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) return EINVAL;
    if (interval === undefined || first === undefined) return EINVAL;
    const file = timerOf(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    const before = shown(vfs, file);
    const timer = vfs.timers.edit(file)!;
    const absolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    timer.at = first === 0 ? undefined : absolute ? first : clockNow(vfs, timer.clock) + first;
    timer.interval = interval;
    timer.ticks = 0;
    timer.cancelled = false;
    timer.cancelOnSet = absolute && (flags & TFD_TIMER_CANCEL_ON_SET) !== 0 && isTimeOfDay(timer.clock);
    setAlarm(vfs, file);
    return old === null ? done : give(vfs, old, before);
  },

  timerGet: ({ fd, value }, call) => {
    const file = timerOf(vfs, call.caller.pid, fd);
    return file instanceof Errno ? file : give(vfs, value, shown(vfs, file));
  },
});
