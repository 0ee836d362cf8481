/**
 * The units of this realm: found by address, bounded in memory (those that were used longest ago go first), counted for
 * `--stats`, and, if the host gives a cache, kept there by the pages they come from.
 *
 * Entry points: `UNITS.covering`, `UNITS.add`, `UNITS.statistics`.
 */
import { covers, footprint, type Unit } from './unit.ts';

const PAGE = 4096;
/** Bytes of translations after which old ones are forgotten. */
const LIMIT = 128 << 20;
/** Units of one root that are kept, for programs that differ there. */
const MAX_VERSIONS = 4;

export interface UnitStatistics {
  /** Units translated, taken over by another process or run, loaded from the cache, and forgotten for their memory. */
  translated: number;
  reused: number;
  loaded: number;
  evicted: number;
  /** Guest instructions translated and bytes of WebAssembly made of them. */
  instructions: number;
  bytes: number;
  /** Time spent in translation. */
  milliseconds: number;
  /** Retired instructions of slices that ended in translated and in interpreted code. */
  translatedShare: number;
  interpretedShare: number;
}

class UnitStore {
  readonly #byPage = new Map<number, Unit[]>();
  /** In the order of their last use. */
  readonly #all = new Set<Unit>();
  #bytes = 0;
  readonly counters: UnitStatistics = {
    translated: 0,
    reused: 0,
    loaded: 0,
    evicted: 0,
    instructions: 0,
    bytes: 0,
    milliseconds: 0,
    translatedShare: 0,
    interpretedShare: 0,
  };

  /** Units that translate the byte at an address; whether they are right for a window is for the caller to see. */
  covering(rip: number): Unit[] {
    return this.#byPage.get(Math.floor(rip / PAGE))?.filter((unit) => covers(unit, rip)) ?? [];
  }

  /** All units, those that were used last at the end. */
  units(): Iterable<Unit> {
    return this.#all;
  }

  has(unit: Unit): boolean {
    return this.#all.has(unit);
  }

  /** Bytes that the units take, roughly. */
  get memory(): number {
    return this.#bytes;
  }

  used(unit: Unit): void {
    if (this.#all.delete(unit)) this.#all.add(unit);
  }

  add(unit: Unit): void {
    this.#all.add(unit);
    this.#bytes += footprint(unit);
    for (const page of unit.pages) {
      const list = this.#byPage.get(page);
      if (list === undefined) this.#byPage.set(page, [unit]);
      else list.unshift(unit);
    }
    const versions = this.covering(unit.root).filter(({ root }) => root === unit.root);
    for (const old of versions.slice(MAX_VERSIONS)) this.remove(old);
    for (const old of this.#all) {
      if (this.#bytes <= LIMIT || old === unit) break;
      this.remove(old);
      this.counters.evicted++;
    }
  }

  remove(unit: Unit): void {
    if (!this.#all.delete(unit)) return;
    this.#bytes -= footprint(unit);
    for (const page of unit.pages) {
      const list = this.#byPage.get(page);
      const at = list?.indexOf(unit) ?? -1;
      if (at >= 0) list!.splice(at, 1);
      if (list?.length === 0) this.#byPage.delete(page);
    }
  }
}

/** All translations of this realm. */
export const UNITS = new UnitStore();
