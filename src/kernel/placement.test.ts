import { expect, test } from 'vitest';
import { GUEST_LIMIT, HEAP_MAX, MMAP_LOW, PIE_BASE, STACK_TOP, WINDOW_SIZE, ZONE_START } from '../memory/layout.ts';
import { Placement } from './placement.ts';

const none = (): Uint8Array => {
  throw new Error('no entropy is needed');
};

test('fixed places without it, and for who asks for them', () => {
  const places = new Placement(false, none).choose(false);
  expect(places).toMatchObject({ program: PIE_BASE, zone: ZONE_START, heapGap: 0 });
  expect(new Placement(1, none).choose(true)).toEqual(places);
});

test('a seed decides; stack and heap differ from program to program, images from boot to boot', () => {
  const [first, same, other] = [7, 7, 8].map((seed) => new Placement(seed, none));
  const places = first.choose(false);
  expect(same.choose(false)).toEqual(places);
  const next = first.choose(false);
  expect([next.program, next.zone]).toEqual([places.program, places.zone]);
  expect(next.stackTop).not.toBe(places.stackTop);
  expect(other.choose(false).program).not.toBe(places.program);
});

test('slots stay apart, wherever things go', () => {
  for (let seed = 0; seed < 2000; seed++) {
    const { program, zone, stackTop, vdso, heapGap } = new Placement(seed, none).choose(false);
    expect((program % WINDOW_SIZE) + heapGap).toBeLessThan(HEAP_MAX / 2);
    expect(program).toBeLessThan(zone);
    expect(zone % WINDOW_SIZE).toBeGreaterThanOrEqual(MMAP_LOW);
    expect(zone).toBeLessThan(stackTop - 2 * WINDOW_SIZE);
    expect(vdso).toBe(stackTop);
    expect(vdso + 8192).toBeLessThanOrEqual(STACK_TOP);
    expect(vdso % WINDOW_SIZE).toBeLessThan(GUEST_LIMIT);
    for (const address of [program, zone, stackTop, heapGap]) expect(address % 4096).toBe(0);
  }
});

test('without a seed entropy is used', () => {
  let calls = 0;
  const entropy = (length: number): Uint8Array => new Uint8Array(length).fill(++calls);
  const places = new Placement(true, entropy).choose(false);
  expect(calls).toBe(6);
  expect(places.program).toBe(PIE_BASE + 0x101 * WINDOW_SIZE + 0x202 * 4096);
});
