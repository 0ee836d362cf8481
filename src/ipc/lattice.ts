/**
 * Lattice: what the kernel makes at boot to talk to its servers. Holds the frames' memory and the sealing kernel that all
 * channels share.
 *
 * Entry points: `new Lattice({ipc, random})`, then `lattice.port(definition, host)` for each server,
 * `lattice.endpoints` for user programs. See inline-port.ts for the
 * rules of a port, handshake.ts for keys, seal/ for frames.
 */
import { Endpoints } from './endpoint.ts';
import { FrameArena } from './frame.ts';
import type { Entropy } from './handshake.ts';
import { InlinePort, type WireHook } from './inline-port.ts';
import type { IpcLog } from './log.ts';
import type { PortHost } from './port.ts';
import type { Protocol } from './protocol.ts';
import type { RoundTrips } from './round-trips.ts';
import { Sealing } from './seal/end.ts';
import type { ServerDefinition } from './server.ts';
import type { ChaosHook } from './server-loop.ts';

export interface LatticeOptions {
  /** `sealed` by default; `direct` encodes and decodes but does not encrypt. */
  readonly ipc?: 'sealed' | 'direct';
  /** Cryptographically random bytes of the platform. */
  readonly random: Entropy;
  readonly log?: IpcLog;
}

export interface PortOptions {
  readonly chaosHook?: ChaosHook;
  readonly roundTrips?: RoundTrips;
  readonly wire?: WireHook;
}

export class Lattice {
  readonly arena = new FrameArena();
  readonly sealing: Sealing | undefined;
  readonly #random: Entropy;
  readonly #log: IpcLog | undefined;
  #endpoints: Endpoints | undefined;

  constructor(options: LatticeOptions) {
    this.#random = options.random;
    this.#log = options.log;
    if (options.ipc !== 'direct') this.sealing = new Sealing(this.arena);
  }

  /** Starts a server in this thread and opens the kernel's channel to it. Throws if the server cannot be created. */
  port<P extends Protocol>(definition: ServerDefinition<P>, host: PortHost, options: PortOptions = {}): InlinePort<P> {
    return new InlinePort(definition, host, {
      arena: this.arena,
      sealing: this.sealing,
      random: this.#random,
      log: this.#log,
      ...options,
    });
  }

  /** The endpoints of user programs, made on first use. */
  get endpoints(): Endpoints {
    this.#endpoints ??= new Endpoints(
      { frame: this.arena.carve(), sealing: this.sealing, random: this.#random },
      this.#log,
    );
    return this.#endpoints;
  }
}
