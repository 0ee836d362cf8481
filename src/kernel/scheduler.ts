/**
 * The scheduler: time is divided fairly among users, and a user's among the threads that run for them, so that nobody can take
 * another's by having more processes. Entry points: `add`, `next`, `charge`, `remove`.
 *
 * Users: the one who has used least runs next. Who was away gets no credit for it but a little, to be answered at once.
 * Threads of a user: those that still have a share of time stand in `active`, or in `woken` if they slept, those that have used
 * it up in `expired`. The lowest nice value runs first, among equals who was woken, and otherwise they take turns. When nobody
 * has a share left, `active` and `expired` change places. A share is longer for a lower nice value.
 *
 * Invariants: a thread is queued at most once, and only while its state is `ready`.
 */
import type { Thread } from './thread.ts';

const LEVELS = 40;

/** Links that a queued thread carries. */
export interface Queued {
  next: Thread | undefined;
  previous: Thread | undefined;
  queue: RunQueue | undefined;
  level: number;
}

class RunQueue {
  readonly heads: (Thread | undefined)[] = new Array(LEVELS).fill(undefined);
  readonly tails: (Thread | undefined)[] = new Array(LEVELS).fill(undefined);
  size = 0;
  /** No level below this one has a thread. */
  #lowest = LEVELS;

  push(thread: Thread, level: number): void {
    const { queued } = thread;
    const tail = this.tails[level];
    queued.previous = tail;
    queued.next = undefined;
    queued.queue = this;
    queued.level = level;
    if (tail === undefined) this.heads[level] = thread;
    else tail.queued.next = thread;
    this.tails[level] = thread;
    if (level < this.#lowest) this.#lowest = level;
    this.size++;
  }

  /** The lowest level with a thread; LEVELS if there is none. */
  get lowest(): number {
    if (this.size === 0) return LEVELS;
    while (this.heads[this.#lowest] === undefined) this.#lowest++;
    return this.#lowest;
  }

  remove(thread: Thread): void {
    const { queued } = thread;
    if (queued.previous === undefined) this.heads[queued.level] = queued.next;
    else queued.previous.queued.next = queued.next;
    if (queued.next === undefined) this.tails[queued.level] = queued.previous;
    else queued.next.queued.previous = queued.previous;
    queued.next = queued.previous = queued.queue = undefined;
    this.size--;
  }

  pop(): Thread | undefined {
    if (this.size === 0) return undefined;
    const thread = this.heads[this.lowest]!;
    this.remove(thread);
    return thread;
  }
}

/** Nanoseconds of CPU time that a thread may use before others of its level: 4 ms at nice 0, 8 ms at −20, 0.4 ms at 19. */
export const share = (nice: number): number => (nice <= 0 ? 4e6 - nice * 2e5 : 4e6 - nice * 1.9e5);

/** How much sooner than the others a user who was away is served, in nanoseconds of their time. */
const CREDIT = 8e6;

/** What a nanosecond of a thread counts for: a nice thread's counts more, so that its user yields to others (1.25 a step, as in Linux). */
const weight = (nice: number): number => 1.25 ** nice;

/** The threads of a user. */
class Group {
  /** Threads with a share left that were woken, in the order in which they were. */
  readonly woken = new RunQueue();
  active = new RunQueue();
  expired = new RunQueue();
  /** Weighted nanoseconds that the user has used, and those forfeited while away. */
  time = 0;

  get size(): number {
    return this.woken.size + this.active.size + this.expired.size;
  }

  pop(): Thread | undefined {
    if (this.woken.lowest < LEVELS && this.woken.lowest <= this.active.lowest) return this.woken.pop();
    if (this.active.size === 0) {
      const emptied = this.active;
      this.active = this.expired;
      this.expired = emptied;
    }
    return this.active.pop();
  }
}

export class Scheduler {
  /** By real user id. */
  readonly #groups = new Map<number, Group>();
  /** The least time that a waiting user had used when a thread was last picked. */
  #time = 0;
  /** Exponentially damped averages of the number of runnable threads over 1, 5 and 15 minutes. */
  readonly load: [number, number, number] = [0, 0, 0];
  #sampled = 0;

  /** Threads that could run now, without the one that runs. */
  get ready(): number {
    let ready = 0;
    for (const group of this.#groups.values()) ready += group.size;
    return ready;
  }

  #groupOf(thread: Thread): Group {
    const { uid } = thread.process.identity;
    let group = this.#groups.get(uid);
    if (group === undefined) {
      group = new Group();
      this.#groups.set(uid, group);
    }
    return group;
  }

  /** A thread can run: it takes its turn behind its equals, or before them if it was woken. */
  add(thread: Thread, woken = false): void {
    if (thread.queued.queue !== undefined) return;
    const group = this.#groupOf(thread);
    if (group.size === 0) group.time = Math.max(group.time, this.#time - CREDIT);
    const level = Math.min(LEVELS - 1, Math.max(0, thread.nice + 20));
    if (thread.share <= 0) {
      thread.share = share(level - 20);
      group.expired.push(thread, level);
    } else (woken ? group.woken : group.active).push(thread, level);
  }

  remove(thread: Thread): void {
    thread.queued.queue?.remove(thread);
  }

  /** Takes the thread whose turn it is out of the queue. */
  next(): Thread | undefined {
    let least: Group | undefined;
    for (const [uid, group] of this.#groups) {
      if (group.size === 0) {
        // Nobody is remembered for ever; who comes back is as if never gone.
        if (group.time <= this.#time) this.#groups.delete(uid);
      } else if (least === undefined || group.time < least.time) least = group;
    }
    if (least === undefined) return undefined;
    this.#time = Math.max(this.#time, least.time);
    return least.pop();
  }

  /** A thread has run for `nanoseconds`. */
  charge(thread: Thread, nanoseconds: number): void {
    thread.share -= nanoseconds;
    this.#groupOf(thread).time += nanoseconds * weight(thread.nice);
  }

  /** Takes load samples, one for every 5 seconds since the last. */
  sample(now: number, running: number): void {
    const period = 5e9;
    for (let steps = 0; this.#sampled + period <= now; this.#sampled += period) {
      if (++steps > 1000) {
        this.#sampled = now;
        return;
      }
      [60, 300, 900].forEach((span, index) => {
        const keep = Math.exp(-5 / span);
        this.load[index] = this.load[index] * keep + running * (1 - keep);
      });
    }
  }
}
