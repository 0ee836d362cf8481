/** rt_sigreturn(2), sigaltstack(2), restart_syscall(2). */
import { EFAULT, EINTR, EINVAL, ENOMEM, EPERM, Errno } from '../../abi/errno.ts';
import { SI_KERNEL, SIGSEGV } from '../../abi/signals.ts';
import { Reg } from '../../cpu/state.ts';
import { popFrame, raiseFault, stackFlags, writeStack } from '../signals.ts';
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from '../thread.ts';
import { KEEP, type KernelCall } from './call.ts';

const MINIMUM_STACK = 2048;

export const rt_sigreturn: KernelCall = (kernel, thread) => {
  const restored = popFrame(thread);
  if (restored === undefined) {
    kernel.log(
      `process ${thread.process.pid}: bad frame in rt_sigreturn at 0x${thread.registers.get(Reg.RSP).toString(16)}`,
    );
    raiseFault(kernel, thread, SIGSEGV, SI_KERNEL, 0);
    return KEEP;
  }
  const { process, tid } = thread;
  kernel.request(kernel.pm, 'signalReturn', { pid: process.pid, tid, mask: restored.mask }, () => {});
  return KEEP;
};

/** A sleep that goes on after a stop is resumed by the kernel itself: whoever calls this has nothing to go on with. */
export const restart_syscall: KernelCall = () => EINTR;

export const sigaltstack: KernelCall = (_kernel, thread, { ss, old }: { ss: number; old: number }) => {
  const { memory } = thread.process;
  const flags = stackFlags(thread);
  const before = new Uint8Array(24);
  writeStack(new DataView(before.buffer), 0, thread.altStack, flags);
  let next = thread.altStack;
  if (ss !== 0) {
    const bytes = memory.read(ss, 24);
    if (bytes instanceof Errno) return EFAULT;
    if ((flags & SS_ONSTACK) !== 0) return EPERM;
    const view = new DataView(bytes.buffer);
    const wanted = view.getInt32(8, true);
    const mode = wanted & ~SS_AUTODISARM;
    if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) return EINVAL;
    const size = Number(view.getBigUint64(16, true));
    if (mode === SS_DISABLE) next = { pointer: 0, size: 0, flags: SS_DISABLE };
    else if (size < MINIMUM_STACK) return ENOMEM;
    else next = { pointer: Number(view.getBigUint64(0, true)), size, flags: wanted & SS_AUTODISARM };
  }
  if (old !== 0) {
    const written = memory.write(old, before);
    if (written instanceof Errno) return EFAULT;
  }
  thread.altStack = next;
  return 0;
};
