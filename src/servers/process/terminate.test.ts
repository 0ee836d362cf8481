import { describe, expect, it } from 'vitest';
import { SIGCHLD, SIGCONT, SIGHUP, SIGSTOP, SIGTSTP, SIGUSR1, SIGUSR2 } from '../../abi/signals.ts';
import { Machine, Sleeper } from './testing/machine.ts';
import { catchSignal } from './testing/signals.ts';

const family = () => {
  const machine = new Machine();
  const shell = machine.spawn();
  const parent = machine.fork(shell);
  const children = [machine.fork(parent), machine.fork(parent)];
  return { machine, shell, parent, children };
};

describe('the end of a process', () => {
  it('test_orphan_reparenting', () => {
    const { machine, parent, children } = family();
    machine.exit(parent);
    for (const child of children) {
      expect(machine.table.getProcess(child)?.ppid).toBe(1);
      expect(machine.identities.get(child)?.ppid).toBe(1);
      expect(machine.result(child, 'getppid', {})).toBe(1);
    }
    expect(machine.table.getProcess(1)?.children).toEqual(expect.arrayContaining(children));
    expect(machine.table.getProcess(parent)?.children).toEqual([]);
  });

  it('gives orphans to the nearest subreaper, who gets their SIGCHLD', () => {
    const { machine, shell, parent, children } = family();
    const prctl = { option: 36, buf: null, arg3: 0n, arg4: 0n, arg5: 0n, value: 1n };
    expect(machine.result(shell, 'prctl', prctl)).toBe(0);
    catchSignal(machine, shell, SIGCHLD);
    machine.exit(parent);
    expect(machine.table.getProcess(children[0])?.ppid).toBe(shell);
    machine.exit(children[0], 9);
    expect(machine.result(shell, 'wait4', { pid: children[0], status: null, options: 0, usage: null })).toBe(
      children[0],
    );
    // The first frame is for the parent, the second for the orphan; while a handler runs, SIGCHLD is blocked.
    expect(machine.frames.map(({ pid, frame }) => [pid, frame.signal])).toEqual([[shell, SIGCHLD]]);
  });

  it('has init reap orphans that had ended before', () => {
    const { machine, parent, children } = family();
    const asleep = machine.call(1, 'wait4', { pid: -1, status: null, options: 0, usage: null });
    // With nothing but processes of the host, init has no children to wait for.
    expect(asleep).not.toBeInstanceOf(Sleeper);
    machine.exit(children[0], 4);
    machine.exit(parent);
    expect(machine.result(1, 'wait4', { pid: -1, status: null, options: 0, usage: null })).toBe(children[0]);
  });

  it('sends the signal of PR_SET_PDEATHSIG', () => {
    const { machine, parent, children } = family();
    const prctl = { option: 1, buf: null, arg3: 0n, arg4: 0n, arg5: 0n };
    machine.result(children[0], 'prctl', { ...prctl, value: BigInt(SIGUSR2) });
    expect(machine.result(children[1], 'prctl', { ...prctl, value: 65n })).toBe(-22);
    machine.exit(parent);
    expect(machine.state(children[0])).toBe('ZOMBIE');
    expect(machine.table.getProcess(children[0])?.exitCode).toBe(SIGUSR2);
    expect(machine.state(children[1])).toBe('RUNNING');
  });

  it('sends SIGHUP and SIGCONT to the stopped members of a group that it orphans', () => {
    const { machine, parent, children } = family();
    const [job, other] = children;
    machine.result(job, 'setpgid', { pid: 0, pgid: 0 });
    machine.result(other, 'setpgid', { pid: 0, pgid: job });
    catchSignal(machine, job, SIGHUP);
    catchSignal(machine, other, SIGHUP);
    catchSignal(machine, other, SIGCONT);
    machine.result(parent, 'kill', { pid: job, signal: SIGTSTP });
    expect(machine.state(job)).toBe('STOPPED');
    machine.exit(parent);
    expect(machine.state(job)).toBe('RUNNING');
    const seen = machine.frames.map(({ pid, frame }) => [pid, frame.signal]);
    expect(seen).toEqual(
      expect.arrayContaining([
        [job, SIGHUP],
        [other, SIGHUP],
        [other, SIGCONT],
      ]),
    );
  });

  it('leaves a group alone that still has a tie to its session, or no stopped member', () => {
    const { machine, parent, children } = family();
    const [job, other] = children;
    machine.result(job, 'setpgid', { pid: 0, pgid: 0 });
    catchSignal(machine, job, SIGHUP);
    machine.exit(parent);
    expect(machine.frames).toEqual([]);
    machine.result(other, 'kill', { pid: job, signal: SIGTSTP });
    // Orphaned by now: a terminal stop signal does not stop it, SIGSTOP does.
    expect(machine.state(job)).toBe('RUNNING');
    machine.result(other, 'kill', { pid: job, signal: SIGSTOP });
    expect(machine.state(job)).toBe('STOPPED');
  });

  it('lets a process with another exit signal end with that', () => {
    const machine = new Machine();
    const parent = machine.spawn();
    catchSignal(machine, parent, SIGUSR1);
    const clone = machine.fork(parent, 0n, SIGUSR1);
    machine.exit(clone);
    expect(machine.frames.map(({ frame }) => frame.signal)).toEqual([SIGUSR1]);
    const options = { pid: -1, status: null, usage: null };
    expect(machine.result(parent, 'wait4', { ...options, options: 0 })).toBe(-10);
    expect(machine.result(parent, 'wait4', { ...options, options: 0x4000_0000 })).toBe(clone);
  });

  it('tells a group of stopped processes whose last tie was the one that ends', () => {
    const { machine, shell, parent, children } = family();
    const [leader, member] = children;
    // The leader's parent is in another group of the session; the member is a child of the leader's own group.
    machine.result(leader, 'setpgid', { pid: 0, pgid: 0 });
    const stopped = machine.fork(leader);
    catchSignal(machine, stopped, SIGHUP);
    machine.kernel('killHost', { target: stopped, signal: SIGSTOP });
    machine.exit(member);
    expect(machine.frames).toEqual([]);
    machine.exit(leader);
    expect(machine.frames.map(({ pid, frame }) => [pid, frame.signal])).toEqual([[stopped, SIGHUP]]);
    expect([machine.state(stopped), machine.state(shell), machine.state(parent)]).toEqual(Array(3).fill('RUNNING'));
  });

  it('has orphans end with SIGCHLD, whatever signal their parent had wanted', () => {
    const { machine, parent } = family();
    const clone = machine.fork(parent, 0n, SIGUSR1);
    machine.exit(parent);
    catchSignal(machine, 1, SIGCHLD);
    catchSignal(machine, 1, SIGUSR1);
    machine.exit(clone);
    expect(machine.frames.map(({ pid, frame }) => [pid, frame.signal])).toEqual([[1, SIGCHLD]]);
  });
});
