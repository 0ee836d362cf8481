/**
 * The FXSAVE image (SDM Vol. 1, 10.5.1) of a state block: x87 registers in stack order, XMM registers, control words.
 *
 *     0 FCW  2 FSW  4 FTW (abridged)  6 FOP  8 FIP  16 FDP  24 MXCSR  28 MXCSR_MASK  32 ST0–ST7  160 XMM0–XMM15
 */
import { FCW, FDP, FIP, FOP, FSW, FTW, MXCSR, X87, XMM } from '../cpu/state.ts';
import type { Registers } from './registers.ts';

/** Bits of MXCSR that may be set. */
export const MXCSR_MASK = 0xffff;

const top = (status: number): number => (status >>> 11) & 7;

export const saveFloatingPoint = (registers: Registers, image: DataView): void => {
  const { view, bytes } = registers;
  const into = new Uint8Array(image.buffer, image.byteOffset, image.byteLength);
  const status = view.getUint16(FSW, true);
  image.setUint16(0, view.getUint16(FCW, true), true);
  image.setUint16(2, status, true);
  image.setUint8(4, view.getUint8(FTW));
  image.setUint16(6, view.getUint16(FOP, true), true);
  image.setBigUint64(8, view.getBigUint64(FIP, true), true);
  image.setBigUint64(16, view.getBigUint64(FDP, true), true);
  image.setUint32(24, view.getUint32(MXCSR, true), true);
  image.setUint32(28, MXCSR_MASK, true);
  for (let i = 0; i < 8; i++) {
    const register = X87 + ((top(status) + i) & 7) * 16;
    into.set(bytes.subarray(register, register + 10), 32 + i * 16);
  }
  into.set(bytes.subarray(XMM, XMM + 256), 160);
};

/** False, and nothing changed, if MXCSR has reserved bits set. */
export const restoreFloatingPoint = (registers: Registers, image: DataView): boolean => {
  const mxcsr = image.getUint32(24, true);
  if ((mxcsr & ~MXCSR_MASK) !== 0) return false;
  const { view, bytes } = registers;
  const from = new Uint8Array(image.buffer, image.byteOffset, image.byteLength);
  const status = image.getUint16(2, true);
  view.setUint16(FCW, image.getUint16(0, true), true);
  view.setUint16(FSW, status, true);
  view.setUint8(FTW, image.getUint8(4));
  view.setUint16(FOP, image.getUint16(6, true), true);
  view.setBigUint64(FIP, image.getBigUint64(8, true), true);
  view.setBigUint64(FDP, image.getBigUint64(16, true), true);
  view.setUint32(MXCSR, mxcsr, true);
  for (let i = 0; i < 8; i++) bytes.set(from.subarray(32 + i * 16, 42 + i * 16), X87 + ((top(status) + i) & 7) * 16);
  bytes.set(from.subarray(160, 416), XMM);
  return true;
};

/** What a program finds at its start, and a handler frame without an image leaves: FNINIT and MXCSR's reset value. */
export const resetFloatingPoint = (registers: Registers): void => {
  const { view, bytes } = registers;
  view.setUint16(FCW, 0x37f, true);
  view.setUint16(FSW, 0, true);
  view.setUint8(FTW, 0);
  view.setUint16(FOP, 0, true);
  view.setBigUint64(FIP, 0n, true);
  view.setBigUint64(FDP, 0n, true);
  view.setUint32(MXCSR, 0x1f80, true);
  bytes.fill(0, X87, XMM + 256);
};
