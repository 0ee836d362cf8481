import { expect, test } from 'vitest';
import { PageCache, STRETCH } from './page-cache.ts';

const stretch = (byte: number, length = STRETCH): Uint8Array => new Uint8Array(length).fill(byte);

/** As the VFS numbers objects: beyond 32 bits. */
const FIRST = 2 ** 32 + 7;
const SECOND = 5 * 2 ** 32 + 7;

test('gives pages of what was read, short at the end of the file', () => {
  const cache = new PageCache(10 * STRETCH);
  cache.put(FIRST, STRETCH, stretch(1, 5000));
  expect(cache.page(FIRST, STRETCH)?.length).toBe(4096);
  expect(cache.page(FIRST, STRETCH + 4096)?.length).toBe(904);
  expect(cache.page(FIRST, STRETCH + 8192)).toBeUndefined();
  expect(cache.page(FIRST, 0)).toBeUndefined();
  expect(cache.page(SECOND, STRETCH)).toBeUndefined();
});

test('forgets what was used least recently', () => {
  const cache = new PageCache(2 * STRETCH);
  cache.put(FIRST, 0, stretch(1));
  cache.put(FIRST, STRETCH, stretch(2));
  expect(cache.page(FIRST, 0)?.[0]).toBe(1);
  cache.put(SECOND, 0, stretch(3));
  expect(cache.bytes).toBe(2 * STRETCH);
  expect(cache.page(FIRST, STRETCH)).toBeUndefined();
  expect(cache.page(FIRST, 0)?.[0]).toBe(1);
  expect(cache.page(SECOND, 0)?.[0]).toBe(3);
});

test('forgets an object of another version, and stretches that were written', () => {
  const cache = new PageCache(10 * STRETCH);
  cache.validate(FIRST, 1);
  for (let i = 0; i < 3; i++) cache.put(FIRST, i * STRETCH, stretch(i));
  cache.put(SECOND, 0, stretch(9));
  cache.validate(FIRST, 1);
  expect(cache.page(FIRST, 0)).toBeDefined();
  cache.invalidate(FIRST, STRETCH + 100, 1);
  expect([0, 1, 2].map((i) => cache.page(FIRST, i * STRETCH) !== undefined)).toEqual([true, false, true]);
  cache.validate(FIRST, 2);
  expect(cache.page(FIRST, 0)).toBeUndefined();
  expect(cache.page(SECOND, 0)?.[0]).toBe(9);
  expect(cache.bytes).toBe(STRETCH);
});
