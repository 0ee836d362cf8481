/** Formats that proc(5) uses again and again. */
import type { ProcessView } from '../../ipc/kernel-calls.ts';

export const PAGE = 4096;
/** Clock ticks a second (USER_HZ). */
const TICK = 10_000_000;

export const ticks = (nanoseconds: number): number => Math.floor(nanoseconds / TICK);
export const pages = (bytes: number): number => Math.ceil(bytes / PAGE);
export const kilobytes = (bytes: number): number => Math.floor(bytes / 1024);
export const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');
export const mask = (value: bigint): string => value.toString(16).padStart(16, '0');

/** Seconds with two digits, as in /proc/uptime. */
export const hundredths = (nanoseconds: number): string => {
  const value = Math.floor(nanoseconds / TICK);
  return `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`;
};

export const stateNames: Readonly<Record<ProcessView['state'], string>> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  T: 'T (stopped)',
  Z: 'Z (zombie)',
};

/** Path characters that would break a line of /proc/mounts. */
export const escapePath = (path: string): string =>
  path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
