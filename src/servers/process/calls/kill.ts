/** Sending signals: kill, tkill, tgkill and the queueing forms, and what the kernel and the host send. */

import { EBADF, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRBAND, POLLWRNORM } from '../../../abi/poll.ts';
import {
  infoCode,
  ioInfo,
  isSignal,
  POLL_IN,
  POLL_OUT,
  SI_KERNEL,
  SI_TKILL,
  SI_USER,
  SIGINFO_BYTES,
  SIGIO,
  userInfo,
} from '../../../abi/signals.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { mayKill } from '../permission.ts';
import { INIT } from '../process-table.ts';
import { Flag, type ProcessControlBlock } from '../rows.ts';
import { type ProcessHandlers, type ProcessServer, readStruct, self } from '../server.ts';
import { sendKernelSignal, sendSignal } from '../signals/send.ts';

type Names = 'pidfdSignal' | 'raiseIo' | 'kill' | 'tkill' | 'tgkill' | 'sigqueue' | 'tgsigqueue' | 'raise' | 'killHost';

/** `si_band` of what is readable and writable (fs/fcntl.c, band_table). */
const BAND_IN = POLLIN | POLLRDNORM;
const BAND_OUT = POLLOUT | POLLWRNORM | POLLWRBAND;

/** Flags of pidfd_send_signal(2): whom it reaches. */
const PIDFD_SIGNAL_THREAD = 1;
const PIDFD_SIGNAL_THREAD_GROUP = 2;
const PIDFD_SIGNAL_PROCESS_GROUP = 4;

const isValid = (signal: number): boolean => signal === 0 || isSignal(signal);

/** Checks the sender's right and sends; signal 0 only checks. */
const sendFrom = (
  s: ProcessServer,
  sender: Readonly<ProcessControlBlock>,
  target: number,
  signal: number,
  info: Uint8Array,
  tid?: number,
): Errno | undefined => {
  const process = s.table.processes.get(target);
  if (process === undefined) return ESRCH;
  if (!isValid(signal)) return EINVAL;
  if (!mayKill(sender, process, signal)) return EPERM;
  return signal === 0 ? undefined : sendSignal(s, target, signal, info, { tid });
};

/** To every member; it is a success if one took it (kill(2)). */
const sendGroup = (
  s: ProcessServer,
  sender: Readonly<ProcessControlBlock>,
  pgid: number,
  signal: number,
  info: Uint8Array,
): Errno | undefined => {
  let taken = false;
  let last: Errno | undefined = ESRCH;
  for (const pid of s.table.groups.get(pgid)?.members ?? []) {
    last = sendFrom(s, sender, pid, signal, info);
    taken ||= last === undefined;
  }
  return taken ? undefined : last;
};

/** kill(−1): to all the sender may signal, but neither init, the servers nor itself. */
const sendAll = (
  s: ProcessServer,
  sender: Readonly<ProcessControlBlock>,
  signal: number,
  info: Uint8Array,
): Errno | undefined => {
  let some = false;
  let result: Errno | undefined;
  for (const pid of [...s.table.processes.keys()]) {
    const process = s.table.processes.get(pid);
    if (process === undefined || pid === INIT || pid === sender.pid || (process.flags & Flag.kernel) !== 0) continue;
    some = true;
    const sent = sendFrom(s, sender, pid, signal, info);
    if (sent !== EPERM) result = sent;
  }
  return some ? result : ESRCH;
};

const answer = (failed: Errno | undefined): Result<{ result: number }> => failed ?? { result: 0 };

/** The siginfo of rt_sigqueueinfo: only to itself may a process pretend to be kill or the kernel. */
const ownInfo = (s: ProcessServer, grant: Grant | null, signal: number, toSelf: boolean): Result<Uint8Array> => {
  const bytes = readStruct(s, grant, SIGINFO_BYTES);
  if (bytes instanceof Errno) return bytes;
  const info = bytes.slice();
  new DataView(info.buffer).setInt32(0, signal, true);
  const code = infoCode(info);
  return (code >= 0 || code === SI_TKILL) && !toSelf ? EPERM : info;
};

export const killCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => {
  const toThread = (
    sender: Readonly<ProcessControlBlock>,
    tgid: number | undefined,
    tid: number,
    signal: number,
    info: Uint8Array,
  ): Errno | undefined => {
    const thread = s.table.threads.get(tid);
    // A zombie's thread is gone, yet it can be signalled in vain until it is reaped.
    const pid = thread?.pid ?? (s.table.processes.has(tid) ? tid : undefined);
    if (pid === undefined || (tgid !== undefined && tgid !== pid)) return ESRCH;
    // Of a process whose first thread has ended nobody takes what is sent to that one.
    const vain = thread === undefined && s.table.processes.get(pid)?.state !== 'ZOMBIE';
    return sendFrom(s, sender, pid, vain && isValid(signal) ? 0 : signal, info, thread === undefined ? undefined : tid);
  };

  return {
    kill({ pid, signal }, call) {
      const sender = self(s, call.caller.pid);
      const info = userInfo(signal, SI_USER, sender.pid, sender.uid);
      if (pid > 0) return answer(sendFrom(s, sender, pid, signal, info));
      if (pid === -0x8000_0000) return ESRCH;
      if (pid === -1) return answer(sendAll(s, sender, signal, info));
      return answer(sendGroup(s, sender, pid === 0 ? sender.pgid : -pid, signal, info));
    },

    tkill({ tid, signal }, call) {
      if (tid <= 0) return EINVAL;
      const sender = self(s, call.caller.pid);
      return answer(toThread(sender, undefined, tid, signal, userInfo(signal, SI_TKILL, sender.pid, sender.uid)));
    },

    tgkill({ tgid, tid, signal }, call) {
      if (tgid <= 0 || tid <= 0) return EINVAL;
      const sender = self(s, call.caller.pid);
      return answer(toThread(sender, tgid, tid, signal, userInfo(signal, SI_TKILL, sender.pid, sender.uid)));
    },

    sigqueue({ tgid, signal, info }, call) {
      const own = ownInfo(s, info, signal, tgid === call.caller.pid);
      return own instanceof Errno ? own : answer(sendFrom(s, self(s, call.caller.pid), tgid, signal, own));
    },

    tgsigqueue({ tgid, tid, signal, info }, call) {
      if (tgid <= 0 || tid <= 0) return EINVAL;
      const own = ownInfo(s, info, signal, tgid === call.caller.pid);
      return own instanceof Errno ? own : answer(toThread(self(s, call.caller.pid), tgid, tid, signal, own));
    },

    pidfdSignal({ fd, signal, info, flags }, call) {
      const scopes = [PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, PIDFD_SIGNAL_PROCESS_GROUP];
      if (flags !== 0 && !scopes.includes(flags)) return EINVAL;
      const { pid } = call.caller;
      const bound = s.context.kernel.pidfd(pid, fd);
      if (bound === EBADF) return EBADF;
      const sender = self(s, pid);
      let own: Result<Uint8Array> = userInfo(signal, SI_USER, sender.pid, sender.uid);
      if (info !== null) {
        own = readStruct(s, info, SIGINFO_BYTES);
        if (own instanceof Errno) return own;
        own = own.slice();
        if (new DataView(own.buffer).getInt32(0, true) !== signal) return EINVAL;
        const code = infoCode(own);
        const self_ = !(bound instanceof Errno) && bound.target === pid;
        if ((code >= 0 || code === SI_TKILL) && !self_) return EPERM;
      }
      if (bound instanceof Errno) return bound;
      if (flags === PIDFD_SIGNAL_PROCESS_GROUP) {
        const target = s.table.processes.get(bound.target);
        return answer(target === undefined ? ESRCH : sendGroup(s, sender, target.pgid, signal, own));
      }
      if (flags === PIDFD_SIGNAL_THREAD) return answer(sendFrom(s, sender, bound.target, signal, own, bound.target));
      return answer(sendFrom(s, sender, bound.target, signal, own));
    },

    raise({ target, signal, toProcess }) {
      if (!isSignal(signal)) return EINVAL;
      if (toProcess) {
        // SIGPIPE and SIGXFSZ are the process's own doing: its ids are in them.
        const uid = s.table.processes.get(target)?.uid;
        if (uid === undefined) return ESRCH;
        sendSignal(s, target, signal, userInfo(signal, SI_USER, target, uid));
        return {};
      }
      for (const pid of s.table.groups.get(target)?.members ?? []) sendKernelSignal(s, pid, signal);
      return {};
    },

    raiseIo({ owner, thread, signal, fd, readable, uid, euid }) {
      const info =
        signal === 0
          ? userInfo(SIGIO, SI_KERNEL)
          : ioInfo(signal, readable ? POLL_IN : POLL_OUT, readable ? BAND_IN : BAND_OUT, fd);
      const allowed = (pid: number): boolean => {
        const target = s.table.processes.get(pid);
        if (target === undefined) return false;
        return euid === 0 || [euid, uid].some((id) => id === target.uid || id === target.suid);
      };
      const tell = (pid: number, tid?: number): void => {
        if (!allowed(pid)) return;
        // A queue that is full must not hide that something happened.
        if (sendSignal(s, pid, signal === 0 ? SIGIO : signal, info, { tid }) !== undefined)
          sendSignal(s, pid, SIGIO, userInfo(SIGIO, SI_KERNEL), { tid });
      };
      if (owner < 0) for (const pid of s.table.groups.get(-owner)?.members ?? []) tell(pid);
      else if (!thread) tell(owner);
      else {
        const pid = s.table.threads.get(owner)?.pid;
        if (pid !== undefined) tell(pid, owner);
      }
      return {};
    },

    killHost({ target, signal }) {
      if (!isValid(signal)) return EINVAL;
      const targets = target > 0 ? [target] : (s.table.groups.get(-target)?.members ?? []);
      if (!targets.some((pid) => s.table.processes.has(pid))) return ESRCH;
      const info = userInfo(signal, target > 0 ? SI_USER : SI_KERNEL);
      if (signal !== 0) for (const pid of targets) sendSignal(s, pid, signal, info, { force: true });
      return {};
    },
  };
};
