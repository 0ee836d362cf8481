/**
 * The console's line discipline and job control against Linux: programs of terminal/ are typed at as scripts.ts says, and
 * all that appears is what appeared on a pseudo-terminal natively (`npm run record -- terminal`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, hasCompiler } from '../support/programs.ts';
import { runOnConsole } from '../support/terminal.ts';
import { scripts } from './terminal/scripts.ts';

describe.skipIf(!hasCompiler('gcc'))('terminal (needs gcc)', () => {
  test.each(Object.keys(scripts))('%s', async (name) => {
    const program = readFileSync(compile(join(import.meta.dirname, 'terminal', `${name}.c`)));
    const recorded = readFileSync(join(import.meta.dirname, 'expected', `terminal-${name}.txt`), 'latin1');
    expect(await runOnConsole(program, scripts[name])).toBe(recorded);
  });
});
