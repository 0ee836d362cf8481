/**
 * Every applet of BusyBox, and a long shell script, against what they do natively (`npm run test:busybox`; recorded by
 * `npm run record:busybox`). Each test has a fresh system.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findBusybox } from '../../src/host/node/busybox.ts';
import { boot } from '../../src/index.ts';
import { APPLETS } from '../../src/system/applets.ts';
import type { Outcome } from '../support/programs.ts';
import { APPLET_TESTS } from './applets.ts';
import { runHere } from './harness.ts';

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8')) as Record<
  string,
  Outcome
>;
const script = readFileSync(join(import.meta.dirname, 'script.sh'), 'utf8');

const runFresh = async (text: string): Promise<Outcome> => {
  const os = await boot();
  try {
    return await runHere(os, text);
  } finally {
    await os.shutdown();
  }
};

test('the table names every applet, and nothing else', () => {
  const names = APPLETS.map((path) => path.slice(path.lastIndexOf('/') + 1));
  expect(Object.keys(APPLET_TESTS).sort()).toEqual([...new Set(names)].sort());
});

describe.skipIf(findBusybox() === undefined)('BusyBox (needs busybox-static)', () => {
  const entries = Object.entries(APPLET_TESTS);
  const compared = entries.flatMap(([name, t]) => ('compare' in t ? [[name, t.compare] as const] : []));
  const started = entries.flatMap(([name, t]) => ('run' in t ? [[name, t.run, t.because] as const] : []));
  const absent = entries.flatMap(([name, t]) => ('absent' in t ? [[name, t.absent] as const] : []));

  test.each(compared)('%s gives what it gives natively', async (name, text) => {
    expect(await runFresh(text)).toEqual(recorded[name]);
  });

  test.each(started)('%s runs to its end', async (_name, text) => {
    const { code } = await runFresh(text);
    // It may fail, but neither it nor the shell crashes: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV.
    expect([4, 5, 6, 7, 8, 9, 11]).not.toContain(code - 128);
  });

  test('a script of 300 lines gives what it gives natively', async () => {
    expect(await runFresh(script)).toEqual(recorded['(script)']);
  });

  afterAll(() => {
    console.log(
      [
        `${compared.length} applets compared byte for byte, ${started.length} run for their status, ${absent.length} not run:`,
        ...started.map(([name, , because]) => `  ${name}: output not compared: ${because}`),
        ...absent.map(([name, reason]) => `  ${name}: not run: ${reason}`),
      ].join('\n'),
    );
  });
});
