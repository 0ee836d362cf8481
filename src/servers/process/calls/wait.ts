/**
 * wait4(2) and waitid(2): finds a child with something to report, in the order in which the children were made; sleeps for
 * one, says ECHILD when none can ever come, or returns at once with WNOHANG.
 */
import { EAGAIN, ECHILD, EINTR, EINVAL, Errno, ESRCH } from '../../../abi/errno.ts';
import { addUsage, encodeRusage } from '../../../abi/resource.ts';
import { CLD_CONTINUED, CLD_STOPPED, childInfo, SIGCHLD, SIGCONT } from '../../../abi/signals.ts';
import {
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  CONTINUED_STATUS,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  stoppedStatus,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
} from '../../../abi/wait.ts';
import { wait } from '../../../ipc/server.ts';
import { usageOf } from '../identity.ts';
import { endOf } from '../notify.ts';
import { Flag, type ProcessControlBlock, WaitEvent } from '../rows.ts';
import {
  childrenOf,
  encodeInt,
  exitOf,
  type ProcessHandlers,
  type ProcessServer,
  self,
  writeOptional,
} from '../server.ts';
import { reap } from '../terminate.ts';

type Child = Readonly<ProcessControlBlock>;

/** What a child has to report. */
interface Report {
  readonly child: Child;
  /** As wait4 gives it. */
  readonly status: number;
  /** As waitid gives it: CLD_ code, and exit code or signal. */
  readonly code: number;
  readonly value: number;
}

const COMMON = WNOHANG | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
const WAIT4_OPTIONS = COMMON | WUNTRACED;
const WAITID_OPTIONS = COMMON | WNOWAIT | WEXITED | WSTOPPED;

/** __WCLONE asks for children that end without SIGCHLD, __WALL for both kinds. */
const isKind = (child: Child, options: number): boolean =>
  (options & __WALL) !== 0 || (child.exitSignal !== SIGCHLD) === ((options & __WCLONE) !== 0);

const reportOf = (child: Child, options: number): Report | undefined => {
  if (child.state === 'ZOMBIE') {
    if ((options & WEXITED) === 0) return undefined;
    const { code, status } = endOf(child.exitCode);
    return { child, status: child.exitCode, code, value: status };
  }
  if (child.waitEvent === WaitEvent.stopped && child.state === 'STOPPED' && (options & WSTOPPED) !== 0)
    return { child, status: stoppedStatus(child.exitCode), code: CLD_STOPPED, value: child.exitCode };
  if (child.waitEvent === WaitEvent.continued && (options & WCONTINUED) !== 0)
    return { child, status: CONTINUED_STATUS, code: CLD_CONTINUED, value: SIGCONT };
  return undefined;
};

/** A report, undefined if one may yet come, or ECHILD. */
const find = (
  s: ProcessServer,
  parent: Readonly<ProcessControlBlock>,
  candidates: readonly number[],
  wanted: (child: Child) => boolean,
  options: number,
): Report | Errno | undefined => {
  let some = false;
  for (const pid of candidates) {
    const child = s.table.processes.get(pid);
    if (child === undefined || child.ppid !== parent.pid || (child.flags & Flag.hosted) !== 0) continue;
    if (!wanted(child) || !isKind(child, options)) continue;
    some = true;
    const report = reportOf(child, options);
    if (report !== undefined) return report;
  }
  return some ? undefined : ECHILD;
};

/** The report has been given: a zombie is reaped, its use of resources goes to the parent; other events happen once. */
const consume = (s: ProcessServer, { child }: Report): void => {
  if (child.state !== 'ZOMBIE') {
    const row = s.table.processes.edit(child.pid);
    if (row !== undefined) row.waitEvent = WaitEvent.none;
    return;
  }
  const parent = s.table.processes.edit(child.ppid);
  if (parent !== undefined) parent.childUsage = addUsage(parent.childUsage, addUsage(child.usage, child.childUsage));
  reap(s, child.pid);
};

const rusageOf = (s: ProcessServer, child: Child): Uint8Array =>
  encodeRusage(addUsage(usageOf(s, child), child.childUsage));

export const waitCalls = (s: ProcessServer): Pick<ProcessHandlers, 'wait4' | 'waitid' | 'waitHost'> => ({
  wait4({ pid, status, options, usage }, call) {
    if ((options & ~WAIT4_OPTIONS) !== 0) return EINVAL;
    if (pid === -0x8000_0000) return ESRCH;
    const parent = self(s, call.caller.pid);
    const group = pid === 0 ? parent.pgid : -pid;
    const candidates = pid > 0 ? [pid] : parent.children;
    const wanted = (child: Child): boolean => pid === -1 || pid > 0 || child.pgid === group;
    const report = find(s, parent, candidates, wanted, options | WEXITED);
    if (report instanceof Errno) return report;
    if (report === undefined) {
      if ((options & WNOHANG) !== 0) return { result: 0 };
      return call.reason === 'cancelled' ? EINTR : wait([childrenOf(parent.pid)]);
    }
    const rusage = usage === null ? undefined : rusageOf(s, report.child);
    const result = report.child.pid;
    const failed =
      writeOptional(s, status, encodeInt(report.status)) ??
      (rusage === undefined ? undefined : writeOptional(s, usage, rusage));
    consume(s, report);
    return failed ?? { result };
  },

  waitid({ type, id, info, options, usage }, call) {
    if ((options & ~WAITID_OPTIONS) !== 0 || (options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return EINVAL;
    if (type === P_PID ? id <= 0 : type === P_PGID || type === P_PIDFD ? id < 0 : type !== P_ALL) return EINVAL;
    let nonblocking = false;
    if (type === P_PIDFD) {
      const bound = s.context.kernel.pidfd(call.caller.pid, id);
      if (bound instanceof Errno) return bound === ESRCH ? ECHILD : bound;
      nonblocking = bound.nonblocking;
      id = bound.target;
      type = P_PID;
    }
    const parent = self(s, call.caller.pid);
    const group = id === 0 ? parent.pgid : id;
    const candidates = type === P_PID ? [id] : parent.children;
    const wanted = (child: Child): boolean => type !== P_PGID || child.pgid === group;
    const report = find(s, parent, candidates, wanted, options);
    if (report instanceof Errno) return report;
    if (report === undefined) {
      // With WNOHANG, si_signo and si_pid of 0 say that there was nothing.
      if ((options & WNOHANG) !== 0) return writeOptional(s, info, new Uint8Array(28)) ?? { result: 0 };
      if (nonblocking) return EAGAIN;
      return call.reason === 'cancelled' ? EINTR : wait([childrenOf(parent.pid)]);
    }
    const { child, code, value } = report;
    const rusage = usage === null ? undefined : rusageOf(s, child);
    const told = childInfo(SIGCHLD, { code, pid: child.pid, uid: child.uid, status: value }).subarray(0, 28);
    const failed = (rusage === undefined ? undefined : writeOptional(s, usage, rusage)) ?? writeOptional(s, info, told);
    if ((options & WNOWAIT) === 0) consume(s, report);
    return failed ?? { result: 0 };
  },

  waitHost({ pid }) {
    const process = s.table.processes.get(pid);
    if (process === undefined || (process.flags & Flag.hosted) === 0) return ECHILD;
    if (process.state !== 'ZOMBIE') return wait([exitOf(pid)]);
    const status = process.exitCode;
    reap(s, pid);
    return { status };
  },
});
