/**
 * Pools of host memory. Making a window costs some 20 µs and the first touch of each of its pages 2 µs; in a pooled one a
 * touch costs 0.1 µs. Windows come back zeroed (see Window's invariant), with the engine that was made for them.
 *
 * Bounded: by number of windows and by the pages that they keep from the host.
 */
import { PAGE_SIZE } from './layout.ts';
import { Window } from './window.ts';

export interface PoolLimits {
  /** Windows kept at most. */
  readonly windows: number;
  /** Touched pages of all kept windows at most. */
  readonly pages: number;
  /** A window that has touched more pages than this is given back to the host. */
  readonly pagesPerWindow: number;
}

export const DEFAULT_POOL: PoolLimits = { windows: 64, pages: 65_536, pagesPerWindow: 8_192 };

export class WindowPool {
  readonly #limits: PoolLimits;
  readonly #free: Window[] = [];
  #pages = 0;
  /** Windows made so far, and how many of the requests the pool could serve. */
  readonly statistics = { created: 0, reused: 0 };

  constructor(limits: PoolLimits = DEFAULT_POOL) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#free.length;
  }

  acquire(): Window {
    const window = this.#free.pop();
    if (window === undefined) {
      this.statistics.created++;
      return new Window();
    }
    this.statistics.reused++;
    this.#pages -= window.touchedPages;
    return window;
  }

  /** Whether the pool will keep this window, so that zeroing it is worth while. */
  wants(window: Window): boolean {
    return (
      this.#free.length < this.#limits.windows &&
      window.touchedPages <= this.#limits.pagesPerWindow &&
      this.#pages + window.touchedPages <= this.#limits.pages
    );
  }

  /** Takes back a window whose slots are all zero and whose tags are all clear. */
  recycle(window: Window): void {
    if (!this.wants(window)) return;
    this.#pages += window.touchedPages;
    this.#free.push(window);
  }

  /** Makes windows in advance (a browser takes 5 ms for each). */
  warm(count: number): void {
    while (this.#free.length < Math.min(count, this.#limits.windows)) {
      this.statistics.created++;
      this.#free.push(new Window());
    }
  }
}

/** Page-sized buffers outside windows: content of frames without an owner, side pages, master copies of shared pages. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];
  readonly #limit: number;

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  /** A buffer with the same bytes as `source` (a page or less; the rest is zero). */
  copyOf(source: Uint8Array): Uint8Array {
    const buffer = this.#free.pop() ?? new Uint8Array(PAGE_SIZE);
    buffer.set(source);
    if (source.length < PAGE_SIZE) buffer.fill(0, source.length);
    return buffer;
  }

  zeroed(): Uint8Array {
    const buffer = this.#free.pop();
    return buffer === undefined ? new Uint8Array(PAGE_SIZE) : buffer.fill(0);
  }

  /** The caller has no use for the buffer any more and keeps no reference to it. */
  free(buffer: Uint8Array): void {
    if (this.#free.length < this.#limit) this.#free.push(buffer);
  }
}
