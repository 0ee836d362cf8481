/**
 * Tests on packed and scalar numbers that decide whether WebAssembly's arithmetic gives what SSE gives, flags included
 * (see simd/float.ts for the same on arithmetic). Vector tests answer lane masks, scalar ones i32.
 */
import type { Uops, Value } from '../uops.ts';
import { constantVector } from './lift.ts';

export type Single = 32 | 64;

const patternOf = (bits: Single, value: number): bigint => {
  const view = new DataView(new ArrayBuffer(8));
  if (bits === 32) {
    view.setFloat32(0, value);
    return BigInt(view.getUint32(0));
  }
  view.setFloat64(0, value);
  return view.getBigUint64(0);
};

/** Smallest normal number. */
const LEAST = { 32: 2 ** -126, 64: 2 ** -1022 };

export const scalarType = (bits: Single): 'f32' | 'f64' => (bits === 32 ? 'f32' : 'f64');
export const vectorType = (bits: Single): 'f32x4' | 'f64x2' => (bits === 32 ? 'f32x4' : 'f64x2');

/** A floating-point constant. */
export const real = (u: Uops, bits: Single, value: number): Value => {
  const pattern = u.constant(patternOf(bits, value));
  return bits === 64
    ? u.wasm('f64.reinterpret_i64', pattern)
    : u.wasm('f32.reinterpret_i32', u.wasm('i32.wrap_i64', pattern));
};

/** A vector with the same number in every lane. */
export const reals = (u: Uops, bits: Single, value: number): Value =>
  constantVector(u, bits, new Array<bigint>(128 / bits).fill(patternOf(bits, value)));

/** The lowest lane. */
export const lowest = (u: Uops, bits: Single, v: Value): Value => u.lane(`${vectorType(bits)}.extract_lane`, 0, v);

/** Neither denormal nor NaN: scalar. */
export function ordinary(u: Uops, bits: Single, x: Value): Value {
  const f = scalarType(bits);
  const normal = u.wasm(`${f}.ge`, u.wasm(`${f}.abs`, x), real(u, bits, LEAST[bits]));
  return u.wasm('i32.or', normal, u.wasm(`${f}.eq`, x, real(u, bits, 0)));
}

/** Neither denormal nor NaN: lane mask. */
export function ordinaries(u: Uops, bits: Single, v: Value): Value {
  const f = vectorType(bits);
  const normal = u.wasm(`${f}.ge`, u.wasm(`${f}.abs`, v), reals(u, bits, LEAST[bits]));
  return u.wasm('v128.or', normal, u.wasm(`${f}.eq`, v, reals(u, bits, 0)));
}

/** |x| < limit: scalar. */
export const below = (u: Uops, bits: Single, x: Value, limit: number): Value => {
  const f = scalarType(bits);
  return u.wasm(`${f}.lt`, u.wasm(`${f}.abs`, x), real(u, bits, limit));
};

/** |x| < limit: lane mask. */
export const allBelow = (u: Uops, bits: Single, v: Value, limit: number): Value => {
  const f = vectorType(bits);
  return u.wasm(`${f}.lt`, u.wasm(`${f}.abs`, v), reals(u, bits, limit));
};

/** Whether every lane of a mask is set, as i32. */
export const every = (u: Uops, mask: Value): Value => u.wasm('i8x16.all_true', mask);
