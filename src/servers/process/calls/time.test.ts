import { describe, expect, it } from 'vitest';
import { EINTR, EINVAL } from '../../../abi/errno.ts';
import * as sig from '../../../abi/signals.ts';
import { Machine, Sleeper } from '../testing/machine.ts';
import { catchSignal } from '../testing/signals.ts';

const SECOND = 1_000_000_000;

/** A machine whose kernel has sent `timers`, as at boot. */
const timed = () => {
  const machine = new Machine();
  const pid = machine.spawn();
  expect(machine.kernel('timers', {})).toBeInstanceOf(Sleeper);
  return { machine, pid };
};

const pair = (machine: Machine, ...words: number[]) =>
  machine.grant(new Uint8Array(new BigInt64Array(words.map(BigInt)).buffer));
const words = (bytes: Uint8Array): number[] => [...new BigInt64Array(bytes.buffer)].map(Number);
const signals = (machine: Machine): number[] => machine.frames.map(({ frame }) => frame.signal);
const returns = (machine: Machine, pid: number) => machine.kernel('signalReturn', { pid, tid: pid, mask: 0n });

describe('alarm and interval timers', () => {
  it('alarm fires once, and tells what was left', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGALRM);
    expect(machine.result(pid, 'alarm', { seconds: 10 })).toBe(0);
    machine.advance(3.6 * SECOND);
    expect(machine.result(pid, 'alarm', { seconds: 2 })).toBe(6);
    machine.advance(2 * SECOND - 1);
    expect(signals(machine)).toEqual([]);
    machine.advance(1);
    expect(signals(machine)).toEqual([sig.SIGALRM]);
    expect(new DataView(machine.frames[0].frame.info.buffer).getInt32(8, true)).toBe(sig.SI_KERNEL);
    machine.advance(100 * SECOND);
    expect(signals(machine)).toHaveLength(1);
    expect(machine.result(pid, 'alarm', { seconds: 1 })).toBe(0);
    expect(machine.result(pid, 'alarm', { seconds: 0 })).toBe(1);
    machine.advance(2 * SECOND);
    expect(signals(machine)).toHaveLength(1);
  });

  it('kills by default, and dies with its process', () => {
    const { machine, pid } = timed();
    const other = machine.spawn();
    machine.result(pid, 'alarm', { seconds: 1 });
    machine.result(other, 'alarm', { seconds: 1 });
    machine.exit(other);
    machine.advance(SECOND);
    expect(machine.table.getProcess(pid)).toMatchObject({ state: 'ZOMBIE', exitCode: sig.SIGALRM });
    expect(machine.table.getProcess(other)?.exitCode).toBe(0);
    expect([machine.table.timers.size, machine.table.alarms.count(0)]).toEqual([0, 0]);
  });

  it('a real timer repeats, and fork does not inherit it', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGALRM);
    machine.result(pid, 'setitimer', { which: 0, value: pair(machine, 0, 500_000, 1, 0), old: null });
    const child = machine.fork(pid);
    for (let n = 0; n < 3; n++) {
      machine.advance(SECOND / 2);
      returns(machine, pid);
    }
    expect(machine.frames.map(({ pid: to }) => to)).toEqual([pid, pid]);
    const value = machine.grant(32);
    expect(machine.result(pid, 'getitimer', { which: 0, value })).toBe(0);
    expect(words(value.bytes)).toEqual([0, 500_000, 0, 500_000]);
    expect(machine.result(child, 'getitimer', { which: 0, value })).toBe(0);
    expect(words(value.bytes)).toEqual([0, 0, 0, 0]);
  });

  it('serves many at once in order, also at the same time', () => {
    const { machine, pid } = timed();
    const children = [3, 1, 2, 1].map((seconds) => {
      const child = machine.fork(pid);
      catchSignal(machine, child, sig.SIGALRM);
      machine.result(child, 'alarm', { seconds });
      return child;
    });
    machine.advance(5 * SECOND);
    expect(machine.frames.map(({ pid: to }) => to)).toEqual([children[1], children[3], children[2], children[0]]);
  });

  it('virtual and profiling timers count CPU time only', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGVTALRM);
    catchSignal(machine, pid, sig.SIGPROF);
    machine.result(pid, 'setitimer', { which: 1, value: pair(machine, 0, 0, 1, 0), old: null });
    machine.result(pid, 'setitimer', { which: 2, value: pair(machine, 1, 0, 1, 0), old: null });
    machine.advance(5 * SECOND);
    expect(signals(machine)).toEqual([]);
    machine.cpu.set(pid, { user: SECOND / 2, system: SECOND / 2 });
    machine.advance(SECOND);
    expect(signals(machine)).toEqual([sig.SIGPROF]);
    returns(machine, pid);
    machine.cpu.set(pid, { user: SECOND, system: SECOND });
    machine.advance(SECOND);
    expect(signals(machine)).toEqual([sig.SIGPROF, sig.SIGVTALRM, sig.SIGPROF]);
  });

  it.each([
    [3, [0, 0, 0, 0]],
    [0, [0, 0, -1, 0]],
    [0, [0, 1_000_000, 1, 0]],
  ])('setitimer(%i, %j) is EINVAL', (which, value) => {
    const { machine, pid } = timed();
    expect(machine.call(pid, 'setitimer', { which, value: pair(machine, ...value), old: null })).toBe(EINVAL);
  });
});

describe('RLIMIT_CPU', () => {
  it('sends SIGXCPU each second from the soft limit on, SIGKILL at the hard one', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGXCPU);
    machine.result(pid, 'prlimit', { pid: 0, resource: 0, limit: pair(machine, 2, 4), old: null, needed: 1 });
    const use = (seconds: number): void => {
      machine.cpu.set(pid, { user: seconds * SECOND, system: 0 });
      machine.advance(4 * SECOND);
      returns(machine, pid);
    };
    use(1.9);
    expect(signals(machine)).toEqual([]);
    use(2);
    use(2.5);
    expect(signals(machine)).toHaveLength(1);
    use(3);
    expect(signals(machine)).toHaveLength(2);
    use(4);
    expect(machine.table.getProcess(pid)).toMatchObject({ state: 'ZOMBIE', exitCode: sig.SIGKILL });
  });

  it('holds for a child from its own start', () => {
    const { machine, pid } = timed();
    machine.result(pid, 'prlimit', { pid: 0, resource: 0, limit: pair(machine, 1, 1), old: null, needed: 1 });
    const child = machine.fork(pid);
    machine.cpu.set(child, { user: SECOND, system: 0 });
    machine.advance(2 * SECOND);
    expect([machine.state(pid), machine.state(child)]).toEqual(['RUNNING', 'ZOMBIE']);
  });
});

describe('nanosleep', () => {
  it('sleeps as long as it is told', () => {
    const { machine, pid } = timed();
    const sleeper = machine.call(pid, 'nanosleep', { request: pair(machine, 1, 5), remain: null }) as Sleeper;
    machine.advance(SECOND + 4);
    expect(sleeper.outcome).toBeUndefined();
    machine.advance(1);
    expect(sleeper.outcome).toEqual({ result: 0 });
    expect(machine.result(pid, 'nanosleep', { request: pair(machine, 0, 0), remain: null })).toBe(0);
  });

  it('tells what is left when a handler interrupts it', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGALRM);
    machine.result(pid, 'alarm', { seconds: 1 });
    const remain = machine.grant(16);
    const sleeper = machine.call(pid, 'nanosleep', { request: pair(machine, 3, 7), remain }) as Sleeper;
    machine.advance(SECOND);
    expect(sleeper.outcome).toBe(EINTR);
    expect(words(remain.bytes)).toEqual([2, 7]);
  });

  it('goes on to its end after a stop, when the kernel starts it again', () => {
    const { machine, pid } = timed();
    const request = { request: pair(machine, 10, 0), remain: null };
    machine.call(pid, 'nanosleep', request);
    machine.advance(4 * SECOND);
    machine.kernel('killHost', { target: pid, signal: sig.SIGSTOP });
    machine.advance(SECOND);
    machine.kernel('killHost', { target: pid, signal: sig.SIGCONT });
    const again = machine.call(pid, 'nanosleep', request) as Sleeper;
    machine.advance(5 * SECOND - 1);
    expect(again.outcome).toBeUndefined();
    machine.advance(1);
    expect(again.outcome).toEqual({ result: 0 });
    // The next one is a new one.
    const next = machine.call(pid, 'nanosleep', request) as Sleeper;
    expect(next).toBeInstanceOf(Sleeper);
    machine.advance(9 * SECOND);
    expect(next.outcome).toBeUndefined();
  });

  it.each([
    [0, 0, [0, SECOND], -22],
    [0, 0, [-1, 0], -22],
    [3, 0, [1, 0], -95],
    [99, 0, [1, 0], -22],
    [4, 0, [1, 0], -95],
    [1, 1, [0, 5], 0],
    [0, 1, [1_700_000_000, 0], 0],
  ])('clock_nanosleep(%i, %i, %j) is %i', (clock, flags, time, result) => {
    const { machine, pid } = timed();
    expect(machine.result(pid, 'clockNanosleep', { clock, flags, request: pair(machine, ...time), remain: null })).toBe(
      result,
    );
  });

  it('clock_nanosleep sleeps until a time of day', () => {
    const { machine, pid } = timed();
    const seconds = 1_700_000_000 + Math.floor(machine.now / SECOND) + 2;
    const request = pair(machine, seconds, 0);
    const sleeper = machine.call(pid, 'clockNanosleep', { clock: 0, flags: 1, request, remain: null }) as Sleeper;
    machine.advance(2 * SECOND - 1);
    expect(sleeper.outcome).toBeUndefined();
    machine.advance(1);
    expect(sleeper.outcome).toEqual({ result: 0 });
  });
});
