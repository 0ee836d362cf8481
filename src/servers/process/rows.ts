/**
 * The rows that the process manager keeps in the store, and nothing else: it has no state of its own (DESIGN §5).
 *
 *     processes  pid  → ProcessControlBlock      threads    tid  → Thread
 *     groups     pgid → Group                    sessions   sid  → Session
 *     users      uid  → User                     timers     pid  → IntervalTimers (only processes that have armed one)
 *     alarms     time → Alarm (sorted)           system     'pid' → the last PID given
 *     posixTimers  'pid:id' → PosixTimer         timerIds   pid → TimerIds        cpuTimers  'pid:id' → armed, on CPU time
 *
 * Rows are kept lean: arrays and sets that most processes have in common are shared between rows, signal actions are listed
 * only where they are not the default. Arrays in rows are replaced, never changed in place.
 */
import type { Capabilities } from '../../abi/credentials.ts';
import type { Limit, Usage } from '../../abi/resource.ts';
import type { SigAction } from '../../abi/signals.ts';

/** RUNNING covers SLEEPING: which of the two holds only the kernel knows, thread by thread. */
export type ProcessState = 'RUNNING' | 'STOPPED' | 'ZOMBIE';

/** A signal that waits to be delivered, with its siginfo_t. */
export interface QueuedSignal {
  readonly signal: number;
  readonly info: Uint8Array;
  /** The real user whose RLIMIT_SIGPENDING it counts against. */
  readonly uid: number;
  /** The POSIX timer that sent it: told, and started again, when the signal is taken. */
  readonly timer?: string;
}

/** What a wait4 with WUNTRACED or WCONTINUED has not seen yet. */
export const enum WaitEvent {
  none,
  stopped,
  continued,
}

export const enum Flag {
  /** Has replaced its image since fork: setpgid by the parent is refused. */
  execed = 1,
  /** Spawned by the host, which waits for it: init does not. */
  hosted = 2,
  /** prctl PR_SET_CHILD_SUBREAPER. */
  subreaper = 4,
  keepCapabilities = 8,
  noNewPrivileges = 16,
  dumpable = 32,
  /** Its core is being dumped: it takes nothing more, and ends then. */
  dumping = 64,
  /** One of the servers: takes no signals, has no parent. */
  kernel = 128,
}

export interface ProcessControlBlock {
  readonly pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  state: ProcessState;
  /** Status word of a zombie; the stop signal of a stopped process. */
  exitCode: number;
  waitEvent: WaitEvent;
  /** What the parent gets when the process ends: SIGCHLD, another signal of clone(2), or 0. */
  exitSignal: number;
  uid: number;
  euid: number;
  suid: number;
  fsuid: number;
  gid: number;
  egid: number;
  sgid: number;
  fsgid: number;
  groups: readonly number[];
  capabilities: Capabilities;
  /** Secure bits but KEEP_CAPS, which is a flag. */
  securebits: number;
  children: readonly number[];
  threads: readonly number[];
  /** Actions that are not the default. */
  sigActions: readonly SigAction[];
  /** Signals set to SIG_IGN, and signals with a handler: summaries of `sigActions`. */
  sigIgnored: bigint;
  sigCaught: bigint;
  /** Signals pending for the process, whichever thread takes them: summary of `sigQueue`. */
  sigPending: bigint;
  sigQueue: readonly QueuedSignal[];
  limits: readonly Limit[];
  name: string;
  nice: number;
  /** What it had used when it ended; the kernel knows while it lives. */
  usage: Usage;
  /** What its reaped children had used. */
  childUsage: Usage;
  flags: number;
  /** prctl PR_SET_PDEATHSIG. */
  deathSignal: number;
  personality: number;
  /** prctl PR_SET_TIMERSLACK, nanoseconds. */
  timerSlack: number;
}

export interface Thread {
  readonly pid: number;
  sigMask: bigint;
  sigPending: bigint;
  sigQueue: readonly QueuedSignal[];
  /** The mask to go back to after rt_sigsuspend or ppoll; a signal frame takes it along. */
  savedMask: bigint | undefined;
  /** The set that rt_sigtimedwait waits for. */
  waiting: bigint;
  nice: number;
  /** Its own name (PR_SET_NAME); the process's is that of its first thread. */
  name: string;
  /** End of a relative sleep that a stop interrupted: the restarted call goes on to it. 0 if none. */
  sleepUntil: number;
}

/** A process group: as long as it has members its number is taken. */
export interface Group {
  readonly sid: number;
  members: readonly number[];
}

/** A session, as long as it has groups. */
export interface Session {
  groups: readonly number[];
}

/** Counts against the limits of a real user. */
export interface User {
  processes: number;
  signals: number;
}

/** A running timer that counts CPU time: `at` is what the process will have used when it fires. */
export interface CpuTimer {
  readonly at: number;
  readonly interval: number;
}

export interface IntervalTimers {
  /** ITIMER_REAL: the monotonic time at which it fires, and its key among the alarms. */
  real: { readonly at: number; readonly interval: number; readonly key: number } | undefined;
  virtual: CpuTimer | undefined;
  prof: CpuTimer | undefined;
  /** CPU time at which RLIMIT_CPU sends its next signal; Infinity without a limit. */
  cpuLimit: number;
}

export interface Alarm {
  readonly pid: number;
  /** The POSIX timer that is due, else the interval timer. */
  readonly timer?: string;
}

/** A timer of timer_create(2). */
export interface PosixTimer {
  readonly pid: number;
  readonly id: number;
  readonly clock: number;
  /** 0 if it sends none (SIGEV_NONE). */
  readonly signal: number;
  /** The thread that gets the signal (SIGEV_THREAD_ID); 0 for the process. */
  readonly tid: number;
  readonly value: bigint;
  readonly uid: number;
  /** When it is due: in monotonic time or, for clocks of CPU time, on the clock itself. Undefined if it is not armed. */
  at: number | undefined;
  interval: number;
  /** Its key among the alarms while it stands there. */
  key: number | undefined;
  /** Its signal is queued: it goes on when that is taken. */
  queued: boolean;
  /** Expirations that the signal last taken stood for, besides its own. */
  overrun: number;
}

/** The timers of a process. */
export interface TimerIds {
  next: number;
  ids: readonly number[];
}

export interface LastPid {
  value: number;
}

export const NONE: readonly never[] = [];
