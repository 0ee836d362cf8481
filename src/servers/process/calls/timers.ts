/** alarm, setitimer, getitimer, and the request on which the server sleeps until something is due (../timers.ts). */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import {
  decodeTimeval,
  encodeItimerval,
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  ITIMERVAL_BYTES,
  NANOSECONDS,
} from '../../../abi/time.ts';
import { wait } from '../../../ipc/server.ts';
import {
  type ProcessHandlers,
  type ProcessServer,
  readStruct,
  TIMERS_CHANGED,
  writeOptional,
  writeStruct,
} from '../server.ts';
import { cpuTime, expire, nextDeadline, setCpuTimer, setReal, timersOf } from '../timers.ts';

type Names = 'alarm' | 'setitimer' | 'getitimer' | 'timers';

const isTimer = (which: number): boolean => which === ITIMER_REAL || which === ITIMER_VIRTUAL || which === ITIMER_PROF;

export const timerCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => {
  /** An armed timer never tells 0, which would mean that it is not. */
  const left = (at: number, now: number): number => Math.max(at - now, 1000);

  const current = (pid: number, which: number): { readonly interval: number; readonly value: number } => {
    const { real, virtual, prof } = timersOf(s, pid);
    const timer = which === ITIMER_REAL ? real : which === ITIMER_VIRTUAL ? virtual : prof;
    if (timer === undefined) return { interval: 0, value: 0 };
    const { user, total } = which === ITIMER_REAL ? { user: 0, total: 0 } : cpuTime(s, pid);
    const now = which === ITIMER_REAL ? s.context.now() : which === ITIMER_VIRTUAL ? user : total;
    return { interval: timer.interval, value: left(timer.at, now) };
  };

  const arm = (pid: number, which: number, interval: number, value: number): void => {
    if (which === ITIMER_REAL) {
      setReal(s, pid, value === 0 ? undefined : s.context.now() + value, interval);
      return;
    }
    const { user, total } = cpuTime(s, pid);
    const at = (which === ITIMER_VIRTUAL ? user : total) + value;
    setCpuTimer(s, pid, which === ITIMER_VIRTUAL ? 'virtual' : 'prof', value === 0 ? undefined : { at, interval });
  };

  return {
    alarm({ seconds }, { caller }) {
      const before = current(caller.pid, ITIMER_REAL).value;
      arm(caller.pid, ITIMER_REAL, 0, seconds * NANOSECONDS);
      // Rounded to the nearest second, but an alarm that is set is never 0.
      return { result: before === 0 ? 0 : Math.max(1, Math.round(before / NANOSECONDS)) };
    },

    setitimer({ which, value, old }, { caller }) {
      if (!isTimer(which)) return EINVAL;
      // Linux takes a null pointer for a timer of zeros.
      const bytes = value === null ? new Uint8Array(ITIMERVAL_BYTES) : readStruct(s, value, ITIMERVAL_BYTES);
      if (bytes instanceof Errno) return bytes;
      const interval = decodeTimeval(bytes, 0);
      const first = decodeTimeval(bytes, 16);
      if (interval === undefined || first === undefined) return EINVAL;
      const before = current(caller.pid, which);
      arm(caller.pid, which, interval, first);
      return writeOptional(s, old, encodeItimerval(before.interval, before.value)) ?? { result: 0 };
    },

    getitimer({ which, value }, { caller }) {
      if (!isTimer(which)) return EINVAL;
      const now = current(caller.pid, which);
      return writeStruct(s, value, encodeItimerval(now.interval, now.value)) ?? { result: 0 };
    },

    timers() {
      expire(s);
      const deadline = nextDeadline(s);
      return wait([TIMERS_CHANGED], deadline === undefined ? {} : { deadline });
    },
  };
};
