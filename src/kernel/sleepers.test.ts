import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sleepers } from './sleepers.ts';

test('wakes in order of time, each once, and none that was cancelled', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ time: fc.nat(100), cancelled: fc.boolean() })), fc.nat(120), (entries, now) => {
      const sleepers = new Sleepers();
      const woken: number[] = [];
      for (const { time, cancelled } of entries) sleepers.add(time, () => woken.push(time)).cancelled = cancelled;
      const live = entries.filter((entry) => !entry.cancelled).map((entry) => entry.time);
      expect(sleepers.nextDeadline()).toBe(live.length === 0 ? undefined : Math.min(...live));
      sleepers.tick(now);
      expect(woken).toEqual(live.filter((time) => time <= now).sort((a, b) => a - b));
      sleepers.tick(1000);
      expect(woken.length).toBe(live.length);
    }),
  );
});
