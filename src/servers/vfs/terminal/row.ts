/** A terminal's row: settings, line buffer, and whose controlling terminal it is. Lists are replaced, or copied
 * before they are changed. */
import { major, makedev, minor } from '../../../abi/stat.ts';
import { defaultTermios, type Termios } from '../../../abi/termios.ts';
import type { Vfs } from '../state.ts';
import { isPty, PTY_FIRST, ptyNumber } from './pty-row.ts';

export interface TerminalRow {
  termios: Termios;
  rows: number;
  columns: number;
  /** Session whose controlling terminal it is, and its foreground process group; 0 if none. */
  session: number;
  foreground: number;
  /** Complete lines (canonical mode), each with its delimiter; an empty one is an end of file. */
  lines: Uint8Array[];
  /** The line being edited, or in raw mode what has come and was not read. */
  line: number[];
  /** Columns of output and of where the edited line began: tabs, erasing. */
  column: number;
  lineColumn: number;
  /** VLNEXT was typed: the next byte is taken as it is. */
  literal: boolean;
  /** Erased characters are being shown (ECHOPRT). */
  erasing: boolean;
  /** Output is stopped (^S, TCOOFF). */
  stopped: boolean;
  /** Output that the host has not taken yet. */
  pending: Uint8Array;
  hungUp: boolean;
  /** How often vhangup(2) has cut off all descriptions there were. */
  hangups: number;
  /** Session that has lost the terminal by a hang-up, and the group that was in its foreground: told when its leader ends. */
  formerSession: number;
  formerForeground: number;
  /** TIOCEXCL: only root may open it. */
  exclusive: boolean;
  /** The rest of struct winsize. */
  pixelWidth: number;
  pixelHeight: number;
  /** When the last byte came, for VTIME (monotonic nanoseconds). */
  arrived: number;
}

const nothing = new Uint8Array(0);

export const newTerminal = (): TerminalRow => ({
  termios: defaultTermios,
  rows: 24,
  columns: 80,
  session: 0,
  foreground: 0,
  lines: [],
  line: [],
  column: 0,
  lineColumn: 0,
  literal: false,
  erasing: false,
  stopped: false,
  pending: nothing,
  hungUp: false,
  hangups: 0,
  formerSession: 0,
  formerForeground: 0,
  exclusive: false,
  pixelWidth: 0,
  pixelHeight: 0,
  arrived: 0,
});

/** Number of terminals that have a node in /dev. */
export const TERMINALS = 16;
const TTY_MAJOR = 4;
export const PTY_MAJOR = 136;

/** Console n is /dev/tty(n+1), device 4:(n+1); a pseudo-terminal's slave is /dev/pts/n, device 136:n. */
export const terminalDevice = (terminal: number): number =>
  isPty(terminal) ? makedev(PTY_MAJOR, ptyNumber(terminal)) : makedev(TTY_MAJOR, terminal + 1);

/** The terminal of a device number, −1 if it is none. */
export const terminalOfDevice = (device: number): number => {
  if (major(device) === TTY_MAJOR) return minor(device) - 1;
  return major(device) === PTY_MAJOR ? minor(device) + PTY_FIRST : -1;
};

export const inputChannel = (terminal: number): string => `tty:${terminal}:r`;
export const outputChannel = (terminal: number): string => `tty:${terminal}:w`;
export const jobChannel = (terminal: number): string => `tty:${terminal}:job`;

/** The terminal for writing, made with the usual settings when first used. */
export const editTerminal = (vfs: Vfs, terminal: number): TerminalRow => {
  const row = vfs.terminals.edit(terminal);
  if (row !== undefined) return row;
  const made = newTerminal();
  vfs.terminals.set(terminal, made);
  return made;
};

export const terminalOf = (vfs: Vfs, terminal: number): Readonly<TerminalRow> =>
  vfs.terminals.get(terminal) ?? editTerminal(vfs, terminal);
