/**
 * Binary32 and binary64 arithmetic on bit patterns, exact in every rounding mode, with the exception flags of SSE
 * (SDM Vol. 1, 11.5; IEEE 754-2008). Numbers are BigInt bit patterns; a `FloatContext` carries the controls of one
 * instruction and collects its flags. Tininess is detected after rounding.
 *
 * This is the slow path: code where the host's own arithmetic would do never comes here.
 */

export const IE = 1;
export const DE = 2;
export const ZE = 4;
export const OE = 8;
export const UE = 16;
export const PE = 32;

export const NEAREST = 0;
export const DOWN = 1;
export const UP = 2;
export const TRUNCATE = 3;

export interface Format {
  /** Bits of the significand with the hidden one. */
  readonly precision: number;
  readonly bias: number;
  readonly bits: bigint;
  /** The sign bit, the exponent field, the quiet bit, the fraction field. */
  readonly sign: bigint;
  readonly infinity: bigint;
  readonly quiet: bigint;
  readonly fraction: bigint;
  readonly defaultNaN: bigint;
}

const format = (precision: number, exponentBits: number): Format => {
  const fraction = (1n << BigInt(precision - 1)) - 1n;
  const sign = 1n << BigInt(precision - 1 + exponentBits);
  const infinity = sign - 1n - fraction;
  const quiet = 1n << BigInt(precision - 2);
  return {
    precision,
    bias: 2 ** (exponentBits - 1) - 1,
    bits: BigInt(precision + exponentBits),
    sign,
    infinity,
    quiet,
    fraction,
    defaultNaN: sign | infinity | quiet,
  };
};

export const BINARY32 = format(24, 8);
export const BINARY64 = format(53, 11);

/** Controls and flags of one instruction. */
export class FloatContext {
  flags = 0;
  readonly daz: boolean;
  readonly rounding: number;
  readonly overflowMasked: boolean;
  readonly underflowMasked: boolean;
  readonly ftz: boolean;

  constructor(mxcsr: number) {
    this.daz = (mxcsr & 0x40) !== 0;
    this.rounding = (mxcsr >> 13) & 3;
    this.overflowMasked = (mxcsr & 0x400) !== 0;
    this.underflowMasked = (mxcsr & 0x800) !== 0;
    this.ftz = (mxcsr & 0x8000) !== 0 && this.underflowMasked;
  }
}

export const isNotNumber = (f: Format, x: bigint): boolean => (x & (f.sign - 1n)) > f.infinity;
const isSignaling = (f: Format, x: bigint): boolean => isNotNumber(f, x) && (x & f.quiet) === 0n;
const isInfinite = (f: Format, x: bigint): boolean => (x & (f.sign - 1n)) === f.infinity;
const isZero = (f: Format, x: bigint): boolean => (x & (f.sign - 1n)) === 0n;
const isDenormal = (f: Format, x: bigint): boolean => (x & f.infinity) === 0n && (x & f.fraction) !== 0n;
const isNegative = (f: Format, x: bigint): boolean => (x & f.sign) !== 0n;

/** Zero in place of a denormal if DAZ says so. */
const flushed = (f: Format, c: FloatContext, x: bigint): bigint => (c.daz && isDenormal(f, x) ? x & f.sign : x);

/** The result of an operation with a NaN operand: the first operand that is one, quieted. */
function propagate(f: Format, c: FloatContext, a: bigint, b: bigint): bigint {
  if (isSignaling(f, a) || isSignaling(f, b)) c.flags |= IE;
  return (isNotNumber(f, a) ? a : b) | f.quiet;
}

function invalid(f: Format, c: FloatContext): bigint {
  c.flags |= IE;
  return f.defaultNaN;
}

function noteDenormals(f: Format, c: FloatContext, a: bigint, b: bigint): void {
  if (isDenormal(f, a) || isDenormal(f, b)) c.flags |= DE;
}

/** A finite number as significand · 2^exponent. */
interface Parts {
  readonly significand: bigint;
  readonly exponent: number;
}

function parts(f: Format, x: bigint): Parts {
  const field = Number((x & f.infinity) >> BigInt(f.precision - 1));
  const low = x & f.fraction;
  if (field === 0) return { significand: low, exponent: 2 - f.bias - f.precision };
  return { significand: low | (f.fraction + 1n), exponent: field + 1 - f.bias - f.precision };
}

const scratch = new DataView(new ArrayBuffer(8));

/** Bits of x > 0. */
function bitLength(x: bigint): number {
  const approximate = Number(x);
  if (approximate === Number.POSITIVE_INFINITY) return x.toString(2).length;
  scratch.setFloat64(0, approximate);
  const high = scratch.getUint32(0);
  const top = (high >>> 20) - 1023;
  // A power of two may have been rounded up to.
  if ((high & 0xf_ffff) === 0 && scratch.getUint32(4) === 0 && x >> BigInt(top) === 0n) return top;
  return top + 1;
}

/** Whether a magnitude with these dropped bits (2·half = one unit) rounds away from zero. */
function roundsUp(rounding: number, negative: boolean, odd: boolean, dropped: bigint, half: bigint): boolean {
  if (dropped === 0n) return false;
  if (rounding === NEAREST) return dropped > half || (dropped === half && odd);
  return rounding === (negative ? DOWN : UP);
}

/** Whether the low `drop` bits are zero. */
const isMultiple = (significand: bigint, drop: number): boolean =>
  drop <= 0 || (significand & ((1n << BigInt(drop)) - 1n)) === 0n;

/** `significand` without its low `drop` bits, rounded. */
function shiftRounded(rounding: number, negative: boolean, significand: bigint, drop: number): bigint {
  if (drop <= 0) return significand << BigInt(-drop);
  const shift = BigInt(drop);
  const kept = significand >> shift;
  const dropped = significand - (kept << shift);
  return kept + (roundsUp(rounding, negative, (kept & 1n) !== 0n, dropped, 1n << (shift - 1n)) ? 1n : 0n);
}

/**
 * Rounds (−1)^negative · significand · 2^exponent to the format. The significand is positive; if it stands for more bits
 * than it has, its lowest bit is set (sticky) and it is at least two bits longer than the precision.
 */
export function pack(f: Format, c: FloatContext, negative: boolean, significand: bigint, exponent: number): bigint {
  const signBit = negative ? f.sign : 0n;
  const length = bitLength(significand);
  const least = 1 - f.bias;
  let top = exponent + length - 1;
  let drop = length - f.precision;
  if (top < least) {
    const unbounded = shiftRounded(c.rounding, negative, significand, drop);
    const representable = isMultiple(significand, drop);
    const tiny = top < least - 1 || unbounded >> BigInt(f.precision) === 0n;
    drop += least - top;
    const exact = isMultiple(significand, drop);
    if (tiny && c.ftz) {
      c.flags |= UE | PE;
      return signBit;
    }
    if (tiny && (!exact || !c.underflowMasked)) c.flags |= UE;
    // Unmasked underflow and overflow judge precision as if the exponent had no bounds.
    if (tiny && !c.underflowMasked ? !representable : !exact) c.flags |= PE;
    return signBit | shiftRounded(c.rounding, negative, significand, drop);
  }
  let rounded = shiftRounded(c.rounding, negative, significand, drop);
  if (!isMultiple(significand, drop)) c.flags |= PE;
  if (rounded >> BigInt(f.precision) !== 0n) {
    rounded >>= 1n;
    top++;
  }
  if (top > f.bias) {
    c.flags |= c.overflowMasked ? OE | PE : OE;
    const toInfinity = c.rounding === NEAREST || c.rounding === (negative ? DOWN : UP);
    return signBit | (toInfinity ? f.infinity : f.infinity - 1n);
  }
  return signBit | (BigInt(top + f.bias) << BigInt(f.precision - 1)) | (rounded & f.fraction);
}

/** a + b, or a − b. */
export function add(f: Format, c: FloatContext, a: bigint, b: bigint, subtract = false): bigint {
  if (isNotNumber(f, a) || isNotNumber(f, b)) return propagate(f, c, a, b);
  a = flushed(f, c, a);
  b = flushed(f, c, b);
  if (subtract) b ^= f.sign;
  if (isInfinite(f, a) && isInfinite(f, b) && a !== b) return invalid(f, c);
  noteDenormals(f, c, a, b);
  if (isInfinite(f, a)) return a;
  if (isInfinite(f, b)) return b;
  if (isZero(f, a) && isZero(f, b)) return a === b ? a : c.rounding === DOWN ? f.sign : 0n;
  const x = parts(f, a);
  const y = parts(f, b);
  const exponent = Math.min(x.exponent, y.exponent);
  const left = x.significand << BigInt(x.exponent - exponent);
  const right = y.significand << BigInt(y.exponent - exponent);
  const sum = (isNegative(f, a) ? -left : left) + (isNegative(f, b) ? -right : right);
  if (sum === 0n) return c.rounding === DOWN ? f.sign : 0n;
  return pack(f, c, sum < 0n, sum < 0n ? -sum : sum, exponent);
}

export function multiply(f: Format, c: FloatContext, a: bigint, b: bigint): bigint {
  if (isNotNumber(f, a) || isNotNumber(f, b)) return propagate(f, c, a, b);
  a = flushed(f, c, a);
  b = flushed(f, c, b);
  const sign = (a ^ b) & f.sign;
  if ((isInfinite(f, a) && isZero(f, b)) || (isZero(f, a) && isInfinite(f, b))) return invalid(f, c);
  noteDenormals(f, c, a, b);
  if (isInfinite(f, a) || isInfinite(f, b)) return sign | f.infinity;
  if (isZero(f, a) || isZero(f, b)) return sign;
  const x = parts(f, a);
  const y = parts(f, b);
  return pack(f, c, sign !== 0n, x.significand * y.significand, x.exponent + y.exponent);
}

export function divide(f: Format, c: FloatContext, a: bigint, b: bigint): bigint {
  if (isNotNumber(f, a) || isNotNumber(f, b)) return propagate(f, c, a, b);
  a = flushed(f, c, a);
  b = flushed(f, c, b);
  const sign = (a ^ b) & f.sign;
  if ((isInfinite(f, a) && isInfinite(f, b)) || (isZero(f, a) && isZero(f, b))) return invalid(f, c);
  if (isZero(f, b) && !isInfinite(f, a)) {
    c.flags |= ZE;
    return sign | f.infinity;
  }
  noteDenormals(f, c, a, b);
  if (isInfinite(f, a)) return sign | f.infinity;
  if (isZero(f, a) || isInfinite(f, b)) return sign;
  const x = parts(f, a);
  const y = parts(f, b);
  // Precision + 3 bits of quotient at least, whatever the lengths of the significands.
  const shift = 2 * f.precision + 3;
  const dividend = x.significand << BigInt(shift);
  const quotient = dividend / y.significand;
  const sticky = quotient * y.significand === dividend ? 0n : 1n;
  return pack(f, c, sign !== 0n, (quotient << 1n) | sticky, x.exponent - y.exponent - shift - 1);
}

/** The integer square root of 0 < x < 2^1000: Newton's iteration, downwards from a close estimate that is not below it. */
function integerRoot(x: bigint): bigint {
  let root = BigInt(Math.ceil(Math.sqrt(Number(x)) * (1 + 2 ** -50))) + 1n;
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function squareRoot(f: Format, c: FloatContext, a: bigint): bigint {
  if (isNotNumber(f, a)) return propagate(f, c, a, a);
  a = flushed(f, c, a);
  if (isZero(f, a)) return a;
  if (isNegative(f, a)) return invalid(f, c);
  noteDenormals(f, c, a, a);
  if (isInfinite(f, a)) return a;
  let { significand, exponent } = parts(f, a);
  let shift = 2 * f.precision + 6;
  if (((exponent - shift) & 1) !== 0) shift++;
  significand <<= BigInt(shift);
  exponent -= shift;
  const root = integerRoot(significand);
  const sticky = root * root === significand ? 0n : 1n;
  return pack(f, c, false, (root << 1n) | sticky, exponent / 2 - 1);
}

/** A number that orders non-NaN patterns as their values; both zeros are 0. */
const order = (f: Format, x: bigint): bigint => (isNegative(f, x) ? -(x & (f.sign - 1n)) : x);

/** MIN and MAX: the second operand if either is a NaN or both are zero; any NaN is invalid. */
export function extreme(f: Format, c: FloatContext, a: bigint, b: bigint, greater: boolean): bigint {
  if (isNotNumber(f, a) || isNotNumber(f, b)) {
    c.flags |= IE;
    return isNotNumber(f, b) ? b : flushed(f, c, b);
  }
  a = flushed(f, c, a);
  b = flushed(f, c, b);
  noteDenormals(f, c, a, b);
  const difference = order(f, a) - order(f, b);
  return (greater ? difference > 0n : difference < 0n) ? a : b;
}

/** −1, 0, 1, or 2 for unordered. `signaling`: a quiet NaN is invalid too. */
export function compare(f: Format, c: FloatContext, a: bigint, b: bigint, signaling: boolean): number {
  if (isNotNumber(f, a) || isNotNumber(f, b)) {
    if (signaling || isSignaling(f, a) || isSignaling(f, b)) c.flags |= IE;
    return 2;
  }
  a = flushed(f, c, a);
  b = flushed(f, c, b);
  noteDenormals(f, c, a, b);
  const difference = order(f, a) - order(f, b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Rounds a finite number to an integer with its sign apart. */
function integral(f: Format, rounding: number, x: bigint): { magnitude: bigint; exact: boolean } {
  const { significand, exponent } = parts(f, x);
  if (exponent >= 0) return { magnitude: significand << BigInt(exponent), exact: true };
  const magnitude = shiftRounded(rounding, isNegative(f, x), significand, -exponent);
  return { magnitude, exact: magnitude << BigInt(-exponent) === significand };
}

/** To a signed integer of so many bits, as an unsigned pattern; the integer indefinite value if it does not fit. */
export function toInteger(f: Format, c: FloatContext, a: bigint, bits: 32 | 64, rounding = c.rounding): bigint {
  const indefinite = 1n << BigInt(bits - 1);
  a = flushed(f, c, a);
  if (!isNotNumber(f, a) && !isInfinite(f, a)) {
    const { magnitude, exact } = integral(f, rounding, a);
    const value = isNegative(f, a) ? -magnitude : magnitude;
    if (value >= -indefinite && value < indefinite) {
      if (!exact) c.flags |= PE;
      return BigInt.asUintN(bits, value);
    }
  }
  c.flags |= IE;
  return indefinite;
}

/** From a signed integer. */
export function fromInteger(f: Format, c: FloatContext, value: bigint): bigint {
  if (value === 0n) return 0n;
  return pack(f, c, value < 0n, value < 0n ? -value : value, 0);
}

/** Between the two formats. */
export function convert(from: Format, to: Format, c: FloatContext, a: bigint): bigint {
  const negative = isNegative(from, a);
  const signBit = negative ? to.sign : 0n;
  if (isNotNumber(from, a)) {
    if (isSignaling(from, a)) c.flags |= IE;
    const shift = BigInt(to.precision - from.precision);
    const payload = shift > 0n ? (a & from.fraction) << shift : (a & from.fraction) >> -shift;
    return signBit | to.infinity | to.quiet | payload;
  }
  a = flushed(from, c, a);
  noteDenormals(from, c, a, a);
  if (isInfinite(from, a)) return signBit | to.infinity;
  if (isZero(from, a)) return signBit;
  const { significand, exponent } = parts(from, a);
  return pack(to, c, negative, significand, exponent);
}

/** To an integral value in the same format (ROUNDPS and its kin). */
export function roundToIntegral(f: Format, c: FloatContext, a: bigint, rounding: number, silent: boolean): bigint {
  if (isNotNumber(f, a)) return propagate(f, c, a, a);
  a = flushed(f, c, a);
  if (isInfinite(f, a) || isZero(f, a)) return a;
  const { magnitude, exact } = integral(f, rounding, a);
  if (!exact && !silent) c.flags |= PE;
  if (magnitude === 0n) return a & f.sign;
  return pack(f, c, isNegative(f, a), magnitude, 0);
}
