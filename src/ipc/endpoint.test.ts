import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EAGAIN, EBUSY, ECONNREFUSED, ECONNRESET, EDEADLK, EMSGSIZE, ENOTCONN, EPERM, Errno } from '../abi/errno.ts';
import { CANCELLED, type Completion, EMPTY, type Endpoint, type Endpoints, QUEUE_FRAMES, Receive } from './endpoint.ts';
import { Lattice } from './lattice.ts';
import { VFS_PID } from './policy.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe.each(['sealed', 'direct'] as const)('user endpoints, %s', (ipc) => {
  const make = () => {
    const { endpoints } = new Lattice({ ipc, random: randomBytes });
    const [a, b, c] = [5, 6, 7].map((pid) => endpoints.create(`p${pid}`, pid));
    return { endpoints, a, b, c };
  };
  const open = (endpoints: Endpoints, from: Endpoint, to: Endpoint) => {
    const channel = endpoints.connect(from, to.id);
    if (channel instanceof Errno) throw new Error(channel.name);
    return channel;
  };
  const take = (endpoints: Endpoints, at: Endpoint, from?: Endpoint): unknown => {
    const got = endpoints.receive(at, { wait: false, from: from?.id });
    return typeof got === 'object' && 'data' in got ? new TextDecoder().decode(got.data) : got;
  };

  it('numbers endpoints from 1000 and connects only what policy allows', () => {
    const { endpoints, a, b } = make();
    expect([a.id, b.id]).toEqual([1000, 1001]);
    expect(endpoints.connect(a, VFS_PID)).toBe(EPERM);
    expect(endpoints.connect(a, a.id)).toBe(EPERM);
    expect(endpoints.connect(a, 4000)).toBe(ECONNREFUSED);
    expect(open(endpoints, a, b)).toBe(open(endpoints, b, a));
    expect(endpoints.send(a, 4000, 5, text('x'))).toBe(ENOTCONN);
    expect(endpoints.receive(a, { wait: false, from: 4000 })).toBe(ENOTCONN);
  });

  it('keeps the order of arrival, over all senders and of each', () => {
    const { endpoints, a, b, c } = make();
    open(endpoints, a, c);
    open(endpoints, b, c);
    for (const [from, what] of [
      [a, 'a1'],
      [b, 'b1'],
      [a, 'a2'],
      [b, 'b2'],
    ] as const)
      expect(endpoints.send(from, c.id, 1, text(what))).toBe(2);
    expect(take(endpoints, c, b)).toBe('b1');
    expect([1, 2, 3, 4].map(() => take(endpoints, c))).toEqual(['a1', 'a2', 'b2', EMPTY]);
    endpoints.send(c, a.id, 9, text('back'));
    expect(endpoints.receive(a, { wait: false })).toEqual({ from: c.id, pid: 7, tid: 9, data: text('back') });
  });

  it('bounds queues and message sizes', () => {
    const { endpoints, a, b } = make();
    open(endpoints, a, b);
    for (let i = 0; i < QUEUE_FRAMES; i++) expect(endpoints.send(a, b.id, 1, text('.'))).toBe(1);
    expect(endpoints.send(a, b.id, 1, text('.'))).toBe(EAGAIN);
    expect(endpoints.send(b, a.id, 1, text('.'))).toBe(1);
    expect(take(endpoints, b)).toBe('.');
    expect(endpoints.send(a, b.id, 1, text('.'))).toBe(1);
    while (take(endpoints, b) !== EMPTY);
    expect(endpoints.send(a, b.id, 1, new Uint8Array(1 << 20))).toBe(EMSGSIZE);
    endpoints.send(a, b.id, 1, text('after'));
    expect(take(endpoints, b)).toBe('after');
  });

  it('completes a registered receive once: by message, cancel or close', () => {
    const { endpoints, a, b, c } = make();
    open(endpoints, a, b);
    open(endpoints, c, b);
    const got: Completion[] = [];
    const register = (from?: Endpoint) =>
      endpoints.receive(b, { wait: true, from: from?.id, complete: (outcome) => got.push(outcome) });
    const first = register(a);
    expect(first).toBeInstanceOf(Receive);
    expect(register()).toBe(EBUSY);
    endpoints.send(c, b.id, 1, text('not for it'));
    expect(got).toEqual([]);
    endpoints.send(a, b.id, 1, text('x'));
    (first as Receive).cancel();
    expect(got).toEqual([{ from: a.id, pid: 5, tid: 1, data: text('x') }]);
    expect(take(endpoints, b)).toBe('not for it');

    (register() as Receive).cancel();
    expect(got[1]).toBe(CANCELLED);
    register(a);
    endpoints.close(a);
    expect(got[2]).toBe(ECONNRESET);
    register();
    endpoints.close(b);
    expect(got[3]).toBe(CANCELLED);
    expect(got.length).toBe(4);
  });

  it('hands over what was sent before the sender closed', () => {
    const { endpoints, a, b } = make();
    open(endpoints, a, b);
    endpoints.send(a, b.id, 1, text('last words'));
    endpoints.close(a);
    expect(endpoints.send(b, a.id, 1, text('?'))).toBe(ENOTCONN);
    expect(take(endpoints, b, a)).toBe('last words');
    expect(endpoints.receive(b, { wait: true, from: a.id, complete: () => {} })).toBe(ECONNRESET);
    expect(endpoints.connect(b, a.id)).toBe(ECONNREFUSED);
  });

  it('answers EDEADLK to the receive that would close a cycle', () => {
    const { endpoints, a, b, c } = make();
    open(endpoints, a, b);
    open(endpoints, b, c);
    open(endpoints, c, a);
    const wait = (at: Endpoint, from: Endpoint) =>
      endpoints.receive(at, { wait: true, from: from.id, complete: () => {} });
    expect(wait(a, b)).toBeInstanceOf(Receive);
    const second = wait(b, c) as Receive;
    expect(wait(c, a)).toBe(EDEADLK);
    expect(take(endpoints, c, a)).toBe(EMPTY);
    second.cancel();
    expect(wait(c, a)).toBeInstanceOf(Receive);
    expect(wait(b, c)).toBe(EDEADLK);
    endpoints.send(c, b.id, 1, text('x'));
    expect(take(endpoints, b, c)).toBe('x');
  });

  it('drops frames that are no messages, and goes on', () => {
    const { endpoints, a, b } = make();
    const channel = open(endpoints, a, b);
    for (let length = 0; length < 100; length++) endpoints.deliver(a.id, b, randomBytes(length));
    expect(take(endpoints, b)).toBe(EMPTY);
    expect(b.dropped).toBe(100);
    endpoints.deliver(77, b, new Uint8Array(64));
    expect(b.dropped).toBe(101);
    expect(channel.dropped.malformed).toBeGreaterThan(40);
    endpoints.send(a, b.id, 1, text('fine'));
    expect(take(endpoints, b)).toBe('fine');
  });
});

describe('a sealed channel', () => {
  const make = () => {
    const { endpoints } = new Lattice({ random: randomBytes });
    const [a, b] = [5, 6].map((pid) => endpoints.create(`p${pid}`, pid));
    const channel = endpoints.connect(a, b.id);
    if (channel instanceof Errno) throw new Error(channel.name);
    const seal = (value: string): Uint8Array => {
      const frame = channel.seal('forward', 5, 5, text(value));
      if (frame instanceof Errno) throw new Error(frame.name);
      return frame;
    };
    const read = (frame: Uint8Array): string | undefined => {
      const message = channel.open('forward', frame);
      return message && new TextDecoder().decode(message.data);
    };
    return { endpoints, a, b, channel, seal, read };
  };

  it('hides the text', () => {
    const { seal } = make();
    expect(Buffer.from(seal('attack at dawn')).includes('attack')).toBe(false);
    expect(seal('same')).not.toEqual(seal('same'));
  });

  it('refuses a frame with any bit changed, and then takes the right one', () => {
    const { channel, seal, read } = make();
    const frame = seal('ten bytes!');
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const damaged = frame.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      expect([bit, read(damaged)]).toEqual([bit, undefined]);
    }
    for (let length = 0; length < frame.length; length++) expect(read(frame.subarray(0, length))).toBeUndefined();
    const { forged, replayed, reordered, malformed } = channel.dropped;
    expect(forged + replayed + reordered + malformed).toBe(frame.length * 9);
    expect(read(frame)).toBe('ten bytes!');
  });

  it('refuses replays and what overtakes', () => {
    const { channel, seal, read } = make();
    const [one, two, three] = [seal('1'), seal('2'), seal('3')];
    expect(read(two)).toBeUndefined();
    expect(read(one)).toBe('1');
    expect(read(one)).toBeUndefined();
    expect(read(three)).toBeUndefined();
    expect(read(two)).toBe('2');
    expect(read(three)).toBe('3');
    expect(read(two)).toBeUndefined();
    expect(channel.dropped).toEqual({ malformed: 0, forged: 0, replayed: 2, reordered: 2 });
  });

  it('refuses frames of another direction, channel or epoch', () => {
    const one = make();
    const two = make();
    const frame = one.seal('x');
    expect(two.read(frame)).toBeUndefined();
    expect(one.channel.open('back', frame)).toBeUndefined();
    one.channel.rekey();
    expect(one.channel.epoch).toBe(2);
    expect(one.read(frame)).toBeUndefined();
    expect(one.channel.dropped.forged).toBe(2);
    expect(two.channel.dropped.forged).toBe(1);
    expect(one.read(one.seal('y'))).toBe('y');
    one.channel.wipe();
    expect(one.read(two.seal('z'))).toBeUndefined();
  });

  it('leaves a waiting receive waiting when a frame is refused', () => {
    const { endpoints, a, b, seal } = make();
    const got: Completion[] = [];
    endpoints.receive(b, { wait: true, complete: (outcome) => got.push(outcome) });
    const frame = seal('x');
    const damaged = frame.slice();
    damaged[40] ^= 1;
    endpoints.deliver(a.id, b, damaged);
    expect(got).toEqual([]);
    endpoints.deliver(a.id, b, frame);
    expect(got).toMatchObject([{ from: a.id, data: text('x') }]);
  });
});
