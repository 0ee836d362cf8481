/** Resource limits and priorities: getrlimit, setrlimit, prlimit64, getpriority, setpriority. */
import { CAP_SYS_NICE, CAP_SYS_RESOURCE } from '../../../abi/credentials.ts';
import { EACCES, EFAULT, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import {
  decodeRlimit,
  encodeRlimit,
  type Limit,
  NR_OPEN,
  PRIO_PGRP,
  PRIO_PROCESS,
  PRIO_USER,
  RLIMIT_BYTES,
  RLIMIT_COUNT,
  RLIMIT_CPU,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
} from '../../../abi/resource.ts';
import { publish } from '../identity.ts';
import { capable } from '../permission.ts';
import type { ProcessControlBlock } from '../rows.ts';
import { type ProcessHandlers, type ProcessServer, readStruct, self, writeOptional } from '../server.ts';
import { watchCpuLimit } from '../timers.ts';

/** What of `prlimit` may not be a null pointer: setrlimit's limit, getrlimit's answer. */
export const NEEDS_LIMIT = 1;
export const NEEDS_OLD = 2;

/** prlimit(2): all ids of the target are the caller's real ones, or CAP_SYS_RESOURCE. */
const maySeeLimits = (caller: Readonly<ProcessControlBlock>, target: Readonly<ProcessControlBlock>): boolean =>
  caller.pid === target.pid ||
  capable(caller, CAP_SYS_RESOURCE) ||
  ([target.uid, target.euid, target.suid].every((id) => id === caller.uid) &&
    [target.gid, target.egid, target.sgid].every((id) => id === caller.gid));

const check = (
  caller: Readonly<ProcessControlBlock>,
  old: Limit,
  resource: number,
  [soft, hard]: Limit,
): Errno | undefined => {
  if (soft > hard) return EINVAL;
  if (resource === RLIMIT_NOFILE && hard > NR_OPEN) return EPERM;
  return hard > old[1] && !capable(caller, CAP_SYS_RESOURCE) ? EPERM : undefined;
};

type Process = Readonly<ProcessControlBlock>;

/** A thread with its process: the nice value is each thread's own. */
interface Target {
  readonly process: Process;
  readonly tid: number;
  readonly nice: number;
}

/** The threads that getpriority and setpriority mean. */
const chosen = (
  s: ProcessServer,
  caller: Process,
  tid: number,
  which: number,
  who: number,
): Result<readonly Target[]> => {
  const one = (number: number): readonly Target[] => {
    const thread = s.table.threads.get(number);
    // Of a zombie, and of a process whose first thread has ended, the process remembers the value.
    const process = s.table.processes.get(thread?.pid ?? number);
    return process === undefined ? [] : [{ process, tid: number, nice: thread?.nice ?? process.nice }];
  };
  const all = (pids: Iterable<number>): readonly Target[] =>
    [...pids].flatMap((pid) => {
      const threads = s.table.processes.get(pid)?.threads ?? [];
      return (threads.length === 0 ? [pid] : threads).flatMap(one);
    });
  if (which === PRIO_PROCESS) return one(who === 0 ? tid : who);
  if (which === PRIO_PGRP) return all(s.table.groups.get(who === 0 ? caller.pgid : who)?.members ?? []);
  if (which !== PRIO_USER) return EINVAL;
  const uid = who === 0 ? caller.uid : who >>> 0;
  return all(s.table.processes.keys()).filter(({ process }) => process.uid === uid);
};

/** EPERM for another user's process, EACCES for a better priority than RLIMIT_NICE allows. */
const renice = (s: ProcessServer, caller: Process, target: Target, nice: number): Errno | undefined => {
  const privileged = capable(caller, CAP_SYS_NICE);
  const { process, tid } = target;
  if (!privileged && process.uid !== caller.euid && process.euid !== caller.euid) return EPERM;
  if (nice < target.nice && !privileged && 20 - nice > process.limits[RLIMIT_NICE][0]) return EACCES;
  const thread = s.table.threads.edit(tid);
  if (thread !== undefined) thread.nice = nice;
  s.context.kernel.setPriority(process.pid, tid, nice);
  if (tid === process.pid) {
    s.table.processes.edit(tid)!.nice = nice;
    publish(s, tid, { nice });
  }
  return undefined;
};

export const limitCalls = (s: ProcessServer): Pick<ProcessHandlers, 'prlimit' | 'getpriority' | 'setpriority'> => ({
  prlimit({ pid, resource, limit, old, needed }, { caller }) {
    if (resource < 0 || resource >= RLIMIT_COUNT) return EINVAL;
    if ((needed === NEEDS_LIMIT && limit === null) || (needed === NEEDS_OLD && old === null)) return EFAULT;
    const bytes = limit === null ? undefined : readStruct(s, limit, RLIMIT_BYTES);
    if (bytes instanceof Errno) return bytes;
    const process = s.table.processes.edit(pid === 0 ? caller.pid : pid);
    if (process === undefined) return ESRCH;
    const own = self(s, caller.pid);
    if (!maySeeLimits(own, process)) return EPERM;
    const before = process.limits[resource];
    if (bytes !== undefined) {
      const next = decodeRlimit(bytes);
      const refused = check(own, before, resource, next);
      if (refused !== undefined) return refused;
      process.limits = process.limits.with(resource, next);
      publish(s, process.pid, { limits: process.limits });
      if (resource === RLIMIT_CPU) watchCpuLimit(s, process);
    }
    return writeOptional(s, old, encodeRlimit(before)) ?? { result: 0 };
  },

  getpriority({ which, who }, { caller }) {
    const targets = chosen(s, self(s, caller.pid), caller.tid, which, who);
    if (targets instanceof Errno) return targets;
    if (targets.length === 0) return ESRCH;
    return { result: 20 - Math.min(...targets.map((target) => target.nice)) };
  },

  setpriority({ which, who, nice }, { caller }) {
    const own = self(s, caller.pid);
    const targets = chosen(s, own, caller.tid, which, who);
    if (targets instanceof Errno) return targets;
    let result: Errno | undefined = targets.length === 0 ? ESRCH : undefined;
    for (const target of targets) {
      const failed = renice(s, own, target, Math.max(-20, Math.min(19, nice)));
      result = failed ?? result;
    }
    return result ?? { result: 0 };
  },
});
