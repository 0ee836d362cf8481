/**
 * Random histories of a small system. After every request the tables must be consistent; and a server that dies before it
 * can answer a request, and is given it again, must leave exactly what one leaves that does not.
 */
import { describe, expect, it } from 'vitest';
import { encodeSigAction, encodeSigset, SIGRTMAX } from '../../abi/signals.ts';
import { Machine } from './testing/machine.ts';

/** A generator of numbers below a bound, the same for the same seed (mulberry32). */
const random =
  (seed: number) =>
  (below: number): number => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };

const step = (machine: Machine, next: (below: number) => number): void => {
  const living = [...machine.table.processes.entries()]
    .filter(([pid, { state, flags }]) => pid >= 5 && state !== 'ZOMBIE' && (flags & 128) === 0)
    .map(([pid]) => pid);
  if (living.length < 3) machine.spawn(next(2) * 1000);
  const pid = living[next(Math.max(living.length, 1))] ?? 5;
  const state = machine.state(pid);
  if (state === undefined || state === 'ZOMBIE') return;
  const other = living[next(Math.max(living.length, 1))] ?? 5;
  const signal = 1 + next(SIGRTMAX);
  const choice = next(16);
  // A stopped process makes no calls, but things happen to it.
  if (state === 'STOPPED' && choice > 1) return;
  switch (choice) {
    case 0:
      machine.kernel('killHost', { target: pid, signal: [18, 18, 9, signal][next(4)] });
      return;
    case 1:
      machine.advance(next(3_000_000_000));
      return;
    case 2:
    case 3:
    case 4:
      if (living.length < 20) machine.kernel('fork', { parent: pid, tid: pid, flags: 0n, exitSignal: 17 });
      return;
    case 5:
      machine.kernel('exit', { pid, status: next(256) << 8 });
      return;
    case 6:
    case 7:
      machine.call(pid, 'wait4', { pid: -1, status: null, options: 1 | (next(2) * 10), usage: null });
      return;
    case 8:
      machine.call(pid, 'setpgid', { pid: next(2) * other, pgid: next(2) * other });
      return;
    case 9:
      machine.call(pid, 'setsid', {});
      return;
    case 10:
      machine.call(pid, 'kill', { pid: [other, -other, 0][next(3)], signal: [19, 20, signal][next(3)] });
      return;
    case 11: {
      const handler = [0, 1, 0x1000, 0x1000][next(4)];
      const action = machine.grant(encodeSigAction({ signal, handler, flags: next(4), restorer: 0, mask: 0n }));
      machine.call(pid, 'sigaction', { signal, action, old: null, setSize: 8 });
      return;
    }
    case 12: {
      const set = machine.grant(encodeSigset(BigInt(next(0x7fff_ffff)) * BigInt(next(0x7fff_ffff))));
      machine.call(pid, 'sigprocmask', { how: next(3), set, old: null, setSize: 8 });
      return;
    }
    case 13:
      machine.call(pid, 'alarm', { seconds: next(5) });
      return;
    case 14:
      machine.call(pid, 'setuid', { uid: next(2) * 1000 });
      return;
    default:
      machine.kernel('signalReturn', { pid, tid: pid, mask: 0n });
  }
};

/** What does not hold. */
const broken = ({ table }: Machine): string[] => {
  const wrong: string[] = [];
  const check = (holds: boolean, what: string): void => void (holds || wrong.push(what));
  const users = new Map<number, { processes: number; signals: number }>();
  const count = (uid: number, what: 'processes' | 'signals'): void => {
    const user = users.get(uid) ?? { processes: 0, signals: 0 };
    user[what]++;
    users.set(uid, user);
  };
  for (const [pid, process] of table.processes.entries()) {
    count(process.uid, 'processes');
    const queues = [process, ...process.threads.map((tid) => table.threads.get(tid)!)];
    for (const { sigPending, sigQueue } of queues) {
      for (const queued of sigQueue) count(queued.uid, 'signals');
      const set = sigQueue.reduce((bits, queued) => bits | (1n << BigInt(queued.signal - 1)), 0n);
      check(set === sigPending, `${pid}: pending signals are not those of the queue`);
    }
    for (const child of process.children)
      check(table.processes.get(child)?.ppid === pid, `${pid}: ${child} is not its child`);
    const listed = (list: readonly number[] | undefined, item: number): boolean =>
      list?.filter((other) => other === item).length === 1;
    if (process.ppid !== 0)
      check(listed(table.processes.get(process.ppid)?.children, pid), `${pid}: not with its parent`);
    const group = table.groups.get(process.pgid);
    check(listed(group?.members, pid) && group?.sid === process.sid, `${pid}: not in its group`);
    check(listed(table.sessions.get(process.sid)?.groups, process.pgid), `${pid}: group not in its session`);
    check((process.state === 'ZOMBIE') === (process.threads.length === 0) || pid < 5, `${pid}: zombie with threads`);
    if (process.state === 'ZOMBIE') check(process.children.length === 0, `${pid}: zombie with children`);
    const thread = table.threads.get(pid);
    if (process.state === 'RUNNING' && thread !== undefined && thread.waiting === 0n)
      check(((process.sigPending | thread.sigPending) & ~thread.sigMask) === 0n, `${pid}: left a signal lying`);
  }
  for (const [pgid, group] of table.groups.entries()) {
    check(group.members.length > 0, `group ${pgid} is empty`);
    for (const pid of group.members)
      check(table.processes.get(pid)?.pgid === pgid, `group ${pgid}: ${pid} is elsewhere`);
  }
  for (const [uid, user] of table.users.entries()) {
    const { processes, signals } = users.get(uid) ?? { processes: 0, signals: 0 };
    check(user.processes === processes && user.signals === signals, `user ${uid}: ${JSON.stringify(user)}`);
  }
  return wrong;
};

const rows = ({ table }: Machine): unknown => [
  [...table.processes.entries()],
  [...table.threads.entries()],
  [...table.groups.entries()],
  [...table.sessions.entries()],
  [...table.users.entries()],
  [...table.timers.entries()],
  table.alarms.range(0),
];

describe('random histories', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))('seed %i', (seed) => {
    const [plain, crashing] = [new Machine(), new Machine(true)];
    const generators = [random(seed), random(seed)];
    for (const machine of [plain, crashing]) machine.kernel('timers', {});
    for (let n = 0; n < 300; n++) {
      step(plain, generators[0]);
      step(crashing, generators[1]);
      expect(broken(plain)).toEqual([]);
    }
    expect(rows(crashing)).toEqual(rows(plain));
    expect(crashing.calls).toEqual(plain.calls);
    expect(crashing.frames).toEqual(plain.frames);
    expect([...crashing.identities]).toEqual([...plain.identities]);
    expect(plain.calls.length).toBeGreaterThan(50);
    expect(plain.log).toEqual([]);
  });
});
