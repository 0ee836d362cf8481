/**
 * Rows of pseudo-terminals, pty(7): what a pair has besides the slave's terminal row (row.ts). Pair n's slave is terminal
 * `PTY_FIRST + n`, device 136:n, /dev/pts/n.
 *
 *     program on the slave ──write──► output ──read──► holder of the master
 *                          ◄──read── line discipline ◄── backlog ◄──write──
 */
import type { Time } from '../../../abi/stat.ts';
import type { Vfs } from '../state.ts';

export interface PtyRow {
  /** The slave's node in /dev/pts. */
  uid: number;
  gid: number;
  mode: number;
  atime: Time;
  mtime: Time;
  ctime: Time;
  /** Open descriptions of the slave. */
  slaves: number;
  masterOpen: boolean;
  /** The slave may not be opened yet (TIOCSPTLCK). */
  locked: boolean;
  /** The last slave was closed, and none opened since: the master reads EIO. */
  slaveClosed: boolean;
  /** Processed output that the master has not read; pieces are never changed. */
  output: readonly Uint8Array[];
  outputLength: number;
  /** Written by the master, and not taken by the line discipline yet. */
  backlog: Uint8Array;
  /** TIOCPKT, and the TIOCPKT_* bits that the next read tells. */
  packet: boolean;
  packetStatus: number;
}

/** Number of the terminal that is the slave of pair 0. */
export const PTY_FIRST = 64;
/** /proc/sys/kernel/pty/max. */
export const PTY_MAX = 4096;
/** What waits for either side at most, before writers do: the buffer of Linux's tty ports. */
export const PTY_BUFFER = 65536;

export const TIOCPKT_FLUSHREAD = 1;
export const TIOCPKT_FLUSHWRITE = 2;
export const TIOCPKT_STOP = 4;
export const TIOCPKT_START = 8;
export const TIOCPKT_NOSTOP = 16;
export const TIOCPKT_DOSTOP = 32;
export const TIOCPKT_IOCTL = 64;

export const isPty = (terminal: number): boolean => terminal >= PTY_FIRST;
export const ptyNumber = (terminal: number): number => terminal - PTY_FIRST;

export const ptyOf = (vfs: Vfs, terminal: number): Readonly<PtyRow> | undefined => vfs.ptys.get(ptyNumber(terminal));
export const editPty = (vfs: Vfs, terminal: number): PtyRow | undefined => vfs.ptys.edit(ptyNumber(terminal));

/** Woken when the master may read or write. */
export const masterChannel = (terminal: number): string => `tty:${terminal}:m`;

/** Tells the master, if it wants to know (TIOCPKT), of a change. */
export const tellMaster = (vfs: Vfs, terminal: number, bits: number, clear = 0): void => {
  if (!isPty(terminal) || !ptyOf(vfs, terminal)?.packet) return;
  const pty = editPty(vfs, terminal)!;
  pty.packetStatus = (pty.packetStatus & ~clear) | bits;
  vfs.wake(masterChannel(terminal));
};
