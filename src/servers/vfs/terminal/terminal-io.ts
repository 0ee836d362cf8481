/** Reading, writing and polling terminals: termios(3), read in canonical and raw mode with VMIN and VTIME, TOSTOP. */
import { EAGAIN, EIO, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import { ICANON, TOSTOP, VMIN, VTIME } from '../../../abi/termios.ts';
import { type Outcome, wait } from '../../../ipc/server.ts';
import { copyInSome } from '../copy-in.ts';
import type { FileIo, Readiness, Transfer } from '../io/operations.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { checkForeground, SIGTTIN, SIGTTOU } from './job-control.ts';
import { drain, emit, postProcess } from './output.ts';
import { closeSlave, isHungUp, pushBacklog } from './pty.ts';
import { isPty, PTY_BUFFER, ptyOf } from './pty-row.ts';
import { editTerminal, inputChannel, jobChannel, outputChannel, type TerminalRow, terminalOf } from './row.ts';

/** VTIME counts tenths of a second. */
const TENTH = 100_000_000;
/** Bytes of one write that are processed at a time. */
const CHUNK = 4096;
/** A longer write is shortened to this. */
const WRITE_MAX = 1 << 20;

const readLine = (vfs: Vfs, { file, buf }: Transfer): Outcome<number> => {
  const row = editTerminal(vfs, file.target);
  const line = row.lines[0];
  const count = Math.min(line.length, buf.length);
  if (count > 0) {
    const copied = vfs.context.copyOut(buf, 0, line.subarray(0, count));
    if (copied instanceof Errno) return copied;
  }
  row.lines = count < line.length ? [line.slice(count), ...row.lines.slice(1)] : row.lines.slice(1);
  pushBacklog(vfs, file.target);
  return count;
};

const readRaw = (vfs: Vfs, { file, buf }: Transfer): Outcome<number> => {
  const row = editTerminal(vfs, file.target);
  const count = Math.min(row.line.length, buf.length);
  const copied = vfs.context.copyOut(buf, 0, Uint8Array.from(row.line.slice(0, count)));
  if (copied instanceof Errno) return copied;
  row.line = row.line.slice(copied);
  pushBacklog(vfs, file.target);
  return copied;
};

const read = (vfs: Vfs, transfer: Transfer): Outcome<number> => {
  const { file, call, buf } = transfer;
  const row = terminalOf(vfs, file.target);
  if (isHungUp(vfs, file.target, file.position)) return 0;
  const background = checkForeground(vfs, file.target, call, SIGTTIN);
  if (background !== undefined) return background;
  if (buf.length === 0) return 0;
  const channels = [inputChannel(file.target), jobChannel(file.target)];
  const nonblocking = (file.flags & O_NONBLOCK) !== 0;
  if (row.termios.lflag & ICANON) {
    if (row.lines.length > 0) return readLine(vfs, transfer);
    return nonblocking ? EAGAIN : wait(channels);
  }
  const minimum = Math.min(row.termios.cc[VMIN], buf.length);
  const time = row.termios.cc[VTIME] * TENTH;
  const count = row.line.length;
  if (count >= Math.max(minimum, 1)) return readRaw(vfs, transfer);
  if (nonblocking) return count > 0 ? readRaw(vfs, transfer) : EAGAIN;
  if (minimum === 0) {
    if (time === 0 || vfs.context.now() >= call.since + time) return 0;
    return wait(channels, { deadline: call.since + time });
  }
  if (time > 0 && count > 0) {
    // The clock between bytes starts with the first one that this call has seen.
    const deadline = Math.max(row.arrived, call.since) + time;
    if (vfs.context.now() >= deadline) return readRaw(vfs, transfer);
    return wait(channels, { deadline });
  }
  if (call.reason === 'cancelled' && count > 0) return readRaw(vfs, transfer);
  return wait(channels);
};

const write = (vfs: Vfs, { file, call, buf }: Transfer): Outcome<number> => {
  const shown = terminalOf(vfs, file.target);
  if (isHungUp(vfs, file.target, file.position)) return EIO;
  let done = call.state;
  if (shown.termios.lflag & TOSTOP) {
    const background = checkForeground(vfs, file.target, call, SIGTTOU);
    if (background !== undefined) return done > 0 ? done : background;
  }
  const row = editTerminal(vfs, file.target);
  let free = !row.stopped && drain(vfs, file.target, row);
  const length = Math.min(buf.length, WRITE_MAX);
  if (done < length && free) {
    // All is copied before any is shown: output cannot be taken back if a later page is missing.
    const bytes = copyInSome(vfs, buf, done, length - done);
    if (bytes instanceof Errno) return done > 0 ? done : bytes;
    for (let at = 0; at < bytes.length && free; at += CHUNK) {
      const piece = bytes.subarray(at, at + CHUNK);
      emit(vfs, file.target, row, postProcess(row, piece));
      done += piece.length;
      free = !row.stopped && drain(vfs, file.target, row);
    }
  }
  if (done >= length) return done;
  if (file.flags & O_NONBLOCK) return done > 0 ? done : EAGAIN;
  if (call.reason === 'cancelled' && done > 0) return done;
  return wait([outputChannel(file.target)], { state: done });
};

/** Bytes that a read would give now: FIONREAD. */
export const readable = (row: Readonly<TerminalRow>): number =>
  row.termios.lflag & ICANON ? row.lines.reduce((sum, line) => sum + line.length, 0) : row.line.length;

const isReady = (row: Readonly<TerminalRow>): boolean => {
  if (row.termios.lflag & ICANON) return row.lines.length > 0;
  const { cc } = row.termios;
  return row.line.length >= (cc[VTIME] === 0 ? Math.max(cc[VMIN], 1) : 1);
};

const poll = (vfs: Vfs, file: Readonly<OpenFile>): Readiness => {
  const row = terminalOf(vfs, file.target);
  const channels = [inputChannel(file.target), outputChannel(file.target)];
  if (isHungUp(vfs, file.target, file.position))
    return { events: POLLHUP | POLLERR | POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM, channels };
  let events = 0;
  if (isReady(row)) events |= POLLIN | POLLRDNORM;
  const full = isPty(file.target) && ptyOf(vfs, file.target)!.outputLength >= PTY_BUFFER;
  if (!row.stopped && row.pending.length === 0 && !full) events |= POLLOUT | POLLWRNORM;
  return { events, channels };
};

const close = (vfs: Vfs, file: Readonly<OpenFile>): void => {
  if (isPty(file.target)) closeSlave(vfs, file.target);
};

export const terminalIo: FileIo = { seekable: false, watchable: true, read, write, poll, close };
