/**
 * Packed integer operations of MMX and SSE as functions from v128 operands to a v128 result. `a` is the destination, `b`
 * the source. The MMX forms use the same functions on 64-bit operands in the low half (forms/mmx.ts): an operation listed
 * in `LANEWISE` computes the low half of its result from the low halves alone.
 */
import type { Uops, Value } from '../uops.ts';
import { constantVector, type LaneBits, SHAPE, splatConstant, zeroVector } from './lift.ts';

export type Binary = (u: Uops, a: Value, b: Value) => Value;
export type Unary = (u: Uops, b: Value) => Value;

const plain =
  (name: string): Binary =>
  (u, a, b) =>
    u.wasm(name, a, b);

/** High halves of 16-bit products. */
const multiplyHigh =
  (sign: 's' | 'u'): Binary =>
  (u, a, b) =>
    u.shuffle(
      u.wasm(`i32x4.extmul_low_i16x8_${sign}`, a, b),
      u.wasm(`i32x4.extmul_high_i16x8_${sign}`, a, b),
      [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31],
    );

/** 64-bit products of the even 32-bit lanes. */
const multiplyEven =
  (sign: 's' | 'u'): Binary =>
  (u, a, b) => {
    const even = (v: Value): Value => u.shuffle(v, v, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    return u.wasm(`i64x2.extmul_low_i32x4_${sign}`, even(a), even(b));
  };

/** Unsigned bytes of `a` times signed bytes of `b`, neighbours added with signed saturation. */
const multiplyAddBytes: Binary = (u, a, b) => {
  const eight = u.wasm('i32.wrap_i64', u.constant(8));
  const evenA = u.wasm('v128.and', a, splatConstant(u, 16, 0xff));
  const evenB = u.wasm('i16x8.shr_s', u.wasm('i16x8.shl', b, eight), eight);
  const oddA = u.wasm('i16x8.shr_u', a, eight);
  const oddB = u.wasm('i16x8.shr_s', b, eight);
  return u.wasm('i16x8.add_sat_s', u.wasm('i16x8.mul', evenA, evenB), u.wasm('i16x8.mul', oddA, oddB));
};

/** As `q15mulr_sat_s`, but −1 · −1 gives −1. */
const multiplyRound: Binary = (u, a, b) => {
  const least = splatConstant(u, 16, 0x8000);
  const overflow = u.wasm('v128.and', u.wasm('i16x8.eq', a, least), u.wasm('i16x8.eq', b, least));
  return u.wasm('v128.xor', u.wasm('i16x8.q15mulr_sat_s', a, b), overflow);
};

export const absoluteDifference: Binary = (u, a, b) =>
  u.wasm('v128.or', u.wasm('i8x16.sub_sat_u', a, b), u.wasm('i8x16.sub_sat_u', b, a));

/** Sums of eight absolute differences, one in each 64-bit lane. */
const sumOfDifferences: Binary = (u, a, b) => {
  const pairs = u.wasm('i16x8.extadd_pairwise_i8x16_u', absoluteDifference(u, a, b));
  const fours = u.wasm('i32x4.extadd_pairwise_i16x8_u', pairs);
  const upper = u.wasm('i64x2.shr_u', fours, u.wasm('i32.wrap_i64', u.constant(32)));
  return u.wasm('i64x2.add', u.wasm('v128.and', fours, splatConstant(u, 64, 0xffff_ffffn)), upper);
};

const sign =
  (bits: 8 | 16 | 32): Binary =>
  (u, a, b) => {
    const shape = SHAPE[bits];
    const negative = u.wasm(`${shape}.shr_s`, b, u.wasm('i32.wrap_i64', u.constant(bits - 1)));
    const signed = u.wasm(`${shape}.sub`, u.wasm('v128.xor', a, negative), negative);
    return u.wasm('v128.andnot', signed, u.wasm(`${shape}.eq`, b, zeroVector(u)));
  };

const lanesOf = (names: Record<string, string>): [string, Binary][] =>
  Object.entries(names).map(([mnemonic, name]) => [mnemonic, plain(name)]);

/** Operations whose low half depends on low halves only: MMX and SSE share them. */
export const LANEWISE: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ...lanesOf({
    pand: 'v128.and',
    por: 'v128.or',
    pxor: 'v128.xor',
    paddb: 'i8x16.add',
    paddw: 'i16x8.add',
    paddd: 'i32x4.add',
    paddq: 'i64x2.add',
    paddsb: 'i8x16.add_sat_s',
    paddsw: 'i16x8.add_sat_s',
    paddusb: 'i8x16.add_sat_u',
    paddusw: 'i16x8.add_sat_u',
    psubb: 'i8x16.sub',
    psubw: 'i16x8.sub',
    psubd: 'i32x4.sub',
    psubq: 'i64x2.sub',
    psubsb: 'i8x16.sub_sat_s',
    psubsw: 'i16x8.sub_sat_s',
    psubusb: 'i8x16.sub_sat_u',
    psubusw: 'i16x8.sub_sat_u',
    pmullw: 'i16x8.mul',
    pmulld: 'i32x4.mul',
    pmaddwd: 'i32x4.dot_i16x8_s',
    pavgb: 'i8x16.avgr_u',
    pavgw: 'i16x8.avgr_u',
    pminub: 'i8x16.min_u',
    pminsb: 'i8x16.min_s',
    pminuw: 'i16x8.min_u',
    pminsw: 'i16x8.min_s',
    pminud: 'i32x4.min_u',
    pminsd: 'i32x4.min_s',
    pmaxub: 'i8x16.max_u',
    pmaxsb: 'i8x16.max_s',
    pmaxuw: 'i16x8.max_u',
    pmaxsw: 'i16x8.max_s',
    pmaxud: 'i32x4.max_u',
    pmaxsd: 'i32x4.max_s',
    pcmpeqb: 'i8x16.eq',
    pcmpeqw: 'i16x8.eq',
    pcmpeqd: 'i32x4.eq',
    pcmpeqq: 'i64x2.eq',
    pcmpgtb: 'i8x16.gt_s',
    pcmpgtw: 'i16x8.gt_s',
    pcmpgtd: 'i32x4.gt_s',
    pcmpgtq: 'i64x2.gt_s',
  }),
  ['pandn', (u, a, b) => u.wasm('v128.andnot', b, a)],
  ['pmulhw', multiplyHigh('s')],
  ['pmulhuw', multiplyHigh('u')],
  ['pmuludq', multiplyEven('u')],
  ['pmuldq', multiplyEven('s')],
  ['pmaddubsw', multiplyAddBytes],
  ['pmulhrsw', multiplyRound],
  ['psadbw', sumOfDifferences],
  ['psignb', sign(8)],
  ['psignw', sign(16)],
  ['psignd', sign(32)],
]);

/** The lanes of `a` then `b` with even numbers, and those with odd ones. */
function evenOdd(u: Uops, bits: 16 | 32, a: Value, b: Value): { even: Value; odd: Value } {
  const size = bits / 8;
  const pick = (offset: number): number[] =>
    Array.from({ length: 16 }, (_, i) => Math.floor(i / size) * 2 * size + offset + (i % size));
  return { even: u.shuffle(a, b, pick(0)), odd: u.shuffle(a, b, pick(size)) };
}

const horizontal =
  (bits: 16 | 32, name: string): Binary =>
  (u, a, b) => {
    const { even, odd } = evenOdd(u, bits, a, b);
    return u.wasm(name, even, odd);
  };

/** Operations that take neighbours of `a` for the low half and of `b` for the high half; MMX gives both in one vector. */
export const PAIRWISE: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ...lanesOf({
    packsswb: 'i8x16.narrow_i16x8_s',
    packssdw: 'i16x8.narrow_i32x4_s',
    packuswb: 'i8x16.narrow_i16x8_u',
    packusdw: 'i16x8.narrow_i32x4_u',
  }),
  ['phaddw', horizontal(16, 'i16x8.add')],
  ['phaddd', horizontal(32, 'i32x4.add')],
  ['phaddsw', horizontal(16, 'i16x8.add_sat_s')],
  ['phsubw', horizontal(16, 'i16x8.sub')],
  ['phsubd', horizontal(32, 'i32x4.sub')],
  ['phsubsw', horizontal(16, 'i16x8.sub_sat_s')],
]);

/** Bytes that interleave lanes of two vectors, starting at byte `from` of each. */
export const interleave = (bits: LaneBits, from: number): number[] => {
  const size = bits / 8;
  return Array.from({ length: 16 }, (_, i) => {
    const lane = Math.floor(i / size);
    return from + (lane >> 1) * size + (i % size) + (lane & 1) * 16;
  });
};

/** The least unsigned word, and its number, in the low 32 bits. */
export const leastWord: Unary = (u, b) => {
  const three = u.wasm('i32.wrap_i64', u.constant(3));
  const numbered = (half: 'low' | 'high', first: number): Value =>
    u.wasm(
      'v128.or',
      u.wasm('i32x4.shl', u.wasm(`i32x4.extend_${half}_i16x8_u`, b), three),
      constantVector(
        u,
        32,
        [0, 1, 2, 3].map((i) => i + first),
      ),
    );
  let least = u.wasm('i32x4.min_u', numbered('low', 0), numbered('high', 4));
  least = u.wasm('i32x4.min_u', least, u.shuffle(least, least, [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]));
  least = u.wasm('i32x4.min_u', least, u.shuffle(least, least, [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11]));
  const value = u.wasm('i32x4.shr_u', least, three);
  const number = u.wasm('v128.and', least, splatConstant(u, 32, 7));
  const joined = u.wasm('v128.or', value, u.wasm('i32x4.shl', number, u.wasm('i32.wrap_i64', u.constant(16))));
  return u.wasm('v128.and', joined, constantVector(u, 32, [0xffff_ffff, 0, 0, 0]));
};

/** Shifts of every lane by a 64-bit count: too large a count clears the lanes, or fills them with their signs. */
export function shiftLanes(u: Uops, bits: 16 | 32 | 64, op: 'shl' | 'shr_u' | 'shr_s', a: Value, count: Value): Value {
  const most = u.constant(bits - 1);
  const inside = u.compare('le_u', count, most);
  const shape = SHAPE[bits];
  if (op === 'shr_s') {
    return u.wasm(`${shape}.shr_s`, a, u.wasm('i32.wrap_i64', u.select(inside, count, most)));
  }
  return u.select(inside, u.wasm(`${shape}.${op}`, a, u.wasm('i32.wrap_i64', count)), zeroVector(u));
}
