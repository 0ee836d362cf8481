/**
 * Round-trip times of requests that are answered at once, as a histogram: for `--stats`. Costs two readings of the clock a
 * request, and nothing where a port has none.
 *
 * Entry points: `record`, `quantile`. Buckets are an eighth of a power of two wide, so a quantile is at most 13 % too high.
 */
const STEPS = 8;
const BUCKETS = 40 * STEPS;

export class RoundTrips {
  /** The clock, in nanoseconds. */
  readonly now: () => number;
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  get count(): number {
    return this.#count;
  }

  record(nanoseconds: number): void {
    this.#count++;
    const exponent = nanoseconds < 1 ? 0 : 31 - Math.clz32(Math.min(nanoseconds, 0x7fff_ffff));
    const step = Math.floor((nanoseconds / 2 ** exponent - 1) * STEPS);
    this.#buckets[exponent * STEPS + Math.max(0, Math.min(step, STEPS - 1))]++;
  }

  /** The time that this share of round trips did not exceed: the upper end of its bucket. 0 if there were none. */
  quantile(share: number): number {
    let left = Math.ceil(this.#count * share);
    if (left === 0) return 0;
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#buckets[i];
      if (left <= 0) return 2 ** Math.floor(i / STEPS) * (1 + ((i % STEPS) + 1) / STEPS);
    }
    return Number.POSITIVE_INFINITY;
  }
}
