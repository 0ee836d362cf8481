/**
 * The end of a process, whether it exits or a signal kills it, in this order: its own timers and pending signals go, its
 * children get a new parent, groups that become orphaned are told, it is a zombie, its parent is told, and the kernel ends
 * its threads (and then has the other servers release its memory and descriptors; the VFS hangs up the terminal of a
 * session leader).
 */
import { Errno } from '../../abi/errno.ts';
import { FULL_SET, SI_USER, SIGCHLD, userInfo } from '../../abi/signals.ts';
import { tieCut } from './groups.ts';
import { publish, publishState, usageOf } from './identity.ts';
import { notifyExit } from './notify.ts';
import { type ProcessControlBlock, WaitEvent } from './rows.ts';
import type { ProcessServer } from './server.ts';
import { discard } from './signals/queue.ts';
import { sendSignal } from './signals/send.ts';
import { disarmAll } from './timers.ts';

/** Takes a zombie out of the table. */
export const reap = (s: ProcessServer, pid: number): void => {
  s.table.removeProcess(pid);
  s.context.kernel.forgetProcess(pid);
};

const adopt = (s: ProcessServer, parent: ProcessControlBlock): void => {
  const { reaper, children } = s.table.reparentChildren(parent.pid);
  for (const pid of children) {
    const child = s.table.processes.edit(pid);
    if (child === undefined) continue;
    child.exitSignal = SIGCHLD;
    publish(s, pid, { ppid: reaper });
    if (child.state === 'ZOMBIE') {
      if (notifyExit(s, child)) reap(s, pid);
    } else {
      if (child.deathSignal !== 0)
        sendSignal(s, pid, child.deathSignal, userInfo(child.deathSignal, SI_USER, parent.pid, parent.uid));
      tieCut(s, child, parent, false);
    }
  }
};

/** Ends a process with a status as wait4 reports it. */
export const terminate = (s: ProcessServer, pid: number, status: number): void => {
  const process = s.table.processes.edit(pid);
  if (process === undefined || process.state === 'ZOMBIE') return;
  process.usage = usageOf(s, process);
  disarmAll(s, pid);
  discard(s, process, FULL_SET);
  s.table.removeThreads(process, process.threads);
  process.state = 'ZOMBIE';
  process.exitCode = status;
  process.waitEvent = WaitEvent.none;
  publishState(s, process);
  adopt(s, process);
  tieCut(s, process, s.table.processes.get(process.ppid), true);
  const ended = s.context.kernel.destroyProcess(pid, status);
  if (ended instanceof Errno) s.context.kernel.log(`process manager: end of ${pid}: ${ended}`);
  if (notifyExit(s, process)) reap(s, pid);
};
