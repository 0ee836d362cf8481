/**
 * Vector operations on constants, folded: permutations by an immediate compute their index vector with these (simd/permute.ts),
 * and a swizzle by a constant vector is a shuffle, which the host has an instruction for.
 */

type Lane = 8 | 16 | 32 | 64;
const LANES: Record<string, Lane> = { i8x16: 8, i16x8: 16, i32x4: 32, i64x2: 64 };

const lanesOf = (bytes: readonly number[], bits: Lane): bigint[] =>
  Array.from({ length: 128 / bits }, (_, lane) => {
    let value = 0n;
    for (let i = bits / 8 - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[(lane * bits) / 8 + i]);
    return value;
  });

const bytesOf = (lanes: readonly bigint[], bits: Lane): number[] =>
  lanes.flatMap((lane) => Array.from({ length: bits / 8 }, (_, i) => Number((lane >> BigInt(8 * i)) & 0xffn)));

const BITWISE: Record<string, (a: number, b: number) => number> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  andnot: (a, b) => a & ~b & 0xff,
};

const BY_LANE: Record<string, (a: bigint, b: bigint) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  eq: (a, b) => (a === b ? -1n : 0n),
  ne: (a, b) => (a !== b ? -1n : 0n),
};

/** A constant operand: a vector's bytes or a scalar. */
export type ConstantOperand = readonly number[] | bigint;

/** The value of an operation of that name, or undefined if it is not one of those above. */
export function foldVector(name: string, operands: readonly ConstantOperand[]): number[] | undefined {
  const [prefix, operation] = name.split('.');
  const [a, b] = operands;
  if (prefix === 'v128' && Array.isArray(a) && Array.isArray(b)) {
    const fold = BITWISE[operation];
    return fold && a.map((byte: number, i: number) => fold(byte, b[i]));
  }
  const bits = LANES[prefix];
  if (bits === undefined) return undefined;
  const clip = (lanes: readonly bigint[]): number[] =>
    bytesOf(
      lanes.map((lane) => BigInt.asUintN(bits, lane)),
      bits,
    );
  if (operation === 'splat') return typeof a === 'bigint' ? clip(new Array<bigint>(128 / bits).fill(a)) : undefined;
  if (!Array.isArray(a)) return undefined;
  const lanes = lanesOf(a, bits);
  if (typeof b === 'bigint') {
    const count = b & BigInt(bits - 1);
    if (operation === 'shr_u') return clip(lanes.map((lane) => lane >> count));
    return operation === 'shl' ? clip(lanes.map((lane) => lane << count)) : undefined;
  }
  if (!Array.isArray(b)) return undefined;
  const fold = BY_LANE[operation];
  const others = lanesOf(b, bits);
  return fold && clip(lanes.map((lane, i) => fold(lane, others[i])));
}
