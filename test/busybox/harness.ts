/**
 * Runs scripts under BusyBox's shell with the default root: here, and natively by chroot into the same root. Both give what
 * was written to standard output and standard error, and the status.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findBusybox } from '../../src/host/node/busybox.ts';
import type { Xinim } from '../../src/index.ts';
import { defaultRoot } from '../../src/system/skeleton.ts';
import { type Outcome, runGuest } from '../support/programs.ts';

/** Programs see exactly this, natively and here. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  SHELL: '/bin/sh',
  TERM: 'dumb',
  TZ: 'UTC0',
};

/** A test may not hang for ever. */
const LIMIT_SECONDS = 30;

/** The script in an empty folder of its own. */
const wrap = (script: string): string => `mkdir /tmp/t && cd /tmp/t || exit 99\n${script}\n`;

export const runHere = async (os: Xinim, script: string): Promise<Outcome> => {
  const timer = setTimeout(() => os.kill(-1, 'SIGKILL'), LIMIT_SECONDS * 1000);
  try {
    return await runGuest(os, '/bin/sh', { args: ['-c', wrap(script)], env: ENVIRONMENT, cwd: '/' });
  } finally {
    clearTimeout(timer);
  }
};

/** The default root as a folder of the host for chroot. Needs root (devices). */
export const makeNativeRoot = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'xinim-root-'));
  chmodSync(root, 0o755);
  for (const entry of defaultRoot(findBusybox())) {
    const path = join(root, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    switch (entry.type) {
      case 'directory':
        mkdirSync(path, { recursive: true });
        break;
      case 'file':
        writeFileSync(path, entry.data ?? '');
        break;
      case 'symlink':
        symlinkSync(entry.target!, path);
        continue;
      case 'link':
        linkSync(join(root, entry.target!), path);
        continue;
      default:
        throw new Error(`the default root has a ${entry.type}`);
    }
    chownSync(path, entry.uid ?? 0, entry.gid ?? 0);
    chmodSync(path, entry.mode);
  }
  for (const [name, major, minor] of [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
  ] as const)
    execFileSync('mknod', ['-m', '666', join(root, 'dev', name), 'c', String(major), String(minor)]);
  for (const [name, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ])
    symlinkSync(target, join(root, 'dev', name));
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  return root;
};

export const removeNativeRoot = (root: string): void => {
  spawnSync('umount', [join(root, 'proc')]);
  rmSync(root, { recursive: true, force: true });
};

/** Runs a script natively in a fresh copy of nothing but /etc and /tmp: tests may change both. */
export const runThere = (root: string, script: string): Outcome => {
  rmSync(join(root, 'tmp'), { recursive: true, force: true });
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);
  const saved = mkdtempSync(join(tmpdir(), 'xinim-etc-'));
  chmodSync(saved, 0o755);
  cpSync(join(root, 'etc'), saved, { recursive: true, verbatimSymlinks: true });
  const result = spawnSync('chroot', [root, '/bin/sh', '-c', wrap(script)], {
    env: ENVIRONMENT,
    input: '',
    encoding: 'latin1',
    timeout: LIMIT_SECONDS * 1000,
    maxBuffer: 1 << 26,
  });
  rmSync(join(root, 'etc'), { recursive: true });
  cpSync(saved, join(root, 'etc'), { recursive: true, verbatimSymlinks: true });
  rmSync(saved, { recursive: true });
  if (result.error !== undefined) throw result.error;
  return {
    stdout: result.stdout,
    stderr: result.stderr,
    code: result.status ?? 128 + constants.signals[result.signal!],
  };
};
