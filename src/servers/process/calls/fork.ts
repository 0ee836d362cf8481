/**
 * fork, vfork and forking clone: the process manager's part. The kernel then asks the memory manager and the VFS; if one of
 * them refuses, `forkFailed` undoes the child without a trace.
 *
 * The child has what POSIX fork says: actions, mask, ids, limits, group and session of its parent; no pending signals, no
 * timers, no CPU time.
 */

import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../../../abi/credentials.ts';
import { EAGAIN, EINVAL, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import { NO_USAGE, RLIMIT_NPROC } from '../../../abi/resource.ts';
import { SIGRTMAX } from '../../../abi/signals.ts';
import { CLONE_FLAGS } from '../../../abi/syscalls/kernel.ts';
import { identityOf } from '../identity.ts';
import { capable } from '../permission.ts';
import { Flag, NONE, type ProcessControlBlock, WaitEvent } from '../rows.ts';
import type { ProcessHandlers, ProcessServer } from '../server.ts';
import { resetHandlers } from '../signals/actions.ts';
import { watchCpuLimit } from '../timers.ts';

/** EAGAIN at the limit on the user's processes; root has none. */
export const mayFork = (s: ProcessServer, parent: Readonly<ProcessControlBlock>): boolean =>
  parent.uid === 0 ||
  (s.table.users.get(parent.uid)?.processes ?? 0) < parent.limits[RLIMIT_NPROC][0] ||
  capable(parent, CAP_SYS_RESOURCE) ||
  capable(parent, CAP_SYS_ADMIN);

/** Of clone3. */
const CLONE_CLEAR_SIGHAND = 1n << 32n;

const has = (flags: bigint, flag: number): boolean => (flags & BigInt(flag)) !== 0n;

/** Enters a process into the table and has the kernel make its side. EAGAIN undoes it. */
export const enter = (
  s: ProcessServer,
  process: ProcessControlBlock,
  sigMask: bigint,
  terminal: number,
): Result<{ child: number }> => {
  s.table.createProcess(process, sigMask);
  const made = s.context.kernel.createProcess(process.pid, identityOf(s, process, terminal));
  if (made instanceof Errno) {
    s.table.removeProcess(process.pid);
    return made;
  }
  watchCpuLimit(s, process);
  return { child: process.pid };
};

export const forkCalls = (s: ProcessServer): Pick<ProcessHandlers, 'fork' | 'forkFailed'> => ({
  fork({ parent: pid, tid, flags, exitSignal }) {
    const parent = s.table.processes.get(pid);
    const thread = s.table.threads.get(tid);
    if (parent === undefined || thread === undefined || parent.state === 'ZOMBIE') return ESRCH;
    if (exitSignal < 0 || exitSignal > SIGRTMAX) return EINVAL;
    if (!mayFork(s, parent)) return EAGAIN;
    const child = s.table.allocatePid();
    if (child instanceof Errno) return child;
    const sibling = has(flags, CLONE_FLAGS.CLONE_PARENT);
    const view = s.context.kernel.process(pid);
    const inherited = Flag.noNewPrivileges | Flag.dumpable | Flag.keepCapabilities;
    const cleared = (flags & CLONE_CLEAR_SIGHAND) === 0n ? undefined : { ...parent };
    if (cleared !== undefined) resetHandlers(cleared);
    const { sigActions, sigCaught } = cleared ?? parent;
    return enter(
      s,
      {
        ...parent,
        pid: child,
        ppid: sibling ? parent.ppid : pid,
        state: 'RUNNING',
        exitCode: 0,
        waitEvent: WaitEvent.none,
        exitSignal: sibling ? parent.exitSignal : exitSignal,
        children: NONE,
        threads: [child],
        sigPending: 0n,
        sigQueue: NONE,
        sigActions,
        sigCaught,
        nice: thread.nice,
        name: thread.name,
        usage: NO_USAGE,
        childUsage: NO_USAGE,
        flags: parent.flags & inherited,
        deathSignal: 0,
      },
      thread.savedMask ?? thread.sigMask,
      view instanceof Errno ? 0 : view.terminal,
    );
  },

  forkFailed({ child }) {
    if (!s.table.processes.has(child)) return ESRCH;
    s.context.kernel.destroyProcess(child);
    s.context.kernel.forgetProcess(child);
    s.table.timers.delete(child);
    s.table.removeProcess(child);
    return {};
  },
});
