/**
 * The process table: who exists, who is whose child, which PIDs are free.
 *
 * Entry points: `allocatePid`, `createProcess`, `getProcess`, `removeProcess`, `findZombieChild`, `reparentChildren`.
 * Invariants: a process is listed in `children` of its parent and in `members` of its group exactly once; a group is listed
 * in its session; a PID is free if no process, thread, group or session bears it. User processes start at 5 (the reference).
 */
import { EAGAIN, type Result } from '../../abi/errno.ts';
import type { Store } from '../../ipc/store.ts';
import {
  type Alarm,
  Flag,
  type Group,
  type IntervalTimers,
  type LastPid,
  NONE,
  type PosixTimer,
  type ProcessControlBlock,
  type Session,
  type Thread,
  type TimerIds,
  type User,
} from './rows.ts';

export const INIT = 1;
export const FIRST_USER_PID = 5;
/** /proc/sys/kernel/pid_max: PIDs stay below. */
export const PID_MAX = 4_194_304;
/** Processes and zombies in the system, and threads, whoever owns them. */
export const PROCESS_LIMIT = 32_768;

const without = (list: readonly number[], item: number): readonly number[] => list.filter((other) => other !== item);

export type ProcessTable = ReturnType<typeof createProcessTable>;

export const createProcessTable = (store: Store) => {
  const processes = store.table<number, ProcessControlBlock>('process.processes');
  const threads = store.table<number, Thread>('process.threads');
  const groups = store.table<number, Group>('process.groups');
  const sessions = store.table<number, Session>('process.sessions');
  const users = store.table<number, User>('process.users');
  const timers = store.table<number, IntervalTimers>('process.timers');
  const alarms = store.sorted<Alarm>('process.alarms');
  const posixTimers = store.table<string, PosixTimer>('process.posixTimers');
  const timerIds = store.table<number, TimerIds>('process.timerIds');
  const cpuTimers = store.table<string, { readonly pid: number }>('process.cpuTimers');
  const system = store.table<string, LastPid>('process.system');

  const taken = (pid: number): boolean =>
    processes.has(pid) || threads.has(pid) || groups.has(pid) || sessions.has(pid);

  /** The next PID in order that nothing bears; EAGAIN when the system is full. */
  const allocatePid = (): Result<number> => {
    if (Math.max(processes.size, threads.size) >= PROCESS_LIMIT) return EAGAIN;
    const last = system.edit('pid') ?? { value: FIRST_USER_PID - 1 };
    let pid = last.value;
    do pid = pid + 1 >= PID_MAX ? FIRST_USER_PID : pid + 1;
    while (taken(pid) && pid !== last.value);
    if (taken(pid)) return EAGAIN;
    last.value = pid;
    system.set('pid', last);
    return pid;
  };

  const joinGroup = (pid: number, pgid: number, sid: number): void => {
    const group = groups.edit(pgid);
    if (group !== undefined) {
      group.members = [...group.members, pid];
      return;
    }
    groups.set(pgid, { sid, members: [pid] });
    const session = sessions.edit(sid);
    if (session === undefined) sessions.set(sid, { groups: [pgid] });
    else session.groups = [...session.groups, pgid];
  };

  const leaveGroup = (pid: number, pgid: number): void => {
    const group = groups.edit(pgid);
    if (group === undefined) return;
    group.members = without(group.members, pid);
    if (group.members.length > 0) return;
    groups.delete(pgid);
    const session = sessions.edit(group.sid);
    if (session === undefined) return;
    session.groups = without(session.groups, pgid);
    if (session.groups.length === 0) sessions.delete(group.sid);
  };

  /** Moves a process to another group, made if need be. */
  const setGroup = (process: ProcessControlBlock, pgid: number, sid: number): void => {
    leaveGroup(process.pid, process.pgid);
    process.pgid = pgid;
    process.sid = sid;
    joinGroup(process.pid, pgid, sid);
  };

  const userOf = (uid: number): User => {
    const user = users.edit(uid);
    if (user !== undefined) return user;
    const fresh = { processes: 0, signals: 0 };
    users.set(uid, fresh);
    return fresh;
  };

  /** Counts a process or queued signal in or out for its real user. */
  const account = (uid: number, what: keyof User, change: number): void => {
    const user = userOf(uid);
    user[what] += change;
    if (user.processes === 0 && user.signals === 0) users.delete(uid);
  };

  const enterThread = (tid: number, thread: Pick<Thread, 'pid' | 'sigMask' | 'nice' | 'name'>): void =>
    threads.set(tid, {
      pid: thread.pid,
      sigMask: thread.sigMask,
      nice: thread.nice,
      name: thread.name,
      sigPending: 0n,
      sigQueue: NONE,
      savedMask: undefined,
      waiting: 0n,
      sleepUntil: 0,
    });

  /** Enters a thread of a process besides its first; it counts against the limit on its user's processes. */
  const createThread = (process: ProcessControlBlock, tid: number, creator: Readonly<Thread>): void => {
    enterThread(tid, creator);
    process.threads = [...process.threads, tid];
    account(process.uid, 'processes', 1);
  };

  /** Takes threads of a process out; what was queued for them is gone. */
  const removeThreads = (process: ProcessControlBlock, gone: readonly number[]): void => {
    for (const tid of gone) {
      const thread = threads.get(tid);
      if (thread === undefined) continue;
      for (const { uid } of thread.sigQueue) account(uid, 'signals', -1);
      threads.delete(tid);
      if (tid !== process.pid) account(process.uid, 'processes', -1);
    }
    const left = process.threads.filter((tid) => !gone.includes(tid));
    process.threads = left.length === 0 ? NONE : left;
  };

  /** What a process counts for: itself until it is reaped, and its other threads. */
  const weight = (process: Readonly<ProcessControlBlock>): number =>
    process.threads.includes(process.pid) ? process.threads.length : process.threads.length + 1;

  /** Enters a process with its first thread, whose number is the PID. */
  const createProcess = (process: ProcessControlBlock, sigMask: bigint): void => {
    processes.set(process.pid, process);
    enterThread(process.pid, { pid: process.pid, sigMask, nice: process.nice, name: process.name });
    joinGroup(process.pid, process.pgid, process.sid);
    account(process.uid, 'processes', 1);
    const parent = processes.edit(process.ppid);
    if (parent !== undefined) parent.children = [...parent.children, process.pid];
  };

  const getProcess = (pid: number): Readonly<ProcessControlBlock> | undefined => processes.get(pid);

  /** Takes a process out without a trace: its PID is free once its group and session are gone too. */
  const removeProcess = (pid: number): void => {
    const process = processes.get(pid);
    if (process === undefined) return;
    if (process.threads.length > 0) removeThreads(processes.edit(pid)!, process.threads);
    const parent = processes.edit(process.ppid);
    if (parent !== undefined) parent.children = without(parent.children, pid);
    leaveGroup(pid, process.pgid);
    account(process.uid, 'processes', -1);
    processes.delete(pid);
  };

  /** A child that has ended, `target` −1 for any; children the host waits for are not init's to find. */
  const findZombieChild = (ppid: number, target: number): Readonly<ProcessControlBlock> | undefined => {
    for (const pid of processes.get(ppid)?.children ?? []) {
      const child = processes.get(pid);
      if (child === undefined || child.state !== 'ZOMBIE' || (child.flags & Flag.hosted) !== 0) continue;
      if (target === -1 || target === pid) return child;
    }
    return undefined;
  };

  /** Nearest living ancestor that has asked for orphans (PR_SET_CHILD_SUBREAPER), else init. */
  const findReaper = (process: Readonly<ProcessControlBlock>): number => {
    for (let pid = process.ppid; pid !== 0; ) {
      const ancestor = processes.get(pid);
      if (ancestor === undefined) break;
      if ((ancestor.flags & Flag.subreaper) !== 0 && ancestor.state !== 'ZOMBIE') return pid;
      pid = ancestor.ppid;
    }
    return INIT;
  };

  /** Gives the children of a process that ends to its reaper, and says who they are. */
  const reparentChildren = (oldParent: number): { readonly reaper: number; readonly children: readonly number[] } => {
    const parent = processes.edit(oldParent);
    if (parent === undefined || parent.children.length === 0) return { reaper: INIT, children: [] };
    const orphans = parent.children;
    const reaper = findReaper(parent);
    parent.children = [];
    for (const pid of orphans) {
      const child = processes.edit(pid);
      if (child !== undefined) child.ppid = reaper;
    }
    const adoptive = reaper === oldParent ? undefined : processes.edit(reaper);
    if (adoptive !== undefined) adoptive.children = [...adoptive.children, ...orphans];
    return { reaper, children: orphans };
  };

  return {
    processes,
    threads,
    groups,
    sessions,
    users,
    timers,
    alarms,
    posixTimers,
    timerIds,
    cpuTimers,
    allocatePid,
    createProcess,
    createThread,
    removeThreads,
    weight,
    getProcess,
    removeProcess,
    findZombieChild,
    reparentChildren,
    setGroup,
    account,
  };
};
