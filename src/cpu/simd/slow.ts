/**
 * The slow path of SSE arithmetic: one instruction's floating-point work on the FLOAT_* slots of the state block, lane by
 * lane with simd/softfloat.ts. Sets the sticky flags of MXCSR. Answers −1, or the #XM trap with FLOAT_R unspecified.
 *
 * Of the exceptions of all lanes, invalid, denormal and divide-by-zero are found before anything is computed: if one of
 * them is unmasked, overflow, underflow and precision are not reported (SDM Vol. 1, 11.5.1).
 */
import { Trap } from '../engine.ts';
import { NO_TRAP } from '../helpers.ts';
import { FLOAT_A, FLOAT_B, FLOAT_R, MXCSR } from '../state.ts';
import { SLOW_OPERATIONS } from './operations.ts';
import * as soft from './softfloat.ts';
import { BINARY32, BINARY64, type FloatContext, type Format } from './softfloat.ts';

type Operation = (state: DataView, c: FloatContext) => void;
type Lane = (f: Format, c: FloatContext, a: bigint, b: bigint) => bigint;

const read = (state: DataView, offset: number, bits: bigint | number): bigint =>
  Number(bits) === 32 ? BigInt(state.getUint32(offset, true)) : state.getBigUint64(offset, true);

const write = (state: DataView, offset: number, bits: bigint | number, value: bigint): void => {
  if (Number(bits) === 32) state.setUint32(offset, Number(value), true);
  else state.setBigUint64(offset, value, true);
};

/** Copies A to R, for the lanes that the operation leaves. */
function keep(state: DataView): void {
  state.setBigUint64(FLOAT_R, state.getBigUint64(FLOAT_A, true), true);
  state.setBigUint64(FLOAT_R + 8, state.getBigUint64(FLOAT_A + 8, true), true);
}

const SHAPES = {
  ss: { format: BINARY32, lanes: 1 },
  ps: { format: BINARY32, lanes: 4 },
  sd: { format: BINARY64, lanes: 1 },
  pd: { format: BINARY64, lanes: 2 },
};
type Shape = keyof typeof SHAPES;

/** An operation on corresponding lanes of A and B. `immediate` is what stood in R. */
const lanewise =
  (shape: Shape, lane: (f: Format, c: FloatContext, a: bigint, b: bigint, immediate: number) => bigint): Operation =>
  (state, c) => {
    const { format, lanes } = SHAPES[shape];
    const size = Number(format.bits) / 8;
    const immediate = state.getUint32(FLOAT_R, true);
    keep(state);
    for (let i = 0; i < lanes; i++) {
      const at = i * size;
      const result = lane(
        format,
        c,
        read(state, FLOAT_A + at, format.bits),
        read(state, FLOAT_B + at, format.bits),
        immediate,
      );
      write(state, FLOAT_R + at, format.bits, result);
    }
  };

const ARITHMETIC: Record<string, Lane> = {
  add: (f, c, a, b) => soft.add(f, c, a, b),
  sub: (f, c, a, b) => soft.add(f, c, a, b, true),
  mul: soft.multiply,
  div: soft.divide,
  sqrt: (f, c, _a, b) => soft.squareRoot(f, c, b),
  min: (f, c, a, b) => soft.extreme(f, c, a, b, false),
  max: (f, c, a, b) => soft.extreme(f, c, a, b, true),
};

/** CMPccPS predicates 0–7: bit 2 negates; LT and LE raise invalid for quiet NaNs. Order is −1, 0, 1 or 2 (unordered). */
function predicate(f: Format, c: FloatContext, a: bigint, b: bigint, code: number): bigint {
  const kind = code & 3;
  const order = soft.compare(f, c, a, b, kind === 1 || kind === 2);
  const holds = [order === 0, order === -1, order === -1 || order === 0, order === 2][kind];
  return holds !== ((code & 4) !== 0) ? (1n << f.bits) - 1n : 0n;
}

function round(f: Format, c: FloatContext, _a: bigint, b: bigint, immediate: number): bigint {
  const rounding = (immediate & 4) !== 0 ? c.rounding : immediate & 3;
  return soft.roundToIntegral(f, c, b, rounding, (immediate & 8) !== 0);
}

/** COMISS and its kin: R is the order of A and B, −1, 0, 1 or 2 as an i32. */
const ordering =
  (f: Format, signaling: boolean): Operation =>
  (state, c) => {
    const order = soft.compare(f, c, read(state, FLOAT_A, f.bits), read(state, FLOAT_B, f.bits), signaling);
    state.setInt32(FLOAT_R, order, true);
  };

/** A conversion of `lanes` elements of B, elements of the given sizes in bits; the rest of R is zero. */
const conversion =
  (lanes: number, from: number, to: number, lane: (c: FloatContext, b: bigint) => bigint): Operation =>
  (state, c) => {
    state.setBigUint64(FLOAT_R, 0n, true);
    state.setBigUint64(FLOAT_R + 8, 0n, true);
    for (let i = 0; i < lanes; i++) {
      write(state, FLOAT_R + (i * to) / 8, to, lane(c, read(state, FLOAT_B + (i * from) / 8, from)));
    }
  };

const resize = (lanes: number, from: Format, to: Format): Operation =>
  conversion(lanes, Number(from.bits), Number(to.bits), (c, b) => soft.convert(from, to, c, b));

const fromIntegers = (lanes: number, bits: 32 | 64, to: Format): Operation =>
  conversion(lanes, bits, Number(to.bits), (c, b) => soft.fromInteger(to, c, BigInt.asIntN(bits, b)));

const toIntegers = (lanes: number, from: Format, bits: 32 | 64, truncate: boolean): Operation =>
  conversion(lanes, Number(from.bits), bits, (c, b) =>
    soft.toInteger(from, c, b, bits, truncate ? soft.TRUNCATE : c.rounding),
  );

const shapes = Object.keys(SHAPES) as Shape[];
const OPERATIONS: Record<string, Operation> = {
  ...Object.fromEntries(
    Object.entries(ARITHMETIC).flatMap(([name, lane]) => shapes.map((s) => [`${name}.${s}`, lanewise(s, lane)])),
  ),
  ...Object.fromEntries(shapes.map((s) => [`cmp.${s}`, lanewise(s, predicate)])),
  ...Object.fromEntries(shapes.map((s) => [`round.${s}`, lanewise(s, round)])),
  comiss: ordering(BINARY32, true),
  ucomiss: ordering(BINARY32, false),
  comisd: ordering(BINARY64, true),
  ucomisd: ordering(BINARY64, false),
  cvtss2sd: resize(1, BINARY32, BINARY64),
  cvtps2pd: resize(2, BINARY32, BINARY64),
  cvtsd2ss: resize(1, BINARY64, BINARY32),
  cvtpd2ps: resize(2, BINARY64, BINARY32),
  cvtdq2ps: fromIntegers(4, 32, BINARY32),
  cvtpi2ps: fromIntegers(2, 32, BINARY32),
  'cvtsi2ss.32': fromIntegers(1, 32, BINARY32),
  'cvtsi2ss.64': fromIntegers(1, 64, BINARY32),
  'cvtsi2sd.64': fromIntegers(1, 64, BINARY64),
  cvtps2dq: toIntegers(4, BINARY32, 32, false),
  cvttps2dq: toIntegers(4, BINARY32, 32, true),
  cvtps2pi: toIntegers(2, BINARY32, 32, false),
  cvttps2pi: toIntegers(2, BINARY32, 32, true),
  cvtpd2dq: toIntegers(2, BINARY64, 32, false),
  cvttpd2dq: toIntegers(2, BINARY64, 32, true),
  'cvtss2si.32': toIntegers(1, BINARY32, 32, false),
  'cvttss2si.32': toIntegers(1, BINARY32, 32, true),
  'cvtss2si.64': toIntegers(1, BINARY32, 64, false),
  'cvttss2si.64': toIntegers(1, BINARY32, 64, true),
  'cvtsd2si.32': toIntegers(1, BINARY64, 32, false),
  'cvttsd2si.32': toIntegers(1, BINARY64, 32, true),
  'cvtsd2si.64': toIntegers(1, BINARY64, 64, false),
  'cvttsd2si.64': toIntegers(1, BINARY64, 64, true),
};

const BY_CODE: readonly Operation[] = SLOW_OPERATIONS.map((name) => {
  const operation = OPERATIONS[name];
  if (operation === undefined) throw new Error(`floating-point operation ${name} has no meaning`);
  return operation;
});

const BEFORE = soft.IE | soft.DE | soft.ZE;

/** Runs one operation by its code (simd/operations.ts). */
export function runSlow(state: DataView, code: number): number {
  const mxcsr = state.getUint32(MXCSR, true);
  const context = new soft.FloatContext(mxcsr);
  BY_CODE[code](state, context);
  const unmasked = ~(mxcsr >> 7) & 0x3f;
  let { flags } = context;
  if ((flags & BEFORE & unmasked) !== 0) flags &= BEFORE;
  state.setUint32(MXCSR, mxcsr | flags, true);
  return (flags & unmasked) === 0 ? NO_TRAP : Trap.SimdException;
}
