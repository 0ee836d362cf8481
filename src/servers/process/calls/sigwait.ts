/** rt_sigtimedwait(2), which is behind sigwait and sigwaitinfo too: takes a signal of a set without its handler. */
import { EAGAIN, EINTR, EINVAL, Errno } from '../../../abi/errno.ts';
import { decodeSigset, SIGSET_BYTES, UNBLOCKABLE } from '../../../abi/signals.ts';
import { decodeTimespec, TIMESPEC_BYTES } from '../../../abi/time.ts';
import { wait } from '../../../ipc/server.ts';
import { publishSignals } from '../identity.ts';
import {
  editSelf,
  type ProcessHandlers,
  type ProcessServer,
  readStruct,
  signalFor,
  threadOf,
  writeOptional,
} from '../server.ts';
import { dequeue, take } from '../signals/queue.ts';

export const sigwaitCalls = (s: ProcessServer): Pick<ProcessHandlers, 'sigtimedwait' | 'signalTaken'> => ({
  signalTaken({ target, tid, signal }) {
    const queue = tid === 0 ? s.table.processes.edit(target) : s.table.threads.edit(tid);
    if (queue !== undefined) take(s, queue, signal);
    publishSignals(s, target);
    return {};
  },

  sigtimedwait({ set, info, timeout, setSize }, call) {
    const { pid, tid } = call.caller;
    if (setSize !== SIGSET_BYTES) return EINVAL;
    const bytes = readStruct(s, set, SIGSET_BYTES);
    if (bytes instanceof Errno) return bytes;
    let patience: number | undefined;
    if (timeout !== null) {
      const time = readStruct(s, timeout, TIMESPEC_BYTES);
      if (time instanceof Errno) return time;
      patience = decodeTimespec(time);
      if (patience === undefined) return EINVAL;
    }
    const wanted = decodeSigset(bytes) & ~UNBLOCKABLE;
    const thread = threadOf(s, tid);
    thread.waiting = 0n;
    const taken = dequeue(s, editSelf(s, pid), thread, wanted);
    if (taken !== undefined) {
      publishSignals(s, pid);
      return writeOptional(s, info, taken.info) ?? { result: taken.signal };
    }
    if (call.reason === 'cancelled') return EINTR;
    if (call.reason === 'timeout' || patience === 0) return EAGAIN;
    thread.waiting = wanted;
    return wait([signalFor(tid)], patience === undefined ? {} : { deadline: call.since + patience });
  },
});
