/**
 * Resource limits, usage and priorities: numbers and layouts (getrlimit(2), getrusage(2), getpriority(2), times(2)).
 *
 *     struct rlimit (16)   0 soft   8 hard, RLIM_INFINITY = 2^64 − 1, here `Infinity`
 *     struct rusage (144)  0 utime   16 stime   32 maxrss (KiB)   64 minflt   72 majflt   128 nvcsw   136 nivcsw
 *     struct tms (32)      0 utime   8 stime   16 cutime   24 cstime (clock ticks)
 */
import { putTimeval, ticks } from './time.ts';

export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 10;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIMIT_RTTIME = 15;
export const RLIMIT_COUNT = 16;

/** Name by number, as strace prints them. */
export const RLIMITS: Readonly<Record<string, number>> = {
  RLIMIT_CPU,
  RLIMIT_FSIZE,
  RLIMIT_DATA,
  RLIMIT_STACK,
  RLIMIT_CORE,
  RLIMIT_RSS,
  RLIMIT_NPROC,
  RLIMIT_NOFILE,
  RLIMIT_MEMLOCK,
  RLIMIT_AS,
  RLIMIT_LOCKS,
  RLIMIT_SIGPENDING,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_RTPRIO,
  RLIMIT_RTTIME,
};

export type Limit = readonly [soft: number, hard: number];

/** RLIMIT_NOFILE cannot be raised past this (/proc/sys/fs/nr_open). */
export const NR_OPEN = 1_048_576;

const UNLIMITED: Limit = [Infinity, Infinity];

/**
 * Processes and threads that a system of so many bytes of memory may have at once: an eighth of memory for stacks of 16 KiB
 * (set_max_threads), and no more than there are numbers.
 */
export const maximalTasks = (memory: number): number =>
  Math.min(32_768, Math.max(20, Math.floor(memory / (8 * 16_384))));

/** Limits of init, by RLIMIT number; a user may have half of the tasks, and as many signals pending. */
export const defaultLimits = (memory: number): readonly Limit[] => {
  const tasks = Math.floor(maximalTasks(memory) / 2);
  return LIMITS.map((limit, index) => (index === RLIMIT_NPROC || index === RLIMIT_SIGPENDING ? [tasks, tasks] : limit));
};

const LIMITS: readonly Limit[] = [
  UNLIMITED,
  UNLIMITED,
  UNLIMITED,
  [8 * 1024 * 1024, Infinity],
  [0, Infinity],
  UNLIMITED,
  UNLIMITED,
  [1024, 4096],
  [8 * 1024 * 1024, 8 * 1024 * 1024],
  UNLIMITED,
  UNLIMITED,
  UNLIMITED,
  [819_200, 819_200],
  [0, 0],
  [0, 0],
  UNLIMITED,
];

export const RLIMIT_BYTES = 16;
export const RUSAGE_BYTES = 144;
export const TMS_BYTES = 32;

export const RUSAGE_SELF = 0;
export const RUSAGE_CHILDREN = -1;
export const RUSAGE_THREAD = 1;

export const PRIO_PROCESS = 0;
export const PRIO_PGRP = 1;
export const PRIO_USER = 2;

const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const decodeRlimit = (bytes: Uint8Array): Limit => {
  const take = (offset: number): number => {
    const value = viewOf(bytes).getBigUint64(offset, true);
    return value === RLIM_INFINITY ? Infinity : Number(value);
  };
  return [take(0), take(8)];
};

export const encodeRlimit = ([soft, hard]: Limit): Uint8Array => {
  const bytes = new Uint8Array(RLIMIT_BYTES);
  const put = (offset: number, value: number): void =>
    viewOf(bytes).setBigUint64(offset, Number.isFinite(value) ? BigInt(value) : RLIM_INFINITY, true);
  put(0, soft);
  put(8, hard);
  return bytes;
};

/** What a process, or its reaped children together, have used. Times in nanoseconds, `maxRss` in KiB. */
export interface Usage {
  readonly userTime: number;
  readonly systemTime: number;
  readonly maxRss: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

export const NO_USAGE: Usage = { userTime: 0, systemTime: 0, maxRss: 0, minorFaults: 0, majorFaults: 0 };

/** Usage of two together: all adds up but the peak of memory, which is the greater one. */
export const addUsage = (a: Usage, b: Usage): Usage => ({
  userTime: a.userTime + b.userTime,
  systemTime: a.systemTime + b.systemTime,
  maxRss: Math.max(a.maxRss, b.maxRss),
  minorFaults: a.minorFaults + b.minorFaults,
  majorFaults: a.majorFaults + b.majorFaults,
});

export const encodeRusage = (usage: Usage): Uint8Array => {
  const bytes = new Uint8Array(RUSAGE_BYTES);
  const view = viewOf(bytes);
  putTimeval(bytes, 0, usage.userTime);
  putTimeval(bytes, 16, usage.systemTime);
  view.setBigInt64(32, BigInt(usage.maxRss), true);
  view.setBigInt64(64, BigInt(usage.minorFaults), true);
  view.setBigInt64(72, BigInt(usage.majorFaults), true);
  return bytes;
};

export const encodeTms = (self: Usage, children: Usage): Uint8Array => {
  const bytes = new Uint8Array(TMS_BYTES);
  const times = [self.userTime, self.systemTime, children.userTime, children.systemTime];
  times.forEach((time, index) => {
    viewOf(bytes).setBigInt64(index * 8, BigInt(ticks(time)), true);
  });
  return bytes;
};
