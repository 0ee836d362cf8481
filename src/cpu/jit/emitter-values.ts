/**
 * Micro-operations on values, with what is known at translation time folded: constants, and how many low bits of an
 * integer may be set. First layer of the translator's `Uops`; temporaries are WebAssembly locals that are reused from
 * instruction to instruction.
 *
 * Labels: every `block`, `loop` and `if` goes through `open` and `close`, so that a branch can name its destination.
 */
import type { ValueType } from '../../wasm/module.ts';
import { SymbolicBody } from '../interpreter/body.ts';
import { resultType } from '../interpreter/values.ts';
import { at } from '../state.ts';
import type { CompareOp, IntegerOp, Value, Variable, Width } from '../uops.ts';
import { foldVector } from './constant-vectors.ts';

/** Parameters of a region: record, horizon, number of the entry. */
export const REGION_PARAMS: readonly ValueType[] = ['i32', 'i32', 'i32'];

/** A value that several addresses of a block are computed from. Numbered as they come up, the same in both passes. */
export interface Root {
  readonly number: number;
}

export class Temp implements Value, Variable {
  /** Guest register whose local this value is, as long as the register keeps it. */
  register = -1;
  /** Register an address was computed from: selects the page cache. */
  key = -1;
  /** Vectors: shapes in which its elements are known to be zero or normal numbers (emitter-float.ts). */
  regular = 0;
  /** A constant vector. */
  bytes: readonly number[] | undefined;
  /** The integer is that value plus `offset`. */
  root: Root | undefined;
  offset = 0;

  constructor(
    readonly type: ValueType,
    public local: number,
    readonly constant: bigint | undefined,
    /** Integers: bits at and above this are clear. */
    readonly bits: number,
  ) {}
}

/** The lift asks for something that translated code leaves to the interpreter. */
export class Unsupported extends Error {}

export const sizeOf = (value: bigint): number => (value < 0n ? 64 : value.toString(2).length);

const MAX_OFFSET = 0x1_0000n;

const FOLD: Partial<Record<IntegerOp, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & 63n),
  shr_u: (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
  shr_s: (a, b) => a >> (b & 63n),
};

const FOLD_COMPARE: Record<CompareOp, (a: bigint, b: bigint) => boolean> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt_s: (a, b) => a < b,
  gt_s: (a, b) => a > b,
  le_s: (a, b) => a <= b,
  ge_s: (a, b) => a >= b,
  lt_u: (a, b) => BigInt.asUintN(64, a) < BigInt.asUintN(64, b),
  gt_u: (a, b) => BigInt.asUintN(64, a) > BigInt.asUintN(64, b),
  le_u: (a, b) => BigInt.asUintN(64, a) <= BigInt.asUintN(64, b),
  ge_u: (a, b) => BigInt.asUintN(64, a) >= BigInt.asUintN(64, b),
};

const FOLD_I32: Record<string, (a: number, b: number) => number> = {
  'i32.and': (a, b) => a & b,
  'i32.or': (a, b) => a | b,
  'i32.xor': (a, b) => a ^ b,
  'i32.add': (a, b) => (a + b) | 0,
  'i32.sub': (a, b) => (a - b) | 0,
  'i32.mul': (a, b) => Math.imul(a, b),
  'i32.shl': (a, b) => a << b,
  'i32.shr_u': (a, b) => (a >>> b) | 0,
  'i32.eq': (a, b) => Number(a === b),
  'i32.ne': (a, b) => Number(a !== b),
  'i32.lt_u': (a, b) => Number(a >>> 0 < b >>> 0),
  'i32.gt_u': (a, b) => Number(a >>> 0 > b >>> 0),
};

export class ValueLayer {
  readonly f = new SymbolicBody(REGION_PARAMS, ['i32']);
  readonly #pool: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };
  /** Values of this instruction that still stand for a guest register. */
  protected aliases: Temp[] = [];
  readonly #labels: unknown[] = [];

  /** Forgets all temporaries: a new instruction begins. */
  protected recycle(): void {
    for (const type of Object.keys(this.#used) as ValueType[]) this.#used[type] = 0;
    this.aliases.length = 0;
  }

  protected temporary(type: ValueType): number {
    const pool = this.#pool[type];
    const n = this.#used[type]++;
    if (n === pool.length) pool.push(this.f.local(type));
    return pool[n];
  }

  // ── Labels ──────────────────────────────────────────────────────────────────────────────────────────────────────
  open(kind: 'block' | 'loop' | 'if', label: unknown = undefined): void {
    this.f[kind]();
    this.#labels.push(label);
  }

  close(): void {
    this.f.end();
    this.#labels.pop();
  }

  /** Depth operand of a branch to the innermost construct with this label. */
  depthOf(label: unknown): number {
    const position = this.#labels.lastIndexOf(label);
    if (position < 0) throw new Error('branch to a label that is not open');
    return this.#labels.length - 1 - position;
  }

  // ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────
  push(value: Value): SymbolicBody {
    const { type, local, constant, bytes } = value as Temp;
    if (bytes !== undefined) this.f.v128(bytes);
    else if (constant === undefined) this.f.get(local);
    else if (type === 'i32') this.f.i32(Number(constant));
    else this.f.i64(constant);
    return this.f;
  }

  /** Takes the top of the stack as a new value. */
  define(type: ValueType, bits = 64): Temp {
    const local = this.temporary(type);
    this.f.set(local);
    return new Temp(type, local, undefined, bits);
  }

  stateAddress(offset: number): void {
    this.f.i32(at(offset) | 0);
  }

  constant(value: bigint | number): Temp {
    const folded = BigInt.asIntN(64, BigInt(value));
    return new Temp('i64', -1, folded, sizeOf(folded));
  }

  protected truth(value: boolean | number): Temp {
    return new Temp('i32', -1, BigInt(Number(value)), 32);
  }

  integer(op: IntegerOp, x: Value, y: Value): Value {
    const a = x as Temp;
    const b = y as Temp;
    if (a.constant !== undefined && b.constant !== undefined) {
      const fold = FOLD[op];
      if (fold !== undefined) return this.constant(fold(a.constant, b.constant));
    }
    if (b.constant === 0n && op !== 'mul' && op !== 'and' && op in FOLD) return a;
    if (a.constant === 0n && (op === 'add' || op === 'or' || op === 'xor')) return b;
    this.push(a);
    this.push(b);
    this.f.op(`i64.${op}`);
    let bits = 64;
    if (op === 'and') bits = Math.min(a.bits, b.bits);
    else if (op === 'or' || op === 'xor') bits = Math.max(a.bits, b.bits);
    else if (op === 'add') bits = Math.min(64, Math.max(a.bits, b.bits) + 1);
    else if (op === 'mul') bits = Math.min(64, a.bits + b.bits);
    else if (op === 'div_u' || op === 'rem_u') bits = a.bits;
    else if (op === 'shr_u') bits = b.constant === undefined ? a.bits : Math.max(0, a.bits - Number(b.constant & 63n));
    else if (op === 'shl' && b.constant !== undefined) bits = Math.min(64, a.bits + Number(b.constant & 63n));
    const result = this.define('i64', bits);
    if (op === 'add' || op === 'sub') {
      result.key = a.key >= 0 ? a.key : b.key;
      const by = b.constant;
      if (a.root !== undefined && by !== undefined && by > -MAX_OFFSET && by < MAX_OFFSET) {
        result.root = a.root;
        result.offset = a.offset + (op === 'add' ? Number(by) : -Number(by));
      }
    }
    return result;
  }

  compare(op: CompareOp, x: Value, y: Value): Value {
    const a = x as Temp;
    const b = y as Temp;
    if (a.constant !== undefined && b.constant !== undefined)
      return this.truth(FOLD_COMPARE[op](a.constant, b.constant));
    this.push(a);
    if (b.constant === 0n && op === 'eq') this.f.op('i64.eqz');
    else this.push(b).op(`i64.${op}`);
    return this.define('i32');
  }

  count(op: 'clz' | 'ctz' | 'popcnt', a: Value): Value {
    this.push(a).op(`i64.${op}`);
    return this.define('i64', 7);
  }

  truncate(a: Value, width: Width): Value {
    const { constant, bits } = a as Temp;
    if (bits <= width) return a;
    if (constant !== undefined) return this.constant(BigInt.asUintN(width, constant));
    this.push(a);
    if (width === 32) this.f.op('i32.wrap_i64').op('i64.extend_i32_u');
    else this.f.i64(width === 8 ? 0xff : 0xffff).op('i64.and');
    return this.define('i64', width);
  }

  signExtend(a: Value, width: Width): Value {
    const { constant, bits } = a as Temp;
    if (width === 64 || bits < width) return a;
    if (constant !== undefined) return this.constant(BigInt.asIntN(width, constant));
    this.push(a).op(`i64.extend${width}_s`);
    return this.define('i64');
  }

  /** Inline, so that nothing is computed where only flags that nobody reads depend on it. */
  multiplyHigh(signed: boolean, a: Value, b: Value): Value {
    const { f } = this;
    const half = (value: Value, upper: boolean): void => {
      this.push(value);
      if (upper) f.i64(32).op('i64.shr_u');
      else f.i64(0xffff_ffff).op('i64.and');
    };
    const product = (upperA: boolean, upperB: boolean): void => {
      half(a, upperA);
      half(b, upperB);
      f.op('i64.mul');
    };
    product(true, false);
    product(false, false);
    f.i64(32).op('i64.shr_u').op('i64.add');
    const t = this.define('i64');
    product(false, true);
    half(t, false);
    f.op('i64.add');
    const w = this.define('i64');
    product(true, true);
    half(t, true);
    f.op('i64.add');
    half(w, true);
    f.op('i64.add');
    if (signed) {
      this.push(a).i64(63).op('i64.shr_s');
      this.push(b).op('i64.and').op('i64.sub');
      this.push(b).i64(63).op('i64.shr_s');
      this.push(a).op('i64.and').op('i64.sub');
    }
    return this.define('i64');
  }

  fromBool(a: Value): Value {
    const { constant } = a as Temp;
    if (constant !== undefined) return this.constant(constant === 0n ? 0 : 1);
    this.push(a).op('i64.extend_i32_u');
    return this.define('i64', 1);
  }

  toBool(a: Value): Value {
    const { constant, bits } = a as Temp;
    if (constant !== undefined) return this.truth(constant !== 0n);
    if (bits <= 1) this.push(a).op('i32.wrap_i64');
    else this.push(a).i64(0).op('i64.ne');
    return this.define('i32');
  }

  not(a: Value): Value {
    const { constant, type } = a as Temp;
    if (constant !== undefined) return type === 'i32' ? this.truth(constant === 0n) : this.constant(~constant);
    if (type === 'i32') this.push(a).op('i32.eqz');
    else this.push(a).i64(-1).op('i64.xor');
    return this.define(type);
  }

  select(condition: Value, x: Value, y: Value): Value {
    const { constant } = condition as Temp;
    if (constant !== undefined) return constant !== 0n ? x : y;
    const a = x as Temp;
    const b = y as Temp;
    if (a.type === 'v128') {
      this.push(condition);
      this.f.if('v128');
      this.push(a);
      this.f.else();
      this.push(b);
      this.f.end();
      return this.define('v128');
    }
    this.push(a);
    this.push(b);
    this.push(condition).op('select');
    return this.define(a.type, Math.max(a.bits, b.bits));
  }

  // ── Vectors ─────────────────────────────────────────────────────────────────────────────────────────────────────
  wasm(name: string, ...operands: Value[]): Value {
    const constants = operands.map((operand) => (operand as Temp).constant);
    if (constants.every((constant) => constant !== undefined)) {
      if (name === 'i32.wrap_i64') return this.truth(Number(BigInt.asIntN(32, constants[0]!)));
      if (name === 'i64.extend_i32_u') return this.constant(BigInt.asUintN(32, constants[0]!));
      if (name === 'i32.eqz') return this.truth(constants[0] === 0n);
      const fold = FOLD_I32[name];
      if (fold !== undefined) return this.truth(fold(Number(constants[0]), Number(constants[1])));
    }
    const vectors = operands.map((operand) => (operand as Temp).bytes ?? (operand as Temp).constant);
    if (vectors.every((vector) => vector !== undefined)) {
      const folded = foldVector(name, vectors);
      if (folded !== undefined) return this.vectorConstant(folded);
    }
    const same = this.#ofEqual(name, operands);
    if (same !== undefined) return this.vectorConstant(same);
    const indices = vectors[1];
    if (name === 'i8x16.swizzle' && typeof indices === 'object') return this.#permute(operands[0], indices);
    for (const operand of operands) this.push(operand);
    this.f.op(name);
    return this.define(resultType(name), name === 'i64.extend_i32_u' ? 32 : 64);
  }

  /** A swizzle by constants; an index out of range gives zero. */
  #permute(v: Value, indices: readonly number[]): Value {
    if (indices.every((index) => index < 16)) return this.shuffle(v, v, indices);
    this.push(v);
    this.f.v128(indices.map((index) => (index < 16 ? index : 0x80))).op('i8x16.swizzle');
    return this.define('v128');
  }

  /** What two equal vectors give, if that is a constant. */
  #ofEqual(name: string, [a, b]: readonly Value[]): readonly number[] | undefined {
    if (b === undefined || a.type !== 'v128' || (a as Temp).local < 0 || (a as Temp).local !== (b as Temp).local)
      return;
    if (name === 'v128.xor' || /^i\w+\.sub$/.test(name)) return new Array<number>(16).fill(0);
    return /^i\w+\.eq$/.test(name) ? new Array<number>(16).fill(0xff) : undefined;
  }

  lane(name: string, lane: number, ...operands: Value[]): Value {
    for (const operand of operands) this.push(operand);
    this.f.lane(name, lane);
    return this.define(resultType(name));
  }

  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    this.push(a);
    this.push(b);
    this.f.shuffle(lanes);
    return this.define('v128');
  }

  vectorConstant(bytes: readonly number[]): Value {
    const value = new Temp('v128', -1, undefined, 64);
    value.bytes = bytes;
    if (bytes.every((byte) => byte === 0)) value.regular = 0xf;
    return value;
  }

  // ── Variables ───────────────────────────────────────────────────────────────────────────────────────────────────
  variable(initial: Value): Variable {
    this.push(initial);
    return this.define(initial.type);
  }

  get(variable: Variable): Value {
    this.f.get((variable as Temp).local);
    return this.define(variable.type);
  }

  set(variable: Variable, value: Value): void {
    this.push(value).set((variable as Temp).local);
  }
}
