/**
 * IPC round trips: `ping` on a toy server through a sealed and through a direct port, from the caller's values to the decoded
 * reply, in the same thread.
 *
 * Entry point: `measureIpc`. p50 and p99 are of single round trips, less what reading the clock costs; `meanNs` is over runs of
 * many, the best of several, as the machine may be busy.
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
    const runs = 10;
    let meanNs = Number.POSITIVE_INFINITY;
    for (let run = 0; run < runs; run++) {
      const started = performance.now();
      for (let i = 0; i < roundTrips / runs; i++) ping(i);
      meanNs = Math.min(meanNs, ((performance.now() - started) * 1e6) / (roundTrips / runs));
    }
    const timed = (what: (i: number) => void): Float64Array => {
      const times = new Float64Array(roundTrips);
      for (let i = 0; i < roundTrips; i++) {
        const from = performance.now();
        what(i);
        times[i] = (performance.now() - from) * 1e6;
      }
      return times.sort();
    };
    const clock = quantile(
      timed(() => {}),
      0.5,
    );
    const times = timed(ping);
    const [p50Ns, p99Ns] = [quantile(times, 0.5) - clock, quantile(times, 0.99) - clock];
    const cycles = (ns: number): number => Math.round(ns * REFERENCE_GHZ);
    return { ipc, roundTrips, meanNs, p50Ns, p99Ns, p50Cycles: cycles(p50Ns), p99Cycles: cycles(p99Ns), setUpMs };
  });
