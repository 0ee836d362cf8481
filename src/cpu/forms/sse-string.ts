/** String comparison and CRC32 of SSE4.2 (SDM Vol. 2, 4.1). Both are helpers in TypeScript: simd/strings.ts. */
import { type Form, type FormOptions, form } from '../forms.ts';
import { i32, imm8, lowBits, pair64, shiftedBits, storeSlot, toI32, toI64 } from '../simd/lift.ts';
import { FLOAT_A, FLOAT_B, FLOAT_R, Reg } from '../state.ts';
import type { Uops, Value } from '../uops.ts';

const SSE42: FormOptions = { feature: 'sse4.2' };

/** The absolute value of a length register, at most 16, as i32. */
function explicitLength(u: Uops, register: Reg): Value {
  const signed = u.signExtend(u.register(register, u.width), u.width);
  const sign = u.integer('shr_s', signed, u.constant(63));
  const size = u.integer('sub', u.integer('xor', signed, sign), sign);
  const sixteen = u.constant(16);
  // The absolute value of the least integer is itself, which is large when taken as unsigned.
  return toI32(u, u.select(u.compare('lt_u', size, sixteen), size, sixteen));
}

/**
 * The helper answers flags and index: bits 0–4 index, 8 CF, 9 ZF, 10 SF, 11 OF. It leaves the mask in FLOAT_R.
 * AF and PF are cleared.
 */
const compareString = (opcode: string, mnemonic: string, explicit: boolean, mask: boolean): Form =>
  form(
    `66 0F 3A ${opcode} /r`,
    mnemonic,
    'Vdq,Wdq,Ib',
    (u) => {
      const b = u.readVector(1);
      storeSlot(u, FLOAT_A, u.readVector(0));
      storeSlot(u, FLOAT_B, b);
      const lengthA = explicit ? explicitLength(u, Reg.RAX) : i32(u, -1);
      const lengthB = explicit ? explicitLength(u, Reg.RDX) : i32(u, -1);
      const answer = u.helper('simd.compareStrings', imm8(u, 2), lengthA, lengthB);
      if (mask) u.setXmm(0, pair64(u, u.state(FLOAT_R, 64), u.state(FLOAT_R + 8, 64)));
      else u.setRegister(Reg.RCX, 32, toI64(u, lowBits(u, answer, 31)));
      const flag = (bit: number): Value => shiftedBits(u, answer, bit, 1);
      const zero = i32(u, 0);
      u.changeFlags({ cf: flag(8), zf: flag(9), sf: flag(10), of: flag(11), af: zero, pf: zero });
    },
    explicit ? { ...SSE42, widths: [32, 64] } : SSE42,
  );

/** CRC32 over the source; the destination's upper half is always cleared. */
const crc = (opcode: string, operands: string): Form =>
  form(
    `F2 0F 38 ${opcode} /r`,
    'crc32',
    operands,
    (u) => {
      const value = u.read(1);
      const high = toI32(u, u.integer('shr_u', value, u.constant(32)));
      const bytes = operands.endsWith('Eb') ? 1 : u.width / 8;
      const result = u.helper('simd.crc32', toI32(u, u.read(0)), toI32(u, value), high, i32(u, bytes));
      u.write(0, toI64(u, result));
    },
    SSE42,
  );

export const forms: readonly Form[] = [
  compareString('60', 'pcmpestrm', true, true),
  compareString('61', 'pcmpestri', true, false),
  compareString('62', 'pcmpistrm', false, true),
  compareString('63', 'pcmpistri', false, false),
  crc('F0', 'Gd,Eb'),
  crc('F1', 'Gd,Ev'),
];
