import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EINVAL, EMSGSIZE } from '../abi/errno.ts';
import { codecOf, Message } from './codec.ts';
import { bool, bytes, type Field, grant, i32, i53, list, optional, text, u32, u64 } from './fields.ts';
import { FrameArena, FrameError, FrameKind, HEADER_BYTES, TAG_BYTES } from './frame.ts';
import { call, protocol } from './protocol.ts';
import { memoryProtocol } from './protocols/memory.ts';
import { processProtocol } from './protocols/process.ts';
import { vfsProtocol } from './protocols/vfs.ts';

const frame = new FrameArena(65536 * 2).carve(65536);
const latin1 = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 }).map((c) => String.fromCharCode(...c));
const i53s = fc.maxSafeInteger();
const kinds: [Field<unknown>, fc.Arbitrary<unknown>][] = [
  [i32, fc.integer()],
  [u32, fc.integer({ min: 0, max: 0xffff_ffff })],
  [i53, i53s],
  [u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  [bool, fc.boolean()],
  [bytes, fc.uint8Array({ maxLength: 200 })],
  [text, latin1],
  [grant, fc.option(fc.record({ id: fc.integer({ min: 1, max: 0xffff_ffff }), length: i53s }), { nil: null })],
  [optional(text), fc.option(latin1, { nil: undefined })],
  [list(i53), fc.array(i53s, { maxLength: 30 })],
  [list(optional(text)), fc.array(fc.option(latin1, { nil: undefined }), { maxLength: 8 })],
] as [Field<unknown>, fc.Arbitrary<unknown>][];

/** A message declaration of some kinds, with values for it. */
const messages = fc
  .array(fc.integer({ min: 0, max: kinds.length - 1 }), { maxLength: 10 })
  .chain((picked) =>
    fc
      .tuple(...picked.map((kind) => kinds[kind][1]))
      .map((values) => ({ fields: picked.map((kind) => kinds[kind][0]), values })),
  );
const named = <T>(items: readonly T[]): Record<string, T> =>
  Object.fromEntries(items.map((item, i) => [`field${i}`, item]));

const encode = (message: Message, values: Record<string, unknown>): void => {
  frame.start(FrameKind.Request, 100, 116, 0, 7, 5, 6);
  message.encode(frame, values);
  frame.finish();
};

describe('codec', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(messages, ({ fields, values }) => {
        const message = new Message(named(fields));
        const row = named(values);
        encode(message, row);
        expect(frame.accept()).toBe(true);
        expect([frame.kind, frame.protocol, frame.number, frame.token, frame.pid, frame.tid]).toEqual([
          FrameKind.Request,
          100,
          116,
          7,
          5,
          6,
        ]);
        expect(message.decode(frame)).toEqual(row);
      }),
    );
  });

  it('refuses every truncation, and whatever follows the last field', () => {
    fc.assert(
      fc.property(messages, ({ fields, values }) => {
        const message = new Message(named(fields));
        encode(message, named(values));
        const whole = frame.wire.slice();
        const body = whole.length - HEADER_BYTES - TAG_BYTES;
        for (let length = 0; length < whole.length; length += 1 + (length >> 4)) {
          const loaded = frame.load(whole.subarray(0, length));
          expect(loaded && frame.accept()).toBe(false);
        }
        const resized = (by: number): unknown => {
          const other = new Uint8Array(whole.length + by);
          other.set(whole.subarray(0, Math.min(whole.length, other.length)));
          new DataView(other.buffer).setUint32(20, body + by, true);
          return frame.load(other) && frame.accept() ? message.decode(frame) : undefined;
        };
        if (body > 0) expect(resized(-1)).toBeUndefined();
        expect(resized(1)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('never throws on garbage', () => {
    const calls = [vfsProtocol, processProtocol, memoryProtocol].flatMap((declared) => codecOf(declared).calls);
    fc.assert(
      fc.property(fc.nat(calls.length - 1), fc.uint8Array({ maxLength: 120 }), (index, body) => {
        frame.start(FrameKind.Request, 100, 116, 0, 7, 5, 6);
        frame.writer.bytes(body);
        frame.finish();
        expect(frame.accept()).toBe(true);
        for (const message of [calls[index].request, calls[index].reply]) {
          frame.accept();
          const values = message.decode(frame);
          if (values !== undefined) expect(Object.keys(values)).toEqual(message.names);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a length that only pretends to be there', () => {
    const message = new Message({ items: list(u32) });
    frame.start(FrameKind.Request, 100, 116, 0, 7, 5, 6);
    frame.writer.u32(0xffff_ffff);
    frame.writer.u32(1);
    frame.finish();
    frame.accept();
    expect(message.decode(frame)).toBeUndefined();
  });

  it('keeps nothing of the frame in what it returns', () => {
    const message = new Message({ data: bytes });
    encode(message, { data: Uint8Array.of(1, 2, 3) });
    frame.accept();
    const values = message.decode(frame);
    encode(message, { data: Uint8Array.of(9, 9, 9) });
    expect(values).toEqual({ data: Uint8Array.of(1, 2, 3) });
  });

  it('refuses to write what is missing, unsafe or too long', () => {
    const message = new Message({ a: i53, b: optional(i32) });
    expect(() => encode(message, { b: 1 })).toThrow(TypeError);
    expect(() => encode(message, { a: 1 })).not.toThrow();
    const errno = (write: () => void): unknown => {
      try {
        write();
      } catch (error) {
        return error instanceof FrameError ? error.errno : error;
      }
      return undefined;
    };
    for (const a of [2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(errno(() => encode(message, { a }))).toBe(EINVAL);
    expect(errno(() => encode(new Message({ data: bytes }), { data: new Uint8Array(65536) }))).toBe(EMSGSIZE);
    encode(message, { a: -(2 ** 53) + 1 });
    frame.accept();
    expect(message.decode(frame)).toEqual({ a: -(2 ** 53) + 1, b: undefined });
  });
});

it('an arena hands out frames until it is spent', () => {
  const arena = new FrameArena(65536);
  const first = arena.carve(30_000);
  const second = arena.carve(30_000);
  expect(second.base).toBeGreaterThanOrEqual(first.base + first.capacity + 64);
  expect(() => arena.carve(30_000)).toThrow('spent');
  expect(first.load(new Uint8Array(30_001))).toBe(false);
  expect(first.load(new Uint8Array(30_000))).toBe(true);
});

describe('protocol declarations', () => {
  it('keep the servers in their ranges, with reply and error at x90 and x91', () => {
    const ranges = { vfs: 100, process: 200, memory: 300 };
    for (const declared of [vfsProtocol, processProtocol, memoryProtocol]) {
      const base = ranges[declared.name as keyof typeof ranges];
      expect(declared.base).toBe(base);
      const numbers = codecOf(declared).calls.map(({ number }) => number);
      expect(new Set(numbers).size).toBe(numbers.length);
      for (const number of numbers) {
        const start = declared.more !== undefined && number >= declared.more ? declared.more : base;
        expect(number).toBeGreaterThanOrEqual(start);
        expect(number).toBeLessThan(start + 100);
        expect([base + 90, base + 91]).not.toContain(number);
        expect(codecOf(declared).byNumber(number)?.number).toBe(number);
      }
      expect(codecOf(declared).byNumber(base + 90)).toBeUndefined();
      expect(codecOf(declared).byNumber(base + 100)).toBeUndefined();
      expect(codecOf(declared).byNumber(base - 1)).toBeUndefined();
    }
  });

  it('are refused when numbers clash or leave the range', () => {
    const one = (number: number) => ({ a: call(number, '', {}, {}) });
    for (const number of [99, 200, 190, 191])
      expect(() => protocol('p', 100, one(number))).toThrow('outside the range');
    expect(() => protocol('p', 100, { ...one(100), b: call(100, '', {}, {}) })).toThrow('taken');
    expect(codecOf(protocol('p', 100, one(189))).call('a')?.number).toBe(189);
  });
});
