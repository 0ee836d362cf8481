/**
 * The line discipline: what a typed byte does. termios(3), "Canonical and noncanonical mode", as Linux's n_tty does it.
 *
 * `receive` works on a terminal's row alone and tells the caller, through `Effects`, what to echo and whom to signal, so that
 * it can be tested without a system.
 */
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ECHOPRT,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  IMAXBEL,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IUTF8,
  IXANY,
  IXON,
  NOFLSH,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VWERASE,
} from '../../../abi/termios.ts';
import type { TerminalRow } from './row.ts';

const SIGINT = 2;
const SIGQUIT = 3;
const SIGTSTP = 20;

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BELL = 7;
const BACKSLASH = 92;
const SLASH = 47;
/** Longest line, its delimiter included (N_TTY_BUF_SIZE). */
const LINE_MAX = 4096;

export interface Effects {
  /** Bytes to show; they still go through output processing. */
  echo(bytes: readonly number[]): void;
  /** A signal for the foreground group. */
  signal(signal: number): void;
  /** What was typed and its echo that is not shown yet are dropped, for a signal. */
  discard(): void;
  /** Output that was stopped goes on. */
  resume(): void;
  /** Something can be read now. */
  ready(): void;
}

/** A control character that is set (0 is _POSIX_VDISABLE) and equals the byte. */
const isCharacter = (row: TerminalRow, index: number, byte: number): boolean =>
  row.termios.cc[index] !== 0 && row.termios.cc[index] === byte;

const isControl = (byte: number): boolean => byte < 32 || byte === 127;

/** How a byte is echoed: control characters as ^X with ECHOCTL, tab and newline as they are. */
const shown = (row: TerminalRow, byte: number): number[] =>
  isControl(byte) && byte !== TAB && byte !== NEWLINE && row.termios.lflag & ECHOCTL ? [94, byte ^ 0x40] : [byte];

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Columns that the first `length` bytes of the line take, from where it began. */
const widthOf = (row: TerminalRow, length: number): number => {
  let column = row.lineColumn;
  for (let i = 0; i < length; i++) {
    const byte = row.line[i];
    if (byte === TAB) column += 8 - (column & 7);
    else if (isControl(byte)) column += row.termios.lflag & ECHOCTL ? 2 : 0;
    else if (!(row.termios.iflag & IUTF8) || !isContinuation(byte)) column++;
  }
  return column - row.lineColumn;
};

/** What was erased stands between `\\` and `/` (ECHOPRT): the end of it. */
const finishErasing = (row: TerminalRow, effects: Effects): void => {
  if (!row.erasing) return;
  row.erasing = false;
  effects.echo([SLASH]);
};

/** Shortens the line to `length` bytes, wiping what was shown of the rest, or showing it again (ECHOPRT). */
const eraseTo = (row: TerminalRow, length: number, effects: Effects, single: boolean): void => {
  const { lflag } = row.termios;
  const erased = row.line.slice(length);
  const columns = widthOf(row, row.line.length) - widthOf(row, length);
  const last = row.line.length > 0 ? row.line[row.line.length - 1] : 0;
  row.line.length = length;
  if (!(lflag & ECHO)) return;
  if (lflag & ECHOPRT) {
    if (!row.erasing) effects.echo([BACKSLASH]);
    row.erasing = true;
    effects.echo([...shown(row, erased[0]), ...erased.slice(1)]);
    if (length === 0) finishErasing(row, effects);
  } else if (lflag & ECHOE || !single) {
    const wipe: number[] = [];
    if (last === TAB) for (let i = 0; i < columns; i++) wipe.push(8);
    else for (let i = 0; i < columns; i++) wipe.push(8, 32, 8);
    effects.echo(wipe);
  } else effects.echo(shown(row, row.termios.cc[VERASE]));
};

/** Takes the last character away; `single`: by itself, not with its word or line. */
const erase = (row: TerminalRow, effects: Effects, single = false): void => {
  let length = row.line.length - 1;
  if (length < 0) return;
  if (row.termios.iflag & IUTF8) while (length > 0 && isContinuation(row.line[length])) length--;
  eraseTo(row, length, effects, single);
};

const isWord = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95 || byte > 127;

const eraseWord = (row: TerminalRow, effects: Effects): void => {
  while (row.line.length > 0 && !isWord(row.line[row.line.length - 1])) erase(row, effects);
  while (row.line.length > 0 && isWord(row.line[row.line.length - 1])) erase(row, effects);
};

const kill = (row: TerminalRow, effects: Effects): void => {
  const { lflag } = row.termios;
  if (lflag & ECHO && lflag & ECHOK && lflag & ECHOKE && lflag & ECHOE) {
    while (row.line.length > 0) erase(row, effects);
    return;
  }
  row.line = [];
  if (!(lflag & ECHO)) return;
  finishErasing(row, effects);
  effects.echo(shown(row, row.termios.cc[VKILL]));
  if (lflag & ECHOK) effects.echo([NEWLINE]);
};

const reprint = (row: TerminalRow, effects: Effects): void => {
  if (!(row.termios.lflag & ECHO)) return;
  finishErasing(row, effects);
  effects.echo([...shown(row, row.termios.cc[VREPRINT]), NEWLINE]);
  row.lineColumn = 0;
  for (const byte of row.line) effects.echo(shown(row, byte));
};

/** The edited line is complete, with or without a delimiter. */
const finishLine = (row: TerminalRow, effects: Effects, delimiter?: number): void => {
  if (delimiter !== undefined) row.line.push(delimiter);
  row.lines.push(Uint8Array.from(row.line));
  row.line = [];
  effects.ready();
};

const interrupt = (row: TerminalRow, byte: number, signal: number, effects: Effects): void => {
  if (!(row.termios.lflag & NOFLSH)) {
    row.line = [];
    row.lines = [];
    effects.discard();
  }
  if (row.stopped) effects.resume();
  if (row.termios.lflag & ECHO) effects.echo(shown(row, byte));
  effects.signal(signal);
};

const queued = (row: Readonly<TerminalRow>): number => {
  let count = row.line.length;
  for (const line of row.lines) count += line.length;
  return count;
};

const append = (row: TerminalRow, byte: number, effects: Effects): void => {
  const { lflag, iflag } = row.termios;
  const canonical = (lflag & ICANON) !== 0;
  // In canonical mode a newline must always still fit.
  if (queued(row) >= (canonical ? LINE_MAX - 1 : LINE_MAX)) {
    if (iflag & IMAXBEL) effects.echo([BELL]);
    return;
  }
  if (lflag & ECHO) {
    finishErasing(row, effects);
    if (row.line.length === 0) row.lineColumn = row.column;
    effects.echo(shown(row, byte));
  }
  row.line.push(byte);
  if (!canonical) effects.ready();
};

/** Bytes in canonical mode that edit or end the line. False if the byte is none. */
const edit = (row: TerminalRow, byte: number, effects: Effects): boolean => {
  const { lflag } = row.termios;
  if (isCharacter(row, VERASE, byte)) erase(row, effects, true);
  else if (isCharacter(row, VKILL, byte)) kill(row, effects);
  else if (lflag & IEXTEN && isCharacter(row, VWERASE, byte)) eraseWord(row, effects);
  else if (lflag & IEXTEN && isCharacter(row, VREPRINT, byte)) reprint(row, effects);
  else if (byte === NEWLINE) {
    if (lflag & (ECHO | ECHONL)) effects.echo([NEWLINE]);
    finishLine(row, effects, NEWLINE);
  } else if (isCharacter(row, VEOF, byte)) finishLine(row, effects);
  else if (isCharacter(row, VEOL, byte) || (lflag & IEXTEN && isCharacter(row, VEOL2, byte))) {
    if (lflag & ECHO) effects.echo(shown(row, byte));
    finishLine(row, effects, byte);
  } else return false;
  return true;
};

const signalOf = (row: TerminalRow, byte: number): number => {
  if (isCharacter(row, VINTR, byte)) return SIGINT;
  if (isCharacter(row, VQUIT, byte)) return SIGQUIT;
  return isCharacter(row, VSUSP, byte) ? SIGTSTP : 0;
};

const take = (row: TerminalRow, typed: number, effects: Effects): void => {
  const { iflag, lflag } = row.termios;
  let byte = iflag & ISTRIP ? typed & 0x7f : typed;
  if (row.literal) {
    row.literal = false;
    append(row, byte, effects);
    return;
  }
  if (iflag & IUCLC && lflag & IEXTEN && byte >= 65 && byte <= 90) byte += 32;
  if (iflag & IXON) {
    if (isCharacter(row, VSTART, byte)) {
      effects.resume();
      return;
    }
    if (isCharacter(row, VSTOP, byte)) {
      row.stopped = true;
      return;
    }
    if (row.stopped && iflag & IXANY) effects.resume();
  }
  if (lflag & ISIG) {
    const signal = signalOf(row, byte);
    if (signal !== 0) {
      interrupt(row, byte, signal, effects);
      return;
    }
  }
  if (byte === RETURN) {
    if (iflag & IGNCR) return;
    if (iflag & ICRNL) byte = NEWLINE;
  } else if (byte === NEWLINE && iflag & INLCR) byte = RETURN;
  if (lflag & ICANON) {
    if (lflag & IEXTEN && isCharacter(row, VLNEXT, byte)) {
      row.literal = true;
      if (lflag & ECHO && lflag & ECHOCTL) effects.echo([94, 8]);
      return;
    }
    if (edit(row, byte, effects)) return;
  }
  append(row, byte, effects);
};

/**
 * How many bytes may be typed now without being lost. A line too long for the buffer gets one more at a time, lest nobody could
 * end it; while complete lines wait, their reader comes first.
 */
export const receiveRoom = (row: Readonly<TerminalRow>): number => {
  const room = LINE_MAX - 1 - queued(row);
  if (room > 0) return room;
  return row.termios.lflag & ICANON && row.lines.length === 0 ? 1 : 0;
};

/** Takes typed bytes in. The row's lists are copied once and then changed in place: they are this transaction's own. */
export const receive = (row: TerminalRow, bytes: Uint8Array, effects: Effects): void => {
  row.line = [...row.line];
  row.lines = [...row.lines];
  for (const byte of bytes) take(row, byte, effects);
};
