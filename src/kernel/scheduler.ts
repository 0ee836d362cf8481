/**
 * The scheduler: a priority round-robin run queue that starves nobody.
 *
 * Threads that still have a share of time stand in `active`, those that have used it up in `expired`; within each, the
 * lowest nice value runs first and equals take turns. When `active` is empty the two change places. A share is longer for
 * a lower nice value. Entry points: `add`, `next`, `expire`, `remove`.
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
    while (this.heads[this.#lowest] === undefined) this.#lowest++;
    const thread = this.heads[this.#lowest]!;
    this.remove(thread);
    return thread;
  }
}

/** Nanoseconds of CPU time that a thread may use before others of its level: 4 ms at nice 0, 8 ms at −20, 0.4 ms at 19. */
export const share = (nice: number): number => (nice <= 0 ? 4e6 - nice * 2e5 : 4e6 - nice * 1.9e5);

export class Scheduler {
  #active = new RunQueue();
  #expired = new RunQueue();
  /** Exponentially damped averages of the number of runnable threads over 1, 5 and 15 minutes. */
  readonly load: [number, number, number] = [0, 0, 0];
  #sampled = 0;

  /** Threads that could run now, without the one that runs. */
  get ready(): number {
    return this.#active.size + this.#expired.size;
  }

  /** A thread can run: it takes its turn behind its equals. */
  add(thread: Thread): void {
    if (thread.queued.queue !== undefined) return;
    const level = Math.min(LEVELS - 1, Math.max(0, thread.nice + 20));
    if (thread.share <= 0) {
      thread.share = share(level - 20);
      this.#expired.push(thread, level);
    } else this.#active.push(thread, level);
  }

  remove(thread: Thread): void {
    thread.queued.queue?.remove(thread);
  }

  /** Takes the thread whose turn it is out of the queue. */
  next(): Thread | undefined {
    const thread = this.#active.pop();
    if (thread !== undefined || this.#expired.size === 0) return thread;
    const emptied = this.#active;
    this.#active = this.#expired;
    this.#expired = emptied;
    return this.#active.pop();
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
