/** What a parent learns of its children: SIGCHLD with its siginfo, and a wake-up of whoever waits. */
import {
  CLD_CONTINUED,
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  childInfo,
  has,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SIGCHLD,
  SIGCONT,
} from '../../abi/signals.ts';
import { ticks } from '../../abi/time.ts';
import { CORE_DUMPED, exitCode, terminationSignal } from '../../abi/wait.ts';
import { usageOf } from './identity.ts';
import { Flag, type ProcessControlBlock } from './rows.ts';
import { childrenOf, exitOf, type ProcessServer } from './server.ts';
import { recordedAction } from './signals/actions.ts';
import { sendSignal } from './signals/send.ts';

/** `si_code` and `si_status` of a zombie. */
export const endOf = (status: number): { readonly code: number; readonly status: number } =>
  terminationSignal(status) === 0
    ? { code: CLD_EXITED, status: exitCode(status) }
    : { code: (status & CORE_DUMPED) === 0 ? CLD_KILLED : CLD_DUMPED, status: terminationSignal(status) };

const tell = (
  s: ProcessServer,
  child: Readonly<ProcessControlBlock>,
  signal: number,
  code: number,
  status: number,
): void => {
  const usage = usageOf(s, child);
  const info = childInfo(signal, {
    code,
    pid: child.pid,
    uid: child.uid,
    status,
    userTicks: ticks(usage.userTime),
    systemTicks: ticks(usage.systemTime),
  });
  sendSignal(s, child.ppid, signal, info);
};

/** A child has stopped or continued: SIGCHLD unless the parent asked for none (SA_NOCLDSTOP). */
export const notifyStatus = (s: ProcessServer, child: Readonly<ProcessControlBlock>, signal: number): void => {
  const parent = s.table.processes.get(child.ppid);
  if (parent === undefined || (child.flags & Flag.hosted) !== 0) return;
  const action = recordedAction(parent, SIGCHLD);
  if (((action?.flags ?? 0) & SA_NOCLDSTOP) === 0)
    tell(s, child, SIGCHLD, signal === SIGCONT ? CLD_CONTINUED : CLD_STOPPED, signal);
  s.context.wake(childrenOf(child.ppid));
};

/** A child has ended. Says whether nobody will wait for it, so that it is to be reaped at once. */
export const notifyExit = (s: ProcessServer, child: Readonly<ProcessControlBlock>): boolean => {
  if ((child.flags & Flag.hosted) !== 0) {
    s.context.wake(exitOf(child.pid));
    return false;
  }
  const parent = s.table.processes.get(child.ppid);
  if (parent === undefined || parent.state === 'ZOMBIE') return child.ppid !== 0;
  const ignored = has(parent.sigIgnored, SIGCHLD);
  const noWait = ignored || ((recordedAction(parent, SIGCHLD)?.flags ?? 0) & SA_NOCLDWAIT) !== 0;
  const end = endOf(child.exitCode);
  if (child.exitSignal !== 0 && !(child.exitSignal === SIGCHLD && ignored))
    tell(s, child, child.exitSignal, end.code, end.status);
  s.context.wake(childrenOf(child.ppid));
  return noWait && child.exitSignal === SIGCHLD;
};
