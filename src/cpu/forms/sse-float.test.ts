/** What random comparison with a host cannot judge: RCPPS and RSQRTPS, whose results are the processor's own. */
import { expect, test } from 'vitest';
import { EXECUTE_TAGS, STATE } from '../../memory/layout.ts';
import { Trap } from '../engine.ts';
import { createEngine } from '../index.ts';
import { MXCSR, RIP, XMM } from '../state.ts';

const CODE = 0x40_0000;
const RCPPS = [0x0f, 0x53, 0xc1];
const RSQRTPS = [0x0f, 0x52, 0xc1];
const INT3 = 0xcc;

const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536, shared: true });
const state = new DataView(memory.buffer, STATE, 4096);
new Int32Array(memory.buffer, EXECUTE_TAGS, 1 << 20)[CODE >>> 12] = -1;
const engine = createEngine(memory, {
  codeTranslated: () => {},
  sideRead: () => false,
  sideWrite: () => false,
  timestamp: () => 0n,
});

/** Runs an instruction from XMM1 to XMM0 on four singles given as patterns. */
function run(instruction: readonly number[], lanes: readonly number[]): number[] {
  const at = CODE + (instruction === RCPPS ? 0 : 16);
  new Uint8Array(memory.buffer).set([...instruction, INT3], at);
  for (let i = 0; i < 4; i++) state.setUint32(XMM + 16 + 4 * i, lanes[i], true);
  state.setUint32(MXCSR, 0x1f80, true);
  state.setBigUint64(RIP, BigInt(at), true);
  expect(engine.run(1000)).toBe(Trap.Breakpoint);
  expect(state.getUint32(MXCSR, true)).toBe(0x1f80);
  return [0, 1, 2, 3].map((i) => state.getUint32(XMM + 4 * i, true));
}

const view = new DataView(new ArrayBuffer(4));
const toNumber = (pattern: number): number => {
  view.setUint32(0, pattern);
  return view.getFloat32(0);
};

/** SDM Vol. 2, RCPPS and RSQRTPS: relative error at most 1.5 · 2^−12. */
const BOUND = 1.5 * 2 ** -12;

test.each([
  ['rcpps', RCPPS, (x: number) => 1 / x],
  ['rsqrtps', RSQRTPS, (x: number) => 1 / Math.sqrt(x)],
])('%s stays within its error', (_name, instruction, exact) => {
  for (let exponent = 1; exponent < 250; exponent++) {
    const lanes = [0, 1, 2, 3].map((i) => (exponent << 23) | ((exponent * 0x9e3779b1 + i * 0x35791113) & 0x7fffff));
    const results = run(instruction, lanes);
    for (let i = 0; i < 4; i++) {
      const wanted = exact(toNumber(lanes[i]));
      expect(Math.abs(toNumber(results[i]) / wanted - 1)).toBeLessThan(BOUND);
    }
  }
});

const hex = (patterns: readonly number[]): string[] => patterns.map((p) => p.toString(16));

test('denormals count as zero and tiny results become zero', () => {
  expect(hex(run(RCPPS, [0, 0x8000_0001, 0x7f7f_ffff, 0xff80_0000]))).toEqual([
    '7f800000',
    'ff800000',
    '0',
    '80000000',
  ]);
  expect(hex(run(RSQRTPS, [0, 0x8000_0001, 0x7f80_0000, 0x007f_ffff]))).toEqual([
    '7f800000',
    'ff800000',
    '0',
    '7f800000',
  ]);
});

test('NaNs are quieted; the root of a negative number is the default NaN', () => {
  expect(hex(run(RCPPS, [0x7f80_0001, 0xff81_2345, 0x7fc1_2345, 0]))).toEqual([
    '7fc00001',
    'ffc12345',
    '7fc12345',
    '7f800000',
  ]);
  expect(hex(run(RSQRTPS, [0x7f80_0001, 0xbf80_0000, 0xff80_0000, 0xffc0_0001]))).toEqual([
    '7fc00001',
    'ffc00000',
    'ffc00000',
    'ffc00001',
  ]);
});
