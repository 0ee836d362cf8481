/**
 * The kernel's copy of who a process is (ipc/kernel-calls.ts, Identity): /proc, the VFS and the memory manager read it, so
 * every change of a process control block that shows there is published in the same transaction.
 */
import { Errno } from '../../abi/errno.ts';
import type { Usage } from '../../abi/resource.ts';
import { NO_USAGE } from '../../abi/resource.ts';
import type { Identity } from '../../ipc/kernel-calls.ts';
import { Flag, NONE, type ProcessControlBlock } from './rows.ts';
import type { ProcessServer } from './server.ts';

const LETTERS = { RUNNING: 'R', STOPPED: 'T', ZOMBIE: 'Z' } as const;

/** The ids, which most calls of the family change together. */
export const idsOf = (process: Readonly<ProcessControlBlock>) => ({
  uid: process.uid,
  euid: process.euid,
  suid: process.suid,
  fsuid: process.fsuid,
  gid: process.gid,
  egid: process.egid,
  sgid: process.sgid,
  fsgid: process.fsgid,
  groups: process.groups,
  capabilities: process.capabilities,
});

/** The queues of the process and of its threads in one list. */
const queueOf = (s: ProcessServer, process: Readonly<ProcessControlBlock>): Identity['queue'] => {
  let queue: Identity['queue'] = NONE;
  if (process.sigPending !== 0n) queue = process.sigQueue.map(({ signal, info }) => ({ tid: 0, signal, info }));
  for (const tid of process.threads) {
    const thread = s.table.threads.get(tid);
    if (thread === undefined || thread.sigPending === 0n) continue;
    queue = [...queue, ...thread.sigQueue.map(({ signal, info }) => ({ tid, signal, info }))];
  }
  return queue;
};

/** The mask /proc shows is the first thread's; pending are those of the process and of that thread. */
const signalsOf = (s: ProcessServer, process: Readonly<ProcessControlBlock>) => {
  const thread = s.table.threads.get(process.pid);
  return {
    blocked: thread?.sigMask ?? 0n,
    ignored: process.sigIgnored,
    caught: process.sigCaught,
    pending: process.sigPending | (thread?.sigPending ?? 0n),
    queue: queueOf(s, process),
  };
};

export const identityOf = (s: ProcessServer, process: Readonly<ProcessControlBlock>, terminal: number): Identity => ({
  ppid: process.ppid,
  pgid: process.pgid,
  sid: process.sid,
  ...idsOf(process),
  limits: process.limits,
  name: process.name,
  nice: process.nice,
  noNewPrivileges: (process.flags & Flag.noNewPrivileges) !== 0,
  state: LETTERS[process.state],
  ...signalsOf(s, process),
  terminal,
});

export const publish = (s: ProcessServer, pid: number, change: Partial<Identity>): void => {
  const result = s.context.kernel.setIdentity(pid, change);
  if (result instanceof Errno) s.context.kernel.log(`process manager: identity of ${pid}: ${result}`);
};

export const publishState = (s: ProcessServer, process: Readonly<ProcessControlBlock>): void =>
  publish(s, process.pid, { state: LETTERS[process.state] });

/** After anything that changes masks, actions or what is pending. */
export const publishSignals = (s: ProcessServer, pid: number): void => {
  const process = s.table.processes.get(pid);
  if (process !== undefined && process.state !== 'ZOMBIE') publish(s, pid, signalsOf(s, process));
};

/** What a living process has used by now, or a zombie had. */
export const usageOf = (s: ProcessServer, process: Readonly<ProcessControlBlock>): Usage => {
  if (process.state === 'ZOMBIE') return process.usage;
  const view = s.context.kernel.process(process.pid);
  if (view instanceof Errno) return NO_USAGE;
  return {
    userTime: view.userTime,
    systemTime: view.systemTime,
    maxRss: view.residentPages * 4,
    minorFaults: view.minorFaults,
    majorFaults: view.majorFaults,
  };
};
