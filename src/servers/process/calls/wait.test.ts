import { describe, expect, it } from 'vitest';
import { ECHILD, EINTR, EINVAL, ESRCH } from '../../../abi/errno.ts';
import { SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1 } from '../../../abi/signals.ts';
import * as w from '../../../abi/wait.ts';
import { Machine, Sleeper } from '../testing/machine.ts';
import { catchSignal, ignoreSignal } from '../testing/signals.ts';

const int = (bytes: Uint8Array, offset = 0): number => new DataView(bytes.buffer).getInt32(offset, true);

const pair = () => {
  const machine = new Machine();
  const parent = machine.spawn();
  const child = machine.fork(parent);
  return { machine, parent, child };
};

const wait4 = (machine: Machine, parent: number, pid = -1, options = 0) => {
  const status = machine.grant(4);
  const reply = machine.call(parent, 'wait4', { pid, status, options, usage: null });
  return { reply, status: () => int(status.bytes) };
};

describe('wait4', () => {
  it('test_wait_reaps_zombie', () => {
    const { machine, parent, child } = pair();
    machine.exit(child, 42);
    expect(machine.table.findZombieChild(parent, -1)?.pid).toBe(child);
    expect(machine.identities.get(child)?.state).toBe('Z');
    const { reply, status } = wait4(machine, parent);
    expect(reply).toEqual({ result: child });
    expect(status()).toBe(42 << 8);
    expect(machine.table.getProcess(child)).toBeUndefined();
    expect(machine.table.getProcess(parent)?.children).toEqual([]);
    expect(machine.calls.slice(-2)).toEqual([`destroyProcess(${child}, ${42 << 8})`, `forgetProcess(${child})`]);
    expect(wait4(machine, parent).reply).toBe(ECHILD);
  });

  it('sleeps until a child ends', () => {
    const { machine, parent, child } = pair();
    const { reply, status } = wait4(machine, parent);
    expect(reply).toBeInstanceOf(Sleeper);
    machine.exit(child, 7);
    expect((reply as Sleeper).outcome).toEqual({ result: child });
    expect(status()).toBe(7 << 8);
  });

  it('chooses by PID, by group, and by the own group', () => {
    const { machine, parent, child } = pair();
    const other = machine.fork(parent);
    machine.result(parent, 'setpgid', { pid: other, pgid: other });
    machine.exit(child, 1);
    machine.exit(other, 2);
    expect(wait4(machine, parent, -child, w.WNOHANG).reply).toBe(ECHILD);
    expect(wait4(machine, parent, -other).reply).toEqual({ result: other });
    expect(wait4(machine, parent, other).reply).toBe(ECHILD);
    expect(wait4(machine, parent, 0).reply).toEqual({ result: child });
  });

  it.each([
    ['options that do not exist', { options: 0x10 }, EINVAL],
    ['WEXITED, which is waitid’s', { options: w.WEXITED }, EINVAL],
    ['the PID whose negation does not exist', { pid: -0x8000_0000 }, ESRCH],
    ['no such child', { pid: 99 }, ECHILD],
    ['a child of another kind', { options: w.__WCLONE }, ECHILD],
  ])('refuses %s', (_, change, errno) => {
    const { machine, parent, child } = pair();
    machine.exit(child);
    const request = { pid: -1, status: null, options: 0, usage: null, ...change };
    expect(machine.call(parent, 'wait4', request)).toBe(errno);
  });

  it('does not wait with WNOHANG', () => {
    const { machine, parent } = pair();
    expect(wait4(machine, parent, -1, w.WNOHANG).reply).toEqual({ result: 0 });
  });

  it('reports a stop and a continuation once each', () => {
    const { machine, parent, child } = pair();
    machine.result(parent, 'kill', { pid: child, signal: SIGSTOP });
    expect(machine.state(child)).toBe('STOPPED');
    expect(wait4(machine, parent, -1, w.WNOHANG).reply).toEqual({ result: 0 });
    const stopped = wait4(machine, parent, -1, w.WUNTRACED);
    expect([stopped.reply, stopped.status()]).toEqual([{ result: child }, 0x137f]);
    expect(wait4(machine, parent, -1, w.WUNTRACED | w.WNOHANG).reply).toEqual({ result: 0 });
    machine.result(parent, 'kill', { pid: child, signal: SIGCONT });
    const continued = wait4(machine, parent, -1, w.WCONTINUED);
    expect([continued.reply, continued.status()]).toEqual([{ result: child }, 0xffff]);
    expect(wait4(machine, parent, -1, w.WCONTINUED | w.WNOHANG).reply).toEqual({ result: 0 });
  });

  it('reports the signal that killed', () => {
    const { machine, parent, child } = pair();
    machine.result(parent, 'kill', { pid: child, signal: SIGTERM });
    const { reply, status } = wait4(machine, parent);
    expect([reply, status()]).toEqual([{ result: child }, SIGTERM]);
  });

  it('is interrupted by a handler, not by an ignored signal', () => {
    const { machine, parent } = pair();
    catchSignal(machine, parent, SIGUSR1);
    ignoreSignal(machine, parent, SIGTERM);
    const { reply } = wait4(machine, parent);
    machine.kernel('killHost', { target: parent, signal: SIGTERM });
    expect((reply as Sleeper).outcome).toBeUndefined();
    machine.kernel('killHost', { target: parent, signal: SIGUSR1 });
    expect((reply as Sleeper).outcome).toBe(EINTR);
  });

  it('adds the use of a reaped child, and of its children, to the parent', () => {
    const { machine, parent, child } = pair();
    const grandchild = machine.fork(child);
    machine.cpu.set(grandchild, { user: 3_000_000_000, system: 0 });
    machine.exit(grandchild);
    wait4(machine, child);
    machine.cpu.set(child, { user: 1_000_000_000, system: 500_000_000 });
    machine.exit(child);
    const usage = machine.grant(144);
    machine.result(parent, 'wait4', { pid: -1, status: null, options: 0, usage });
    expect(new DataView(usage.bytes.buffer).getBigInt64(0, true)).toBe(4n);
    const children = machine.grant(144);
    machine.result(parent, 'getrusage', { who: -1, usage: children });
    expect(children.bytes).toEqual(usage.bytes);
    const tms = machine.grant(32);
    machine.result(parent, 'times', { buf: tms });
    expect([...new BigInt64Array(tms.bytes.buffer)]).toEqual([0n, 0n, 400n, 50n]);
  });

  it('leaves no zombie to a parent that ignores SIGCHLD, and tells it when the last is gone', () => {
    const { machine, parent, child } = pair();
    ignoreSignal(machine, parent, SIGCHLD);
    const { reply } = wait4(machine, parent);
    machine.exit(child);
    expect(machine.state(child)).toBeUndefined();
    expect((reply as Sleeper).outcome).toBe(ECHILD);
  });

  it('leaves no zombie with SA_NOCLDWAIT, handler or not', () => {
    const { machine, parent, child } = pair();
    catchSignal(machine, parent, SIGCHLD, { flags: 2 });
    machine.exit(child);
    expect(machine.state(child)).toBeUndefined();
    expect(machine.frames).toHaveLength(1);
    catchSignal(machine, parent, SIGCHLD, { flags: 2, handler: 0 });
    const second = machine.fork(parent);
    machine.exit(second);
    expect(machine.state(second)).toBeUndefined();
  });
});

describe('waitid', () => {
  const waitid = (machine: Machine, parent: number, type: number, id: number, options: number) => {
    const info = machine.grant(new Uint8Array(128).fill(0xee));
    const reply = machine.call(parent, 'waitid', { type, id, info, options, usage: null });
    const at = (offset: number): number => int(info.bytes, offset);
    return { reply, info: () => [at(0), at(8), at(16), at(20), at(24)] };
  };

  it('gives the siginfo of an exit, and leaves the zombie with WNOWAIT', () => {
    const { machine, parent, child } = pair();
    machine.exit(child, 3);
    for (const options of [w.WEXITED | w.WNOWAIT, w.WEXITED]) {
      const { reply, info } = waitid(machine, parent, w.P_ALL, 0, options);
      expect(reply).toEqual({ result: 0 });
      expect(info()).toEqual([SIGCHLD, 1, child, 0, 3]);
    }
    expect(waitid(machine, parent, w.P_ALL, 0, w.WEXITED).reply).toBe(ECHILD);
  });

  it('tells kill, stop and continuation apart', () => {
    const { machine, parent, child } = pair();
    machine.result(parent, 'kill', { pid: child, signal: SIGSTOP });
    expect(waitid(machine, parent, w.P_PID, child, w.WSTOPPED).info()).toEqual([SIGCHLD, 5, child, 0, SIGSTOP]);
    machine.result(parent, 'kill', { pid: child, signal: SIGCONT });
    expect(waitid(machine, parent, w.P_PID, child, w.WCONTINUED).info()).toEqual([SIGCHLD, 6, child, 0, SIGCONT]);
    machine.result(parent, 'kill', { pid: child, signal: SIGKILL });
    expect(waitid(machine, parent, w.P_PGID, 0, w.WEXITED).info()).toEqual([SIGCHLD, 2, child, 0, SIGKILL]);
  });

  it('writes zeros when WNOHANG finds nothing', () => {
    const { machine, parent } = pair();
    const { reply, info } = waitid(machine, parent, w.P_ALL, 0, w.WEXITED | w.WNOHANG);
    expect(reply).toEqual({ result: 0 });
    expect(info()).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([
    [w.P_ALL, 0, 0],
    [w.P_ALL, 0, w.WNOHANG],
    [w.P_PID, 0, w.WEXITED],
    [w.P_PGID, -1, w.WEXITED],
    [w.P_PIDFD, -1, w.WEXITED],
    [7, 0, w.WEXITED],
  ])('refuses type %i, id %i, options %i', (type, id, options) => {
    const { machine, parent } = pair();
    expect(waitid(machine, parent, type, id, options).reply).toBe(EINVAL);
  });
});

describe('waitHost', () => {
  it('gets the status of a process of the host, which init does not see', () => {
    const machine = new Machine();
    const pid = machine.spawn();
    const sleep = machine.kernel('waitHost', { pid }) as Sleeper;
    expect(sleep.outcome).toBeUndefined();
    expect(machine.call(1, 'wait4', { pid: -1, status: null, options: 0, usage: null })).toBe(ECHILD);
    machine.exit(pid, 5);
    expect(sleep.outcome).toEqual({ status: 5 << 8 });
    expect(machine.state(pid)).toBeUndefined();
    expect(machine.kernel('waitHost', { pid })).toBe(ECHILD);
  });
});
