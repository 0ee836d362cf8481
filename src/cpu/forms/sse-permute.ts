/**
 * Shuffles, unpacks of floats, blends, insertions and extractions on XMM registers (SDM Vol. 2). The immediates are
 * worked out in simd/permute.ts. PEXTRB, PEXTRW and EXTRACTPS clear the rest of a general register.
 */
import { type Form, type FormOptions, form } from '../forms.ts';
import { absoluteDifference, interleave } from '../simd/integer.ts';
import { i32, imm8, type LaneBits, lowBits, SHAPE, shiftedBits, toI32 } from '../simd/lift.ts';
import {
  align,
  blend,
  extractLane,
  insertLane,
  insertSingle,
  shuffleBytes,
  shuffleDoubles,
  shuffleDwords,
  shuffleSingles,
  shuffleWords,
  sumWindows,
} from '../simd/permute.ts';
import type { Uops, Value, Width } from '../uops.ts';
import { binary } from './sse-integer.ts';

const SSE: FormOptions = { feature: 'sse' };
const SSE2: FormOptions = { feature: 'sse2' };
const SSSE3: FormOptions = { feature: 'ssse3' };
const SSE41: FormOptions = { feature: 'sse4.1' };

const unpack = (prefix: string, opcode: string, mnemonic: string, bits: 32 | 64, high: boolean): Form =>
  form(
    `${prefix} 0F ${opcode} /r`,
    mnemonic,
    bits === 32 ? 'Vps,Wps' : 'Vpd,Wpd',
    (u) => {
      const b = u.readVector(1, true);
      u.writeVector(0, u.shuffle(u.readVector(0), b, interleave(bits, high ? 8 : 0)));
    },
    bits === 32 ? SSE : SSE2,
  );

/** `destination = operation(source, immediate)`. */
const shuffled = (opcode: string, mnemonic: string, operation: (u: Uops, b: Value, imm: Value) => Value): Form =>
  form(opcode, mnemonic, 'Vdq,Wdq,Ib', (u) => u.writeVector(0, operation(u, u.readVector(1, true), imm8(u, 2))), SSE2);

/** `destination = operation(destination, source, immediate)`. */
const combined = (
  opcode: string,
  mnemonic: string,
  size: string,
  operation: (u: Uops, a: Value, b: Value, imm: Value) => Value,
  options: FormOptions,
): Form =>
  form(
    opcode,
    mnemonic,
    `V${size},W${size},Ib`,
    (u) => {
      const b = u.readVector(1, true);
      u.writeVector(0, operation(u, u.readVector(0), b, imm8(u, 2)));
    },
    options,
  );

const blendImmediate = (opcode: string, mnemonic: string, size: string, bits: LaneBits): Form =>
  combined(`66 0F 3A ${opcode} /r`, mnemonic, size, (u, a, b, imm) => blend(u, bits, a, b, imm), SSE41);

/** The lanes of the source where the sign of XMM0's lane is set. */
const blendVariable = (opcode: string, mnemonic: string, bits: 8 | 32 | 64): Form =>
  binary(
    `0F 38 ${opcode}`,
    mnemonic,
    (u, a, b) => u.wasm('v128.bitselect', b, a, u.wasm(`${SHAPE[bits]}.shr_s`, u.xmm(0), i32(u, bits - 1))),
    SSE41,
  );

/** PINSRx: the lane is the immediate modulo the number of lanes. */
const insert = (
  opcode: string,
  mnemonic: string,
  operand: string,
  bits: (u: Uops) => LaneBits,
  options: FormOptions,
): Form =>
  form(
    opcode,
    mnemonic,
    `Vdq,${operand},Ib`,
    (u) => {
      const value = u.read(1);
      const lane = lowBits(u, imm8(u, 2), 128 / bits(u) - 1);
      u.writeVector(0, insertLane(u, bits(u), u.readVector(0), lane, value));
    },
    options,
  );

const extract = (
  opcode: string,
  mnemonic: string,
  operands: string,
  bits: (u: Uops) => LaneBits,
  options: FormOptions,
): Form =>
  form(
    opcode,
    mnemonic,
    operands,
    (u) => {
      const lane = lowBits(u, imm8(u, 2), 128 / bits(u) - 1);
      u.write(0, extractLane(u, bits(u), u.readVector(1), lane));
    },
    options,
  );

const wide = (u: Uops): LaneBits => u.width as Width as LaneBits;

const insertPs: Form = form(
  '66 0F 3A 21 /r',
  'insertps',
  'Vps,Wss,Ib',
  (u) => {
    const imm = imm8(u, 2);
    const value = u.isMemory(1)
      ? u.lane('i32x4.extract_lane', 0, u.readVectorLow(1, 32))
      : toI32(u, extractLane(u, 32, u.readVector(1), shiftedBits(u, imm, 6, 3)));
    u.writeVector(0, insertSingle(u, u.readVector(0), value, imm));
  },
  SSE41,
);

export const forms: readonly Form[] = [
  shuffled('66 0F 70 /r', 'pshufd', shuffleDwords),
  shuffled('F2 0F 70 /r', 'pshuflw', (u, b, imm) => shuffleWords(u, b, imm, 'low')),
  shuffled('F3 0F 70 /r', 'pshufhw', (u, b, imm) => shuffleWords(u, b, imm, 'high')),
  combined('NP 0F C6 /r', 'shufps', 'ps', shuffleSingles, SSE),
  combined('66 0F C6 /r', 'shufpd', 'pd', shuffleDoubles, SSE2),
  combined('66 0F 3A 0F /r', 'palignr', 'dq', align, SSSE3),
  binary('0F 38 00', 'pshufb', (u, a, b) => shuffleBytes(u, a, b), SSSE3),
  unpack('NP', '14', 'unpcklps', 32, false),
  unpack('66', '14', 'unpcklpd', 64, false),
  unpack('NP', '15', 'unpckhps', 32, true),
  unpack('66', '15', 'unpckhpd', 64, true),
  blendImmediate('0C', 'blendps', 'ps', 32),
  blendImmediate('0D', 'blendpd', 'pd', 64),
  blendImmediate('0E', 'pblendw', 'dq', 16),
  blendVariable('10', 'pblendvb', 8),
  blendVariable('14', 'blendvps', 32),
  blendVariable('15', 'blendvpd', 64),
  combined('66 0F 3A 42 /r', 'mpsadbw', 'dq', (u, a, b, imm) => sumWindows(u, a, b, imm, absoluteDifference), SSE41),
  insertPs,
  insert('66 0F C4 /r', 'pinsrw', 'Ew', () => 16, SSE2),
  insert('66 0F 3A 20 /r', 'pinsrb', 'Mb', () => 8, SSE41),
  insert('66 0F 3A 20 /r', 'pinsrb', 'Rd', () => 8, SSE41),
  insert('66 0F 3A 22 /r', 'pinsrd', 'Ey', wide, SSE41),
  extract('66 0F C5 /r', 'pextrw', 'Gd,Udq,Ib', () => 16, SSE2),
  extract('66 0F 3A 14 /r', 'pextrb', 'Mb,Vdq,Ib', () => 8, SSE41),
  extract('66 0F 3A 14 /r', 'pextrb', 'Rd,Vdq,Ib', () => 8, SSE41),
  extract('66 0F 3A 15 /r', 'pextrw', 'Mw,Vdq,Ib', () => 16, SSE41),
  extract('66 0F 3A 15 /r', 'pextrw', 'Rd,Vdq,Ib', () => 16, SSE41),
  extract('66 0F 3A 16 /r', 'pextrd', 'Ey,Vdq,Ib', wide, SSE41),
  extract('66 0F 3A 17 /r', 'extractps', 'Ed,Vps,Ib', () => 32, SSE41),
];
