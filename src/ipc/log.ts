/**
 * The IPC log: one line a message between named endpoints, with the fields decoded as the protocol declares them.
 *
 *     12.003456 kernel→vfs     #17 openFile {dirfd=-100, path="/etc/passwd", flags=0, mode=0}  pid 5
 *     12.003470 vfs→kernel     #17 openFile = {result=3}
 *     12.003991 kernel→vfs     #18 read {fd=0, buf=grant#4[1]}  pid 5
 *     12.003999 vfs→kernel     #18 read … waits on tty:0:input
 *     14.100021 vfs→kernel     #18 read ! EINTR
 *
 * Entry point: `IpcLog`. A port without one pays a comparison with undefined a message.
 */
import { Errno } from '../abi/errno.ts';
import type { CallCodec } from './codec.ts';
import type { Caller, Wait } from './server.ts';

const ARROW_COLUMN = 16;

export class IpcLog {
  readonly #sink: (line: string) => void;
  readonly #now: () => number;

  /** `now` is in monotonic nanoseconds. */
  constructor(sink: (line: string) => void, now: () => number) {
    this.#sink = sink;
    this.#now = now;
  }

  #line(from: string, to: string, token: number, text: string): void {
    const nanoseconds = this.#now();
    const seconds = Math.floor(nanoseconds / 1e9);
    const micros = Math.floor((nanoseconds % 1e9) / 1e3);
    this.#sink(
      `${seconds}.${String(micros).padStart(6, '0')} ${`${from}→${to}`.padEnd(ARROW_COLUMN)} #${token} ${text}`,
    );
  }

  request(
    from: string,
    to: string,
    token: number,
    caller: Caller,
    call: CallCodec,
    values: Readonly<Record<string, unknown>>,
  ): void {
    this.#line(from, to, token, `${call.name} ${call.request.show(values)}  pid ${caller.pid}`);
  }

  answer(from: string, to: string, token: number, call: CallCodec, outcome: object): void {
    const text =
      outcome instanceof Errno
        ? `! ${outcome.name}`
        : `= ${call.reply.show(outcome as Readonly<Record<string, unknown>>)}`;
    this.#line(from, to, token, `${call.name} ${text}`);
  }

  waits(from: string, to: string, token: number, call: CallCodec, wish: Wait): void {
    const until = wish.deadline === undefined ? '' : ` until ${(wish.deadline / 1e9).toFixed(6)}`;
    const on = wish.channels.length === 0 ? 'its deadline' : wish.channels.join(', ');
    this.#line(from, to, token, `${call.name} … waits on ${on}${until}`);
  }

  /** Anything else worth a line: a crash, a restart, a frame that was refused. */
  event(from: string, to: string, token: number, text: string): void {
    this.#line(from, to, token, text);
  }

  /** A message between user endpoints, whose body is theirs. */
  datagram(from: string, to: string, count: number, bytes: number): void {
    this.#line(from, to, count, `datagram [${bytes} bytes]`);
  }
}
