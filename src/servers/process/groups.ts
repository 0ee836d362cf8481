/**
 * Orphaned process groups (POSIX 3.264): no member has a parent in another group of the same session, so nobody is left who
 * would continue the group. Terminal stop signals do not stop its members, and members that are stopped when it becomes
 * orphaned get SIGHUP and SIGCONT.
 */
import { SIGCONT, SIGHUP } from '../../abi/signals.ts';
import { INIT } from './process-table.ts';
import type { ProcessControlBlock } from './rows.ts';
import type { ProcessServer } from './server.ts';
import { sendKernelSignal } from './signals/send.ts';

const members = (s: ProcessServer, pgid: number): readonly number[] => s.table.groups.get(pgid)?.members ?? [];

/** `except` is a member that is about to end and does not count. */
export const isOrphaned = (s: ProcessServer, pgid: number, except = 0): boolean => {
  for (const pid of members(s, pgid)) {
    const process = s.table.processes.get(pid);
    if (process === undefined || pid === except || process.state === 'ZOMBIE' || process.ppid === INIT) continue;
    const parent = s.table.processes.get(process.ppid);
    if (parent !== undefined && parent.pgid !== pgid && parent.sid === process.sid) return false;
  }
  return true;
};

const hasStopped = (s: ProcessServer, pgid: number): boolean =>
  members(s, pgid).some((pid) => s.table.processes.get(pid)?.state === 'STOPPED');

/**
 * The tie between a process and its parent is cut. If it was what kept the process's group from being orphaned, stopped
 * members are told. `ending` says that the process itself ends, else it lost its parent.
 */
export const tieCut = (
  s: ProcessServer,
  process: Readonly<ProcessControlBlock>,
  parent: Readonly<ProcessControlBlock> | undefined,
  ending: boolean,
): void => {
  const { pgid, sid } = process;
  if (parent === undefined || parent.pgid === pgid || parent.sid !== sid) return;
  if (!isOrphaned(s, pgid, ending ? process.pid : 0) || !hasStopped(s, pgid)) return;
  for (const signal of [SIGHUP, SIGCONT]) for (const pid of members(s, pgid)) sendKernelSignal(s, pid, signal);
};
