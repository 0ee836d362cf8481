/**
 * Threads besides the first: clone(2) with CLONE_THREAD, the end of one thread, and execve's end of the others.
 *
 * A thread has the memory, descriptors, folders and signal actions of its process; registers, signal mask, alternate stack
 * and robust list are its own. The process manager gives it its number and keeps its mask.
 * Invariant: `process.threads` lists those that live; the process manager's list is the same whenever no request is under way.
 */
import { Errno } from '../abi/errno.ts';
import { CLONE_FLAGS } from '../abi/syscalls/kernel.ts';
import { CONTEXT_SIZE, FS_BASE, Reg } from '../cpu/state.ts';
import { LATER } from './calls/call.ts';
import { UNINTERRUPTIBLE } from './dispatch.ts';
import { endThread, exitGroup } from './exit.ts';
import type { CloneArguments } from './fork.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { releaseUserState } from './robust.ts';
import type { Thread } from './thread.ts';

/** A thread by its number, whosever it is. */
export const findThread = (kernel: Kernel, tid: number): Thread | undefined => {
  const first = kernel.processes.get(tid)?.thread(tid);
  if (first !== undefined) return first;
  for (const process of kernel.processes.values()) {
    const thread = process.threads.length > 1 || process.threads[0]?.tid === tid ? process.thread(tid) : undefined;
    if (thread !== undefined) return thread;
  }
  return undefined;
};

const word = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

/** CLONE_THREAD. The caller has checked the flags. */
export const startThread = (kernel: Kernel, creator: Thread, args: CloneArguments): typeof LATER => {
  const { process } = creator;
  creator.sleep = UNINTERRUPTIBLE;
  kernel.request(kernel.pm, 'thread', { pid: process.pid, tid: creator.tid }, (reply) => {
    if (reply instanceof Errno) {
      kernel.dispatch.complete(creator, reply);
      return;
    }
    const { tid } = reply as { tid: number };
    if (!process.dying) enter(kernel, creator, tid, args);
    kernel.dispatch.complete(creator, tid);
  });
  return LATER;
};

const enter = (
  kernel: Kernel,
  creator: Thread,
  tid: number,
  { flags, stack, parentTid, childTid, tls }: CloneArguments,
): void => {
  const { process } = creator;
  const thread = process.addThread(tid);
  const { registers } = thread;
  registers.bytes.set(creator.registers.bytes.subarray(0, CONTEXT_SIZE));
  registers.set(Reg.RAX, 0);
  if (stack !== 0) registers.set(Reg.RSP, stack);
  if (flags & CLONE_FLAGS.CLONE_SETTLS) registers.view.setBigUint64(FS_BASE, BigInt(tls), true);
  if (flags & CLONE_FLAGS.CLONE_CHILD_CLEARTID) thread.clearTid = childTid;
  thread.policy = creator.policy;
  thread.seccomp = creator.seccomp;
  thread.nice = creator.nice;
  thread.name = creator.name || process.identity.name;
  // As in Linux, nobody hears of an address that cannot be written here.
  if (flags & CLONE_FLAGS.CLONE_CHILD_SETTID) process.space?.write(childTid, word(tid));
  if (flags & CLONE_FLAGS.CLONE_PARENT_SETTID) process.space?.write(parentTid, word(tid));
  kernel.counters.forks++;
  kernel.wake(thread);
};

/** exit(2): ends the thread; the last one's status is the process's. */
export const exitThread = (kernel: Kernel, thread: Thread, status: number): typeof LATER => {
  const { process, tid } = thread;
  if (process.threads.every((other) => other === thread || other.state === 'dead'))
    return exitGroup(kernel, thread, status);
  kernel.tracer?.last(thread);
  leave(kernel, thread);
  kernel.request(kernel.pm, 'threadExit', { pid: process.pid, tid }, () => {});
  return LATER;
};

/** Ends the other threads of a process whose image `thread` is about to replace. */
export const endOthers = (kernel: Kernel, process: Process, thread: Thread): void => {
  for (const other of [...process.threads]) {
    if (other === thread) continue;
    leave(kernel, other);
    kernel.request(kernel.pm, 'threadExit', { pid: process.pid, tid: other.tid }, () => {});
  }
  releaseUserState(kernel, thread);
  process.barriers = 0;
};

const leave = (kernel: Kernel, thread: Thread): void => {
  const { process } = thread;
  releaseUserState(kernel, thread);
  kernel.runner.settle();
  process.endedUserTime += thread.userTime;
  process.endedSystemTime += thread.systemTime;
  process.threads.splice(process.threads.indexOf(thread), 1);
  endThread(kernel, thread);
};
