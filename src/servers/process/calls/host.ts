/** What the host asks for: a new process, and whether the server is there. */
import { NO_CAPABILITIES, ROOT_CAPABILITIES } from '../../../abi/credentials.ts';
import { EAGAIN, Errno } from '../../../abi/errno.ts';
import { defaultLimits, NO_USAGE } from '../../../abi/resource.ts';
import { SIGCHLD } from '../../../abi/signals.ts';
import { INIT } from '../process-table.ts';
import { Flag, NONE, type ProcessControlBlock, WaitEvent } from '../rows.ts';
import type { ProcessHandlers, ProcessServer } from '../server.ts';
import { enter } from './fork.ts';
import { decodeIds } from './ids.ts';

/** The servers stand in the table as processes of root, so that kill and getpriority find what ps shows. */
const SERVERS = [
  [2, 'vfs'],
  [3, 'process'],
  [4, 'memory'],
] as const;

const fresh = (
  s: ProcessServer,
  pid: number,
  ppid: number,
  name: string,
  uid: number,
  gid: number,
  flags: number,
): ProcessControlBlock => ({
  pid,
  ppid,
  pgid: pid,
  sid: pid,
  state: 'RUNNING',
  exitCode: 0,
  waitEvent: WaitEvent.none,
  exitSignal: SIGCHLD,
  uid,
  euid: uid,
  suid: uid,
  fsuid: uid,
  gid,
  egid: gid,
  sgid: gid,
  fsgid: gid,
  groups: NONE,
  capabilities: uid === 0 ? ROOT_CAPABILITIES : NO_CAPABILITIES,
  securebits: 0,
  children: NONE,
  threads: [pid],
  sigActions: NONE,
  sigIgnored: 0n,
  sigCaught: 0n,
  sigPending: 0n,
  sigQueue: NONE,
  limits: defaultLimits(s.context.kernel.system().memoryTotal),
  name: name.slice(0, 15),
  nice: 0,
  usage: NO_USAGE,
  childUsage: NO_USAGE,
  flags,
  deathSignal: 0,
  personality: 0,
  timerSlack: 50_000,
});

export const hostCalls = (s: ProcessServer): Pick<ProcessHandlers, 'spawn' | 'ping'> => ({
  spawn({ uid, gid, groups, name }) {
    if (!s.table.processes.has(INIT)) {
      for (const [pid, server] of SERVERS)
        s.table.createProcess({ ...fresh(s, pid, 0, server, 0, 0, Flag.kernel), pgid: 0, sid: 0, threads: NONE }, 0n);
      return enter(s, fresh(s, INIT, 0, name, uid, gid, Flag.dumpable), 0n, 0);
    }
    if (s.table.processes.get(INIT)?.state === 'ZOMBIE') return EAGAIN;
    const pid = s.table.allocatePid();
    if (pid instanceof Errno) return pid;
    const process = fresh(s, pid, INIT, name, uid >>> 0, gid >>> 0, Flag.dumpable | Flag.hosted);
    process.groups = [...decodeIds(groups)].sort((a, b) => a - b);
    return enter(s, process, 0n, 0);
  },

  ping: ({ value }) => ({ result: value }),
});
