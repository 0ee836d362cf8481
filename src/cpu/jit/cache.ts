/**
 * Translations across runs of the system: units as bytes, by the content of the page that their root lies on, in a place
 * that the host gives. The place vouches for what it returns (it is what was put there by this version of the engine);
 * here is only what depends on the run.
 *
 * Code goes on with the interpreter's handlers by their numbers, and numbers above the common handlers depend on the order in
 * which programs needed them. So the order is kept too, and restored before the first program runs; a unit whose handlers
 * have other numbers all the same is left alone.
 *
 * Entry points: `useCache`, `consult`, `saveUnits`.
 */
import { LIBRARY } from '../interpreter/library.ts';
import { UNITS } from './store.ts';
import { pagesOf, type Unit } from './unit.ts';

/** Where a host keeps bytes by name; names are made of letters, digits and hyphens. */
export interface TranslationCache {
  load(name: string): Uint8Array | undefined;
  save(name: string, bytes: Uint8Array): void;
}

interface Entry {
  readonly root: number;
  readonly spans: readonly { readonly address: number; readonly length: number }[];
  readonly entries: readonly number[];
  readonly sites: Unit['sites'];
  readonly imports: readonly string[];
  /** Number and variant of each handler. */
  readonly handlers: readonly (readonly [number, number])[];
  readonly size: number;
  readonly wasm: number;
}

const PAGE = 4096;
const TWO_32 = 0x1_0000_0000;
const HANDLERS = 'handlers';
const WORDS = PAGE / 4;
/** Pages after which everything is written and forgotten here: guests that make code would go on for ever. */
const MAX_NAMES = 4096;

let cache: TranslationCache | undefined;
/** Names of the pages that were looked for. */
const asked = new Set<string>();
/** By name: units that the cache does not have yet, or that came from it. */
const byName = new Map<string, Set<Unit>>();
const changed = new Set<string>();

/** Keeps translations there from now on. Before the first program runs. */
export function useCache(place: TranslationCache): void {
  if (cache !== undefined) return;
  cache = place;
  const bytes = place.load(HANDLERS);
  if (bytes !== undefined) LIBRARY.restore(JSON.parse(new TextDecoder().decode(bytes)) as number[]);
}

/** The name of a page's content: its number and a hash. What is found by it is compared byte by byte (unit.ts). */
function nameOf(memory: Uint8Array, page: number): string {
  const words = new Int32Array(memory.buffer, (page * PAGE) % TWO_32, WORDS);
  let a = 0x811c9dc5 | 0;
  let b = 0x2545f491 | 0;
  for (let i = 0; i < WORDS; i++) {
    a = Math.imul(a ^ words[i], 0x01000193);
    b = Math.imul((b << 7) ^ (b >>> 25) ^ words[i], 0x9e3779b1);
  }
  const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  return `${page.toString(16)}-${hex(a)}${hex(b)}`;
}

/** Fetches what is kept for the page of an address, if it was not asked for before. Says whether there was anything. */
export function consult(memory: Uint8Array, rip: number): boolean {
  if (cache === undefined) return false;
  const name = nameOf(memory, Math.floor(rip / PAGE));
  if (asked.has(name)) return false;
  asked.add(name);
  const bytes = cache.load(name);
  if (bytes === undefined) return false;
  let any = false;
  for (const unit of decodeUnits(bytes)) {
    UNITS.add(unit);
    UNITS.counters.loaded++;
    note(name, unit);
    any = true;
  }
  return any;
}

/** A unit was made: it will be kept. */
export function remember(memory: Uint8Array, unit: Unit): void {
  if (cache === undefined) return;
  const name = nameOf(memory, Math.floor(unit.root / PAGE));
  note(name, unit);
  changed.add(name);
  if (byName.size <= MAX_NAMES && asked.size <= 4 * MAX_NAMES) return;
  saveUnits();
  byName.clear();
  asked.clear();
}

function note(name: string, unit: Unit): void {
  const units = byName.get(name);
  if (units === undefined) byName.set(name, new Set([unit]));
  else units.add(unit);
}

/** Writes what is new to the cache. */
export function saveUnits(): void {
  if (cache === undefined || changed.size === 0) return;
  const order = LIBRARY.order();
  for (const name of changed) {
    // Those that were replaced by better ones or forgotten are not kept.
    const units = [...byName.get(name)!].filter(
      (unit) => UNITS.has(unit) && unit.handlers.every((h) => LIBRARY.keyAt(h) >= 0),
    );
    cache.save(name, encodeUnits(units));
  }
  cache.save(HANDLERS, new TextEncoder().encode(JSON.stringify(order)));
  changed.clear();
}

export function encodeUnits(units: readonly Unit[]): Uint8Array {
  const entries = units.map(
    (unit): Entry => ({
      root: unit.root,
      spans: unit.spans.map(({ address, bytes }) => ({ address, length: bytes.length })),
      entries: unit.entries,
      sites: unit.sites,
      imports: unit.imports,
      handlers: unit.handlers.map((handler) => [handler, LIBRARY.keyAt(handler)] as const),
      size: unit.size,
      wasm: unit.wasm.length,
    }),
  );
  const head = new TextEncoder().encode(JSON.stringify(entries));
  const parts = [head, ...units.flatMap(({ spans, wasm }) => [...spans.map(({ bytes }) => bytes), wasm])];
  const out = new Uint8Array(4 + parts.reduce((sum, part) => sum + part.length, 0));
  new DataView(out.buffer).setUint32(0, head.length, true);
  let at = 4;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The units that are right in this run. */
export function decodeUnits(bytes: Uint8Array): Unit[] {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const entries = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Entry[];
  let at = 4 + length;
  const take = (count: number): Uint8Array<ArrayBuffer> => {
    at += count;
    return bytes.slice(at - count, at);
  };
  const units: Unit[] = [];
  for (const { spans: kept, handlers, wasm: size, ...entry } of entries) {
    const spans = kept.map(({ address, length }) => ({ address, bytes: take(length) }));
    const wasm = take(size);
    if (!handlers.every(([number, key]) => LIBRARY.keyAt(number) === key)) continue;
    const numbers = handlers.map(([number]) => number);
    units.push({
      ...entry,
      spans,
      pages: pagesOf(spans),
      handlers: numbers,
      wasm,
      module: undefined,
      marks: [],
      weight: 0,
    });
  }
  return units;
}
