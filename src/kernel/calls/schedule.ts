/**
 * Scheduling: sched_yield(2), affinity to the one processor there is, and the policies of sched_setscheduler(2), of which
 * only those that share time exist: SCHED_OTHER, SCHED_BATCH and SCHED_IDLE, all at priority 0.
 */
import { CAP_SYS_NICE, capabilityBit } from '../../abi/credentials.ts';
import { EFAULT, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import { share } from '../scheduler.ts';
import type { Thread } from '../thread.ts';
import { findThread } from '../threads.ts';
import type { KernelCall } from './call.ts';

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RR = 2;
const SCHED_BATCH = 3;
const SCHED_IDLE = 5;
const SCHED_RESET_ON_FORK = 0x4000_0000;

/** The thread a call means: 0 is the caller. */
const target = (kernel: Kernel, thread: Thread, pid: number): Result<Thread> => {
  if (pid < 0) return EINVAL;
  if (pid === 0 || pid === thread.tid) return thread;
  return findThread(kernel, pid) ?? ESRCH;
};

const mayChange = (thread: Thread, other: Thread): boolean => {
  const { euid, capabilities } = thread.process.identity;
  const { identity } = other.process;
  return (
    (capabilities.effective & capabilityBit(CAP_SYS_NICE)) !== 0n || euid === identity.uid || euid === identity.euid
  );
};

const i32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

export const sched_yield: KernelCall = (kernel, thread) => {
  kernel.runner.yield(thread);
  return 0;
};

export const sched_getaffinity: KernelCall = (
  kernel,
  thread,
  { pid, size, mask }: { pid: number; size: number; mask: number },
) => {
  if (size < 8 || size % 8 !== 0) return EINVAL;
  const found = target(kernel, thread, pid);
  if (found instanceof Errno) return found;
  return thread.process.memory.write(mask, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)) ?? 8;
};

export const sched_setaffinity: KernelCall = (
  kernel,
  thread,
  { pid, size, mask }: { pid: number; size: number; mask: number },
) => {
  const bytes = thread.process.memory.read(mask, Math.min(size, 128));
  if (bytes instanceof Errno) return EFAULT;
  const found = target(kernel, thread, pid);
  if (found instanceof Errno) return found;
  if (!mayChange(thread, found)) return EPERM;
  return (bytes[0] & 1) === 1 ? 0 : EINVAL;
};

const policyPriority = (policy: number): number | Errno => {
  if (policy === SCHED_FIFO || policy === SCHED_RR) return 99;
  return policy === SCHED_OTHER || policy === SCHED_BATCH || policy === SCHED_IDLE ? 0 : EINVAL;
};

export const sched_get_priority_max: KernelCall = (_kernel, _thread, { policy }: { policy: number }) =>
  policyPriority(policy);

export const sched_get_priority_min: KernelCall = (_kernel, _thread, { policy }: { policy: number }) => {
  const highest = policyPriority(policy);
  return highest instanceof Errno ? highest : Math.min(highest, 1);
};

export const sched_getscheduler: KernelCall = (kernel, thread, { pid }: { pid: number }) => {
  const found = target(kernel, thread, pid);
  return found instanceof Errno ? found : found.policy;
};

export const sched_setscheduler: KernelCall = (
  kernel,
  thread,
  { pid, policy, param }: { pid: number; policy: number; param: number },
) => {
  if (param === 0 || pid < 0) return EINVAL;
  const bytes = thread.process.memory.read(param, 4);
  if (bytes instanceof Errno) return EFAULT;
  const found = target(kernel, thread, pid);
  if (found instanceof Errno) return found;
  const highest = policyPriority(policy & ~SCHED_RESET_ON_FORK);
  if (highest instanceof Errno) return highest;
  const priority = new DataView(bytes.buffer).getInt32(0, true);
  if (priority < Math.min(highest, 1) || priority > highest) return EINVAL;
  // Real-time policies would let a guest starve the others: nobody has the privilege.
  if (highest > 0 || !mayChange(thread, found)) return EPERM;
  found.policy = policy & ~SCHED_RESET_ON_FORK;
  return 0;
};

export const sched_setparam: KernelCall = (kernel, thread, { pid, param }: { pid: number; param: number }) => {
  if (param === 0 || pid < 0) return EINVAL;
  const bytes = thread.process.memory.read(param, 4);
  if (bytes instanceof Errno) return EFAULT;
  const found = target(kernel, thread, pid);
  if (found instanceof Errno) return found;
  return new DataView(bytes.buffer).getInt32(0, true) === 0 ? 0 : EINVAL;
};

export const sched_getparam: KernelCall = (kernel, thread, { pid, param }: { pid: number; param: number }) => {
  if (param === 0 || pid < 0) return EINVAL;
  const found = target(kernel, thread, pid);
  if (found instanceof Errno) return found;
  return thread.process.memory.write(param, i32(0)) ?? 0;
};

export const sched_rr_get_interval: KernelCall = (
  kernel,
  thread,
  { pid, interval }: { pid: number; interval: number },
) => {
  const found = target(kernel, thread, pid);
  if (found instanceof Errno) return found;
  const view = new DataView(new ArrayBuffer(16));
  view.setInt32(8, share(found.nice), true);
  return thread.process.memory.write(interval, new Uint8Array(view.buffer)) ?? 0;
};
