/** Code that the writer made comes back as text, with nesting and names. */
import { expect, test } from 'vitest';
import { ModuleBuilder } from './module.ts';
import { codeSection, functionText } from './text.ts';

test('a function is listed with its nesting', () => {
  const m = new ModuleBuilder();
  const log = m.importFunction('h', 'log', ['i32'], []);
  const f = m.func(['i32'], ['i64'], 'f');
  const local = f.local('i64');
  f.block().get(0).op('i32.eqz').brIf(0).loop().get(0).call(log).br(0).end().end();
  f.i64(0x12345678).set(local).get(0).mem('i64.load', 16, 3).get(local).op('i64.add').i32(-5).op('i64.extend_i32_s');
  f.op('i64.add');
  const { imports, bodies } = codeSection(m.build());
  expect(imports).toEqual(['log']);
  const lines = functionText(bodies[0], (index) => imports[index] ?? `own ${index}`).map(({ text }) => text);
  expect(lines).toEqual([
    'block',
    '  local.get 0',
    '  i32.eqz',
    '  br_if 0',
    '  loop',
    '    local.get 0',
    '    call log',
    '    br 0',
    '  end',
    'end',
    'i64.const 0x12345678',
    'local.set 1',
    'local.get 0',
    'i64.load offset=16',
    'local.get 1',
    'i64.add',
    'i32.const -5',
    'i64.extend_i32_s',
    'i64.add',
    'end',
  ]);
});
