/**
 * The signal mask of a thread: rt_sigprocmask, rt_sigpending, rt_sigsuspend, pause, the return from a handler, and the mask
 * that ppoll, pselect6 and epoll_pwait set for the time they sleep.
 *
 * While a temporary mask holds, `savedMask` is the one to go back to. A handler that is entered meanwhile takes it into its
 * frame, and rt_sigreturn restores it; if none is, the call itself restores it.
 */
import { EINTR, EINVAL, Errno, ESRCH } from '../../../abi/errno.ts';
import {
  decodeSigset,
  encodeSigset,
  SIG_BLOCK,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGSET_BYTES,
  UNBLOCKABLE,
} from '../../../abi/signals.ts';
import { wait } from '../../../ipc/server.ts';
import { publishSignals } from '../identity.ts';
import {
  type ProcessHandlers,
  type ProcessServer,
  readStruct,
  self,
  threadOf,
  writeOptional,
  writeStruct,
} from '../server.ts';
import { dispatch } from '../signals/deliver.ts';

type Names = 'sigprocmask' | 'sigpending' | 'sigsuspend' | 'pause' | 'signalReturn' | 'temporaryMask' | 'restoreMask';

const combine = (how: number, mask: bigint, set: bigint): bigint | undefined => {
  switch (how) {
    case SIG_BLOCK:
      return mask | set;
    case SIG_UNBLOCK:
      return mask & ~set;
    case SIG_SETMASK:
      return set;
    default:
      return undefined;
  }
};

export const sigmaskCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => {
  /** Sets a mask; what it no longer blocks is delivered. Says whether a handler was queued. */
  const setMask = (pid: number, tid: number, mask: bigint): boolean => {
    threadOf(s, tid).sigMask = mask & ~UNBLOCKABLE;
    const handled = dispatch(s, pid, tid);
    publishSignals(s, pid);
    return handled;
  };

  const setTemporary = (pid: number, tid: number, mask: bigint): boolean => {
    const thread = threadOf(s, tid);
    thread.savedMask ??= thread.sigMask;
    return setMask(pid, tid, mask);
  };

  const endTemporary = (pid: number, tid: number): void => {
    const thread = s.table.threads.edit(tid);
    if (thread?.savedMask === undefined) return;
    const mask = thread.savedMask;
    thread.savedMask = undefined;
    setMask(pid, tid, mask);
  };

  return {
    sigprocmask({ how, set, old, setSize }, { caller }) {
      if (setSize !== SIGSET_BYTES) return EINVAL;
      const before = threadOf(s, caller.tid).sigMask;
      if (set !== null) {
        const bytes = readStruct(s, set, SIGSET_BYTES);
        if (bytes instanceof Errno) return bytes;
        const mask = combine(how, before, decodeSigset(bytes));
        if (mask === undefined) return EINVAL;
        if (mask !== before) setMask(caller.pid, caller.tid, mask);
      }
      return writeOptional(s, old, encodeSigset(before)) ?? { result: 0 };
    },

    sigpending({ set, setSize }, { caller }) {
      if (setSize > SIGSET_BYTES) return EINVAL;
      const thread = threadOf(s, caller.tid);
      const pending = (self(s, caller.pid).sigPending | thread.sigPending) & thread.sigMask;
      return writeStruct(s, set, encodeSigset(pending).subarray(0, setSize)) ?? { result: 0 };
    },

    sigsuspend({ set, setSize }, { caller, reason }) {
      if (reason === 'first') {
        if (setSize !== SIGSET_BYTES) return EINVAL;
        const bytes = readStruct(s, set, SIGSET_BYTES);
        if (bytes instanceof Errno) return bytes;
        return setTemporary(caller.pid, caller.tid, decodeSigset(bytes)) ? EINTR : wait([]);
      }
      if (reason !== 'cancelled') return wait([]);
      endTemporary(caller.pid, caller.tid);
      return EINTR;
    },

    pause(_, { reason }) {
      return reason === 'cancelled' ? EINTR : wait([]);
    },

    signalReturn({ pid, tid, mask }) {
      if (!s.table.threads.has(tid)) return ESRCH;
      setMask(pid, tid, mask);
      return {};
    },

    temporaryMask({ pid, tid, mask }) {
      if (!s.table.threads.has(tid)) return ESRCH;
      return { interrupted: setTemporary(pid, tid, mask) };
    },

    restoreMask({ pid, tid }) {
      endTemporary(pid, tid);
      return {};
    },
  };
};
