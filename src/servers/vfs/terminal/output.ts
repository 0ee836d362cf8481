/**
 * Output processing of a terminal (termios(3), c_oflag) and the way to the host or to the master of a pseudo-terminal. What is
 * not taken at once waits in the row's `pending`; nobody may write before that has gone.
 */
import { POLLIN, POLLRDNORM } from '../../../abi/poll.ts';
import { OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, XTABS } from '../../../abi/termios.ts';
import type { Vfs } from '../state.ts';
import { editPty, isPty, masterChannel, PTY_BUFFER, ptyOf } from './pty-row.ts';
import { outputChannel, type TerminalRow } from './row.ts';

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BACKSPACE = 8;
const nothing = new Uint8Array(0);

/** Applies OPOST processing and keeps track of the column. */
export const postProcess = (row: TerminalRow, bytes: Uint8Array | readonly number[]): Uint8Array => {
  const { oflag } = row.termios;
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i];
    if ((oflag & OPOST) === 0) {
      out.push(byte);
      continue;
    }
    if (byte === NEWLINE) {
      if (oflag & ONLCR) out.push(RETURN);
      if (oflag & (ONLCR | ONLRET)) row.column = 0;
    } else if (byte === RETURN) {
      if (oflag & ONOCR && row.column === 0) continue;
      if (oflag & OCRNL) {
        byte = NEWLINE;
        if (oflag & ONLRET) row.column = 0;
      } else row.column = 0;
    } else if (byte === TAB) {
      const width = 8 - (row.column & 7);
      row.column += width;
      if ((oflag & XTABS) === XTABS) {
        for (let k = 0; k < width; k++) out.push(32);
        continue;
      }
    } else if (byte === BACKSPACE) row.column = Math.max(0, row.column - 1);
    else {
      if (oflag & OLCUC && byte >= 97 && byte <= 122) byte -= 32;
      // Continuation bytes of UTF-8 and control characters take no column.
      if (byte >= 32 && byte !== 127 && (byte & 0xc0) !== 0x80) row.column++;
    }
    out.push(byte);
  }
  return Uint8Array.from(out);
};

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
};

/** Shorter pieces of output are joined with the next. */
const SMALL = 512;
/** Echo that nobody reads is kept to this length and then lost; programs wait long before. */
const ECHO_MAX = 2 * PTY_BUFFER;

/** Hands pending output to the master. True if there is room for more. */
const drainToMaster = (vfs: Vfs, terminal: number, row: TerminalRow): boolean => {
  const pty = ptyOf(vfs, terminal);
  if (pty === undefined || !pty.masterOpen) {
    row.pending = nothing;
    return true;
  }
  if (row.pending.length === 0 || row.stopped) return pty.outputLength < PTY_BUFFER && row.pending.length === 0;
  if (pty.outputLength < ECHO_MAX) {
    const changed = editPty(vfs, terminal)!;
    const last = pty.output[pty.output.length - 1];
    changed.output =
      last !== undefined && last.length < SMALL && row.pending.length < SMALL
        ? [...pty.output.slice(0, -1), joined(last, row.pending)]
        : [...pty.output, row.pending];
    changed.outputLength += row.pending.length;
    vfs.wake(masterChannel(terminal), POLLIN | POLLRDNORM);
  }
  row.pending = nothing;
  return ptyOf(vfs, terminal)!.outputLength < PTY_BUFFER;
};

/** Hands pending output to the host or the master. True if nothing is left, and more may come. */
export const drain = (vfs: Vfs, terminal: number, row: TerminalRow): boolean => {
  if (isPty(terminal)) return drainToMaster(vfs, terminal, row);
  if (row.pending.length === 0) return true;
  if (row.stopped) return false;
  const taken = vfs.kernel.consoleWrite(terminal, row.pending);
  row.pending = row.pending.slice(taken);
  return row.pending.length === 0;
};

/** Queues processed output and hands over what the host takes. */
export const emit = (vfs: Vfs, terminal: number, row: TerminalRow, bytes: Uint8Array): void => {
  if (bytes.length === 0) return;
  if (row.pending.length === 0) row.pending = bytes;
  else if (!isPty(terminal) || row.pending.length < ECHO_MAX) row.pending = joined(row.pending, bytes);
  drain(vfs, terminal, row);
};

/** tcdrain(3): whether all has gone. A master's buffer counts as the line. */
export const drained = (vfs: Vfs, terminal: number, row: TerminalRow): boolean =>
  isPty(terminal) || drain(vfs, terminal, row);

/** Output goes on: ^Q, TCOON, the host can take more. */
export const resume = (vfs: Vfs, terminal: number, row: TerminalRow): void => {
  row.stopped = false;
  drain(vfs, terminal, row);
  vfs.wake(outputChannel(terminal));
};
