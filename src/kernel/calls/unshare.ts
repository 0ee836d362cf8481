/**
 * unshare(2): a process stops sharing what it had in common with others. Processes here never share descriptors, working
 * directory, signal handlers or a list of semaphore adjustments with one another, so nothing is left to part with, save that
 * CLONE_SYSVSEM takes the adjustments back at once. A thread cannot part from its process (ENOSYS). There is one namespace
 * of each kind: whoever may make another (CAP_SYS_ADMIN; anyone for a user namespace) is told what a Linux kernel built
 * without that kind tells, EINVAL; the others EPERM.
 */
import { CAP_SYS_ADMIN, capabilityBit } from '../../abi/credentials.ts';
import { EINVAL, ENOSYS, EPERM } from '../../abi/errno.ts';
import { CLONE_FLAGS, CLONE_NEWTIME } from '../../abi/syscalls/kernel.ts';
import { UNINTERRUPTIBLE } from '../dispatch.ts';
import { type KernelCall, LATER } from './call.ts';

const { CLONE_VM, CLONE_SIGHAND, CLONE_THREAD, CLONE_FS, CLONE_FILES, CLONE_SYSVSEM } = CLONE_FLAGS;
const { CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWCGROUP } =
  CLONE_FLAGS;
const PRIVILEGED =
  CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME;
/** What makes sense only for a process of one thread. */
const ALONE = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER;
const PARTS = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;

export const unshare: KernelCall = (kernel, thread, args: { flags: number }) => {
  const flags = (args.flags % 0x1_0000_0000) | 0;
  const { process } = thread;
  const alone = process.threads.length === 1;
  if ((flags & ~(ALONE | PARTS | PRIVILEGED)) !== 0) return EINVAL;
  if ((flags & ALONE) !== 0 && !alone) return EINVAL;
  // A child of vfork borrows its parent's memory.
  if ((flags & CLONE_VM) !== 0 && (process.held?.users ?? 1) > 1) return EINVAL;
  if ((flags & CLONE_NEWUSER) !== 0) return EINVAL;
  if ((flags & PRIVILEGED) !== 0)
    return (process.identity.capabilities.effective & capabilityBit(CAP_SYS_ADMIN)) !== 0n ? EINVAL : EPERM;
  if ((flags & PARTS) !== 0 && !alone) return ENOSYS;
  if ((flags & CLONE_SYSVSEM) === 0) return 0;
  thread.sleep = UNINTERRUPTIBLE;
  kernel.request(kernel.mm, 'undoSemaphores', { pid: process.pid }, () => kernel.dispatch.complete(thread, 0));
  return LATER;
};
