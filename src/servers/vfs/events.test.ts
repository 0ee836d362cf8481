/** eventfd, epoll and timerfd against a machine without a kernel: what clocks do, what closing leaves behind, restarts. */
import { expect, test } from 'vitest';
import { EAGAIN, ECANCELED, Errno } from '../../abi/errno.ts';
import { EPOLL_CTL_ADD, EPOLLET, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../../abi/events.ts';
import { O_NONBLOCK } from '../../abi/fcntl.ts';
import { POLLIN } from '../../abi/poll.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, encodeItimerspec } from '../../abi/time.ts';
import { VfsMachine } from './testing/machine.ts';

const SECOND = 1_000_000_000;

const setup = (): { m: VfsMachine; number: (outcome: unknown) => number } => {
  const m = new VfsMachine();
  m.process(5);
  const number = (outcome: unknown): number => {
    if (outcome instanceof Errno) throw new Error(outcome.name);
    return (outcome as { result: number }).result;
  };
  return { m, number };
};

const event = (events: number, data: number): Uint8Array => {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setInt32(0, events, true);
  bytes[4] = data;
  return bytes;
};

test('a timer of the time of day is cancelled when that is set', () => {
  const { m, number } = setup();
  const fd = number(m.call('timerCreate', 5, { clock: CLOCK_REALTIME, flags: O_NONBLOCK }));
  const value = m.grant(encodeItimerspec(0, 1_700_000_100 * SECOND));
  const flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  number(m.call('timerSet', 5, { fd, flags, value, old: null }));
  const buf = m.grant(new Uint8Array(8));
  expect(m.call('read', 5, { fd, buf })).toBe(EAGAIN);
  m.call('clockSet', 0, {});
  expect(m.call('read', 5, { fd, buf })).toBe(ECANCELED);
  expect(m.call('read', 5, { fd, buf })).toBe(EAGAIN);
});

test('the alarms request wakes a reader, also on an instance that came after a crash', () => {
  const { m, number } = setup();
  m.start('alarms', 0, {});
  const fd = number(m.call('timerCreate', 5, { clock: CLOCK_MONOTONIC, flags: 0 }));
  number(m.call('timerSet', 5, { fd, flags: 0, value: m.grant(encodeItimerspec(SECOND, 3 * SECOND)), old: null }));
  const bytes = new Uint8Array(8);
  m.restart();
  const reader = m.start('read', 5, { fd, buf: m.grant(bytes) });
  m.advance(2 * SECOND);
  expect(reader.sleeps).toBe(true);
  m.advance(3 * SECOND);
  expect(reader.sleeps).toBe(false);
  expect(bytes[0]).toBe(3);
});

test('closing instances and files leaves no row behind', () => {
  const { m, number } = setup();
  const ep = number(m.call('epollCreate', 5, { size: 1, flags: 0 }));
  const fds: number[] = [];
  for (let i = 0; i < 5; i++) {
    const fd = number(m.call('eventfd', 5, { initial: 1, flags: 0 }));
    const wanted = m.grant(event(i % 2 ? POLLIN | EPOLLET : POLLIN, i));
    number(m.call('epollControl', 5, { epfd: ep, operation: EPOLL_CTL_ADD, fd, event: wanted }));
    fds.push(fd);
  }
  number(m.call('close', 5, { fd: fds[0] }));
  const out = new Uint8Array(60);
  const request = { epfd: ep, events: m.grant(out), maximum: 5, timeout: 0, mask: null };
  expect(number(m.call('epollWait', 5, request))).toBe(4);
  expect(number(m.call('epollWait', 5, request))).toBe(2);
  for (const fd of [...fds.slice(1), ep]) number(m.call('close', 5, { fd }));
  const rows = [...m.store.rows()].filter(
    ([, row]) => 'epoll' in row || 'items' in row || 'item' in row || 'count' in row,
  );
  expect(rows).toEqual([]);
});
