import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeCapabilities } from '../../abi/credentials.ts';
import { Machine } from './testing/machine.ts';

const recorded = readFileSync(new URL('fixtures/ids.txt', import.meta.url), 'latin1')
  .trim()
  .split('\n');

/** A process with these three ids, and for the group calls as an unprivileged user. */
const start = (machine: Machine, group: boolean, ids: readonly number[]): number => {
  const pid = machine.spawn();
  const [r, e, s] = ids;
  if (group) {
    machine.result(pid, 'setresgid', { rgid: r, egid: e, sgid: s });
    machine.result(pid, 'setresuid', { ruid: 7, euid: 7, suid: 7 });
  } else machine.result(pid, 'setresuid', { ruid: r, euid: e, suid: s });
  return pid;
};

const perform = (machine: Machine, pid: number, call: string, [a, b, c]: readonly number[]): number => {
  switch (call) {
    case 'setuid':
      return machine.result(pid, 'setuid', { uid: a });
    case 'setgid':
      return machine.result(pid, 'setgid', { gid: a });
    case 'setfsuid':
      return machine.result(pid, 'setfsuid', { uid: a });
    case 'setfsgid':
      return machine.result(pid, 'setfsgid', { gid: a });
    case 'setreuid':
      return machine.result(pid, 'setreuid', { ruid: a, euid: b });
    case 'setregid':
      return machine.result(pid, 'setregid', { rgid: a, egid: b });
    case 'setresuid':
      return machine.result(pid, 'setresuid', { ruid: a, euid: b, suid: c });
    default:
      return machine.result(pid, 'setresgid', { rgid: a, egid: b, sgid: c });
  }
};

describe('ids', () => {
  it('change as they do on Linux, in every combination', () => {
    const wrong: string[] = [];
    const machine = new Machine();
    for (const line of recorded) {
      const words = line.split(' ');
      const call = words[3];
      const group = call.includes('gid');
      const pid = start(machine, group, words.slice(0, 3).map(Number));
      const args = words.slice(4, 7).map((word) => Number(word) >>> 0);
      const result = perform(machine, pid, call, args);
      const p = machine.table.getProcess(pid)!;
      const ids = group ? [p.gid, p.egid, p.sgid, p.fsgid] : [p.uid, p.euid, p.suid, p.fsuid];
      const capabilities = [p.capabilities.effective, p.capabilities.permitted].map((set) => (set === 0n ? 0 : 1));
      const got = [...words.slice(0, 7), result, ...ids, ...capabilities].join(' ');
      if (got !== line) wrong.push(`${line} but ${got}`);
      const view = machine.identities.get(pid)!;
      const seen = group ? [view.gid, view.egid, view.sgid, view.fsgid] : [view.uid, view.euid, view.suid, view.fsuid];
      if (seen.join() !== ids.join()) wrong.push(`${line}: the kernel knows ${seen}`);
      machine.exit(pid);
      machine.kernel('waitHost', { pid });
    }
    expect(wrong).toEqual([]);
    expect(recorded.length).toBe(3690);
  });

  it('count processes for their real user', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    const before = machine.table.users.get(0)!.processes;
    machine.result(pid, 'setresuid', { ruid: 12, euid: 0, suid: 0 });
    expect(machine.table.users.get(0)?.processes).toBe(before - 1);
    expect(machine.table.users.get(12)?.processes).toBe(1);
  });

  it('getresuid and getresgid tell all three', () => {
    const machine = new Machine();
    const pid = start(machine, false, [1, 2, 3]);
    const [ruid, euid, suid] = [machine.grant(4), machine.grant(4), machine.grant(4)];
    expect(machine.result(pid, 'getresuid', { ruid, euid, suid })).toBe(0);
    expect([ruid, euid, suid].map((grant) => grant.bytes[0])).toEqual([1, 2, 3]);
    expect(machine.result(pid, 'getresuid', { ruid, euid: null, suid })).toBe(-14);
    expect(machine.result(pid, 'getresgid', { rgid: ruid, egid: euid, sgid: suid })).toBe(0);
    expect(machine.result(pid, 'getuid', {})).toBe(1);
    expect(machine.result(pid, 'geteuid', {})).toBe(2);
  });

  it('supplementary groups are root’s to set', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    const list = machine.grant(new Uint8Array(new Uint32Array([30, 10, 20]).buffer));
    expect(machine.result(pid, 'setgroups', { count: 3, list })).toBe(0);
    expect(machine.identities.get(pid)?.groups).toEqual([10, 20, 30]);
    expect(machine.result(pid, 'getgroups', { count: 0, list: null })).toBe(3);
    expect(machine.result(pid, 'getgroups', { count: 2, list })).toBe(-22);
    expect(machine.result(pid, 'getgroups', { count: -1, list })).toBe(-22);
    expect(machine.result(pid, 'getgroups', { count: 3, list })).toBe(3);
    expect([...new Uint32Array(list.bytes.buffer)]).toEqual([10, 20, 30]);
    expect(machine.result(pid, 'setgroups', { count: 65_537, list })).toBe(-22);
    expect(machine.result(pid, 'setgroups', { count: 1, list: null })).toBe(-14);
    machine.result(pid, 'setuid', { uid: 5 });
    expect(machine.result(pid, 'setgroups', { count: 0, list: null })).toBe(-1);
  });

  it('a setuid program takes the ids of its file, and is secure', () => {
    const machine = new Machine();
    const pid = machine.spawn(1000);
    const exec = { pid, tid: pid, name: 'su' };
    expect(machine.kernel('execCommit', { ...exec, setuid: -1, setgid: -1, readable: true })).toEqual({
      secure: false,
    });
    expect(machine.kernel('execCommit', { ...exec, setuid: 0, setgid: 8, readable: true })).toEqual({ secure: true });
    expect(machine.identities.get(pid)).toMatchObject({
      uid: 1000,
      euid: 0,
      suid: 0,
      fsuid: 0,
      gid: 1000,
      egid: 8,
      sgid: 8,
    });
    const header = machine.grant(new Uint8Array(new Uint32Array([0x2008_0522, 0]).buffer));
    const data = machine.grant(24);
    expect(machine.result(pid, 'capget', { header, data })).toBe(0);
    const all = (1n << 41n) - 1n;
    expect(data.bytes).toEqual(encodeCapabilities({ effective: all, permitted: all, inheritable: 0n }, 2));
  });

  it('PR_SET_NO_NEW_PRIVS keeps a setuid program from its ids', () => {
    const machine = new Machine();
    const pid = machine.spawn(1000);
    const prctl = { buf: null, arg3: 0n, arg4: 0n, arg5: 0n, value: 1n };
    expect(machine.result(pid, 'prctl', { ...prctl, option: 38 })).toBe(0);
    expect(machine.result(machine.fork(pid), 'prctl', { ...prctl, option: 39, value: 0n })).toBe(1);
    machine.kernel('execCommit', { pid, tid: pid, name: 'su', setuid: 0, setgid: 0, readable: true });
    expect(machine.identities.get(pid)).toMatchObject({ euid: 1000, egid: 1000 });
  });

  it('capset takes capabilities away, and gives none back', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    const header = machine.grant(new Uint8Array(new Uint32Array([0x2008_0522, 0]).buffer));
    const sets = (effective: bigint, permitted: bigint) =>
      machine.grant(encodeCapabilities({ effective, permitted, inheritable: 0n }, 2));
    expect(machine.result(pid, 'capset', { header, data: sets(1n << 6n, 1n << 6n) })).toBe(0);
    // CAP_SETGID is left, CAP_SETUID is not.
    expect(machine.result(pid, 'setgid', { gid: 9 })).toBe(0);
    expect(machine.result(pid, 'setuid', { uid: 9 })).toBe(-1);
    expect(machine.result(pid, 'capset', { header, data: sets(1n << 7n, 1n << 7n) })).toBe(-1);
    const unknown = machine.grant(new Uint8Array(new Uint32Array([1, 0]).buffer));
    expect(machine.result(pid, 'capget', { header: unknown, data: machine.grant(24) })).toBe(-22);
    expect(new DataView(unknown.bytes.buffer).getUint32(0, true)).toBe(0x2008_0522);
  });
});
