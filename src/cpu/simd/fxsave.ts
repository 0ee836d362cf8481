/**
 * The 512-byte image of FXSAVE and FXRSTOR (SDM Vol. 1, 10.5; Vol. 2, table 3-52):
 *
 *       0  FCW   2  FSW   4  FTW (a bit a physical register)   6  FOP   8  FIP   16  FDP   24  MXCSR   28  MXCSR_MASK
 *      32  ST0–ST7, 16 bytes each, 10 used     160  XMM0–XMM15     416  not written
 *
 * With REX.W the pointers have 64 bits; without they have 32 and the selectors that follow are stored as 0.
 */
import { FCW, FDP, FIP, FOP, FSW, FTW, MXCSR, X87, XMM } from '../state.ts';

export const AREA_SIZE = 512;
/** Bytes that FXSAVE writes; the rest of the area is left alone. */
const IMAGE_SIZE = 416;
/** The bits of MXCSR that exist. */
export const MXCSR_MASK = 0xffff;

const REGISTERS = 32;
const VECTORS = 160;

export function saveImage(state: DataView, bytes: Uint8Array, wide: boolean): Uint8Array {
  const image = new Uint8Array(IMAGE_SIZE);
  const view = new DataView(image.buffer);
  const fsw = state.getUint16(FSW, true);
  view.setUint16(0, state.getUint16(FCW, true), true);
  view.setUint16(2, fsw, true);
  view.setUint8(4, state.getUint8(FTW));
  view.setUint16(6, state.getUint16(FOP, true), true);
  for (const [at, offset] of [
    [8, FIP],
    [16, FDP],
  ]) {
    const pointer = state.getBigUint64(offset, true);
    view.setBigUint64(at, wide ? pointer : pointer & 0xffff_ffffn, true);
  }
  view.setUint32(24, state.getUint32(MXCSR, true), true);
  view.setUint32(28, MXCSR_MASK, true);
  const top = (fsw >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const from = X87 + ((top + i) & 7) * 16;
    image.set(bytes.subarray(from, from + 10), REGISTERS + i * 16);
  }
  image.set(bytes.subarray(XMM, XMM + 256), VECTORS);
  return image;
}

/** Loads an image whose MXCSR has no reserved bits. */
export function restoreImage(state: DataView, bytes: Uint8Array, image: Uint8Array, wide: boolean): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const fsw = view.getUint16(2, true);
  state.setUint16(FCW, view.getUint16(0, true), true);
  state.setUint16(FSW, fsw, true);
  state.setUint8(FTW, view.getUint8(4));
  state.setUint16(FOP, view.getUint16(6, true) & 0x7ff, true);
  for (const [at, offset] of [
    [8, FIP],
    [16, FDP],
  ]) {
    const pointer = view.getBigUint64(at, true);
    state.setBigUint64(offset, wide ? pointer : pointer & 0xffff_ffffn, true);
  }
  state.setUint32(MXCSR, view.getUint32(24, true), true);
  const top = (fsw >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const from = REGISTERS + i * 16;
    bytes.set(image.subarray(from, from + 10), X87 + ((top + i) & 7) * 16);
  }
  bytes.set(image.subarray(VECTORS, VECTORS + 256), XMM);
}

export const imageMxcsr = (image: Uint8Array): number =>
  new DataView(image.buffer, image.byteOffset, image.byteLength).getUint32(24, true);
