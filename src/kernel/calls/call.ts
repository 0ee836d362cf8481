/** What a call that the kernel answers itself looks like: one function a file, in the table of calls/index.ts. */
import type { Errno } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Thread } from '../thread.ts';

/** The thread sleeps (`thread.sleep` is set, or the call is already complete); `Dispatch.complete` gives the result. */
export const LATER = Symbol('later');
/** The registers, RAX included, are as the program shall see them. */
export const KEEP = Symbol('keep');

/**
 * `args` are the loaded arguments of the call's declaration (abi/syscalls/kernel.ts) by name. The function may throw
 * PageNeeded as long as it has changed nothing.
 */
// biome-ignore lint/suspicious/noExplicitAny: each call states the arguments that its declaration has
export type KernelCall = (kernel: Kernel, thread: Thread, args: any) => number | Errno | typeof LATER | typeof KEEP;
