/**
 * Building blocks of SIMD lifts: constants, immediates, lanes picked at run time, the call of the slow floating-point
 * path. Immediates are values, not numbers, because an interpreter's handler serves every immediate; so a permutation by
 * an immediate computes a byte index vector for `i8x16.swizzle`, which answers 0 for an index of 16 or more.
 */
import { FLOAT_A, FLOAT_B, FLOAT_R, MXCSR } from '../state.ts';
import type { Uops, Value } from '../uops.ts';
import { slowCode } from './operations.ts';

/** Lane widths in bits, and the WebAssembly shapes that have them. */
export type LaneBits = 8 | 16 | 32 | 64;
export const SHAPE = { 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const;

/** 16 bytes from little-endian words. */
export const words = (bits: LaneBits, values: readonly (number | bigint)[]): number[] => {
  const bytes: number[] = [];
  for (const value of values) {
    for (let i = 0; i < bits; i += 8) bytes.push(Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(i)) & 0xffn));
  }
  return bytes;
};

export const constantVector = (u: Uops, bits: LaneBits, values: readonly (number | bigint)[]): Value =>
  u.vectorConstant(words(bits, values));
export const splatConstant = (u: Uops, bits: LaneBits, value: number | bigint): Value =>
  constantVector(u, bits, new Array<number | bigint>(128 / bits).fill(value));
export const zeroVector = (u: Uops): Value => splatConstant(u, 8, 0);

export const i32 = (u: Uops, value: number): Value => u.wasm('i32.wrap_i64', u.constant(value));
export const toI32 = (u: Uops, value: Value): Value => u.wasm('i32.wrap_i64', value);
export const toI64 = (u: Uops, value: Value): Value => u.wasm('i64.extend_i32_u', value);

/** The 8-bit immediate operand as an i32 from 0 to 255. */
export const imm8 = (u: Uops, index: number): Value => u.wasm('i32.and', toI32(u, u.immediate(index)), i32(u, 0xff));

/** Low bits of an i32. */
export const lowBits = (u: Uops, value: Value, mask: number): Value => u.wasm('i32.and', value, i32(u, mask));
export const shiftedBits = (u: Uops, value: Value, shift: number, mask: number): Value =>
  lowBits(u, u.wasm('i32.shr_u', value, i32(u, shift)), mask);

export const IOTA = Array.from({ length: 16 }, (_, i) => i);
export const iota = (u: Uops): Value => u.vectorConstant(IOTA);

/** The low and the high 64 bits of a vector, as i64. */
export const low64 = (u: Uops, v: Value): Value => u.lane('i64x2.extract_lane', 0, v);
export const high64 = (u: Uops, v: Value): Value => u.lane('i64x2.extract_lane', 1, v);
/** A vector from its low half; the high half repeats it. */
export const splat64 = (u: Uops, value: Value): Value => u.wasm('i64x2.splat', value);
/** A vector from two i64 halves. */
export const pair64 = (u: Uops, low: Value, high: Value): Value =>
  u.lane('i64x2.replace_lane', 1, u.wasm('i64x2.splat', low), high);
/** The low halves of two vectors. */
export const joinLow = (u: Uops, low: Value, high: Value): Value =>
  u.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
/** `v` in the low `bits` bits and the rest of `rest`. */
export const mergeLow = (u: Uops, rest: Value, v: Value, bits: 32 | 64): Value =>
  u.shuffle(
    rest,
    v,
    IOTA.map((i) => (i < bits / 8 ? i + 16 : i)),
  );

/** Mask of the lane whose number is an i32 value. */
export const laneMask = (u: Uops, bits: LaneBits, lane: Value): Value => {
  const numbers = Array.from({ length: 128 / bits }, (_, i) => i);
  const splat = bits === 64 ? u.wasm('i64x2.splat', toI64(u, lane)) : u.wasm(`${SHAPE[bits]}.splat`, lane);
  return u.wasm(`${SHAPE[bits]}.eq`, splat, constantVector(u, bits, numbers));
};

/** Mask of the lanes whose bits are set in the low bits of an i32 value. */
export const bitsMask = (u: Uops, bits: LaneBits, selected: Value): Value => {
  const powers = Array.from({ length: 128 / bits }, (_, i) => 2 ** i);
  const splat = bits === 64 ? u.wasm('i64x2.splat', toI64(u, selected)) : u.wasm(`${SHAPE[bits]}.splat`, selected);
  const picked = u.wasm('v128.and', splat, constantVector(u, bits, powers));
  return u.wasm(`${SHAPE[bits]}.ne`, picked, zeroVector(u));
};

/** A scalar floating-point source: memory is read only as wide as it is; a register whole, its upper part ignored. */
export const scalarSource = (u: Uops, index: number, bits: 32 | 64): Value =>
  u.isMemory(index) ? u.readVectorLow(index, bits) : u.readVector(index);

/** MXCSR as i32. */
export const mxcsr = (u: Uops): Value => toI32(u, u.state(MXCSR, 32));
/** Whether MXCSR has exactly these values in these bits, as i32. */
export const mxcsrIs = (u: Uops, mask: number, value: number): Value =>
  u.wasm('i32.eq', lowBits(u, mxcsr(u), mask), i32(u, value));
/** PE is sticky and masked: an inexact result changes nothing. */
export const precisionSettled = (u: Uops): Value => mxcsrIs(u, 0x1020, 0x1020);
/** As `precisionSettled`, and rounding is to nearest. */
export const nearestSettled = (u: Uops): Value => mxcsrIs(u, 0x7020, 0x1020);

export const both = (u: Uops, a: Value, b: Value): Value => u.wasm('i32.and', a, b);
export const either = (u: Uops, a: Value, b: Value): Value => u.wasm('i32.or', a, b);

/**
 * The slow path: computes the operation (simd/operations.ts) on `a` and `b`, raises #XM for an unmasked exception and
 * answers the result. `immediate` is an i32.
 */
export function slow(u: Uops, name: string, a: Value | undefined, b: Value, immediate?: Value): Value {
  if (a !== undefined) storeSlot(u, FLOAT_A, a);
  storeSlot(u, FLOAT_B, b);
  if (immediate !== undefined) u.setState(FLOAT_R, 32, toI64(u, immediate));
  u.helperTrap('simd.float', i32(u, slowCode(name)));
  return pair64(u, u.state(FLOAT_R, 64), u.state(FLOAT_R + 8, 64));
}

/** Puts a vector where TypeScript helpers find it. */
export function storeSlot(u: Uops, offset: number, v: Value): void {
  u.setState(offset, 64, low64(u, v));
  u.setState(offset + 8, 64, high64(u, v));
}

/** `fast` unless the i32 condition is false: then the slow operation. */
export function fastOrSlow(
  u: Uops,
  condition: Value,
  fast: Value,
  name: string,
  a: Value | undefined,
  b: Value,
  immediate?: Value,
): Value {
  const result = u.variable(fast);
  u.if(u.wasm('i32.eqz', condition), () => u.set(result, slow(u, name, a, b, immediate)));
  return u.get(result);
}
