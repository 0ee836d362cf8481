/**
 * A toy server over a toy store, for the tests and the benchmark of this folder: a counter, a queue of numbers with waiting
 * readers, and handlers that crash or fault on demand.
 *
 * Entry points: `toyProtocol`, `toyServer`, `ToyHost`. The host's store is one map that is copied at `begin`, the slow and
 * obvious twin of the kernel's transactional store.
 */
import { EAGAIN, type Errno } from '../abi/errno.ts';
import { bool, bytes, i32, i53, list, text } from './fields.ts';
import type { KernelCalls } from './kernel-calls.ts';
import type { PortHost, UntypedPort } from './port.ts';
import { call, protocol } from './protocol.ts';
import { FaultPending, type ServerContext, type ServerDefinition, wait } from './server.ts';
import type { Store } from './store.ts';

export const toyProtocol = protocol('toy', 500, {
  ping: call(500, 'Answers at once.', { value: i32 }, { result: i32 }),
  add: call(501, 'Adds to the counter.', { amount: i53 }, { total: i53 }),
  put: call(502, 'Puts a number into the queue and wakes readers.', { value: i32 }, {}),
  take: call(503, 'Takes a number, waiting for one.', { block: bool, timeout: i53 }, { value: i32, reason: text }),
  touch: call(504, 'Adds to the counter, then touches a page that may be absent.', { page: i32 }, { total: i53 }),
  echo: call(
    505,
    'Returns its arguments.',
    { name: text, data: bytes, numbers: list(i53) },
    { name: text, data: bytes, numbers: list(i53) },
  ),
  dawdle: call(
    506,
    'Waits on a channel, and wakes another each time it runs.',
    { on: text, wakes: text },
    { runs: i32 },
  ),
  broken: call(507, 'Returns something that is no reply.', {}, { result: i32 }),
});

export class ToyHost implements PortHost {
  time = 0;
  state = new Map<string, number[]>();
  readonly completions: [token: number, outcome: object | Errno][] = [];
  readonly crashes: string[] = [];
  readonly faults: number[] = [];
  readonly present = new Set<number>();
  instances = 0;
  /** How many of the next creations of the server throw. */
  failingCreations = 0;
  commits = 0;
  /** Times that the server was said to crash again and again. */
  reports = 0;
  /** Set by the test once the port exists. */
  port: UntypedPort | undefined;
  onFault: ((token: number) => void) | undefined;
  onCompleted: ((token: number, outcome: object | Errno) => void) | undefined;
  #saved: Map<string, number[]> | undefined;

  begin(): void {
    if (this.#saved !== undefined) throw new Error('a transaction is open');
    this.#saved = new Map([...this.state].map(([key, row]) => [key, [...row]]));
  }

  commit(): void {
    if (this.#saved === undefined) throw new Error('no transaction is open');
    this.#saved = undefined;
    this.commits++;
  }

  rollback(): void {
    if (this.#saved === undefined) throw new Error('no transaction is open');
    this.state = this.#saved;
    this.#saved = undefined;
  }

  createContext(wake: (channel: string) => void): ServerContext {
    this.instances++;
    return {
      store: undefined as unknown as Store,
      kernel: undefined as unknown as KernelCalls,
      now: () => this.time,
      realtime: () => ({ seconds: 0, nanoseconds: 0 }),
      copyIn: ({ id }) => {
        if (!this.present.has(id)) throw new FaultPending();
        return new Uint8Array(0);
      },
      copyOut: () => 0,
      wake,
      random: (length) => new Uint8Array(length),
    };
  }

  completed(token: number, outcome: object | Errno): void {
    this.completions.push([token, outcome]);
    this.onCompleted?.(token, outcome);
  }

  faulted(token: number): void {
    this.faults.push(token);
    this.onFault?.(token);
  }

  crashed(name: string, _error: unknown, again: boolean): void {
    this.crashes.push(name);
    if (again) this.reports++;
  }

  now(): number {
    return this.time;
  }
}

/** The toy server over the state of its host. */
export const toyServer = (host: ToyHost): ServerDefinition<typeof toyProtocol> => ({
  name: 'toy',
  pid: 5,
  protocol: toyProtocol,
  create: (context) => {
    if (host.failingCreations-- > 0) throw new Error('cannot be created');
    const row = (name: string): number[] => {
      let numbers = host.state.get(name);
      if (numbers === undefined) host.state.set(name, (numbers = []));
      return numbers;
    };
    const bump = (amount: number): number => {
      const counter = row('counter');
      counter[0] = (counter[0] ?? 0) + amount;
      return counter[0];
    };
    return {
      ping: ({ value }) => ({ result: value }),
      add: ({ amount }) => ({ total: bump(amount) }),
      put: ({ value }) => {
        row('queue').push(value);
        context.wake('queue');
        return {};
      },
      take: ({ block, timeout }, delivery) => {
        const value = row('queue').shift();
        if (value !== undefined) return { value, reason: delivery.reason };
        if (delivery.reason === 'timeout') return { value: -1, reason: delivery.reason };
        if (!block) return EAGAIN;
        return wait(['queue'], {
          deadline: timeout < 0 ? undefined : delivery.since + timeout,
          state: delivery.state + 1,
        });
      },
      touch: ({ page }) => {
        const total = bump(1);
        context.copyIn({ id: page, length: 1 }, 0, 1);
        return { total };
      },
      echo: (request) => request,
      dawdle: ({ on, wakes }, delivery) => {
        if (delivery.reason === 'cancelled') return { runs: delivery.state };
        if (wakes !== '') context.wake(wakes);
        return wait([on], { state: delivery.state + 1 });
      },
      broken: () => undefined as unknown as { result: number },
    };
  },
});
