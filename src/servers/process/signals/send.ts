/**
 * Generating a signal: what happens at once, whether it is dropped, queued, or goes to a thread (signal(7); POSIX 2.4.1).
 *
 * Order: a stop signal drops a pending SIGCONT and the reverse; SIGCONT continues a stopped process whatever its action;
 * an ignored signal that nobody blocks is dropped; a sigtimedwait takes it; SIGKILL ends the process; else it is queued and
 * the first thread that does not block it takes delivery (deliver.ts). init takes only signals it has a handler for.
 */
import type { Errno } from '../../../abi/errno.ts';
import {
  bit,
  defaultAction,
  has,
  SI_KERNEL,
  SIG_IGN,
  SIGCONT,
  SIGKILL,
  STOP_SIGNALS,
  userInfo,
} from '../../../abi/signals.ts';
import { killedStatus } from '../../../abi/wait.ts';
import { publishSignals } from '../identity.ts';
import { resume } from '../posix-timers.ts';
import { INIT } from '../process-table.ts';
import { Flag, type ProcessControlBlock, type Thread } from '../rows.ts';
import { actionOf, type ProcessServer, signalFor } from '../server.ts';
import { continueProcess } from '../stop.ts';
import { terminate } from '../terminate.ts';
import { dispatch } from './deliver.ts';
import { discard, enqueue } from './queue.ts';

export interface SendOptions {
  /** One thread instead of the process. */
  readonly tid?: number;
  /** From outside the system: reaches init too. */
  readonly force?: boolean;
  /** The POSIX timer that sends it. */
  readonly timer?: string;
}

/** Whether a signal would have no effect, so that it is not even queued. A blocked one may yet get a handler. */
const isIgnored = (
  process: Readonly<ProcessControlBlock>,
  thread: Readonly<Thread> | undefined,
  signal: number,
  force: boolean,
): boolean => {
  if (thread !== undefined && has(thread.sigMask, signal)) return false;
  const handler = actionOf(process, signal)?.handler;
  if (handler !== undefined) return handler === SIG_IGN;
  if (process.pid === INIT && !force) return true;
  const action = defaultAction(signal);
  return action === 'ignore' || action === 'continue';
};

/** Sends a signal to a process or thread. EAGAIN if a queued value had to be refused; all else succeeds. */
export const sendSignal = (
  s: ProcessServer,
  pid: number,
  signal: number,
  info: Uint8Array,
  options: SendOptions = {},
): Errno | undefined => {
  const process = s.table.processes.edit(pid);
  if (process === undefined || process.state === 'ZOMBIE' || (process.flags & Flag.kernel) !== 0) return undefined;
  let resumed = false;
  if (has(STOP_SIGNALS, signal)) discard(s, process, bit(SIGCONT));
  else if (signal === SIGCONT) {
    discard(s, process, STOP_SIGNALS);
    resumed = continueProcess(s, process);
  }
  const refused = queueOrDrop(s, process, signal, info, options);
  if (resumed) for (const tid of process.threads) dispatch(s, pid, tid);
  publishSignals(s, pid);
  return refused;
};

const queueOrDrop = (
  s: ProcessServer,
  process: ProcessControlBlock,
  signal: number,
  info: Uint8Array,
  { tid, force = false, timer }: SendOptions,
): Errno | undefined => {
  const target = s.table.threads.get(tid ?? process.threads[0]);
  if (isIgnored(process, target, signal, force)) {
    if (timer !== undefined) resume(s, timer);
    return undefined;
  }
  if (signal === SIGKILL) {
    terminate(s, process.pid, killedStatus(SIGKILL));
    return undefined;
  }
  const queue = tid === undefined ? process : s.table.threads.edit(tid);
  if (queue === undefined) {
    if (timer !== undefined) resume(s, timer);
    return undefined;
  }
  const refused = enqueue(s, process, queue, signal, info, timer);
  if (refused !== undefined) return refused;
  const candidates = tid === undefined ? process.threads : [tid];
  for (const candidate of candidates) {
    if (!has(s.table.threads.get(candidate)?.waiting ?? 0n, signal)) continue;
    s.context.wake(signalFor(candidate));
    return undefined;
  }
  const taker = candidates.find((candidate) => !has(s.table.threads.get(candidate)?.sigMask ?? 0n, signal));
  if (taker !== undefined) dispatch(s, process.pid, taker, force);
  return undefined;
};

/** A signal of the kernel's own: SI_KERNEL, no sender. */
export const sendKernelSignal = (s: ProcessServer, pid: number, signal: number): void => {
  sendSignal(s, pid, signal, userInfo(signal, SI_KERNEL));
};
