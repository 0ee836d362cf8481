/**
 * Delivering signals: a thread takes what is pending and not blocked, until nothing is left or it may not go on.
 *
 * The kernel builds the frames when the thread next returns to user mode, in the order in which they were handed over, so
 * the masks are kept here as though each handler had been entered already: the next frame saves the mask of the one before.
 * A stopped process takes nothing but SIGKILL until it continues.
 */
import { Errno } from '../../../abi/errno.ts';
import {
  bit,
  defaultAction,
  SA_NODEFER,
  SA_RESETHAND,
  SIG_IGN,
  SIGSTOP,
  type SigAction,
  UNBLOCKABLE,
} from '../../../abi/signals.ts';
import { isOrphaned } from '../groups.ts';
import { killBySignal } from '../kill.ts';
import { INIT } from '../process-table.ts';
import { Flag, type ProcessControlBlock, type QueuedSignal, type Thread } from '../rows.ts';
import { actionOf, type ProcessServer } from '../server.ts';
import { stopProcess } from '../stop.ts';
import { resetAction } from './actions.ts';
import { dequeue } from './queue.ts';

/** Delivers to a thread what it can take now. Says whether a handler was queued. */
export const dispatch = (s: ProcessServer, pid: number, tid: number, force = false): boolean => {
  let handled = false;
  for (;;) {
    const process = s.table.processes.edit(pid);
    const thread = s.table.threads.edit(tid);
    if (process === undefined || thread === undefined || process.state !== 'RUNNING') return handled;
    if ((process.flags & Flag.dumping) !== 0) return handled;
    const queued = dequeue(s, process, thread, ~thread.sigMask);
    if (queued === undefined) return handled;
    const action = actionOf(process, queued.signal);
    if (action === undefined) takeDefault(s, process, tid, queued, force);
    else if (action.handler !== SIG_IGN) {
      enterHandler(s, process, thread, tid, action, queued);
      handled = true;
    }
  }
};

const takeDefault = (
  s: ProcessServer,
  process: ProcessControlBlock,
  tid: number,
  { signal, info }: QueuedSignal,
  force: boolean,
): void => {
  if (process.pid === INIT && !force) return;
  switch (defaultAction(signal)) {
    case 'ignore':
    case 'continue':
      return;
    case 'stop':
      // Nobody could continue a process of an orphaned group (POSIX 2.4.3).
      if (signal === SIGSTOP || !isOrphaned(s, process.pgid)) stopProcess(s, process, signal);
      return;
    case 'terminate':
    case 'core':
      killBySignal(s, process, tid, signal, info);
  }
};

const enterHandler = (
  s: ProcessServer,
  process: ProcessControlBlock,
  thread: Thread,
  tid: number,
  action: SigAction,
  { signal, info }: QueuedSignal,
): void => {
  const savedMask = thread.savedMask ?? thread.sigMask;
  thread.savedMask = undefined;
  thread.sleepUntil = 0;
  const deferred = (action.flags & SA_NODEFER) !== 0 ? 0n : bit(signal);
  thread.sigMask = (thread.sigMask | action.mask | deferred) & ~UNBLOCKABLE;
  if ((action.flags & SA_RESETHAND) !== 0) resetAction(process, signal);
  const result = s.context.kernel.deliverSignal(process.pid, tid, {
    signal,
    handler: action.handler,
    flags: BigInt(action.flags),
    restorer: action.restorer,
    savedMask,
    info,
  });
  if (result instanceof Errno) s.context.kernel.log(`process manager: signal ${signal} for ${tid}: ${result}`);
};
