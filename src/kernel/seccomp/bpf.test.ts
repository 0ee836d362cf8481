import { describe, expect, it } from 'vitest';
import { SECCOMP_DATA_BYTES } from '../../abi/seccomp.ts';
import { compile, evaluate } from './bpf.ts';

const LOAD_IMMEDIATE = 0x00;
const LOAD_X = 0x01;
const RETURN_A = 0x16;
const RETURN = 0x06;

const assemble = (...instructions: readonly (readonly [code: number, jt: number, jf: number, k: number])[]) => {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  instructions.forEach(([code, jt, jf, k], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return new Uint8Array(view.buffer);
};

const data = new DataView(new ArrayBuffer(SECCOMP_DATA_BYTES));

describe('arithmetic', () => {
  const cases: readonly [name: string, operation: number, a: number, b: number, result: number][] = [
    ['adds modulo 2^32', 0x00, 0xffff_ffff, 2, 1],
    ['subtracts modulo 2^32', 0x10, 1, 2, 0xffff_ffff],
    ['multiplies modulo 2^32', 0x20, 0x1_0001, 0x1_0001, 0x2_0001],
    ['divides unsigned', 0x30, 0xffff_fffe, 2, 0x7fff_ffff],
    ['ors', 0x40, 0xf000_0000, 0x0f, 0xf000_000f],
    ['ands', 0x50, 0xffff_0000, 0x00ff_ff00, 0x00ff_0000],
    ['shifts left', 0x60, 0x8000_0001, 1, 2],
    ['shifts right unsigned', 0x70, 0x8000_0000, 31, 1],
    ['exclusive-ors', 0xa0, 0xffff_ffff, 1, 0xffff_fffe],
  ];
  it.each(cases)('%s', (_, operation, a, b, result) => {
    const byConstant = compile(assemble([LOAD_IMMEDIATE, 0, 0, a], [0x04 | operation, 0, 0, b], [RETURN_A, 0, 0, 0]))!;
    expect(evaluate(byConstant, data)).toBe(result);
    const byX = compile(
      assemble([LOAD_X, 0, 0, b], [LOAD_IMMEDIATE, 0, 0, a], [0x0c | operation, 0, 0, 0], [RETURN_A, 0, 0, 0]),
    )!;
    expect(evaluate(byX, data)).toBe(result);
  });

  it('returns 0 for a division by a zero X', () => {
    const program = compile(assemble([LOAD_IMMEDIATE, 0, 0, 5], [0x3c, 0, 0, 0], [RETURN, 0, 0, 7]))!;
    expect(evaluate(program, data)).toBe(0);
  });
});

it('wants scratch memory stored on every way to a load', () => {
  const load = [0x60, 0, 0, 2] as const;
  const end = [RETURN_A, 0, 0, 0] as const;
  expect(compile(assemble([0x15, 1, 0, 0], [0x02, 0, 0, 2], load, end))).toBeUndefined();
  expect(compile(assemble([0x02, 0, 0, 2], [0x15, 1, 0, 0], [0x02, 0, 0, 3], load, end))).toBeDefined();
});
