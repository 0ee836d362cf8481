/**
 * Stopping and continuing a process, and telling its parent (POSIX 2.4.3; wait4 with WUNTRACED and WCONTINUED).
 *
 * A sleeping call of a stopped process is interrupted, so that it takes no input meanwhile; as no handler runs, the kernel
 * starts it again when the process continues.
 */
import { SIGCONT } from '../../abi/signals.ts';
import { publishState } from './identity.ts';
import { notifyStatus } from './notify.ts';
import { type ProcessControlBlock, WaitEvent } from './rows.ts';
import type { ProcessServer } from './server.ts';

export const stopProcess = (s: ProcessServer, process: ProcessControlBlock, signal: number): void => {
  process.state = 'STOPPED';
  process.exitCode = signal;
  process.waitEvent = WaitEvent.stopped;
  for (const tid of process.threads) s.context.kernel.interrupt(process.pid, tid);
  s.context.kernel.stopProcess(process.pid);
  publishState(s, process);
  notifyStatus(s, process, signal);
};

/** Says whether the process was stopped. What had been pending is the caller's to deliver. */
export const continueProcess = (s: ProcessServer, process: ProcessControlBlock): boolean => {
  if (process.state !== 'STOPPED') return false;
  process.state = 'RUNNING';
  process.waitEvent = WaitEvent.continued;
  s.context.kernel.continueProcess(process.pid);
  publishState(s, process);
  notifyStatus(s, process, SIGCONT);
  return true;
};
