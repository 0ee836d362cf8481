/**
 * The kernel's clocks. The monotonic one is the platform's, counted from boot; the time of day is the same clock plus a
 * *base*: what the platform said at boot plus what root has set since. So both advance alike, and who knows the base and
 * the time stamp counter, which counts the monotonic nanoseconds, knows the time of day without asking (vdso/).
 */
import type { Platform } from './platform.ts';

export interface TimeOfDay {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const SECOND = 1e9;
/** The platform's own time of day may stray this far from ours before it is followed: its clocks are read one after the other. */
const STRAY = 1e6;

export class Timekeeper {
  /** The platform's monotonic time at boot. */
  readonly origin: number;
  readonly bootTime: TimeOfDay;
  readonly #platform: Platform;
  /** Told when the base has changed. */
  readonly #shifted: () => void;
  /** The base; nanoseconds below a second. */
  #seconds: number;
  #nanoseconds: number;
  /** What was set differs from the platform's time by this. */
  #ahead = 0;

  constructor(platform: Platform, shifted: () => void) {
    this.#platform = platform;
    this.#shifted = shifted;
    this.origin = platform.monotonic();
    this.bootTime = platform.realtime();
    this.#seconds = this.bootTime.seconds;
    this.#nanoseconds = Math.floor(this.bootTime.nanoseconds);
  }

  /** Nanoseconds since boot. */
  now(): number {
    return this.#platform.monotonic() - this.origin;
  }

  realtime(): TimeOfDay {
    const total = this.#nanoseconds + Math.floor(this.now());
    const carry = Math.floor(total / SECOND);
    return { seconds: this.#seconds + carry, nanoseconds: total - carry * SECOND };
  }

  /** Time of day at boot in nanoseconds since the epoch, as 64 bits: add the monotonic time for that of now. */
  get base(): bigint {
    return BigInt(this.#seconds) * 1_000_000_000n + BigInt(this.#nanoseconds);
  }

  /** Makes it this time of day now. */
  set(time: TimeOfDay): void {
    const platform = this.#platform.realtime();
    this.#ahead = (time.seconds - platform.seconds) * SECOND + (time.nanoseconds - platform.nanoseconds);
    this.#shift(time);
  }

  /** The platform's time of day may have been set: ours goes with it. */
  follow(): void {
    const platform = this.#platform.realtime();
    const here = this.realtime();
    const stray = (platform.seconds - here.seconds) * SECOND + (platform.nanoseconds - here.nanoseconds) + this.#ahead;
    if (Math.abs(stray) > STRAY) this.#shift({ seconds: here.seconds, nanoseconds: here.nanoseconds + stray });
  }

  #shift({ seconds, nanoseconds }: TimeOfDay): void {
    const total = Math.floor(nanoseconds) - Math.floor(this.now());
    const carry = Math.floor(total / SECOND);
    this.#seconds = seconds + carry;
    this.#nanoseconds = total - carry * SECOND;
    this.#shifted();
  }
}
