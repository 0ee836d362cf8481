import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EAGAIN, EINTR, EIO, EMSGSIZE, ENOSYS } from '../abi/errno.ts';
import { InlinePort } from './inline-port.ts';
import { Lattice, type PortOptions } from './lattice.ts';
import { IpcLog } from './log.ts';
import { Pending } from './port.ts';
import { RoundTrips } from './round-trips.ts';
import { Killed } from './server-loop.ts';
import { ToyHost, toyServer } from './toy.ts';

const caller = { pid: 7, tid: 8 };

describe.each(['sealed', 'direct'] as const)('a %s port', (ipc) => {
  const start = (options: PortOptions = {}, log?: IpcLog) => {
    const host = new ToyHost();
    const port = new Lattice({ ipc, random: randomBytes, log }).port(toyServer(host), host, options);
    host.port = port;
    return { host, port };
  };
  const asleep = (outcome: unknown): number => {
    expect(outcome).toBeInstanceOf(Pending);
    return (outcome as Pending).token;
  };

  it('answers at once', () => {
    const { host, port } = start();
    expect(port.request(caller, 'ping', { value: -42 })).toEqual({ result: -42 });
    const message = { name: 'caf\xe9', data: Uint8Array.of(1, 2, 3), numbers: [2 ** 53 - 1, -1, 0] };
    expect(port.request(caller, 'echo', message)).toEqual(message);
    expect(port.request(caller, 'take', { block: false, timeout: -1 })).toBe(EAGAIN);
    expect(port.requestUntyped(caller, 'nothing', {})).toBe(ENOSYS);
    expect(port.statistics).toMatchObject({ requests: 3, restarts: 0, rejected: 0, pending: 0 });
    expect(host.completions).toEqual([]);
  });

  it('refuses a message that does not fit without harm', () => {
    const { port } = start();
    expect(port.request(caller, 'echo', { name: '', data: new Uint8Array(1 << 20), numbers: [] })).toBe(EMSGSIZE);
    expect(port.request(caller, 'ping', { value: 1 })).toEqual({ result: 1 });
  });

  it('wakes sleepers in the order in which they came', () => {
    const { host, port } = start();
    const tokens = [1, 2, 3].map(() => asleep(port.request(caller, 'take', { block: true, timeout: -1 })));
    expect(port.statistics.pending).toBe(3);
    port.request(caller, 'put', { value: 10 });
    port.request(caller, 'put', { value: 20 });
    expect(host.completions).toEqual([
      [tokens[0], { value: 10, reason: 'woken' }],
      [tokens[1], { value: 20, reason: 'woken' }],
    ]);
    // The third has run twice in vain and still stands before the fourth.
    const fourth = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    port.request(caller, 'put', { value: 30 });
    port.request(caller, 'put', { value: 40 });
    expect(host.completions.slice(2)).toEqual([
      [tokens[2], { value: 30, reason: 'woken' }],
      [fourth, { value: 40, reason: 'woken' }],
    ]);
  });

  it('runs a request whose deadline has passed', () => {
    const { host, port } = start();
    host.time = 1000;
    const late = asleep(port.request(caller, 'take', { block: true, timeout: 500 }));
    const soon = asleep(port.request(caller, 'take', { block: true, timeout: 200 }));
    expect(port.nextDeadline()).toBe(1200);
    host.time = 1199;
    port.tick();
    expect(host.completions).toEqual([]);
    host.time = 1200;
    port.tick();
    expect(host.completions).toEqual([[soon, { value: -1, reason: 'timeout' }]]);
    port.request(caller, 'put', { value: 1 });
    expect(host.completions[1]).toEqual([late, { value: 1, reason: 'woken' }]);
    expect(port.nextDeadline()).toBeUndefined();
  });

  it('answers EINTR when a cancelled handler wants to wait, and what it says when it does not', () => {
    const { host, port } = start();
    const token = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    const dawdler = asleep(port.request(caller, 'dawdle', { on: 'x', wakes: '' }));
    port.cancel(token);
    port.cancel(token);
    port.cancel(dawdler);
    expect(host.completions).toEqual([
      [token, EINTR],
      [dawdler, { runs: 1 }],
    ]);
    expect(port.statistics.pending).toBe(0);
  });

  it('forgets an abandoned request', () => {
    const { host, port } = start();
    const first = asleep(port.request(caller, 'take', { block: true, timeout: 5 }));
    const second = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    port.abandon(first);
    port.request(caller, 'put', { value: 9 });
    host.time = 100;
    port.tick();
    expect(host.completions).toEqual([[second, { value: 9, reason: 'woken' }]]);
  });

  it('processes wakes of wakes without recursion', () => {
    const { host, port } = start();
    for (let i = 0; i < 5000; i++) asleep(port.request(caller, 'dawdle', { on: `c${i}`, wakes: `c${i + 1}` }));
    // Each run wakes the next: a chain of 5,000.
    port.wake('c0');
    const runs = [0, 4999].map((i) => {
      port.cancel(i + 1);
      return host.completions.at(-1);
    });
    expect(runs).toEqual([
      [1, { runs: 2 }],
      [5000, { runs: 2 }],
    ]);
  });

  it('delivers a request again after a crash, and nothing is lost or done twice', () => {
    for (const phase of ['before', 'after-handler', 'before-reply'] as const) {
      let crashes = 1;
      const { host, port } = start({
        chaosHook: (call, at) => {
          if (call === 'add' && at === phase && crashes-- > 0) throw new Error('chaos');
        },
      });
      const sleeper = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
      expect(port.request(caller, 'add', { amount: 5 })).toEqual({ total: 5 });
      expect(port.request(caller, 'add', { amount: 5 })).toEqual({ total: 10 });
      expect(host.crashes).toEqual(['add']);
      expect(host.instances).toBe(2);
      expect(port.epoch).toBe(ipc === 'sealed' ? 2 : 0);
      port.request(caller, 'put', { value: 3 });
      expect(host.completions).toEqual([[sleeper, { value: 3, reason: 'woken' }]]);
    }
  });

  it('answers EIO to the caller whose request kills the server twice', () => {
    const { host, port } = start({
      chaosHook: (call, at) => {
        if (call === 'add' && at === 'before-reply') throw new Error('chaos');
      },
    });
    expect(port.request(caller, 'add', { amount: 5 })).toBe(EIO);
    expect(port.requestUntyped(caller, 'broken', {})).toBe(EIO);
    expect(host.state.get('counter')).toBeUndefined();
    expect(host.crashes).toEqual(['add', 'add', 'broken', 'broken']);
    expect(port.statistics.restarts).toBe(4);
    expect(port.request(caller, 'ping', { value: 1 })).toEqual({ result: 1 });
  });

  it('survives the crash of a sleeper that was woken', () => {
    let armed = false;
    const { host, port } = start({
      chaosHook: (call, at) => {
        if (armed && call === 'take' && at === 'after-handler') {
          armed = false;
          throw new Error('chaos');
        }
      },
    });
    const token = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    armed = true;
    port.request(caller, 'put', { value: 77 });
    expect(host.completions).toEqual([[token, { value: 77, reason: 'woken' }]]);
    expect(host.instances).toBe(2);
  });

  it('keeps requests and state when the instance is killed', () => {
    const { host, port } = start();
    port.request(caller, 'add', { amount: 1 });
    const token = asleep(port.request(caller, 'take', { block: true, timeout: 50 }));
    port.kill();
    expect(host.crashes).toEqual(['kill']);
    expect(port.request(caller, 'add', { amount: 1 })).toEqual({ total: 2 });
    host.time = 50;
    port.tick();
    expect(host.completions).toEqual([[token, { value: -1, reason: 'timeout' }]]);
  });

  it('takes a kill in the middle of a handler for a crash', () => {
    let kill = true;
    const { host, port } = start({
      chaosHook: (call) => {
        if (call === 'add' && kill) {
          kill = false;
          host.port?.kill();
        }
      },
    });
    expect(port.request(caller, 'add', { amount: 4 })).toEqual({ total: 4 });
    expect(host.crashes).toEqual(['add']);
    expect(host.state.get('counter')).toEqual([4]);
  });

  it('tries again to create a server that could not be created', () => {
    const { host, port } = start();
    host.failingCreations = 3;
    port.kill();
    expect(host.crashes).toEqual(['kill', 'create', 'create', 'create']);
    expect([port.health.state, port.statistics.restarts]).toEqual(['up', 4]);
    expect(port.request(caller, 'add', { amount: 1 })).toEqual({ total: 1 });
    host.failingCreations = 20;
    port.kill();
    expect(port.health.state).toBe('down');
    expect(port.request(caller, 'add', { amount: 1 })).toBe(EIO);
    expect(port.health.state).toBe('failing');
    expect(port.request(caller, 'add', { amount: 1 })).toEqual({ total: 2 });
    expect(host.failingCreations).toBeLessThan(1);
    host.failingCreations = 1;
    expect(() => new Lattice({ ipc, random: randomBytes }).port(toyServer(host), host)).toThrow('cannot be created');
  });

  it('lets a cancelled or abandoned request wait for its page, and runs only the cancelled one', () => {
    const { host, port } = start();
    const faulting = asleep(port.request(caller, 'touch', { page: 9 }));
    port.cancel(faulting);
    expect(host.completions).toEqual([]);
    host.present.add(9);
    port.retry(faulting);
    port.retry(faulting);
    expect(host.completions).toEqual([[faulting, { total: 1 }]]);
    const other = asleep(port.request(caller, 'touch', { page: 10 }));
    port.abandon(other);
    host.present.add(10);
    port.retry(other);
    expect(host.completions.length).toBe(1);
    expect(host.state.get('counter')).toEqual([1]);
  });

  it('rolls back a fault and runs the request again when the page is there', () => {
    const { host, port } = start();
    const token = asleep(port.request(caller, 'touch', { page: 4 }));
    expect(host.faults).toEqual([token]);
    expect(host.state.get('counter')).toBeUndefined();
    expect(host.crashes).toEqual([]);
    host.present.add(4);
    port.retry(token);
    expect(host.completions).toEqual([[token, { total: 1 }]]);

    // Resolved within the callback: the answer is still the return value.
    host.onFault = (late) => {
      host.present.add(5);
      port.retry(late);
    };
    expect(port.request(caller, 'touch', { page: 5 })).toEqual({ total: 2 });
    expect(host.completions.length).toBe(1);
  });

  it('queues a request that arrives while a handler runs', () => {
    let inner: unknown;
    const { host, port } = start({
      chaosHook: (call, at) => {
        if (call === 'add' && at === 'after-handler') inner ??= host.port?.requestUntyped(caller, 'ping', { value: 6 });
      },
    });
    expect(port.request(caller, 'add', { amount: 2 })).toEqual({ total: 2 });
    expect(host.completions).toEqual([[asleep(inner), { result: 6 }]]);
  });

  it('allows the next request from within a completion', () => {
    const { host, port } = start();
    const results: unknown[] = [];
    host.onCompleted = () => results.push(port.request(caller, 'ping', { value: results.length }));
    asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    port.request(caller, 'put', { value: 1 });
    port.request(caller, 'put', { value: 2 });
    expect(results).toEqual([{ result: 0 }, { result: 1 }]);
  });

  it('forgets the cancels and wakes of a transaction that is rolled back', () => {
    let token = 0;
    let crash = true;
    const { host, port } = start({
      chaosHook: (call, at) => {
        if (call === 'put' && at === 'after-handler' && crash) {
          crash = false;
          host.port?.cancel(token);
          throw new Error('chaos');
        }
      },
    });
    token = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    port.request(caller, 'put', { value: 5 });
    expect(host.completions).toEqual([[token, { value: 5, reason: 'woken' }]]);
  });

  it('wakes nobody for a transaction that never was', () => {
    let runs = 0;
    const { host, port } = start({
      chaosHook: (call, at) => {
        if (call === 'dawdle' && at === 'after-handler' && ++runs > 1) throw new Error('chaos');
      },
    });
    const sleeper = asleep(port.request(caller, 'dawdle', { on: 'x', wakes: '' }));
    expect(port.request(caller, 'dawdle', { on: 'y', wakes: 'x' })).toBe(EIO);
    expect(runs).toBe(3);
    port.abandon(sleeper);
    expect(host.completions).toEqual([]);
  });

  it('counts a damaged frame and sends it again', () => {
    let damage = -1;
    const { host, port } = start({
      wire: (frame) => {
        if (damage >= 0) frame[damage] ^= 0x10;
        damage = -1;
      },
    });
    for (let at = 0; at < 52; at++) {
      damage = at;
      const reply = port.request(caller, 'ping', { value: 3 });
      if (ipc === 'sealed') expect(reply).toEqual({ result: 3 });
      expect(port.request(caller, 'ping', { value: 3 })).toEqual({ result: 3 });
    }
    expect(host.crashes).toEqual([]);
    if (ipc === 'sealed') expect(port.statistics.rejected).toBe(52);
    else expect(port.statistics.rejected).toBeGreaterThan(8);
  });

  it.skipIf(ipc === 'direct')(
    'does once what a frame asked for that was lost, doubled or damaged on either way',
    () => {
      for (const direction of ['request', 'reply'] as const)
        for (const fault of ['drop', 'duplicate', 'damage'] as const) {
          let frames = 0;
          const { host, port } = start({
            wire: (frame, way) => {
              if (way !== direction || ++frames % 2 === 0) return undefined;
              if (fault !== 'damage') return fault;
              frame[40] ^= 1;
              return undefined;
            },
          });
          for (let i = 1; i <= 3; i++) expect(port.request(caller, 'add', { amount: 1 })).toEqual({ total: i });
          expect(host.state.get('counter')).toEqual([3]);
          const times = fault === 'duplicate' ? 2 : 3;
          expect([port.statistics.lost, port.statistics.rejected]).toEqual(fault === 'drop' ? [times, 0] : [0, times]);
          expect(host.crashes).toEqual([]);
        }
    },
  );

  it('delivers a request again after each death that is not its doing, and reports a server that keeps dying', () => {
    let deaths = 50;
    const { host, port } = start({
      chaosHook: (call, at) => {
        if ((at === 'before' || at === 'recovery') && call !== 'ping' && deaths-- > 0) throw new Killed('chaos');
      },
    });
    expect(port.request(caller, 'add', { amount: 1 })).toEqual({ total: 1 });
    // Four times a kill and ten instances that were never made, a kill, and five of those before the one that lives.
    expect(port.statistics.restarts).toBe(46);
    expect(port.health.state).toBe('failing');
    expect(host.reports).toBe(1);
    host.time += 60e9;
    expect(port.health.state).toBe('up');
    deaths = 1e6;
    expect(port.request(caller, 'add', { amount: 1 })).toBe(EIO);
  });

  it('times what is answered at once', () => {
    const host = new ToyHost();
    let time = 0;
    const roundTrips = new RoundTrips(() => (time += 500));
    const { arena, sealing } = new Lattice({ ipc, random: randomBytes });
    const port = new InlinePort(toyServer(host), host, { arena, sealing, random: randomBytes, roundTrips });
    port.request(caller, 'ping', { value: 1 });
    port.request(caller, 'take', { block: true, timeout: -1 });
    expect([roundTrips.count, roundTrips.quantile(0.5)]).toEqual([1, 512]);
  });

  it('logs messages with their fields', () => {
    const lines: string[] = [];
    let time = 12_003_456_789;
    const log = new IpcLog(
      (line) => lines.push(line),
      () => (time += 1000),
    );
    const { port } = start({}, log);
    port.request(caller, 'echo', { name: 'a"b', data: new Uint8Array(2), numbers: [1, 2] });
    const token = asleep(port.request(caller, 'take', { block: true, timeout: -1 }));
    port.cancel(token);
    expect(lines).toEqual([
      '12.003457 kernel→toy       #1 echo {name="a\\"b", data=<2 bytes>, numbers=[1, 2]}  pid 7',
      '12.003458 toy→kernel       #1 echo = {name="a\\"b", data=<2 bytes>, numbers=[1, 2]}',
      '12.003459 kernel→toy       #2 take {block=true, timeout=-1}  pid 7',
      '12.003460 toy→kernel       #2 take … waits on queue',
      '12.003461 toy→kernel       #2 take ! EINTR',
    ]);
  });
});

describe('a port under chaos', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('put' as const) }),
    fc.record({ what: fc.constant('take' as const), timeout: fc.constantFrom(-1, 10, 50) }),
    fc.record({ what: fc.constantFrom('cancel' as const, 'abandon' as const), pick: fc.nat(9) }),
    fc.record({ what: fc.constantFrom('tick' as const, 'kill' as const) }),
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const phases = ['before', 'after-handler', 'before-reply'] as const;

  it('loses no message, delivers none twice, and answers every request once', () => {
    const run = (steps: Step[], crashes: number[]): void => {
      // One number a delivery: which phase crashes, or none. Never two in a row, for the second would be an honest EIO.
      let last = 3;
      let deliveries = 0;
      let planned = 3;
      const host = new ToyHost();
      const port = new Lattice({ ipc: 'direct', random: randomBytes }).port(toyServer(host), host, {
        chaosHook: (_call, at) => {
          if (at === 'before') {
            planned = last === 3 ? (crashes[deliveries++ % crashes.length] ?? 3) : 3;
            last = planned;
          }
          if (at === phases[planned]) throw new Error('chaos');
        },
      });
      const open: number[] = [];
      const answered = new Set<number>();
      const taken: number[] = [];
      const settle = (outcome: object): void => {
        if ('value' in outcome && (outcome as { value: number }).value >= 0)
          taken.push((outcome as { value: number }).value);
        else expect(outcome === EINTR || 'reason' in outcome).toBe(true);
      };
      host.onCompleted = (token, outcome) => {
        expect(answered.has(token)).toBe(false);
        expect(open).toContain(token);
        answered.add(token);
        open.splice(open.indexOf(token), 1);
        settle(outcome);
      };
      let puts = 0;
      for (const action of steps) {
        host.time += 5;
        if (action.what === 'put') expect(port.request(caller, 'put', { value: puts++ })).toEqual({});
        else if (action.what === 'take') {
          const outcome = port.request(caller, 'take', { block: true, timeout: action.timeout });
          if (outcome instanceof Pending) open.push(outcome.token);
          else settle(outcome);
        } else if (action.what === 'cancel') port.cancel(open[action.pick] ?? 0);
        else if (action.what === 'abandon') {
          port.abandon(open[action.pick] ?? 0);
          if (open[action.pick] !== undefined) open.splice(action.pick, 1);
        } else port[action.what]();
        expect(port.statistics.pending).toBe(open.length);
      }
      expect([...taken, ...(host.state.get('queue') ?? [])]).toEqual(Array.from({ length: puts }, (_, i) => i));
    };
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(
          fc.integer({ min: 0, max: 4 }).map((n) => Math.min(n, 3)),
          { minLength: 1, maxLength: 20 },
        ),
        run,
      ),
      { numRuns: 300 },
    );
  });
});
