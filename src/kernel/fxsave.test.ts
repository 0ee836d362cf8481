import { expect, test } from 'vitest';
import { CONTEXT_SIZE, FCW, FSW, FTW, MXCSR, X87, XMM } from '../cpu/state.ts';
import { resetFloatingPoint, restoreFloatingPoint, saveFloatingPoint } from './fxsave.ts';
import { Registers } from './registers.ts';

const filled = (): Registers => {
  const registers = new Registers(new ArrayBuffer(CONTEXT_SIZE));
  for (let i = 0; i < 8; i++) registers.bytes.fill(0x10 + i, X87 + i * 16, X87 + i * 16 + 10);
  for (let i = 0; i < 16; i++) registers.bytes.fill(0x80 + i, XMM + i * 16, XMM + i * 16 + 16);
  registers.view.setUint16(FCW, 0x27f, true);
  registers.view.setUint16(FSW, (3 << 11) | 0x21, true);
  registers.view.setUint8(FTW, 0b0101_1010);
  registers.view.setUint32(MXCSR, 0x3fa0, true);
  return registers;
};

test('the image has the layout of FXSAVE: registers in stack order', () => {
  const image = new DataView(new ArrayBuffer(512));
  saveFloatingPoint(filled(), image);
  expect(image.getUint16(0, true)).toBe(0x27f);
  expect(image.getUint16(2, true)).toBe((3 << 11) | 0x21);
  expect(image.getUint8(4)).toBe(0b0101_1010);
  expect(image.getUint32(24, true)).toBe(0x3fa0);
  // TOP is 3: ST0 is physical register 3, ST5 is register 0.
  expect(image.getUint8(32)).toBe(0x13);
  expect(image.getUint8(32 + 5 * 16)).toBe(0x10);
  expect(image.getUint8(160 + 15 * 16)).toBe(0x8f);
});

test('what was saved comes back, whatever was there', () => {
  const registers = filled();
  const image = new DataView(new ArrayBuffer(512));
  saveFloatingPoint(registers, image);
  const other = new Registers(new ArrayBuffer(CONTEXT_SIZE));
  resetFloatingPoint(other);
  expect(restoreFloatingPoint(other, image)).toBe(true);
  expect(other.bytes.subarray(FCW)).toEqual(registers.bytes.subarray(FCW));
});

test('reserved bits of MXCSR are refused and change nothing', () => {
  const registers = filled();
  const before = registers.bytes.slice();
  const image = new DataView(new ArrayBuffer(512));
  image.setUint32(24, 0x1_0000, true);
  expect(restoreFloatingPoint(registers, image)).toBe(false);
  expect(registers.bytes).toEqual(before);
});
