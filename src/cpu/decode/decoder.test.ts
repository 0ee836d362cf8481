import { describe, expect, test } from 'vitest';
import { AddressKind, decode, Instruction, NO_REGISTER, Status } from './decoder.ts';
import { SHAPES } from './table.ts';

const d = new Instruction();

/** Decodes a hex string; the answer is "mnemonic width length" or the status. */
function show(hex: string): string {
  const bytes = Uint8Array.from(hex.replaceAll(' ', '').match(/../g)!, (byte) => Number.parseInt(byte, 16));
  const padded = new Uint8Array(32);
  padded.set(bytes);
  const status = decode(padded, 0, bytes.length, d);
  if (status !== Status.Ok) return ['ok', 'short', 'invalid', 'too long'][status];
  return `${SHAPES[d.form].form.mnemonic} ${d.width} ${d.length}`;
}

describe('operand size', () => {
  test.each([
    ['01 d8', 'add 32 2'],
    ['66 01 d8', 'add 16 3'],
    ['48 01 d8', 'add 64 3'],
    ['66 48 01 d8', 'add 64 4'],
    ['00 d8', 'add 8 2'],
    ['50', 'push 64 1'],
    ['66 50', 'push 16 2'],
    ['48 b8 01 02 03 04 05 06 07 08', 'mov 64 10'],
    ['66 b8 01 02', 'mov 16 4'],
    ['66 e8 00 00 00 00', 'call 64 6'],
    ['0f c7 0f', 'cmpxchg8b 32 3'],
    ['48 0f c7 0f', 'cmpxchg8b 64 4'],
  ])('%s is %s', (hex, expected) => expect(show(hex)).toBe(expected));
});

describe('prefixes', () => {
  test.each([
    // REX counts only directly before the opcode.
    ['48 66 01 d8', 'add 16 4'],
    ['f3 90', 'pause 32 2'],
    ['90', 'nop 32 1'],
    ['41 90', 'xchg 32 2'],
    ['f3 0f b8 c1', 'popcnt 32 4'],
    ['66 f3 0f b8 c1', 'popcnt 16 5'],
    ['f3 0f bc c1', 'bsf 32 4'],
    ['f3 0f 1e fa', 'nop 32 4'],
    ['f0 01 03', 'add 32 3'],
    ['f0 01 d8', 'invalid'],
    ['f0 39 03', 'invalid'],
    ['66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90', 'too long'],
    ['c5 f8 77', 'invalid'],
    ['62 f1 7c 48 58 c0', 'invalid'],
    ['06', 'invalid'],
    ['0f 0b', 'ud2 32 2'],
  ])('%s is %s', (hex, expected) => expect(show(hex)).toBe(expected));
});

describe('addresses', () => {
  test('base, index, scale and displacement with REX bits', () => {
    expect(show('43 8b 84 f7 78 56 34 12')).toBe('mov 32 8');
    expect([d.base, d.index, d.scale, d.displacement]).toEqual([15, 14, 3, 0x1234_5678]);
    expect(d.addressKind).toBe(AddressKind.Full);
  });

  test('RSP as base needs a SIB byte and has no index', () => {
    show('8b 44 24 f8');
    expect([d.base, d.index, d.displacement, d.addressKind]).toEqual([4, NO_REGISTER, -8, AddressKind.Base]);
  });

  test('R12 as index, R13 as base', () => {
    show('43 8b 44 65 00');
    expect([d.base, d.index]).toEqual([13, 12]);
  });

  test('mod 0 rm 5 is relative to RIP, SIB base 5 is absolute', () => {
    show('8b 05 00 00 00 80');
    expect([d.ripRelative, d.displacement, d.addressKind]).toEqual([true, -0x8000_0000, AddressKind.Absolute]);
    show('8b 04 25 00 10 00 00');
    expect([d.ripRelative, d.displacement, d.addressKind]).toEqual([false, 0x1000, AddressKind.Absolute]);
  });

  test('FS and GS count, the other segments do not', () => {
    show('64 8b 00');
    expect([d.segment, d.addressKind]).toEqual([4, AddressKind.Segment]);
    show('2e 8b 00');
    expect([d.segment, d.addressKind]).toEqual([0, AddressKind.Base]);
    show('67 65 8b 00');
    expect([d.segment, d.addressKind]).toEqual([5, AddressKind.Short]);
  });
});

test('every prefix of an instruction is short', () => {
  const whole = '66 43 81 84 f7 78 56 34 12 cd ab'.split(' ');
  for (let n = 1; n < whole.length; n++) expect(show(whole.slice(0, n).join(' '))).toBe('short');
  expect(show(whole.join(' '))).toBe('add 16 11');
});
