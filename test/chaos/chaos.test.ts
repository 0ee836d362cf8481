/**
 * Mixed work while servers die at random: no program may notice, and the files in the end are those of a run without deaths.
 * `CHAOS=N` asks for that many deaths in all (`npm run test:chaos`: 10,000); recovery times are printed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBusybox } from '../../src/host/node/busybox.ts';
import { boot, type ServerView } from '../../src/index.ts';
import { compile, hasCompiler, runGuest } from '../support/programs.ts';

const DEATHS = Number(process.env['CHAOS'] ?? 20);
const ROUNDS = DEATHS > 1000 ? 4 : 1;
const SHARE = DEATHS > 1000 ? '5%' : '1%';
const STATE = 'cd /tmp/w; find . | sort; find . -type f | sort | xargs sha256sum; ls -ln | wc -l';

const files = (name: string): string => join(import.meta.dirname, name);

/** Runs all of it in a fresh system; what the programs said, what files are left, and how the servers did. */
const run = async (chaos: string | undefined): Promise<{ said: string; servers: readonly ServerView[] }> => {
  const os = await boot({
    chaos,
    files: [
      { type: 'file', path: '/bin/workload', mode: 0o755, data: readFileSync(compile(files('workload.c'))) },
      { type: 'file', path: '/bin/script', mode: 0o755, data: readFileSync(files('script.sh')) },
      { type: 'directory', path: '/tmp/w/s', mode: 0o755 },
    ],
  });
  try {
    const parts = [
      await Promise.all([
        runGuest(os, '/bin/workload', { args: [String(ROUNDS)], cwd: '/tmp/w' }),
        runGuest(os, '/bin/sh', { args: ['/bin/script'], cwd: '/tmp/w/s' }),
      ]),
      [await runGuest(os, '/bin/sh', { args: ['-c', STATE] })],
    ].flat();
    return {
      said: parts.map((part) => `${part.stdout}${part.stderr}status ${part.code}\n`).join(''),
      servers: os.servers(),
    };
  } finally {
    await os.shutdown();
  }
};

test.skipIf(!hasCompiler('gcc') || findBusybox() === undefined)(
  `${DEATHS} deaths of servers under mixed work (needs gcc)`,
  async () => {
    const plain = await run(undefined);
    expect(plain.said).toContain(`records ${8 * ROUNDS} wrong 0`);
    let deaths = 0;
    const recoveries: number[] = [];
    for (let seed = 1; deaths < DEATHS; seed++) {
      const { said, servers } = await run(`seed=${seed},kill=*@${SHARE}`);
      expect(said, `seed ${seed}`).toBe(plain.said);
      for (const { restarts, history } of servers) {
        deaths += restarts;
        recoveries.push(...history.map(({ duration }) => duration / 1e6));
      }
    }
    recoveries.sort((a, b) => a - b);
    const at = (share: number): string => recoveries[Math.floor((recoveries.length - 1) * share)].toFixed(2);
    console.log(`${deaths} deaths; recovery took ${at(0.5)} ms in the median, ${at(0.99)} ms at the 99th percentile`);
  },
  3_600_000,
);
