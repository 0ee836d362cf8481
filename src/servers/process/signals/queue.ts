/**
 * Pending signals: a queue for the process and one for each thread. A standard signal is in a queue at most once, a
 * real-time signal as often as it was sent, within RLIMIT_SIGPENDING of the target's real user (sigqueue(3), signal(7)).
 *
 * Invariant: `sigPending` is the set of the signals in `sigQueue`.
 */
import { EAGAIN, type Errno } from '../../../abi/errno.ts';
import { RLIMIT_SIGPENDING } from '../../../abi/resource.ts';
import { bit, has, infoCode, lowest, SI_USER, SIGRTMIN, SYNCHRONOUS } from '../../../abi/signals.ts';
import { resume, takeTimerSignal } from '../posix-timers.ts';
import type { ProcessControlBlock, QueuedSignal, Thread } from '../rows.ts';
import type { ProcessServer } from '../server.ts';

type Queue = Pick<Thread, 'sigPending' | 'sigQueue'>;

/** Adds a signal. EAGAIN if its value must not be lost but the user's queue is full. */
export const enqueue = (
  s: ProcessServer,
  process: Readonly<ProcessControlBlock>,
  queue: Queue,
  signal: number,
  info: Uint8Array,
  timer?: string,
): Errno | undefined => {
  const pending = has(queue.sigPending, signal);
  // A timer's signal has its place since the timer was made.
  if (timer !== undefined) {
    append(s, process, queue, { signal, info, uid: process.uid, timer });
    return undefined;
  }
  if (signal < SIGRTMIN && pending) return undefined;
  if (signal >= SIGRTMIN && (s.table.users.get(process.uid)?.signals ?? 0) >= process.limits[RLIMIT_SIGPENDING][0]) {
    if (infoCode(info) !== SI_USER) return EAGAIN;
    if (pending) return undefined;
  }
  append(s, process, queue, { signal, info, uid: process.uid });
  return undefined;
};

const append = (s: ProcessServer, process: Readonly<ProcessControlBlock>, queue: Queue, queued: QueuedSignal): void => {
  queue.sigPending |= bit(queued.signal);
  queue.sigQueue = [...queue.sigQueue, queued];
  s.table.account(process.uid, 'signals', 1);
};

const removeAt = (s: ProcessServer, queue: Queue, index: number): QueuedSignal => {
  const taken = queue.sigQueue[index];
  queue.sigQueue = queue.sigQueue.filter((_, other) => other !== index);
  if (!queue.sigQueue.some((other) => other.signal === taken.signal)) queue.sigPending &= ~bit(taken.signal);
  s.table.account(taken.uid, 'signals', -1);
  return takeTimerSignal(s, taken);
};

/** Takes the signal of the set that is to be delivered first: faults, then by number; of one number the oldest. */
const dequeueFrom = (s: ProcessServer, queue: Queue, set: bigint): QueuedSignal | undefined => {
  const wanted = queue.sigPending & set;
  if (wanted === 0n) return undefined;
  const signal = lowest((wanted & SYNCHRONOUS) !== 0n ? wanted & SYNCHRONOUS : wanted);
  return removeAt(
    s,
    queue,
    queue.sigQueue.findIndex((queued) => queued.signal === signal),
  );
};

/** Takes the oldest of a signal out of a queue; nothing if there is none. */
export const take = (s: ProcessServer, queue: Queue, signal: number): void => {
  const index = queue.sigQueue.findIndex((queued) => queued.signal === signal);
  if (index >= 0) removeAt(s, queue, index);
};

/** The thread's own signals come before those of the process. */
export const dequeue = (
  s: ProcessServer,
  process: ProcessControlBlock,
  thread: Thread,
  set: bigint,
): QueuedSignal | undefined => dequeueFrom(s, thread, set) ?? dequeueFrom(s, process, set);

const discardFrom = (s: ProcessServer, queue: Queue, set: bigint): void => {
  if ((queue.sigPending & set) === 0n) return;
  const dropped = queue.sigQueue.filter((queued) => has(set, queued.signal));
  queue.sigQueue = queue.sigQueue.filter((queued) => !has(set, queued.signal));
  for (const { uid, timer } of dropped) {
    s.table.account(uid, 'signals', -1);
    if (timer !== undefined) resume(s, timer);
  }
  queue.sigPending &= ~set;
};

/** Drops pending signals of a set from the process and all its threads. */
export const discard = (s: ProcessServer, process: ProcessControlBlock, set: bigint): void => {
  discardFrom(s, process, set);
  for (const tid of process.threads) {
    const thread = s.table.threads.edit(tid);
    if (thread !== undefined) discardFrom(s, thread, set);
  }
};
