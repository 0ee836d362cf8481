/** seccomp(2), and the two options of prctl(2) that do the same. */
import { CAP_SYS_ADMIN, capabilityBit } from '../../abi/credentials.ts';
import { EACCES, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, Errno, ESRCH, type Result } from '../../abi/errno.ts';
import { PR_GET_SECCOMP, PR_SET_SECCOMP } from '../../abi/prctl.ts';
import * as abi from '../../abi/seccomp.ts';
import { Reg } from '../../cpu/state.ts';
import type { Handler } from '../dispatch.ts';
import type { Kernel } from '../kernel.ts';
import { compile } from '../seccomp/bpf.ts';
import type { Filter } from '../seccomp/filters.ts';
import type { Thread } from '../thread.ts';
import type { KernelCall } from './call.ts';

const KNOWN_ACTIONS: readonly number[] = [
  abi.SECCOMP_RET_KILL_PROCESS,
  abi.SECCOMP_RET_KILL_THREAD,
  abi.SECCOMP_RET_TRAP,
  abi.SECCOMP_RET_ERRNO,
  abi.SECCOMP_RET_TRACE,
  abi.SECCOMP_RET_LOG,
  abi.SECCOMP_RET_ALLOW,
];
const KNOWN_FLAGS =
  abi.SECCOMP_FILTER_FLAG_TSYNC |
  abi.SECCOMP_FILTER_FLAG_LOG |
  abi.SECCOMP_FILTER_FLAG_SPEC_ALLOW |
  abi.SECCOMP_FILTER_FLAG_TSYNC_ESRCH;

/** The program that a sock_fprog names. */
const readProgram = (thread: Thread, pointer: number): Result<Filter['program']> => {
  const { memory } = thread.process;
  const head = memory.read(pointer, 16);
  if (head instanceof Errno) return EFAULT;
  const view = new DataView(head.buffer, head.byteOffset, 16);
  const count = view.getUint16(0, true);
  if (count === 0 || count > abi.BPF_MAXINSNS) return EINVAL;
  const filter = view.getBigUint64(8, true);
  if (filter === 0n) return EINVAL;
  const bytes = memory.read(Number(filter & 0x1f_ffff_ffff_ffffn), count * abi.SOCK_FILTER_BYTES);
  if (bytes instanceof Errno) return EFAULT;
  return compile(bytes) ?? EINVAL;
};

const setStrict = (thread: Thread): Result<number> => {
  if (thread.seccomp !== undefined && thread.seccomp !== 'strict') return EINVAL;
  thread.seccomp = 'strict';
  return 0;
};

const setFilter = (kernel: Kernel, thread: Thread, flags: number, pointer: number): Result<number> => {
  if ((flags & abi.SECCOMP_FILTER_FLAG_NEW_LISTENER) !== 0) {
    kernel.log('seccomp: listeners for notifications are not supported');
    return EINVAL;
  }
  if ((flags & ~KNOWN_FLAGS) !== 0) return EINVAL;
  const { identity } = thread.process;
  const mayFilter = identity.noNewPrivileges || (identity.capabilities.effective & capabilityBit(CAP_SYS_ADMIN)) !== 0n;
  if (!mayFilter) return EACCES;
  const program = readProgram(thread, pointer);
  if (program instanceof Errno) return program;
  const { seccomp } = thread;
  if (seccomp === 'strict') return EINVAL;
  const total = program.length + abi.FILTER_OVERHEAD + (seccomp?.total ?? 0);
  if (total > abi.MAX_INSTRUCTIONS + abi.FILTER_OVERHEAD) return ENOMEM;
  const filter: Filter = { program, before: seccomp, total, log: (flags & abi.SECCOMP_FILTER_FLAG_LOG) !== 0 };
  if ((flags & abi.SECCOMP_FILTER_FLAG_TSYNC) === 0) {
    thread.seccomp = filter;
    return 0;
  }
  const others = thread.process.threads.filter((other) => other !== thread && other.state !== 'dead');
  const astray = others.find((other) => !descends(seccomp, other.seccomp));
  if (astray !== undefined) return (flags & abi.SECCOMP_FILTER_FLAG_TSYNC_ESRCH) !== 0 ? ESRCH : astray.tid;
  for (const each of [thread, ...others]) each.seccomp = filter;
  return 0;
};

/** Whether a thread's filters are a beginning of ours, so that it can be given ours (seccomp_can_sync_threads). */
const descends = (ours: Filter | undefined, theirs: Thread['seccomp']): boolean => {
  if (theirs === undefined) return true;
  for (let filter = ours; filter !== undefined; filter = filter.before) if (filter === theirs) return true;
  return false;
};

export const seccomp: KernelCall = (
  kernel,
  thread,
  { operation, flags, args }: { operation: number; flags: number; args: number },
) => {
  switch (operation) {
    case abi.SECCOMP_SET_MODE_STRICT:
      return flags !== 0 || args !== 0 ? EINVAL : setStrict(thread);
    case abi.SECCOMP_SET_MODE_FILTER:
      return setFilter(kernel, thread, flags, args);
    case abi.SECCOMP_GET_ACTION_AVAIL: {
      if (flags !== 0) return EINVAL;
      const action = thread.process.memory.read(args, 4);
      if (action instanceof Errno) return EFAULT;
      const wanted = new DataView(action.buffer, action.byteOffset).getUint32(0, true);
      return KNOWN_ACTIONS.includes(wanted) ? 0 : EOPNOTSUPP;
    }
    default:
      return EINVAL;
  }
};

/** prctl(2) with its two options of seccomp answered here; the others go on. */
export const withSeccompOptions =
  (kernel: Kernel, prctl: Handler): Handler =>
  (thread) => {
    const { registers } = thread;
    switch (registers.low(Reg.RDI)) {
      case PR_GET_SECCOMP:
        // A thread in strict mode was killed for asking.
        return thread.seccomp === undefined ? abi.SECCOMP_MODE_DISABLED : abi.SECCOMP_MODE_FILTER;
      case PR_SET_SECCOMP: {
        const mode = registers.u53(1);
        if (mode === abi.SECCOMP_MODE_STRICT) return setStrict(thread);
        return mode === abi.SECCOMP_MODE_FILTER ? setFilter(kernel, thread, 0, registers.u53(2)) : EINVAL;
      }
      default:
        return prctl(thread);
    }
  };
