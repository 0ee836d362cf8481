/** Threads that sleep in the kernel itself until a time (futex waits), as a binary heap by that time. */
export interface Sleeper {
  readonly time: number;
  /** Called once when the time has come. */
  readonly expire: () => void;
  /** It woke for another reason: the entry is skipped when it surfaces. */
  cancelled: boolean;
}

export class Sleepers {
  readonly #heap: Sleeper[] = [];

  add(time: number, expire: () => void): Sleeper {
    const sleeper: Sleeper = { time, expire, cancelled: false };
    const heap = this.#heap;
    let at = heap.push(sleeper) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && heap[parent].time > time; parent = (at - 1) >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = sleeper;
    return sleeper;
  }

  nextDeadline(): number | undefined {
    while (this.#heap.length > 0 && this.#heap[0].cancelled) this.#pop();
    return this.#heap[0]?.time;
  }

  /** Wakes all whose time has come. */
  tick(now: number): void {
    for (let next = this.nextDeadline(); next !== undefined && next <= now; next = this.nextDeadline())
      this.#pop().expire();
  }

  #pop(): Sleeper {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1].time < heap[child].time) child++;
      if (heap[child].time >= last.time) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
