import { expect, test } from 'vitest';
import type { Platform } from './platform.ts';
import { Timekeeper } from './timekeeper.ts';

/** A platform whose clocks stand where they are put. */
const make = () => {
  const clocks = { monotonic: 5_000_000_123, seconds: 1_700_000_000, nanoseconds: 999_999_999 };
  const platform = {
    monotonic: () => clocks.monotonic,
    realtime: () => ({ seconds: clocks.seconds, nanoseconds: clocks.nanoseconds }),
  } as Platform;
  const told = { count: 0 };
  const time = new Timekeeper(platform, () => {
    told.count++;
  });
  const pass = (nanoseconds: number): void => {
    clocks.monotonic += nanoseconds;
    const total = clocks.nanoseconds + nanoseconds;
    clocks.seconds += Math.floor(total / 1e9);
    clocks.nanoseconds = total % 1e9;
  };
  return { clocks, time, told, pass };
};

/** The time of day as a program computes it. */
const computed = (time: Timekeeper): { seconds: number; nanoseconds: number } => {
  const total = time.base + BigInt(Math.floor(time.now()));
  return { seconds: Number(total / 1_000_000_000n), nanoseconds: Number(total % 1_000_000_000n) };
};

test('the time of day advances with the monotonic clock', () => {
  const { time, pass, told } = make();
  expect([time.now(), time.realtime()]).toEqual([0, { seconds: 1_700_000_000, nanoseconds: 999_999_999 }]);
  pass(3_500_000_001);
  time.follow();
  expect(time.now()).toBe(3_500_000_001);
  expect(time.realtime()).toEqual({ seconds: 1_700_000_004, nanoseconds: 500_000_000 });
  expect(computed(time)).toEqual(time.realtime());
  expect(told.count).toBe(0);
});

test('what is set stays set', () => {
  const { time, pass, told } = make();
  time.set({ seconds: 86_400, nanoseconds: 5 });
  expect(told.count).toBe(1);
  expect(time.realtime()).toEqual({ seconds: 86_400, nanoseconds: 5 });
  pass(2e9 + 1);
  time.follow();
  expect(time.realtime()).toEqual({ seconds: 86_402, nanoseconds: 6 });
  expect(computed(time)).toEqual(time.realtime());
  expect(told.count).toBe(1);
});

test('a platform that was set is followed, with what was set here', () => {
  const { clocks, time, told } = make();
  clocks.nanoseconds -= 999_000;
  time.follow();
  expect(told.count).toBe(0);
  clocks.seconds += 100;
  time.follow();
  expect(told.count).toBe(1);
  expect(time.realtime()).toEqual({ seconds: 1_700_000_100, nanoseconds: 999_000_999 });
  time.set({ seconds: 1000, nanoseconds: 0 });
  clocks.seconds -= 50;
  time.follow();
  expect(time.realtime()).toEqual({ seconds: 950, nanoseconds: 0 });
});
