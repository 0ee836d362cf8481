/**
 * x87 transcendental instructions, computed in fixed point with far more bits than the format has and rounded once: the
 * result is the correctly rounded one in nearly every case, within the processor's stated error of one unit always
 * (SDM Vol. 1, 8.3.10). PE is raised unless the result is exact.
 *
 * Fixed-point numbers carry `BITS` fraction bits.
 */

import { type Control, propagate } from './arithmetic.ts';
import {
  bitLength,
  DE,
  DEFAULT_NAN,
  type Float80,
  IE,
  infinity,
  isNan,
  PE,
  packExact,
  type Rounded,
  round,
  type Unpacked,
  unpack,
  ZE,
  zero,
} from './float80.ts';

const BITS = 200;
const B = BigInt(BITS);
const ONE = 1n << B;

const mul = (a: bigint, b: bigint): bigint => (a * b) >> B;
const div = (a: bigint, b: bigint): bigint => (a << B) / b;

/** 2·atanh(z) for |z| ≤ 0.2: logarithms come from it. */
const twiceAtanh = (z: bigint): bigint => {
  const z2 = mul(z, z);
  let term = z;
  let sum = 0n;
  for (let k = 1n; term !== 0n; k += 2n) {
    sum += term / k;
    term = mul(term, z2);
    if (term === -1n) break;
  }
  return sum * 2n;
};

const LN2 = twiceAtanh(ONE / 3n);

/** Arc tangent of a fixed-point number in [0, 1]. */
const atanUnit = (x: bigint): bigint => {
  // Three halvings by atan(x) = 2·atan(x / (1 + sqrt(1 + x²))).
  let reduced = x;
  for (let i = 0; i < 3; i++) {
    const root = sqrtFixed(ONE + mul(reduced, reduced));
    reduced = div(reduced, ONE + root);
  }
  const square = mul(reduced, reduced);
  let term = reduced;
  let sum = 0n;
  for (let k = 1n, sign = 1n; term !== 0n; k += 2n, sign = -sign) {
    sum += (sign * term) / k;
    term = mul(term, square);
  }
  return sum * 8n;
};

const sqrtFixed = (x: bigint): bigint => {
  const n = x << B;
  let r = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (r + n / r) >> 1n;
    if (next >= r) return r;
    r = next;
  }
};

const PI = atanUnit(ONE) * 4n;

/**
 * Arguments are reduced by a π of 66 significant bits, as processors do (SDM Vol. 1, 8.3.8): for large arguments the result
 * differs from the mathematical one, and programs see what they see on hardware.
 */
const REDUCTION_BITS = 400;
const HALF_PI = 0xc90f_daa2_2168_c234_cn << BigInt(REDUCTION_BITS - 67);

/** e^x for a fixed-point x of small magnitude. */
const expFixed = (x: bigint): bigint => {
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = mul(term, x) / k;
    sum += term;
  }
  return sum;
};

const sinFixed = (x: bigint): bigint => {
  const square = mul(x, x);
  let term = x;
  let sum = x;
  for (let k = 2n; term !== 0n && term !== -1n; k += 2n) {
    term = -mul(term, square) / (k * (k + 1n));
    sum += term;
  }
  return sum;
};

const cosFixed = (x: bigint): bigint => {
  const square = mul(x, x);
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    term = -mul(term, square) / (k * (k + 1n));
    sum += term;
  }
  return sum;
};

/** A finite value as fixed point; its magnitude must be below 2^70. */
const toFixed = (a: Unpacked): bigint => {
  if (a.kind !== 'finite') return 0n;
  const shift = a.e + BITS;
  const m = shift >= 0 ? a.m << BigInt(shift) : a.m >> BigInt(-shift);
  return a.sign === 1 ? -m : m;
};

/** Rounds an inexact fixed-point result. */
const fromFixed = (value: bigint, e: number, c: Control): Rounded => {
  const sign = value < 0n ? 1 : 0;
  const m = ((value < 0n ? -value : value) << 1n) | 1n;
  return round(sign, m, e - BITS - 1, 64, c.rounding, c.masks);
};

/** x·(1 − ε) or x·(1 + ε) for tiny x, where the next term of the series is far below the last bit. */
const nearly = (a: Unpacked, smaller: boolean, c: Control): Rounded =>
  round(a.sign, (a.m << 80n) + (smaller ? -1n : 1n), a.e - 80, 64, c.rounding, c.masks);

const topExponent = (a: Unpacked): number => a.e + bitLength(a.m) - 1;

const one = (a: Unpacked): Rounded | undefined => {
  if (a.kind === 'unsupported') return { value: DEFAULT_NAN, flags: IE };
  if (isNan(a.kind))
    return { value: { se: a.raw.se, sig: a.raw.sig | (1n << 62n) }, flags: a.kind === 'signalling' ? IE : 0 };
  return undefined;
};

const withFlags = (r: Rounded, flags: number): Rounded => ({ value: r.value, flags: r.flags | flags });

export interface Trigonometric {
  readonly sin: Rounded;
  readonly cos: Rounded;
  readonly tan: Rounded;
  /** C2: the argument is out of range (|x| ≥ 2^63) and nothing was computed. */
  readonly outOfRange: boolean;
}

/** FSIN, FCOS, FSINCOS and FPTAN in one: sine, cosine and tangent of x. */
export const trigonometric = (x: Float80, c: Control): Trigonometric => {
  const a = unpack(x);
  const all = (r: Rounded): Trigonometric => ({ sin: r, cos: r, tan: r, outOfRange: false });
  const nan = one(a);
  if (nan !== undefined) return all(nan);
  if (a.kind === 'infinity') return all({ value: DEFAULT_NAN, flags: IE });
  const flags = a.denormal ? DE : 0;
  const unit: Rounded = { value: packExact(0, 1n, 0), flags: 0 };
  if (a.kind === 'zero')
    return { sin: { value: x, flags: 0 }, cos: unit, tan: { value: x, flags: 0 }, outOfRange: false };
  if (topExponent(a) >= 63) return { ...all({ value: x, flags: 0 }), outOfRange: true };
  if (topExponent(a) < -70) {
    const below = round(0, (1n << 80n) - 1n, -80, 64, c.rounding, c.masks);
    return {
      sin: withFlags(nearly(a, true, c), flags),
      cos: withFlags(below, flags),
      tan: withFlags(nearly(a, false, c), flags),
      outOfRange: false,
    };
  }
  // Reduce to [−π/4, π/4] keeping relative precision near multiples of π/2.
  const shift = a.e + REDUCTION_BITS;
  const wide = shift >= 0 ? a.m << BigInt(shift) : a.m >> BigInt(-shift);
  const quadrant = (wide + (HALF_PI >> 1n)) / HALF_PI;
  const rest = (wide - quadrant * HALF_PI) >> BigInt(REDUCTION_BITS - BITS);
  const s = sinFixed(rest);
  const k = cosFixed(rest);
  const [sine, cosine] = [
    [s, k],
    [k, -s],
    [-s, -k],
    [-k, s],
  ][Number(quadrant & 3n)];
  const sign = a.sign === 1 ? -1n : 1n;
  return {
    sin: withFlags(fromFixed(sign * sine, 0, c), flags),
    cos: withFlags(fromFixed(cosine, 0, c), flags),
    tan: withFlags(fromFixed(sign * div(sine, cosine), 0, c), flags),
    outOfRange: false,
  };
};

/** F2XM1: 2^x − 1 for −1 ≤ x ≤ 1; outside that range the processor's result is undefined, here x. */
export const exponential = (x: Float80, c: Control): Rounded => {
  const a = unpack(x);
  const nan = one(a);
  if (nan !== undefined) return nan;
  if (a.kind === 'zero') return { value: x, flags: 0 };
  if (a.kind === 'infinity') return { value: a.sign === 1 ? packExact(1, 1n, 0) : x, flags: 0 };
  const flags = a.denormal ? DE : 0;
  const top = topExponent(a);
  if (top > 0 || (top === 0 && a.m !== 1n << BigInt(bitLength(a.m) - 1))) return { value: x, flags: flags | PE };
  if (top === 0) return { value: a.sign === 1 ? packExact(1, 1n, -1) : x, flags: flags | PE };
  if (top < -100) {
    // x·ln 2
    const r = round(a.sign, ((a.m * LN2) << 1n) | 1n, a.e - BITS - 1, 64, c.rounding, c.masks);
    return withFlags(r, flags);
  }
  // Scale small arguments up so that the result keeps its relative precision.
  const value = expFixed(mul(toFixed(a), LN2)) - ONE;
  return withFlags(fromFixed(value, 0, c), flags);
};

/** log2 of a positive finite value, as fixed point with extra relative precision near 1. */
const log2Fixed = (a: Unpacked): bigint => {
  const length = bitLength(a.m);
  let m = a.m << BigInt(BITS - (length - 1));
  let exponent = a.e + length - 1;
  if (m > (ONE * 3n) / 2n) {
    m >>= 1n;
    exponent++;
  }
  const natural = twiceAtanh(div(m - ONE, m + ONE));
  return BigInt(exponent) * ONE + div(natural, LN2);
};

/** The product y · f of an operand and a fixed-point factor, rounded. `f` is inexact unless told otherwise. */
const times = (y: Unpacked, f: bigint, exact: boolean, c: Control, flags: number): Rounded => {
  const sign = y.sign ^ (f < 0n ? 1 : 0);
  const magnitude = y.m * (f < 0n ? -f : f);
  const m = exact ? magnitude : (magnitude << 1n) | 1n;
  const r = round(sign, m, y.e - BITS - (exact ? 0 : 1), 64, c.rounding, c.masks);
  return withFlags(r, flags);
};

const invalid: Rounded = { value: DEFAULT_NAN, flags: IE };

/** FYL2X: y · log2(x). */
export const logarithm = (x: Float80, y: Float80, c: Control): Rounded => {
  const a = unpack(x);
  const b = unpack(y);
  if (isNan(a.kind) || isNan(b.kind) || a.kind === 'unsupported' || b.kind === 'unsupported') return propagate(b, a);
  if (a.sign === 1 && a.kind !== 'zero') return invalid;
  const flags = (a.denormal ? DE : 0) | (b.denormal ? DE : 0);
  if (a.kind === 'infinity') return b.kind === 'zero' ? invalid : { value: infinity(b.sign), flags };
  if (a.kind === 'zero') {
    if (b.kind === 'zero') return invalid;
    if (b.kind === 'infinity') return { value: infinity(b.sign ^ 1), flags };
    return { value: infinity(b.sign ^ 1), flags: ZE };
  }
  const powerOfTwo = a.m === 1n << BigInt(bitLength(a.m) - 1);
  const exponent = topExponent(a);
  if (powerOfTwo && exponent === 0) {
    if (b.kind === 'infinity') return invalid;
    return { value: zero(b.sign), flags };
  }
  const negative = exponent < 0 ? 1 : 0;
  if (b.kind === 'infinity') return { value: infinity(b.sign ^ negative), flags };
  if (b.kind === 'zero') return { value: zero(b.sign ^ negative), flags };
  if (powerOfTwo) return times(b, BigInt(exponent) * ONE, true, c, flags);
  return times(b, log2Fixed(a), false, c, flags);
};

/** FYL2XP1: y · log2(x + 1), accurate for small x. */
export const logarithmPlusOne = (x: Float80, y: Float80, c: Control): Rounded => {
  const a = unpack(x);
  const b = unpack(y);
  if (isNan(a.kind) || isNan(b.kind) || a.kind === 'unsupported' || b.kind === 'unsupported') return propagate(b, a);
  const flags = (a.denormal ? DE : 0) | (b.denormal ? DE : 0);
  if (a.kind === 'zero') return b.kind === 'infinity' ? invalid : { value: zero(a.sign ^ b.sign), flags };
  if (a.kind === 'infinity') return a.sign === 1 || b.kind === 'zero' ? invalid : { value: infinity(b.sign), flags };
  const fixed = topExponent(a) < 70 ? toFixed(a) : 0n;
  if (a.sign === 1 && (topExponent(a) >= 1 || fixed <= -ONE)) return invalid;
  if (b.kind === 'infinity') return { value: infinity(a.sign ^ b.sign), flags };
  if (b.kind === 'zero') return { value: zero(a.sign ^ b.sign), flags };
  if (topExponent(a) < -100) {
    // x / ln 2 · y: the next term is beyond the last bit.
    const reciprocal = div(ONE, LN2);
    const r = round(
      a.sign ^ b.sign,
      ((a.m * b.m * reciprocal) << 1n) | 1n,
      a.e + b.e - BITS - 1,
      64,
      c.rounding,
      c.masks,
    );
    return withFlags(r, flags);
  }
  if (topExponent(a) >= 70) return times(b, log2Fixed(a), false, c, flags);
  const z = div(fixed, 2n * ONE + fixed);
  const magnitude = z < 0n ? -z : z;
  // Outside the small range fall back on the general logarithm of 1 + x.
  const log = magnitude < ONE / 5n ? div(twiceAtanh(z), LN2) : log2Fixed({ ...a, sign: 0, m: fixed + ONE, e: -BITS });
  return times(b, log, false, c, flags);
};

/** FPATAN: the angle of the point (x, y), in all four quadrants. */
export const arcTangent = (y: Float80, x: Float80, c: Control): Rounded => {
  const a = unpack(y);
  const b = unpack(x);
  if (isNan(a.kind) || isNan(b.kind) || a.kind === 'unsupported' || b.kind === 'unsupported') return propagate(a, b);
  const flags = (a.denormal ? DE : 0) | (b.denormal ? DE : 0);
  const angle = (value: bigint): Rounded => withFlags(fromFixed(a.sign === 1 ? -value : value, 0, c), flags);
  if (a.kind === 'infinity') {
    if (b.kind === 'infinity') return angle(b.sign === 1 ? (PI * 3n) / 4n : PI / 4n);
    return angle(PI / 2n);
  }
  if (b.kind === 'infinity' || a.kind === 'zero') {
    if (b.sign === 1) return angle(PI);
    return { value: zero(a.sign), flags };
  }
  if (b.kind === 'zero') return angle(PI / 2n);
  const gap = topExponent(a) - topExponent(b);
  if (gap > 120) return angle(PI / 2n - (b.sign === 1 ? -1n : 1n));
  if (gap < -90) {
    if (b.sign === 1) return angle(PI - 1n);
    // y / x, a hair below.
    const q = (a.m << 200n) / b.m;
    return withFlags(round(a.sign, (q << 1n) - 1n, a.e - b.e - 201, 64, c.rounding, c.masks), flags);
  }
  const e = Math.min(a.e, b.e);
  const ma = a.m << BigInt(a.e - e);
  const mb = b.m << BigInt(b.e - e);
  const acute = ma <= mb ? atanUnit((ma << B) / mb) : PI / 2n - atanUnit((mb << B) / ma);
  return angle(b.sign === 1 ? PI - acute : acute);
};
