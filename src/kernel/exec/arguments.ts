/** What execve is asked for, and how much its arguments and environment may take (execve(2), "Limits on size of arguments"). */
import type { Process } from '../process.ts';

export interface ExecRequest {
  readonly dirfd: number;
  readonly path: string;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  /** AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
  readonly flags: number;
}

/** Longest single string of arguments or environment (MAX_ARG_STRLEN). */
export const MAX_STRING = 131_072;

/** Arguments and environment may take a quarter of the stack limit, at least 128 KiB, at most 6 MiB. */
export const argumentLimit = (process: Process): number =>
  Math.max(Math.min((process.identity.limits[3]?.[0] ?? 8 << 20) / 4, 6 << 20), 128 * 1024);
