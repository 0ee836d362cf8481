/**
 * execve: the process manager's part. `exec` says whether it may begin; `execCommit` comes when the image has been replaced
 * and nothing can fail any more (execve(2), credentials(7), capabilities(7)).
 */
import { ALL_CAPABILITIES, type Capabilities, SECBIT_NOROOT } from '../../../abi/credentials.ts';
import { ESRCH } from '../../../abi/errno.ts';
import { SIGCHLD } from '../../../abi/signals.ts';
import { idsOf, publish, publishSignals } from '../identity.ts';
import { deleteTimers } from '../posix-timers.ts';
import { Flag, NONE, type ProcessControlBlock } from '../rows.ts';
import type { ProcessHandlers, ProcessServer } from '../server.ts';
import { resetHandlers } from '../signals/actions.ts';

/**
 * capabilities(7), "Transformation of capabilities during execve()". Files carry no capabilities here, so only root's programs
 * are given any; what is ambient stays unless ids were given.
 */
const capabilitiesOf = (process: Readonly<ProcessControlBlock>, given: boolean): Capabilities => {
  const { inheritable, bounding } = process.capabilities;
  const ambient = given ? 0n : process.capabilities.ambient;
  const hasRoot = (process.securebits & SECBIT_NOROOT) === 0;
  const root = hasRoot && (process.uid === 0 || process.euid === 0);
  // Who may gain no privileges gets what it had (PR_SET_NO_NEW_PRIVS).
  const bound = (process.flags & Flag.noNewPrivileges) === 0 ? ALL_CAPABILITIES : process.capabilities.permitted;
  const permitted = (root ? inheritable | bounding : ambient) & bound;
  const effective = hasRoot && process.euid === 0 ? permitted : ambient;
  return { permitted, effective, inheritable, bounding, ambient };
};

const takeIds = (process: ProcessControlBlock, setuid: number, setgid: number): void => {
  if ((process.flags & Flag.noNewPrivileges) === 0) {
    if (setuid >= 0) process.euid = setuid;
    if (setgid >= 0) process.egid = setgid;
  }
  process.suid = process.fsuid = process.euid;
  process.sgid = process.fsgid = process.egid;
};

export const execCalls = (s: ProcessServer): Pick<ProcessHandlers, 'exec' | 'execCommit'> => ({
  exec({ pid, tid }) {
    const process = s.table.processes.get(pid);
    if (process === undefined || process.state === 'ZOMBIE' || !process.threads.includes(tid)) return ESRCH;
    return { personality: process.personality };
  },

  execCommit({ pid, tid, name, setuid, setgid, readable }) {
    const process = s.table.processes.edit(pid);
    if (process === undefined || process.state === 'ZOMBIE') return ESRCH;
    const before = { euid: process.euid, egid: process.egid };
    takeIds(process, setuid, setgid);
    const given = before.euid !== process.euid || before.egid !== process.egid;
    process.capabilities = capabilitiesOf(process, given);
    // AT_SECURE: the program has ids that its caller did not have.
    const secure = process.euid !== process.uid || process.egid !== process.gid;
    if (secure || given) {
      process.deathSignal = 0;
      process.flags &= ~Flag.dumpable;
    } else if (readable) {
      process.flags |= Flag.dumpable;
    } else {
      process.flags &= ~Flag.dumpable;
    }
    process.flags = (process.flags | Flag.execed) & ~Flag.keepCapabilities;
    process.exitSignal = SIGCHLD;
    process.name = name.slice(0, 15);
    resetHandlers(process);
    deleteTimers(s, pid);
    soleThread(s, process, tid);
    const thread = s.table.threads.edit(pid);
    if (thread !== undefined) thread.name = process.name;
    publish(s, pid, { name: process.name, ...idsOf(process) });
    publishSignals(s, pid);
    return { secure };
  },
});

/** The other threads are gone; the one that called execve has the number of the process from now on. */
const soleThread = (s: ProcessServer, process: ProcessControlBlock, tid: number): void => {
  if (process.threads.length === 1 && tid === process.pid) return;
  s.table.removeThreads(
    process,
    process.threads.filter((other) => other !== tid),
  );
  const thread = s.table.threads.get(tid);
  if (thread === undefined || tid === process.pid) return;
  const { sigQueue } = thread;
  s.table.threads.edit(tid)!.sigQueue = NONE;
  s.table.removeThreads(process, [tid]);
  s.table.threads.set(process.pid, { ...thread, sigQueue });
  process.threads = [process.pid];
};
