import { expect, test } from 'vitest';
import { ModuleBuilder } from './module.ts';
import { LANES, MEMORY, PLAIN } from './opcodes.ts';

test('a module with a table, a global and a tail call runs', () => {
  const builder = new ModuleBuilder();
  builder.table(2);
  const counter = builder.global('i64', 5n);
  const leaf = builder.func(['i64'], ['i64']);
  leaf.get(0).globalGet(counter).op('i64.mul');
  const entry = builder.func(['i64'], ['i64'], 'entry');
  entry
    .get(0)
    .i64(-3n)
    .op('i64.add')
    .i32(1)
    .returnCallIndirect(builder.type(['i64'], ['i64']));
  builder.elements(1, [leaf.index]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(builder.build()));
  expect((instance.exports['entry'] as (x: bigint) => bigint)(10n)).toBe(35n);
});

test('constants of every size are encoded', () => {
  for (const value of [
    0n,
    63n,
    64n,
    -64n,
    -65n,
    0x7fffffffn,
    -0x80000000n,
    1n << 40n,
    -(1n << 63n),
    (1n << 63n) - 1n,
  ]) {
    const builder = new ModuleBuilder();
    builder.func([], ['i64'], 'f').i64(value);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(builder.build()));
    expect((instance.exports['f'] as () => bigint)()).toBe(value);
  }
});

/** Every plain instruction is accepted by the engine under its own operand types. */
test('every listed instruction validates', () => {
  const typeOf = (prefix: string) => (/x/.test(prefix) || prefix === 'v128' ? 'v128' : prefix);
  const failures: string[] = [];
  for (const name of PLAIN.keys()) {
    if (!name.includes('.')) continue;
    const accepted = tryShapes(name, typeOf);
    if (!accepted) failures.push(name);
  }
  for (const name of [...LANES.keys()]) {
    const scalar = { i8x16: 'i32', i16x8: 'i32', i32x4: 'i32', i64x2: 'i64', f32x4: 'f32', f64x2: 'f64' }[
      name.split('.')[0]
    ] as 'i32';
    const builder = new ModuleBuilder();
    if (name.includes('extract')) builder.func(['v128'], [scalar]).get(0).lane(name, 1);
    else builder.func(['v128', scalar], ['v128']).get(0).get(1).lane(name, 1);
    if (!WebAssembly.validate(builder.build())) failures.push(name);
  }
  for (const name of MEMORY.keys()) {
    const value = name.split('.')[0] as 'i32';
    const builder = new ModuleBuilder();
    builder.memory(1);
    if (name.includes('store')) builder.func(['i32', value]).get(0).get(1).mem(name, 8, 0);
    else builder.func(['i32'], [value]).get(0).mem(name, 8, 0);
    if (!WebAssembly.validate(builder.build())) failures.push(name);
  }
  expect(failures).toEqual([]);
});

function tryShapes(name: string, typeOf: (prefix: string) => string): boolean {
  const own = typeOf(name.split('.')[0]) as 'i32';
  const all = ['i32', 'i64', 'f32', 'f64', 'v128'] as const;
  for (const operand of [own, ...all]) {
    for (const result of [own, ...all]) {
      for (const count of [1, 2, 3]) {
        for (const last of new Set([operand, 'i32' as const])) {
          const builder = new ModuleBuilder();
          const params = Array.from({ length: count }, (_, i) => (i === count - 1 && count > 1 ? last : operand));
          const body = builder.func(params, [result]);
          for (let i = 0; i < count; i++) body.get(i);
          body.op(name);
          if (WebAssembly.validate(builder.build())) return true;
        }
      }
    }
  }
  return false;
}
