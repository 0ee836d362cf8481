/**
 * Random system calls with hostile arguments, made by a user without privileges: clear errors or a signal to that process,
 * no server that dies, and afterwards the system is as before. `CALLS=100000` makes the full number.
 */
import { expect, test } from 'vitest';
import { Errno } from '../../src/abi/errno.ts';
import { SYSCALL_NAMES } from '../../src/abi/syscall-names.ts';
import { buildElf, smallElf } from '../../src/kernel/testing/small-elf.ts';
import { Rig } from './rig.ts';

const COUNT = Number(process.env['CALLS'] ?? 20_000);
const PER_PROGRAM = 200;

/** Calls that would end the program at once, or double it. */
const LEFT_OUT = new Set(['exit', 'exit_group', 'fork', 'vfork', 'clone', 'rt_sigreturn']);
const NUMBERS = [...SYSCALL_NAMES].filter(([, name]) => !LEFT_OUT.has(name)).map(([number]) => number);

const SCRATCH = 0x50_0000n;
const TABLE = 0x60_0000;

const random = (seed: number) => (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return (seed >>> 8) % limit;
};

const argument = (pick: (limit: number) => number): bigint => {
  switch (pick(12)) {
    case 0:
      return 0n;
    case 1:
      return BigInt(pick(8));
    case 2:
      return BigInt(pick(0x1_0000));
    case 3:
      return 0xffff_ffff_ffff_ffffn - BigInt(pick(200));
    case 4:
      return SCRATCH + BigInt(pick(0x1000));
    case 5:
      return SCRATCH + BigInt(pick(4) * 8);
    case 6:
      // Runs into the unmapped page behind the scratch memory.
      return SCRATCH + 0x2000n - BigInt(pick(40));
    case 7:
      return 1n << BigInt(pick(64));
    case 8:
      return (1n << BigInt(pick(63))) - 1n;
    case 9:
      return 0x7fff_ffff_f000n - BigInt(pick(0x2000));
    case 10:
      return BigInt(TABLE) + BigInt(pick(0x800) * 8);
    default:
      return (BigInt(pick(0x100_0000)) << 40n) | (BigInt(pick(0x100_0000)) << 16n) | BigInt(pick(0x1_0000));
  }
};

const u32 = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >>> 24) & 0xff,
];

/** A program that makes the calls of a table, one after the other. */
const program = (seed: number): Uint8Array => {
  const pick = random(seed);
  const end = TABLE + PER_PROGRAM * 56;
  const code = [
    ...[0xbb, ...u32(TABLE)], // mov ebx, table
    ...[0x48, 0x8b, 0x03], // loop: mov rax, [rbx]
    ...[0x48, 0x8b, 0x7b, 8], // mov rdi, [rbx + 8]
    ...[0x48, 0x8b, 0x73, 16],
    ...[0x48, 0x8b, 0x53, 24],
    ...[0x4c, 0x8b, 0x53, 32], // mov r10, [rbx + 32]
    ...[0x4c, 0x8b, 0x43, 40],
    ...[0x4c, 0x8b, 0x4b, 48],
    ...[0x0f, 0x05],
    ...[0x48, 0x83, 0xc3, 56], // add rbx, 56
    ...[0x48, 0x81, 0xfb, ...u32(end)], // cmp rbx, end
    ...[0x72, 0xd6], // jb loop
    ...[0x31, 0xff, 0xb8, ...u32(60), 0x0f, 0x05], // exit(0)
  ];
  const table = new DataView(new ArrayBuffer(PER_PROGRAM * 56));
  for (let i = 0; i < PER_PROGRAM; i++) {
    table.setBigUint64(i * 56, pick(50) === 0 ? argument(pick) : BigInt(NUMBERS[pick(NUMBERS.length)]), true);
    for (let k = 1; k < 7; k++) table.setBigUint64(i * 56 + k * 8, argument(pick), true);
  }
  const scratch = Array.from({ length: 0x800 }, () => pick(256));
  // Some of it are paths and pointers.
  scratch.splice(0, 16, ...[...'/tmp/x\0/etc/pas\0'].map((c) => c.charCodeAt(0)));
  scratch.splice(0x100, 8, 0, 0, 0x50, 0, 0, 0, 0, 0);
  return buildElf({
    entry: 0x40_1000n,
    segments: [
      { offset: 0x1000n, address: 0x40_1000n, fileSize: 0x100n, memorySize: 0x100n, flags: 5 },
      { offset: 0x2000n, address: SCRATCH, fileSize: 0x800n, memorySize: 0x2000n, flags: 6 },
      { offset: 0x3000n, address: BigInt(TABLE), fileSize: 0x3000n, memorySize: 0x3000n, flags: 6 },
    ],
    content: [
      [0x1000, code],
      [0x2000, scratch],
      [0x3000, [...new Uint8Array(table.buffer)]],
    ],
    size: 0x6000,
  });
};

test(`${COUNT} random system calls`, () => {
  const programs = Math.ceil(COUNT / PER_PROGRAM) * 2;
  const files = Array.from({ length: programs }, (_, seed) => ({
    type: 'file' as const,
    path: `/hostile/${seed}`,
    mode: 0o755,
    data: program(seed + 1),
  }));
  const rig = new Rig([...files, { type: 'file', path: '/good', mode: 0o755, data: smallElf(7) }], {
    memory: 256 << 20,
  });
  const { kernel } = rig.system;
  const made = (): number => Object.values(kernel.dispatch.statistics()).reduce((sum, count) => sum + count, 0);
  expect(rig.run('/good').code).toBe(7);
  const pages = kernel.machine.usedPages;
  const processes = kernel.processes.size;
  const grants = kernel.grants.size;
  let finished = 0;

  for (let seed = 0; seed < programs && made() < COUNT; seed++) {
    let ended = false;
    let pid = 0;
    rig.system.spawn({ path: `/hostile/${seed}`, argv: ['hostile'], uid: 1000, gid: 1000 }, (spawned) => {
      if (spawned instanceof Errno) throw new Error(`spawn: ${spawned}`);
      pid = spawned.pid;
      rig.system.wait(pid, (status) => {
        if (!(status instanceof Errno) && status.signal === undefined) finished++;
        ended = true;
      });
    });
    for (let i = 0; !ended; i++) {
      const { idle } = rig.system.run(5);
      if (!ended && (idle || i > 200)) rig.system.signal(pid, 9);
    }
    const dead = kernel.servers.filter(({ port }) => port.statistics.restarts > 0);
    if (dead.length > 0) throw new Error(`seed ${seed}: ${dead[0].name} died\n${rig.platform.lines.join('\n')}`);
  }

  expect(made()).toBeGreaterThan(COUNT / 3);
  expect(finished).toBeGreaterThan(0);
  expect(rig.run('/good').code).toBe(7);
  expect(kernel.processes.size).toBe(processes);
  expect(kernel.grants.size).toBe(grants);
  expect(kernel.machine.usedPages).toBe(pages);
});
