/**
 * Requests that have not been answered: those that sleep on channels, wait for a page, or stand in line. The table belongs to
 * the kernel's side of a port, so it outlives the server's instance (DESIGN §5).
 *
 * Entry points: `PendingTable.add`, `sleep`, `detach`, `waiters`, `due`.
 *
 * Order: the waiters of a channel stand by `place`, given when a request first waits for its channels. A request that runs
 * and waits again for the same channels keeps its place, so that nobody overtakes it.
 */
import type { CallCodec, Slots } from './codec.ts';
import type { Caller, Delivery, Wait } from './server.ts';

export type Reason = Delivery['reason'];

/** What a handler sees of its delivery. `since` is read from the clock only if somebody asks. */
export class RequestDelivery implements Delivery {
  reason: Reason = 'first';
  state = 0;
  caller: Caller;
  readonly #now: () => number;
  #since: number | undefined;

  constructor(caller: Caller, now: () => number) {
    this.caller = caller;
    this.#now = now;
  }

  /** Makes it the first delivery of another request. The one before was answered at once: nothing but `since` has changed. */
  reuse(caller: Caller): void {
    this.caller = caller;
    this.#since = undefined;
  }

  get since(): number {
    if (this.#since === undefined) this.#since = this.#now();
    return this.#since;
  }
}

export const enum Phase {
  /** To be delivered for the first time. */
  Queued = 0,
  Waiting = 1,
  /** Waits for a page. */
  Faulted = 2,
  Running = 3,
  /** Answered or abandoned. */
  Done = 4,
}

export class PendingRequest {
  phase: Phase = Phase.Queued;
  /** A signal came: if the handler wants to wait, the answer is EINTR. */
  cancelled = false;
  /** Times it killed the server since it last got through. */
  crashes = 0;
  /** Deaths of the server, while it ran, that were not its doing. */
  kills = 0;
  /** Answers to it that did not arrive. */
  lost = 0;
  channels: readonly string[] = [];
  deadline: number | undefined;
  /** Order among the waiters of a channel. */
  place = 0;
  /** Goes up with every run: what was scheduled for an earlier sleep is void. */
  generation = 0;
  /** It is being sent: whoever sent it takes the outcome from here if it is there in time. */
  direct = false;
  outcome: object | undefined;
  /** The request as the server received it. */
  received: Slots | undefined;

  constructor(
    readonly token: number,
    readonly call: CallCodec,
    /** As the caller gave it: what is sent again after a crash. */
    readonly request: Slots,
    readonly delivery: RequestDelivery,
  ) {}
}

interface Alarm {
  readonly time: number;
  readonly request: PendingRequest;
  readonly generation: number;
}

const isCurrent = ({ request, generation }: Alarm): boolean =>
  request.phase === Phase.Waiting && request.generation === generation;

const sameChannels = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((channel, i) => channel === b[i]);

export class PendingTable {
  readonly #byToken = new Map<number, PendingRequest>();
  readonly #byChannel = new Map<string, PendingRequest[]>();
  /** A binary heap by time. Alarms of ended sleeps stay until they surface. */
  readonly #alarms: Alarm[] = [];
  #places = 0;

  get size(): number {
    return this.#byToken.size;
  }

  get(token: number): PendingRequest | undefined {
    return this.#byToken.get(token);
  }

  add(request: PendingRequest): void {
    this.#byToken.set(request.token, request);
  }

  /** The request is answered or abandoned. */
  remove(request: PendingRequest): void {
    this.detach(request);
    request.phase = Phase.Done;
    this.#byToken.delete(request.token);
  }

  /** Puts a request to sleep as its handler wished. */
  sleep(request: PendingRequest, wish: Wait): void {
    if (request.place === 0 || !sameChannels(request.channels, wish.channels)) request.place = ++this.#places;
    request.phase = Phase.Waiting;
    request.channels = wish.channels;
    request.deadline = wish.deadline;
    request.delivery.state = wish.state;
    for (const channel of wish.channels) this.#stand(channel, request);
    if (wish.deadline !== undefined) this.#push({ time: wish.deadline, request, generation: request.generation });
  }

  /** Ends a sleep, before the request runs: it no longer waits for its channels or deadline. */
  detach(request: PendingRequest): void {
    if (request.phase === Phase.Waiting) {
      for (const channel of request.channels) {
        const waiters = this.#byChannel.get(channel);
        if (waiters === undefined) continue;
        const at = waiters.indexOf(request);
        if (at >= 0) waiters.splice(at, 1);
        if (waiters.length === 0) this.#byChannel.delete(channel);
      }
    }
    request.generation++;
  }

  /** Who waits for a channel, in order. */
  waiters(channel: string): readonly PendingRequest[] {
    return this.#byChannel.get(channel) ?? [];
  }

  /** The earliest deadline. */
  nextDeadline(): number | undefined {
    for (let first = this.#alarms[0]; first !== undefined; first = this.#alarms[0]) {
      if (isCurrent(first)) return first.time;
      this.#pop();
    }
    return undefined;
  }

  /** Takes out the request with the earliest deadline if that is not after `now`. */
  due(now: number): PendingRequest | undefined {
    const time = this.nextDeadline();
    return time !== undefined && time <= now ? this.#pop()?.request : undefined;
  }

  /** Inserts by place: at the end, except for one that has waited before. */
  #stand(channel: string, request: PendingRequest): void {
    const waiters = this.#byChannel.get(channel);
    if (waiters === undefined) {
      this.#byChannel.set(channel, [request]);
      return;
    }
    let at = waiters.length;
    while (at > 0 && waiters[at - 1].place > request.place) at--;
    if (waiters[at - 1] !== request) waiters.splice(at, 0, request);
  }

  #push(alarm: Alarm): void {
    const heap = this.#alarms;
    if (heap.length > 64 && heap.length > 4 * this.#byToken.size) this.#sweep();
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent].time <= alarm.time) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = alarm;
  }

  /** Drops the alarms of ended sleeps: a sorted array is a heap. */
  #sweep(): void {
    const current = this.#alarms.filter(isCurrent).sort((a, b) => a.time - b.time);
    this.#alarms.length = 0;
    this.#alarms.push(...current);
  }

  #pop(): Alarm | undefined {
    const heap = this.#alarms;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].time < heap[child].time) child++;
      if (heap[child].time >= last.time) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
