/**
 * Programs that the host starts: process.spawn ─► vfs.attachStandard ─► exec ─► the process runs. They are children of init,
 * each in a session of its own; the first is PID 5.
 */
import { Errno } from '../abi/errno.ts';
import { exec } from './exec/exec.ts';
import { ask, type Flow, runFlow } from './flow.ts';
import type { Kernel } from './kernel.ts';

export type Standard = 'console' | 'stream' | 'null';
const STANDARD = { console: 0, stream: 1, null: 2 } as const;

export interface SpawnOptions {
  /** Paths, arguments and environment are byte strings: one char a byte. */
  readonly path: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly umask?: number;
  readonly stdin?: Standard;
  readonly stdout?: Standard;
  readonly stderr?: Standard;
  /** Which console, where a standard descriptor is one. */
  readonly terminal?: number;
}

export interface Spawned {
  readonly pid: number;
  /** Numbers for vfs.streamRead, streamWrite and streamClose; 0 where the descriptor is no stream. */
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** 32-bit group ids. */
const encodeGroups = (groups: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(groups).buffer);

export const spawn = (kernel: Kernel, options: SpawnOptions, then: (spawned: Spawned | Errno) => void): void =>
  runFlow(spawnFlow(kernel, options), then);

function* spawnFlow(kernel: Kernel, options: SpawnOptions): Flow<Spawned | Errno> {
  const { path, argv, env = [], cwd = '/', uid = 0, gid = 0, groups = [], umask = 0o022, terminal = 0 } = options;
  const made = yield* ask<{ child: number }>(kernel, kernel.pm, 'spawn', {
    uid,
    gid,
    groups: encodeGroups(groups),
    name: path.slice(path.lastIndexOf('/') + 1).slice(0, 15),
  });
  if (made instanceof Errno) return made;
  const pid = made.child;
  const attached = yield* ask<{ stdin: number; stdout: number; stderr: number }>(kernel, kernel.vfs, 'attachStandard', {
    pid,
    terminal,
    stdin: STANDARD[options.stdin ?? 'null'],
    stdout: STANDARD[options.stdout ?? 'null'],
    stderr: STANDARD[options.stderr ?? 'null'],
    cwd,
    umask,
  });
  const process = kernel.processes.get(pid);
  if (process === undefined) throw new Error(`process ${pid} was spawned without a record`);
  const thread = process.mainThread;
  const failure =
    attached instanceof Errno
      ? attached
      : yield* exec(kernel, process, thread, { dirfd: -100, path, argv, envp: env, flags: 0 });
  if (failure !== undefined || attached instanceof Errno) {
    if (!(attached instanceof Errno))
      for (const stream of [attached.stdin, attached.stdout, attached.stderr])
        if (stream !== 0) yield* ask(kernel, kernel.vfs, 'streamClose', { stream });
    yield* ask(kernel, kernel.vfs, 'exitProcess', { pid });
    yield* ask(kernel, kernel.mm, 'exit', { pid });
    yield* ask(kernel, kernel.pm, 'forkFailed', { child: pid });
    return failure!;
  }
  kernel.wake(thread);
  return { pid, ...attached };
}
