/**
 * Damaged programs: whatever stands in a file, starting it ends in an error or in a process that lives and dies like any
 * other, and afterwards the system has as many processes and pages in use as before. `HOSTILE=10000` runs the full number.
 */
import { expect, test } from 'vitest';
import { Errno } from '../../src/abi/errno.ts';
import { smallElf } from '../../src/kernel/testing/small-elf.ts';
import { Rig } from './rig.ts';

const COUNT = Number(process.env['HOSTILE'] ?? 1500);
const INTERESTING = [
  0n,
  1n,
  0xfffn,
  0x1000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_f000n,
  0x7fff_ffff_ffffn,
  0x8000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_f000n,
  0xffff_ffff_ffff_ffffn,
];

const random = (seed: number) => (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return (seed >>> 8) % limit;
};

/** Changes one to four places of the headers, cuts the file, or scrambles its code. */
const mutate = (seed: number): Uint8Array => {
  const pick = random(seed);
  let file = smallElf();
  const view = new DataView(file.buffer);
  for (let n = 1 + pick(4); n > 0; n--) {
    switch (pick(6)) {
      case 0:
        file[pick(64 + 112)] = pick(256);
        break;
      case 1:
        view.setBigUint64(pick(21) * 8, INTERESTING[pick(INTERESTING.length)], true);
        break;
      case 2:
        view.setBigUint64(64 + pick(2) * 56 + (1 + pick(6)) * 8, INTERESTING[pick(INTERESTING.length)], true);
        break;
      case 3:
        view.setUint16(16 + pick(24) * 2, pick(0x1_0000), true);
        break;
      case 4:
        file[0x100 + pick(12)] = pick(256);
        break;
      default:
        view.setBigUint64(64 + pick(2) * 56 + (1 + pick(6)) * 8, BigInt(pick(0x1_0000)) * 0x40n, true);
    }
  }
  if (pick(10) === 0) file = file.slice(0, pick(file.length));
  return file;
};

test(`${COUNT} damaged programs`, () => {
  const files = Array.from({ length: COUNT }, (_, seed) => ({
    type: 'file' as const,
    path: `/hostile/${seed}`,
    mode: 0o755,
    data: mutate(seed + 1),
  }));
  const rig = new Rig([...files, { type: 'file', path: '/good', mode: 0o755, data: smallElf(7) }], {
    memory: 256 << 20,
  });
  const { kernel } = rig.system;
  expect(rig.run('/good').code).toBe(7);
  const pages = kernel.machine.usedPages;
  const processes = kernel.processes.size;
  const grants = kernel.grants.size;
  const outcomes = { error: 0, exited: 0, killed: 0 };

  for (let seed = 0; seed < COUNT; seed++) {
    let ended = false;
    rig.system.spawn({ path: `/hostile/${seed}`, argv: ['hostile'] }, (spawned) => {
      if (spawned instanceof Errno) {
        outcomes.error++;
        ended = true;
        return;
      }
      rig.system.wait(spawned.pid, (status) => {
        if (status instanceof Errno) throw new Error(`wait: ${status}`);
        if (status.signal === undefined) outcomes.exited++;
        else outcomes.killed++;
        ended = true;
      });
      // One that runs for ever is ended from outside.
      for (let i = 0; i < 20 && !ended; i++) rig.system.run(0.5);
      if (!ended) rig.system.signal(spawned.pid, 9);
    });
    rig.runUntil(() => ended);
  }

  expect(rig.run('/good').code).toBe(7);
  expect(kernel.processes.size).toBe(processes);
  expect(kernel.machine.usedPages).toBe(pages);
  expect(kernel.grants.size).toBe(grants);
  for (const { port } of kernel.servers) expect(port.statistics.restarts, port.name).toBe(0);
  // The mutations are worth something: some are refused, some run, some are killed.
  expect(Math.min(outcomes.error, outcomes.exited, outcomes.killed), JSON.stringify(outcomes)).toBeGreaterThan(
    COUNT / 50,
  );
});
