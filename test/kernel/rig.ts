/**
 * A system for tests: real kernel, servers, CPU and memory on a platform whose clock skips the time in which all threads
 * sleep: it runs as the host's does while there is something to do, and jumps to the next deadline when there is not.
 */
import { Errno } from '../../src/abi/errno.ts';
import type { PopulateEntry } from '../../src/fs/populate.ts';
import { findBusybox } from '../../src/host/node/busybox.ts';
import type { Platform } from '../../src/kernel/platform.ts';
import { defaultRoot } from '../../src/system/skeleton.ts';
import { System, type SystemOptions } from '../../src/system/system.ts';

export class TestPlatform implements Platform {
  /** Nanoseconds that were slept through. */
  skipped = 0;
  output = '';
  readonly lines: string[] = [];
  #seed = 1;

  monotonic(): number {
    return performance.now() * 1e6 + this.skipped;
  }

  /** Lets the clock jump to a time, if that is yet to come. */
  skipTo(time: number): void {
    this.skipped += Math.max(0, time - this.monotonic());
  }

  realtime(): { seconds: number; nanoseconds: number } {
    const total = this.monotonic();
    return { seconds: 1_700_000_000 + Math.floor(total / 1e9), nanoseconds: Math.floor(total % 1e9) };
  }

  entropy(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
      bytes[i] = this.#seed >>> 16;
    }
    return bytes;
  }

  consoleWrite(_terminal: number, bytes: Uint8Array): number {
    this.output += Buffer.from(bytes).toString('latin1');
    return bytes.length;
  }

  log(line: string): void {
    this.lines.push(line);
  }
}

export interface Outcome {
  readonly pid: number;
  readonly code: number;
  readonly signal: number | undefined;
  /** What it wrote to standard output and error, as they came. */
  readonly output: string;
}

export class Rig {
  readonly platform = new TestPlatform();
  readonly system: System;

  constructor(files: readonly PopulateEntry[] = [], options: Partial<SystemOptions> = {}) {
    const system = System.boot(this.platform, { root: [...defaultRoot(findBusybox()), ...files], ...options });
    if (system instanceof Errno) throw new Error(`boot: ${system.name}\n${this.platform.lines.join('\n')}`);
    this.system = system;
  }

  /** Runs until the condition holds; throws if everything sleeps for ever before. */
  runUntil(condition: () => boolean, limit = 60_000): void {
    for (let i = 0; !condition(); i++) {
      if (i > limit) throw new Error(`still running\n${this.platform.output}`);
      const { idle, until } = this.system.run(20);
      if (!idle || condition()) continue;
      if (until === undefined) throw new Error(`all sleep\n${this.platform.output}\n${this.platform.lines.join('\n')}`);
      this.platform.skipTo(until);
    }
  }

  /** Runs a program to its end, with the console as its standard streams. */
  run(path: string, argv: readonly string[] = [path], env: readonly string[] = []): Outcome {
    const before = this.platform.output.length;
    let outcome: Outcome | Errno | undefined;
    this.system.spawn({ path, argv, env, stdin: 'null', stdout: 'console', stderr: 'console' }, (spawned) => {
      if (spawned instanceof Errno) {
        outcome = spawned;
        return;
      }
      this.system.wait(spawned.pid, (status) => {
        if (status instanceof Errno) outcome = status;
        else outcome = { pid: spawned.pid, ...status, output: this.platform.output.slice(before) };
      });
    });
    this.runUntil(() => outcome !== undefined);
    if (outcome instanceof Errno) throw new Error(`${path}: ${outcome.name}\n${this.platform.lines.join('\n')}`);
    return outcome!;
  }
}
