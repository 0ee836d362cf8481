/**
 * Permutations by an immediate: shuffles, alignments, byte shifts, insertions. An immediate is an i32 value; lane choices
 * become the index vector of a swizzle (simd/lift.ts).
 *
 * Two bits of an immediate are brought into each lane by a multiplication: imm · 4^(3−i) >> 6 has bits 2i and 2i+1 lowest.
 */
import type { Uops, Value } from '../uops.ts';
import {
  bitsMask,
  constantVector,
  IOTA,
  i32,
  iota,
  type LaneBits,
  laneMask,
  lowBits,
  SHAPE,
  shiftedBits,
  splatConstant,
  toI64,
  words,
} from './lift.ts';

const FIELD_FACTORS = [64, 16, 4, 1];

/** Byte indices that pick the four 32-bit lanes named by the immediate. */
function dwordIndices(u: Uops, immediate: Value): Value {
  const fields = u.wasm('i32x4.mul', u.wasm('i32x4.splat', immediate), constantVector(u, 32, FIELD_FACTORS));
  const lanes = u.wasm('v128.and', u.wasm('i32x4.shr_u', fields, i32(u, 6)), splatConstant(u, 32, 3));
  return u.wasm(
    'i32x4.add',
    u.wasm('i32x4.mul', lanes, splatConstant(u, 32, 0x0404_0404)),
    splatConstant(u, 32, 0x0302_0100),
  );
}

/** PSHUFD. */
export const shuffleDwords = (u: Uops, v: Value, immediate: Value): Value =>
  u.wasm('i8x16.swizzle', v, dwordIndices(u, immediate));

/** SHUFPS: two lanes of `a`, then two of `b`. */
export function shuffleSingles(u: Uops, a: Value, b: Value, immediate: Value): Value {
  const indices = dwordIndices(u, immediate);
  return u.shuffle(
    u.wasm('i8x16.swizzle', a, indices),
    u.wasm('i8x16.swizzle', b, indices),
    [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31],
  );
}

/** SHUFPD. */
export function shuffleDoubles(u: Uops, a: Value, b: Value, immediate: Value): Value {
  const pick = (v: Value, bit: number): Value =>
    u.select(shiftedBits(u, immediate, bit, 1), u.lane('i64x2.extract_lane', 1, v), u.lane('i64x2.extract_lane', 0, v));
  return u.lane('i64x2.replace_lane', 1, u.wasm('i64x2.splat', pick(a, 0)), pick(b, 1));
}

/** PSHUFLW and PSHUFHW (and PSHUFW, in the low half): the other half stays. */
export function shuffleWords(u: Uops, v: Value, immediate: Value, half: 'low' | 'high'): Value {
  const none = [0, 0, 0, 0];
  const low = half === 'low';
  const factors = low ? [...FIELD_FACTORS, ...none] : [...none, ...FIELD_FACTORS];
  const same = [0x0100, 0x0302, 0x0504, 0x0706, 0x0908, 0x0b0a, 0x0d0c, 0x0f0e];
  const base = same.map((index, lane) => (lane < 4 === low ? same[low ? 0 : 4] : index));
  const fields = u.wasm('i16x8.mul', u.wasm('i16x8.splat', immediate), constantVector(u, 16, factors));
  const lanes = u.wasm('v128.and', u.wasm('i16x8.shr_u', fields, i32(u, 6)), splatConstant(u, 16, 3));
  const offsets = u.wasm('i16x8.mul', lanes, splatConstant(u, 16, 0x0202));
  return u.wasm('i8x16.swizzle', v, u.wasm('i16x8.add', offsets, constantVector(u, 16, base)));
}

/** PSHUFB: bit 7 of an index gives 0, bits 4–6 do not count. For MMX `mask` is 0x87. */
export const shuffleBytes = (u: Uops, a: Value, b: Value, mask = 0x8f): Value =>
  u.wasm('i8x16.swizzle', a, u.wasm('v128.and', b, splatConstant(u, 8, mask)));

/** An i32, or `most` if it is larger. */
export const atMost = (u: Uops, value: Value, most: number): Value =>
  u.select(u.wasm('i32.lt_u', value, i32(u, most)), value, i32(u, most));

/** PSLLDQ and PSRLDQ: shifts by bytes. */
export function shiftBytes(u: Uops, v: Value, count: Value, direction: 'left' | 'right'): Value {
  const amount = u.wasm('i8x16.splat', atMost(u, count, 16));
  const indices = u.wasm(direction === 'left' ? 'i8x16.sub' : 'i8x16.add', iota(u), amount);
  return u.wasm('i8x16.swizzle', v, indices);
}

/** PALIGNR: 16 bytes of a:b (b low) from byte `count` on. */
export function align(u: Uops, a: Value, b: Value, count: Value): Value {
  const indices = u.wasm('i8x16.add', iota(u), u.wasm('i8x16.splat', atMost(u, count, 32)));
  const upper = u.wasm('i8x16.sub', indices, splatConstant(u, 8, 16));
  return u.wasm('v128.or', u.wasm('i8x16.swizzle', b, indices), u.wasm('i8x16.swizzle', a, upper));
}

/** The lane with an i32 number, zero-extended to i64. */
export function extractLane(u: Uops, bits: LaneBits, v: Value, lane: Value): Value {
  const size = bits / 8;
  const numbers = IOTA.map((i) => i % size);
  const first = u.wasm('i8x16.splat', u.wasm('i32.mul', lane, i32(u, size)));
  const moved = u.wasm('i8x16.swizzle', v, u.wasm('i8x16.add', first, u.vectorConstant(numbers)));
  const whole = u.lane('i64x2.extract_lane', 0, moved);
  return bits === 64 ? whole : u.truncate(whole, bits);
}

/** `v` with the lane of an i32 number replaced by the low bits of an i64. */
export function insertLane(u: Uops, bits: LaneBits, v: Value, lane: Value, value: Value): Value {
  const narrow = bits === 64 ? value : u.wasm('i32.wrap_i64', value);
  return u.wasm('v128.bitselect', u.wasm(`${SHAPE[bits]}.splat`, narrow), v, laneMask(u, bits, lane));
}

/** Lanes of `b` where the immediate has a bit, else of `a`. */
export const blend = (u: Uops, bits: LaneBits, a: Value, b: Value, immediate: Value): Value =>
  u.wasm('v128.bitselect', b, a, bitsMask(u, bits, immediate));

/** INSERTPS: `value` (i32) goes to the lane in bits 4–5, then the lanes of bits 0–3 are cleared. */
export function insertSingle(u: Uops, a: Value, value: Value, immediate: Value): Value {
  const inserted = insertLane(u, 32, a, shiftedBits(u, immediate, 4, 3), toI64(u, value));
  return u.wasm('v128.andnot', inserted, bitsMask(u, 32, lowBits(u, immediate, 15)));
}

/** MPSADBW: eight sums of four absolute differences between windows of `a` and one block of `b`. */
export function sumWindows(u: Uops, a: Value, b: Value, immediate: Value, difference: typeof shuffleBytes): Value {
  const start = u.wasm('i32.shl', shiftedBits(u, immediate, 2, 1), i32(u, 2));
  const windows = u.wasm('i8x16.swizzle', a, u.wasm('i8x16.add', iota(u), u.wasm('i8x16.splat', start)));
  const from = u.wasm('i32.shl', lowBits(u, immediate, 3), i32(u, 2));
  const inBlock = u.vectorConstant(words(32, [0x0302_0100, 0x0302_0100, 0x0302_0100, 0x0302_0100]));
  const block = u.wasm('i8x16.swizzle', b, u.wasm('i8x16.add', inBlock, u.wasm('i8x16.splat', from)));
  const sums = (first: number): Value => {
    const lanes = IOTA.map((i) => first + (i >> 2) + (i & 3));
    const differences = difference(u, u.shuffle(windows, windows, lanes), block);
    return u.wasm('i32x4.extadd_pairwise_i16x8_u', u.wasm('i16x8.extadd_pairwise_i8x16_u', differences));
  };
  return u.wasm('i16x8.narrow_i32x4_u', sums(0), sums(4));
}
