/**
 * Moves between XMM registers, memory and general registers: SSE to SSE4.1 (SDM Vol. 2). A scalar load clears the rest of
 * the register, a scalar register move keeps it. Only the U forms, LDDQU and the 32- and 64-bit ones take unaligned memory.
 */
import { type Form, type FormOptions, form } from '../forms.ts';
import { i32, joinLow, low64, zeroVector } from '../simd/lift.ts';
import { mmxForm } from '../simd/mmx.ts';
import { Reg } from '../state.ts';
import type { Uops, Value } from '../uops.ts';

const SSE: FormOptions = { feature: 'sse' };
const SSE2: FormOptions = { feature: 'sse2' };
const SSE3: FormOptions = { feature: 'sse3' };
const SSE41: FormOptions = { feature: 'sse4.1' };

/** A 16-byte load and its store counterpart. */
const whole = (
  mnemonic: string,
  size: string,
  prefix: string,
  load: string,
  store: string,
  aligned: boolean,
  options: FormOptions,
): Form[] => [
  form(
    `${prefix} 0F ${load} /r`,
    mnemonic,
    `V${size},W${size}`,
    (u) => u.writeVector(0, u.readVector(1, aligned)),
    options,
  ),
  form(
    `${prefix} 0F ${store} /r`,
    mnemonic,
    `W${size},V${size}`,
    (u) => u.writeVector(0, u.readVector(1), aligned),
    options,
  ),
];

const scalar = (mnemonic: string, size: 'ss' | 'sd', prefix: string, bits: 32 | 64, options: FormOptions): Form[] => [
  form(
    `${prefix} 0F 10 /r`,
    mnemonic,
    `V${size},W${size}`,
    (u) => {
      if (u.isMemory(1)) u.writeVector(0, u.readVectorLow(1, bits));
      else u.writeVectorLow(0, u.readVector(1), bits);
    },
    options,
  ),
  form(`${prefix} 0F 11 /r`, mnemonic, `W${size},V${size}`, (u) => u.writeVectorLow(0, u.readVector(1), bits), options),
];

const HIGH_TO_LOW = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** MOVLPS, MOVHPS and the double forms: one half of a register and 8 bytes of memory. */
const halves = (prefix: string, low: string, high: string, options: FormOptions): Form[] => [
  form(`${prefix} 0F 12 /r`, low, 'Vq,Mq', (u) => u.writeVectorLow(0, u.readVectorLow(1, 64), 64), options),
  form(`${prefix} 0F 13 /r`, low, 'Mq,Vq', (u) => u.writeVectorLow(0, u.readVector(1), 64), options),
  form(
    `${prefix} 0F 16 /r`,
    high,
    'Vdq,Mq',
    (u) => {
      const b = u.readVectorLow(1, 64);
      u.writeVector(0, joinLow(u, u.readVector(0), b));
    },
    options,
  ),
  form(
    `${prefix} 0F 17 /r`,
    high,
    'Mq,Vdq',
    (u) => {
      const v = u.readVector(1);
      u.writeVectorLow(0, u.shuffle(v, v, HIGH_TO_LOW), 64);
    },
    options,
  ),
];

/** MOVSLDUP, MOVSHDUP: even or odd singles twice. */
const duplicate = (opcode: string, mnemonic: string, odd: number): Form =>
  form(
    `F3 0F ${opcode} /r`,
    mnemonic,
    'Vps,Wps',
    (u) => {
      const v = u.readVector(1, true);
      u.writeVector(
        0,
        u.shuffle(
          v,
          v,
          Array.from({ length: 16 }, (_, i) => (i & 8) + odd + (i & 3)),
        ),
      );
    },
    SSE3,
  );

const nonTemporal = (opcode: string, mnemonic: string, size: string, options: FormOptions): Form =>
  form(opcode, mnemonic, `M${size},V${size}`, (u) => u.writeVector(0, u.readVector(1), true), options);

/** The address DS:rDI of the masked stores. */
export const maskedStoreAddress = (u: Uops): Value =>
  u.integer('add', u.segmentBase(), u.register(Reg.RDI, u.addressWidth));

/** All 16 bytes must be writable, whatever the mask. */
const storeMasked = (u: Uops): void => {
  const address = maskedStoreAddress(u);
  u.prepareStore(address, 16);
  const mask = u.wasm('i8x16.shr_s', u.readVector(1), i32(u, 7));
  u.storeVector(address, u.wasm('v128.bitselect', u.readVector(0), u.loadVector(address), mask));
};

/** Writes a value to register operand `index`, upper half zero. */
const writeLow = (u: Uops, index: number, value: Value): void =>
  u.writeVector(index, u.lane('i64x2.replace_lane', 0, zeroVector(u), value));

export const forms: readonly Form[] = [
  ...whole('movaps', 'ps', 'NP', '28', '29', true, SSE),
  ...whole('movapd', 'pd', '66', '28', '29', true, SSE2),
  ...whole('movups', 'ps', 'NP', '10', '11', false, SSE),
  ...whole('movupd', 'pd', '66', '10', '11', false, SSE2),
  ...whole('movdqa', 'dq', '66', '6F', '7F', true, SSE2),
  ...whole('movdqu', 'dq', 'F3', '6F', '7F', false, SSE2),
  ...scalar('movss', 'ss', 'F3', 32, SSE),
  ...scalar('movsd', 'sd', 'F2', 64, SSE2),
  ...halves('NP', 'movlps', 'movhps', SSE),
  ...halves('66', 'movlpd', 'movhpd', SSE2),
  form(
    'NP 0F 12 /r',
    'movhlps',
    'Vq,Uq',
    (u) => {
      const v = u.readVector(1);
      u.writeVectorLow(0, u.shuffle(v, v, HIGH_TO_LOW), 64);
    },
    SSE,
  ),
  form('NP 0F 16 /r', 'movlhps', 'Vdq,Uq', (u) => u.writeVector(0, joinLow(u, u.readVector(0), u.readVector(1))), SSE),
  form(
    'F2 0F 12 /r',
    'movddup',
    'Vdq,Wq',
    (u) => {
      const v = u.readVectorLow(1, 64);
      u.writeVector(0, joinLow(u, v, v));
    },
    SSE3,
  ),
  duplicate('12', 'movsldup', 0),
  duplicate('16', 'movshdup', 4),
  form('F2 0F F0 /r', 'lddqu', 'Vdq,Mdq', (u) => u.writeVector(0, u.readVector(1)), SSE3),
  form('66 0F 38 2A /r', 'movntdqa', 'Vdq,Mdq', (u) => u.writeVector(0, u.readVector(1, true)), SSE41),
  nonTemporal('NP 0F 2B /r', 'movntps', 'ps', SSE),
  nonTemporal('66 0F 2B /r', 'movntpd', 'pd', SSE2),
  nonTemporal('66 0F E7 /r', 'movntdq', 'dq', SSE2),
  form('NP 0F C3 /r', 'movnti', 'My,Gy', (u) => u.write(0, u.read(1)), SSE2),
  form('66 0F F7 /r', 'maskmovdqu', 'Vdq,Udq', storeMasked, SSE2),
  form('66 0F 6E /r', 'movd', 'Vdq,Ey', (u) => writeLow(u, 0, u.read(1)), SSE2),
  form('66 0F 7E /r', 'movd', 'Ey,Vdq', (u) => u.write(0, u.truncate(low64(u, u.readVector(1)), u.width)), SSE2),
  form('F3 0F 7E /r', 'movq', 'Vq,Wq', (u) => u.writeVector(0, u.readVectorLow(1, 64)), SSE2),
  form(
    '66 0F D6 /r',
    'movq',
    'Wq,Vq',
    (u) => {
      if (u.isMemory(0)) u.writeVectorLow(0, u.readVector(1), 64);
      else u.writeVector(0, u.readVectorLow(1, 64));
    },
    SSE2,
  ),
  mmxForm('F3 0F D6 /r', 'movq2dq', 'Vdq,Nq', (u) => writeLow(u, 0, u.readMmx(1)), SSE2),
  mmxForm('F2 0F D6 /r', 'movdq2q', 'Pq,Uq', (u) => u.writeMmx(0, low64(u, u.readVector(1))), SSE2),
];
