/**
 * Endpoints of user programs (`lattice_connect`, `lattice_send`, `lattice_recv`, `lattice_close`) and the queues before them.
 * The kernel's channels to its servers are ports (inline-port.ts); this is for everybody else.
 *
 * Entry points: `Endpoints.create`, `connect`, `send`, `receive`, `close`; `deliver` for a frame that comes from elsewhere.
 *
 * Rules:
 *  - Messages are received in the order in which they arrived; a receive may ask for those of one sender only.
 *  - At most `QUEUE_FRAMES` frames of a channel and direction stand in a queue; then `send` answers EAGAIN.
 *  - A receive is non-blocking (a message or `EMPTY`) or a registration, a `Receive`, which is completed later, once: with a
 *    message, with `CANCELLED`, or with the error of a channel that was closed. The kernel is synchronous: nothing blocks in here.
 *  - An endpoint has one registration at a time. One that asks for a particular sender is an edge of the wait-for graph, and is
 *    refused with EDEADLK if it would close a cycle (deadlock.ts).
 */
import { EAGAIN, EBUSY, ECONNREFUSED, ECONNRESET, EDEADLK, ENOTCONN, EPERM, Errno, type Result } from '../abi/errno.ts';
import { Channel, type ChannelEnvironment, type Direction, type Message } from './channel.ts';
import { WaitGraph } from './deadlock.ts';
import type { IpcLog } from './log.ts';
import { FIRST_USER_ENDPOINT, maySend } from './policy.ts';

export const QUEUE_FRAMES = 64;

/** A non-blocking receive found nothing. */
export const EMPTY = Symbol('empty');
/** A registered receive was cancelled. */
export const CANCELLED = Symbol('cancelled');

export type Completion = Message | typeof CANCELLED | Errno;

interface Envelope {
  readonly channel: Channel;
  readonly direction: Direction;
  readonly frame: Uint8Array;
}

/** A receive that waits. */
export class Receive {
  #complete: ((outcome: Completion) => void) | undefined;
  readonly #release: () => void;

  constructor(
    /** The only sender it takes a message of; undefined for any. */
    readonly from: number | undefined,
    complete: (outcome: Completion) => void,
    release: () => void,
  ) {
    this.#complete = complete;
    this.#release = release;
  }

  /** Ends it with `CANCELLED`. Nothing happens if it has ended. */
  cancel(): void {
    this.finish(CANCELLED);
  }

  /** Ends it. Called by `Endpoints`. */
  finish(outcome: Completion): void {
    const complete = this.#complete;
    if (complete === undefined) return;
    this.#complete = undefined;
    this.#release();
    complete(outcome);
  }
}

/** An endpoint. Its fields belong to `Endpoints`. */
export class Endpoint {
  readonly inbox: Envelope[] = [];
  /** By the other endpoint's number. */
  readonly channels = new Map<number, Channel>();
  waiting: Receive | undefined;
  /** Frames for it that were dropped because there is no such channel, or they were refused. */
  dropped = 0;

  constructor(
    readonly id: number,
    readonly name: string,
    readonly pid: number,
  ) {}
}

export interface ReceiveOptions {
  /** Take only messages of this endpoint. */
  readonly from?: number;
  /** Register if there is none. */
  readonly wait: boolean;
  /** How a registration ends. Needed with `wait`. */
  readonly complete?: (outcome: Completion) => void;
}

export class Endpoints {
  readonly #environment: ChannelEnvironment;
  readonly #log: IpcLog | undefined;
  readonly #byId = new Map<number, Endpoint>();
  readonly #graph = new WaitGraph();
  #next = FIRST_USER_ENDPOINT;

  constructor(environment: ChannelEnvironment, log?: IpcLog) {
    this.#environment = environment;
    this.#log = log;
  }

  create(name: string, pid: number): Endpoint {
    const endpoint = new Endpoint(this.#next++, name, pid);
    this.#byId.set(endpoint.id, endpoint);
    return endpoint;
  }

  get(id: number): Endpoint | undefined {
    return this.#byId.get(id);
  }

  /** The channel to another endpoint, opened on first use. ECONNREFUSED if there is none, EPERM by policy. */
  connect(from: Endpoint, to: number): Result<Channel> {
    const known = from.channels.get(to);
    if (known !== undefined) return known.closed ? ECONNREFUSED : known;
    if (!maySend(from.id, to)) return EPERM;
    const target = this.#byId.get(to);
    if (target === undefined || this.#byId.get(from.id) !== from) return ECONNREFUSED;
    const channel = new Channel(from, target, this.#environment);
    from.channels.set(to, channel);
    target.channels.set(from.id, channel);
    return channel;
  }

  /** Sends a message of a thread. ENOTCONN without a channel, EAGAIN if the receiver's queue is full, EMSGSIZE. */
  send(from: Endpoint, to: number, tid: number, data: Uint8Array): Result<number> {
    const channel = from.channels.get(to);
    const target = this.#byId.get(to);
    if (channel === undefined || target === undefined) return ENOTCONN;
    const direction = directionOf(channel, from);
    if (queued(target, channel, direction) >= QUEUE_FRAMES) return EAGAIN;
    const frame = channel.seal(direction, from.pid, tid, data);
    if (frame instanceof Errno) return frame;
    this.#log?.datagram(from.name, target.name, frame.length, data.length);
    this.deliver(from.id, target, frame);
    return data.length;
  }

  /** A frame arrives, from `send` or a transport: it is queued, or completes a receive. Refused frames are dropped. */
  deliver(from: number, target: Endpoint, frame: Uint8Array): void {
    const channel = target.channels.get(from);
    if (channel === undefined) {
      target.dropped++;
      return;
    }
    const direction: Direction = directionOf(channel, target) === 'forward' ? 'back' : 'forward';
    if (queued(target, channel, direction) >= QUEUE_FRAMES) {
      target.dropped++;
      return;
    }
    target.inbox.push({ channel, direction, frame });
    const waiting = target.waiting;
    if (waiting === undefined) return;
    const message = this.#take(target, waiting.from);
    if (message !== undefined) waiting.finish(message);
  }

  /** A message, `EMPTY`, a registration, or why not: ENOTCONN, ECONNRESET, EBUSY (there is a registration), EDEADLK. */
  receive(at: Endpoint, options: ReceiveOptions): Message | typeof EMPTY | Receive | Errno {
    const { from, wait, complete } = options;
    if (from !== undefined && !at.channels.has(from)) return ENOTCONN;
    if (at.waiting !== undefined) return EBUSY;
    const message = this.#take(at, from);
    if (message !== undefined) return message;
    if (from !== undefined && at.channels.get(from)?.closed) return ECONNRESET;
    if (!wait || complete === undefined) return EMPTY;
    if (from !== undefined && this.#graph.wait(at.id, from) === EDEADLK) return EDEADLK;
    at.waiting = new Receive(from, complete, () => {
      at.waiting = undefined;
      this.#graph.release(at.id);
    });
    return at.waiting;
  }

  /** Closes an endpoint. What it has sent can still be received; then, and if they wait, its peers hear ECONNRESET. */
  close(endpoint: Endpoint): void {
    if (!this.#byId.delete(endpoint.id)) return;
    endpoint.waiting?.cancel();
    for (const [id, channel] of endpoint.channels) {
      const other = this.#byId.get(id);
      if (channel.closed || other === undefined || !other.inbox.some((envelope) => envelope.channel === channel))
        channel.wipe();
      channel.closed = true;
      // One that waits for it alone has taken all that was sent.
      if (other?.waiting?.from === endpoint.id) other.waiting.finish(ECONNRESET);
    }
    endpoint.channels.clear();
    endpoint.inbox.length = 0;
  }

  /** The first message in the queue (of one sender), past frames that are refused. */
  #take(at: Endpoint, from: number | undefined): Message | undefined {
    const source = from === undefined ? undefined : at.channels.get(from);
    for (let i = 0; i < at.inbox.length; ) {
      const { channel, direction, frame } = at.inbox[i];
      if (source !== undefined && channel !== source) {
        i++;
        continue;
      }
      at.inbox.splice(i, 1);
      const message = channel.open(direction, frame);
      if (channel.closed && !at.inbox.some((envelope) => envelope.channel === channel)) channel.wipe();
      if (message !== undefined) return message;
      at.dropped++;
    }
    return undefined;
  }
}

const directionOf = (channel: Channel, sender: Endpoint): Direction =>
  channel.initiator.id === sender.id ? 'forward' : 'back';

const queued = (target: Endpoint, channel: Channel, direction: Direction): number => {
  let count = 0;
  for (const envelope of target.inbox) if (envelope.channel === channel && envelope.direction === direction) count++;
  return count;
};
