import { describe, expect, it } from 'vitest';
import { EAGAIN } from '../../abi/errno.ts';
import { CLONE_FLAGS } from '../../abi/syscalls/kernel.ts';
import { PID_MAX } from './process-table.ts';
import { Machine } from './testing/machine.ts';

describe('process table', () => {
  it('test_fork_creates_child', () => {
    const machine = new Machine();
    const parent = machine.spawn(1000);
    const child = machine.fork(parent);
    expect([parent, child]).toEqual([5, 6]);
    expect(machine.table.getProcess(parent)?.children).toEqual([6]);
    expect(machine.table.getProcess(child)).toMatchObject({
      pid: 6,
      ppid: 5,
      pgid: 5,
      sid: 5,
      state: 'RUNNING',
      uid: 1000,
    });
    expect(machine.identities.get(child)).toMatchObject({ ppid: 5, pgid: 5, uid: 1000, state: 'R' });
    expect(machine.calls).toContain('createProcess(6)');
  });

  it('boots with init as 1 and the servers as 2 to 4', () => {
    const machine = new Machine();
    expect([...machine.table.processes.keys()].sort()).toEqual([1, 2, 3, 4]);
    expect(machine.table.getProcess(3)).toMatchObject({ ppid: 0, uid: 0, name: 'process' });
    expect(machine.calls).toEqual(['createProcess(1)']);
  });

  it('hands out PIDs in order, wraps at pid_max and skips those in use as PID, group or session', () => {
    const machine = new Machine();
    const shell = machine.spawn();
    const leader = machine.fork(shell);
    machine.result(leader, 'setsid', {});
    const member = machine.fork(leader);
    machine.exit(leader);
    machine.result(shell, 'wait4', { pid: leader, status: null, options: 0, usage: null });
    expect(machine.table.getProcess(leader)).toBeUndefined();
    expect(machine.table.getProcess(member)?.pgid).toBe(leader);
    const last = machine.store.table<string, { value: number }>('process.system').get('pid') as { value: number };
    expect(last.value).toBe(member);
    last.value = PID_MAX - 2;
    expect(machine.fork(shell)).toBe(PID_MAX - 1);
    expect(machine.fork(shell)).toBe(member + 1);
  });

  it('does not give a PID away that a group still bears', () => {
    const machine = new Machine();
    const shell = machine.spawn();
    const leader = machine.fork(shell);
    machine.result(leader, 'setpgid', { pid: 0, pgid: 0 });
    machine.fork(leader);
    machine.exit(leader);
    machine.result(shell, 'wait4', { pid: leader, status: null, options: 0, usage: null });
    const last = machine.store.table<string, { value: number }>('process.system').get('pid') as { value: number };
    last.value = leader - 1;
    expect(machine.fork(shell)).toBe(leader + 2);
  });

  it('refuses more processes than RLIMIT_NPROC to a user, but not to root', () => {
    const machine = new Machine();
    const user = machine.spawn(1000);
    const limit = machine.grant(new Uint8Array(new BigUint64Array([2n, 2n]).buffer));
    expect(machine.result(user, 'prlimit', { pid: 0, resource: 6, limit, old: null, needed: 1 })).toBe(0);
    const child = machine.fork(user);
    expect(machine.kernel('fork', { parent: user, tid: user, flags: 0n, exitSignal: 17 })).toBe(EAGAIN);
    machine.exit(child);
    // A zombie counts until it is reaped.
    expect(machine.kernel('fork', { parent: user, tid: user, flags: 0n, exitSignal: 17 })).toBe(EAGAIN);
    machine.result(user, 'wait4', { pid: -1, status: null, options: 0, usage: null });
    expect(machine.fork(user)).toBe(child + 1);
    const root = machine.spawn(0);
    machine.result(root, 'prlimit', { pid: 0, resource: 6, limit, old: null, needed: 1 });
    for (let n = 0; n < 5; n++) machine.fork(root);
  });

  it('undoes a fork that the kernel or another server refuses', () => {
    const machine = new Machine();
    const parent = machine.spawn();
    machine.refusal = EAGAIN;
    expect(machine.kernel('fork', { parent, tid: parent, flags: 0n, exitSignal: 17 })).toBe(EAGAIN);
    expect(machine.table.getProcess(parent)?.children).toEqual([]);
    machine.refusal = undefined;
    const child = machine.fork(parent);
    machine.kernel('forkFailed', { child });
    expect(machine.table.getProcess(parent)?.children).toEqual([]);
    expect(machine.state(child)).toBeUndefined();
    expect(machine.frames).toEqual([]);
    expect(machine.calls.slice(-2)).toEqual([`destroyProcess(${child})`, `forgetProcess(${child})`]);
  });

  it('makes a sibling with CLONE_PARENT', () => {
    const machine = new Machine();
    const parent = machine.spawn();
    const child = machine.fork(parent);
    const sibling = machine.fork(child, BigInt(CLONE_FLAGS.CLONE_PARENT));
    expect(machine.table.getProcess(sibling)?.ppid).toBe(parent);
  });
});
