/**
 * The handlers generated so far, shared by all engines of this JavaScript realm. A handler is generated when the
 * translator first meets its variant and keeps its table index for good; `link` compiles those that no module holds yet.
 * Engines created later start from one module that holds everything known by then.
 */

import { fromBase64 } from '../../wasm/base64.ts';
import type { AddressKind } from '../decode/decoder.ts';
import { SHAPES, type Shape } from '../decode/table.ts';
import { Trap } from '../engine.ts';
import { HELPERS } from '../helpers.ts';
import { at } from '../state.ts';
import { intern, type LinkableBody, SymbolicBody } from './body.ts';
import { Ending, emitHandler } from './handler.ts';
import { type Definition, HANDLER_TYPE, type LinkedModule, linkModule } from './link.ts';
import type { Variant } from './operands.ts';
import { PREBUILT, type Prebuilt } from './prebuilt.ts';
import { EXIT_UNRESOLVED, LINK_SOURCE } from './private.ts';
import { CONTINUE_HANDLER, HANDLER, IMMEDIATE, LINK, RECORD_SIZE } from './record.ts';
import { EXPORTED, FLOAT_FUNCTIONS, IMPORTED, RUNTIME } from './runtime.ts';
import { HORIZON, RECORD } from './values.ts';
import { WARM } from './warm.ts';

/** Table positions of the handlers that belong to no form. */
export const enum Special {
  /** The record was dropped: its address is looked up again. */
  Dropped = 1,
  /** A run goes on elsewhere: not an instruction. */
  // biome-ignore lint/style/useLiteralEnumMembers: the record format names it too
  Continue = CONTINUE_HANDLER,
  InvalidOpcode = 3,
  TooLong = 4,
  /** End of a single step. */
  Stop = 5,
}

export interface HandlerModule {
  readonly module: WebAssembly.Module;
  /** Helpers it imports. */
  readonly imports: readonly string[];
  /** It holds the handlers with indices from `first` to below `end`. */
  readonly first: number;
  readonly end: number;
}

const WIDTH_INDEX: Record<number, number> = { 8: 0, 16: 1, 32: 2, 64: 3 };
/** Everything is linked into one module again, for the next engine or at once, when there are this many later ones. */
const CONSOLIDATE_AT = 4;
const CONSOLIDATE_AT_ONCE = 8;
/** Fused handlers of a realm: hot code is little, and modules and tables must stay small. */
const MAX_SEQUENCES = 4096;

const special = (emit: (f: SymbolicBody) => void): LinkableBody => {
  const f = new SymbolicBody(HANDLER_TYPE.params, HANDLER_TYPE.results);
  emit(f);
  return f.link();
};

/** Goes to the address in IMMEDIATE without retiring anything. */
const goElsewhere = (f: SymbolicBody, patch: boolean): void => {
  f.get(RECORD).get(HORIZON).i32(RECORD_SIZE).op('i32.add');
  if (patch) f.returnCall(intern('jump.resolve'));
  else f.get(RECORD).mem('i64.load', IMMEDIATE, 3).returnCall(intern('jump.indirect'));
};

const SPECIAL_BODIES: readonly LinkableBody[] = [
  special((f) => f.op('unreachable')),
  special((f) => goElsewhere(f, false)),
  special((f) => {
    const link = f.local('i32');
    f.get(RECORD).mem('i32.load', LINK, 2).tee(link).if();
    f.get(link).get(HORIZON).get(RECORD).op('i32.sub').get(link).op('i32.add');
    f.get(link).mem('i32.load', HANDLER, 2).returnCallIndirect(0).end();
    goElsewhere(f, true);
  }),
  special((f) => f.get(RECORD).get(HORIZON).i32(Trap.InvalidOpcode).callNamed('exit.fault')),
  special((f) => f.get(RECORD).get(HORIZON).i32(Trap.GeneralProtection).callNamed('exit.fault')),
  special((f) => {
    f.i32(at(LINK_SOURCE) | 0)
      .i32(0)
      .mem('i32.store', 0, 2);
    f.get(RECORD).mem('i64.load', IMMEDIATE, 3).get(HORIZON).get(RECORD).op('i32.sub').i32(EXIT_UNRESOLVED);
    f.callNamed('exit.at');
  }),
];

const runtimeBodies = new Map<string, LinkableBody>();

export function define(name: string): Definition {
  const helper = HELPERS.get(name);
  if (helper !== undefined) {
    return { imported: { params: helper.params, results: helper.result === undefined ? [] : [helper.result] } };
  }
  const imported = IMPORTED.get(name);
  if (imported !== undefined) return { imported };
  let body = runtimeBodies.get(name);
  if (body === undefined) {
    const runtime = RUNTIME.get(name) ?? FLOAT_FUNCTIONS.get(name);
    if (runtime === undefined) throw new Error(`no runtime function ${name}`);
    const f = new SymbolicBody(runtime.params, runtime.results);
    runtime.emit(f);
    body = f.link();
    runtimeBodies.set(name, body);
  }
  return { body };
}

const formName = (shape: Shape): string => `${shape.form.opcode} ${shape.form.mnemonic} ${shape.form.operands.join()}`;

/** One number for the static facts of a variant. */
const keyOf = (form: number, width: number, memory: boolean, addressKind: AddressKind, repeat: number): number =>
  (form << 8) | (WIDTH_INDEX[width] << 6) | (memory ? 32 : 0) | (addressKind << 2) | repeat;

/** Keys of the variants in warm.ts. */
function warmKeys(): number[] {
  const forms = new Map(SHAPES.map((shape) => [formName(shape), shape.index]));
  return WARM.flatMap((line) => {
    const [name, ...variants] = line.split(';');
    const form = forms.get(name);
    if (form === undefined) return [];
    return variants.map((variant) => {
      const [width, memory, kind, repeat] = variant.split(' ').map(Number);
      return keyOf(form, width, memory === 1, kind, repeat);
    });
  });
}

/** Inverse of `keyOf`. */
const variantOf = (key: number): Variant => ({
  shape: SHAPES[key >> 8],
  width: ([8, 16, 32, 64] as const)[(key >> 6) & 3],
  memory: ((key >> 5) & 1) !== 0,
  addressKind: (key >> 2) & 7,
  repeat: key & 3,
});

class HandlerLibrary {
  readonly #indices = new Int16Array(SHAPES.length << 8);
  /** Bodies by table index; those of a prebuilt module are emitted only if they must be linked again. */
  readonly #bodies: (LinkableBody | undefined)[] = [...SPECIAL_BODIES];
  /** By handler: the handlers of the single instructions it executes. */
  readonly #parts: (readonly number[])[] = SPECIAL_BODIES.map(() => []);
  readonly #keys: number[] = SPECIAL_BODIES.map(() => 0);
  readonly #endings: Ending[] = SPECIAL_BODIES.map(() => Ending.Alone);
  readonly #sequences = new Map<string, number>();
  #base: HandlerModule | undefined;
  /** Modules after the base, in order. */
  #later: HandlerModule[] = [];

  /** Table index of the handler of a variant, generating it if need be. */
  index(form: number, width: number, memory: boolean, addressKind: AddressKind, repeat: number): number {
    return this.#indexOf(keyOf(form, width, memory, addressKind, repeat));
  }

  #indexOf(key: number): number {
    const found = this.#indices[key];
    if (found !== 0) return found;
    const index = this.#bodies.length;
    const { body, ending } = emitHandler([variantOf(key)]);
    this.#add([index], body, ending, key);
    this.#indices[key] = index;
    return index;
  }

  /**
   * The handler that executes these single ones one after the other, or the first of them if there are too many already;
   * only the last may be a transfer.
   */
  sequence(parts: readonly number[]): number {
    if (parts.length === 1) return parts[0];
    const name = parts.join();
    let index = this.#sequences.get(name);
    if (index === undefined) {
      if (this.#sequences.size >= MAX_SEQUENCES) return parts[0];
      index = this.#bodies.length;
      const { body, ending } = emitHandler(parts.map((part) => variantOf(this.#keys[part])));
      this.#add(parts, body, ending, 0);
      this.#sequences.set(name, index);
    }
    return index;
  }

  /** The handlers of the single instructions that a handler executes; none for the special ones. */
  parts(index: number): readonly number[] {
    return this.#parts[index];
  }

  ending(index: number): Ending {
    return this.#endings[index];
  }

  /** The module of the common handlers and what is known of them, for prebuilt.ts. */
  prebuild(): { bytes: Uint8Array } & Omit<Prebuilt, 'module'> {
    const keys = warmKeys();
    for (const key of keys) this.#indexOf(key);
    const { bytes, imports } = this.#linkBodies(0, EXPORTED);
    return { bytes, imports, keys, endings: this.#endings.slice(SPECIAL_BODIES.length) };
  }

  #add(parts: readonly number[], body: LinkableBody | undefined, ending: Ending, key: number): void {
    this.#bodies.push(body);
    this.#parts.push(parts);
    this.#endings.push(ending);
    this.#keys.push(key);
  }

  /** The first module: the handlers that nearly every program needs, generated or prebuilt. */
  #first(): HandlerModule {
    if (PREBUILT === undefined) {
      for (const key of warmKeys()) this.#indexOf(key);
      return this.#link(0, EXPORTED);
    }
    const { keys, endings } = PREBUILT;
    for (let i = 0; i < keys.length; i++) {
      const index = this.#bodies.length;
      this.#add([index], undefined, endings[i], keys[i]);
      this.#indices[keys[i]] = index;
    }
    const bytes = fromBase64(PREBUILT.module);
    return { module: new WebAssembly.Module(bytes), imports: PREBUILT.imports, first: 0, end: this.#bodies.length };
  }

  /** The variants generated so far, in the notation of warm.ts. */
  describe(): string[] {
    const lines = new Map<string, string>();
    this.#indices.forEach((index, key) => {
      if (index === 0) return;
      const name = formName(SHAPES[key >> 8]);
      const width = [8, 16, 32, 64][(key >> 6) & 3];
      const variant = `${width} ${(key >> 5) & 1} ${(key >> 2) & 7} ${key & 3}`;
      lines.set(name, `${lines.get(name) ?? name};${variant}`);
    });
    return [...lines.values()].sort();
  }

  /** The variant of a single handler as a number, 0 for special ones, −1 for handlers of several instructions. */
  keyAt(index: number): number {
    if (index < SPECIAL_BODIES.length) return 0;
    return this.#keys[index] === 0 || index >= this.#keys.length ? -1 : this.#keys[index];
  }

  /** The variants of all single handlers in the order of their numbers, as far as no handler of several lies between. */
  order(): number[] {
    const keys = this.#keys.slice(SPECIAL_BODIES.length);
    const end = keys.indexOf(0);
    return end < 0 ? keys : keys.slice(0, end);
  }

  /** Gives handlers the numbers that they had in an earlier run (`order`). Stops where this run has given others. */
  restore(keys: readonly number[]): void {
    this.base();
    for (const [i, key] of keys.entries()) {
      const wanted = SPECIAL_BODIES.length + i;
      const known = this.#keys[wanted] === key;
      if (!known && (this.#bodies.length !== wanted || this.#indexOf(key) !== wanted)) return;
    }
  }

  /** How many handlers exist. */
  get size(): number {
    return this.#bodies.length;
  }

  /** The module that a new engine starts from; holds the runtime's exports. */
  base(): HandlerModule {
    if (this.#base === undefined) this.#base = this.#first();
    else if (this.#later.length >= CONSOLIDATE_AT) this.#consolidate();
    return this.#base;
  }

  /** A module that holds a handler, linked now if need be. */
  moduleOf(handler: number): HandlerModule {
    const linked = this.#later.at(-1)?.end ?? this.#base?.end ?? 0;
    if (handler >= linked) {
      if (this.#later.length < CONSOLIDATE_AT_ONCE) this.#later.push(this.#link(linked, []));
      else this.#consolidate();
    }
    return this.#later.find(({ first, end }) => handler >= first && handler < end) ?? this.#base!;
  }

  /** Links everything into one module: code that lies together runs faster than code in many modules. */
  #consolidate(): void {
    this.#base = this.#link(0, EXPORTED);
    this.#later = [];
  }

  #link(first: number, exported: readonly string[]): HandlerModule {
    const linked = this.#linkBodies(first, exported);
    return { module: new WebAssembly.Module(linked.bytes), imports: linked.imports, first, end: this.#bodies.length };
  }

  #linkBodies(first: number, exported: readonly string[]): LinkedModule {
    const bodies: LinkableBody[] = [];
    for (let i = first; i < this.#bodies.length; i++) {
      bodies.push((this.#bodies[i] ??= emitHandler([variantOf(this.#keys[i])]).body));
    }
    return linkModule(first, bodies, exported, define, intern);
  }
}

/** All handlers of this realm. */
export const LIBRARY = new HandlerLibrary();
