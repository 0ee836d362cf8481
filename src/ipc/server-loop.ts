/**
 * The server's end of a channel: opens a request frame, runs its handler in a transaction, and leaves the sealed answer in the
 * frame. Which request runs when is decided by the port (inline-port.ts), which outlives the server's instances.
 *
 * Entry points: `receive` (frame → call and values), `run` (one delivery), `restart` (a new instance after a crash).
 *
 * Order of a delivery: begin, handler, answer encoded and sealed, commit. Whatever is thrown before the commit rolls everything
 * back: `FaultPending` asks for a page, anything else is a bug of the server and the end of its instance.
 */
import { EINTR, Errno } from '../abi/errno.ts';
import {
  type CallCodec,
  codecOf,
  ERROR_OFFSET,
  type ProtocolCodec,
  REPLY_OFFSET,
  RequestView,
  type Slots,
} from './codec.ts';
import { type Frame, FrameKind } from './frame.ts';
import type { PortHost } from './port.ts';
import type { SealedEnd } from './seal/end.ts';
import { type Caller, type Delivery, FaultPending, type ServerDefinition, Wait } from './server.ts';

/** Where a delivery stands when the chaos hook is called; `writes`: before each change; `recovery`: a new instance is made. */
export type ChaosPhase = 'before' | 'writes' | 'after-handler' | 'before-reply' | 'recovery';
/** Called in each delivery; may throw to simulate a crash there. */
export type ChaosHook = (call: string, phase: ChaosPhase) => void;

/** A death that is not the request's doing: it is delivered again, however often that happens. */
export class Killed extends Error {}

/** How a delivery ended. */
export const enum Ran {
  /** The answer is in the frame. */
  Answered = 0,
  /** The handler wants to wait: see `wish`. */
  Waits = 1,
  /** Rolled back: see `fault`. */
  Faulted = 2,
  /** Rolled back: see `error`. */
  Crashed = 3,
  /** Rolled back: the answer did not arrive. */
  Lost = 4,
}

type Row = Readonly<Record<string, unknown>>;
type Handler = (request: Row, delivery: Delivery) => object;

export class ServerLoop {
  readonly codec: ProtocolCodec;
  wish: Wait | undefined;
  fault: FaultPending | undefined;
  error: unknown;
  /** The handler that runs is to be taken for crashed. */
  killed = false;
  /** Whether the answer in the frame has arrived: asked before the commit, where frames may be lost (chaos). */
  arrives: (() => boolean) | undefined;
  readonly #definition: ServerDefinition;
  readonly #host: PortHost;
  readonly #frame: Frame;
  readonly #end: SealedEnd | undefined;
  readonly #wake: (channel: string) => void;
  readonly #chaos: ChaosHook | undefined;
  /** By the call's index: what its handler sees, and where a frame is decoded to. */
  readonly #views: readonly RequestView[];
  readonly #decoded: readonly unknown[][];
  /** The instance: its handlers by the call's index; undefined if it could not be created. */
  #handlers: readonly Handler[] | undefined;
  #fresh = true;

  constructor(
    definition: ServerDefinition,
    host: PortHost,
    frame: Frame,
    end: SealedEnd | undefined,
    wake: (channel: string) => void,
    chaos: ChaosHook | undefined,
  ) {
    this.#definition = definition;
    this.#host = host;
    this.#frame = frame;
    this.#end = end;
    this.#wake = wake;
    this.#chaos = chaos;
    this.codec = codecOf(definition.protocol);
    this.#views = this.codec.calls.map(({ request }) => new RequestView(request));
    this.#decoded = this.codec.calls.map(({ request }) => request.names.map(() => undefined));
  }

  /** Makes a new instance over the store, in a transaction of its own. Returns what its creation threw, if it did. */
  restart(): unknown {
    const first = this.#fresh;
    this.#fresh = false;
    this.#handlers = undefined;
    this.#host.begin();
    try {
      if (this.#chaos !== undefined && !first) this.#chaos('create', 'recovery');
      const context = this.#host.createContext(this.#wake);
      const instance = this.#definition.create(context) as unknown as Record<string, Handler>;
      this.#handlers = this.codec.calls.map((call) => instance[call.name]);
    } catch (error) {
      this.#host.rollback();
      return error ?? new Error('the server could not be created');
    }
    this.#host.commit();
    return undefined;
  }

  /** Opens and decodes the request in the frame. Undefined if it is refused; else its values until the next of that call. */
  receive(): Slots | undefined {
    const frame = this.#frame;
    if (this.#end !== undefined && this.#end.open(frame) !== 0) return undefined;
    if (!frame.accept() || frame.kind !== FrameKind.Request || frame.protocol !== this.codec.base) return undefined;
    const call = this.codec.byNumber(frame.number);
    if (call === undefined) return undefined;
    const slots = this.#decoded[call.index];
    return call.request.decodeSlots(frame, slots) ? slots : undefined;
  }

  /** Runs the handler once. `cancelled`: a wish to wait is answered EINTR. */
  run(call: CallCodec, token: number, request: Slots, delivery: Delivery, cancelled: boolean): Ran {
    const host = this.#host;
    const chaos = this.#chaos;
    let waits = false;
    host.begin();
    try {
      if (chaos !== undefined) chaos(call.name, 'before');
      const handlers = this.#handlers;
      // After a failed creation every request is a crash, so that the next restart is tried for it.
      if (handlers === undefined) throw new Error('the server has no instance');
      const view = this.#views[call.index];
      view.shown = request;
      const handler = handlers[call.index];
      const outcome = handler(view.row, delivery);
      if (chaos !== undefined) chaos(call.name, 'after-handler');
      if (outcome instanceof Wait && !cancelled) {
        this.wish = outcome;
        waits = true;
      } else {
        this.#answer(call, token, delivery.caller, outcome instanceof Wait ? EINTR : outcome);
      }
      if (chaos !== undefined) chaos(call.name, 'before-reply');
      if (this.killed) throw new Killed('the server was killed');
      if (!waits && this.arrives !== undefined && !this.arrives()) {
        host.rollback();
        return Ran.Lost;
      }
    } catch (error) {
      this.killed = false;
      host.rollback();
      if (error instanceof FaultPending) {
        this.fault = error;
        return Ran.Faulted;
      }
      this.error = error;
      return Ran.Crashed;
    }
    host.commit();
    return waits ? Ran.Waits : Ran.Answered;
  }

  #answer(call: CallCodec, token: number, caller: Caller, outcome: object): void {
    const frame = this.#frame;
    const base = this.codec.base;
    if (outcome instanceof Errno) {
      frame.start(FrameKind.Error, base, base + ERROR_OFFSET, call.number, token, caller.pid, caller.tid);
      frame.writer.i32(outcome.number);
    } else {
      if (typeof outcome !== 'object' || outcome === null) throw new TypeError(`${call.name} returned no reply`);
      frame.start(FrameKind.Reply, base, base + REPLY_OFFSET, call.number, token, caller.pid, caller.tid);
      call.reply.encode(frame, outcome as Row);
    }
    frame.finish();
    if (this.#end !== undefined) this.#end.seal(frame);
  }
}
