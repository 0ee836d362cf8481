import { describe, expect, it } from 'vitest';
import { EAGAIN, EINVAL } from '../../abi/errno.ts';
import * as sig from '../../abi/signals.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_THREAD_CPUTIME_ID, TIMER_ABSTIME } from '../../abi/time.ts';
import { Machine, Sleeper } from './testing/machine.ts';
import { block, catchSignal, unblock } from './testing/signals.ts';

const MILLISECOND = 1_000_000;
const SECOND = 1000 * MILLISECOND;

const timed = () => {
  const machine = new Machine();
  const pid = machine.spawn();
  expect(machine.kernel('timers', {})).toBeInstanceOf(Sleeper);
  return { machine, pid };
};

/** sigevent: value, signal, how, thread. */
const sigevent = (signal: number, notify = 0, tid = 0, value = 7n): Uint8Array => {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, value, true);
  view.setInt32(8, signal, true);
  view.setInt32(12, notify, true);
  view.setInt32(16, tid, true);
  return bytes;
};

const create = (machine: Machine, pid: number, event: Uint8Array | undefined, clock = CLOCK_MONOTONIC, tid = pid) => {
  const id = machine.grant(4);
  const request = { clock, event: event === undefined ? null : machine.grant(event), id };
  const reply = machine.call(pid, 'timerCreate', request, tid);
  return { reply, id: new DataView(id.bytes.buffer).getInt32(0, true) };
};

const spec = (machine: Machine, interval: number, value: number) =>
  machine.grant(
    new Uint8Array(
      BigInt64Array.of(0n, 0n, 0n, 0n)
        .fill(BigInt(interval), 1, 2)
        .fill(BigInt(Math.floor(value / SECOND)), 2, 3)
        .fill(BigInt(value % SECOND), 3, 4).buffer,
    ),
  );

const arm = (machine: Machine, pid: number, id: number, interval: number, value: number, flags = 0): number =>
  machine.result(pid, 'timerSettime', { id, flags, value: spec(machine, interval, value), old: null });

const left = (machine: Machine, pid: number, id: number): number => {
  const value = machine.grant(32);
  machine.result(pid, 'timerGettime', { id, value });
  const [, , seconds, nanoseconds] = new BigInt64Array(value.bytes.buffer);
  return Number(seconds) * SECOND + Number(nanoseconds);
};

const overrunOf = (info: Uint8Array): number => new DataView(info.buffer, info.byteOffset).getInt32(20, true);

describe('POSIX timers', () => {
  it('send SIGALRM with their number if nothing else was asked for', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGALRM);
    const { id } = create(machine, pid, undefined);
    arm(machine, pid, id, 0, 5 * MILLISECOND);
    machine.advance(5 * MILLISECOND - 1);
    expect(machine.frames).toHaveLength(0);
    expect(left(machine, pid, id)).toBe(1);
    machine.advance(1);
    const { info, signal } = machine.frames[0].frame;
    expect([signal, sig.infoCode(info), overrunOf(info)]).toEqual([sig.SIGALRM, sig.SI_TIMER, 0]);
    expect(left(machine, pid, id)).toBe(0);
  });

  it('stand still while their signal is blocked, then tell how often they were due', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGUSR1);
    block(machine, pid, sig.SIGUSR1);
    const { id } = create(machine, pid, sigevent(sig.SIGUSR1));
    arm(machine, pid, id, 2 * MILLISECOND, 2 * MILLISECOND);
    machine.advance(11 * MILLISECOND);
    expect(machine.table.alarms.count(0)).toBe(0);
    unblock(machine, pid, sig.SIGUSR1);
    expect(machine.frames.map(({ frame }) => overrunOf(frame.info))).toEqual([4]);
    expect(machine.result(pid, 'timerGetoverrun', { id })).toBe(4);
    expect(left(machine, pid, id)).toBe(MILLISECOND);
    machine.advance(MILLISECOND);
    expect(machine.table.getProcess(pid)?.sigPending).not.toBe(0n);
  });

  it('take their signal back when they are set anew or deleted', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGUSR1);
    block(machine, pid, sig.SIGUSR1);
    const { id } = create(machine, pid, sigevent(sig.SIGUSR1));
    arm(machine, pid, id, 0, MILLISECOND);
    machine.advance(MILLISECOND);
    expect(machine.table.getProcess(pid)?.sigPending).toBe(sig.bit(sig.SIGUSR1));
    arm(machine, pid, id, 0, SECOND);
    expect(machine.table.getProcess(pid)?.sigPending).toBe(0n);
    machine.advance(SECOND);
    expect(machine.result(pid, 'timerDelete', { id })).toBe(0);
    expect(machine.table.getProcess(pid)?.sigPending).toBe(0n);
    expect(machine.call(pid, 'timerDelete', { id })).toBe(EINVAL);
    unblock(machine, pid, sig.SIGUSR1);
    expect(machine.frames).toHaveLength(0);
  });

  it('go on while their signal is ignored', () => {
    const { machine, pid } = timed();
    const { id } = create(machine, pid, sigevent(sig.SIGURG));
    arm(machine, pid, id, 2 * MILLISECOND, 2 * MILLISECOND);
    machine.advance(9 * MILLISECOND);
    expect(left(machine, pid, id)).toBe(MILLISECOND);
    expect(machine.frames).toHaveLength(0);
  });

  it('count CPU time of a thread, and tell one thread', () => {
    const { machine, pid } = timed();
    const { tid } = machine.kernel('thread', { pid, tid: pid }) as { tid: number };
    catchSignal(machine, pid, sig.SIGUSR1);
    const { id } = create(machine, pid, sigevent(sig.SIGUSR1, 4, tid), CLOCK_THREAD_CPUTIME_ID, tid);
    arm(machine, pid, id, 0, 5 * MILLISECOND);
    machine.advance(SECOND);
    expect(machine.frames).toHaveLength(0);
    machine.cpu.set(tid, { user: 3 * MILLISECOND, system: 2 * MILLISECOND });
    machine.advance(5 * MILLISECOND);
    expect(machine.frames.map((frame) => frame.tid)).toEqual([tid]);
  });

  it('fire at once for a time that has passed', () => {
    const { machine, pid } = timed();
    catchSignal(machine, pid, sig.SIGUSR1);
    const { id } = create(machine, pid, sigevent(sig.SIGUSR1), CLOCK_REALTIME);
    arm(machine, pid, id, 0, 1_600_000_000 * SECOND, TIMER_ABSTIME);
    machine.advance(1);
    expect(machine.frames).toHaveLength(1);
  });

  it('go with their process, its image, and leave nothing behind', () => {
    const { machine, pid } = timed();
    const other = machine.spawn();
    for (const owner of [pid, other]) arm(machine, owner, create(machine, owner, undefined).id, 0, SECOND);
    machine.exit(other);
    machine.kernel('execCommit', { pid, tid: pid, name: 'x', setuid: -1, setgid: -1, readable: true });
    const { table } = machine;
    expect([table.posixTimers.size, table.timerIds.size, table.alarms.count(0)]).toEqual([0, 0, 0]);
    expect(table.users.get(0)?.signals).toBe(0);
  });

  it('count against the limit on queued signals', () => {
    const { machine, pid } = timed();
    const limit = machine.grant(new Uint8Array(BigInt64Array.of(2n, 2n).buffer));
    machine.result(pid, 'prlimit', { pid: 0, resource: 11, limit, old: null, needed: 0 });
    const replies = [1, 2, 3].map(() => create(machine, pid, undefined).reply);
    expect(replies[2]).toBe(EAGAIN);
    expect(replies.slice(0, 2)).toEqual([{ result: 0 }, { result: 0 }]);
  });
});
