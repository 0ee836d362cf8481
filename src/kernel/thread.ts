/**
 * A thread of a process: its saved context, what it waits for, and the signal frames it has yet to enter.
 *
 *     ready ──next──► running ──a call answers later──► sleeping ──completed──► ready
 *       ▲                │                                                        any ──destroyProcess──► dead
 *       └──slice over────┘
 *
 * One thread's registers are in the state block of the process's window (`HeldMemory.loaded`); the others' are in `context`.
 */

import type { Restart } from '../abi/syscall.ts';
import { CONTEXT_SIZE } from '../cpu/state.ts';
import type { SignalFrame } from '../ipc/kernel-calls.ts';
import type { Caller } from '../ipc/server.ts';
import type { Process } from './process.ts';
import { Registers } from './registers.ts';
import type { Queued } from './scheduler.ts';
import { share } from './scheduler.ts';
import type { Seccomp } from './seccomp/filters.ts';
import type { Server } from './server-slot.ts';

export type ThreadState = 'ready' | 'running' | 'sleeping' | 'dead';

/** A sleeping system call. */
export interface SleepingCall {
  /** The server that has the request and its token; undefined while the kernel itself holds the thread. */
  readonly server: Server | undefined;
  readonly token: number;
  /** Ends a sleep inside the kernel with EINTR; undefined if it may not be interrupted (a fork or exec under way). */
  readonly interrupt: (() => void) | undefined;
}

/** sigaltstack(2): the stack for handlers with SA_ONSTACK. */
export interface AlternateStack {
  readonly pointer: number;
  readonly size: number;
  readonly flags: number;
}

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 1 << 31;
export const NO_STACK: AlternateStack = Object.freeze({ pointer: 0, size: 0, flags: SS_DISABLE });

export class Thread {
  state: ThreadState = 'sleeping';
  readonly queued: Queued = { next: undefined, previous: undefined, queue: undefined, level: 0 };
  nice: number;
  /** Its own name; that of the first is its process's. */
  name = '';
  /** CPU time in nanoseconds left before it is others' turn. */
  share: number;

  /** Number of the system call it is in, or was in last. */
  call = -1;
  sleep: SleepingCall | undefined;
  /** Grants of the call, which die with it: the first `grantCount`. The array stays as long as it ever was. */
  readonly grants: number[] = [];
  grantCount = 0;
  /** A signal has asked the sleeping call to end. */
  cancelled = false;
  /** The call ended with EINTR because it was cancelled: what becomes of it is decided on the way to user mode. */
  interrupted = false;
  /** The call runs with a signal mask of its own (ppoll, pselect6), to be put back when it ends. */
  masked = false;
  /** Handlers to enter on the way to user mode, first delivered first. */
  frames: SignalFrame[] = [];
  /** Something is to be done before user mode: frames, an interrupted call, a stop, death. */
  attention = false;

  /** SCHED_OTHER, SCHED_BATCH or SCHED_IDLE. */
  policy = 0;
  altStack: AlternateStack = NO_STACK;
  /** Cleared and woken when the thread ends (set_tid_address, CLONE_CHILD_CLEARTID). */
  clearTid = 0;
  /** What seccomp(2) has set; undefined lets every call pass. */
  seccomp: Seccomp | undefined;
  robustList = 0;
  robustLength = 0;
  /** Of the last fault, for the signal frame: trap number, error code, CR2. */
  fault = { vector: 0, error: 0, address: 0 };
  /** How the call at hand is restarted, if not as it is declared. */
  restart: Restart | undefined;
  /** Monotonic end of a timed sleep in the kernel, for the call that is made again when no handler has run. */
  deadline: number | undefined;
  /** The call is being made again after an interruption without a handler. */
  resumed = false;
  userTime = 0;
  systemTime = 0;

  /** As the servers see the sender of its requests. */
  caller: Caller;
  #tid: number;
  #own: Registers | undefined;

  constructor(
    readonly process: Process,
    tid: number,
  ) {
    this.#tid = tid;
    this.nice = process.identity.nice;
    this.share = share(this.nice);
    this.caller = Object.freeze({ pid: process.pid, tid });
  }

  get tid(): number {
    return this.#tid;
  }

  /** The thread that has called execve has the number of its process from then on. */
  lead(): void {
    this.#tid = this.process.pid;
    this.caller = Object.freeze({ pid: this.#tid, tid: this.#tid });
  }

  /** Its registers, wherever they are. */
  get registers(): Registers {
    return this.process.held?.loaded === this ? this.process.window! : this.context;
  }

  /** The buffer for its registers while another thread of the process is loaded. */
  get context(): Registers {
    this.#own ??= new Registers(new ArrayBuffer(CONTEXT_SIZE));
    return this.#own;
  }
}
