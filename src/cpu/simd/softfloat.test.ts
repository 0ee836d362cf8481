/** Soft-float against the host's own arithmetic (nearest), against order and neighbourhood (other modes), and the flags. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as soft from './softfloat.ts';

const DEFAULT = 0x1f80;
const mode = (rounding: number): number => DEFAULT | (rounding << 13);

const view = new DataView(new ArrayBuffer(8));
const bits64 = (x: number): bigint => {
  view.setFloat64(0, x);
  return view.getBigUint64(0);
};
const from64 = (x: bigint): number => {
  view.setBigUint64(0, x);
  return view.getFloat64(0);
};
const bits32 = (x: number): bigint => {
  view.setFloat32(0, x);
  return BigInt(view.getUint32(0));
};
const from32 = (x: bigint): number => {
  view.setUint32(0, Number(x));
  return view.getFloat32(0);
};

const FORMATS = [
  {
    name: 'binary64',
    f: soft.BINARY64,
    to: bits64,
    from: from64,
    round: (x: number) => x,
    numbers: fc.double({ noNaN: true }),
  },
  {
    name: 'binary32',
    f: soft.BINARY32,
    to: bits32,
    from: from32,
    round: Math.fround,
    numbers: fc.float({ noNaN: true }),
  },
];

const OPERATIONS: Record<string, { soft: typeof soft.multiply; host: (a: number, b: number) => number }> = {
  add: { soft: soft.add, host: (a, b) => a + b },
  multiply: { soft: soft.multiply, host: (a, b) => a * b },
  divide: { soft: soft.divide, host: (a, b) => a / b },
  squareRoot: { soft: (f, c, a) => soft.squareRoot(f, c, a), host: (a) => Math.sqrt(a) },
};

describe.each(FORMATS)('$name', ({ f, to, from, round, numbers }) => {
  test.each(Object.entries(OPERATIONS))('%s rounds to nearest as the host does', (_name, operation) => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const result = operation.soft(f, new soft.FloatContext(DEFAULT), to(a), to(b));
        // A binary64 result of binary32 operands, rounded again, is the correctly rounded one.
        const expected = round(operation.host(a, b));
        if (Number.isNaN(expected)) expect(result).toBe(f.defaultNaN);
        else expect(result).toBe(to(expected));
      }),
      { numRuns: 3000 },
    );
  });

  test.each(Object.entries(OPERATIONS))('%s brackets the exact result in the directed modes', (_name, operation) => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const run = (rounding: number): { value: bigint; flags: number } => {
          const context = new soft.FloatContext(mode(rounding));
          return { value: operation.soft(f, context, to(a), to(b)), flags: context.flags };
        };
        const [nearest, down, up, zero] = [soft.NEAREST, soft.DOWN, soft.UP, soft.TRUNCATE].map(run);
        if (Number.isNaN(from(nearest.value))) return;
        const [low, middle, high] = [down, nearest, up].map(({ value }) => from(value));
        expect(low <= middle && middle <= high).toBe(true);
        expect(nearest.value === down.value || nearest.value === up.value || middle === 0).toBe(true);
        expect(low === high).toBe((up.flags & soft.PE) === 0);
        const expected = middle < 0 || Object.is(high, -0) ? high : low;
        expect(from(zero.value) === expected).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('a number survives the way to an integer and back when it is one', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 23), max: 2 ** 23 }), (n) => {
        const context = new soft.FloatContext(DEFAULT);
        expect(soft.fromInteger(f, context, BigInt(n))).toBe(to(n));
        expect(BigInt.asIntN(32, soft.toInteger(f, context, to(n), 32))).toBe(BigInt(n));
        expect(context.flags).toBe(0);
      }),
    );
  });
});

describe('flags and special results', () => {
  const f = soft.BINARY32;
  const least = 0x0080_0000n;
  const largest = 0x7f7f_ffffn;
  const one = 0x3f80_0000n;
  const signaling = 0x7f80_0001n;
  const infinity = 0x7f80_0000n;
  const cases: [string, (c: soft.FloatContext) => bigint, number, bigint, number][] = [
    ['infinity less infinity', (c) => soft.add(f, c, infinity, infinity, true), DEFAULT, f.defaultNaN, soft.IE],
    ['zero times infinity', (c) => soft.multiply(f, c, 0n, infinity), DEFAULT, f.defaultNaN, soft.IE],
    ['one by zero', (c) => soft.divide(f, c, one, f.sign), DEFAULT, f.sign | infinity, soft.ZE],
    ['a signalling NaN is quieted', (c) => soft.add(f, c, one, signaling), DEFAULT, 0x7fc0_0001n, soft.IE],
    ['the first NaN wins', (c) => soft.add(f, c, 0x7fc0_0005n, signaling), DEFAULT, 0x7fc0_0005n, soft.IE],
    ['MAX answers its second operand', (c) => soft.extreme(f, c, one, signaling, true), DEFAULT, signaling, soft.IE],
    ['MIN of zeros too', (c) => soft.extreme(f, c, 0n, f.sign, false), DEFAULT, f.sign, 0],
    ['overflow', (c) => soft.add(f, c, largest, largest), DEFAULT, infinity, soft.OE | soft.PE],
    ['overflow towards zero', (c) => soft.add(f, c, largest, largest), mode(3), largest, soft.OE | soft.PE],
    ['underflow', (c) => soft.multiply(f, c, least, 0x3f40_0001n), DEFAULT, 0x0060_0000n, soft.UE | soft.PE],
    ['exact tiny result', (c) => soft.multiply(f, c, least, 0x3f00_0000n), DEFAULT, 0x0040_0000n, 0],
    ['FTZ', (c) => soft.multiply(f, c, least, 0xbf00_0000n), DEFAULT | 0x8000, f.sign, soft.UE | soft.PE],
    ['denormal operand', (c) => soft.add(f, c, 1n, one), DEFAULT, one, soft.DE | soft.PE],
    ['DAZ', (c) => soft.add(f, c, 1n, one), DEFAULT | 0x40, one, 0],
    ['tininess after rounding', (c) => soft.multiply(f, c, 0x0080_0001n, 0x3f7f_ffffn), DEFAULT, least, soft.PE],
    [
      'unmasked exact underflow',
      (c) => soft.multiply(f, c, least, 0x3f00_0000n),
      DEFAULT & ~0x800,
      0x0040_0000n,
      soft.UE,
    ],
    ['integer too large', (c) => soft.toInteger(f, c, 0x4f00_0000n, 32), DEFAULT, 0x8000_0000n, soft.IE],
  ];
  test.each(cases)('%s', (_name, run, mxcsr, result, flags) => {
    const context = new soft.FloatContext(mxcsr);
    expect(run(context).toString(16)).toBe(result.toString(16));
    expect(context.flags).toBe(flags);
  });
});
