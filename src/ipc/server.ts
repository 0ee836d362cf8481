/**
 * What a server is, seen from its own side. A server declares handlers for its protocol's calls; the loop (server-loop.ts)
 * opens frames, runs the handler in a transaction, and seals the answer.
 *
 * A handler returns
 *  - the reply,
 *  - an `Errno`, which the caller gets as an error, or
 *  - `wait(…)`: the caller sleeps. The request stays in the store and the handler runs again from the start when one of the
 *    channels is woken, the deadline passes, or a signal cancels it. `call.reason` says which, `call.state` carries what the
 *    handler wanted remembered (bytes transferred so far). When a cancelled handler returns `wait` again, the loop answers EINTR.
 *
 * The request object shows the values of the delivery that runs and serves the next one too: a handler takes what it needs out
 * of it (usually by naming the fields in its parameter) and keeps no reference to it or to the `Delivery`.
 *
 * A handler never throws on purpose: an exception is a bug, the transaction is rolled back, the server is resurrected and
 * the request delivered once more; if it kills the server again, its caller gets EIO.
 * `copyIn` and `copyOut` may throw `FaultPending`, which the loop understands (roll back, let the kernel bring the page in,
 * run the handler again): handlers must let it pass.
 */
import type { Errno, Result } from '../abi/errno.ts';
import type { Grant } from './fields.ts';
import type { KernelCalls } from './kernel-calls.ts';
import type { Protocol, ReplyOf, RequestOf } from './protocol.ts';
import type { Store } from './store.ts';

/** Who sent a request. `pid` 0 is the kernel itself. */
export interface Caller {
  readonly pid: number;
  readonly tid: number;
}

/**
 * Thrown by `copyIn`/`copyOut` when a page of the grant must first be brought in by another server. It is no Error: it is
 * an ordinary event, and an Error's stack trace would cost more than the fault.
 */
export class FaultPending {}

/** A handler's wish to sleep. */
export class Wait {
  constructor(
    /** Names of the channels that wake it, such as `pipe:12:readable`. */
    readonly channels: readonly string[],
    /** Monotonic time in nanoseconds at which it runs again with reason `timeout`. */
    readonly deadline: number | undefined,
    /** Remembered for the next run. */
    readonly state: number,
  ) {}
}

export const wait = (channels: readonly string[], options: { deadline?: number; state?: number } = {}): Wait =>
  new Wait(channels, options.deadline, options.state ?? 0);

/** One delivery of a request to its handler. */
export interface Delivery {
  readonly caller: Caller;
  readonly reason: 'first' | 'woken' | 'timeout' | 'cancelled';
  /** What the previous `wait` remembered; 0 at first. */
  readonly state: number;
  /** Monotonic nanoseconds when the request was first delivered: relative deadlines count from here. */
  readonly since: number;
}

/** What a server instance gets when it is created: everything it may touch. */
export interface ServerContext {
  readonly store: Store;
  readonly kernel: KernelCalls;
  /** Monotonic time in nanoseconds. */
  now(): number;
  /** Time of day: seconds and nanoseconds since the epoch. */
  realtime(): { seconds: number; nanoseconds: number };
  /** Copies `length` bytes out of a grant. EFAULT if any byte is not accessible. */
  copyIn(grant: Grant, offset: number, length: number): Result<Uint8Array>;
  /**
   * Copies bytes, the first `length` of them, into a grant at `offset`. EFAULT if nothing could be written, else the number of
   * bytes that were.
   */
  copyOut(grant: Grant, offset: number, bytes: Uint8Array, length?: number): Result<number>;
  /** Wakes every request that waits on the channel, once the current transaction has committed. */
  wake(channel: string): void;
  /** Cryptographically random bytes. */
  random(length: number): Uint8Array;
}

export type Outcome<T> = T | Errno | Wait;

/** The handlers of a protocol: one for each call, checked by the compiler. */
export type Handlers<P extends Protocol> = {
  readonly [K in keyof P['calls']]: (request: RequestOf<P, K>, call: Delivery) => Outcome<ReplyOf<P, K>>;
};

/** A server: its protocol and how to make an instance over a store that may already hold state. */
// biome-ignore lint/suspicious/noExplicitAny: handlers are contravariant, so no protocol type stands for all
export interface ServerDefinition<P extends Protocol = any> {
  readonly name: string;
  /** Well-known PID: VFS 2, process manager 3, memory manager 4. */
  readonly pid: number;
  readonly protocol: P;
  create(context: ServerContext): Handlers<P>;
}
