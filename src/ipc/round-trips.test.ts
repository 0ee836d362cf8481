import { expect, it } from 'vitest';
import { RoundTrips } from './round-trips.ts';

it('gives quantiles to an eighth', () => {
  const times = new RoundTrips(() => 0);
  expect(times.quantile(0.5)).toBe(0);
  for (let i = 1; i <= 10_000; i++) times.record(i);
  expect(times.count).toBe(10_000);
  for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
    const exact = share * 10_000;
    expect(times.quantile(share)).toBeGreaterThanOrEqual(exact);
    expect(times.quantile(share)).toBeLessThanOrEqual(exact * 1.13);
  }
  times.record(0);
  times.record(1e12);
  expect(times.quantile(1)).toBeGreaterThan(2 ** 30);
});
