/** Ranges against a twin that keeps what every page maps, over enough of them that leaves fill, split and empty. */
import { expect, it } from 'vitest';
import type { Backing } from './backing.ts';
import { PAGE_SIZE } from './layout.ts';
import { Range, RangeMap } from './ranges.ts';

const PAGES = 3000;

it('agree with a page by page twin, and merge whatever continues', () => {
  const counts = new Map<number, number>();
  const bump = (backing: Backing, by: number): void => {
    if (backing.kind !== 'zero') counts.set(backing.object, (counts.get(backing.object) ?? 0) + by);
  };
  const map = new RangeMap({ retain: (b) => bump(b, 1), release: (b) => bump(b, -1) });
  const twin: (string | undefined)[] = new Array(PAGES);
  let seed = 12345;
  const random = (limit: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(((seed >>> 8) / 0x100_0000) * limit);
  };
  const describe = (range: Range, at: number): string => {
    const { backing, protection } = range;
    return backing.kind === 'zero'
      ? `zero ${protection}`
      : `${backing.object} ${backing.offset + (at * PAGE_SIZE - range.start)} ${protection}`;
  };
  for (let step = 0; step < 20_000; step++) {
    const first = random(PAGES);
    const end = Math.min(PAGES, first + 1 + random(step % 4000 < 3000 ? 3 : 400));
    const removed = map.cut(first * PAGE_SIZE, end * PAGE_SIZE);
    for (const range of removed)
      for (let at = range.start / PAGE_SIZE; at < range.end / PAGE_SIZE; at++) {
        if (twin[at] !== describe(range, at)) throw new Error(`step ${step}: page ${at} was ${twin[at]}`);
        twin[at] = undefined;
      }
    for (let at = first; at < end; at++) if (twin[at] !== undefined) throw new Error(`step ${step}: ${at} was kept`);
    if (step % 4000 >= 3000 ? random(4) === 0 : random(8) !== 0) {
      const object = random(3);
      const protection = random(2);
      const backing: Backing =
        object === 0 ? { kind: 'zero' } : { kind: 'file', object, offset: object === 1 ? first * PAGE_SIZE : 0 };
      const range = new Range(first * PAGE_SIZE, end * PAGE_SIZE, protection, backing, '');
      map.insert(range);
      for (let at = first; at < end; at++) twin[at] = describe(range, at);
    }
    const at = random(PAGES);
    const found = map.find(at * PAGE_SIZE + random(PAGE_SIZE));
    if ((found && describe(found, at)) !== twin[at]) throw new Error(`step ${step}: page ${at} is not ${twin[at]}`);
    if (step % 500 !== 0) continue;
    const all = map.all();
    expect(map.bytes).toBe(twin.filter((page) => page !== undefined).length * PAGE_SIZE);
    expect(map.isEmpty).toBe(all.length === 0);
    expect(map.overlapping(0, PAGES * PAGE_SIZE)).toEqual(all);
    for (let i = 1; i < all.length; i++) {
      expect(all[i].start).toBeGreaterThanOrEqual(all[i - 1].end);
      // Cutting leaves pieces that do not continue each other, and inserting joins what does.
      expect(all[i - 1].joined(all[i])).toBeUndefined();
    }
    const expected = new Map<number, number>();
    for (const { backing } of all)
      if (backing.kind !== 'zero') expected.set(backing.object, (expected.get(backing.object) ?? 0) + 1);
    for (const [object, count] of counts) expect(count).toBe(expected.get(object) ?? 0);
    const twinMap = map.copy();
    expect(twinMap.all()).toEqual(all);
    twinMap.cut(0, PAGES * PAGE_SIZE);
    expect(map.all()).toEqual(all);
  }
});
