/**
 * Drives a system on the event loop of Node.js: runs it in short slices while it has work, sleeps until its next deadline
 * while it has none, and is poked when something happened outside.
 */
import type { System } from '../../system/system.ts';

/** How long the guest runs before the event loop gets its turn: bounds the latency of keys. */
const SLICE_MS = 8;
/** setTimeout takes at most this much. */
const LONGEST_MS = 2 ** 31 - 1;

export class Driver {
  readonly #system: System;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Keeps the event loop alive while somebody waits for the guest. */
  #holders = 0;
  #idleHandle: NodeJS.Timeout | undefined;

  constructor(system: System) {
    this.#system = system;
  }

  /** Something happened: the system runs again as soon as the event loop gets to it. */
  poke(): void {
    if (this.#stopped || this.#immediate !== undefined) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#immediate = setImmediate(() => this.#run());
  }

  /** The process must not end while the guest sleeps: someone waits for it. */
  hold(): void {
    if (this.#holders++ === 0) this.#idleHandle = setInterval(() => {}, LONGEST_MS);
  }

  release(): void {
    if (--this.#holders === 0) clearInterval(this.#idleHandle);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    clearInterval(this.#idleHandle);
  }

  #run(): void {
    this.#immediate = undefined;
    const { idle, until } = this.#system.run(SLICE_MS);
    if (this.#stopped) return;
    if (!idle) {
      this.#immediate = setImmediate(() => this.#run());
      return;
    }
    // A poke during the run already asked for another one.
    if (this.#immediate !== undefined || until === undefined) return;
    const wait = Math.min(Math.max(0, until / 1e6 - performance.now()), LONGEST_MS);
    this.#timer = setTimeout(() => this.#run(), Math.ceil(wait));
    this.#timer.unref();
  }
}
