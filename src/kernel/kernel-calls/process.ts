/**
 * Kernel calls of the process manager: processes come and go, change who they are, and get signals.
 *
 * Records and identities change at once and are undone on rollback. What touches threads (end, stop, continue, handlers) is
 * an effect: it happens when the transaction has committed.
 */

import { EAGAIN, EEXIST, ESRCH, type Result } from '../../abi/errno.ts';
import { maximalTasks } from '../../abi/resource.ts';
import type { KernelCalls } from '../../ipc/kernel-calls.ts';
import { dumpCore } from '../core/dump.ts';
import { endProcess, remove } from '../exit.ts';
import type { Kernel } from '../kernel.ts';
import { DEFAULT_MEMORY } from '../options.ts';
import { Process } from '../process.ts';
import { interrupt, queueFrame } from '../signals.ts';

type Calls = Pick<
  KernelCalls,
  | 'createProcess'
  | 'setIdentity'
  | 'destroyProcess'
  | 'dumpCore'
  | 'forgetProcess'
  | 'deliverSignal'
  | 'interrupt'
  | 'stopProcess'
  | 'continueProcess'
  | 'nameThread'
  | 'setPriority'
>;

export const processCalls = (kernel: Kernel): Calls => {
  const { processes, undo } = kernel;
  const limit = kernel.options.processes ?? maximalTasks(kernel.options.memory ?? DEFAULT_MEMORY);

  /** Runs an effect on a process, if it exists, once the transaction has committed. */
  const later = (pid: number, effect: (process: Process) => void): Result<void> => {
    const process = processes.get(pid);
    if (process === undefined) return ESRCH;
    undo.afterCommit(() => effect(process));
  };

  return {
    createProcess: (pid, identity) => {
      if (processes.has(pid)) return EEXIST;
      if (processes.size >= limit) return EAGAIN;
      const process = new Process(pid, identity, kernel.now(), false);
      process.settle = () => kernel.runner.settle();
      process.addThread(pid);
      processes.set(pid, process);
      const { lastPid } = kernel.counters;
      kernel.counters.lastPid = pid;
      undo.push({
        undo: () => {
          processes.delete(pid);
          kernel.counters.lastPid = lastPid;
        },
      });
    },

    setIdentity: (pid, change) => {
      const process = processes.get(pid);
      if (process === undefined) return ESRCH;
      const before = process.identity;
      process.identity = { ...before, ...change };
      if (process.signalsWatched && change.queue !== undefined && change.queue.length > 0)
        undo.afterCommit(() => kernel.later(() => kernel.request(kernel.vfs, 'signalsPending', { pid }, () => {})));
      undo.push({
        undo: () => {
          process.identity = before;
        },
      });
    },

    destroyProcess: (pid, status) => later(pid, (process) => endProcess(kernel, process, status)),

    dumpCore: (pid, tid, signal, info) =>
      later(pid, (process) => kernel.later(() => dumpCore(kernel, process, { tid, signal, info }))),

    forgetProcess: (pid) =>
      later(pid, (process) => {
        process.forgotten = true;
        if (process.released) remove(kernel, process);
        else if (!process.dying) endProcess(kernel, process, undefined);
      }),

    deliverSignal: (pid, tid, frame) =>
      later(pid, (process) => {
        const thread = process.thread(tid);
        if (thread !== undefined) queueFrame(kernel, thread, frame);
      }),

    interrupt: (pid, tid) =>
      later(pid, (process) => {
        const thread = process.thread(tid);
        if (thread !== undefined) interrupt(kernel, thread);
      }),

    stopProcess: (pid) =>
      later(pid, (process) => {
        process.stopped = true;
        for (const thread of process.threads) {
          kernel.scheduler.remove(thread);
          thread.attention = true;
        }
      }),

    continueProcess: (pid) =>
      later(pid, (process) => {
        process.stopped = false;
        for (const thread of process.threads) if (thread.state === 'ready') kernel.scheduler.add(thread);
      }),

    nameThread: (pid, tid, name) =>
      later(pid, (process) => {
        const thread = process.thread(tid);
        if (thread !== undefined) thread.name = name;
      }),

    // The queue it stands in is the one for the next time.
    setPriority: (pid, tid, nice) => {
      const process = processes.get(pid);
      if (process === undefined) return ESRCH;
      const thread = process.thread(tid);
      if (thread === undefined) return undefined;
      const before = thread.nice;
      thread.nice = nice;
      undo.push({
        undo: () => {
          thread.nice = before;
        },
      });
    },
  };
};
