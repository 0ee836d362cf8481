/**
 * Random calls of the mmap family, recorded on Linux (testing/fixtures/mman.json) and repeated here: same results, same
 * bytes, same faults. RECORD=1 records afresh: it compiles testing/fixtures/record.c and keeps histories that do not hang on how
 * Linux happens to merge its regions.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Errno } from '../../abi/errno.ts';
import { Harness } from './testing/harness.ts';

type Op = [kind: string, a: number, b: number, c: number, d: number, e: number];
interface History {
  readonly ops: Op[];
  readonly results: number[];
}

const FIXTURES = join(import.meta.dirname, 'testing/fixtures');
const BASE = 0x7100_5000_0000;
const PAGE = 4096;
const FAULTS: Record<string, number> = { maperr: -1, accerr: -2, bus: -3 };
const HISTORIES = 60;

/** Result of one operation here, in the recorder's terms. */
const perform = (h: Harness, [kind, a, b, c, d, e]: Op): number => {
  const addr = BASE + a;
  const result = (outcome: unknown): number => {
    if (outcome instanceof Errno) return -outcome.number;
    const { result: value } = outcome as { result: number };
    return Math.abs(value - BASE) < 0x1000_0000 ? value - BASE : value;
  };
  switch (kind) {
    case 'm': {
      const more = { object: -1, size: 0, offset: e, name: '' };
      return result(h.call('mmap', 5, { addr, length: b, protection: c, flags: d, ...more }));
    }
    case 'u':
      return result(h.call('munmap', 5, { addr, length: b }));
    case 'p':
      return result(h.call('mprotect', 5, { addr, length: b, protection: c }));
    case 'r':
      return result(h.call('mremap', 5, { oldAddr: addr, oldLength: b, newLength: c, flags: d, newAddr: BASE + e }));
    case 'a':
      return result(h.call('madvise', 5, { addr, length: b, advice: c }));
    case 's':
      return result(h.call('msync', 5, { addr, length: b, flags: c }));
    case 'l':
      return result(h.call('mlock', 5, { addr, length: b, flags: 0 }));
    case 'n':
      return result(h.call('munlock', 5, { addr, length: b }));
    case 'c': {
      const vec = h.grant(64);
      const value = result(h.call('mincore', 5, { addr, length: b, vec }));
      if (value !== 0) return value;
      return h.grants.get(vec.id)!.reduce((bits, byte, i) => (i < b / PAGE ? bits | ((byte & 1) << i) : bits), 0);
    }
    case 'w': {
      const fault = h.poke(5, addr, b);
      return fault === undefined ? 0 : FAULTS[fault];
    }
    default: {
      const byte = h.peek(5, addr);
      return typeof byte === 'number' ? byte : FAULTS[byte];
    }
  }
};

/** Where a history first differs from Linux, or −1. */
const firstDifference = ({ ops, results }: History): number => {
  const h = new Harness();
  h.start(5, 0);
  return ops.findIndex((op, i) => perform(h, op) !== results[i]);
};

const invent = (seed: number): Op[] => {
  const random = (limit: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(((seed >>> 8) / 0x100_0000) * limit);
  };
  const locks = random(3) === 0;
  const addr = (): number => random(16) * PAGE + (random(25) === 0 ? 5 : 0);
  const length = (): number =>
    random(15) === 0 ? random(3) * 100 : PAGE * (1 + random(6)) - (random(4) === 0 ? 7 : 0);
  const prot = (): number => [0, 1, 3, 3, 3, 7, 2, 5][random(8)];
  const mapFlags = (): number => [0x32, 0x32, 0x31, 0x10_0022, 0x10_0021, 0x33, 0x30, 0x2_0032][random(8)];
  const offset = (): number => (random(20) === 0 ? PAGE : random(30) === 0 ? 7 : 0);
  return Array.from({ length: 100 }, (): Op => {
    switch (random(13)) {
      case 0:
      case 1:
      case 2:
        return ['m', addr(), length(), prot(), mapFlags(), offset()];
      case 3:
        return ['u', addr(), length(), 0, 0, 0];
      case 4:
        return ['p', addr(), length(), random(20) === 0 ? 0x40 : prot(), 0, 0];
      case 5:
        return ['r', addr(), length(), length(), [0, 0, 3, 3, 7, 2, 8, 4][random(8)], addr()];
      case 6:
        return ['a', addr(), length(), [0, 4, 4, 4, 8, 2, 3, 10, 11, 18, 19, 77][random(12)], 0, 0];
      case 7:
        return ['s', addr(), length(), random(9), 0, 0];
      case 8:
        // A lock brings pages in, at which Linux may fetch neighbours: residency is told only without.
        return locks ? [random(2) === 0 ? 'l' : 'n', addr(), length(), 0, 0, 0] : ['c', addr(), length(), 0, 0, 0];
      case 9:
      case 10:
        return ['w', random(16) * PAGE + random(PAGE), 1 + random(255), 0, 0, 0];
      default:
        return ['d', random(16) * PAGE + random(PAGE), 0, 0, 0, 0];
    }
  });
};

const record = (): History[] => {
  const program = join(mkdtempSync(join(tmpdir(), 'mman-')), 'record');
  execFileSync('gcc', ['-O1', '-o', program, join(FIXTURES, 'record.c')]);
  const kept: History[] = [];
  for (let seed = 1; kept.length < HISTORIES; seed++) {
    const ops = invent(seed * 77773);
    const input = ops.map((op) => `${op.join(' ')}\n`).join('');
    const results = execFileSync(program, { input, encoding: 'utf8' }).trim().split('\n').map(Number);
    // mremap of a range that several regions make up depends on merging, and on the version.
    const end = ops.findIndex(([kind, , , , flags], i) => kind === 'r' && (results[i] === -14 || flags === 7));
    const length = end < 0 ? ops.length : end;
    if (length > 0) kept.push({ ops: ops.slice(0, length), results: results.slice(0, length) });
  }
  return kept.filter(({ ops }) => ops.length > 10);
};

it('does what Linux did', () => {
  const file = join(FIXTURES, 'mman.json');
  if (process.env['RECORD'] === '1') writeFileSync(file, `${JSON.stringify(record())}\n`);
  const histories = JSON.parse(readFileSync(file, 'utf8')) as History[];
  expect(histories.length).toBeGreaterThan(10);
  for (const [index, history] of histories.entries()) {
    const at = firstDifference(history);
    const what = at < 0 ? '' : `${history.ops[at]} gave ${history.results[at]} on Linux`;
    expect(at, `history ${index}: ${what}`).toBe(-1);
  }
});
