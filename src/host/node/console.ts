/**
 * The console of the command: the process's own standard streams. A terminal is switched to raw mode, so that every key
 * goes to the guest's line discipline and Ctrl-C is the guest's; its size is passed on.
 */
import type { ReadStream } from 'node:tty';
import type { GuestProcess, Xinim } from './xinim.ts';

/** Takes console output, holding back while the host's stream is full. */
export class ConsoleOutput {
  #full = false;

  constructor(readonly onDrain: () => void) {}

  readonly write = (_terminal: number, bytes: Uint8Array): number => {
    if (this.#full) return 0;
    // The bytes are a view into a frame that will be used again.
    if (!process.stdout.write(Uint8Array.from(bytes))) {
      this.#full = true;
      process.stdout.once('drain', () => {
        this.#full = false;
        this.onDrain();
      });
    }
    return bytes.length;
  };
}

/** Connects the terminal on standard input to console 0 until the returned function is called. */
export const attachTerminal = (os: Xinim): (() => void) => {
  const stdin = process.stdin as ReadStream;
  const resize = (): void => {
    if (process.stdout.isTTY) os.system.resize(0, process.stdout.rows, process.stdout.columns);
    os.driver.poke();
  };
  const input = (data: Buffer): void => {
    os.system.input(0, data);
    os.driver.poke();
  };
  const end = (): void => {
    os.system.hangup(0);
    os.driver.poke();
  };
  stdin.setRawMode(true);
  stdin.on('data', input);
  stdin.on('end', end);
  process.on('SIGWINCH', resize);
  process.on('SIGHUP', end);
  resize();
  return () => {
    stdin.setRawMode(false);
    stdin.off('data', input);
    stdin.off('end', end);
    stdin.pause();
    process.off('SIGWINCH', resize);
    process.off('SIGHUP', end);
  };
};

/** Copies standard input to a process that reads a stream. Ends its input at the end of ours. */
export const pumpInput = (child: GuestProcess): (() => void) => {
  if (child.stdin === null) return () => {};
  const writer = child.stdin.getWriter();
  const { stdin } = process;
  const data = (chunk: Buffer): void => {
    stdin.pause();
    writer.write(new Uint8Array(chunk)).then(
      () => stdin.resume(),
      () => stdin.pause(),
    );
  };
  const end = (): void => {
    writer.close().catch(() => {});
  };
  stdin.on('data', data);
  stdin.on('end', end);
  stdin.on('error', end);
  stdin.resume();
  return () => {
    stdin.off('data', data);
    stdin.off('end', end);
    stdin.pause();
  };
};

/** Copies what a process writes to a stream of ours; resolves at its end. A reader that went away ends the copy. */
export const pumpOutput = async (from: ReadableStream<Uint8Array> | null, to: NodeJS.WriteStream): Promise<void> => {
  if (from === null) return;
  let broken = false;
  to.on('error', () => {
    broken = true;
  });
  for await (const chunk of from) {
    if (broken) return;
    if (!to.write(chunk))
      await new Promise<void>((resolve) => {
        const go = (): void => {
          to.off('drain', go);
          to.off('error', go);
          resolve();
        };
        to.on('drain', go);
        to.on('error', go);
      });
  }
};
