/**
 * Guest programs, named by what they call, against Linux: output and status are those that were recorded natively
 * (`npm run record`). Every program runs in a system of its own.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boot } from '../../src/index.ts';
import { compile, hasCompiler, runGuest } from '../support/programs.ts';

const programs = join(import.meta.dirname, 'programs');
const expected = join(import.meta.dirname, 'expected');
const names = readdirSync(programs)
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.slice(0, -2));

describe.skipIf(!hasCompiler('gcc'))('conformance (needs gcc)', () => {
  test.each(names)('%s', async (name) => {
    const record = join(expected, `${name}.txt`);
    expect(existsSync(record), `${name} is recorded: npm run record`).toBe(true);
    const data = readFileSync(compile(join(programs, `${name}.c`)));
    const os = await boot({ files: [{ type: 'file', path: `/bin/${name}`, mode: 0o755, data }] });
    try {
      const { stdout, stderr, code } = await runGuest(os, `/bin/${name}`, { env: {}, cwd: '/' });
      expect(`${stdout}${stderr}status ${code}\n`).toBe(readFileSync(record, 'latin1'));
    } finally {
      await os.shutdown();
    }
  });
});
