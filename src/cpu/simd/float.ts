/**
 * SSE arithmetic under MXCSR, as WebAssembly functions `float.<op>.<shape>` of two v128 operands.
 *
 * The fast path uses WebAssembly's own arithmetic and is exact, sticky flags included. It is taken when MXCSR rounds to
 * nearest with PE masked, and the operation cannot raise anything but PE: no operand is denormal, the result is finite
 * and not tiny (so that the other masks, DAZ and FTZ do not matter). If PE is not yet sticky the result must also be
 * proved exact (error-free transformations: TwoSum, Dekker's product). Everything else goes to the slow function, which
 * works through the FLOAT_* slots of the state block (cpu/state.ts) and leaves 0 in FLOAT_TRAP, or one more than the trap
 * to raise: the caller tests that word after each call and clears it when it raises the trap. SDM Vol. 1, 10.2.3 and 11.5.
 */

import type { FunctionBody } from '../../wasm/module.ts';
import { at, FLOAT_A, FLOAT_B, FLOAT_R, FLOAT_TRAP, MXCSR } from '../state.ts';
import type { FloatOp, FloatShape } from '../uops.ts';
import { slowCode } from './operations.ts';

export interface FloatEnv {
  /** Function index of the helper `simd.float`: i32 operation code → i32, −1 or a trap number. */
  readonly slow: number;
}

type LaneType = 'f32' | 'f64' | 'f32x4' | 'f64x2';

const LANE_TYPE: Record<FloatShape, LaneType> = { ss: 'f32', sd: 'f64', ps: 'f32x4', pd: 'f64x2' };
/** Smallest normal and largest finite number. */
const LIMITS = {
  f32: { least: 2 ** -126, most: (2 - 2 ** -23) * 2 ** 127 },
  f64: { least: 2 ** -1022, most: Number.MAX_VALUE },
};
/** Operands in this range keep Dekker's product free of overflow and underflow. */
const DEKKER_LEAST = 2 ** -400;
const DEKKER_MOST = 2 ** 400;
/** 2^27 + 1, which splits a binary64 number into two halves. */
const SPLITTER = 134217729;

const STICKY_PRECISION = 0x20;
/** RC and PM of MXCSR, and their value when the fast path may be taken. */
const MODE = 0x7000;
const NEAREST_MASKED = 0x1000;

/** Emits code over one lane type; truth values are i32 for scalars and lane masks for vectors. */
class Lanes {
  readonly #vector: boolean;
  readonly base: 'f32' | 'f64';

  constructor(
    readonly f: FunctionBody,
    readonly type: LaneType,
  ) {
    this.#vector = type === 'f32x4' || type === 'f64x2';
    this.base = type === 'f32' || type === 'f32x4' ? 'f32' : 'f64';
  }

  local(): number {
    return this.f.local(this.#vector ? 'v128' : (this.type as 'f32' | 'f64'));
  }

  op(name: string): this {
    this.f.op(`${this.type}.${name}`);
    return this;
  }

  get(local: number): this {
    this.f.get(local);
    return this;
  }

  set(local: number): this {
    this.f.set(local);
    return this;
  }

  constant(value: number): this {
    if (!this.#vector) {
      if (this.base === 'f32') this.f.f32(value);
      else this.f.f64(value);
      return this;
    }
    const bytes =
      this.base === 'f32'
        ? new Uint8Array(new Float32Array(4).fill(value).buffer)
        : new Uint8Array(new Float64Array(2).fill(value).buffer);
    this.f.v128(bytes);
    return this;
  }

  and(): this {
    this.f.op(this.#vector ? 'v128.and' : 'i32.and');
    return this;
  }

  or(): this {
    this.f.op(this.#vector ? 'v128.or' : 'i32.or');
    return this;
  }

  /** Turns the truth value on the stack into an i32. */
  all(): this {
    if (this.#vector) this.f.op(this.base === 'f32' ? 'i32x4.all_true' : 'i64x2.all_true');
    return this;
  }

  /** |x| compared with a constant. */
  magnitude(local: number, compare: 'ge' | 'gt' | 'le', limit: number): this {
    return this.get(local).op('abs').constant(limit).op(compare);
  }

  isZero(local: number): this {
    return this.get(local).constant(0).op('eq');
  }

  /** Neither denormal nor NaN. */
  notDenormal(local: number): this {
    return this.magnitude(local, 'ge', LIMITS[this.base].least).isZero(local).or();
  }

  finite(local: number): this {
    return this.magnitude(local, 'le', LIMITS[this.base].most);
  }

  /** Finite and certainly not tiny: strictly above the least normal number, to which a tiny result may have been rounded. */
  clearlyNormal(local: number): this {
    return this.magnitude(local, 'gt', LIMITS[this.base].least).finite(local).and();
  }

  /** Zero or well inside the exponent range. */
  moderate(local: number): this {
    return this.magnitude(local, 'ge', DEKKER_LEAST).magnitude(local, 'le', DEKKER_MOST).and().isZero(local).or();
  }
}

/** Pushes whether the operation raises nothing but possibly PE. */
function emitOrdinary(lanes: Lanes, op: FloatOp, a: number, b: number, r: number): void {
  switch (op) {
    case 'add':
    case 'sub':
      // Sums in the denormal range are exact: what is not below the least normal number was not rounded to it.
      lanes.notDenormal(a).notDenormal(b).and().finite(r).and().notDenormal(r).and();
      break;
    case 'mul':
      lanes.isZero(a).isZero(b).or().isZero(r).and();
      lanes.clearlyNormal(r).or().notDenormal(a).and().notDenormal(b).and();
      break;
    case 'div':
      lanes.isZero(a).isZero(r).and();
      lanes.clearlyNormal(r).or().notDenormal(a).and().notDenormal(b).and();
      break;
    case 'sqrt':
      lanes.notDenormal(b).finite(r).and();
      break;
    default:
      lanes.notDenormal(a).notDenormal(b).and();
  }
  lanes.all();
}

/**
 * For scalars: pushes whether all these numbers are normal and at least twice the least normal number, by their exponent
 * fields. Cheaper than `emitOrdinary`, which is asked when this says no: zeros are ordinary too.
 */
function emitClearlyNormal(lanes: Lanes, numbers: readonly number[]): void {
  const { f, base } = lanes;
  for (const [position, number] of numbers.entries()) {
    f.get(number);
    if (base === 'f32') {
      f.op('i32.reinterpret_f32').i32(0x7f80_0000).op('i32.and').i32(0x0100_0000).op('i32.sub');
      f.i32(0x7e80_0000).op('i32.lt_u');
    } else {
      f.op('i64.reinterpret_f64').i64(0x7ff0_0000_0000_0000n).op('i64.and').i64(0x0020_0000_0000_0000n).op('i64.sub');
      f.i64(0x7fd0_0000_0000_0000n).op('i64.lt_u');
    }
    if (position > 0) f.op('i32.and');
  }
}

/** Pushes whether a + b = s exactly (TwoSum; a false no is harmless, a false yes is impossible). */
function emitSumExact(lanes: Lanes, op: 'add' | 'sub', a: number, b: number, s: number): void {
  const y = lanes.local();
  const t = lanes.local();
  lanes.get(b);
  if (op === 'sub') lanes.op('neg');
  lanes.set(y);
  lanes.get(s).get(a).op('sub').set(t);
  lanes.get(a).get(s).get(t).op('sub').op('sub');
  lanes.get(y).get(t).op('sub').op('add').constant(0).op('eq').all();
}

/** Pushes whether x · y = product exactly and without rounding, for binary64 lanes (Dekker). */
function emitProductExact(lanes: Lanes, x: number, y: number, product: number): void {
  const [high, low] = [
    [lanes.local(), lanes.local()],
    [lanes.local(), lanes.local()],
  ];
  const p = lanes.local();
  const split = (value: number, [h, l]: number[]): void => {
    lanes.get(value).constant(SPLITTER).op('mul').set(h);
    lanes.get(h).get(h).get(value).op('sub').op('sub').set(h);
    lanes.get(value).get(h).op('sub').set(l);
  };
  split(x, high);
  split(y, low);
  const [xh, xl] = high;
  const [yh, yl] = low;
  lanes.get(x).get(y).op('mul').set(p);
  lanes.get(xl).get(yl).op('mul');
  lanes.get(p).get(xh).get(yh).op('mul').op('sub');
  lanes.get(xl).get(yh).op('mul').op('sub');
  lanes.get(xh).get(yl).op('mul').op('sub');
  lanes.op('sub').constant(0).op('eq');
  lanes.get(p).get(product).op('eq').and();
  lanes.moderate(x).and().moderate(y).and().moderate(product).and().all();
}

/** Pushes whether x · y = product exactly, for binary32 lanes: their products are exact in binary64. */
function emitSingleProductExact(lanes: Lanes, x: number, y: number, product: number): void {
  const f = lanes.f;
  if (lanes.type === 'f32') {
    f.get(x).op('f64.promote_f32').get(y).op('f64.promote_f32').op('f64.mul');
    f.get(product).op('f64.promote_f32').op('f64.eq');
    return;
  }
  const half = (upper: boolean): void => {
    for (const [position, local] of [x, y, product].entries()) {
      f.get(local);
      if (upper) f.get(local).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
      f.op('f64x2.promote_low_f32x4');
      if (position === 1) f.op('f64x2.mul');
    }
    f.op('f64x2.eq');
  };
  half(false);
  half(true);
  f.op('v128.and').op('i64x2.all_true');
}

function emitExact(lanes: Lanes, op: FloatOp, a: number, b: number, r: number): void {
  const product = lanes.base === 'f32' ? emitSingleProductExact : emitProductExact;
  if (op === 'add' || op === 'sub') emitSumExact(lanes, op, a, b, r);
  else if (op === 'mul') product(lanes, a, b, r);
  else if (op === 'div') product(lanes, r, b, a);
  else product(lanes, r, r, b);
}

/** Stores the operands, calls the slow function and pushes its result. */
function emitSlow(f: FunctionBody, env: FloatEnv, code: number): void {
  f.i32(at(FLOAT_A)).get(0).mem('v128.store');
  f.i32(at(FLOAT_B)).get(1).mem('v128.store');
  f.i32(at(FLOAT_TRAP)).i32(code).call(env.slow).i32(1).op('i32.add').mem('i32.store');
  f.i32(at(FLOAT_R)).mem('v128.load');
}

function emitFloat(f: FunctionBody, env: FloatEnv, op: FloatOp, shape: FloatShape): void {
  const type = LANE_TYPE[shape];
  const scalar = shape === 'ss' || shape === 'sd';
  const lanes = new Lanes(f, type);
  const rounded = op !== 'min' && op !== 'max';
  const mxcsr = f.local('i32');
  const r = lanes.local();
  let a = 0;
  let b = 1;
  f.block();
  if (rounded)
    f.i32(at(MXCSR)).mem('i32.load').tee(mxcsr).i32(MODE).op('i32.and').i32(NEAREST_MASKED).op('i32.ne').brIf(0);
  if (scalar) {
    const vector = shape === 'ss' ? 'f32x4' : 'f64x2';
    a = lanes.local();
    b = lanes.local();
    f.get(0).lane(`${vector}.extract_lane`, 0).set(a);
    f.get(1).lane(`${vector}.extract_lane`, 0).set(b);
  }
  if (op === 'sqrt') lanes.get(b).op('sqrt').set(r);
  else if (!rounded) {
    // a < b ? a : b and a > b ? a : b: the second operand when neither holds.
    if (scalar)
      lanes
        .get(a)
        .get(b)
        .get(a)
        .get(b)
        .op(op === 'min' ? 'lt' : 'gt');
    if (scalar) f.op('select').set(r);
    else lanes.get(b).get(a).op(`p${op}`).set(r);
  } else lanes.get(a).get(b).op(op).set(r);
  if (scalar && rounded) {
    emitClearlyNormal(lanes, op === 'sqrt' ? [b, r] : [a, b, r]);
    f.op('i32.eqz').if();
    emitOrdinary(lanes, op, a, b, r);
    f.op('i32.eqz').brIf(1).end();
  } else {
    emitOrdinary(lanes, op, a, b, r);
    f.op('i32.eqz').brIf(0);
  }
  if (rounded) {
    f.get(mxcsr).i32(STICKY_PRECISION).op('i32.and').op('i32.eqz').if();
    emitExact(lanes, op, a, b, r);
    f.op('i32.eqz').brIf(1);
    f.end();
  }
  if (scalar)
    f.get(0)
      .get(r)
      .lane(`${shape === 'ss' ? 'f32x4' : 'f64x2'}.replace_lane`, 0);
  else f.get(r);
  f.return().end();
  emitSlow(f, env, slowCode(`${op}.${shape}`));
}

const OPS: readonly FloatOp[] = ['add', 'sub', 'mul', 'div', 'sqrt', 'min', 'max'];
const SHAPES: readonly FloatShape[] = ['ss', 'ps', 'sd', 'pd'];

/** The body of each function, by name; parameters are two v128, the result one. */
export const floatFunctions: Record<string, (f: FunctionBody, env: FloatEnv) => void> = Object.fromEntries(
  OPS.flatMap((op) =>
    SHAPES.map((shape) => [`float.${op}.${shape}`, (f: FunctionBody, env: FloatEnv) => emitFloat(f, env, op, shape)]),
  ),
);
