/**
 * MMX instructions, those that SSE, SSE2 and SSSE3 added to them included (SDM Vol. 2; Vol. 1, chapter 9). Operations are
 * those of simd/integer.ts on the low half of a vector. The source is read first: it may be memory that faults.
 */
import type { Form, FormOptions } from '../forms.ts';
import { type Binary, interleave, LANEWISE, PAIRWISE, shiftLanes } from '../simd/integer.ts';
import { i32, imm8, iota, joinLow, type LaneBits, low64, lowBits, splat64, toI64 } from '../simd/lift.ts';
import { enterMmx, mmxForm, mmxVector, resetTop, writeMmxLow } from '../simd/mmx.ts';
import { atMost, extractLane, insertLane, shuffleBytes, shuffleWords } from '../simd/permute.ts';
import { FTW } from '../state.ts';
import type { Uops, Value } from '../uops.ts';
import { maskedStoreAddress } from './sse-move.ts';

const MMX: FormOptions = { feature: 'mmx' };
const SSE: FormOptions = { feature: 'sse' };
const SSE2: FormOptions = { feature: 'sse2' };
const SSSE3: FormOptions = { feature: 'ssse3' };

const binary = (opcode: string, mnemonic: string, operation: Binary, options: FormOptions, operand = 'Qq'): Form =>
  mmxForm(
    `NP ${opcode} /r`,
    mnemonic,
    `Pq,${operand}`,
    (u) => {
      const b = mmxVector(u, 1);
      writeMmxLow(u, 0, operation(u, mmxVector(u, 0), b));
    },
    options,
  );

/** Operations that take neighbours get destination and source as the halves of one vector. */
const pairwise =
  (operation: Binary): Binary =>
  (u, a, b) => {
    const joined = joinLow(u, a, b);
    return operation(u, joined, joined);
  };

const named = (options: FormOptions, list: Record<string, string>): Form[] =>
  Object.entries(list).map(([mnemonic, opcode]) => {
    const lanewise = LANEWISE.get(mnemonic);
    const operation = lanewise ?? pairwise(PAIRWISE.get(mnemonic)!);
    return binary(opcode, mnemonic, operation, options);
  });

/** The low halves take 32 bits of memory only. */
const unpack = (opcode: string, mnemonic: string, bits: LaneBits, high: boolean): Form =>
  binary(opcode, mnemonic, (u, a, b) => u.shuffle(a, b, interleave(bits, high ? 4 : 0)), MMX, high ? 'Qq' : 'Qd');

const unary = (opcode: string, mnemonic: string, operation: (u: Uops, b: Value) => Value): Form =>
  mmxForm(`NP ${opcode} /r`, mnemonic, 'Pq,Qq', (u) => writeMmxLow(u, 0, operation(u, mmxVector(u, 1))), SSSE3);

const shift = (
  mnemonic: string,
  bits: 16 | 32 | 64,
  op: 'shl' | 'shr_u' | 'shr_s',
  byRegister: string,
  byImmediate: string,
): Form[] => [
  binary(byRegister, mnemonic, (u, a, b) => shiftLanes(u, bits, op, a, low64(u, b)), MMX),
  mmxForm(`NP ${byImmediate}`, mnemonic, 'Nq,Ib', (u) =>
    writeMmxLow(u, 0, shiftLanes(u, bits, op, mmxVector(u, 0), toI64(u, imm8(u, 1)))),
  ),
];

/** All eight bytes must be writable, whatever the mask. */
const storeMasked = (u: Uops): void => {
  enterMmx(u);
  const address = maskedStoreAddress(u);
  u.prepareStore(address, 8);
  const mask = u.wasm('i8x16.shr_s', mmxVector(u, 1), i32(u, 7));
  const old = splat64(u, u.load(address, 64));
  u.store(address, 64, low64(u, u.wasm('v128.bitselect', mmxVector(u, 0), old, mask)));
};

export const forms: readonly Form[] = [
  ...named(MMX, {
    pand: '0F DB',
    pandn: '0F DF',
    por: '0F EB',
    pxor: '0F EF',
    paddb: '0F FC',
    paddw: '0F FD',
    paddd: '0F FE',
    paddsb: '0F EC',
    paddsw: '0F ED',
    paddusb: '0F DC',
    paddusw: '0F DD',
    psubb: '0F F8',
    psubw: '0F F9',
    psubd: '0F FA',
    psubsb: '0F E8',
    psubsw: '0F E9',
    psubusb: '0F D8',
    psubusw: '0F D9',
    pmullw: '0F D5',
    pmulhw: '0F E5',
    pmaddwd: '0F F5',
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
  ...named(SSE, {
    pmulhuw: '0F E4',
    psadbw: '0F F6',
    pavgb: '0F E0',
    pavgw: '0F E3',
    pminub: '0F DA',
    pminsw: '0F EA',
    pmaxub: '0F DE',
    pmaxsw: '0F EE',
  }),
  ...named(SSE2, { paddq: '0F D4', psubq: '0F FB', pmuludq: '0F F4' }),
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
  unpack('0F 60', 'punpcklbw', 8, false),
  unpack('0F 61', 'punpcklwd', 16, false),
  unpack('0F 62', 'punpckldq', 32, false),
  unpack('0F 68', 'punpckhbw', 8, true),
  unpack('0F 69', 'punpckhwd', 16, true),
  unpack('0F 6A', 'punpckhdq', 32, true),
  unary('0F 38 1C', 'pabsb', (u, b) => u.wasm('i8x16.abs', b)),
  unary('0F 38 1D', 'pabsw', (u, b) => u.wasm('i16x8.abs', b)),
  unary('0F 38 1E', 'pabsd', (u, b) => u.wasm('i32x4.abs', b)),
  ...shift('psllw', 16, 'shl', '0F F1', '0F 71 /6'),
  ...shift('pslld', 32, 'shl', '0F F2', '0F 72 /6'),
  ...shift('psllq', 64, 'shl', '0F F3', '0F 73 /6'),
  ...shift('psrlw', 16, 'shr_u', '0F D1', '0F 71 /2'),
  ...shift('psrld', 32, 'shr_u', '0F D2', '0F 72 /2'),
  ...shift('psrlq', 64, 'shr_u', '0F D3', '0F 73 /2'),
  ...shift('psraw', 16, 'shr_s', '0F E1', '0F 71 /4'),
  ...shift('psrad', 32, 'shr_s', '0F E2', '0F 72 /4'),
  binary('0F 38 00', 'pshufb', (u, a, b) => shuffleBytes(u, a, b, 0x87), SSSE3),
  mmxForm(
    'NP 0F 3A 0F /r',
    'palignr',
    'Pq,Qq,Ib',
    (u) => {
      const b = mmxVector(u, 1);
      const joined = joinLow(u, b, mmxVector(u, 0));
      const start = u.wasm('i8x16.splat', atMost(u, imm8(u, 2), 16));
      writeMmxLow(u, 0, u.wasm('i8x16.swizzle', joined, u.wasm('i8x16.add', iota(u), start)));
    },
    SSSE3,
  ),
  mmxForm(
    'NP 0F 70 /r',
    'pshufw',
    'Pq,Qq,Ib',
    (u) => writeMmxLow(u, 0, shuffleWords(u, mmxVector(u, 1), imm8(u, 2), 'low')),
    SSE,
  ),
  mmxForm(
    'NP 0F C4 /r',
    'pinsrw',
    'Pq,Ew,Ib',
    (u) => {
      const value = u.read(1);
      writeMmxLow(u, 0, insertLane(u, 16, mmxVector(u, 0), lowBits(u, imm8(u, 2), 3), value));
    },
    SSE,
  ),
  mmxForm(
    'NP 0F C5 /r',
    'pextrw',
    'Gd,Nq,Ib',
    (u) => u.write(0, extractLane(u, 16, mmxVector(u, 1), lowBits(u, imm8(u, 2), 3))),
    SSE,
  ),
  mmxForm(
    'NP 0F D7 /r',
    'pmovmskb',
    'Gd,Nq',
    (u) => u.write(0, toI64(u, u.wasm('i32.and', u.wasm('i8x16.bitmask', mmxVector(u, 1)), i32(u, 0xff)))),
    SSE,
  ),
  mmxForm('NP 0F 6E /r', 'movd', 'Pq,Ey', (u) => u.writeMmx(0, u.read(1))),
  mmxForm('NP 0F 7E /r', 'movd', 'Ey,Pq', (u) => u.write(0, u.truncate(u.readMmx(1), u.width))),
  mmxForm('NP 0F 6F /r', 'movq', 'Pq,Qq', (u) => u.writeMmx(0, u.readMmx(1))),
  mmxForm('NP 0F 7F /r', 'movq', 'Qq,Pq', (u) => u.writeMmx(0, u.readMmx(1))),
  mmxForm('NP 0F E7 /r', 'movntq', 'Mq,Pq', (u) => u.write(0, u.readMmx(1)), SSE),
  mmxForm('NP 0F F7 /r', 'maskmovq', 'Pq,Nq', storeMasked, SSE),
  mmxForm('NP 0F 77', 'emms', '', (u) => {
    u.setState(FTW, 8, u.constant(0));
    resetTop(u);
  }),
];
