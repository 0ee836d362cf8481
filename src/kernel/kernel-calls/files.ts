/** Kernel calls of the VFS: descriptor tables, terminals, other processes' memory, mapped files, the console. */
import { EBADF, EFAULT, ESRCH, type Result } from '../../abi/errno.ts';
import type { KernelCalls, ThreadView } from '../../ipc/kernel-calls.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import { findThread } from '../threads.ts';
import { WritebackNeeded } from './memory.ts';
import { threadView } from './views.ts';

type Calls = Pick<
  KernelCalls,
  | 'allocFd'
  | 'freeFd'
  | 'dupFd'
  | 'fd'
  | 'setCloseOnExec'
  | 'fds'
  | 'copyFds'
  | 'watchSignals'
  | 'takeSignal'
  | 'raiseSignal'
  | 'raiseIo'
  | 'setTerminal'
  | 'readMemory'
  | 'mappings'
  | 'thread'
  | 'residentBytes'
  | 'pullPages'
  | 'invalidatePages'
  | 'consoleWrite'
>;

export const fileCalls = (kernel: Kernel): Calls => {
  const { machine, processes, undo } = kernel;
  const files = (pid: number): Process['files'] | undefined => processes.get(pid)?.files;

  /** Modified pages go to the file first: the handler runs again afterwards. */
  const pull = (object: number): void => {
    if (machine.objects.fileReferences(object) > 0 && machine.objects.isDirty(object))
      throw new WritebackNeeded(object);
  };

  return {
    allocFd: (pid, file, minimum, closeOnExec) => files(pid)?.allocate(undo, file, minimum, closeOnExec) ?? ESRCH,
    freeFd: (pid, fd) => files(pid)?.free(undo, fd) ?? ESRCH,
    dupFd: (pid, oldFd, newFd, closeOnExec) => files(pid)?.duplicate(undo, oldFd, newFd, closeOnExec) ?? ESRCH,
    fd: (pid, fd) => files(pid)?.get(fd) ?? EBADF,
    setCloseOnExec: (pid, fd, on): Result<void> => {
      const table = files(pid);
      return table === undefined ? ESRCH : table.setCloseOnExec(undo, fd, on);
    },
    fds: (pid) => files(pid)?.list() ?? [],
    copyFds: (parent, child): Result<void> => {
      const from = files(parent);
      const to = files(child);
      if (from === undefined || to === undefined) return ESRCH;
      to.copyFrom(undo, from);
    },

    watchSignals: (pid) => {
      const process = processes.get(pid);
      if (process === undefined || process.signalsWatched) return;
      process.signalsWatched = true;
      undo.push({
        undo: () => {
          process.signalsWatched = false;
        },
      });
    },

    takeSignal: (pid, taken) => {
      const process = processes.get(pid);
      if (process === undefined) return;
      const before = process.identity;
      process.identity = { ...before, queue: before.queue.filter((queued) => queued !== taken) };
      undo.push({
        undo: () => {
          process.identity = before;
        },
      });
      const { tid, signal } = taken;
      undo.afterCommit(() =>
        kernel.later(() => kernel.request(kernel.pm, 'signalTaken', { target: pid, tid, signal }, () => {})),
      );
    },

    raiseSignal: (target, signal, toProcess) =>
      undo.afterCommit(() =>
        kernel.later(() =>
          kernel.request(kernel.pm, 'raise', { target, signal, toProcess: toProcess ?? false }, () => {}),
        ),
      ),

    raiseIo: (notice) =>
      undo.afterCommit(() => kernel.later(() => kernel.request(kernel.pm, 'raiseIo', { ...notice }, () => {}))),

    setTerminal: (sid, terminal, pid): Result<void> => {
      for (const process of processes.values()) {
        const before = process.identity;
        if (before.sid !== sid || before.terminal === terminal || (pid ?? process.pid) !== process.pid) continue;
        process.identity = { ...before, terminal };
        undo.push({
          undo: () => {
            process.identity = before;
          },
        });
      }
    },

    readMemory: (pid, address, length) => {
      const process = processes.get(pid);
      if (process === undefined) return ESRCH;
      return process.space === undefined ? EFAULT : process.memory.read(address, length);
    },
    thread: (tid): Result<ThreadView> => {
      const thread = findThread(kernel, tid);
      return thread === undefined ? ESRCH : threadView(thread);
    },
    residentBytes: (pid, start, end) => (processes.get(pid)?.space?.residentIn(start, end).length ?? 0) * PAGE_SIZE,

    mappings: (pid) => processes.get(pid)?.space?.mappings() ?? [],

    pullPages: (object): Result<void> => pull(object),

    invalidatePages: (object, offset, length, gone = false): Result<void> => {
      pull(object);
      undo.afterCommit(() => {
        kernel.faults.cache.invalidate(object, offset, length);
        machine.objects.invalidate(object, offset, length);
        if (machine.objects.fileReferences(object) === 0) return;
        const spaces = new Set([...processes.values()].map(({ space }) => space));
        for (const space of spaces) space?.fileChanged(object, offset, length, gone);
      });
    },

    consoleWrite: (terminal, bytes) => kernel.platform.consoleWrite(terminal, bytes),
  };
};
