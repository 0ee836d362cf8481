/**
 * The host's side as this process sees it: builds native.c into the build folder, starts it and exchanges batches with it
 * through a shared file and two FIFOs (blocking, so that the driver is straight code). `HostProcessor.unavailable` says
 * why there is none: the test is then reported as skipped.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPLY_OFFSET } from './layout.ts';

const FLAGS = [
  '-O2',
  '-static',
  '-nostdlib',
  '-ffreestanding',
  '-fno-pie',
  '-no-pie',
  '-fno-stack-protector',
  '-fcf-protection=none',
  '-mgeneral-regs-only',
  '-fno-tree-loop-distribute-patterns',
  '-Wl,-Ttext-segment=0x35550000',
];

export class HostProcessor {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #shared: number;
  readonly #requests: number;
  readonly #replies: number;

  /** Why this machine cannot be the oracle, or undefined. */
  static unavailable(): string | undefined {
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'the host is not x86-64 Linux';
    if (spawnSync('gcc', ['--version']).status !== 0) return 'gcc is not installed';
    return undefined;
  }

  /** `root` is the repository; the binary goes to its build/differential. */
  constructor(root: string) {
    const source = join(root, 'test/differential/native.c');
    const build = join(root, 'build/differential');
    const binary = join(build, 'native');
    mkdirSync(build, { recursive: true });
    if (!existsSync(binary) || statSync(binary).mtimeMs < statSync(source).mtimeMs) {
      const output = `${binary}.${process.pid}`;
      const compiled = spawnSync('gcc', [...FLAGS, '-o', output, source], { encoding: 'utf8' });
      if (compiled.status !== 0) throw new Error(`gcc cannot build native.c:\n${compiled.stderr}`);
      spawnSync('mv', [output, binary]);
    }
    this.#folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'xinim-differential-'));
    const names = ['shared', 'requests', 'replies'].map((name) => join(this.#folder, name)) as [string, string, string];
    if (spawnSync('mkfifo', [names[1], names[2]]).status !== 0) throw new Error('mkfifo failed');
    this.#shared = openSync(names[0], 'w+');
    ftruncateSync(this.#shared, 2 * REPLY_OFFSET);
    this.#child = spawn(binary, names, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#requests = openSync(names[1], 'w');
    this.#replies = openSync(names[2], 'r');
  }

  /** Hands over a batch; the host works on it while the caller goes on. */
  send(batch: Uint8Array): void {
    writeSync(this.#shared, batch, 0, batch.length, 0);
    writeSync(this.#requests, Uint8Array.of(1, 0, 0, 0));
  }

  /** Waits for the results of the batch sent, and reads `into.length` bytes of them. */
  receive(into: Uint8Array): void {
    const word = new Uint8Array(4);
    if (readSync(this.#replies, word, 0, 4, null) !== 4) throw new Error('the native side has ended');
    let done = 0;
    while (done < into.length) {
      const n = readSync(this.#shared, into, done, into.length - done, REPLY_OFFSET + done);
      if (n === 0) throw new Error('the shared file is short');
      done += n;
    }
  }

  close(): void {
    closeSync(this.#requests);
    closeSync(this.#replies);
    closeSync(this.#shared);
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
