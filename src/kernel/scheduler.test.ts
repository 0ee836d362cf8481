import { expect, test } from 'vitest';
import { Scheduler, share } from './scheduler.ts';
import type { Thread } from './thread.ts';

const thread = (name: string, nice = 0, uid = 0): Thread =>
  ({
    name,
    share: share(nice),
    nice,
    process: { identity: { uid } },
    queued: { next: undefined, previous: undefined, queue: undefined, level: 0 },
  }) as unknown as Thread;

const drain = (scheduler: Scheduler): string[] => {
  const order: string[] = [];
  for (let next = scheduler.next(); next !== undefined; next = scheduler.next())
    order.push((next as unknown as { name: string }).name);
  return order;
};

test('equals take turns, lower nice values go first', () => {
  const scheduler = new Scheduler();
  for (const one of [thread('a'), thread('low', 10), thread('b'), thread('high', -5), thread('c')]) scheduler.add(one);
  expect(scheduler.ready).toBe(5);
  expect(drain(scheduler)).toEqual(['high', 'a', 'b', 'c', 'low']);
  expect(scheduler.ready).toBe(0);
});

test('a thread that has used its share waits until the others have used theirs', () => {
  const scheduler = new Scheduler();
  const greedy = thread('greedy', -20);
  const modest = thread('modest', 19);
  greedy.share = 0;
  scheduler.add(greedy);
  scheduler.add(modest);
  expect(scheduler.next()).toBe(modest);
  expect(greedy.share).toBe(share(-20));
  expect(scheduler.next()).toBe(greedy);
});

test('a thread can be taken out of the middle and is queued only once', () => {
  const scheduler = new Scheduler();
  const [a, b, c] = [thread('a'), thread('b'), thread('c')];
  for (const one of [a, b, b, c]) scheduler.add(one);
  scheduler.remove(b);
  scheduler.remove(b);
  expect(drain(scheduler)).toEqual(['a', 'c']);
  scheduler.add(b);
  expect(drain(scheduler)).toEqual(['b']);
});

test('shares grow with priority', () => {
  for (let nice = -19; nice < 20; nice++) expect(share(nice)).toBeLessThan(share(nice - 1));
  expect(share(19)).toBeGreaterThan(0);
});

test('the load average follows the number of runnable threads', () => {
  const scheduler = new Scheduler();
  scheduler.sample(4.9e9, 3);
  expect(scheduler.load[0]).toBe(0);
  for (let second = 5; second <= 600; second++) scheduler.sample(second * 1e9, 2);
  expect(scheduler.load[0]).toBeCloseTo(2, 2);
  expect(scheduler.load[2]).toBeGreaterThan(0.5);
  expect(scheduler.load[2]).toBeLessThan(1.5);
});

test('a woken thread runs before its equals, but not before a lower nice value', () => {
  const scheduler = new Scheduler();
  for (const one of [thread('a'), thread('b'), thread('high', -1)]) scheduler.add(one);
  for (const one of [thread('woken'), thread('woken later')]) scheduler.add(one, true);
  expect(drain(scheduler)).toEqual(['high', 'woken', 'woken later', 'a', 'b']);
});

/** Runs what is ready for `turns` slices of a millisecond; how many each name had. */
const run = (scheduler: Scheduler, turns: number): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < turns; turn++) {
    const next = scheduler.next()!;
    const { name } = next as unknown as { name: string };
    counts[name] = (counts[name] ?? 0) + 1;
    scheduler.charge(next, 1e6);
    scheduler.add(next);
  }
  return counts;
};

test('users get the same time however many threads they have', () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 50; i++) scheduler.add(thread('many', 0, 1000));
  scheduler.add(thread('one', 0, 2000));
  const { many, one } = run(scheduler, 1000);
  expect(Math.abs(many - one)).toBeLessThanOrEqual(20);
});

test('a user whose threads are nice leaves time to others', () => {
  const scheduler = new Scheduler();
  scheduler.add(thread('nice', 19, 1000));
  scheduler.add(thread('plain', 0, 2000));
  const { nice, plain } = run(scheduler, 2000);
  expect(plain / nice).toBeGreaterThan(40);
  expect(nice).toBeGreaterThan(10);
});

test('who was away is served at once, and gets no more than others for it', () => {
  const scheduler = new Scheduler();
  scheduler.add(thread('busy', 0, 1000));
  run(scheduler, 5000);
  const late = thread('late', 0, 2000);
  scheduler.add(late, true);
  expect(scheduler.next()).toBe(late);
  scheduler.charge(late, 1e6);
  scheduler.add(late);
  const { busy, late: count } = run(scheduler, 1000);
  expect(Math.abs(busy - count)).toBeLessThanOrEqual(20);
});
