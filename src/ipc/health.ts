/**
 * How a server is doing: its restarts with their reasons, how long each took, and whether it crashes again and again.
 *
 * Entry points: `Health.restarted`, called by the port after each death; `state` and `history` for whoever watches. The last
 * `KEPT` restarts are kept. This is the port's, not the server's, so it survives the server's instances.
 */
import { RoundTrips } from './round-trips.ts';

export interface Restart {
  /** Monotonic nanoseconds. */
  readonly at: number;
  /** The call that ran; `create` if the instance could not be made, `kill` if none ran. */
  readonly call: string;
  readonly reason: string;
  /** Nanoseconds from its death until the next instance was ready. */
  readonly duration: number;
}

/** `failing`: it crashes again and again. `down`: no instance could be made; the next request tries again. */
export type HealthState = 'up' | 'failing' | 'down';

const KEPT = 64;
/** This many restarts in this time are again and again. */
export const OFTEN = 10;
const WINDOW = 10e9;

export class Health {
  readonly history: Restart[] = [];
  /** Times from deaths to new instances. */
  readonly recoveries: RoundTrips;
  down = false;
  readonly #now: () => number;
  #reported = false;

  constructor(now: () => number) {
    this.#now = now;
    this.recoveries = new RoundTrips(now);
  }

  get last(): Restart | undefined {
    return this.history.at(-1);
  }

  get state(): HealthState {
    return this.down ? 'down' : this.#often() ? 'failing' : 'up';
  }

  /** Enters a restart. True if by this one it has become a server that crashes again and again. */
  restarted(call: string, error: unknown, since: number): boolean {
    const at = this.#now();
    const duration = Math.max(0, at - since);
    const reason = error instanceof Error ? error.message : String(error);
    this.history.push({ at, call, reason, duration });
    if (this.history.length > KEPT) this.history.shift();
    this.recoveries.record(duration);
    const often = this.#often();
    const news = often && !this.#reported;
    this.#reported = often;
    return news;
  }

  #often(): boolean {
    const first = this.history.at(-OFTEN);
    return first !== undefined && this.#now() - first.at < WINDOW;
  }
}
