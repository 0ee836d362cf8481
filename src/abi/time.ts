/**
 * Clocks and the layouts of times: `struct timespec` (seconds, nanoseconds), `struct timeval` (seconds, microseconds),
 * `struct itimerval` and `struct itimerspec` (interval, value); each member is 64 bits.
 *
 * Inside the system a time is a number of nanoseconds. A number counts nanoseconds exactly up to 2^53 (104 days); later
 * deadlines lose the last digits, which no one can tell.
 */

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
export const CLOCK_MONOTONIC_RAW = 4;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_MONOTONIC_COARSE = 6;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const CLOCK_TAI = 11;

export const TIMER_ABSTIME = 1;

export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;

export const NANOSECONDS = 1_000_000_000;
/** `clock_t` and the times in siginfo count these. */
export const TICKS_PER_SECOND = 100;
const TICK = NANOSECONDS / TICKS_PER_SECOND;

export const ticks = (nanoseconds: number): number => Math.floor(nanoseconds / TICK);

export const TIMESPEC_BYTES = 16;
export const TIMEVAL_BYTES = 16;
export const ITIMERVAL_BYTES = 32;

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const decode = (bytes: Uint8Array, offset: number, fraction: number): number | undefined => {
  const seconds = Number(view(bytes).getBigInt64(offset, true));
  const part = Number(view(bytes).getBigInt64(offset + 8, true));
  if (seconds < 0 || part < 0 || part >= fraction) return undefined;
  return seconds * NANOSECONDS + part * (NANOSECONDS / fraction);
};

const encode = (bytes: Uint8Array, offset: number, nanoseconds: number, fraction: number): void => {
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  view(bytes).setBigInt64(offset, BigInt(seconds), true);
  const part = Math.floor((nanoseconds - seconds * NANOSECONDS) / (NANOSECONDS / fraction));
  view(bytes).setBigInt64(offset + 8, BigInt(part), true);
};

/** Nanoseconds, or undefined for what is not a time (EINVAL): negative, or a fraction past its unit. */
export const decodeTimespec = (bytes: Uint8Array, offset = 0): number | undefined => decode(bytes, offset, NANOSECONDS);
export const decodeTimeval = (bytes: Uint8Array, offset = 0): number | undefined => decode(bytes, offset, 1_000_000);

export const encodeTimespec = (nanoseconds: number): Uint8Array => {
  const bytes = new Uint8Array(TIMESPEC_BYTES);
  encode(bytes, 0, nanoseconds, NANOSECONDS);
  return bytes;
};

/** Writes a timeval into a structure. */
export const putTimeval = (bytes: Uint8Array, offset: number, nanoseconds: number): void =>
  encode(bytes, offset, nanoseconds, 1_000_000);

export const encodeItimerval = (interval: number, value: number): Uint8Array => {
  const bytes = new Uint8Array(ITIMERVAL_BYTES);
  putTimeval(bytes, 0, interval);
  putTimeval(bytes, 16, value);
  return bytes;
};

export const encodeItimerspec = (interval: number, value: number): Uint8Array => {
  const bytes = new Uint8Array(ITIMERVAL_BYTES);
  encode(bytes, 0, interval, NANOSECONDS);
  encode(bytes, 16, value, NANOSECONDS);
  return bytes;
};
