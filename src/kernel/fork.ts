/**
 * fork, vfork and the forking kinds of clone, as the reference's first example has them:
 *
 *     process.fork ─► memory.fork ─► vfs.forkProcess ─► the child runs with RAX 0, the parent gets its PID
 *
 * If a server refuses, those before it undo the child, and the caller gets the error. With CLONE_VFORK the parent sleeps
 * until the child has a new image or is gone. With CLONE_VM both use one address space (held-memory.ts).
 */
import { EFAULT, EINVAL, ENOSYS, Errno } from '../abi/errno.ts';
import { CLONE_FLAGS } from '../abi/syscalls/kernel.ts';
import { CONTEXT_SIZE, FS_BASE, Reg } from '../cpu/state.ts';
import { LATER } from './calls/call.ts';
import { UNINTERRUPTIBLE } from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import { NO_STACK, type Thread } from './thread.ts';
import { startThread } from './threads.ts';

export interface CloneArguments {
  readonly flags: number;
  /** Stack pointer of the child; 0 leaves the parent's. */
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
  /** Where the descriptor of CLONE_PIDFD goes. */
  readonly pidfd: number;
  readonly exitSignal: number;
  /** CLONE_CLEAR_SIGHAND of clone3: what the child would catch has its default action. */
  readonly clearHandlers: boolean;
}

/** Flags that make no difference to a process that shares nothing, or that we carry out. */
const ACCEPTED =
  CLONE_FLAGS.CLONE_PIDFD |
  CLONE_FLAGS.CLONE_PTRACE |
  CLONE_FLAGS.CLONE_PARENT |
  CLONE_FLAGS.CLONE_IO |
  CLONE_FLAGS.CLONE_VM |
  CLONE_FLAGS.CLONE_VFORK |
  CLONE_FLAGS.CLONE_FILES |
  CLONE_FLAGS.CLONE_SYSVSEM |
  CLONE_FLAGS.CLONE_SETTLS |
  CLONE_FLAGS.CLONE_PARENT_SETTID |
  CLONE_FLAGS.CLONE_CHILD_CLEARTID |
  CLONE_FLAGS.CLONE_CHILD_SETTID |
  CLONE_FLAGS.CLONE_DETACHED |
  CLONE_FLAGS.CLONE_UNTRACED;

const THREAD =
  CLONE_FLAGS.CLONE_VM |
  CLONE_FLAGS.CLONE_FS |
  CLONE_FLAGS.CLONE_FILES |
  CLONE_FLAGS.CLONE_SIGHAND |
  CLONE_FLAGS.CLONE_THREAD;
/** The exit signal in the lowest bits is of no account. */
const THREAD_ACCEPTED =
  0xff |
  CLONE_FLAGS.CLONE_PTRACE |
  CLONE_FLAGS.CLONE_IO |
  CLONE_FLAGS.CLONE_SYSVSEM |
  CLONE_FLAGS.CLONE_SETTLS |
  CLONE_FLAGS.CLONE_PARENT |
  CLONE_FLAGS.CLONE_PARENT_SETTID |
  CLONE_FLAGS.CLONE_CHILD_CLEARTID |
  CLONE_FLAGS.CLONE_CHILD_SETTID |
  CLONE_FLAGS.CLONE_DETACHED |
  CLONE_FLAGS.CLONE_UNTRACED;

/** CLONE_CLEAR_SIGHAND. */
const CLEAR_HANDLERS = 1n << 32n;

const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
};

/** Why a combination of flags is refused: EINVAL where Linux says so, ENOSYS for what we lack. */
const refusal = (kernel: Kernel, flags: number): Errno | undefined => {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(CLONE_FLAGS.CLONE_NEWUSER) && has(CLONE_FLAGS.CLONE_FS)) return EINVAL;
  if (has(CLONE_FLAGS.CLONE_THREAD) && has(CLONE_FLAGS.CLONE_NEWUSER | CLONE_FLAGS.CLONE_NEWPID)) return EINVAL;
  if (has(CLONE_FLAGS.CLONE_THREAD) && !has(CLONE_FLAGS.CLONE_SIGHAND)) return EINVAL;
  if (has(CLONE_FLAGS.CLONE_SIGHAND) && !has(CLONE_FLAGS.CLONE_VM)) return EINVAL;
  if (has(CLONE_FLAGS.CLONE_FS) && has(CLONE_FLAGS.CLONE_NEWNS)) return EINVAL;
  if (has(CLONE_FLAGS.CLONE_PIDFD) && has(CLONE_FLAGS.CLONE_DETACHED)) return EINVAL;
  if (has(CLONE_FLAGS.CLONE_THREAD)) {
    // What the threads of a process have in common is the process's: there is no thread with descriptors of its own.
    if ((flags & THREAD) === THREAD && (flags & ~(THREAD | THREAD_ACCEPTED)) === 0) return undefined;
  } else if ((flags & ~ACCEPTED) === 0) return undefined;
  kernel.log(`clone with flags 0x${flags.toString(16)} is not supported`);
  return ENOSYS;
};

/** clone(2) in all its forms. Throws PageNeeded before anything has changed. */
export const clone = (kernel: Kernel, thread: Thread, args: CloneArguments): Errno | typeof LATER => {
  const { flags } = args;
  const parent = thread.process;
  const refused = refusal(kernel, flags) ?? (flags & CLONE_FLAGS.CLONE_PARENT && parent.pid === 1 ? EINVAL : undefined);
  if (refused !== undefined) return refused;
  if (flags & CLONE_FLAGS.CLONE_PIDFD) {
    if (flags & CLONE_FLAGS.CLONE_PARENT_SETTID && args.pidfd === args.parentTid) return EINVAL;
    const ready = parent.memory.prepareWrite(args.pidfd, 4);
    if (ready instanceof Errno) return ready;
  }
  // As in Linux, nobody hears of an address that cannot be written.
  if (flags & CLONE_FLAGS.CLONE_PARENT_SETTID) parent.memory.prepareWrite(args.parentTid, 4);
  if (flags & CLONE_FLAGS.CLONE_THREAD) {
    if (flags & CLONE_FLAGS.CLONE_CHILD_SETTID) parent.memory.prepareWrite(args.childTid, 4);
    return startThread(kernel, thread, args);
  }
  thread.sleep = UNINTERRUPTIBLE;
  const give = (result: number | Errno): void => kernel.dispatch.complete(thread, result);
  const { exitSignal } = args;
  const wide = BigInt(flags >>> 0) | (args.clearHandlers ? CLEAR_HANDLERS : 0n);
  const { pid } = parent;

  kernel.request(kernel.pm, 'fork', { parent: pid, tid: thread.tid, flags: wide, exitSignal }, (reply) => {
    if (reply instanceof Errno) {
      give(reply);
      return;
    }
    const { child } = reply as { child: number };
    const undo = (reason: Errno): void => {
      kernel.request(kernel.pm, 'forkFailed', { child }, () => give(reason));
    };
    const shared = (flags & CLONE_FLAGS.CLONE_VM) !== 0;
    kernel.request(kernel.mm, 'fork', { parent: pid, child, shared }, (copied) => {
      if (copied instanceof Errno) {
        undo(copied);
        return;
      }
      const shareFiles = (flags & CLONE_FLAGS.CLONE_FILES) !== 0 && (flags & CLONE_FLAGS.CLONE_VFORK) === 0;
      kernel.request(kernel.vfs, 'forkProcess', { parent: pid, child, shareFiles }, (opened) => {
        if (opened instanceof Errno) kernel.request(kernel.mm, 'exit', { pid: child }, () => undo(opened));
        else if ((flags & CLONE_FLAGS.CLONE_PIDFD) === 0) start(kernel, thread, child, args, give);
        else
          giveDescriptor(kernel, thread, child, args.pidfd, (failed) => {
            if (failed === undefined) start(kernel, thread, child, args, give);
            else
              kernel.request(kernel.vfs, 'exitProcess', { pid: child }, () =>
                kernel.request(kernel.mm, 'exit', { pid: child }, () => undo(failed)),
              );
          });
      });
    });
  });
  return LATER;
};

/** CLONE_PIDFD: a descriptor of the child for its parent, stored where the parent says. */
const giveDescriptor = (
  kernel: Kernel,
  { process }: Thread,
  target: number,
  address: number,
  then: (failed: Errno | undefined) => void,
): void =>
  kernel.request(kernel.vfs, 'pidfdFor', { pid: process.pid, target }, (reply) => {
    if (reply instanceof Errno) then(reply);
    else then(process.space?.write(address, word((reply as { result: number }).result)) === 4 ? undefined : EFAULT);
  });

const start = (
  kernel: Kernel,
  thread: Thread,
  pid: number,
  { flags, stack, parentTid, childTid, tls }: CloneArguments,
  give: (result: number) => void,
): void => {
  const parent = thread.process;
  const child = kernel.processes.get(pid)!;
  const first = child.mainThread;
  const { registers } = first;
  registers.bytes.set(thread.registers.bytes.subarray(0, CONTEXT_SIZE));
  registers.set(Reg.RAX, 0);
  if (stack !== 0) registers.set(Reg.RSP, stack);
  if (flags & CLONE_FLAGS.CLONE_SETTLS) registers.view.setBigUint64(FS_BASE, BigInt(tls), true);
  first.altStack =
    (flags & CLONE_FLAGS.CLONE_VM) !== 0 && (flags & CLONE_FLAGS.CLONE_VFORK) === 0 ? NO_STACK : thread.altStack;
  first.robustList = 0;
  first.seccomp = thread.seccomp;
  if (flags & CLONE_FLAGS.CLONE_CHILD_CLEARTID) first.clearTid = childTid;
  child.image = parent.image;
  child.stackTop = parent.stackTop;
  child.growing = parent.growing;
  child.heapStart = parent.heapStart;
  child.heapEnd = parent.heapEnd;
  child.barriers = parent.barriers;
  // As in Linux, nobody hears of an address that cannot be written here.
  if (flags & CLONE_FLAGS.CLONE_CHILD_SETTID) child.space?.write(childTid, word(pid));
  if (flags & CLONE_FLAGS.CLONE_PARENT_SETTID) parent.space?.write(parentTid, word(pid));
  kernel.counters.forks++;
  kernel.wake(first);
  if (flags & CLONE_FLAGS.CLONE_VFORK) child.vforkParent = thread;
  else give(pid);
};
