/**
 * x87 arithmetic on raw 80-bit values: each operation gives the masked response and the exceptions it raised (SDM Vol. 1,
 * 8.5, and the tables of the instructions). Whether an unmasked exception keeps the result back is decided by unit.ts.
 */
import {
  bitLength,
  C1,
  DE,
  DEFAULT_NAN,
  EXTENDED,
  type Float80,
  IE,
  infinity,
  isNan,
  PE,
  packExact,
  type Rounded,
  type Rounding,
  round,
  roundsUp,
  type Unpacked,
  unpack,
  ZE,
  zero,
} from './float80.ts';

/** How to round: precision in bits, direction, and the exception masks (they change the result of over- and underflow). */
export interface Control {
  readonly precision: number;
  readonly rounding: Rounding;
  readonly masks: number;
}

const QUIET_BIT = 1n << 62n;
const { wrap: WRAP, maximum: MAXIMUM } = EXTENDED;
const quiet = (a: Float80): Float80 => ({ se: a.se, sig: a.sig | QUIET_BIT });
const invalid: Rounded = { value: DEFAULT_NAN, flags: IE };

/** The NaN that an operation on `a` and `b` delivers, at least one being a NaN or unsupported (SDM Vol. 1, table 4-7). */
export const propagate = (a: Unpacked, b: Unpacked): Rounded => {
  if (a.kind === 'unsupported' || b.kind === 'unsupported') return invalid;
  const flags = a.kind === 'signalling' || b.kind === 'signalling' ? IE : 0;
  const larger = (): Float80 => {
    if (a.raw.sig !== b.raw.sig) return a.raw.sig > b.raw.sig ? a.raw : b.raw;
    return a.sign < b.sign ? a.raw : b.raw;
  };
  let chosen: Float80;
  if (!isNan(b.kind)) chosen = a.raw;
  else if (!isNan(a.kind)) chosen = b.raw;
  else if (a.kind === b.kind) chosen = a.kind === 'signalling' ? largerQuiet(a, b) : larger();
  else chosen = a.kind === 'quiet' ? a.raw : b.raw;
  return { value: quiet(chosen), flags };
};

const largerQuiet = (a: Unpacked, b: Unpacked): Float80 => {
  if (a.raw.sig !== b.raw.sig) return a.raw.sig > b.raw.sig ? a.raw : b.raw;
  return a.sign < b.sign ? a.raw : b.raw;
};

/** One-operand version. */
const propagateOne = (a: Unpacked): Rounded => {
  if (a.kind === 'unsupported') return invalid;
  return { value: quiet(a.raw), flags: a.kind === 'signalling' ? IE : 0 };
};

const special = (a: Unpacked): boolean => a.kind === 'unsupported' || isNan(a.kind);
const denormals = (...operands: Unpacked[]): number => (operands.some((x) => x.denormal) ? DE : 0);

const withFlags = (r: Rounded, flags: number): Rounded =>
  flags === 0 ? r : { value: r.value, flags: r.flags | flags };

export const add = (x: Float80, y: Float80, control: Control): Rounded => {
  const a = unpack(x);
  const b = unpack(y);
  if (special(a) || special(b)) return propagate(a, b);
  if (a.kind === 'infinity') {
    if (b.kind === 'infinity' && a.sign !== b.sign) return invalid;
    return { value: x, flags: denormals(b) };
  }
  if (b.kind === 'infinity') return { value: y, flags: denormals(a) };
  const flags = denormals(a, b);
  const cancelled = control.rounding === 1 ? 1 : 0;
  if (a.kind === 'zero' && b.kind === 'zero') return { value: zero(a.sign === b.sign ? a.sign : cancelled), flags: 0 };
  // A far smaller operand only matters as a sticky bit: keeps the shift bounded.
  const [ma, ea] = [a.m, a.e];
  const [mb, eb] = [b.m, b.e];
  let sum: bigint;
  let e: number;
  const signed = (m: bigint, sign: number): bigint => (sign === 1 ? -m : m);
  if (a.kind === 'zero') return withFlags(roundSigned(signed(mb, b.sign), eb, control, cancelled), flags);
  if (b.kind === 'zero') return withFlags(roundSigned(signed(ma, a.sign), ea, control, cancelled), flags);
  const gap = ea - eb;
  if (gap > 140 || gap < -140) {
    const [big, small, be] = gap > 0 ? [a, b, ea] : [b, a, eb];
    sum = (signed(big.m, big.sign) << 70n) + (small.sign === 1 ? -1n : 1n);
    e = be - 70;
  } else {
    e = Math.min(ea, eb);
    sum = (signed(ma, a.sign) << BigInt(ea - e)) + (signed(mb, b.sign) << BigInt(eb - e));
  }
  return withFlags(roundSigned(sum, e, control, cancelled), flags);
};

const roundSigned = (value: bigint, e: number, c: Control, zeroSign: number): Rounded => {
  if (value === 0n) return { value: zero(zeroSign), flags: 0 };
  const sign = value < 0n ? 1 : 0;
  return round(sign, value < 0n ? -value : value, e, c.precision, c.rounding, c.masks);
};

export const subtract = (x: Float80, y: Float80, control: Control): Rounded => {
  const b = unpack(y);
  if (special(b) || special(unpack(x))) return propagate(unpack(x), b);
  return add(x, { se: y.se ^ 0x8000, sig: y.sig }, control);
};

export const multiply = (x: Float80, y: Float80, c: Control): Rounded => {
  const a = unpack(x);
  const b = unpack(y);
  if (special(a) || special(b)) return propagate(a, b);
  const sign = a.sign ^ b.sign;
  if (a.kind === 'infinity' || b.kind === 'infinity') {
    if (a.kind === 'zero' || b.kind === 'zero') return invalid;
    return { value: infinity(sign), flags: denormals(a, b) };
  }
  const flags = denormals(a, b);
  if (a.kind === 'zero' || b.kind === 'zero') return { value: zero(sign), flags };
  return withFlags(round(sign, a.m * b.m, a.e + b.e, c.precision, c.rounding, c.masks), flags);
};

export const divide = (x: Float80, y: Float80, c: Control): Rounded => {
  const a = unpack(x);
  const b = unpack(y);
  if (special(a) || special(b)) return propagate(a, b);
  const sign = a.sign ^ b.sign;
  if (a.kind === 'infinity') return b.kind === 'infinity' ? invalid : { value: infinity(sign), flags: denormals(b) };
  if (b.kind === 'infinity') return { value: zero(sign), flags: denormals(a) };
  if (b.kind === 'zero') return a.kind === 'zero' ? invalid : { value: infinity(sign), flags: ZE };
  const flags = denormals(a, b);
  if (a.kind === 'zero') return { value: zero(sign), flags };
  const shift = BigInt(68 + Math.max(0, bitLength(b.m) - bitLength(a.m)));
  const numerator = a.m << shift;
  const q = numerator / b.m;
  const sticky = q * b.m !== numerator ? 1n : 0n;
  return withFlags(
    round(sign, (q << 1n) | sticky, a.e - b.e - Number(shift) - 1, c.precision, c.rounding, c.masks),
    flags,
  );
};

/** Integer square root by Newton's method. */
export const integerSqrt = (n: bigint): bigint => {
  if (n < 2n) return n;
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
};

export const squareRoot = (x: Float80, c: Control): Rounded => {
  const a = unpack(x);
  if (special(a)) return propagateOne(a);
  if (a.kind === 'zero') return { value: x, flags: 0 };
  if (a.sign === 1) return invalid;
  if (a.kind === 'infinity') return { value: x, flags: 0 };
  let shift = 140 - bitLength(a.m);
  if (((a.e - shift) & 1) !== 0) shift++;
  const m = a.m << BigInt(shift);
  const root = integerSqrt(m);
  const sticky = root * root !== m ? 1n : 0n;
  return withFlags(
    round(0, (root << 1n) | sticky, (a.e - shift) / 2 - 1, c.precision, c.rounding, c.masks),
    denormals(a),
  );
};

export interface Comparison {
  /** C3, C2, C0 as in the status word: greater 0, less 0x100, equal 0x4000, unordered 0x4500. */
  readonly codes: number;
  readonly flags: number;
}

export const UNORDERED = 0x4500;

/** FCOM (`quietNan` false: any NaN is invalid) and FUCOM. */
export const compare = (x: Float80, y: Float80, quietNan: boolean): Comparison => {
  const a = unpack(x);
  const b = unpack(y);
  if (special(a) || special(b)) {
    const signalling = [a, b].some((v) => v.kind === 'signalling' || v.kind === 'unsupported');
    return { codes: UNORDERED, flags: signalling || !quietNan ? IE : 0 };
  }
  const flags = denormals(a, b);
  const order = orderOf(a, b);
  return { codes: order < 0 ? 0x100 : order === 0 ? 0x4000 : 0, flags };
};

const orderOf = (a: Unpacked, b: Unpacked): number => {
  if (a.kind === 'zero' && b.kind === 'zero') return 0;
  const signed = (v: Unpacked): number => (v.kind === 'zero' ? 0 : v.sign === 1 ? -1 : 1);
  if (signed(a) !== signed(b)) return signed(a) < signed(b) ? -1 : 1;
  const direction = signed(a);
  if (a.kind === 'infinity' || b.kind === 'infinity')
    return a.kind === b.kind ? 0 : a.kind === 'infinity' ? direction : -direction;
  const e = Math.min(a.e, b.e);
  const ma = a.m << BigInt(a.e - e);
  const mb = b.m << BigInt(b.e - e);
  return ma === mb ? 0 : ma > mb ? direction : -direction;
};

/** FRNDINT: to an integral value in the rounding direction. */
export const roundToInteger = (x: Float80, rounding: Rounding): Rounded => {
  const a = unpack(x);
  if (special(a)) return propagateOne(a);
  if (a.kind !== 'finite' || a.e >= 0) return { value: x, flags: 0 };
  const r = toIntegerMagnitude(a, rounding);
  return { value: packExact(a.sign, r.q, 0), flags: r.flags | denormals(a) };
};

/** The magnitude of a finite value rounded to an integer, with PE and C1. */
export const toIntegerMagnitude = (a: Unpacked, rounding: Rounding): { q: bigint; flags: number } => {
  if (a.e >= 0) return { q: a.m << BigInt(a.e), flags: 0 };
  const shift = BigInt(Math.min(-a.e, 200));
  const q = a.m >> shift;
  const rem = a.m - (q << shift);
  const up = roundsUp(rounding, a.sign, (q & 1n) === 1n, rem, 1n << (shift - 1n));
  return { q: up ? q + 1n : q, flags: (rem !== 0n ? PE : 0) | (up ? C1 : 0) };
};

/** FSCALE: x · 2^trunc(y). */
export const scale = (x: Float80, y: Float80, c: Control): Rounded => {
  const a = unpack(x);
  const b = unpack(y);
  if (special(a) || special(b)) return propagate(a, b);
  if (b.kind === 'infinity') {
    if (b.sign === 0) {
      if (a.kind === 'zero') return invalid;
      return { value: infinity(a.sign), flags: denormals(a) };
    }
    if (a.kind === 'infinity') return invalid;
    return { value: zero(a.sign), flags: denormals(a) };
  }
  const flags = denormals(a, b);
  if (a.kind === 'infinity' || a.kind === 'zero') return { value: x, flags };
  const whole = toIntegerMagnitude(b, 3).q;
  const bounded = whole > 0x1_0000n ? 0x1_0000 : Number(whole);
  const by = b.kind === 'zero' ? 0 : b.sign === 1 ? -bounded : bounded;
  // Too far for a wrapped exponent: the masked response, whatever the masks say.
  const top = a.e + by + bitLength(a.m) - 1;
  const far = top - WRAP > MAXIMUM || top + WRAP < 1 - MAXIMUM;
  return withFlags(round(a.sign, a.m, a.e + by, 64, c.rounding, far ? 0x3f : c.masks), flags);
};

export interface Extracted {
  readonly exponent: Float80;
  readonly significand: Float80;
  readonly flags: number;
}

/** FXTRACT. */
export const extract = (x: Float80): Extracted => {
  const a = unpack(x);
  if (special(a)) {
    const r = propagateOne(a);
    return { exponent: r.value, significand: r.value, flags: r.flags };
  }
  if (a.kind === 'infinity') return { exponent: infinity(0), significand: x, flags: 0 };
  if (a.kind === 'zero') return { exponent: infinity(1), significand: x, flags: ZE };
  const length = bitLength(a.m);
  const exponent = a.e + length - 1;
  return {
    exponent: exponent === 0 ? zero(0) : packExact(exponent < 0 ? 1 : 0, BigInt(Math.abs(exponent)), 0),
    significand: packExact(a.sign, a.m, -(length - 1)),
    flags: denormals(a),
  };
};

export interface Remainder extends Rounded {
  /** C0, C1, C2, C3 in their status word positions; undefined if there is no quotient. */
  readonly codes: number | undefined;
}

/** FPREM (`nearest` false) and FPREM1: partial remainder with the low quotient bits, or C2 if it must be repeated. */
export const remainder = (x: Float80, y: Float80, nearest: boolean, c: Control): Remainder => {
  const a = unpack(x);
  const b = unpack(y);
  if (special(a) || special(b)) return { ...propagate(a, b), codes: undefined };
  if (a.kind === 'infinity' || b.kind === 'zero') return { ...invalid, codes: undefined };
  const flags = denormals(a, b);
  if (a.kind === 'zero') return { value: x, flags, codes: 0 };
  const top = (v: Unpacked): number => v.e + bitLength(v.m) - 1;
  const distance = top(a) - top(b);
  const finish = (m: bigint, e: number, sign: number, codes: number): Remainder => {
    if (m === 0n) return { value: zero(a.sign), flags, codes };
    const r = round(sign, m, e, 64, c.rounding, c.masks);
    return { value: r.value, flags: flags | r.flags, codes };
  };
  if (b.kind === 'infinity') return finish(a.m, a.e, a.sign, 0);
  if (distance >= 64) {
    const n = (distance & 0x1f) | 0x20;
    const shift = distance - n;
    // The divisor scaled by 2^(D−N): an exact partial remainder with the same sign.
    const be = b.e + shift;
    const e = Math.min(a.e, be);
    const ma = a.m << BigInt(a.e - e);
    const mb = b.m << BigInt(be - e);
    return finish(ma % mb, e, a.sign, 0x400);
  }
  const e = Math.min(a.e, b.e);
  if (distance < -1) return finish(a.m, a.e, a.sign, 0);
  const ma = a.m << BigInt(a.e - e);
  const mb = b.m << BigInt(b.e - e);
  let q = ma / mb;
  let rem = ma - q * mb;
  let sign: number = a.sign;
  if (nearest && (rem * 2n > mb || (rem * 2n === mb && (q & 1n) === 1n))) {
    q += 1n;
    rem = mb - rem;
    sign ^= 1;
  }
  const low = Number(q & 7n);
  const codes = ((low & 4) << 6) | ((low & 2) << 13) | ((low & 1) << 9);
  return finish(rem, e, sign, codes);
};
