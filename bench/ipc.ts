/**
 * IPC round trips: `ping` on a toy server through a sealed and through a direct port, from the caller's values to the decoded
 * reply, in the same thread.
 *
 * Entry point: `measureIpc`. Times are of single round trips where the clock is fine enough for them, which costs each about
 * 40 ns; `meanNs` is over a whole run and has no such cost.
 */
import { randomBytes } from 'node:crypto';
import { Lattice } from '../src/ipc/lattice.ts';
import type { PortHost } from '../src/ipc/port.ts';
import { ToyHost, toyProtocol, toyServer } from '../src/ipc/toy.ts';

/** The clock in which the reference states its cycles. */
const REFERENCE_GHZ = 2.4;

export interface IpcFigures {
  readonly ipc: 'sealed' | 'direct';
  readonly roundTrips: number;
  readonly meanNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  /** At 2.4 GHz. */
  readonly p50Cycles: number;
  readonly p99Cycles: number;
  /** Making the channel: handshake, keys and the first instance. */
  readonly setUpMs: number;
}

/** A host whose transactions cost nothing, so that only Lattice is measured. */
class BareHost extends ToyHost implements PortHost {
  override begin(): void {}
  override commit(): void {}
  override rollback(): void {}
}

const quantile = (sorted: Float64Array, q: number): number => sorted[Math.floor(sorted.length * q)];

/** Measures both kinds of port. `roundTrips` are made after as many for warming up. */
export const measureIpc = (roundTrips = 100_000): IpcFigures[] =>
  (['sealed', 'direct'] as const).map((ipc) => {
    const host = new BareHost();
    const lattice = new Lattice({ ipc, random: (length) => randomBytes(length) });
    const opened = performance.now();
    const port = lattice.port(toyServer(host), host);
    const setUpMs = performance.now() - opened;
    const caller = { pid: 5, tid: 5 };
    const ping = (value: number): void => {
      const reply = port.request(caller, 'ping', { value });
      if (!('result' in reply) || reply.result !== value) throw new Error(`${toyProtocol.name} lost a ping`);
    };
    for (let i = 0; i < roundTrips; i++) ping(i);
    const started = process.hrtime.bigint();
    for (let i = 0; i < roundTrips; i++) ping(i);
    const meanNs = Number(process.hrtime.bigint() - started) / roundTrips;
    const times = new Float64Array(roundTrips);
    for (let i = 0; i < roundTrips; i++) {
      const from = process.hrtime.bigint();
      ping(i);
      times[i] = Number(process.hrtime.bigint() - from);
    }
    times.sort();
    const [p50Ns, p99Ns] = [quantile(times, 0.5), quantile(times, 0.99)];
    const cycles = (ns: number): number => Math.round(ns * REFERENCE_GHZ);
    return { ipc, roundTrips, meanNs, p50Ns, p99Ns, p50Cycles: cycles(p50Ns), p99Cycles: cycles(p99Ns), setUpMs };
  });
