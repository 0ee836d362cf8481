/** exit_group, the death of a thread, and processor faults, all reported by the kernel. */
import { EAGAIN, Errno, ESRCH } from '../../../abi/errno.ts';
import { bit, FULL_SET, faultInfo, has, SIG_IGN, seccompInfo } from '../../../abi/signals.ts';
import { publishSignals } from '../identity.ts';
import { killBySignal } from '../kill.ts';
import { actionOf, type ProcessHandlers, type ProcessServer } from '../server.ts';
import { dispatch } from '../signals/deliver.ts';
import { enqueue } from '../signals/queue.ts';
import { terminate } from '../terminate.ts';
import { mayFork } from './fork.ts';

export const exitCalls = (s: ProcessServer): Pick<ProcessHandlers, 'exit' | 'thread' | 'threadExit' | 'fault'> => ({
  exit({ pid, status }) {
    if (!s.table.processes.has(pid)) return ESRCH;
    terminate(s, pid, status);
    return {};
  },

  thread({ pid, tid: creator }) {
    const process = s.table.processes.edit(pid);
    const maker = s.table.threads.get(creator);
    if (process === undefined || maker === undefined) return ESRCH;
    if (!mayFork(s, process)) return EAGAIN;
    const tid = s.table.allocatePid();
    if (tid instanceof Errno) return tid;
    s.table.createThread(process, tid, maker);
    return { tid };
  },

  threadExit({ pid, tid }) {
    const process = s.table.processes.edit(pid);
    const thread = s.table.threads.edit(tid);
    if (process === undefined || thread === undefined || thread.pid !== pid) return ESRCH;
    s.table.removeThreads(process, [tid]);
    // What this thread was to take, another one may.
    if ((process.sigPending & FULL_SET) !== 0n) for (const other of process.threads) dispatch(s, pid, other);
    publishSignals(s, pid);
    return {};
  },

  // A fault cannot wait or be ignored: a thread that blocks or ignores its signal dies of it (signal(7), POSIX 2.4.1).
  fault({ pid, tid, signal, code, address, errno, syscall }) {
    const process = s.table.processes.edit(pid);
    const thread = s.table.threads.edit(tid);
    if (process === undefined || thread === undefined) return ESRCH;
    const action = actionOf(process, signal);
    const info = syscall < 0 ? faultInfo(signal, code, address) : seccompInfo(errno, address, syscall);
    if (action === undefined || action.handler === SIG_IGN || has(thread.sigMask, signal)) {
      killBySignal(s, process, tid, signal, info);
      return {};
    }
    if ((thread.sigPending & bit(signal)) === 0n) enqueue(s, process, thread, signal, info);
    dispatch(s, pid, tid);
    publishSignals(s, pid);
    return {};
  },
});
