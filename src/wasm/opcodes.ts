/**
 * WebAssembly instruction names and their encodings (WebAssembly Core Specification 2.0 §5.4, tail calls, threads).
 *
 * Only instructions without immediates are listed by plain name in `PLAIN`; loads and stores stand in `MEMORY` with their
 * natural alignment. Control, constants, calls and locals have methods of their own on `FunctionBody`.
 */

const sequence = (first: number, names: string): [string, number][] =>
  names.split(/\s+/).map((name, index): [string, number] => [name, first + index]);

/** Numeric, reference and parametric instructions without immediates: one byte each. */
const ONE_BYTE = new Map<string, number>([
  ['unreachable', 0x00],
  ['nop', 0x01],
  ['else', 0x05],
  ['end', 0x0b],
  ['return', 0x0f],
  ['drop', 0x1a],
  ['select', 0x1b],
  ...sequence(0x45, 'i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u'),
  ...sequence(0x50, 'i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u'),
  ...sequence(0x5b, 'f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge'),
  ...sequence(
    0x67,
    'i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr',
  ),
  ...sequence(
    0x79,
    'i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr',
  ),
  ...sequence(
    0x8b,
    'f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign',
  ),
  ...sequence(
    0x99,
    'f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign',
  ),
  ...sequence(
    0xa7,
    'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s',
  ),
]);

/** Saturating truncations: prefix 0xfc. */
const PREFIX_FC = new Map<string, number>(
  sequence(
    0,
    'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u',
  ),
);

/** Vector instructions without immediates: prefix 0xfd. */
const PREFIX_FD = new Map<string, number>([
  ['i8x16.swizzle', 14],
  ...sequence(15, 'i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'),
  ...sequence(
    35,
    'i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true',
  ),
  ...sequence(
    94,
    'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4 i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest i8x16.shl i8x16.shr_s i8x16.shr_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u i16x8.abs i16x8.neg i16x8.q15mulr_sat_s i16x8.all_true i16x8.bitmask i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u f64x2.nearest i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u',
  ),
  ...sequence(
    155,
    'i16x8.avgr_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u i32x4.abs i32x4.neg',
  ),
  ...sequence(163, 'i32x4.all_true i32x4.bitmask'),
  ...sequence(
    167,
    'i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add',
  ),
  ['i32x4.sub', 177],
  ...sequence(181, 'i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s'),
  ...sequence(
    188,
    'i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u i64x2.abs i64x2.neg',
  ),
  ...sequence(195, 'i64x2.all_true i64x2.bitmask'),
  ...sequence(
    199,
    'i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add',
  ),
  ['i64x2.sub', 209],
  ...sequence(
    213,
    'i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u f32x4.abs f32x4.neg',
  ),
  ...sequence(227, 'f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax'),
  ...sequence(236, 'f64x2.abs f64x2.neg'),
  ...sequence(239, 'f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax'),
  ...sequence(
    248,
    'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u',
  ),
]);

/** Vector instructions with one lane index. */
const LANE = new Map<string, number>(
  sequence(
    21,
    'i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane',
  ),
);

const unsignedLeb = (value: number): number[] => {
  const bytes: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return bytes;
};

/** Bytes of every instruction that has no immediates. */
export const PLAIN: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...[...ONE_BYTE].map(([name, code]): [string, number[]] => [name, [code]]),
  ...[...PREFIX_FC].map(([name, code]): [string, number[]] => [name, [0xfc, ...unsignedLeb(code)]]),
  ...[...PREFIX_FD].map(([name, code]): [string, number[]] => [name, [0xfd, ...unsignedLeb(code)]]),
]);

/** Bytes of every instruction with one lane immediate, without that immediate. */
export const LANES: ReadonlyMap<string, readonly number[]> = new Map(
  [...LANE].map(([name, code]): [string, number[]] => [name, [0xfd, ...unsignedLeb(code)]]),
);

const memory = (first: number, entries: string): [string, { bytes: readonly number[]; align: number }][] =>
  entries.split(/\s+/).map((entry, index) => {
    const [name, align] = entry.split(':');
    return [name, { bytes: [first + index], align: Number(align) }];
  });

/** Loads and stores: their bytes and their natural alignment as a power of two. */
export const MEMORY: ReadonlyMap<string, { bytes: readonly number[]; align: number }> = new Map([
  ...memory(
    0x28,
    'i32.load:2 i64.load:3 f32.load:2 f64.load:3 i32.load8_s:0 i32.load8_u:0 i32.load16_s:1 i32.load16_u:1 i64.load8_s:0 i64.load8_u:0 i64.load16_s:1 i64.load16_u:1 i64.load32_s:2 i64.load32_u:2 i32.store:2 i64.store:3 f32.store:2 f64.store:3 i32.store8:0 i32.store16:1 i64.store8:0 i64.store16:1 i64.store32:2',
  ),
  ['v128.load', { bytes: [0xfd, 0], align: 4 }],
  ['v128.store', { bytes: [0xfd, 11], align: 4 }],
  ['v128.load32_zero', { bytes: [0xfd, 92], align: 2 }],
  ['v128.load64_zero', { bytes: [0xfd, 93], align: 3 }],
  ['v128.load64_splat', { bytes: [0xfd, 10], align: 3 }],
]);
