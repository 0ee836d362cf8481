/**
 * Output processing of a terminal (termios(3), c_oflag) and the way to the host. What the host does not take at once waits
 * in the row's `pending`; nobody may write before that has gone.
 */
import { OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, XTABS } from '../../../abi/termios.ts';
import type { Vfs } from '../state.ts';
import { outputChannel, type TerminalRow } from './row.ts';

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BACKSPACE = 8;

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

/** Hands pending output to the host. True if nothing is left. */
export const drain = (vfs: Vfs, terminal: number, row: TerminalRow): boolean => {
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
  else {
    const joined = new Uint8Array(row.pending.length + bytes.length);
    joined.set(row.pending);
    joined.set(bytes, row.pending.length);
    row.pending = joined;
  }
  drain(vfs, terminal, row);
};

/** Output goes on: ^Q, TCOON, the host can take more. */
export const resume = (vfs: Vfs, terminal: number, row: TerminalRow): void => {
  row.stopped = false;
  drain(vfs, terminal, row);
  vfs.wake(outputChannel(terminal));
};
