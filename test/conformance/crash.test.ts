/**
 * The conformance programs while servers crash: in each run, every kind of request kills its server once, at one point of
 * its delivery. The request is repeated, nothing is lost: output and status are those recorded on Linux. `CRASH=all` runs
 * every program at every point (`npm run test:crash`); otherwise the points take turns over the programs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { boot } from '../../src/index.ts';
import { memoryProtocol } from '../../src/ipc/protocols/memory.ts';
import { processProtocol } from '../../src/ipc/protocols/process.ts';
import { vfsProtocol } from '../../src/ipc/protocols/vfs.ts';
import { compile, hasCompiler, runGuest } from '../support/programs.ts';

const programs = join(import.meta.dirname, 'programs');
const expected = join(import.meta.dirname, 'expected');
const POINTS = ['before', 'after-handler', 'before-reply'] as const;
const names = readdirSync(programs)
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.slice(0, -2));
const runs = names.flatMap((name, index) =>
  process.env['CRASH'] === 'all'
    ? POINTS.map((point) => [name, point] as const)
    : [[name, POINTS[index % POINTS.length]] as const],
);

/** Requests that were killed, over all programs. */
const killed = new Set<string>();
const requests = [vfsProtocol, processProtocol, memoryProtocol].flatMap(({ name, calls }) =>
  Object.keys(calls).map((call) => `${name}.${call}`),
);

describe.skipIf(!hasCompiler('gcc'))('conformance under crashes (needs gcc)', () => {
  test.each(runs)('%s, crashing %s', async (name, point) => {
    const data = readFileSync(compile(join(programs, `${name}.c`)));
    const thrown = new Set<string>();
    const os = await boot({
      files: [{ type: 'file', path: `/bin/${name}`, mode: 0o755, data }],
      chaos: (server, call, phase) => {
        const key = `${server}.${call}`;
        if (phase !== point || thrown.has(key)) return;
        thrown.add(key);
        killed.add(key);
        throw new Error(`a crash was asked for: ${key} ${phase}`);
      },
    });
    try {
      const { stdout, stderr, code } = await runGuest(os, `/bin/${name}`, { env: {}, cwd: '/' });
      expect(`${stdout}${stderr}status ${code}\n`).toBe(readFileSync(join(expected, `${name}.txt`), 'latin1'));
      expect(thrown.size).toBeGreaterThan(5);
    } finally {
      await os.shutdown();
    }
  });

  afterAll(() => {
    const missed = requests.filter((request) => !killed.has(request));
    console.log(`${requests.length - missed.length} of ${requests.length} kinds of request have crashed their server`);
    if (missed.length > 0) console.log(`not sent by any program: ${missed.join(', ')}`);
  });
});
