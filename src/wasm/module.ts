/**
 * A WebAssembly module writer: types, imports, functions, a table, globals, exports, and the binary encoding of them
 * (WebAssembly Core Specification §5). It checks nothing that the engine's own validation checks.
 *
 * Entry points: `ModuleBuilder` for the module, `FunctionBody` (from `builder.func(…)`) for the code of one function.
 * Function indices are handed out at declaration, imports first, so bodies may call functions that are defined later.
 */
import { LANES, MEMORY, PLAIN } from './opcodes.ts';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

const TYPE_CODE: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const FUNCREF = 0x70;

/** A growing byte buffer with the LEB128 encodings. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    const { length } = values;
    if (this.length + length > this.#bytes.length) this.#grow(length);
    if (length > 16) this.#bytes.set(values, this.length);
    else for (let i = 0; i < length; i++) this.#bytes[this.length + i] = values[i];
    this.length += length;
  }

  /** Unsigned LEB128 of a number below 2^53. */
  u(value: number): void {
    while (value >= 128) {
      this.byte((value % 128) | 0x80);
      value = Math.floor(value / 128);
    }
    this.byte(value);
  }

  /** Signed LEB128 of a 32-bit integer. */
  s32(value: number): void {
    for (;;) {
      const low = value & 0x7f;
      value >>= 7;
      if ((value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit integer. */
  s64(value: bigint): void {
    value = BigInt.asIntN(64, value);
    if (value >= -0x8000_0000n && value <= 0x7fff_ffffn) {
      this.s32(Number(value));
      return;
    }
    for (;;) {
      const low = Number(value & 0x7fn);
      value >>= 7n;
      if ((value === 0n && (low & 0x40) === 0) || (value === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.u(encoded.length);
    this.bytes(encoded);
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + by));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

/** The code of one function. Methods append one instruction each and return `this`. */
export class FunctionBody {
  readonly code = new ByteWriter();
  /** Positions of `if` and `br_if` instructions whose condition is seldom true. */
  readonly unlikely: number[] = [];
  readonly #locals: ValueType[] = [];

  constructor(
    /** The function's index in the module. */
    readonly index: number,
    readonly params: readonly ValueType[],
    readonly results: readonly ValueType[],
  ) {}

  /** Adds a local variable and returns its index. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.params.length + this.#locals.length - 1;
  }

  /** An instruction without immediates, by its name in the specification: `op('i64.add')`. */
  op(name: string): this {
    const bytes = PLAIN.get(name);
    if (bytes === undefined) throw new Error(`no WebAssembly instruction ${name}`);
    this.code.bytes(bytes);
    return this;
  }

  /** A lane instruction: `lane('i32x4.extract_lane', 2)`. */
  lane(name: string, lane: number): this {
    const bytes = LANES.get(name);
    if (bytes === undefined) throw new Error(`no WebAssembly lane instruction ${name}`);
    this.code.bytes(bytes);
    this.code.byte(lane);
    return this;
  }

  /** A load or store. `align` is a power of two and a hint only; 0 is always right. */
  mem(name: string, offset = 0, align = 0): this {
    const entry = MEMORY.get(name);
    if (entry === undefined) throw new Error(`no WebAssembly memory instruction ${name}`);
    this.code.bytes(entry.bytes);
    this.code.u(Math.min(align, entry.align));
    this.code.u(offset);
    return this;
  }

  /** `i8x16.shuffle` with its 16 lane indices (0–15 of the first operand, 16–31 of the second). */
  shuffle(lanes: readonly number[]): this {
    this.code.bytes([0xfd, 13]);
    this.code.bytes(lanes);
    return this;
  }

  get(local: number): this {
    this.code.byte(0x20);
    this.code.u(local);
    return this;
  }

  set(local: number): this {
    this.code.byte(0x21);
    this.code.u(local);
    return this;
  }

  tee(local: number): this {
    this.code.byte(0x22);
    this.code.u(local);
    return this;
  }

  globalGet(index: number): this {
    this.code.byte(0x23);
    this.code.u(index);
    return this;
  }

  globalSet(index: number): this {
    this.code.byte(0x24);
    this.code.u(index);
    return this;
  }

  i32(value: number): this {
    this.code.byte(0x41);
    this.code.s32(value | 0);
    return this;
  }

  i64(value: bigint | number): this {
    this.code.byte(0x42);
    if (typeof value === 'number' && value === (value | 0)) this.code.s32(value);
    else this.code.s64(BigInt(value));
    return this;
  }

  f64(value: number): this {
    this.code.byte(0x44);
    this.code.bytes(new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  f32(value: number): this {
    this.code.byte(0x43);
    this.code.bytes(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  /** `v128.const` from 16 bytes. */
  v128(bytes: ArrayLike<number>): this {
    this.code.bytes([0xfd, 12]);
    this.code.bytes(bytes);
    return this;
  }

  /** The `if` or `br_if` that follows is seldom taken: engines move its code out of the way (metadata.code.branch_hint). */
  rarely(): this {
    this.unlikely.push(this.code.length);
    return this;
  }

  block(type?: ValueType): this {
    return this.#control(0x02, type);
  }

  loop(type?: ValueType): this {
    return this.#control(0x03, type);
  }

  if(type?: ValueType): this {
    return this.#control(0x04, type);
  }

  else(): this {
    this.code.byte(0x05);
    return this;
  }

  end(): this {
    this.code.byte(0x0b);
    return this;
  }

  br(depth: number): this {
    this.code.byte(0x0c);
    this.code.u(depth);
    return this;
  }

  brIf(depth: number): this {
    this.code.byte(0x0d);
    this.code.u(depth);
    return this;
  }

  brTable(depths: readonly number[], fallback: number): this {
    this.code.byte(0x0e);
    this.code.u(depths.length);
    for (const depth of depths) this.code.u(depth);
    this.code.u(fallback);
    return this;
  }

  return(): this {
    this.code.byte(0x0f);
    return this;
  }

  call(func: number): this {
    this.code.byte(0x10);
    this.code.u(func);
    return this;
  }

  callIndirect(type: number, table = 0): this {
    this.code.byte(0x11);
    this.code.u(type);
    this.code.u(table);
    return this;
  }

  returnCall(func: number): this {
    this.code.byte(0x12);
    this.code.u(func);
    return this;
  }

  returnCallIndirect(type: number, table = 0): this {
    this.code.byte(0x13);
    this.code.u(type);
    this.code.u(table);
    return this;
  }

  /** `memory.copy`: destination, source and length are on the stack. */
  memoryCopy(): this {
    this.code.bytes([0xfc, 10, 0, 0]);
    return this;
  }

  /** `memory.fill`: destination, byte value and length are on the stack. */
  memoryFill(): this {
    this.code.bytes([0xfc, 11, 0]);
    return this;
  }

  /** The encoded function body with its locals, ready for the code section. */
  encode(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    const runs: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last !== undefined && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    out.u(runs.length);
    for (const [count, type] of runs) {
      out.u(count);
      out.byte(TYPE_CODE[type]);
    }
    out.bytes(this.code.take());
    out.byte(0x0b);
    return out.take();
  }

  #control(opcode: number, type: ValueType | undefined): this {
    this.code.byte(opcode);
    this.code.byte(type === undefined ? 0x40 : TYPE_CODE[type]);
    return this;
  }
}

type Import =
  | { kind: 'func'; module: string; name: string; type: number }
  | { kind: 'memory'; module: string; name: string; initial: number; maximum: number | undefined; shared: boolean }
  | { kind: 'table'; module: string; name: string; initial: number };

/** Collects the parts of a module. Declare all imported functions before the first own function. */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #imports: Import[] = [];
  readonly #functions: { body: FunctionBody; type: number }[] = [];
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  readonly #globals: { type: 'i32' | 'i64' | 'v128'; initial: number | bigint; mutable: boolean }[] = [];
  readonly #elements: { offset: number; functions: readonly number[] }[] = [];
  #importedFunctions = 0;
  #tableSize: number | undefined;
  #memory: { initial: number; maximum: number | undefined } | undefined;

  /** The index of a function type, shared by equal types. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const found = this.#types.indexOf(key);
    if (found >= 0) return found;
    this.#types.push(key);
    return this.#types.length - 1;
  }

  importFunction(
    module: string,
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[] = [],
  ): number {
    if (this.#functions.length > 0) throw new Error('imports must be declared before functions');
    this.#imports.push({ kind: 'func', module, name, type: this.type(params, results) });
    return this.#importedFunctions++;
  }

  /** Imports the memory; sizes are in pages of 64 KiB. */
  importMemory(module: string, name: string, initial: number, maximum?: number, shared = false): void {
    this.#imports.push({ kind: 'memory', module, name, initial, maximum, shared });
  }

  importTable(module: string, name: string, initial: number): void {
    this.#imports.push({ kind: 'table', module, name, initial });
  }

  /** Defines a memory of the module's own. */
  memory(initial: number, maximum?: number): void {
    this.#memory = { initial, maximum };
  }

  /** Defines table 0 with this many entries. */
  table(size: number): void {
    this.#tableSize = size;
  }

  /** Fills table entries from `offset` on with functions. */
  elements(offset: number, functions: readonly number[]): void {
    this.#elements.push({ offset, functions });
  }

  /** Defines a global; one of type v128 starts as `initial` in all 64-bit halves (in practice 0). */
  global(type: 'i32' | 'i64' | 'v128', initial: number | bigint, mutable = true): number {
    this.#globals.push({ type, initial, mutable });
    return this.#globals.length - 1;
  }

  /** Declares a function; fill the returned body before `build`. */
  func(params: readonly ValueType[], results: readonly ValueType[] = [], exportAs?: string): FunctionBody {
    const body = new FunctionBody(this.#importedFunctions + this.#functions.length, params, results);
    this.#functions.push({ body, type: this.type(params, results) });
    if (exportAs !== undefined) this.#exports.push({ name: exportAs, kind: 0, index: body.index });
    return body;
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, kind: 0, index });
  }

  exportTable(name: string): void {
    this.#exports.push({ name, kind: 1, index: 0 });
  }

  exportMemory(name: string): void {
    this.#exports.push({ name, kind: 2, index: 0 });
  }

  exportGlobal(name: string, index: number): void {
    this.#exports.push({ name, kind: 3, index });
  }

  /** Encodes the module. */
  build(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const section = (id: number, count: number, write: (w: ByteWriter) => void): void => {
      if (count === 0) return;
      const content = new ByteWriter();
      content.u(count);
      write(content);
      out.byte(id);
      out.u(content.length);
      out.bytes(content.take());
    };
    section(1, this.#types.length, (w) => {
      for (const key of this.#types) {
        const [params, results] = key
          .split('>')
          .map((part) => part.split(',').filter((t) => t !== '')) as ValueType[][];
        w.byte(0x60);
        w.u(params.length);
        for (const t of params) w.byte(TYPE_CODE[t]);
        w.u(results.length);
        for (const t of results) w.byte(TYPE_CODE[t]);
      }
    });
    section(2, this.#imports.length, (w) => {
      for (const entry of this.#imports) {
        w.text(entry.module);
        w.text(entry.name);
        if (entry.kind === 'func') {
          w.byte(0);
          w.u(entry.type);
        } else if (entry.kind === 'table') {
          w.bytes([1, FUNCREF, 0]);
          w.u(entry.initial);
        } else {
          w.byte(2);
          w.byte((entry.maximum === undefined ? 0 : 1) | (entry.shared ? 2 : 0));
          w.u(entry.initial);
          if (entry.maximum !== undefined) w.u(entry.maximum);
        }
      }
    });
    section(3, this.#functions.length, (w) => {
      for (const { type } of this.#functions) w.u(type);
    });
    section(4, this.#tableSize === undefined ? 0 : 1, (w) => {
      w.bytes([FUNCREF, 0]);
      w.u(this.#tableSize ?? 0);
    });
    section(5, this.#memory === undefined ? 0 : 1, (w) => {
      w.byte(this.#memory?.maximum === undefined ? 0 : 1);
      w.u(this.#memory?.initial ?? 0);
      if (this.#memory?.maximum !== undefined) w.u(this.#memory.maximum);
    });
    section(6, this.#globals.length, (w) => {
      for (const { type, initial, mutable } of this.#globals) {
        w.byte(TYPE_CODE[type]);
        w.byte(mutable ? 1 : 0);
        if (type === 'i32') {
          w.byte(0x41);
          w.s32(Number(initial));
        } else if (type === 'v128') {
          w.bytes([0xfd, 12]);
          w.bytes(new Uint8Array(new BigInt64Array(2).fill(BigInt(initial)).buffer));
        } else {
          w.byte(0x42);
          w.s64(BigInt(initial));
        }
        w.byte(0x0b);
      }
    });
    section(7, this.#exports.length, (w) => {
      for (const { name, kind, index } of this.#exports) {
        w.text(name);
        w.byte(kind);
        w.u(index);
      }
    });
    section(9, this.#elements.length, (w) => {
      for (const { offset, functions } of this.#elements) {
        w.bytes([0, 0x41]);
        w.s32(offset);
        w.byte(0x0b);
        w.u(functions.length);
        for (const index of functions) w.u(index);
      }
    });
    section(10, this.#functions.length, (w) => {
      for (const { body } of this.#functions) {
        const code = body.encode();
        w.u(code.length);
        w.bytes(code);
      }
    });
    return out.take();
  }
}
