/**
 * What the kernel needs of the outside: the only way in which it reaches a clock, randomness or a console. src/host has
 * one for each platform, tests have one with a virtual clock. All calls are synchronous and cheap.
 */
export interface Platform {
  /** Nanoseconds of a clock that never goes back; the zero point does not matter. */
  monotonic(): number;
  /** Time of day since the epoch. */
  realtime(): { seconds: number; nanoseconds: number };
  /** Cryptographically strong random bytes. */
  entropy(length: number): Uint8Array;
  /** Bytes that a guest wrote to a console: how many of them were taken. */
  consoleWrite(terminal: number, bytes: Uint8Array): number;
  /** One line of the system log. */
  log(line: string): void;
}
