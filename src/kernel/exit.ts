/**
 * The end of a process, in this order: the process manager decides and calls `destroyProcess` (threads dead, what they
 * waited for abandoned); then the kernel has the memory manager and the VFS release theirs, gives the address space back
 * and lets the vfork parent go on; when it is forgotten too, the record goes.
 */
import { Errno } from '../abi/errno.ts';
import { LATER } from './calls/call.ts';
import { UNINTERRUPTIBLE } from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { releaseUserState } from './robust.ts';
import type { Thread } from './thread.ts';

/** exit_group(2), and exit(2) of the last thread: `status` as wait4 reports it. */
export const exitGroup = (kernel: Kernel, thread: Thread, status: number): typeof LATER => {
  thread.sleep = UNINTERRUPTIBLE;
  kernel.tracer?.last(thread);
  kernel.request(kernel.pm, 'exit', { pid: thread.process.pid, status }, (reply) => {
    // The process manager knows every process that can call; if not, its threads must not run on all the same.
    if (reply instanceof Errno) {
      kernel.log(`exit of process ${thread.process.pid}: ${reply.text}`);
      endProcess(kernel, thread.process, status);
    }
  });
  return LATER;
};

/** Ends all threads at once; releases the rest when no handler runs. */
export const endProcess = (kernel: Kernel, process: Process, status: number | undefined): void => {
  if (process.dying) return;
  process.dying = true;
  process.status = status;
  for (const thread of process.threads) endThread(kernel, thread);
  kernel.later(() => release(kernel, process));
};

export const endThread = (kernel: Kernel, thread: Thread): void => {
  kernel.scheduler.remove(thread);
  thread.state = 'dead';
  // A sleep inside the kernel leaves its queue; being dead, the thread hears nothing of it.
  thread.sleep?.interrupt?.();
  thread.frames = [];
  thread.attention = true;
  kernel.later(() => kernel.dispatch.abandon(thread));
};

const release = (kernel: Kernel, process: Process): void => {
  for (const thread of process.threads) releaseUserState(kernel, thread);
  const { pid } = process;
  kernel.tracer?.exited(process, process.status);
  kernel.retired += process.retired;
  process.gone = true;
  process.detach();
  releaseVforkParent(kernel, process);
  kernel.request(kernel.vfs, 'exitProcess', { pid }, (reply) => {
    if (reply instanceof Errno) kernel.log(`descriptors of process ${pid} are lost: ${reply.text}`);
    kernel.request(kernel.mm, 'exit', { pid }, () => {
      process.released = true;
      if (process.forgotten) remove(kernel, process);
    });
  });
};

/** The record of a process that is gone and forgotten. */
export const remove = (kernel: Kernel, process: Process): void => {
  if (kernel.processes.get(process.pid) === process) kernel.processes.delete(process.pid);
};

/** A parent that sleeps in vfork goes on: its child has a new image or is gone. */
export const releaseVforkParent = (kernel: Kernel, child: Process): void => {
  const parent = child.vforkParent;
  child.vforkParent = undefined;
  if (parent !== undefined) kernel.dispatch.complete(parent, child.pid);
};
