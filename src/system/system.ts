/**
 * A whole system: the kernel, the three servers and a root file system, on any platform. The host drives it: it calls
 * `run` until that says idle, waits, and tells it what was typed or written. Nothing here waits by itself.
 *
 * Paths, arguments and names are byte strings, one char a byte, as everywhere below the host.
 */
import { Errno } from '../abi/errno.ts';
import { encodeRlimit, RLIMIT_CPU } from '../abi/resource.ts';
import type { HostDirectory } from '../fs/host/directory.ts';
import { encodePopulate, type PopulateEntry } from '../fs/populate.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { KernelOptions } from '../kernel/options.ts';
import type { Platform } from '../kernel/platform.ts';
import type { RunResult } from '../kernel/run.ts';
import type { Spawned, SpawnOptions } from '../kernel/spawn.ts';
import { memoryServer } from '../servers/memory/index.ts';
import { processServer } from '../servers/process/index.ts';
import { vfsServerWith } from '../servers/vfs/index.ts';
import type { RootOptions } from '../servers/vfs/state.ts';

export interface SystemMount {
  /** Where it appears in the guest; missing folders are made. */
  readonly guest: string;
  readonly directory: HostDirectory;
}

export interface SystemOptions extends Omit<KernelOptions, 'servers'> {
  /** What is below the files of `root`; an empty file system in memory if nothing is said. */
  readonly base?: RootOptions;
  readonly root: readonly PopulateEntry[];
  readonly mounts?: readonly SystemMount[];
}

/** How a process ended, as wait4 reports it. */
export interface ExitStatus {
  /** Exit code, or 128 + the signal. */
  readonly code: number;
  readonly signal: number | undefined;
}

/** Takes a wait status word apart. */
export const exitStatus = (status: number): ExitStatus => {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: undefined } : { code: 128 + signal, signal };
};

export type Then<T> = (outcome: T | Errno) => void;

const MS_RDONLY = 1;
/** PID 1 as a caller: what the host does on behalf of root. */
export const INIT = Object.freeze({ pid: 1, tid: 1 });

export class System {
  readonly kernel: Kernel;

  private constructor(platform: Platform, options: SystemOptions) {
    const { mounts = [], base } = options;
    this.kernel = new Kernel(platform, {
      ...options,
      servers: {
        vfs: vfsServerWith({ hostDirectory: (source) => mounts[Number(source)]?.directory, root: base }),
        process: processServer,
        memory: memoryServer,
      },
    });
  }

  /** Boots: servers, root, mounts, init. Everything runs through at once; returns the system or why it did not boot. */
  static boot(platform: Platform, options: SystemOptions): System | Errno {
    const system = new System(platform, options);
    const failed = system.#populate(options.root) ?? system.#mountAll(options.mounts ?? []);
    if (failed !== undefined) return failed;
    let outcome: Errno | undefined | 'pending' = 'pending';
    system.kernel.boot((failure) => {
      outcome = failure;
    });
    if (outcome === 'pending') throw new Error('booting waits for something');
    return (outcome as Errno | undefined) ?? system;
  }

  /** Executes guest threads for about `milliseconds`, or until all sleep. */
  run(milliseconds: number): RunResult {
    return this.kernel.run(milliseconds);
  }

  /** Starts a program, a child of init; the first gets PID 5. */
  spawn(options: SpawnOptions, then: Then<Spawned>): void {
    this.kernel.spawn(options, then);
  }

  /** Calls back when a spawned process has ended; it is reaped by that. */
  wait(pid: number, then: Then<ExitStatus>): void {
    this.kernel.hostRequest('process', 'waitHost', { pid }, (outcome) =>
      then(outcome instanceof Errno ? outcome : exitStatus((outcome as { status: number }).status)),
    );
  }

  /** Sends a signal to a process or, with a negative number, to a process group. */
  signal(target: number, signal: number): Errno | undefined {
    let failure: Errno | undefined;
    this.kernel.hostRequest('process', 'killHost', { target, signal }, (outcome) => {
      if (outcome instanceof Errno) failure = outcome;
    });
    return failure;
  }

  /** Sets RLIMIT_CPU: SIGXCPU, which kills by default, after this many seconds of CPU time. */
  limitCpuTime(pid: number, seconds: number): Errno | undefined {
    const whole = Math.max(1, Math.ceil(seconds));
    const limit = this.kernel.grantBytes('process', encodeRlimit([whole, whole + 1]), 'in');
    let failure: Errno | undefined;
    const values = { pid, resource: RLIMIT_CPU, limit, old: null, needed: 0 };
    this.kernel.request(
      this.kernel.pm,
      'prlimit',
      values,
      (outcome) => {
        if (outcome instanceof Errno) failure = outcome;
      },
      INIT,
    );
    this.kernel.drain();
    return failure;
  }

  /** Bytes typed at a console. */
  input(terminal: number, data: Uint8Array): void {
    // A message carries 64 KiB.
    for (let at = 0; at < data.length; at += 4096)
      this.kernel.hostRequest('vfs', 'terminalInput', { terminal, data: data.subarray(at, at + 4096) }, () => {});
  }

  resize(terminal: number, rows: number, columns: number): void {
    this.kernel.hostRequest('vfs', 'terminalResize', { terminal, rows, columns }, () => {});
  }

  /** The other end of a console is gone: SIGHUP to its session. */
  hangup(terminal: number): void {
    this.kernel.hostRequest('vfs', 'terminalHangup', { terminal }, () => {});
  }

  /** The console takes output again after it refused some. */
  drained(terminal: number): void {
    this.kernel.hostRequest('vfs', 'terminalDrained', { terminal }, () => {});
  }

  /** Reads what a process wrote to a stream; empty at its end. Calls back when there is something. */
  readStream(stream: number, max: number, then: Then<Uint8Array>): void {
    this.kernel.hostRequest('vfs', 'streamRead', { stream, max }, (outcome) =>
      then(outcome instanceof Errno ? outcome : (outcome as { data: Uint8Array }).data),
    );
  }

  /** Writes to a stream that a process reads; calls back with the number of bytes taken, once there was room for some. */
  writeStream(stream: number, data: Uint8Array, end: boolean, then: Then<number>): void {
    this.kernel.hostRequest('vfs', 'streamWrite', { stream, data, end }, (outcome) =>
      then(outcome instanceof Errno ? outcome : (outcome as { result: number }).result),
    );
  }

  closeStream(stream: number): void {
    this.kernel.hostRequest('vfs', 'streamClose', { stream }, () => {});
  }

  #populate(root: readonly PopulateEntry[]): Errno | undefined {
    const { kernel } = this;
    const { entries, data } = encodePopulate(root);
    const values = {
      entries: kernel.grantBytes('vfs', entries, 'in'),
      data: kernel.grantBytes('vfs', data, 'in'),
    };
    return this.#now('populate', values);
  }

  #mountAll(mounts: readonly SystemMount[]): Errno | undefined {
    for (const [index, { guest, directory }] of mounts.entries()) {
      const failed =
        this.#populate([{ type: 'directory', path: guest, mode: 0o755 }]) ??
        this.#now('mount', {
          source: String(index),
          target: guest,
          type: 'host',
          flags: directory.readOnly ? MS_RDONLY : 0,
          data: undefined,
        });
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  #now(call: string, values: Readonly<Record<string, unknown>>): Errno | undefined {
    let failure: Errno | undefined;
    this.kernel.hostRequest('vfs', call, values, (outcome) => {
      if (outcome instanceof Errno) failure = outcome;
    });
    return failure;
  }
}
