/**
 * Conversions between integers and floating-point numbers and between the two formats, on XMM, MMX and general registers
 * (SDM Vol. 2; Vol. 1, 4.8.4 for rounding, 11.5.2 for the integer indefinite value).
 *
 * Each has a fast path for operands that fit, when the result is exact or PE is sticky and masked already; else
 * simd/slow.ts decides.
 */
import { type Form, type FormOptions, form } from '../forms.ts';
import {
  both,
  either,
  fastOrSlow,
  joinLow,
  low64,
  nearestSettled,
  precisionSettled,
  scalarSource,
  splat64,
  zeroVector,
} from '../simd/lift.ts';
import { checkX87, enterMmx, mmxForm } from '../simd/mmx.ts';
import {
  allBelow,
  below,
  every,
  lowest,
  ordinaries,
  ordinary,
  real,
  reals,
  type Single,
  scalarType,
  vectorType,
} from '../simd/numbers.ts';
import type { Uops, Value } from '../uops.ts';

const SSE: FormOptions = { feature: 'sse' };
const SSE2: FormOptions = { feature: 'sse2' };

/** Clears the upper half of a vector. */
const lowHalf = (u: Uops, v: Value): Value => joinLow(u, v, zeroVector(u));

/** Whether all lanes of |v| are below a limit, and the result exact or PE settled. */
const fits = (u: Uops, bits: Single, v: Value, limit: number, exact: Value, settled: Value): Value =>
  both(u, every(u, allBelow(u, bits, v, limit)), either(u, exact, settled));

/** Packed singles or doubles to 32-bit integers; results of doubles are in the low half. */
function toIntegers(u: Uops, bits: Single, b: Value, truncate: boolean, name: string): Value {
  const f = vectorType(bits);
  const rounded = u.wasm(`${f}.${truncate ? 'trunc' : 'nearest'}`, b);
  const exact = every(u, u.wasm(`${f}.eq`, rounded, b));
  const settled = truncate ? precisionSettled(u) : nearestSettled(u);
  const fast = u.wasm(bits === 32 ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero', rounded);
  // 2^31 − 1 is the first number that may round out of range.
  return fastOrSlow(u, fits(u, bits, b, 2 ** 31 - 1, exact, settled), fast, name, undefined, b);
}

/** Packed 32-bit integers to singles. */
function toSingles(u: Uops, b: Value): Value {
  const fast = u.wasm('f32x4.convert_i32x4_s', b);
  // Up to 2^24 every integer is a single; a result below that was exact.
  const exact = every(u, allBelow(u, 32, fast, 2 ** 24));
  return fastOrSlow(u, either(u, exact, nearestSettled(u)), fast, 'cvtdq2ps', undefined, b);
}

/** The low two singles to doubles. */
const widened = (u: Uops, b: Value): Value => {
  const low = lowHalf(u, b);
  return fastOrSlow(
    u,
    every(u, ordinaries(u, 32, low)),
    u.wasm('f64x2.promote_low_f32x4', b),
    'cvtps2pd',
    undefined,
    b,
  );
};

/** Doubles to singles in the low half. */
function narrowed(u: Uops, b: Value): Value {
  const fast = u.wasm('f32x4.demote_f64x2_zero', b);
  const back = u.wasm('f64x2.promote_low_f32x4', fast);
  const exact = every(u, u.wasm('f64x2.eq', back, b));
  // Results strictly between the least normal and infinity cannot have been tiny or too large; zeros must be exact.
  const size = u.wasm('f64x2.abs', back);
  const normal = u.wasm(
    'v128.and',
    u.wasm('f64x2.gt', size, reals(u, 64, 2 ** -126)),
    u.wasm('f64x2.lt', size, reals(u, 64, Number.POSITIVE_INFINITY)),
  );
  const inside = every(u, u.wasm('v128.or', normal, u.wasm('f64x2.eq', b, reals(u, 64, 0))));
  return fastOrSlow(u, both(u, inside, either(u, exact, nearestSettled(u))), fast, 'cvtpd2ps', undefined, b);
}

/** One double to a single, in the low lane. */
function narrowedScalar(u: Uops, b: Value): Value {
  const x = lowest(u, 64, b);
  const single = u.wasm('f32.demote_f64', x);
  const back = u.wasm('f64.promote_f32', single);
  const exact = u.wasm('f64.eq', back, x);
  const size = u.wasm('f64.abs', back);
  const normal = both(
    u,
    u.wasm('f64.gt', size, real(u, 64, 2 ** -126)),
    u.wasm('f64.lt', size, real(u, 64, Number.POSITIVE_INFINITY)),
  );
  const inside = either(u, normal, u.wasm('f64.eq', x, real(u, 64, 0)));
  const fast = u.wasm('f32x4.splat', single);
  return fastOrSlow(u, both(u, inside, either(u, exact, nearestSettled(u))), fast, 'cvtsd2ss', undefined, b);
}

/** CVT(T)SS2SI and CVT(T)SD2SI. */
const scalarToInteger = (prefix: string, opcode: string, source: 'ss' | 'sd', truncate: boolean): Form => {
  const bits: Single = source === 'ss' ? 32 : 64;
  const f = scalarType(bits);
  const mnemonic = `cvt${truncate ? 't' : ''}${source}2si`;
  return form(
    `${prefix} 0F ${opcode} /r`,
    mnemonic,
    `Gy,W${source}`,
    (u) => {
      const b = scalarSource(u, 1, bits);
      const x = lowest(u, bits, b);
      const rounded = u.wasm(`${f}.${truncate ? 'trunc' : 'nearest'}`, x);
      const exact = u.wasm(`${f}.eq`, rounded, x);
      const settled = truncate ? precisionSettled(u) : nearestSettled(u);
      const fine = both(u, below(u, bits, x, u.width === 64 ? 2 ** 62 : 2 ** 31 - 1), either(u, exact, settled));
      const fast = splat64(u, u.wasm(`i64.trunc_sat_${f}_s`, rounded));
      const result = fastOrSlow(u, fine, fast, `${mnemonic}.${u.width}`, undefined, b);
      u.write(0, u.truncate(low64(u, result), u.width));
    },
    source === 'ss' ? SSE : SSE2,
  );
};

/** CVTSI2SS and CVTSI2SD. */
const integerToScalar = (prefix: string, target: 'ss' | 'sd'): Form => {
  const bits: Single = target === 'ss' ? 32 : 64;
  const f = scalarType(bits);
  return form(
    `${prefix} 0F 2A /r`,
    `cvtsi2${target}`,
    `V${target},Ey`,
    (u) => {
      const value = u.signExtend(u.read(1), u.width);
      const converted = u.wasm(`${f}.convert_i64_s`, value);
      const fast = u.wasm(`${vectorType(bits)}.splat`, converted);
      let result = fast;
      if (target === 'ss' || u.width === 64) {
        const exact = below(u, bits, converted, bits === 32 ? 2 ** 24 : 2 ** 53);
        const name = `cvtsi2${target}.${u.width}`;
        result = fastOrSlow(u, either(u, exact, nearestSettled(u)), fast, name, undefined, splat64(u, value));
      }
      u.writeVectorLow(0, result, bits);
    },
    target === 'ss' ? SSE : SSE2,
  );
};

const packed = (
  opcode: string,
  mnemonic: string,
  operands: string,
  read: (u: Uops) => Value,
  operation: (u: Uops, b: Value) => Value,
): Form => form(opcode, mnemonic, operands, (u) => u.writeVector(0, operation(u, read(u))), SSE2);

const whole = (u: Uops): Value => u.readVector(1, true);
const half = (u: Uops): Value => u.readVectorLow(1, 64);

/** An MMX source. With a memory source the instruction has nothing to do with the x87 unit. */
function mmxSource(u: Uops): Value {
  if (u.isMemory(1)) return splat64(u, u.load(u.address(1), 64));
  checkX87(u);
  enterMmx(u);
  return splat64(u, u.readMmx(1));
}

const toMmx = (
  prefix: string,
  opcode: string,
  mnemonic: string,
  operand: string,
  bits: Single,
  truncate: boolean,
): Form =>
  mmxForm(
    `${prefix} 0F ${opcode} /r`,
    mnemonic,
    `Pq,${operand}`,
    (u) => {
      const b = bits === 32 ? half(u) : whole(u);
      enterMmx(u);
      const name = bits === 32 ? mnemonic : mnemonic.replace('2pi', '2dq');
      u.writeMmx(0, low64(u, toIntegers(u, bits, b, truncate, name)));
    },
    bits === 32 ? SSE : SSE2,
  );

export const forms: readonly Form[] = [
  scalarToInteger('F3', '2C', 'ss', true),
  scalarToInteger('F3', '2D', 'ss', false),
  scalarToInteger('F2', '2C', 'sd', true),
  scalarToInteger('F2', '2D', 'sd', false),
  integerToScalar('F3', 'ss'),
  integerToScalar('F2', 'sd'),
  form(
    'F3 0F 5A /r',
    'cvtss2sd',
    'Vsd,Wss',
    (u) => {
      const b = scalarSource(u, 1, 32);
      const x = lowest(u, 32, b);
      const fast = u.wasm('f64x2.splat', u.wasm('f64.promote_f32', x));
      u.writeVectorLow(0, fastOrSlow(u, ordinary(u, 32, x), fast, 'cvtss2sd', undefined, b), 64);
    },
    SSE2,
  ),
  form(
    'F2 0F 5A /r',
    'cvtsd2ss',
    'Vss,Wsd',
    (u) => u.writeVectorLow(0, narrowedScalar(u, scalarSource(u, 1, 64)), 32),
    SSE2,
  ),
  packed('NP 0F 5A /r', 'cvtps2pd', 'Vpd,Wq', half, widened),
  packed('66 0F 5A /r', 'cvtpd2ps', 'Vps,Wpd', whole, narrowed),
  packed('NP 0F 5B /r', 'cvtdq2ps', 'Vps,Wdq', whole, toSingles),
  packed('66 0F 5B /r', 'cvtps2dq', 'Vdq,Wps', whole, (u, b) => toIntegers(u, 32, b, false, 'cvtps2dq')),
  packed('F3 0F 5B /r', 'cvttps2dq', 'Vdq,Wps', whole, (u, b) => toIntegers(u, 32, b, true, 'cvttps2dq')),
  packed('66 0F E6 /r', 'cvttpd2dq', 'Vdq,Wpd', whole, (u, b) => toIntegers(u, 64, b, true, 'cvttpd2dq')),
  packed('F2 0F E6 /r', 'cvtpd2dq', 'Vdq,Wpd', whole, (u, b) => toIntegers(u, 64, b, false, 'cvtpd2dq')),
  packed('F3 0F E6 /r', 'cvtdq2pd', 'Vpd,Wq', half, (u, b) => u.wasm('f64x2.convert_low_i32x4_s', b)),
  form(
    'NP 0F 2A /r',
    'cvtpi2ps',
    'Vps,Qq',
    (u) => {
      const b = mmxSource(u);
      u.writeVectorLow(0, toSingles(u, b), 64);
    },
    SSE,
  ),
  form(
    '66 0F 2A /r',
    'cvtpi2pd',
    'Vpd,Qq',
    (u) => u.writeVector(0, u.wasm('f64x2.convert_low_i32x4_s', mmxSource(u))),
    SSE2,
  ),
  toMmx('NP', '2C', 'cvttps2pi', 'Wq', 32, true),
  toMmx('NP', '2D', 'cvtps2pi', 'Wq', 32, false),
  toMmx('66', '2C', 'cvttpd2pi', 'Wpd', 64, true),
  toMmx('66', '2D', 'cvtpd2pi', 'Wpd', 64, false),
];
