/** fork(2), vfork(2), clone(2): see kernel/fork.ts. */
import { SIGCHLD } from '../../abi/signals.ts';
import { CLONE_FLAGS } from '../../abi/syscalls/kernel.ts';
import { type CloneArguments, fork as forkProcess } from '../fork.ts';
import type { KernelCall } from './call.ts';

const PLAIN = { stack: 0, parentTid: 0, childTid: 0, tls: 0 };

export const clone: KernelCall = (kernel, thread, args: CloneArguments) => forkProcess(kernel, thread, args);

export const fork: KernelCall = (kernel, thread) => forkProcess(kernel, thread, { ...PLAIN, flags: SIGCHLD });

export const vfork: KernelCall = (kernel, thread) =>
  forkProcess(kernel, thread, { ...PLAIN, flags: CLONE_FLAGS.CLONE_VFORK | CLONE_FLAGS.CLONE_VM | SIGCHLD });
