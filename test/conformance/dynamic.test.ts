/**
 * Dynamically linked programs, with the loaders and libraries of this machine: the same output and status as natively.
 * Every kind of program that the compilers make: position-independent and not, with and without a loader.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boot } from '../../src/index.ts';
import { build, hasCommand, isOracle, runGuest, runNative } from '../support/programs.ts';

const source = join(import.meta.dirname, 'dynamic.c');

/** The loader and the libraries that a program names. */
const needs = (program: string): string[] => {
  const headers = execFileSync('readelf', ['-lW', program], { encoding: 'latin1' });
  const loader = /interpreter: (.*)\]/.exec(headers)?.[1];
  if (loader === undefined) return [];
  const listed = execFileSync(loader, ['--list', program], { encoding: 'latin1' });
  return [loader, ...[...listed.matchAll(/=> (\/\S+)/g)].map((match) => match[1])];
};

const kinds: readonly [name: string, compiler: string, flags: readonly string[]][] = [
  ['position-independent', 'gcc', ['-fPIE', '-pie']],
  ['at fixed addresses', 'gcc', ['-fno-pie', '-no-pie']],
  ['lazily bound', 'gcc', ['-fPIE', '-pie', '-Wl,-z,lazy']],
  ['with large alignment', 'gcc', ['-fPIE', '-pie', '-Wl,-z,max-page-size=0x200000']],
  ['musl', 'musl-gcc', ['-fPIE', '-pie']],
];

describe.skipIf(!isOracle || !hasCommand('readelf'))('dynamic programs (need gcc and the host as oracle)', () => {
  test.each(kinds)('%s', async (_, compiler, flags) => {
    if (!hasCommand(compiler)) return;
    const program = build([compiler, '-O1', ...flags], source, ['-lm', '-ldl']);
    const data = readFileSync(program);
    const libraries = [...new Set(needs(program))];
    expect(libraries.length).toBeGreaterThan(0);
    const os = await boot({
      files: [
        { type: 'file', path: program, mode: 0o755, data },
        ...libraries.map((path) => ({
          type: 'file' as const,
          path,
          mode: 0o755,
          data: readFileSync(realpathSync(path)),
        })),
      ],
    });
    try {
      const args = ['first'];
      expect(await runGuest(os, program, { args, env: {} })).toEqual(runNative(program, { args }));
      // The loader as a command.
      const [loader] = libraries;
      const byHand = { args: [program, 'by', 'hand'] };
      expect(await runGuest(os, loader, { ...byHand, env: {} })).toEqual(runNative(loader, byHand));
    } finally {
      await os.shutdown();
    }
  });
});
