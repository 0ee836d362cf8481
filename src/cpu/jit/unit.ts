/**
 * A unit: the translation of one region without the decoded instructions it came from: what must be in memory for it to be
 * right (`holds`), where it is entered, and its module. Units belong to no window; any engine of this realm may use them,
 * and a cache may keep them as bytes (store.ts).
 */
import type { Code } from './discover.ts';
import type { Translation } from './translate.ts';

/** Guest bytes that were translated, without a gap. */
export interface Span {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Unit {
  readonly root: number;
  readonly spans: readonly Span[];
  /** Numbers of the pages that the spans lie on. */
  readonly pages: readonly number[];
  readonly entries: readonly number[];
  readonly sites: Translation['sites'];
  readonly imports: readonly string[];
  /** Interpreter's handlers that the code may go on with. */
  readonly handlers: readonly number[];
  /** Guest instructions. */
  readonly size: number;
  /** The module's bytes. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  module: WebAssembly.Module | undefined;
  /** See `Translation`; empty if the unit comes from a cache. */
  readonly marks: readonly number[];
  /** Instructions of slices that ended in it. */
  weight: number;
}

const PAGE = 4096;
const TWO_32 = 0x1_0000_0000;

/** The bytes of a region, in as few spans as possible. */
function spansOf(code: Code): Span[] {
  const all = [...code.blocks.values()].flatMap(({ instructions, end }) =>
    end.kind === 'rare' ? [...instructions, end.at] : instructions,
  );
  all.sort((a, b) => a.rip - b.rip);
  const spans: { address: number; bytes: number[] }[] = [];
  for (const { rip, bytes } of all) {
    const last = spans.at(-1);
    const gap = last === undefined ? -1 : rip - (last.address + last.bytes.length);
    // Code may overlap itself: then a span begins anew.
    if (last !== undefined && gap === 0) last.bytes.push(...bytes);
    else if (last === undefined || gap !== 0) spans.push({ address: rip, bytes: [...bytes] });
  }
  return spans.map(({ address, bytes }) => ({ address, bytes: Uint8Array.from(bytes) }));
}

function handlersOf(code: Code): number[] {
  const handlers = new Set<number>();
  for (const { instructions, end } of code.blocks.values()) {
    for (const { handler } of instructions) handlers.add(handler);
    if (end.kind === 'rare') handlers.add(end.at.handler);
  }
  return [...handlers];
}

/** Pages of spans. */
export function pagesOf(spans: readonly Span[]): number[] {
  const pages = new Set<number>();
  for (const { address, bytes } of spans) {
    for (let page = Math.floor(address / PAGE); page * PAGE < address + bytes.length; page++) pages.add(page);
  }
  return [...pages];
}

export function unitOf({ code, module, wasm, imports, entries, sites, marks }: Translation): Unit {
  const spans = spansOf(code);
  return {
    root: code.root,
    spans,
    pages: pagesOf(spans),
    entries,
    sites,
    imports,
    handlers: handlersOf(code),
    size: code.size,
    wasm,
    marks,
    module,
    weight: 0,
  };
}

/** Whether an address is one of the bytes that the unit translates. */
export function covers({ spans }: Unit, rip: number): boolean {
  return spans.some(({ address, bytes }) => rip >= address && rip < address + bytes.length);
}

/** Whether the window with this memory holds the code; `executable` says of a page number whether it may be executed. */
export function holds({ spans, pages }: Unit, memory: Uint8Array, executable: (page: number) => boolean): boolean {
  if (!pages.every(executable)) return false;
  for (const { address, bytes } of spans) {
    const at = address % TWO_32;
    for (let i = 0; i < bytes.length; i++) if (memory[at + i] !== bytes[i]) return false;
  }
  return true;
}

/** Bytes of memory that keeping a unit takes, roughly: the module's code is compiled to about five times its size. */
export const footprint = ({ wasm, size }: Unit): number => wasm.length * 6 + size * 8 + 1024;
