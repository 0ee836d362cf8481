/** Clock, entropy and log of Node.js, as the kernel wants them. */
import { webcrypto } from 'node:crypto';
import type { Platform } from '../../kernel/platform.ts';

export interface NodePlatformOptions {
  /** Takes what a guest writes to a console and returns how many bytes it took. */
  readonly console?: (terminal: number, bytes: Uint8Array) => number;
  /** Takes lines of the system log; without it they are dropped. */
  readonly log?: (line: string) => void;
}

/** getRandomValues gives at most this much a call. */
const ENTROPY_CHUNK = 65536;

export const nodePlatform = (options: NodePlatformOptions = {}): Platform => ({
  monotonic: () => Math.round(performance.now() * 1e6),
  realtime() {
    const micros = Math.round((performance.timeOrigin + performance.now()) * 1e3);
    const seconds = Math.floor(micros / 1e6);
    return { seconds, nanoseconds: (micros - seconds * 1e6) * 1000 };
  },
  entropy(length) {
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += ENTROPY_CHUNK)
      webcrypto.getRandomValues(bytes.subarray(start, start + ENTROPY_CHUNK));
    return bytes;
  },
  consoleWrite: (terminal, bytes) => options.console?.(terminal, bytes) ?? bytes.length,
  log: (line) => options.log?.(line),
});
