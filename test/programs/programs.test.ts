/**
 * Debian's programs, unmodified, in a root of Debian packages: each script of scripts/ gives the same output and status in XINIM
 * as natively by chroot into the same root (native.sh). `npm run test:programs`: the root is some 600 MB and its build fetches
 * packages, so the usual run skips this by name. PROGRAMS_ROOT names a root that is there already, XINIM_ENGINE the engine.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasCommand, isOracle } from '../support/programs.ts';
import { PACKAGES } from './packages.ts';

const project = join(import.meta.dirname, '../..');
const folder = join(project, 'build/programs');
const scripts = join(import.meta.dirname, 'scripts');
const cli = join(project, 'dist/cli.js');
const image = process.env.PROGRAMS_ROOT ?? join(folder, 'root.tar');
const native = join(folder, 'root');

/** What a program may take, in milliseconds: gcc and g++ start hundreds of processes. */
const LIMIT = 1_200_000;
const ENVIRONMENT =
  'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 TZ=UTC0 USER=root LOGNAME=root SHELL=/bin/bash';

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

const run = (command: string, args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({
        stdout: Buffer.concat(out).toString('latin1'),
        stderr: Buffer.concat(err).toString('latin1'),
        status,
      }),
    );
  });

const mayChroot = (): boolean =>
  process.getuid?.() === 0 && spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0;
const wanted = process.env.PROGRAMS !== undefined;
const possible = wanted && isOracle && hasCommand('apt-get') && mayChroot();

describe.skipIf(!possible)("Debian's programs (npm run test:programs; need apt-get and root for chroot)", () => {
  beforeAll(() => {
    execFileSync('node', [join(project, 'tools/build.mjs'), '--quiet'], { stdio: 'inherit' });
    mkdirSync(folder, { recursive: true });
    if (!existsSync(image))
      execFileSync('node', [cli, 'image', 'build', '--packages', PACKAGES.join(','), '-o', image], {
        stdio: 'inherit',
      });
    if (!existsSync(native)) {
      mkdirSync(`${native}.new`, { recursive: true });
      execFileSync('tar', ['-xpf', image, '-C', `${native}.new`]);
      renameSync(`${native}.new`, native);
    }
  }, LIMIT);

  test.each(readdirSync(scripts))('%s', { timeout: 2 * LIMIT }, async (name) => {
    const start = `mkdir /tmp/work && cp /scripts/${name} /tmp/script && cd /tmp/work && exec env -i ${ENVIRONMENT} /tmp/script`;
    const here = await run('node', [cli, '--root', image, '--mount', `${scripts}:/scripts:ro`, '-c', start]);
    const there = await run(join(import.meta.dirname, 'native.sh'), [native, join(scripts, name)]);
    expect(here).toEqual(there);
  });
});
