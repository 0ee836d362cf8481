/**
 * Floating-point arithmetic and compares of SSE, SSE2, SSE3 and SSE4.1 (SDM Vol. 2; Vol. 1, 11.5 for exceptions).
 *
 * Arithmetic goes through `Uops.float`. The rest has a fast path for operands that raise nothing and a slow one in
 * simd/slow.ts. Reciprocal approximations are exact quotients rounded once, well inside the architectural error.
 */
import { type Form, type FormOptions, form } from '../forms.ts';
import {
  bitsMask,
  both,
  constantVector,
  either,
  fastOrSlow,
  i32,
  imm8,
  lowBits,
  mergeLow,
  mxcsr,
  precisionSettled,
  scalarSource,
  shiftedBits,
  slow,
  splatConstant,
  zeroVector,
} from '../simd/lift.ts';
import { every, lowest, ordinaries, ordinary, reals, type Single, scalarType, vectorType } from '../simd/numbers.ts';
import type { FloatOp, FloatShape, Uops, Value } from '../uops.ts';

const FEATURE: Record<FloatShape, FormOptions> = {
  ss: { feature: 'sse' },
  ps: { feature: 'sse' },
  sd: { feature: 'sse2' },
  pd: { feature: 'sse2' },
};
const SSE3: FormOptions = { feature: 'sse3' };
const SSE41: FormOptions = { feature: 'sse4.1' };
/** Mandatory prefix by shape. */
const PREFIX: Record<FloatShape, string> = { ss: 'F3', ps: 'NP', sd: 'F2', pd: '66' };
const SHAPES: readonly FloatShape[] = ['ss', 'ps', 'sd', 'pd'];

const bitsOf = (shape: FloatShape): Single => (shape === 'ss' || shape === 'ps' ? 32 : 64);
const isScalar = (shape: FloatShape): boolean => shape === 'ss' || shape === 'sd';

/** The source operand of a scalar or packed form. */
const source = (u: Uops, shape: FloatShape, index: number): Value =>
  isScalar(shape) ? scalarSource(u, index, bitsOf(shape)) : u.readVector(index, true);

const arithmetic = (opcode: string, op: FloatOp): Form[] =>
  SHAPES.map((shape) =>
    form(
      `${PREFIX[shape]} 0F ${opcode} /r`,
      `${op}${shape}`,
      `V${shape},W${shape}`,
      (u) => {
        const b = source(u, shape, 1);
        u.writeVector(0, u.float(op, shape, u.readVector(0), b));
      },
      FEATURE[shape],
    ),
  );

const bitwise = (opcode: string, mnemonic: string, operation: (u: Uops, a: Value, b: Value) => Value): Form[] =>
  (['ps', 'pd'] as const).map((shape) =>
    form(
      `${PREFIX[shape]} 0F ${opcode} /r`,
      `${mnemonic}${shape}`,
      `V${shape},W${shape}`,
      (u) => {
        const b = u.readVector(1, true);
        u.writeVector(0, operation(u, u.readVector(0), b));
      },
      FEATURE[shape],
    ),
  );

/** Even and odd lanes of a:b. */
function evenOdd(u: Uops, bits: Single, a: Value, b: Value): [Value, Value] {
  const size = bits / 8;
  const pick = (offset: number): number[] =>
    Array.from({ length: 16 }, (_, i) => Math.floor(i / size) * 2 * size + offset + (i % size));
  return [u.shuffle(a, b, pick(0)), u.shuffle(a, b, pick(size))];
}

const horizontal = (opcode: string, op: 'add' | 'sub', shape: 'ps' | 'pd'): Form =>
  form(
    `${shape === 'ps' ? 'F2' : '66'} 0F ${opcode} /r`,
    `h${op}${shape}`,
    `V${shape},W${shape}`,
    (u) => {
      const b = u.readVector(1, true);
      const [even, odd] = evenOdd(u, bitsOf(shape), u.readVector(0), b);
      u.writeVector(0, u.float(op, shape, even, odd));
    },
    SSE3,
  );

/** Even lanes subtract: the source's even lanes are negated, unless they are NaNs, whose sign shows in the result. */
const addSubtract = (shape: 'ps' | 'pd'): Form =>
  form(
    `${shape === 'ps' ? 'F2' : '66'} 0F D0 /r`,
    `addsub${shape}`,
    `V${shape},W${shape}`,
    (u) => {
      const b = u.readVector(1, true);
      const number = u.wasm(`${vectorType(bitsOf(shape))}.eq`, b, b);
      const evenSigns = constantVector(u, 64, shape === 'ps' ? [0x8000_0000n, 0x8000_0000n] : [1n << 63n, 0n]);
      const negated = u.wasm('v128.xor', b, u.wasm('v128.and', evenSigns, number));
      u.writeVector(0, u.float('add', shape, u.readVector(0), negated));
    },
    SSE3,
  );

/** CMPccxx by the immediate's low three bits: EQ LT LE UNORD and their negations. */
const compareImmediate = (shape: FloatShape): Form =>
  form(
    `${PREFIX[shape]} 0F C2 /r`,
    `cmp${shape}`,
    `V${shape},W${shape},Ib`,
    (u) => {
      const bits = bitsOf(shape);
      const f = vectorType(bits);
      const b = source(u, shape, 1);
      const a = u.readVector(0);
      const predicate = lowBits(u, imm8(u, 2), 7);
      const kind = lowBits(u, predicate, 3);
      const is = (n: number): Value => u.wasm('i32.eq', kind, i32(u, n));
      const holds = u.select(
        is(0),
        u.wasm(`${f}.eq`, a, b),
        u.select(is(1), u.wasm(`${f}.lt`, a, b), u.select(is(2), u.wasm(`${f}.le`, a, b), zeroVector(u))),
      );
      const negate = u.wasm('i32x4.splat', u.wasm('i32.sub', i32(u, 0), shiftedBits(u, predicate, 2, 1)));
      const mask = u.wasm('v128.xor', holds, negate);
      const scalar = isScalar(shape);
      const fine = scalar
        ? both(u, ordinary(u, bits, lowest(u, bits, a)), ordinary(u, bits, lowest(u, bits, b)))
        : every(u, u.wasm('v128.and', ordinaries(u, bits, a), ordinaries(u, bits, b)));
      const fast = scalar ? mergeLow(u, a, mask, bits) : mask;
      u.writeVector(0, fastOrSlow(u, fine, fast, `cmp.${shape}`, a, b, predicate));
    },
    FEATURE[shape],
  );

/** COMIxx and UCOMIxx: ZF, PF, CF say equal, unordered, less; unordered sets all three. */
const compareFlags = (opcode: string, mnemonic: string, shape: 'ss' | 'sd'): Form =>
  form(
    `${shape === 'ss' ? 'NP' : '66'} 0F ${opcode} /r`,
    mnemonic,
    `V${shape},W${shape}`,
    (u) => {
      const bits = bitsOf(shape);
      const f = scalarType(bits);
      const source = scalarSource(u, 1, bits);
      const destination = u.readVector(0);
      const b = lowest(u, bits, source);
      const a = lowest(u, bits, destination);
      const zero = i32(u, 0);
      const cf = u.variable(u.wasm(`${f}.lt`, a, b));
      const zf = u.variable(u.wasm(`${f}.eq`, a, b));
      const pf = u.variable(zero);
      const fine = both(u, ordinary(u, bits, a), ordinary(u, bits, b));
      u.if(u.wasm('i32.eqz', fine), () => {
        const order = u.lane('i32x4.extract_lane', 0, slow(u, mnemonic, destination, source));
        const unordered = u.wasm('i32.eq', order, i32(u, 2));
        u.set(cf, either(u, unordered, u.wasm('i32.eq', order, i32(u, -1))));
        u.set(zf, either(u, unordered, u.wasm('i32.eqz', order)));
        u.set(pf, unordered);
      });
      u.changeFlags({ cf: u.get(cf), zf: u.get(zf), pf: u.get(pf), of: zero, sf: zero, af: zero });
    },
    FEATURE[shape],
  );

/** ROUNDxx: the mode is the immediate's low two bits, or MXCSR's if bit 2 is set; bit 3 keeps PE quiet. */
const round = (opcode: string, shape: FloatShape): Form =>
  form(
    `66 0F 3A ${opcode} /r`,
    `round${shape}`,
    `V${shape},W${shape},Ib`,
    (u) => {
      const bits = bitsOf(shape);
      const f = vectorType(bits);
      const b = source(u, shape, 1);
      const a = u.readVector(0);
      const imm = lowBits(u, imm8(u, 2), 15);
      const mode = u.select(shiftedBits(u, imm, 2, 1), shiftedBits(u, mxcsr(u), 13, 3), lowBits(u, imm, 3));
      const rounded = u.variable(b);
      const modes = ['nearest', 'floor', 'ceil', 'trunc'];
      for (const [number, name] of modes.entries()) {
        u.if(u.wasm('i32.eq', mode, i32(u, number)), () => u.set(rounded, u.wasm(`${f}.${name}`, b)));
      }
      const r = u.get(rounded);
      const scalar = isScalar(shape);
      const silent = either(u, shiftedBits(u, imm, 3, 1), precisionSettled(u));
      let fine: Value;
      if (scalar) {
        const x = lowest(u, bits, b);
        const exact = u.wasm(`${scalarType(bits)}.eq`, x, lowest(u, bits, r));
        fine = both(u, ordinary(u, bits, x), either(u, exact, silent));
      } else {
        const exact = every(u, u.wasm(`${f}.eq`, b, r));
        fine = both(u, every(u, ordinaries(u, bits, b)), either(u, exact, silent));
      }
      const fast = scalar ? mergeLow(u, a, r, bits) : r;
      u.writeVector(0, fastOrSlow(u, fine, fast, `round.${shape}`, a, b, imm));
    },
    SSE41,
  );

/** DPPS, DPPD: products of the lanes in the immediate's high half, their sum into the lanes of the low half. */
const dotProduct = (opcode: string, shape: 'ps' | 'pd'): Form =>
  form(
    `66 0F 3A ${opcode} /r`,
    `dp${shape}`,
    `V${shape},W${shape},Ib`,
    (u) => {
      const bits = bitsOf(shape);
      const source = u.readVector(1, true);
      const imm = imm8(u, 2);
      const lanes = bits === 32 ? 15 : 3;
      const taken = bitsMask(u, bits, shiftedBits(u, imm, 4, lanes));
      const a = u.wasm('v128.and', u.readVector(0), taken);
      const b = u.wasm('v128.and', source, taken);
      const products = u.float('mul', shape, a, b);
      let sum: Value;
      if (shape === 'pd') {
        sum = u.float('add', 'sd', products, u.shuffle(products, products, HIGH_TWICE));
        sum = u.shuffle(sum, sum, LOW_TWICE);
      } else {
        const [even, odd] = evenOdd(u, 32, products, zeroVector(u));
        const pairs = u.float('add', 'ps', even, odd);
        sum = u.float('add', 'ss', pairs, u.shuffle(pairs, pairs, [4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7]));
        sum = u.shuffle(sum, sum, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
      }
      u.writeVector(0, u.wasm('v128.and', sum, bitsMask(u, bits, lowBits(u, imm, lanes))));
    },
    SSE41,
  );

const HIGH_TWICE = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const LOW_TWICE = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7];

/** 1/x or 1/√x of four singles: denormals count as zero, tiny results become zero, MXCSR plays no part. */
function reciprocal(u: Uops, v: Value, root: boolean): Value {
  const signs = splatConstant(u, 32, 0x8000_0000);
  const flush = (x: Value): Value => {
    const tiny = u.wasm('f32x4.lt', u.wasm('f32x4.abs', x), reals(u, 32, 2 ** -126));
    return u.wasm('v128.bitselect', u.wasm('v128.and', x, signs), x, tiny);
  };
  const x = flush(v);
  const one = reals(u, 32, 1);
  const nan = u.wasm('f32x4.ne', v, v);
  const quiet = u.wasm('v128.or', v, splatConstant(u, 32, 0x0040_0000));
  if (!root) return u.wasm('v128.bitselect', quiet, flush(u.wasm('f32x4.div', one, x)), nan);
  const zero = u.wasm('f32x4.eq', x, zeroVector(u));
  const infinite = u.wasm('v128.or', u.wasm('v128.and', x, signs), splatConstant(u, 32, 0x7f80_0000));
  let r = u.wasm('f32x4.div', one, u.wasm('f32x4.sqrt', x));
  r = u.wasm('v128.bitselect', splatConstant(u, 32, 0xffc0_0000), r, u.wasm('f32x4.lt', x, zeroVector(u)));
  r = u.wasm('v128.bitselect', infinite, r, zero);
  return u.wasm('v128.bitselect', quiet, r, nan);
}

const approximation = (opcode: string, mnemonic: string, root: boolean): Form[] =>
  (['ps', 'ss'] as const).map((shape) =>
    form(
      `${PREFIX[shape]} 0F ${opcode} /r`,
      `${mnemonic}${shape}`,
      `V${shape},W${shape}`,
      (u) => {
        const b = source(u, shape, 1);
        const r = reciprocal(u, b, root);
        u.writeVector(0, shape === 'ss' ? mergeLow(u, u.readVector(0), r, 32) : r);
      },
      { feature: 'sse', approximate: 'single' },
    ),
  );

export const forms: readonly Form[] = [
  ...arithmetic('58', 'add'),
  ...arithmetic('59', 'mul'),
  ...arithmetic('5C', 'sub'),
  ...arithmetic('5D', 'min'),
  ...arithmetic('5E', 'div'),
  ...arithmetic('5F', 'max'),
  ...arithmetic('51', 'sqrt'),
  ...bitwise('54', 'and', (u, a, b) => u.wasm('v128.and', a, b)),
  ...bitwise('55', 'andn', (u, a, b) => u.wasm('v128.andnot', b, a)),
  ...bitwise('56', 'or', (u, a, b) => u.wasm('v128.or', a, b)),
  ...bitwise('57', 'xor', (u, a, b) => u.wasm('v128.xor', a, b)),
  horizontal('7C', 'add', 'ps'),
  horizontal('7C', 'add', 'pd'),
  horizontal('7D', 'sub', 'ps'),
  horizontal('7D', 'sub', 'pd'),
  addSubtract('ps'),
  addSubtract('pd'),
  ...SHAPES.map(compareImmediate),
  compareFlags('2E', 'ucomiss', 'ss'),
  compareFlags('2E', 'ucomisd', 'sd'),
  compareFlags('2F', 'comiss', 'ss'),
  compareFlags('2F', 'comisd', 'sd'),
  round('08', 'ps'),
  round('09', 'pd'),
  round('0A', 'ss'),
  round('0B', 'sd'),
  dotProduct('40', 'ps'),
  dotProduct('41', 'pd'),
  ...approximation('52', 'rsqrt', true),
  ...approximation('53', 'rcp', false),
];
