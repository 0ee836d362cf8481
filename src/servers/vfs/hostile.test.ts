/**
 * Hostile requests: random calls with random arguments must give a reply, an errno or a wait, never an exception (which would
 * kill the server), and once every process has ended nothing may be held.
 */
import { expect, it } from 'vitest';
import { Errno } from '../../abi/errno.ts';
import type { Call, Fields } from '../../ipc/protocol.ts';
import { vfsProtocol } from '../../ipc/protocols/vfs.ts';
import { type Sleeper, VfsMachine } from './testing/machine.ts';

/** A small generator (mulberry32), so that a failure can be repeated. */
const generator = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const PATHS = [
  '/',
  '.',
  '..',
  '',
  '/tmp',
  '/tmp/a',
  '/tmp/b',
  '/tmp/d',
  '/tmp/d/e',
  '/tmp/a/',
  '/tmp/d/../a',
  '/tmp/fifo',
  '/tmp/l',
  '/dev/null',
  '/dev/zero',
  '/dev/tty',
  '/dev/tty1',
  '/dev/full',
  '/dev/ptmx',
  '/dev/pts/0',
  '/dev/pts/1',
  '/proc/self/fd/0',
  '/proc/self/fd/3',
  '/proc/self/exe',
  '/proc/self/stat',
  '/proc/self/fd',
  '/proc/99/stat',
  '/proc/self/cwd/tmp',
  '/proc/mounts',
  '//tmp///a',
  'a',
  'd',
  'x'.repeat(300),
  '/x'.repeat(2500),
];
const NUMBERS = [
  0, 1, 2, 3, 4, 5, 8, 16, 64, 100, 256, 512, 1024, 2048, 4095, 4096, 0o100, 0o1102, 0o2101, 0o200000, -1, -2, -100,
  65536, 0x5401, 0x5402, 0x5413, 0x541b, 0x7fffffff, -0x80000000, 1030,
];
const LARGE = [...NUMBERS, 2 ** 40, 2 ** 52, Number.MAX_SAFE_INTEGER, -(2 ** 40), Number.MIN_SAFE_INTEGER];
/** Calls that only the kernel sends, with arguments that it has made up itself. */
const KERNEL_ONLY = new Set([
  'forkProcess',
  'exitProcess',
  'execProcess',
  'attachStandard',
  'releaseObject',
  'writeObject',
  'readObject',
  'streamRead',
  'streamWrite',
  'streamClose',
  'populate',
  'openExecutable',
  'mapFile',
  'terminalResize',
  'terminalHangup',
  'terminalInput',
  'terminalDrained',
]);

it.each([1, 2, 3])('random calls never kill the server (seed %i)', (seed) => {
  const random = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const machine = new VfsMachine();
  const start = (pid: number, uid: number): void => {
    machine.process(pid, { uid });
    machine.call('attachStandard', 0, { pid, terminal: pid, stdin: 0, stdout: 0, stderr: 2, cwd: '/tmp', umask: 0o22 });
  };
  start(5, 0);
  start(6, 1000);
  machine.call('mknod', 5, { dirfd: -100, path: '/tmp/fifo', mode: 0o010666, device: 0 });
  const calls = (Object.entries(vfsProtocol.calls) as [keyof typeof vfsProtocol.calls, Call<Fields, Fields>][]).filter(
    ([name]) => !KERNEL_ONLY.has(name),
  );
  const value = (kind: string): unknown => {
    if (kind.endsWith('?')) return random() < 0.3 ? undefined : value(kind.slice(0, -1));
    if (kind === 'i32') return pick(NUMBERS) | 0;
    if (kind === 'u32') return pick(NUMBERS) >>> 0;
    if (kind === 'i53') return pick(LARGE);
    if (kind === 'text') return pick(PATHS);
    if (kind === 'bool') return random() < 0.5;
    if (kind === 'bytes') {
      const count = pick([0, 1, 2, 3]);
      const lengths = Array.from({ length: count * 3 }, () => pick([0, 0, 2, 8, 16, 24, 110, 128, 4096]));
      return new Uint8Array(Uint32Array.from([pick([0, 0, 0, 22]), count, ...lengths]).buffer);
    }
    if (kind !== 'grant') throw new Error(kind);
    if (random() < 0.1) return null;
    if (random() < 0.1) return machine.badGrant(pick([0, 1, 8, 4096]));
    const bytes = new Uint8Array(pick([0, 1, 8, 16, 32, 36, 44, 144, 4096, 70_000]));
    for (let i = 0; i < Math.min(bytes.length, 64); i++) if (random() < 0.4) bytes[i] = pick(NUMBERS);
    return machine.grant(bytes);
  };
  let sleepers: Sleeper[] = [];
  for (let i = 0; i < 4000; i++) {
    const [name, call] = pick(calls);
    const request = Object.fromEntries(Object.entries(call.request).map(([key, field]) => [key, value(field.kind)]));
    const pid = pick([5, 6]);
    let sleeper: Sleeper;
    try {
      sleeper = machine.start(name, pid, request as never, 1000 + i);
    } catch (error) {
      throw new Error(`${name} ${JSON.stringify(request)}`, { cause: error });
    }
    if (sleeper.sleeps) sleepers.push(sleeper);
    else if (!(sleeper.outcome instanceof Errno)) expect(sleeper.outcome, name).toBeTypeOf('object');
    if (sleepers.length > 5) {
      for (const one of sleepers) if (one.sleeps) machine.cancel(one);
      sleepers = [];
    }
  }
  for (const one of sleepers) if (one.sleeps) machine.cancel(one);
  for (const pid of [5, 6]) machine.call('exitProcess', 0, { pid });
  for (const table of [
    'vfs:file',
    'vfs:pipe',
    'vfs:opening',
    'vfs:lock',
    'vfs:lock-wait',
    'vfs:process',
    'vfs:pty',
    'vfs:socket',
    'vfs:socket-name',
    'vfs:in-flight',
  ])
    expect(machine.store.table(table).size, table).toBe(0);
  // Directories that are covered by mounts are all that may still be held.
  const mounts = [...machine.store.table('vfs:mount').keys()].length - 4;
  expect(machine.store.table('vfs:held').size).toBeLessThanOrEqual(mounts);
});
