/**
 * The mapped ranges of an address space, ordered by address, in leaves of at most `LEAF` ranges: a lookup halves twice, an
 * insertion moves the pointers of one leaf. Ranges are immutable; splitting and merging replace them, so fork copies leaves.
 *
 * Entry points: `find`, `cut`, `insert`, `overlapping`, `copy`.
 * Invariants: ranges are disjoint, page-aligned, not empty, ascending; no leaf is empty. A range that is inserted is
 * joined to neighbours it continues.
 * `retain` and `release` are told of every range that names an object and comes into or goes out of the map.
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

/** Ranges in a leaf at most; one that is full is halved. */
const LEAF = 128;

export class RangeMap {
  readonly #references: BackingReferences;
  readonly #leaves: Range[][] = [];
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

  get isEmpty(): boolean {
    return this.#leaves.length === 0;
  }

  /** All ranges, ascending. */
  all(): Range[] {
    return this.#leaves.flat();
  }

  find(address: number): Range | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    const leaf = this.#leaves[this.#leafOf(address)];
    const range = leaf?.[indexIn(leaf, address)];
    if (range === undefined || range.start > address) return undefined;
    this.#last = range;
    return range;
  }

  /** The parts of ranges that lie within [start, end), ascending. */
  overlapping(start: number, end: number): Range[] {
    const parts: Range[] = [];
    for (let l = this.#leafOf(start); l < this.#leaves.length; l++) {
      const leaf = this.#leaves[l];
      for (let i = indexIn(leaf, start); i < leaf.length; i++) {
        if (leaf[i].start >= end) return parts;
        parts.push(leaf[i].clip(start, end));
      }
    }
    return parts;
  }

  /** Takes everything within [start, end) out and returns it. */
  cut(start: number, end: number): Range[] {
    const removed: Range[] = [];
    for (let l = this.#leafOf(start); l < this.#leaves.length; ) {
      const leaf = this.#leaves[l];
      const first = indexIn(leaf, start);
      let next = first;
      const kept: Range[] = [];
      for (; next < leaf.length && leaf[next].start < end; next++) {
        const range = leaf[next];
        const part = range.clip(start, end);
        removed.push(part);
        this.#bytes -= part.end - part.start;
        if (range.start < start) kept.push(range.clip(range.start, start));
        if (range.end > end) kept.push(range.clip(end, range.end));
        for (const piece of kept) if (piece.start >= range.start) this.#references.retain(piece.backing);
        this.#references.release(range.backing);
      }
      const whole = next === leaf.length;
      if (next > first) leaf.splice(first, next - first, ...kept);
      if (leaf.length === 0) this.#leaves.splice(l, 1);
      else {
        this.#halve(l);
        l++;
      }
      if (!whole) break;
    }
    if (removed.length > 0) this.#last = undefined;
    return removed;
  }

  /** Puts a range where nothing is mapped, joining it to its neighbours where it can. */
  insert(range: Range): void {
    this.#references.retain(range.backing);
    this.#bytes += range.end - range.start;
    this.#last = undefined;
    let whole = range;
    let l = this.#leafOf(range.start);
    let at = l < this.#leaves.length ? indexIn(this.#leaves[l], range.start) : 0;
    const after = this.#leaves[l]?.[at];
    const upper = after === undefined ? undefined : whole.joined(after);
    if (after !== undefined && upper !== undefined) {
      this.#references.release(after.backing);
      whole = upper;
      this.#leaves[l].splice(at, 1);
      if (this.#leaves[l].length === 0) this.#leaves.splice(l, 1);
    }
    // What goes first in a leaf, or after all of them, goes last in the leaf before.
    if (at === 0 && l > 0) {
      l--;
      at = this.#leaves[l].length;
    } else if (l === this.#leaves.length) this.#leaves.push([]);
    const leaf = this.#leaves[l];
    const lower = leaf[at - 1]?.joined(whole);
    if (lower !== undefined) {
      this.#references.release(whole.backing);
      leaf[at - 1] = lower;
    } else {
      leaf.splice(at, 0, whole);
      this.#halve(l);
    }
  }

  /** A second map of the same ranges (fork). */
  copy(): RangeMap {
    const twin = new RangeMap(this.#references);
    for (const leaf of this.#leaves) {
      twin.#leaves.push(leaf.slice());
      for (const range of leaf) this.#references.retain(range.backing);
    }
    twin.#bytes = this.#bytes;
    return twin;
  }

  #halve(l: number): void {
    const leaf = this.#leaves[l];
    if (leaf.length > LEAF) this.#leaves.splice(l + 1, 0, leaf.splice(LEAF / 2));
  }

  /** Index of the first leaf that has a range ending after the address. */
  #leafOf(address: number): number {
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const leaf = this.#leaves[middle];
      if (leaf[leaf.length - 1].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Index of the first range of a leaf that ends after the address. */
const indexIn = (leaf: readonly Range[], address: number): number => {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (leaf[middle].end > address) high = middle;
    else low = middle + 1;
  }
  return low;
};
