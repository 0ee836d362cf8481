/** String comparison on examples worked by hand, CRC32 on its check value. */
import { expect, test } from 'vitest';
import { compareStrings, crc32 } from './strings.ts';

const EQUAL_ANY = 0x00;
const RANGES = 0x04;
const EQUAL_EACH = 0x08;
const EQUAL_ORDERED = 0x0c;
const NEGATED = 0x10;
const NEGATED_VALID = 0x30;

/** Strings end at their first zero unless lengths are given. */
function compare(a: string, b: string, immediate: number, lengthA = -1, lengthB = -1) {
  const bytes = new Uint8Array(32);
  bytes.set(new TextEncoder().encode(a), 0);
  bytes.set(new TextEncoder().encode(b), 16);
  return compareStrings(new DataView(bytes.buffer), 0, 16, lengthA, lengthB, immediate);
}

test('equal any finds the members of a set', () => {
  expect(compare('aeiou', 'hello', EQUAL_ANY)).toEqual({ bits: 0b10010, maximum: 16, shortA: true, shortB: true });
});

test('ranges come in pairs; a last one without its end does not count', () => {
  expect(compare('azAZ0', 'a-Q0z', RANGES).bits).toBe(0b10101);
});

test('equal each compares what follows both ends as equal', () => {
  expect(compare('abcd', 'abXd', EQUAL_EACH).bits).toBe(0xfffb);
  expect(compare('abcd', 'abXd', EQUAL_EACH | NEGATED).bits).toBe(0b100);
  expect(compare('ab', 'abc', EQUAL_EACH | NEGATED_VALID).bits).toBe(0xfffc);
});

test('equal ordered finds a substring, also one that begins at the end', () => {
  expect(compare('ab', 'xabyab', EQUAL_ORDERED).bits).toBe(0b10010);
  expect(compare('ab', '0123456789abcdea', EQUAL_ORDERED).bits).toBe((1 << 10) | (1 << 15));
  expect(compare('', 'abc', EQUAL_ORDERED).bits).toBe(0xffff);
});

test('explicit lengths saturate', () => {
  expect(compare('a', 'aaaa', EQUAL_ANY, 1, 40)).toEqual({ bits: 0b1111, maximum: 16, shortA: true, shortB: false });
});

test('CRC-32C of 123456789', () => {
  const text = new DataView(new TextEncoder().encode('123456789').buffer);
  let crc = crc32(-1, text.getInt32(0, true), text.getInt32(4, true), 8);
  crc = crc32(crc, text.getUint8(8), 0, 1);
  expect(~crc >>> 0).toBe(0xe306_9283);
});
