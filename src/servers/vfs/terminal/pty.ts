/**
 * The life of a pseudo-terminal: pty(7), pts(4). Opening /dev/ptmx makes a pair; the slave is a terminal like any other, with
 * what goes to the host of a console going to the master. When the master is closed the slave is hung up and its node goes;
 * when the last slave is closed the master reads EIO until one is opened again. The pair goes when both sides are closed.
 */
import { EIO, ENOSPC, type Result } from '../../../abi/errno.ts';
import { POLLHUP, POLLOUT, POLLWRNORM } from '../../../abi/poll.ts';
import { B38400, CREAD, CS8, defaultTermios, IUTF8 } from '../../../abi/termios.ts';
import type { Actor } from '../actor.ts';
import type { Vfs } from '../state.ts';
import { feed } from './input.ts';
import { hangUp } from './job-control.ts';
import { editPty, masterChannel, PTY_BUFFER, PTY_FIRST, PTY_MAX, type PtyRow, ptyNumber, ptyOf } from './pty-row.ts';
import { editTerminal, inputChannel, newTerminal, outputChannel, terminalOf } from './row.ts';

const nothing = new Uint8Array(0);

/** A new pair, its slave locked; the number of the slave's terminal. ENOSPC. */
export const makePty = (vfs: Vfs, actor: Actor, options: { gid: number | undefined; mode: number }): Result<number> => {
  let number = 0;
  while (number < PTY_MAX && vfs.ptys.has(number)) number++;
  if (number === PTY_MAX) return ENOSPC;
  const now = vfs.now();
  const row: PtyRow = {
    uid: actor.uid,
    gid: options.gid ?? actor.gid,
    mode: options.mode,
    atime: now,
    mtime: now,
    ctime: now,
    slaves: 0,
    masterOpen: true,
    locked: true,
    slaveClosed: false,
    output: [],
    outputLength: 0,
    backlog: nothing,
    packet: false,
    packetStatus: 0,
  };
  vfs.ptys.set(number, row);
  const terminal = PTY_FIRST + number;
  const termios = { ...defaultTermios, iflag: defaultTermios.iflag & ~IUTF8, cflag: B38400 | CS8 | CREAD };
  vfs.terminals.set(terminal, { ...newTerminal(), termios, rows: 0, columns: 0 });
  return terminal;
};

/** Whether the slave may be opened. EIO: it is locked, or the master is gone. */
export const mayOpenSlave = (vfs: Vfs, terminal: number): Result<void> => {
  const pty = ptyOf(vfs, terminal);
  return pty === undefined || pty.locked || !pty.masterOpen ? EIO : undefined;
};

export const openSlave = (vfs: Vfs, terminal: number): void => {
  const pty = editPty(vfs, terminal)!;
  pty.slaves++;
  pty.slaveClosed = false;
};

const removeIfUnused = (vfs: Vfs, terminal: number): void => {
  const pty = ptyOf(vfs, terminal)!;
  if (pty.masterOpen || pty.slaves > 0) return;
  vfs.ptys.delete(ptyNumber(terminal));
  vfs.terminals.delete(terminal);
};

/** A description of the slave is gone. */
export const closeSlave = (vfs: Vfs, terminal: number): void => {
  const pty = editPty(vfs, terminal);
  if (pty === undefined) return;
  pty.slaves--;
  if (pty.slaves > 0) return;
  pty.slaveClosed = true;
  vfs.wake(masterChannel(terminal), POLLHUP);
  removeIfUnused(vfs, terminal);
};

/** The master is gone: the slave is hung up. */
export const closeMaster = (vfs: Vfs, terminal: number): void => {
  const pty = editPty(vfs, terminal);
  if (pty === undefined) return;
  pty.masterOpen = false;
  pty.output = [];
  pty.outputLength = 0;
  pty.backlog = nothing;
  hangUp(vfs, terminal);
  removeIfUnused(vfs, terminal);
};

/** Up to `length` of the bytes that wait for the master. */
export const peekOutput = (pty: Readonly<PtyRow>, length: number): Uint8Array => {
  const into = new Uint8Array(Math.min(length, pty.outputLength));
  let at = 0;
  for (const piece of pty.output) {
    if (at === into.length) break;
    const part = piece.length <= into.length - at ? piece : piece.subarray(0, into.length - at);
    into.set(part, at);
    at += part.length;
  }
  return into;
};

/** Takes the first bytes out; writers that wait on the slave go on. */
export const dropOutput = (vfs: Vfs, terminal: number, count: number): void => {
  const pty = editPty(vfs, terminal)!;
  const output = [...pty.output];
  pty.outputLength -= count;
  let first = 0;
  for (let left = count; left > 0; ) {
    const piece = output[first];
    if (piece.length > left) {
      output[first] = piece.subarray(left);
      break;
    }
    left -= piece.length;
    first++;
  }
  pty.output = output.slice(first);
  vfs.wake(outputChannel(terminal), POLLOUT | POLLWRNORM);
};

/** How many bytes the master may write now. */
export const inputRoom = (pty: Readonly<PtyRow>): number => Math.max(0, PTY_BUFFER - pty.backlog.length);

/** Typed by the master: through the line discipline as far as that takes it, the rest waits. */
export const typeAtSlave = (vfs: Vfs, terminal: number, bytes: Uint8Array): void => {
  const pty = editPty(vfs, terminal)!;
  let all = bytes;
  if (pty.backlog.length > 0) {
    all = new Uint8Array(pty.backlog.length + bytes.length);
    all.set(pty.backlog);
    all.set(bytes, pty.backlog.length);
  }
  const taken = feed(vfs, terminal, editTerminal(vfs, terminal), all, true);
  editPty(vfs, terminal)!.backlog = taken === all.length ? nothing : all.slice(taken);
};

/** Something was read or flushed: what waited goes on to the line discipline. */
export const pushBacklog = (vfs: Vfs, terminal: number): void => {
  const pty = ptyOf(vfs, terminal);
  if (pty === undefined || pty.backlog.length === 0) return;
  typeAtSlave(vfs, terminal, nothing);
  vfs.wake(masterChannel(terminal), POLLOUT | POLLWRNORM);
};

/** Drops what waits for the line discipline (TCFLSH). */
export const dropBacklog = (vfs: Vfs, terminal: number): void => {
  const pty = editPty(vfs, terminal);
  if (pty === undefined || pty.backlog.length === 0) return;
  pty.backlog = nothing;
  vfs.wake(masterChannel(terminal), POLLOUT | POLLWRNORM);
};

/** Every description of the terminal stops working, as if the line had gone; it may be opened again: vhangup(2). */
export const hangUpForNow = (vfs: Vfs, terminal: number): void => {
  hangUp(vfs, terminal);
  const row = editTerminal(vfs, terminal);
  row.hungUp = false;
  row.hangups++;
  row.lines = [];
  row.line = [];
  vfs.wake(inputChannel(terminal));
  vfs.wake(outputChannel(terminal));
};

/** Whether a description of the terminal is dead. */
export const isHungUp = (vfs: Vfs, terminal: number, position: number): boolean => {
  const row = terminalOf(vfs, terminal);
  return row.hungUp || row.hangups !== position;
};
