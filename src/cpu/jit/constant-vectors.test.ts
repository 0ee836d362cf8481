/** Folded vector operations against WebAssembly's own. */
import { expect, test } from 'vitest';
import { ModuleBuilder } from '../../wasm/module.ts';
import { foldVector } from './constant-vectors.ts';

const bytes = (seed: number): number[] => Array.from({ length: 16 }, (_, i) => (seed * (i + 3) * 97 + i * i) & 0xff);

const BINARY = ['add', 'sub', 'eq', 'ne'].flatMap((op) =>
  ['i8x16', 'i16x8', 'i32x4', 'i64x2'].map((s) => `${s}.${op}`),
);

test('folding gives what WebAssembly computes', () => {
  const cases: [string, (readonly number[] | bigint)[]][] = [];
  for (let seed = 1; seed < 6; seed++) {
    const [a, b] = [bytes(seed), seed === 3 ? bytes(seed) : bytes(seed + 11)];
    for (const name of [...BINARY, 'i16x8.mul', 'i32x4.mul', 'v128.and', 'v128.or', 'v128.xor', 'v128.andnot'])
      cases.push([name, [a, b]]);
    for (const shape of ['i8x16', 'i16x8', 'i32x4']) {
      cases.push([`${shape}.splat`, [BigInt(seed * 0x0123_4567)]]);
      for (const op of ['shl', 'shr_u']) cases.push([`${shape}.${op}`, [a, BigInt(seed * 7)]]);
    }
  }
  const builder = new ModuleBuilder();
  builder.memory(1);
  builder.exportMemory('memory');
  const body = builder.func([], [], 'run');
  cases.forEach(([name, operands], i) => {
    body.i32(i * 16);
    for (const operand of operands) {
      if (typeof operand === 'bigint') body.i32(Number(operand));
      else body.v128(operand);
    }
    body.op(name).mem('v128.store');
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(builder.build()));
  (instance.exports.run as () => void)();
  const memory = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
  cases.forEach(([name, operands], i) => {
    expect(foldVector(name, operands), name).toEqual([...memory.subarray(i * 16, i * 16 + 16)]);
  });
});
