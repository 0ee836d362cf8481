/**
 * The translator's driver in one engine: counts where slices of execution end, translates what is hot, links regions into
 * the interpreter's records and unlinks them when their code changes. Translations are shared by all engines of this
 * realm that run the same bytes at the same addresses.
 */
import { DECODE_CACHE, EXECUTE_TAGS, READ_TAGS, STATE } from '../../memory/layout.ts';
import { AddressKind } from '../decode/decoder.ts';
import { SHAPES } from '../decode/table.ts';
import { LIBRARY } from '../interpreter/library.ts';
import { HANDLER, IMMEDIATE, RECORD_SIZE } from '../interpreter/record.ts';
import type { Tier, TierFactory, TierParts, TierStatistics } from '../interpreter/tier.ts';
import { type CodeSource, discover, type GuestInstruction } from './discover.ts';
import { runtimeModule } from './runtime.ts';
import { entryName, probe, type Translation, translate } from './translate.ts';

const PAGE = 4096;
const TWO_32 = 0x1_0000_0000;
/** First table entry of regions: above the interpreter's handlers. */
const FIRST_SLOT = 2048;
const FIRST_SLOT_EAGER = 16384;
const SLOT_STEP = 256;
const MAX_SLOTS = 4096;
const MAX_INSTRUCTIONS = 1000;
/** Samples that make an address hot, and those that suffice if another process has had it translated. */
const HOT = 8;
const HOT_AGAIN = 3;
/** Samples after which an address becomes a root of its own, though its function may be translated. */
const VERY_HOT = 24;
/** Bytes in which a function's entry is looked for. */
const MAX_FUNCTION = 0x4000;
/** Targets of an indirect jump that are foreseen, and samples without news before that is used. */
const MAX_TARGETS = 24;
const QUIET = 4;
const CALL_FORM = SHAPES.findIndex(({ form }) => form.opcode === 'E8');
const SHORT_SLICE = 20_000;
const LONG_SLICE = 800_000;
/** Translations of one address that are kept, for programs that differ there. */
const MAX_VERSIONS = 4;

interface Region {
  readonly translation: Translation;
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

const TRANSLATIONS = new Map<number, Translation[]>();
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
  readonly #linked = new Map<number, { readonly original: number; readonly region: Region }>();
  /** Roots of the regions that are linked. */
  readonly #roots = new Set<number>();
  /** Targets of calls, in the records before `#scanned`. */
  readonly #functions = new Set<number>();
  #scanned = 0;
  /** Where indirect jumps and calls went, by address. */
  readonly #targets = new Map<number, Set<number>>();
  readonly #state: DataView;
  readonly #hot: number;
  /** The interpreter's handler of direct calls. */
  readonly #call: number;
  readonly #free: number[] = [];
  #nextSlot: number;
  // biome-ignore lint/complexity/noBannedTypes: exports of the runtime module.
  #runtime: Record<string, Function> | undefined;
  #translated = 0;
  #reused = 0;
  #instructions = 0;
  #size = 0;
  #time = 0;

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
    this.#nextSlot = options.eager ? FIRST_SLOT_EAGER : FIRST_SLOT;
  }

  get statistics(): TierStatistics {
    return {
      regions: this.#regions.size,
      translated: this.#translated,
      reused: this.#reused,
      instructions: this.#instructions,
      bytes: this.#size,
      milliseconds: this.#time,
    };
  }

  // ── What is hot ─────────────────────────────────────────────────────────────────────────────────────────────────
  sample(low: number, high: number): void {
    const record = this.parts.translator.find(low, high);
    if (record === 0) return;
    const link = this.#linked.get(record);
    if (link !== undefined) {
      this.slice = Math.min(this.slice * 2, LONG_SLICE);
      if (link.region.translation.sites.length > 0) this.#learn(link.region);
      return;
    }
    const rip = high * TWO_32 + (low >>> 0);
    const count = (this.#samples.get(rip) ?? 0) + 1;
    this.#samples.set(rip, count);
    this.slice = SHORT_SLICE;
    if (count === VERY_HOT) this.#translate(rip, MAX_INSTRUCTIONS, false);
    if (count !== this.#hot && count !== HOT_AGAIN) return;
    // Better the whole function than a part of it, for the next call; a loop that goes on will be sampled again.
    const root = this.#functionOf(rip) ?? rip;
    if (this.#roots.has(root) || (count < this.#hot && !TRANSLATIONS.has(root))) return;
    this.#translate(root, MAX_INSTRUCTIONS, false);
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
    for (const { rip, cell } of region.translation.sites) {
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
      this.#translate(region.translation.code.root, MAX_INSTRUCTIONS, false, true);
    }
    if (region.news) this.slice = SHORT_SLICE;
  }

  targets(address: number): readonly number[] {
    return [...(this.#targets.get(address) ?? [])];
  }

  decoded(low: number, high: number): void {
    if (this.options.eager) this.#translate(high * TWO_32 + (low >>> 0), 1, true);
  }

  #translate(rip: number, instructions: number, single: boolean, anew = false): void {
    if (LIBRARY.size >= (this.options.eager ? FIRST_SLOT_EAGER : FIRST_SLOT)) return;
    const known = single || anew ? undefined : TRANSLATIONS.get(rip)?.find((t) => this.#matches(t));
    if (known !== undefined) {
      this.#reused++;
      this.#link(known);
      return;
    }
    const start = this.parts.host.timestamp();
    const code = discover(this, rip, { instructions, single });
    if (code === undefined) return;
    const translation = translate(code);
    this.#translated++;
    this.#instructions += code.size;
    this.#size += translation.bytes;
    if (!single) {
      const versions = TRANSLATIONS.get(rip) ?? [];
      versions.unshift(translation);
      TRANSLATIONS.set(rip, versions.slice(0, MAX_VERSIONS));
    }
    this.#link(translation);
    this.#time += Number(this.parts.host.timestamp() - start) / 1e6;
  }

  /** Whether this window holds the code that was translated. */
  #matches({ code }: Translation): boolean {
    for (const { instructions } of code.blocks.values()) {
      for (const { rip, bytes } of instructions) {
        const page = Math.floor(rip / PAGE);
        if (!this.#allowed(this.#executeTags, page)) return false;
        const at = rip % TWO_32;
        for (let i = 0; i < bytes.length; i++) if (this.#bytes[at + i] !== bytes[i]) return false;
      }
    }
    return code.pages.every((page) => this.#allowed(this.#executeTags, page));
  }

  // ── Linking ─────────────────────────────────────────────────────────────────────────────────────────────────────
  #link(translation: Translation): void {
    const { translator, table, memory, host } = this.parts;
    if (this.#linked.size + translation.entries.length > MAX_SLOTS) this.#unlinkAll();
    this.#runtime ??= this.#instantiate(runtimeModule(), true);
    const exports = this.#instantiate(translation, false);
    void memory;
    const region: Region = { translation, links: [], news: false, quiet: 0 };
    this.#roots.add(translation.code.root);
    translation.entries.forEach((address, i) => {
      const record = translator.find(address | 0, Math.floor(address / TWO_32));
      if (record === 0 || this.#linked.has(record)) return;
      const slot = this.#slot();
      table.set(slot, exports[entryName(i)]);
      const word = ((record >>> 0) - DECODE_CACHE + HANDLER) >>> 2;
      const link = { record, slot, original: this.#words[word], region };
      this.#words[word] = slot;
      region.links.push(link);
      this.#linked.set(record, link);
    });
    this.#regions.add(region);
    for (const page of translation.code.pages) {
      const regions = this.#byPage.get(page);
      if (regions === undefined) this.#byPage.set(page, new Set([region]));
      else regions.add(region);
      host.codeTranslated(page * PAGE);
    }
  }

  #instantiate(
    { module, imports }: { module: WebAssembly.Module; imports: readonly string[] },
    withTable: boolean,
    // biome-ignore lint/complexity/noBannedTypes: as above.
  ): Record<string, Function> {
    const { memory, table } = this.parts;
    // biome-ignore lint/complexity/noBannedTypes: as above.
    const h: Record<string, Function> = {};
    for (const name of imports) h[name] = this.#runtime?.[name] ?? this.parts.importNamed(name);
    const e: WebAssembly.ModuleImports = withTable ? { memory, table } : { memory };
    const instance = new WebAssembly.Instance(module, { e, h: h as WebAssembly.ModuleImports });
    // biome-ignore lint/complexity/noBannedTypes: as above.
    return instance.exports as Record<string, Function>;
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
      const word = ((record >>> 0) - DECODE_CACHE + HANDLER) >>> 2;
      if (this.#words[word] === slot) this.#words[word] = original;
      this.#linked.delete(record);
      this.parts.table.set(slot, null);
      this.#free.push(slot);
    }
    this.#regions.delete(region);
    this.#roots.delete(region.translation.code.root);
    for (const page of region.translation.code.pages) this.#byPage.get(page)?.delete(region);
  }

  #unlinkAll(): void {
    for (const region of this.#regions) this.#unlink(region);
    this.#samples.clear();
    this.slice = SHORT_SLICE;
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
    this.#scanned = this.parts.translator.first;
    this.#byPage.clear();
  }

  /** The copied records name regions that this engine does not have. */
  inherit(parent: Tier): void {
    if (!(parent instanceof JitTier)) return;
    for (const [record, { original }] of parent.#linked) {
      this.#words[((record >>> 0) - DECODE_CACHE + HANDLER) >>> 2] = original;
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
