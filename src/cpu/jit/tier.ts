/**
 * The translator's driver in one engine: counts where slices of execution end, translates what is hot, links regions into
 * the interpreter's records and unlinks them when their code changes. Translations are shared by all engines of this
 * realm that run the same bytes at the same addresses (store.ts), and an engine keeps its instances of them for the next
 * process in its window.
 *
 * Invariant: table positions from `#firstSlot` on belong to regions, those below to the interpreter's handlers.
 */
import { DECODE_CACHE, EXECUTE_TAGS, READ_TAGS, STATE } from '../../memory/layout.ts';
import { AddressKind } from '../decode/decoder.ts';
import { SHAPES } from '../decode/table.ts';
import { LIBRARY } from '../interpreter/library.ts';
import { ENDED_TRANSLATED } from '../interpreter/private.ts';
import { HANDLER, IMMEDIATE, RECORD_SIZE } from '../interpreter/record.ts';
import type { Tier, TierFactory, TierParts } from '../interpreter/tier.ts';
import { consult, remember } from './cache.ts';
import { type CodeSource, discover, type GuestInstruction } from './discover.ts';
import { runtimeModule } from './runtime.ts';
import { UNITS } from './store.ts';
import { entryName, probe, translate } from './translate.ts';
import { covers, holds, type Unit, unitOf } from './unit.ts';

const PAGE = 4096;
const TWO_32 = 0x1_0000_0000;
/** Table positions that are left to handlers. */
const HANDLER_ROOM = 1024;
const FIRST_SLOT = 2048;
const SLOT_STEP = 256;
const MAX_SLOTS = 4096;
/** Instructions in a region, and in one that begins inside another: then it is a loop of that one that did not come back to its
 * entry, and what lies further away is translated there. */
const MAX_INSTRUCTIONS = 600;
const MAX_INSIDE = 200;
/** Samples that make an address hot. What has been translated before is used at the first. */
const HOT = 8;
/** Entries besides its root that a region may get because the interpreter was there. */
const MAX_WISHED = 6;
/** Bytes in which a function's entry is looked for. */
const MAX_FUNCTION = 0x4000;
/** Targets of an indirect jump that are foreseen, and samples without news before that is used. */
const MAX_TARGETS = 24;
const QUIET = 4;
const CALL_FORM = SHAPES.findIndex(({ form }) => form.opcode === 'E8');
const SHORT_SLICE = 20_000;
const LONG_SLICE = 800_000;

// biome-ignore lint/complexity/noBannedTypes: exports of a module of functions.
type Functions = Record<string, Function>;

interface Region {
  readonly unit: Unit;
  readonly links: { readonly record: number; readonly slot: number; readonly original: number }[];
  /** New targets of indirect jumps are known, and samples since the last of them. */
  news: boolean;
  quiet: number;
}

export interface JitOptions {
  /** Translates each instruction on its own as soon as it is met, for tests. */
  readonly eager?: boolean;
  /** Samples that make an address hot. */
  readonly hot?: number;
}

/** First position for regions above these many handlers. */
const slotsAbove = (handlers: number): number =>
  Math.max(FIRST_SLOT, Math.ceil((handlers + HANDLER_ROOM) / HANDLER_ROOM) * HANDLER_ROOM);

class JitTier implements Tier, CodeSource {
  slice = SHORT_SLICE;
  readonly seesEach: boolean;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #executeTags: Int32Array;
  readonly #readTags: Int32Array;
  readonly #samples = new Map<number, number>();
  readonly #regions = new Set<Region>();
  readonly #byPage = new Map<number, Set<Region>>();
  readonly #linked = new Map<number, { readonly slot: number; readonly original: number; readonly region: Region }>();
  /** Roots of the regions that are linked. */
  readonly #roots = new Map<number, Region>();
  /** By root: addresses where its region is to be entered too, because the interpreter was found there. */
  readonly #wished = new Map<number, number[]>();
  /** Targets of calls, in the records before `#scanned`. */
  readonly #functions = new Set<number>();
  #scanned = 0;
  /** Where indirect jumps and calls went, by address. */
  readonly #targets = new Map<number, Set<number>>();
  readonly #state: DataView;
  readonly #hot: number;
  /** The interpreter's handler of direct calls. */
  readonly #call: number;
  #free: number[] = [];
  #firstSlot: number;
  #nextSlot: number;
  #runtime: Functions | undefined;
  /** What was made of units for this window, to be linked again by its next process. */
  readonly #instances = new WeakMap<Unit, Functions>();

  constructor(
    private readonly parts: TierParts,
    private readonly options: JitOptions,
  ) {
    const { buffer } = parts.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer, DECODE_CACHE, 0x100_0000 / 4);
    this.#executeTags = new Int32Array(buffer, EXECUTE_TAGS, 1 << 20);
    this.#readTags = new Int32Array(buffer, READ_TAGS, 1 << 20);
    this.seesEach = options.eager === true;
    this.#state = new DataView(buffer, STATE, 0x20_0000);
    this.#hot = options.hot ?? HOT;
    this.#scanned = parts.translator.first;
    this.#call = LIBRARY.index(CALL_FORM, 64, false, AddressKind.None, 0);
    this.#firstSlot = this.#nextSlot = slotsAbove(LIBRARY.size);
  }

  // ── What is hot ─────────────────────────────────────────────────────────────────────────────────────────────────
  sample(low: number, high: number, instructions: number): void {
    const record = this.parts.translator.find(low, high);
    const link = record === 0 ? undefined : this.#linked.get(record);
    const rip = high * TWO_32 + (low >>> 0);
    const ended = this.#attribute(rip, link?.region, instructions);
    if (record === 0) return;
    if (link !== undefined || ended !== undefined) {
      this.slice = Math.min(this.slice * 2, LONG_SLICE);
      const region = link?.region ?? ended;
      if (region !== undefined && region.unit.sites.length > 0) this.#learn(region);
      return;
    }
    this.slice = SHORT_SLICE;
    if (this.#reuse(rip) || (consult(this.#bytes, rip) && this.#reuse(rip))) return;
    const count = (this.#samples.get(rip) ?? 0) + 1;
    this.#samples.set(rip, count);
    if (count % this.#hot !== 0) return;
    const region = this.#regionOf(rip);
    if (region !== undefined) this.#enterAt(region, rip);
    else {
      // Better the whole function than a part of it, for the next call; but execution must come in here too.
      const root = this.#functionOf(rip) ?? rip;
      if (root === rip || this.#roots.has(root)) this.#translate(rip, MAX_INSTRUCTIONS);
      else {
        this.#wished.set(root, [rip]);
        if (!this.#translate(root, MAX_INSTRUCTIONS)) {
          this.#wished.delete(root);
          this.#translate(rip, MAX_INSTRUCTIONS);
        }
      }
    }
  }

  /** Execution is at an address of a region where it cannot be entered: translates it again, with this entry. */
  #enterAt(region: Region, rip: number): void {
    const { root } = region.unit;
    const wished = this.#wished.get(root) ?? [];
    if (wished.length >= MAX_WISHED) {
      this.#translate(rip, MAX_INSIDE);
      return;
    }
    this.#wished.set(root, [...wished, rip]);
    this.#unlink(region);
    UNITS.remove(region.unit);
    if (this.#translate(root, MAX_INSTRUCTIONS)) return;
    // What is known now makes another region of it, without that address.
    this.#wished.set(root, wished);
    this.#translate(root, MAX_INSTRUCTIONS);
    this.#translate(rip, MAX_INSIDE);
  }

  /** The region that is linked and translates the instruction at an address. */
  #regionOf(rip: number): Region | undefined {
    for (const region of this.#byPage.get(Math.floor(rip / PAGE)) ?? []) if (covers(region.unit, rip)) return region;
    return undefined;
  }

  translated(address: number): number {
    return this.#roots.get(address)?.unit.size ?? 0;
  }

  /** Counts the instructions of a slice for where it ended; the region, if that was in translated code. */
  #attribute(rip: number, region: Region | undefined, instructions: number): Region | undefined {
    const { counters } = UNITS;
    if (this.#state.getInt32(ENDED_TRANSLATED, true) === 0) {
      counters.interpretedShare += instructions;
      return undefined;
    }
    this.#state.setInt32(ENDED_TRANSLATED, 0, true);
    counters.translatedShare += instructions;
    const found = region ?? this.#regionOf(rip);
    if (found !== undefined) found.unit.weight += instructions;
    return found;
  }

  /** Links what was translated before for this address, by whatever process. Says whether that was anything. */
  #reuse(rip: number): boolean {
    let any = false;
    for (const unit of UNITS.covering(rip)) {
      if (this.#roots.has(unit.root) || !this.#holds(unit)) continue;
      if (this.#link(unit)) {
        any = true;
        UNITS.counters.reused++;
      }
    }
    return any;
  }

  #holds(unit: Unit): boolean {
    return holds(unit, this.#bytes, (page) => this.#allowed(this.#executeTags, page));
  }

  /** The nearest target of a call before an address. */
  #functionOf(rip: number): number | undefined {
    const { translator } = this.parts;
    const words = this.#words;
    if (this.#scanned > translator.top) this.#scanned = translator.first;
    for (; this.#scanned < translator.top; this.#scanned += RECORD_SIZE) {
      const word = (this.#scanned - DECODE_CACHE) >>> 2;
      if (words[word + HANDLER / 4] !== this.#call) continue;
      this.#functions.add(words[word + IMMEDIATE / 4 + 1] * TWO_32 + (words[word + IMMEDIATE / 4] >>> 0));
    }
    let nearest: number | undefined;
    for (const entry of this.#functions) {
      if (entry <= rip && entry > rip - MAX_FUNCTION && (nearest === undefined || entry > nearest)) nearest = entry;
    }
    return nearest !== undefined && this.known(nearest) ? nearest : undefined;
  }

  /** Looks where the region's indirect jumps went, and translates it again when that is known better. */
  #learn(region: Region): void {
    for (const { rip, cell } of region.unit.sites) {
      const target = Number(this.#state.getBigUint64(cell, true));
      if (target === 0 || !this.known(target)) continue;
      let seen = this.#targets.get(rip);
      if (seen === undefined) {
        seen = new Set();
        this.#targets.set(rip, seen);
      }
      if (seen.has(target) || seen.size >= MAX_TARGETS) continue;
      seen.add(target);
      region.news = true;
      region.quiet = 0;
    }
    if (region.news && ++region.quiet > QUIET) {
      this.#unlink(region);
      UNITS.remove(region.unit);
      this.#translate(region.unit.root, MAX_INSTRUCTIONS);
    }
    if (region.news) this.slice = SHORT_SLICE;
  }

  targets(address: number): readonly number[] {
    return [...(this.#targets.get(address) ?? [])];
  }

  decoded(low: number, high: number): void {
    if (this.options.eager) this.#translate(high * TWO_32 + (low >>> 0), 1);
  }

  /** False if there is no such code, or the places where it is to be entered are not part of it. */
  #translate(rip: number, instructions: number): boolean {
    const single = this.options.eager === true;
    if (!single && this.#reuse(rip) && this.#roots.has(rip)) return true;
    const { host } = this.parts;
    const start = host.timestamp();
    const code = discover(this, rip, { instructions, single, entries: this.#wished.get(rip) });
    if (code === undefined) return false;
    const unit = unitOf(translate(code));
    const { counters } = UNITS;
    counters.translated++;
    counters.instructions += unit.size;
    counters.bytes += unit.wasm.length;
    if (!single) {
      UNITS.add(unit);
      remember(this.#bytes, unit);
    }
    this.#link(unit);
    counters.milliseconds += Number(host.timestamp() - start) / 1e6;
    return true;
  }

  // ── Linking ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** False if none of its entries has been decoded here yet. */
  #link(unit: Unit): boolean {
    const { translator, table, host } = this.parts;
    const records = unit.entries.map((address) => translator.find(address | 0, Math.floor(address / TWO_32)));
    if (records.every((record) => record === 0)) return false;
    if (this.#linked.size + unit.entries.length > MAX_SLOTS) this.#unlinkAll();
    this.parts.install(unit.handlers);
    const exports = this.#instanceOf(unit);
    const region: Region = { unit, links: [], news: false, quiet: 0 };
    this.#roots.set(unit.root, region);
    records.forEach((record, i) => {
      if (record === 0 || this.#linked.has(record)) return;
      const slot = this.#slot();
      table.set(slot, exports[entryName(i)]);
      const word = this.#wordOf(record);
      const link = { record, slot, original: this.#words[word], region };
      this.#words[word] = slot;
      region.links.push(link);
      this.#linked.set(record, link);
    });
    this.#regions.add(region);
    UNITS.used(unit);
    for (const page of unit.pages) {
      const regions = this.#byPage.get(page);
      if (regions === undefined) this.#byPage.set(page, new Set([region]));
      else regions.add(region);
      host.codeTranslated(page * PAGE);
    }
    return true;
  }

  #instanceOf(unit: Unit): Functions {
    let functions = this.#instances.get(unit);
    if (functions === undefined) {
      this.#runtime ??= this.#instantiate(runtimeModule(), true);
      unit.module ??= new WebAssembly.Module(unit.wasm);
      functions = this.#instantiate({ module: unit.module, imports: unit.imports }, false);
      this.#instances.set(unit, functions);
    }
    return functions;
  }

  #instantiate(
    { module, imports }: { module: WebAssembly.Module; imports: readonly string[] },
    withTable: boolean,
  ): Functions {
    const { memory, table } = this.parts;
    const h: Functions = {};
    for (const name of imports) h[name] = this.#runtime?.[name] ?? this.parts.importNamed(name);
    const e: WebAssembly.ModuleImports = withTable ? { memory, table } : { memory };
    const instance = new WebAssembly.Instance(module, { e, h: h as WebAssembly.ModuleImports });
    return instance.exports as Functions;
  }

  makeRoom(end: number): void {
    if (end <= this.#firstSlot) return;
    this.#unlinkAll();
    this.#firstSlot = this.#nextSlot = slotsAbove(end);
    this.#free = [];
  }

  #slot(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    const { table } = this.parts;
    const slot = this.#nextSlot++;
    if (slot >= table.length) table.grow(slot + SLOT_STEP - table.length);
    return slot;
  }

  #unlink(region: Region): void {
    for (const { record, slot, original } of region.links) {
      const word = this.#wordOf(record);
      if (this.#words[word] === slot) this.#words[word] = original;
      this.#linked.delete(record);
      this.parts.table.set(slot, null);
      this.#free.push(slot);
    }
    this.#regions.delete(region);
    this.#roots.delete(region.unit.root);
    for (const page of region.unit.pages) this.#byPage.get(page)?.delete(region);
  }

  #unlinkAll(): void {
    for (const region of this.#regions) this.#unlink(region);
    this.#samples.clear();
    this.slice = SHORT_SLICE;
  }

  suspend(): void {
    for (const [record, { original }] of this.#linked) this.#words[this.#wordOf(record)] = original;
  }

  resume(): void {
    for (const [record, { slot }] of this.#linked) {
      // Records that were dropped meanwhile stay so.
      if (this.parts.translator.lives(record)) this.#words[this.#wordOf(record)] = slot;
    }
  }

  /** Index of the word that holds a record's handler. */
  #wordOf(record: number): number {
    return ((record >>> 0) - DECODE_CACHE + HANDLER) >>> 2;
  }

  invalidate(page: number): void {
    for (const region of this.#byPage.get(page) ?? []) this.#unlink(region);
    this.#byPage.delete(page);
    for (const rip of this.#samples.keys()) if (Math.floor(rip / PAGE) === page) this.#samples.delete(rip);
  }

  clear(): void {
    this.#unlinkAll();
    this.#functions.clear();
    this.#targets.clear();
    this.#wished.clear();
    this.#scanned = this.parts.translator.first;
    this.#byPage.clear();
  }

  /** The copied records name regions that this engine does not have. */
  inherit(parent: Tier): void {
    if (!(parent instanceof JitTier)) return;
    for (const [record, { original }] of parent.#linked) {
      this.#words[this.#wordOf(record)] = original;
    }
  }

  // ── Guest code ──────────────────────────────────────────────────────────────────────────────────────────────────
  known(address: number): boolean {
    return this.parts.translator.find(address | 0, Math.floor(address / TWO_32)) !== 0;
  }

  page(page: number): Uint8Array | undefined {
    if (!this.#allowed(this.#executeTags, page)) return undefined;
    return this.#bytes.subarray((page % 0x10_0000) * PAGE, (page % 0x10_0000) * PAGE + PAGE);
  }

  word(address: number): bigint | undefined {
    if (address < 0 || address % 8 !== 0 || !this.#allowed(this.#readTags, Math.floor(address / PAGE)))
      return undefined;
    const at = address % TWO_32;
    return new DataView(this.#bytes.buffer, at, 8).getBigUint64(0, true);
  }

  handler(d: GuestInstruction['decoded']): number {
    return LIBRARY.index(d.form, d.width, d.memory, d.addressKind, d.repeat);
  }

  supported(at: GuestInstruction): boolean {
    return probe(at) !== undefined;
  }

  #allowed(tags: Int32Array, page: number): boolean {
    return (tags[page % 0x10_0000] ^ Math.floor(page / 0x10_0000)) === -1;
  }
}

/** Makes interpreters that translate what is hot. */
export const jitTier =
  (options: JitOptions = {}): TierFactory =>
  (parts) =>
    new JitTier(parts, options);
