/**
 * Programs of many threads, in C and C++, on both engines: they print the same as on Linux, every time. `THREADS=100` runs
 * each so often (`npm run test:threads`); otherwise twice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boot } from '../../src/index.ts';
import { type Compiler, compile, hasCompiler, isOracle, runGuest, runNative } from '../support/programs.ts';

const runs = Number(process.env['THREADS'] ?? 2);
const programs: readonly (readonly [string, Compiler])[] = [
  ['many.c', 'gcc'],
  ['standard.cpp', 'g++'],
];
const cases = programs.flatMap((program) =>
  (['interpreter', 'jit'] as const).map((engine) => [...program, engine] as const),
);

describe.each(cases)('%s (needs %s), engine %s', (source, compiler, engine) => {
  test.skipIf(!hasCompiler(compiler))(`is right ${runs} times of ${runs}`, { timeout: runs * 60_000 }, async () => {
    const path = compile(join(import.meta.dirname, source), compiler, ['-O1', '-pthread']);
    const recorded = join(import.meta.dirname, 'expected', `${source}.txt`);
    const expected = readFileSync(recorded, 'latin1');
    if (isOracle) expect(runNative(path).stdout).toBe(expected);
    const data = readFileSync(path);
    for (let run = 0; run < runs; run++) {
      const os = await boot({ engine, files: [{ type: 'file', path: '/bin/program', mode: 0o755, data }] });
      try {
        expect(await runGuest(os, '/bin/program')).toEqual({ stdout: expected, stderr: '', code: 0 });
      } finally {
        await os.shutdown();
      }
    }
  });
});
