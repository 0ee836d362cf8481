/**
 * The mapped ranges of an address space, ordered by address: an array searched by halving, so a lookup is O(log n) and an
 * insertion moves pointers only. Ranges are immutable; splitting and merging replace them, so fork copies the array.
 *
 * Entry points: `find`, `cut`, `insert`, `overlapping`, `copy`.
 * Invariants: ranges are disjoint, page-aligned, not empty, ascending; neighbours that could be one range are one.
 * `retain` and `release` are told of every range that names an object and comes into or goes out of the array.
 */
import { advanced, type Backing, continues } from './backing.ts';

export class Range {
  constructor(
    readonly start: number,
    readonly end: number,
    readonly protection: number,
    readonly backing: Backing,
    /** Path, `[heap]`, `[stack]`, … as /proc/PID/maps shows it. */
    readonly name: string,
  ) {}

  /** The part of this range within [start, end), which must not be empty. */
  clip(start: number, end: number): Range {
    if (start <= this.start && end >= this.end) return this;
    const from = Math.max(start, this.start);
    return new Range(
      from,
      Math.min(end, this.end),
      this.protection,
      advanced(this.backing, from - this.start),
      this.name,
    );
  }

  /** This range and the one that follows it as one, if nothing distinguishes them. */
  joined(next: Range): Range | undefined {
    if (
      this.end !== next.start ||
      this.protection !== next.protection ||
      this.name !== next.name ||
      !continues(this.backing, this.end - this.start, next.backing)
    )
      return undefined;
    return new Range(this.start, next.end, this.protection, this.backing, this.name);
  }
}

/** Told how many ranges name an object. */
export interface BackingReferences {
  retain(backing: Backing): void;
  release(backing: Backing): void;
}

export class RangeMap {
  readonly #references: BackingReferences;
  #ranges: Range[] = [];
  /** The range found last: faults and copies come in runs. */
  #last: Range | undefined;
  #bytes = 0;

  constructor(references: BackingReferences) {
    this.#references = references;
  }

  /** Total length of all ranges. */
  get bytes(): number {
    return this.#bytes;
  }

  get all(): readonly Range[] {
    return this.#ranges;
  }

  find(address: number): Range | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    const range = this.#ranges[this.#firstEndingAfter(address)];
    if (range === undefined || range.start > address) return undefined;
    this.#last = range;
    return range;
  }

  /** The parts of ranges that lie within [start, end), ascending. */
  overlapping(start: number, end: number): Range[] {
    const parts: Range[] = [];
    for (let i = this.#firstEndingAfter(start); i < this.#ranges.length; i++) {
      const range = this.#ranges[i];
      if (range.start >= end) break;
      parts.push(range.clip(start, end));
    }
    return parts;
  }

  /** Takes everything within [start, end) out and returns it. */
  cut(start: number, end: number): Range[] {
    const first = this.#firstEndingAfter(start);
    let next = first;
    const removed: Range[] = [];
    const kept: Range[] = [];
    for (; next < this.#ranges.length; next++) {
      const range = this.#ranges[next];
      if (range.start >= end) break;
      const part = range.clip(start, end);
      removed.push(part);
      this.#bytes -= part.end - part.start;
      if (range.start < start) kept.push(range.clip(range.start, start));
      if (range.end > end) kept.push(range.clip(end, range.end));
    }
    if (removed.length === 0) return removed;
    for (const range of kept) this.#references.retain(range.backing);
    for (let i = first; i < next; i++) this.#references.release(this.#ranges[i].backing);
    this.#ranges.splice(first, next - first, ...kept);
    this.#last = undefined;
    return removed;
  }

  /** Puts a range where nothing is mapped, joining it to its neighbours where it can. */
  insert(range: Range): void {
    const at = this.#firstEndingAfter(range.start);
    let first = at;
    let count = 0;
    this.#references.retain(range.backing);
    this.#bytes += range.end - range.start;
    let whole = range;
    const before = this.#ranges[at - 1]?.joined(whole);
    if (before !== undefined) {
      this.#references.release(range.backing);
      whole = before;
      first = at - 1;
      count = 1;
    }
    const after = this.#ranges[at];
    const both = after === undefined ? undefined : whole.joined(after);
    if (both !== undefined) {
      this.#references.release(after.backing);
      whole = both;
      count++;
    }
    this.#ranges.splice(first, count, whole);
    this.#last = whole;
  }

  /** A second map of the same ranges (fork). */
  copy(): RangeMap {
    const twin = new RangeMap(this.#references);
    twin.#ranges = this.#ranges.slice();
    twin.#bytes = this.#bytes;
    for (const range of this.#ranges) this.#references.retain(range.backing);
    return twin;
  }

  /** Index of the first range that ends after the address. */
  #firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
