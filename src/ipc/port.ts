/**
 * The kernel's end of a server: requests go in, outcomes come out, through sealed frames (or direct ones). How the server
 * is placed (inline, later a worker) is behind this interface. `server-loop.ts` implements the server's end.
 *
 * A request is answered in one of three ways: at once (the return value of `request`), later (`Pending`, then
 * `PortHost.completed` with its token), or never, if `abandon` was called for it.
 */
import type { Errno } from '../abi/errno.ts';
import type { CallCodec, Slots } from './codec.ts';
import type { Health } from './health.ts';
import type { Protocol, ReplyOf, RequestOf } from './protocol.ts';
import type { Caller, FaultPending } from './server.ts';

/** The caller sleeps; `token` names the request from now on. */
export class Pending {
  constructor(readonly token: number) {}
}

/** What the port needs of the kernel. */
export interface PortHost {
  /** Opens, commits and rolls back the transaction of this server's store and kernel calls. */
  begin(): void;
  commit(): void;
  rollback(): void;
  /**
   * A context for a new server instance over the same store, at boot and after a crash. Its `wake` is the function given
   * here (or calls the port's `wake`).
   */
  createContext(wake: (channel: string) => void): import('./server.ts').ServerContext;
  /** A request that was `Pending` has its outcome: reply values or an error. */
  completed(token: number, outcome: object | Errno): void;
  /** A handler touched a page that must be brought in first; call `retry(token)` when it is there (may be at once). */
  faulted(token: number, fault: FaultPending): void;
  /** The server died with this error while serving the call and has been resurrected. `again`: it crashes again and again. */
  crashed(call: string, error: unknown, again: boolean): void;
  /** Monotonic nanoseconds. */
  now(): number;
}

/** A port of any server, for whoever does not know its protocol's types. */
export interface UntypedPort {
  readonly name: string;
  readonly pid: number;
  /** Sends a request whose types were checked elsewhere (dispatch from the syscall table). ENOSYS if there is no such call. */
  requestUntyped(caller: Caller, call: string, request: Readonly<Record<string, unknown>>): object | Errno | Pending;
  /** As `requestUntyped`, with the values in the order of the call's declaration. They are the sender's again when it returns. */
  submit(caller: Caller, call: CallCodec, slots: Slots): object | Errno | Pending;
  /** A signal interrupts a pending request: its handler runs with reason `cancelled` and answers through `completed`. */
  cancel(token: number): void;
  /** The caller died: the request is forgotten without an answer. */
  abandon(token: number): void;
  /** Runs a request again whose fault has been resolved. */
  retry(token: number): void;
  /** Wakes the requests that wait on a channel: at once, or when the transaction that is open has committed. */
  wake(channel: string): void;
  /** Runs requests whose deadline has passed. */
  tick(): void;
  /** Monotonic time of the earliest deadline. */
  nextDeadline(): number | undefined;
  /** Kills the instance as a crash would (tests, chaos). */
  kill(): void;
  readonly health: Health;
  readonly statistics: {
    readonly requests: number;
    readonly restarts: number;
    readonly bytes: number;
    /** Rejected frames: failed authentication, malformed, out of order. */
    readonly rejected: number;
    /** Frames that did not arrive. */
    readonly lost: number;
    /** Requests that have not been answered. */
    readonly pending: number;
  };
}

export interface ServerPort<P extends Protocol = Protocol> extends UntypedPort {
  /** Sends a request on behalf of a caller. */
  request<K extends keyof P['calls'] & string>(
    caller: Caller,
    call: K,
    request: RequestOf<P, K>,
  ): ReplyOf<P, K> | Errno | Pending;
}
