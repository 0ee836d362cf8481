import { describe, expect, it } from 'vitest';
import type { Grant } from '../../../ipc/fields.ts';
import { Machine } from '../testing/machine.ts';

const prctl = (machine: Machine, pid: number, option: number, value: bigint | number = 0n, buf: Grant | null = null) =>
  machine.result(pid, 'prctl', { option, buf, arg3: 0n, arg4: 0n, arg5: 0n, value: BigInt(value) });
const text = (value: string): Uint8Array => Uint8Array.from(value, (char) => char.charCodeAt(0));

describe('prctl', () => {
  it('sets and gets the name, cut at 15 bytes, from memory that may end after its NUL', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    const name = machine.grant(16);
    expect(prctl(machine, pid, 15, 1, machine.grant(text('a-very-long-name-indeed')))).toBe(0);
    expect(machine.identities.get(pid)?.name).toBe('a-very-long-nam');
    expect(prctl(machine, pid, 15, 1, machine.grant(text('sh\0')))).toBe(0);
    expect(prctl(machine, pid, 16, 1, name)).toBe(0);
    expect(name.bytes).toEqual(text(`sh${'\0'.repeat(14)}`));
    expect(prctl(machine, pid, 15, 1, machine.grant(text('no end')))).toBe(-14);
    expect(prctl(machine, pid, 15)).toBe(-14);
  });

  it.each([
    ['PR_GET_DUMPABLE', 3, 0, 1],
    ['PR_SET_DUMPABLE 2', 4, 2, -22],
    ['PR_GET_KEEPCAPS', 7, 0, 0],
    ['PR_SET_KEEPCAPS 1', 8, 1, 0],
    ['PR_SET_KEEPCAPS 2', 8, 2, -22],
    ['PR_GET_TIMERSLACK', 30, 0, 50_000],
    ['PR_CAPBSET_READ 40', 23, 40, 1],
    ['PR_CAPBSET_READ 41', 23, 41, -22],
    ['PR_SET_NO_NEW_PRIVS 0', 38, 0, -22],
    ['an option that does not exist', 0x1234, 0, -22],
  ])('%s', (_, option, value, result) => {
    const machine = new Machine();
    expect(prctl(machine, machine.spawn(), option, value)).toBe(result);
  });

  it('PR_SET_KEEPCAPS keeps what is permitted over setuid, until execve', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    prctl(machine, pid, 8, 1);
    machine.result(pid, 'setuid', { uid: 1000 });
    expect(machine.table.getProcess(pid)?.capabilities).toMatchObject({ effective: 0n, permitted: (1n << 41n) - 1n });
    machine.kernel('execCommit', { pid, tid: pid, name: 'x', setuid: -1, setgid: -1, readable: true });
    expect(machine.table.getProcess(pid)?.capabilities.permitted).toBe(0n);
    expect(prctl(machine, pid, 7)).toBe(0);
  });

  it('personality asks and sets', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    expect(machine.result(pid, 'personality', { persona: 0xffff_ffff })).toBe(0);
    expect(machine.result(pid, 'personality', { persona: 0x4_0000 })).toBe(0);
    expect(machine.result(machine.fork(pid), 'personality', { persona: 0xffff_ffff })).toBe(0x4_0000);
    expect(machine.result(pid, 'personality', { persona: 6 })).toBe(-22);
  });
});
