/** The WebAssembly fast paths against the slow path: same results and same MXCSR, whatever the operands and the mode. */
import { expect, test } from 'vitest';
import { STATE } from '../../memory/layout.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { NO_TRAP } from '../helpers.ts';
import { FLOAT_A, FLOAT_B, FLOAT_R, FLOAT_TRAP, MXCSR } from '../state.ts';
import { floatFunctions } from './float.ts';
import { slowCode } from './operations.ts';
import { runSlow } from './slow.ts';

const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536, shared: true });
const state = new DataView(memory.buffer, STATE, 4096);
const operands = new DataView(memory.buffer, 0, 64);
let slowCalls = 0;

/** Each function as an export that takes its operands from bytes 0 and 16 and stores its result at 32. */
function instantiate(): Record<string, () => void> {
  const builder = new ModuleBuilder();
  builder.importMemory('host', 'memory', 65536, 65536, true);
  const slow = builder.importFunction('host', 'slow', ['i32'], ['i32']);
  for (const [name, emit] of Object.entries(floatFunctions)) {
    const body = builder.func(['v128', 'v128'], ['v128']);
    emit(body, { slow });
    const outer = builder.func([], [], name);
    outer.i32(32).i32(0).mem('v128.load').i32(16).mem('v128.load').call(body.index).mem('v128.store');
  }
  const call = (code: number): number => {
    slowCalls++;
    return runSlow(state, code);
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(builder.build()), { host: { memory, slow: call } });
  return instance.exports as Record<string, () => void>;
}

let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return (seed ^ (seed >>> 15)) >>> 0;
};

const SINGLES = [
  0, 0x8000_0000, 1, 0x0080_0000, 0x3f80_0000, 0x7f7f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001,
];

/** Singles and doubles of middling size mostly, which take the fast path; few significant bits, so that some are exact. */
function operand(at: number, double: boolean): void {
  for (let i = 0; i < 16; i += double ? 8 : 4) {
    const kind = random() % 8;
    if (double) {
      const special = (BigInt(SINGLES[random() % SINGLES.length]) >> 8n) << 40n;
      const few = BigInt(random() & 0x8000_ffff) << 32n;
      const many = few | BigInt(random());
      const exponent = BigInt(1023 - 40 + (random() % 80)) << 52n;
      operands.setBigUint64(
        at + i,
        kind === 0 ? special : kind === 1 ? many : (kind < 5 ? few : many) | exponent,
        true,
      );
    } else {
      const few = random() & 0x807f_0000;
      const exponent = (127 - 20 + (random() % 40)) << 23;
      const many = (random() & 0x807f_ffff) | exponent;
      operands.setUint32(
        at + i,
        kind === 0 ? SINGLES[random() % SINGLES.length] : kind < 5 ? few | exponent : many,
        true,
      );
    }
  }
}

const MODES = [0x1f80, 0x1f80, 0x1fa0, 0x1fa0, 0x1fbf, 0x3f80, 0x5fa0, 0x7f80, 0x1fc0, 0x9f80, 0x0f80, 0x1d00];

const exported = instantiate();

test.each(Object.keys(floatFunctions))('%s', (name) => {
  const [, op, shape] = name.split('.');
  const double = shape.endsWith('d');
  slowCalls = 0;
  const rounds = 2000;
  for (let i = 0; i < rounds; i++) {
    operand(0, double);
    operand(16, double);
    const mxcsr = MODES[random() % MODES.length];
    state.setUint32(MXCSR, mxcsr, true);
    state.setInt32(FLOAT_TRAP, 0, true);
    exported[name]();
    const trap = state.getInt32(FLOAT_TRAP, true);
    const after = state.getUint32(MXCSR, true);
    for (let word = 0; word < 4; word++) {
      state.setUint32(FLOAT_A + word * 4, operands.getUint32(word * 4, true), true);
      state.setUint32(FLOAT_B + word * 4, operands.getUint32(16 + word * 4, true), true);
    }
    state.setUint32(MXCSR, mxcsr, true);
    const expected = runSlow(state, slowCode(`${op}.${shape}`));
    const words = [0, 4, 8, 12];
    expect([trap, after, ...words.map((at) => (expected === NO_TRAP ? operands.getUint32(32 + at, true) : 0))]).toEqual(
      [
        expected + 1,
        state.getUint32(MXCSR, true),
        ...words.map((at) => (expected === NO_TRAP ? state.getUint32(FLOAT_R + at, true) : 0)),
      ],
    );
  }
  // Else the fast path was not tested.
  expect(slowCalls).toBeLessThan(rounds * 0.995);
  expect(slowCalls).toBeGreaterThan(0);
});
