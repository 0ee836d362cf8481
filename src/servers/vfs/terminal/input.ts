/**
 * What is typed at a terminal, from the host of a console or the master of a pseudo-terminal: through the line discipline,
 * with its echo, signals and readers.
 */
import { IXON } from '../../../abi/termios.ts';
import type { Vfs } from '../state.ts';
import { receive, receiveRoom } from './discipline.ts';
import { emit, postProcess, resume } from './output.ts';
import { TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_START, TIOCPKT_STOP, tellMaster } from './pty-row.ts';
import { inputChannel, type TerminalRow } from './row.ts';

/** Bytes that are taken before the discipline is asked again whether it has room. */
const PIECE = 1024;

/**
 * Takes bytes in. `bounded`: only as many as there is room for, the count of which is returned; the host of a console has
 * nowhere to keep the rest, so there what is too much is lost.
 */
export const feed = (vfs: Vfs, terminal: number, row: TerminalRow, data: Uint8Array, bounded: boolean): number => {
  row.arrived = vfs.context.now();
  let echoed: Uint8Array[] = [];
  const flush = (): void => {
    for (const bytes of echoed) emit(vfs, terminal, row, bytes);
    echoed = [];
  };
  const stopped = row.stopped;
  const effects = {
    echo: (bytes: readonly number[]): void => {
      echoed.push(postProcess(row, bytes));
    },
    signal: (signal: number): void => {
      flush();
      if (row.foreground !== 0) vfs.kernel.raiseSignal(row.foreground, signal);
    },
    discard: (): void => {
      echoed = [];
      tellMaster(vfs, terminal, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    },
    resume: (): void => {
      flush();
      resume(vfs, terminal, row);
    },
    ready: (): void => vfs.wake(inputChannel(terminal)),
  };
  let done = 0;
  while (done < data.length) {
    const room = bounded ? receiveRoom(row) : data.length;
    if (room === 0) break;
    const piece = data.subarray(done, done + Math.min(room, bounded ? PIECE : data.length));
    receive(row, piece, effects);
    done += piece.length;
  }
  flush();
  if (row.termios.iflag & IXON && stopped !== row.stopped) {
    if (row.stopped) tellMaster(vfs, terminal, TIOCPKT_STOP, TIOCPKT_START);
    else tellMaster(vfs, terminal, TIOCPKT_START, TIOCPKT_STOP);
  }
  return done;
};
