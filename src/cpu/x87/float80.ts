/**
 * The x87 double extended-precision format: unpacking to exact numbers and rounding exact numbers back (SDM Vol. 1,
 * 4.2.2, 4.8 and 8.5). Everything is exact integer arithmetic: a finite number is m · 2^e with a BigInt m, so results are
 * bit for bit those of the processor in every rounding and precision mode.
 *
 *     79 78 ─ 64 63 62 ─ 0
 *      S  expon. J  fraction        J: the explicit integer bit
 */

/** Status word bits (SDM Vol. 1, figure 8-4). */
export const IE = 0x01;
export const DE = 0x02;
export const ZE = 0x04;
export const OE = 0x08;
export const UE = 0x10;
export const PE = 0x20;
export const SF = 0x40;
export const C1 = 0x200;

/** A raw 80-bit value: sign and exponent, and the 64-bit significand with its integer bit. */
export interface Float80 {
  readonly se: number;
  readonly sig: bigint;
}

export type Kind = 'zero' | 'finite' | 'infinity' | 'quiet' | 'signalling' | 'unsupported';

/** A value taken apart. For `finite` it is (−1)^sign · m · 2^e exactly. */
export interface Unpacked {
  readonly kind: Kind;
  readonly sign: 0 | 1;
  readonly m: bigint;
  readonly e: number;
  /** Denormal or pseudo-denormal: raises DE when used. */
  readonly denormal: boolean;
  readonly raw: Float80;
}

const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;
export const BIAS = 16383;

export const DEFAULT_NAN: Float80 = { se: 0xffff, sig: INTEGER_BIT | QUIET_BIT };
export const infinity = (sign: number): Float80 => ({ se: (sign << 15) | 0x7fff, sig: INTEGER_BIT });
export const zero = (sign: number): Float80 => ({ se: sign << 15, sig: 0n });
export const negate = (a: Float80): Float80 => ({ se: a.se ^ 0x8000, sig: a.sig });

export const isNan = (kind: Kind): boolean => kind === 'quiet' || kind === 'signalling';

export const unpack = (raw: Float80): Unpacked => {
  const sign = (raw.se >> 15) as 0 | 1;
  const exponent = raw.se & 0x7fff;
  const { sig } = raw;
  const make = (kind: Kind, m = 0n, e = 0, denormal = false): Unpacked => ({ kind, sign, m, e, denormal, raw });
  if (exponent === 0) {
    if (sig === 0n) return make('zero');
    return make('finite', sig, 1 - BIAS - 63, true);
  }
  if ((sig & INTEGER_BIT) === 0n) return make('unsupported');
  if (exponent === 0x7fff) {
    if (sig === INTEGER_BIT) return make('infinity');
    return make((sig & QUIET_BIT) !== 0n ? 'quiet' : 'signalling');
  }
  return make('finite', sig, exponent - BIAS - 63);
};

export const bitLength = (m: bigint): number => {
  if (m < 1n << 64n) {
    const high = Number(m >> 32n);
    return high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(Number(m));
  }
  return m.toString(16).length * 4 - (Math.clz32(Number.parseInt(m.toString(16)[0], 16)) - 28);
};

/** Rounding control: to nearest even, down, up, toward zero. */
export type Rounding = 0 | 1 | 2 | 3;

/** Whether a remainder `rem` of `half · 2` moves the quotient away from zero. */
export const roundsUp = (rounding: Rounding, sign: number, odd: boolean, rem: bigint, half: bigint): boolean => {
  if (rem === 0n) return false;
  switch (rounding) {
    case 0:
      return rem > half || (rem === half && odd);
    case 1:
      return sign === 1;
    case 2:
      return sign === 0;
    case 3:
      return false;
  }
};

export interface Rounded {
  readonly value: Float80;
  /** OE, UE, PE, and C1 if the magnitude was rounded up. */
  readonly flags: number;
}

export interface Format {
  /** Significand bits: 64, 53 or 24 for registers; the same for memory formats. */
  readonly precision: number;
  /** Exponents of the largest and of the smallest normal number. */
  readonly maximum: number;
  readonly minimum: number;
  /** What the exponent is corrected by when overflow or underflow is unmasked. */
  readonly wrap: number;
}

export const EXTENDED: Format = { precision: 64, maximum: 16383, minimum: -16382, wrap: 24576 };
export const DOUBLE: Format = { precision: 53, maximum: 1023, minimum: -1022, wrap: 1536 };
export const SINGLE: Format = { precision: 24, maximum: 127, minimum: -126, wrap: 192 };

/** An exact or rounded magnitude: q · 2^e, what happened on the way, and whether it overflowed to infinity. */
export interface RoundedMagnitude {
  readonly q: bigint;
  readonly e: number;
  readonly flags: number;
  readonly overflow: 'none' | 'infinity' | 'largest';
}

/**
 * Rounds m · 2^e (m > 0) to a format. A caller whose m is not exact appends a sticky one bit. `masks` are the exception
 * masks of the control word: an unmasked overflow or underflow delivers the result with its exponent wrapped.
 */
export const roundMagnitude = (
  sign: number,
  m: bigint,
  e: number,
  format: Format,
  rounding: Rounding,
  masks: number,
): RoundedMagnitude => {
  const { precision, maximum, minimum, wrap } = format;
  const top = e + bitLength(m) - 1;
  const toUnit = (unit: number): { q: bigint; inexact: boolean; up: boolean } => {
    const shift = unit - e;
    if (shift <= 0) return { q: m << BigInt(-shift), inexact: false, up: false };
    const q = m >> BigInt(shift);
    const rem = m - (q << BigInt(shift));
    const up = roundsUp(rounding, sign, (q & 1n) === 1n, rem, 1n << BigInt(shift - 1));
    return { q: up ? q + 1n : q, inexact: rem !== 0n, up };
  };
  const unbounded = toUnit(top - precision + 1);
  const carried = bitLength(unbounded.q) > precision ? 1 : 0;
  const exponent = top + carried;
  const inexactFlags = (r: { inexact: boolean; up: boolean }): number => (r.inexact ? PE : 0) | (r.up ? C1 : 0);
  if (exponent > maximum) {
    if ((masks & OE) === 0)
      return { q: unbounded.q, e: top - precision + 1 - wrap, flags: OE | inexactFlags(unbounded), overflow: 'none' };
    const toInfinity = rounding === 0 || (rounding === 1 && sign === 1) || (rounding === 2 && sign === 0);
    return {
      q: 0n,
      e: 0,
      flags: OE | PE | (toInfinity ? C1 : 0),
      overflow: toInfinity ? 'infinity' : 'largest',
    };
  }
  if (exponent < minimum) {
    if ((masks & UE) === 0)
      return { q: unbounded.q, e: top - precision + 1 + wrap, flags: UE | inexactFlags(unbounded), overflow: 'none' };
    const unit = minimum - precision + 1;
    const tiny = toUnit(unit);
    return { q: tiny.q, e: unit, flags: inexactFlags(tiny) | (tiny.inexact ? UE : 0), overflow: 'none' };
  }
  // Tiny before rounding only: the exponent range's lower end was reached by rounding up, so it is not an underflow,
  // but the digits are those of the denormal's unit.
  if (top < minimum) {
    const unit = minimum - precision + 1;
    const edge = toUnit(unit);
    return { q: edge.q, e: unit, flags: inexactFlags(edge), overflow: 'none' };
  }
  return { q: unbounded.q, e: top - precision + 1, flags: inexactFlags(unbounded), overflow: 'none' };
};

/** Packs q · 2^e, which the extended format holds exactly. */
export const packExact = (sign: number, q: bigint, e: number): Float80 => {
  if (q === 0n) return zero(sign);
  const shift = 64 - bitLength(q);
  const sig = shift >= 0 ? q << BigInt(shift) : q >> BigInt(-shift);
  const exponent = e - shift + 63 + BIAS;
  if (exponent >= 1) return { se: (sign << 15) | exponent, sig };
  return { se: sign << 15, sig: sig >> BigInt(1 - exponent) };
};

/** Rounds to an x87 register: the precision is reduced by precision control, the exponent range never. */
export const round = (
  sign: number,
  m: bigint,
  e: number,
  precision: number,
  rounding: Rounding,
  masks: number,
): Rounded => {
  if (m === 0n) return { value: zero(sign), flags: 0 };
  const r = roundMagnitude(sign, m, e, { ...EXTENDED, precision }, rounding, masks);
  if (r.overflow === 'infinity') return { value: infinity(sign), flags: r.flags };
  if (r.overflow === 'largest') {
    const sig = ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision);
    return { value: { se: (sign << 15) | 0x7ffe, sig }, flags: r.flags };
  }
  return { value: packExact(sign, r.q, r.e), flags: r.flags };
};

/** Widens a binary32 or binary64 bit pattern. Exact; a signalling NaN is kept signalling, denormals are reported. */
export const widen = (bits: bigint, size: 32 | 64): { value: Float80; denormal: boolean } => {
  const fractionBits = size === 32 ? 23 : 52;
  const exponentMask = size === 32 ? 0xff : 0x7ff;
  const sign = Number(bits >> BigInt(size - 1)) & 1;
  const exponent = Number(bits >> BigInt(fractionBits)) & exponentMask;
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  const bias = exponentMask >> 1;
  if (exponent === exponentMask) {
    const sig = INTEGER_BIT | (fraction << BigInt(63 - fractionBits));
    return { value: { se: (sign << 15) | 0x7fff, sig }, denormal: false };
  }
  if (exponent === 0) {
    if (fraction === 0n) return { value: zero(sign), denormal: false };
    return { value: packExact(sign, fraction, 1 - bias - fractionBits), denormal: true };
  }
  const sig = INTEGER_BIT | (fraction << BigInt(63 - fractionBits));
  return { value: { se: (sign << 15) | (exponent - bias + BIAS), sig }, denormal: false };
};
