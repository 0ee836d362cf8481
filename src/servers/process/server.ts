/**
 * What every handler of the process manager works with, and the channels they sleep on.
 *
 * Rule for all files here: whoever may change a process or thread takes its row with `edit`, which gives the same copy
 * throughout a transaction; a row taken with `get` is only read, and not kept across a call that may change it.
 */
import { EFAULT, Errno, type Result } from '../../abi/errno.ts';
import { bit, type SigAction } from '../../abi/signals.ts';
import type { Grant } from '../../ipc/fields.ts';
import type { processProtocol } from '../../ipc/protocols/process.ts';
import type { Handlers, ServerContext } from '../../ipc/server.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProcessControlBlock, Thread } from './rows.ts';

export interface ProcessServer {
  readonly context: ServerContext;
  readonly table: ProcessTable;
}

export type ProcessHandlers = Handlers<typeof processProtocol>;

/** Channels: a parent waits for its children, a host for its process, sigtimedwait for a signal. */
export const childrenOf = (pid: number): string => `children:${pid}`;
export const exitOf = (pid: number): string => `exit:${pid}`;
export const signalFor = (tid: number): string => `signal:${tid}`;
export const TIMERS_CHANGED = 'timers:changed';

/** The process of a caller; it lives, or it could not call. */
export const self = (s: ProcessServer, pid: number): Readonly<ProcessControlBlock> => {
  const process = s.table.processes.get(pid);
  if (process === undefined) throw new Error(`process ${pid} calls but is not in the table`);
  return process;
};

export const editSelf = (s: ProcessServer, pid: number): ProcessControlBlock => {
  const process = s.table.processes.edit(pid);
  if (process === undefined) throw new Error(`process ${pid} calls but is not in the table`);
  return process;
};

export const threadOf = (s: ProcessServer, tid: number): Thread => {
  const thread = s.table.threads.edit(tid);
  if (thread === undefined) throw new Error(`thread ${tid} calls but is not in the table`);
  return thread;
};

/** What a process does on a signal; undefined is the default. */
export const actionOf = (process: Readonly<ProcessControlBlock>, signal: number): SigAction | undefined =>
  ((process.sigIgnored | process.sigCaught) & bit(signal)) === 0n
    ? undefined
    : process.sigActions.find((action) => action.signal === signal);

/** Copies a structure in. EFAULT for a null pointer and for one that is not wholly readable. */
export const readStruct = (s: ProcessServer, grant: Grant | null, bytes: number): Result<Uint8Array> =>
  grant === null ? EFAULT : s.context.copyIn(grant, 0, bytes);

/** Copies a whole structure out. EFAULT for a null pointer and for one that is not wholly writable. */
export const writeStruct = (s: ProcessServer, grant: Grant | null, bytes: Uint8Array): Errno | undefined => {
  if (grant === null) return EFAULT;
  const written = s.context.copyOut(grant, 0, bytes);
  if (written instanceof Errno) return written;
  return written < bytes.length ? EFAULT : undefined;
};

/** As `writeStruct`, but a null pointer is no wish. */
export const writeOptional = (s: ProcessServer, grant: Grant | null, bytes: Uint8Array): Errno | undefined =>
  grant === null ? undefined : writeStruct(s, grant, bytes);

/** A 32-bit integer as a structure of its own. */
export const encodeInt = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
};
