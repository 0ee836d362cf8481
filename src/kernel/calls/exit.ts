/** exit(2), exit_group(2). */
import { exitGroup } from '../exit.ts';
import { exitThread } from '../threads.ts';
import type { KernelCall } from './call.ts';

export const exit: KernelCall = (kernel, thread, { status }: { status: number }) =>
  exitThread(kernel, thread, (status & 0xff) << 8);

export const exit_group: KernelCall = (kernel, thread, { status }: { status: number }) =>
  exitGroup(kernel, thread, (status & 0xff) << 8);
