/**
 * Process descriptors: the kernel keeps which process an open file stands for, since numbers of processes are used again and the
 * process manager, too, must know. The VFS binds and releases; changes are undone with its transaction.
 */
import { EBADF, ESRCH, type Result } from '../abi/errno.ts';
import type { KernelCalls } from '../ipc/kernel-calls.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

export interface Pidfd {
  readonly process: Process;
  readonly nonblocking: boolean;
}

/** Whether the process may still be named: it lives or is a zombie. */
const exists = (kernel: Kernel, process: Process): boolean =>
  !process.forgotten && kernel.processes.get(process.pid) === process;

type Calls = Pick<KernelCalls, 'pidfd' | 'bindPidfd' | 'releasePidfd' | 'pidfdTarget'>;

export const pidfdCalls = (kernel: Kernel): Calls => {
  const { pidfds, processes, undo } = kernel;

  const change = (file: number, to: Pidfd | undefined): void => {
    const before = pidfds.get(file);
    const put = (value: Pidfd | undefined): void => {
      if (value === undefined) pidfds.delete(file);
      else pidfds.set(file, value);
    };
    put(to);
    undo.push({ undo: () => put(before) });
  };

  return {
    pidfd: (pid, fd) => {
      const file = processes.get(pid)?.files.get(fd)?.file;
      const bound = file === undefined ? undefined : pidfds.get(file);
      if (bound === undefined) return EBADF;
      const { process, nonblocking } = bound;
      return exists(kernel, process) ? { target: process.pid, nonblocking } : ESRCH;
    },

    // Bound anew (its flags changed) it goes on to stand for the process it stood for.
    bindPidfd: (file, target, nonblocking): Result<void> => {
      const process = pidfds.get(file)?.process ?? processes.get(target);
      if (process === undefined) return ESRCH;
      change(file, { process, nonblocking });
    },

    releasePidfd: (file) => change(file, undefined),

    pidfdTarget: (file) => {
      const process = pidfds.get(file)?.process;
      return process !== undefined && exists(kernel, process) ? process.view : ESRCH;
    },
  };
};
