/**
 * Packed integer arithmetic on XMM registers: SSE2, SSSE3, SSE4.1 and SSE4.2 (SDM Vol. 2). A memory operand of 16 bytes
 * must be aligned. The meaning of each operation is in simd/integer.ts, shared with MMX.
 */
import { type Form, type FormOptions, form } from '../forms.ts';
import { type Binary, interleave, LANEWISE, leastWord, PAIRWISE, shiftLanes } from '../simd/integer.ts';
import { imm8, type LaneBits, low64, SHAPE, toI64 } from '../simd/lift.ts';
import { shiftBytes } from '../simd/permute.ts';
import type { Uops, Value } from '../uops.ts';

const SSE2: FormOptions = { feature: 'sse2' };
const SSSE3: FormOptions = { feature: 'ssse3' };
const SSE41: FormOptions = { feature: 'sse4.1' };
const SSE42: FormOptions = { feature: 'sse4.2' };

/** `destination = operation(destination, source)`. */
export const binary = (opcode: string, mnemonic: string, operation: Binary, options: FormOptions): Form =>
  form(
    `66 ${opcode} /r`,
    mnemonic,
    'Vdq,Wdq',
    (u) => {
      const b = u.readVector(1, true);
      u.writeVector(0, operation(u, u.readVector(0), b));
    },
    options,
  );

const named = (options: FormOptions, list: Record<string, string>): Form[] =>
  Object.entries(list).map(([mnemonic, opcode]) => {
    const operation = LANEWISE.get(mnemonic) ?? PAIRWISE.get(mnemonic);
    if (operation === undefined) throw new Error(`no operation ${mnemonic}`);
    return binary(opcode, mnemonic, operation, options);
  });

const unpack = (opcode: string, mnemonic: string, bits: LaneBits, high: boolean): Form =>
  binary(opcode, mnemonic, (u, a, b) => u.shuffle(a, b, interleave(bits, high ? 8 : 0)), SSE2);

const unary = (opcode: string, mnemonic: string, operation: (u: Uops, b: Value) => Value, options: FormOptions): Form =>
  form(`66 ${opcode} /r`, mnemonic, 'Vdq,Wdq', (u) => u.writeVector(0, operation(u, u.readVector(1, true))), options);

type Shift = 'shl' | 'shr_u' | 'shr_s';

/** A shift by the low 64 bits of a register or memory, and by an immediate. */
const shift = (mnemonic: string, bits: 16 | 32 | 64, op: Shift, byVector: string, byImmediate: string): Form[] => [
  binary(byVector, mnemonic, (u, a, b) => shiftLanes(u, bits, op, a, low64(u, b)), SSE2),
  form(
    `66 ${byImmediate}`,
    mnemonic,
    'Udq,Ib',
    (u) => u.writeVector(0, shiftLanes(u, bits, op, u.readVector(0), toI64(u, imm8(u, 1)))),
    SSE2,
  ),
];

const shiftWhole = (opcode: string, mnemonic: string, direction: 'left' | 'right'): Form =>
  form(
    opcode,
    mnemonic,
    'Udq,Ib',
    (u) => u.writeVector(0, shiftBytes(u, u.readVector(0), imm8(u, 1), direction)),
    SSE2,
  );

/** PMOVSX and PMOVZX: the low lanes of the source, widened step by step. */
const widen = (opcode: string, mnemonic: string, from: 8 | 16 | 32, to: 16 | 32 | 64, sign: 's' | 'u'): Form => {
  const bits = ((128 / to) * from) as 16 | 32 | 64;
  const size = { 16: 'w', 32: 'd', 64: 'q' }[bits];
  return form(
    `66 0F 38 ${opcode} /r`,
    mnemonic,
    `Vdq,W${size}`,
    (u) => {
      let v = u.readVectorLow(1, bits);
      for (let width = from as number; width < to; width *= 2) {
        const wide = SHAPE[(width * 2) as LaneBits];
        v = u.wasm(`${wide}.extend_low_${SHAPE[width as LaneBits]}_${sign}`, v);
      }
      u.writeVector(0, v);
    },
    SSE41,
  );
};

const WIDENINGS: readonly [string, 8 | 16 | 32, 16 | 32 | 64][] = [
  ['bw', 8, 16],
  ['bd', 8, 32],
  ['bq', 8, 64],
  ['wd', 16, 32],
  ['wq', 16, 64],
  ['dq', 32, 64],
];

/** ZF: no common bit. CF: the source has no bit outside the destination. The other flags are cleared. */
const test = form(
  '66 0F 38 17 /r',
  'ptest',
  'Vdq,Wdq',
  (u) => {
    const b = u.readVector(1, true);
    const a = u.readVector(0);
    const none = (v: Value): Value => u.wasm('i32.eqz', u.wasm('v128.any_true', v));
    const zero = u.wasm('i32.wrap_i64', u.constant(0));
    const zf = none(u.wasm('v128.and', a, b));
    const cf = none(u.wasm('v128.andnot', b, a));
    u.changeFlags({ zf, cf, of: zero, sf: zero, pf: zero, af: zero });
  },
  SSE41,
);

const signMask = (opcode: string, mnemonic: string, operand: string, name: string, options: FormOptions): Form =>
  form(opcode, mnemonic, `Gd,${operand}`, (u) => u.write(0, toI64(u, u.wasm(name, u.readVector(1)))), options);

export const forms: readonly Form[] = [
  ...named(SSE2, {
    pand: '0F DB',
    pandn: '0F DF',
    por: '0F EB',
    pxor: '0F EF',
    paddb: '0F FC',
    paddw: '0F FD',
    paddd: '0F FE',
    paddq: '0F D4',
    paddsb: '0F EC',
    paddsw: '0F ED',
    paddusb: '0F DC',
    paddusw: '0F DD',
    psubb: '0F F8',
    psubw: '0F F9',
    psubd: '0F FA',
    psubq: '0F FB',
    psubsb: '0F E8',
    psubsw: '0F E9',
    psubusb: '0F D8',
    psubusw: '0F D9',
    pmullw: '0F D5',
    pmulhw: '0F E5',
    pmulhuw: '0F E4',
    pmuludq: '0F F4',
    pmaddwd: '0F F5',
    psadbw: '0F F6',
    pavgb: '0F E0',
    pavgw: '0F E3',
    pminub: '0F DA',
    pminsw: '0F EA',
    pmaxub: '0F DE',
    pmaxsw: '0F EE',
    pcmpeqb: '0F 74',
    pcmpeqw: '0F 75',
    pcmpeqd: '0F 76',
    pcmpgtb: '0F 64',
    pcmpgtw: '0F 65',
    pcmpgtd: '0F 66',
    packsswb: '0F 63',
    packssdw: '0F 6B',
    packuswb: '0F 67',
  }),
  ...named(SSSE3, {
    phaddw: '0F 38 01',
    phaddd: '0F 38 02',
    phaddsw: '0F 38 03',
    pmaddubsw: '0F 38 04',
    phsubw: '0F 38 05',
    phsubd: '0F 38 06',
    phsubsw: '0F 38 07',
    psignb: '0F 38 08',
    psignw: '0F 38 09',
    psignd: '0F 38 0A',
    pmulhrsw: '0F 38 0B',
  }),
  ...named(SSE41, {
    pmuldq: '0F 38 28',
    pcmpeqq: '0F 38 29',
    packusdw: '0F 38 2B',
    pminsb: '0F 38 38',
    pminsd: '0F 38 39',
    pminuw: '0F 38 3A',
    pminud: '0F 38 3B',
    pmaxsb: '0F 38 3C',
    pmaxsd: '0F 38 3D',
    pmaxuw: '0F 38 3E',
    pmaxud: '0F 38 3F',
    pmulld: '0F 38 40',
  }),
  ...named(SSE42, { pcmpgtq: '0F 38 37' }),
  unpack('0F 60', 'punpcklbw', 8, false),
  unpack('0F 61', 'punpcklwd', 16, false),
  unpack('0F 62', 'punpckldq', 32, false),
  unpack('0F 6C', 'punpcklqdq', 64, false),
  unpack('0F 68', 'punpckhbw', 8, true),
  unpack('0F 69', 'punpckhwd', 16, true),
  unpack('0F 6A', 'punpckhdq', 32, true),
  unpack('0F 6D', 'punpckhqdq', 64, true),
  unary('0F 38 1C', 'pabsb', (u, b) => u.wasm('i8x16.abs', b), SSSE3),
  unary('0F 38 1D', 'pabsw', (u, b) => u.wasm('i16x8.abs', b), SSSE3),
  unary('0F 38 1E', 'pabsd', (u, b) => u.wasm('i32x4.abs', b), SSSE3),
  unary('0F 38 41', 'phminposuw', leastWord, SSE41),
  ...shift('psllw', 16, 'shl', '0F F1', '0F 71 /6'),
  ...shift('pslld', 32, 'shl', '0F F2', '0F 72 /6'),
  ...shift('psllq', 64, 'shl', '0F F3', '0F 73 /6'),
  ...shift('psrlw', 16, 'shr_u', '0F D1', '0F 71 /2'),
  ...shift('psrld', 32, 'shr_u', '0F D2', '0F 72 /2'),
  ...shift('psrlq', 64, 'shr_u', '0F D3', '0F 73 /2'),
  ...shift('psraw', 16, 'shr_s', '0F E1', '0F 71 /4'),
  ...shift('psrad', 32, 'shr_s', '0F E2', '0F 72 /4'),
  shiftWhole('66 0F 73 /7', 'pslldq', 'left'),
  shiftWhole('66 0F 73 /3', 'psrldq', 'right'),
  ...WIDENINGS.flatMap(([suffix, from, to], index) => [
    widen(`2${index}`, `pmovsx${suffix}`, from, to, 's'),
    widen(`3${index}`, `pmovzx${suffix}`, from, to, 'u'),
  ]),
  test,
  signMask('66 0F D7 /r', 'pmovmskb', 'Udq', 'i8x16.bitmask', SSE2),
  signMask('NP 0F 50 /r', 'movmskps', 'Ups', 'i32x4.bitmask', { feature: 'sse' }),
  signMask('66 0F 50 /r', 'movmskpd', 'Upd', 'i64x2.bitmask', SSE2),
];
