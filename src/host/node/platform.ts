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
/** Small wishes are served from a buffer: a call of the generator costs more than its bytes. */
const RESERVE = 4096;
const SMALL = 256;

/** Random bytes, each handed out once; what is handed out is overwritten in the buffer. */
const entropySource = (): ((length: number) => Uint8Array) => {
  const reserve = new Uint8Array(RESERVE);
  let used = RESERVE;
  return (length) => {
    const bytes = new Uint8Array(length);
    if (length <= SMALL) {
      if (used + length > RESERVE) {
        webcrypto.getRandomValues(reserve);
        used = 0;
      }
      bytes.set(reserve.subarray(used, used + length));
      reserve.fill(0, used, used + length);
      used += length;
      return bytes;
    }
    for (let start = 0; start < length; start += ENTROPY_CHUNK)
      webcrypto.getRandomValues(bytes.subarray(start, start + ENTROPY_CHUNK));
    return bytes;
  };
};

export const nodePlatform = (options: NodePlatformOptions = {}): Platform => ({
  monotonic: () => Math.round(performance.now() * 1e6),
  realtime() {
    const micros = Math.round((performance.timeOrigin + performance.now()) * 1e3);
    const seconds = Math.floor(micros / 1e6);
    return { seconds, nanoseconds: (micros - seconds * 1e6) * 1000 };
  },
  entropy: entropySource(),
  consoleWrite: (terminal, bytes) => options.console?.(terminal, bytes) ?? bytes.length,
  log: (line) => options.log?.(line),
});
