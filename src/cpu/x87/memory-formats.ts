/** Conversions between registers and the memory formats of x87: integers, packed decimal, binary32 and binary64 (SDM Vol. 1, 8.1.4). */
import { toIntegerMagnitude } from './arithmetic.ts';
import {
  C1,
  DE,
  DOUBLE,
  type Float80,
  IE,
  isNan,
  packExact,
  type Rounding,
  roundMagnitude,
  SINGLE,
  unpack,
  widen,
  zero,
} from './float80.ts';

/** Memory operand formats, as lifts name them to the helpers. */
export const enum MemoryFormat {
  Single = 0,
  Double = 1,
  Int32 = 2,
  Int16 = 3,
  Int64 = 4,
  Extended = 5,
  Decimal = 6,
}

export interface Loaded {
  readonly value: Float80;
  /** DE for a denormal; a signalling NaN stays one: loads quiet it, arithmetic sees it. */
  readonly flags: number;
}

const fromInteger = (value: bigint): Float80 =>
  value === 0n ? zero(0) : packExact(value < 0n ? 1 : 0, value < 0n ? -value : value, 0);

/** Takes a memory operand; `high` holds bits 64–79 of the ten-byte formats. */
export const loadFormat = (format: MemoryFormat, bits: bigint, high: bigint): Loaded => {
  switch (format) {
    case MemoryFormat.Single:
    case MemoryFormat.Double: {
      const size = format === MemoryFormat.Single ? 32 : 64;
      const { value, denormal } = widen(BigInt.asUintN(size, bits), size);
      return { value, flags: denormal ? DE : 0 };
    }
    case MemoryFormat.Int16:
      return { value: fromInteger(BigInt.asIntN(16, bits)), flags: 0 };
    case MemoryFormat.Int32:
      return { value: fromInteger(BigInt.asIntN(32, bits)), flags: 0 };
    case MemoryFormat.Int64:
      return { value: fromInteger(BigInt.asIntN(64, bits)), flags: 0 };
    case MemoryFormat.Extended:
      return { value: { sig: BigInt.asUintN(64, bits), se: Number(high & 0xffffn) }, flags: 0 };
    case MemoryFormat.Decimal: {
      let digits = (BigInt.asUintN(8, high) << 64n) | BigInt.asUintN(64, bits);
      let value = 0n;
      for (let scale = 1n; digits !== 0n; digits >>= 4n, scale *= 10n) value += (digits & 15n) * scale;
      const sign = (high & 0x8000n) !== 0n ? 1 : 0;
      return { value: value === 0n ? zero(sign) : packExact(sign, value, 0), flags: 0 };
    }
  }
};

export interface Stored {
  readonly bits: bigint;
  readonly high: bigint;
  readonly flags: number;
}

const INTEGER_BITS: Partial<Record<MemoryFormat, number>> = {
  [MemoryFormat.Int16]: 16,
  [MemoryFormat.Int32]: 32,
  [MemoryFormat.Int64]: 64,
};

/** The "indefinite" value of a format: what a masked invalid store writes. */
export const indefinite = (format: MemoryFormat): Stored => {
  const integer = INTEGER_BITS[format];
  if (integer !== undefined) return { bits: 1n << BigInt(integer - 1), high: 0n, flags: IE };
  if (format === MemoryFormat.Decimal) return { bits: 0xc000_0000_0000_0000n, high: 0xffffn, flags: IE };
  if (format === MemoryFormat.Single) return { bits: 0xffc0_0000n, high: 0n, flags: IE };
  if (format === MemoryFormat.Double) return { bits: 0xfff8_0000_0000_0000n, high: 0n, flags: IE };
  return { bits: 0xc000_0000_0000_0000n, high: 0xffffn, flags: IE };
};

/** Converts a register for a store. */
export const storeFormat = (format: MemoryFormat, raw: Float80, rounding: Rounding, masks: number): Stored => {
  if (format === MemoryFormat.Extended) return { bits: raw.sig, high: BigInt(raw.se), flags: 0 };
  const a = unpack(raw);
  if (a.kind === 'unsupported') return indefinite(format);
  const integer = INTEGER_BITS[format];
  if (integer !== undefined || format === MemoryFormat.Decimal) {
    if (a.kind === 'infinity' || isNan(a.kind)) return indefinite(format);
    if (a.kind === 'finite' && a.e > 70) return indefinite(format);
    const { q, flags } = a.kind === 'zero' ? { q: 0n, flags: 0 } : toIntegerMagnitude(a, rounding);
    if (integer !== undefined) {
      const limit = 1n << BigInt(integer - 1);
      if (a.sign === 1 ? q > limit : q >= limit) return indefinite(format);
      return { bits: BigInt.asUintN(integer, a.sign === 1 ? -q : q), high: 0n, flags };
    }
    if (q >= 10n ** 18n) return indefinite(format);
    let packed = 0n;
    for (let rest = q, shift = 0n; rest !== 0n; rest /= 10n, shift += 4n) packed |= (rest % 10n) << shift;
    return { bits: BigInt.asUintN(64, packed), high: (packed >> 64n) | (a.sign === 1 ? 0x8000n : 0n), flags };
  }
  const single = format === MemoryFormat.Single;
  const fraction = single ? 23n : 52n;
  const ones = single ? 0xffn : 0x7ffn;
  const sign = BigInt(a.sign) << (single ? 31n : 63n);
  const make = (exponent: bigint, digits: bigint, flags: number): Stored => ({
    bits: sign | (exponent << fraction) | digits,
    high: 0n,
    flags,
  });
  if (a.kind === 'zero') return make(0n, 0n, 0);
  if (a.kind === 'infinity') return make(ones, 0n, 0);
  if (isNan(a.kind)) {
    const digits = ((raw.sig & ((1n << 63n) - 1n)) >> (63n - fraction)) | (1n << (fraction - 1n));
    return make(ones, digits, a.kind === 'signalling' ? IE : 0);
  }
  const target = single ? SINGLE : DOUBLE;
  const r = roundMagnitude(a.sign, a.m, a.e, target, rounding, masks);
  if (r.overflow === 'infinity') return make(ones, 0n, r.flags);
  if (r.overflow === 'largest') return make(ones - 1n, (1n << fraction) - 1n, r.flags & ~C1);
  if ((r.flags & ~masks & 0x18) !== 0) return make(0n, 0n, r.flags);
  const implied = 1n << fraction;
  // q has at most fraction + 1 bits and the unit r.e; a carry out makes it one longer with a zero low bit.
  let { q, e } = r;
  if (q >= implied << 1n) {
    q >>= 1n;
    e++;
  }
  if (q < implied) return make(0n, q, r.flags);
  return make(BigInt(e + Number(fraction) + target.maximum), q & (implied - 1n), r.flags);
};
