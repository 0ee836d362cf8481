import { describe, expect, it } from 'vitest';
import { Machine } from '../testing/machine.ts';

const limit = (machine: Machine, soft: bigint, hard: bigint) =>
  machine.grant(new Uint8Array(new BigUint64Array([soft, hard]).buffer));
const INFINITY = 0xffff_ffff_ffff_ffffn;
const NOFILE = 7;

describe('limits', () => {
  it('are told and set, inherited, and known to the kernel', () => {
    const machine = new Machine();
    const pid = machine.spawn(1000);
    const old = machine.grant(16);
    const set = { pid: 0, resource: NOFILE, limit: limit(machine, 64n, 100n), old, needed: 0 };
    expect(machine.result(pid, 'prlimit', set)).toBe(0);
    expect([...new BigUint64Array(old.bytes.buffer)]).toEqual([1024n, 4096n]);
    expect(machine.identities.get(pid)?.limits[NOFILE]).toEqual([64, 100]);
    const child = machine.fork(pid);
    expect(machine.identities.get(child)?.limits[NOFILE]).toEqual([64, 100]);
    expect(machine.result(child, 'prlimit', { ...set, resource: 9, limit: null })).toBe(0);
    expect([...new BigUint64Array(old.bytes.buffer)]).toEqual([INFINITY, INFINITY]);
  });

  it.each([
    ['a soft limit over the hard one', 0, NOFILE, 65n, 64n, -22],
    ['no such resource', 0, 16, 1n, 1n, -22],
    ['more descriptors than there can be', 0, NOFILE, 1n, 1_048_577n, -1],
    ['a higher hard limit, by root', 0, NOFILE, 1n, 5000n, 0],
    ['a higher hard limit, by a user', 1000, NOFILE, 1n, 5000n, -1],
    ['a lower hard limit, by a user', 1000, NOFILE, 1n, 10n, 0],
  ])('%s', (_, uid, resource, soft, hard, result) => {
    const machine = new Machine();
    const pid = machine.spawn(uid);
    const request = { pid: 0, resource, limit: limit(machine, soft, hard), old: null, needed: 1 };
    expect(machine.result(pid, 'prlimit', request)).toBe(result);
  });

  it('of another process belong to its user and to root', () => {
    const machine = new Machine();
    const [a, b, root] = [machine.spawn(1000), machine.spawn(1001), machine.spawn()];
    const request = { pid: b, resource: NOFILE, limit: null, old: machine.grant(16), needed: 2 };
    expect(machine.result(a, 'prlimit', request)).toBe(-1);
    expect(machine.result(root, 'prlimit', request)).toBe(0);
    expect(machine.result(b, 'prlimit', request)).toBe(0);
    expect(machine.result(b, 'prlimit', { ...request, pid: 99 })).toBe(-3);
    expect(machine.result(b, 'prlimit', { ...request, old: null })).toBe(-14);
  });
});

describe('priorities', () => {
  it('getpriority answers 20 − nice of the best, setpriority clamps', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    const child = machine.fork(pid);
    expect(machine.result(pid, 'setpriority', { which: 0, who: child, nice: 99 })).toBe(0);
    expect(machine.calls).toContain(`setPriority(${child}, ${child}, 19)`);
    expect(machine.result(pid, 'getpriority', { which: 0, who: child })).toBe(1);
    expect(machine.result(pid, 'getpriority', { which: 1, who: 0 })).toBe(20);
    expect(machine.result(pid, 'setpriority', { which: 1, who: pid, nice: -99 })).toBe(0);
    expect(machine.result(pid, 'getpriority', { which: 2, who: 0 })).toBe(40);
    expect(machine.identities.get(child)?.nice).toBe(-20);
  });

  it.each([
    ['a kind that does not exist', 3, 0, 0, -22],
    ['no process', 0, 99, 0, -3],
    ['no group', 1, 99, 0, -3],
    ['nicer, its own', 0, 0, 5, 0],
    ['less nice, its own', 0, 0, -1, -13],
    ['another user’s', 0, 6, 5, -1],
  ])('setpriority by a user: %s', (_, which, who, nice, result) => {
    const machine = new Machine();
    const pid = machine.spawn(1000);
    machine.spawn(0);
    expect(machine.result(pid, 'setpriority', { which, who, nice })).toBe(result);
  });
});
