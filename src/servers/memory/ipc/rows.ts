/** Rows of System V semaphores and message queues. Lists are replaced, never changed in place. */
import type { IpcRow } from './objects.ts';

export interface SemaphoreSet extends IpcRow {
  values: readonly number[];
  /** Who changed each last. */
  pids: readonly number[];
  otime: number;
}

/** What ends with a process: by PID, what is to be added to the semaphores of sets (SEM_UNDO). */
export interface Undo {
  sets: readonly { readonly id: number; readonly adjust: readonly number[] }[];
}

/** A thread that sleeps in semop(2), by thread: for GETNCNT and GETZCNT. */
export interface SemaphoreWait {
  readonly pid: number;
  readonly id: number;
  readonly number: number;
  readonly forZero: boolean;
}

export interface MessageQueue extends IpcRow {
  bytes: number;
  count: number;
  capacity: number;
  stime: number;
  rtime: number;
  lspid: number;
  lrpid: number;
}

/** A message, by queue index and order of arrival. */
export interface QueuedMessage {
  readonly type: number;
  readonly data: Uint8Array;
}
