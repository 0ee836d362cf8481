/** Calls about the thread itself: gettid(2), arch_prctl(2), set_tid_address(2), get_robust_list(2), set_robust_list(2), membarrier(2). */
import { CAP_SYS_PTRACE, capabilityBit } from '../../abi/credentials.ts';
import { EFAULT, EINVAL, EPERM, Errno, ESRCH } from '../../abi/errno.ts';
import { FS_BASE, GS_BASE } from '../../cpu/state.ts';
import { USER_LIMIT } from '../../memory/layout.ts';
import { findThread } from '../threads.ts';
import type { KernelCall } from './call.ts';

export const gettid: KernelCall = (_kernel, thread) => thread.tid;

const ARCH_SET_GS = 0x1001;
const ARCH_SET_FS = 0x1002;
const ARCH_GET_FS = 0x1003;
const ARCH_GET_GS = 0x1004;

export const arch_prctl: KernelCall = (_kernel, thread, { code, address }: { code: number; address: number }) => {
  const { registers, process } = thread;
  const field = code === ARCH_SET_GS || code === ARCH_GET_GS ? GS_BASE : FS_BASE;
  switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
      if (address >= USER_LIMIT) return EPERM;
      registers.view.setBigUint64(field, BigInt(address), true);
      return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
      return process.memory.write(address, registers.bytes.slice(field, field + 8)) ?? 0;
    default:
      return EINVAL;
  }
};

export const set_tid_address: KernelCall = (_kernel, thread, { address }: { address: number }) => {
  thread.clearTid = address;
  return thread.tid;
};

const ROBUST_LIST_BYTES = 24;

export const set_robust_list: KernelCall = (_kernel, thread, { head, length }: { head: number; length: number }) => {
  if (length !== ROBUST_LIST_BYTES) return EINVAL;
  thread.robustList = head;
  thread.robustLength = length;
  return 0;
};

const word = (value: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(view.buffer);
};

export const get_robust_list: KernelCall = (
  kernel,
  thread,
  { pid, head, length }: { pid: number; head: number; length: number },
) => {
  const target = pid === 0 || pid === thread.tid ? thread : findThread(kernel, pid);
  if (target === undefined) return ESRCH;
  const { identity } = thread.process;
  if (
    target.process !== thread.process &&
    (identity.capabilities.effective & capabilityBit(CAP_SYS_PTRACE)) === 0n &&
    identity.euid !== target.process.identity.uid
  )
    return EPERM;
  const { memory } = thread.process;
  if (memory.write(length, word(target.robustLength)) instanceof Errno) return EFAULT;
  return memory.write(head, word(target.robustList)) ?? 0;
};

const MEMBARRIER_QUERY = 0;
const MEMBARRIER_GET_REGISTRATIONS = 512;
/** GLOBAL, GLOBAL_EXPEDITED, PRIVATE_EXPEDITED, PRIVATE_EXPEDITED_SYNC_CORE, PRIVATE_EXPEDITED_RSEQ and their registrations. */
const MEMBARRIER_COMMANDS = 0x1ff;
const REGISTRATIONS = 4 | 16 | 64 | 256;
/** Those that must be registered for, by the bit above. */
const REGISTERED = 8 | 32 | 128;
const PRIVATE_RSEQ = 128;
const FLAG_CPU = 1;

/** Threads of a process run on one processor here, one at a time: every barrier holds already. */
export const membarrier: KernelCall = (
  _kernel,
  { process },
  { command, flags }: { command: number; flags: number },
) => {
  if (flags !== 0 && !(command === PRIVATE_RSEQ && flags === FLAG_CPU)) return EINVAL;
  if (command === MEMBARRIER_QUERY) return MEMBARRIER_COMMANDS | MEMBARRIER_GET_REGISTRATIONS;
  if (command === MEMBARRIER_GET_REGISTRATIONS) return process.barriers;
  if ((command & (command - 1)) !== 0 || (command & MEMBARRIER_COMMANDS) === 0) return EINVAL;
  if ((command & REGISTERED) !== 0 && (process.barriers & (command << 1)) === 0) return EPERM;
  process.barriers |= command & REGISTRATIONS;
  return 0;
};
