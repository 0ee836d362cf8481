/** The reference's three integration programs, built with each compiler, print what the reference expects. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boot } from '../../src/index.ts';
import { COMPILERS, type Compiler, compile, hasCompiler, runGuest } from '../support/programs.ts';

const EXPECTED: Readonly<Record<string, string>> = {
  'file-io': 'Hello XINIM\n',
  'process-lifecycle': 'Parent\nChild\n',
  memory: '',
};

// They are C; a C++ compiler refuses them.
const compilers = (Object.keys(COMPILERS) as Compiler[]).filter((compiler) => compiler !== 'g++');

for (const compiler of compilers) {
  describe.skipIf(!hasCompiler(compiler))(`${COMPILERS[compiler].join(' ')} (needs it)`, () => {
    test.each(Object.keys(EXPECTED))('%s', async (name) => {
      const data = readFileSync(compile(join(import.meta.dirname, `${name}.c`), compiler));
      const os = await boot({ files: [{ type: 'file', path: '/program', mode: 0o755, data }] });
      try {
        expect(await runGuest(os, '/program')).toEqual({ stdout: EXPECTED[name], stderr: '', code: 0 });
      } finally {
        await os.shutdown();
      }
    });
  });
}
