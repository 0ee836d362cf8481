/**
 * A server in the kernel's thread: the kernel's end of its channel (`ServerPort`), and the order in which its requests run.
 *
 * A request is encoded, sealed, opened and decoded on the way in, and its answer on the way back, through one frame buffer;
 * with `ipc: 'direct'` it is only encoded and decoded. The first delivery of a request that is answered at once takes the
 * short way in `submit`; everything else becomes a `PendingRequest` and goes through the queue.
 *
 * Rules:
 *  - One handler runs at a time. What arrives meanwhile (requests, cancels, wakes) is queued and handled when the transaction
 *    has ended, one after the other, never recursively.
 *  - Wakes, cancels and abandons of a transaction that is rolled back are forgotten with it; requests and retries are not.
 *  - Woken requests run in the order of the channel; cancels and abandons of the same transaction go first.
 *  - A crash costs the instance, not the requests: a new instance is made, the channel gets the keys of a new epoch, and the
 *    request is sent once more. If it kills the server again, its caller gets EIO; deaths from outside (`Killed`) do not count.
 *  - A frame that is refused or lost is sent again under new keys. An answer is taken before its transaction commits where
 *    frames can be lost, so the handler's effects happen once.
 *
 * Lock order does not exist: everything is synchronous. Calls into the host (`completed`, `faulted`, `crashed`) are made while
 * no handler runs, so the host may send the next request from within them.
 */
import { EIO, ENOSYS, Errno } from '../abi/errno.ts';
import { type CallCodec, ERROR_OFFSET, REPLY_OFFSET, type Slots } from './codec.ts';
import { type Frame, type FrameArena, FrameError, FrameKind } from './frame.ts';
import { agree, type Entropy, type KeyPair } from './handshake.ts';
import { Health } from './health.ts';
import type { IpcLog } from './log.ts';
import { PendingRequest, PendingTable, Phase, RequestDelivery } from './pending.ts';
import { Pending, type PortHost, type ServerPort } from './port.ts';
import type { Protocol, ReplyOf, RequestOf } from './protocol.ts';
import type { RoundTrips } from './round-trips.ts';
import type { SealedEnd, Sealing } from './seal/end.ts';
import type { Caller, ServerDefinition } from './server.ts';
import { type ChaosHook, Killed, Ran, ServerLoop } from './server-loop.ts';

export interface InlinePortOptions {
  /** Memory for the channel's frame. */
  readonly arena: FrameArena;
  /** Seals the channel; without it, frames are direct. */
  readonly sealing?: Sealing;
  /** Needed for sealing. */
  readonly random?: Entropy;
  /** The key pair of the kernel's end for the first epoch, if the channels of a boot share one; later epochs have their own. */
  readonly keyPair?: KeyPair;
  readonly log?: IpcLog;
  /** Times requests that are answered at once. */
  readonly roundTrips?: RoundTrips;
  /** Simulates crashes. */
  readonly chaosHook?: ChaosHook;
  /** Sees every frame on its way and may damage it (tests, chaos). */
  readonly wire?: WireHook;
}

/** What becomes of a frame on its way. */
export type WireFault = 'drop' | 'duplicate';
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only damages bytes need not return anything
export type WireHook = (frame: Uint8Array, direction: 'request' | 'reply') => WireFault | undefined | void;

type Row = Readonly<Record<string, unknown>>;

const enum Work {
  First = 0,
  Woken = 1,
  Timeout = 2,
  Cancel = 3,
  Abandon = 4,
  Retry = 5,
}

interface Job {
  readonly work: Work;
  readonly request: PendingRequest;
  /** The sleep it ends. */
  readonly generation: number;
}

const KERNEL = { name: 'kernel', pid: 0 };
const KERNEL_CALLER: Caller = { pid: 0, tid: 0 };
const MAX_CRASHES = 2;
/** Deaths from outside that a request outlives, and frames of it that may be lost in a row. */
const MAX_KILLS = 100;
const MAX_SENDS = 100;
/** Times that an instance is tried to be made before the next request must ask for it. */
const MAX_CREATIONS = 10;
const TRIM_QUEUE = 1024;

class Statistics {
  requests = 0;
  restarts = 0;
  bytes = 0;
  rejected = 0;
  lost = 0;
  pending = 0;
}

export class InlinePort<P extends Protocol = Protocol> implements ServerPort<P> {
  readonly name: string;
  readonly pid: number;
  readonly statistics = new Statistics();
  readonly health: Health;
  readonly #host: PortHost;
  readonly #frame: Frame;
  readonly #loop: ServerLoop;
  readonly #random: Entropy | undefined;
  readonly #kernelEnd: SealedEnd | undefined;
  readonly #serverEnd: SealedEnd | undefined;
  readonly #log: IpcLog | undefined;
  readonly #roundTrips: RoundTrips | undefined;
  readonly #wire: WireHook | undefined;
  /** The answer in the frame has been opened already. */
  #opened = false;
  readonly #pending = new PendingTable();
  readonly #now: () => number;
  /** Of the next request; one that sleeps takes it along. */
  #delivery: RequestDelivery;
  #epoch = 0;
  #tokens = 0;
  /** Token numbers have started over: one may be in use. */
  #wrapped = false;
  /** A handler runs, or its transaction commits. */
  #busy = false;
  #draining = false;
  #queue: Job[] = [];
  #head = 0;
  /** Channels woken by the transaction that is open. */
  #wakes: string[] = [];

  /** Creates the server's instance and agrees on keys. Throws if the server cannot be created: the system cannot boot. */
  constructor(definition: ServerDefinition<P>, host: PortHost, options: InlinePortOptions) {
    this.name = definition.name;
    this.pid = definition.pid;
    this.#host = host;
    this.#frame = options.arena.carve();
    this.#log = options.log;
    this.#roundTrips = options.roundTrips;
    this.#wire = options.wire;
    this.#now = () => host.now();
    this.health = new Health(this.#now);
    this.#delivery = new RequestDelivery(KERNEL_CALLER, this.#now);
    if (options.sealing !== undefined) {
      if (options.random === undefined) throw new Error('a sealed channel needs entropy');
      this.#random = options.random;
      [this.#kernelEnd, this.#serverEnd] = options.sealing.channel();
      this.#rekey(options.keyPair);
    }
    this.#loop = new ServerLoop(
      definition as unknown as ServerDefinition,
      host,
      this.#frame,
      this.#serverEnd,
      (channel) => this.wake(channel),
      options.chaosHook,
    );
    if (this.#wire !== undefined && this.#kernelEnd !== undefined) this.#loop.arrives = () => this.#arrives();
    this.#busy = true;
    const failure = this.#loop.restart();
    this.#busy = false;
    if (failure !== undefined) throw failure;
  }

  /** Number of the channel's keys: 1 at first, one more after every restart. 0 if frames are direct. */
  get epoch(): number {
    return this.#epoch;
  }

  request<K extends keyof P['calls'] & string>(
    caller: Caller,
    call: K,
    request: RequestOf<P, K>,
  ): ReplyOf<P, K> | Errno | Pending {
    return this.requestUntyped(caller, call, request as Row) as ReplyOf<P, K> | Errno | Pending;
  }

  requestUntyped(caller: Caller, name: string, request: Row): object | Errno | Pending {
    const call = this.#loop.codec.call(name);
    return call === undefined ? ENOSYS : this.submit(caller, call, call.request.slots(request));
  }

  submit(caller: Caller, call: CallCodec, slots: Slots): object | Errno | Pending {
    const token = this.#nextToken();
    this.statistics.requests++;
    if (this.#log !== undefined)
      this.#log.request(KERNEL.name, this.name, token, caller, call, call.request.named(slots));
    if (this.#busy) {
      const queued = new PendingRequest(token, call, slots.slice(), new RequestDelivery(caller, this.#now));
      this.#add(queued);
      this.#enqueue(Work.First, queued);
      return new Pending(token);
    }

    const roundTrips = this.#roundTrips;
    const started = roundTrips === undefined ? 0 : roundTrips.now();
    const delivery = this.#delivery;
    delivery.reuse(caller);
    const received = this.#send(call, token, caller, slots);
    if (received instanceof Errno) return this.#logged(call, token, received);
    const ran = this.#run(call, token, received, delivery, false);
    if (ran === Ran.Answered) {
      const outcome = this.#takeAnswer(call, token);
      if (roundTrips !== undefined) roundTrips.record(roundTrips.now() - started);
      if (this.#queue.length > 0) this.#drain();
      return outcome;
    }

    this.#delivery = new RequestDelivery(caller, this.#now);
    const pending = new PendingRequest(token, call, slots.slice(), delivery);
    pending.received = received.slice();
    pending.direct = true;
    this.#add(pending);
    this.#settle(pending, ran);
    this.#drain();
    pending.direct = false;
    return pending.outcome ?? new Pending(token);
  }

  cancel(token: number): void {
    this.#signal(Work.Cancel, token);
  }

  abandon(token: number): void {
    this.#signal(Work.Abandon, token);
  }

  retry(token: number): void {
    this.#signal(Work.Retry, token);
  }

  wake(channel: string): void {
    if (this.#busy) {
      this.#wakes.push(channel);
      return;
    }
    this.#enqueueWaiters(channel);
    this.#drain();
  }

  tick(): void {
    const now = this.#host.now();
    for (let request = this.#pending.due(now); request !== undefined; request = this.#pending.due(now))
      this.#enqueue(Work.Timeout, request);
    this.#drain();
  }

  nextDeadline(): number | undefined {
    return this.#pending.nextDeadline();
  }

  kill(): void {
    if (this.#busy) {
      this.#loop.killed = true;
      return;
    }
    this.#resurrect('kill', new Killed('the server was killed'), this.#now());
    this.#drain();
  }

  /** Installs the keys of the next epoch at both ends. */
  #rekey(pair?: KeyPair): void {
    const { name, pid } = this;
    this.#epoch++;
    agree(
      { initiator: KERNEL, responder: { name, pid }, epoch: this.#epoch },
      this.#kernelEnd!,
      this.#serverEnd!,
      this.#random!,
      pair,
    );
  }

  #nextToken(): number {
    do {
      if (this.#tokens === 0xffff_ffff) this.#wrapped = true;
      this.#tokens = (this.#tokens + 1) >>> 0 || 1;
    } while (this.#wrapped && this.#pending.get(this.#tokens) !== undefined);
    return this.#tokens;
  }

  #add(request: PendingRequest): void {
    this.#pending.add(request);
    this.statistics.pending = this.#pending.size;
  }

  #logged(call: CallCodec, token: number, outcome: object): object {
    if (this.#log !== undefined) this.#log.answer(this.name, KERNEL.name, token, call, outcome);
    return outcome;
  }

  /** Carries a request to the server: its values as they came out there, until the next of that call. An Errno if they did not. */
  #send(call: CallCodec, token: number, caller: Caller, slots: Slots): Slots | Errno {
    const frame = this.#frame;
    for (let sent = 1; ; sent++) {
      frame.start(FrameKind.Request, this.#loop.codec.base, call.number, 0, token, caller.pid, caller.tid);
      try {
        call.request.encodeSlots(frame, slots);
      } catch (error) {
        if (error instanceof FrameError) return error.errno;
        throw error;
      }
      frame.finish();
      if (this.#kernelEnd !== undefined) this.#kernelEnd.seal(frame);
      this.statistics.bytes += frame.length;
      const received =
        this.#wire === undefined ? this.#loop.receive() : this.#travel('request', () => this.#loop.receive());
      if (received !== undefined) return received;
      if (this.#wire === undefined) return this.#reject(call, token);
      this.#refuse(call.name, token);
      if (sent === MAX_SENDS) return EIO;
    }
  }

  /** Lets the wire have a frame that is on its way; undefined if it did not arrive. A copy that comes after it is refused. */
  #travel<T>(direction: 'request' | 'reply', arrive: () => T | undefined): T | undefined {
    const frame = this.#frame;
    const fault = this.#wire?.(frame.wire, direction);
    const end = direction === 'request' ? this.#serverEnd : this.#kernelEnd;
    if (fault === 'drop') {
      this.statistics.lost++;
      return undefined;
    }
    const copy = fault === 'duplicate' && end !== undefined ? frame.wire.slice() : undefined;
    const arrived = arrive();
    if (arrived === undefined) this.statistics.rejected++;
    else if (copy !== undefined) {
      const opened = frame.wire.slice();
      frame.wire.set(copy);
      if (end!.open(frame) === 0) throw new Error('a frame that came twice was taken twice');
      this.statistics.rejected++;
      frame.wire.set(opened);
    }
    return arrived;
  }

  /** Opens the answer in the frame while its transaction can still be taken back. */
  #arrives(): boolean {
    const arrived = this.#travel('reply', () => (this.#kernelEnd!.open(this.#frame) === 0 ? true : undefined));
    this.#opened = arrived === true;
    return this.#opened;
  }

  /** Takes the answer out of the frame. */
  #takeAnswer(call: CallCodec, token: number): object {
    const frame = this.#frame;
    this.statistics.bytes += frame.length;
    if (this.#opened) this.#opened = false;
    else if (this.#kernelEnd !== undefined) {
      if (this.#kernelEnd.open(frame) !== 0) return this.#reject(call, token);
    } else if (this.#wire !== undefined) this.#wire(frame.wire, 'reply');
    if (!frame.accept() || frame.token !== token || frame.answered !== call.number) return this.#reject(call, token);
    const base = this.#loop.codec.base;
    let outcome: object | undefined;
    if (frame.kind === FrameKind.Reply && frame.number === base + REPLY_OFFSET) outcome = call.reply.decode(frame);
    else if (frame.kind === FrameKind.Error && frame.number === base + ERROR_OFFSET && frame.bodyLength === 4)
      outcome = Errno.of(frame.reader.i32());
    return outcome === undefined ? this.#reject(call, token) : this.#logged(call, token, outcome);
  }

  /** An answer was refused after its transaction was over: nobody can say what happened. */
  #reject(call: CallCodec, token: number): Errno {
    this.statistics.rejected++;
    this.#refuse(call.name, token);
    return EIO;
  }

  /** A frame was refused or lost: the channel starts over with new keys, for its counters no longer agree. */
  #refuse(call: string, token: number): void {
    if (this.#log !== undefined) this.#log.event(KERNEL.name, this.name, token, `${call} frame refused`);
    if (this.#kernelEnd !== undefined) this.#rekey();
  }

  #run(call: CallCodec, token: number, request: Slots, delivery: RequestDelivery, cancelled: boolean): Ran {
    const mark = this.#queue.length;
    this.#busy = true;
    let ran: Ran;
    try {
      ran = this.#loop.run(call, token, request, delivery, cancelled);
    } finally {
      this.#busy = false;
    }
    if (ran === Ran.Answered || ran === Ran.Waits) {
      if (this.#wakes.length > 0) this.#enqueueWakes();
    } else {
      this.#wakes.length = 0;
      if (this.#queue.length > mark) {
        const since = this.#queue.splice(mark);
        this.#queue.push(...since.filter(({ work }) => work !== Work.Cancel && work !== Work.Abandon));
      }
    }
    return ran;
  }

  /** Delivers a pending request again (or for the first time) and sees to what comes of it. */
  #deliver(request: PendingRequest): void {
    if (request.received === undefined && !this.#resend(request)) return;
    request.phase = Phase.Running;
    const ran = this.#run(request.call, request.token, request.received!, request.delivery, request.cancelled);
    this.#settle(request, ran);
  }

  /** Sends a request that never reached this instance. False if it was refused, and so answered. */
  #resend(request: PendingRequest): boolean {
    const { call, token, delivery } = request;
    const received = this.#send(call, token, delivery.caller, request.request);
    if (received instanceof Errno) {
      this.#finish(request, this.#logged(call, token, received));
      return false;
    }
    request.received = received.slice();
    return true;
  }

  #settle(request: PendingRequest, ran: Ran): void {
    const { call, token } = request;
    for (;;) {
      if (ran === Ran.Answered) {
        this.#finish(request, this.#takeAnswer(call, token));
        return;
      }
      if (ran === Ran.Waits) {
        const wish = this.#loop.wish!;
        // It got through: a crash long after counts anew.
        request.crashes = 0;
        request.kills = 0;
        request.lost = 0;
        this.#pending.sleep(request, wish);
        if (this.#log !== undefined) this.#log.waits(this.name, KERNEL.name, token, call, wish);
        return;
      }
      if (ran === Ran.Faulted) {
        request.phase = Phase.Faulted;
        this.#host.faulted(token, this.#loop.fault!);
        return;
      }
      if (ran === Ran.Lost) {
        request.lost++;
        this.#refuse(call.name, token);
      } else {
        if (this.#loop.error instanceof Killed) request.kills++;
        else request.crashes++;
        this.#resurrect(call.name, this.#loop.error, this.#now());
      }
      if (request.crashes >= MAX_CRASHES || request.kills >= MAX_KILLS || request.lost >= MAX_SENDS) {
        this.#finish(request, this.#logged(call, token, EIO));
        return;
      }
      if (!this.#resend(request)) return;
      ran = this.#run(call, token, request.received!, request.delivery, request.cancelled);
    }
  }

  /** Makes a new instance and new keys. If an instance dies while it is made, the next is tried, some times. */
  #resurrect(call: string, error: unknown, since: number): void {
    this.#busy = true;
    let failure: unknown;
    const failures: unknown[] = [];
    do {
      this.statistics.restarts++;
      failure = this.#loop.restart();
      if (failure !== undefined) failures.push(failure);
    } while (failure !== undefined && failures.length < MAX_CREATIONS);
    this.#busy = false;
    this.health.down = failure !== undefined;
    if (failure === undefined) this.#enqueueWakes();
    else this.#wakes.length = 0;
    if (this.#kernelEnd !== undefined) this.#rekey();
    if (this.#log !== undefined)
      this.#log.event(this.name, KERNEL.name, 0, `${call} crashed: ${String(error)}; restarted`);
    this.#host.crashed(call, error, this.health.restarted(call, error, since));
    for (const each of failures) this.#host.crashed('create', each, this.health.restarted('create', each, since));
  }

  #finish(request: PendingRequest, outcome: object): void {
    const abandoned = request.phase === Phase.Done;
    this.#pending.remove(request);
    this.statistics.pending = this.#pending.size;
    if (abandoned) return;
    if (request.direct) request.outcome = outcome;
    else this.#host.completed(request.token, outcome);
  }

  #enqueue(work: Work, request: PendingRequest): void {
    this.#queue.push({ work, request, generation: request.generation });
  }

  #enqueueWakes(): void {
    for (const channel of this.#wakes) this.#enqueueWaiters(channel);
    this.#wakes.length = 0;
  }

  #enqueueWaiters(channel: string): void {
    for (const request of this.#pending.waiters(channel)) this.#enqueue(Work.Woken, request);
  }

  #signal(work: Work, token: number): void {
    const request = this.#pending.get(token);
    if (request === undefined) return;
    this.#enqueue(work, request);
    this.#drain();
  }

  /** Works the queue off. Jobs may add jobs; a drain within a drain leaves them to the outer one. */
  #drain(): void {
    if (this.#busy || this.#draining || this.#queue.length === 0) return;
    this.#draining = true;
    try {
      while (this.#head < this.#queue.length) {
        this.#work(this.#queue[this.#head++]);
        if (this.#head >= TRIM_QUEUE) {
          this.#queue.splice(0, this.#head);
          this.#head = 0;
        }
      }
    } finally {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
      this.#draining = false;
    }
  }

  #work({ work, request, generation }: Job): void {
    const asleep = request.phase === Phase.Waiting && request.generation === generation;
    switch (work) {
      case Work.First:
        if (request.phase === Phase.Queued) this.#deliver(request);
        return;
      case Work.Woken:
      case Work.Timeout:
        if (!asleep) return;
        this.#pending.detach(request);
        request.delivery.reason = work === Work.Woken ? 'woken' : 'timeout';
        this.#deliver(request);
        return;
      case Work.Cancel:
        request.cancelled = true;
        if (request.phase === Phase.Faulted) request.delivery.reason = 'cancelled';
        if (request.phase !== Phase.Waiting) return;
        this.#pending.detach(request);
        request.delivery.reason = 'cancelled';
        this.#deliver(request);
        return;
      case Work.Abandon:
        this.#pending.remove(request);
        this.statistics.pending = this.#pending.size;
        return;
      case Work.Retry:
        if (request.phase === Phase.Faulted) this.#deliver(request);
        return;
    }
  }
}

/** Makes the port of a server that runs in this thread. */
export const createInlinePort = <P extends Protocol>(
  definition: ServerDefinition<P>,
  host: PortHost,
  options: InlinePortOptions,
): InlinePort<P> => new InlinePort(definition, host, options);
