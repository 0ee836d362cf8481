import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FLAG_AUX, FLAG_RESULT, Reg } from '../cpu/state.ts';
import { Registers } from './registers.ts';

const fresh = (): Registers => new Registers(new ArrayBuffer(640));

test('status flags survive being stored lazily, in every combination', () => {
  const status = [0, 2, 4, 6, 7, 11, 8, 10, 18, 21];
  for (let bits = 0; bits < 1 << status.length; bits++) {
    let value = 0x202;
    status.forEach((bit, index) => {
      if (bits & (1 << index)) value |= 1 << bit;
    });
    const registers = fresh();
    registers.flags = value;
    expect(registers.flags).toBe(value);
  }
});

test('flags are computed from result and carries as the state block defines them', () => {
  const registers = fresh();
  // 0x80 − 0x01 in 8 bits: no borrow, overflow, borrow out of bit 3.
  registers.view.setBigInt64(FLAG_RESULT, 0x7fn, true);
  registers.view.setBigUint64(FLAG_AUX, (1n << 62n) | 8n, true);
  expect(registers.flags).toBe(0x202 | (1 << 11) | (1 << 4));
  registers.view.setBigInt64(FLAG_RESULT, -1n, true);
  registers.view.setBigUint64(FLAG_AUX, (1n << 63n) | (1n << 62n), true);
  expect(registers.flags).toBe(0x202 | 1 | (1 << 7) | (1 << 2));
});

test('arguments are signed, unsigned and clamped as C sees them', () => {
  const registers = fresh();
  registers.view.setBigUint64(Reg.RDI * 8, 0xffff_ffff_ffff_ff9cn, true);
  expect(registers.i32(0)).toBe(-100);
  expect(registers.u32(0)).toBe(0xffff_ff9c);
  expect(registers.i53(0)).toBe(-100);
  expect(registers.u53(0)).toBe(Number.MAX_SAFE_INTEGER);
  registers.view.setBigUint64(Reg.R9 * 8, 0x7fff_ffff_f000n, true);
  expect(registers.u53(5)).toBe(0x7fff_ffff_f000);
  registers.view.setBigInt64(Reg.R10 * 8, -(1n << 60n), true);
  expect(registers.i53(3)).toBe(Number.MIN_SAFE_INTEGER);
});

test('a register takes every safe integer', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const registers = fresh();
      registers.set(Reg.RAX, value);
      expect(registers.view.getBigInt64(0, true)).toBe(BigInt(value));
      if (value >= 0) expect(registers.get(Reg.RAX)).toBe(value);
    }),
  );
});
