/** exit(2), exit_group(2). */
import { endThread, exitGroup } from '../exit.ts';
import type { Kernel } from '../kernel.ts';
import type { Thread } from '../thread.ts';
import { type KernelCall, LATER } from './call.ts';

const ZERO = new Uint8Array(4);

/** What set_tid_address asked for: joiners see the word become 0. */
const clearTid = (kernel: Kernel, thread: Thread): void => {
  const { clearTid: address, process } = thread;
  if (address === 0 || process.space === undefined) return;
  process.space.write(address, ZERO);
  kernel.futexes.wake({ process, address, own: false }, 1, -1);
};

export const exit: KernelCall = (kernel, thread, { status }: { status: number }) => {
  const { process, tid } = thread;
  const others = process.threads.filter((other) => other !== thread && other.state !== 'dead');
  if (others.length === 0) return exitGroup(kernel, thread, (status & 0xff) << 8);
  clearTid(kernel, thread);
  process.endedUserTime += thread.userTime;
  process.endedSystemTime += thread.systemTime;
  process.threads.splice(process.threads.indexOf(thread), 1);
  endThread(kernel, thread);
  kernel.request(kernel.pm, 'threadExit', { pid: process.pid, tid }, () => {});
  return LATER;
};

export const exit_group: KernelCall = (kernel, thread, { status }: { status: number }) =>
  exitGroup(kernel, thread, (status & 0xff) << 8);
