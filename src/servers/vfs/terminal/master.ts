/**
 * The master of a pseudo-terminal: reading what the slave shows, typing at it, packet mode (TIOCPKT), and the requests that only
 * a master has. ioctl_tty(2), "Pseudoterminal ioctls"; all other requests concern the slave (ioctl.ts).
 */
import { EAGAIN, EFAULT, EINVAL, EIO, Errno, type Result } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import * as io from '../../../abi/ioctl.ts';
import { POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { copyInSome } from '../copy-in.ts';
import type { FileIo, Readiness, Transfer } from '../io/operations.ts';
import { openSlaveOf } from '../open-slave.ts';
import { done } from '../outcome.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { closeMaster, dropOutput, inputRoom, peekOutput, typeAtSlave } from './pty.ts';
import { editPty, masterChannel, ptyNumber, ptyOf } from './pty-row.ts';
import { terminalOf } from './row.ts';

/** One read takes at most this much, as from the line discipline's buffer on Linux. */
const READ_MAX = 4096;
const SIGINT = 2;
const SIGQUIT = 3;
const SIGTSTP = 20;

const read = (vfs: Vfs, { file, call, buf }: Transfer): Outcome<number> => {
  const terminal = file.target;
  const pty = ptyOf(vfs, terminal)!;
  if (buf.length === 0) return 0;
  if (pty.packet && pty.packetStatus !== 0) {
    const copied = vfs.context.copyOut(buf, 0, Uint8Array.of(pty.packetStatus));
    if (copied instanceof Errno) return copied;
    editPty(vfs, terminal)!.packetStatus = 0;
    return 1;
  }
  if (pty.outputLength === 0) {
    if (pty.slaveClosed) return EIO;
    if (file.flags & O_NONBLOCK) return EAGAIN;
    return call.reason === 'cancelled' ? Errno.of(4) : wait([masterChannel(terminal)]);
  }
  const header = pty.packet ? 1 : 0;
  const bytes = peekOutput(pty, Math.min(buf.length - header, READ_MAX));
  if (header === 1) {
    const copied = vfs.context.copyOut(buf, 0, Uint8Array.of(0));
    if (copied instanceof Errno) return copied;
    if (bytes.length === 0) return 1;
  }
  const copied = vfs.context.copyOut(buf, header, bytes);
  if (copied instanceof Errno) return copied;
  dropOutput(vfs, terminal, copied);
  return copied + header;
};

const write = (vfs: Vfs, { file, call, buf }: Transfer): Outcome<number> => {
  const terminal = file.target;
  let written = call.state;
  const room = inputRoom(ptyOf(vfs, terminal)!);
  if (room > 0 && written < buf.length) {
    const bytes = copyInSome(vfs, buf, written, Math.min(room, buf.length - written));
    if (bytes instanceof Errno) return written > 0 ? written : bytes;
    typeAtSlave(vfs, terminal, bytes);
    written += bytes.length;
    if (bytes.length < Math.min(room, buf.length - (written - bytes.length))) return written;
  }
  if (written === buf.length) return written;
  if (file.flags & O_NONBLOCK || call.reason === 'cancelled') return written > 0 ? written : EAGAIN;
  return wait([masterChannel(terminal)], { state: written });
};

const poll = (vfs: Vfs, file: Readonly<OpenFile>): Readiness => {
  const pty = ptyOf(vfs, file.target)!;
  let events = 0;
  if (pty.outputLength > 0) events |= POLLIN | POLLRDNORM;
  if (pty.packet && pty.packetStatus !== 0) events |= POLLPRI | POLLIN | POLLRDNORM;
  if (pty.slaveClosed) events |= POLLHUP;
  if (inputRoom(pty) > 0) events |= POLLOUT | POLLWRNORM;
  return { events, channels: [masterChannel(file.target)] };
};

const close = (vfs: Vfs, file: Readonly<OpenFile>): void => closeMaster(vfs, file.target);

export const masterIo: FileIo = { seekable: false, watchable: true, read, write, poll, close };

const giveInt = (vfs: Vfs, buf: Grant | null, value: number): Outcome<{ readonly result: number }> => {
  if (buf === null) return EFAULT;
  const copied = vfs.context.copyOut(buf, 0, new Uint8Array(Int32Array.of(value).buffer));
  return copied instanceof Errno ? copied : done;
};

const takeInt = (vfs: Vfs, buf: Grant | null): Result<number> => {
  if (buf === null) return EFAULT;
  const bytes = vfs.context.copyIn(buf, 0, 4);
  return bytes instanceof Errno ? bytes : new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
};

/** The requests of a master only; undefined for any other. */
export const masterIoctl = (
  vfs: Vfs,
  call: Delivery,
  file: Readonly<OpenFile>,
  request: number,
  argument: number,
  buf: Grant | null,
): Outcome<{ readonly result: number }> | undefined => {
  const terminal = file.target;
  const pty = ptyOf(vfs, terminal)!;
  switch (request) {
    case io.TIOCGPTN:
      return giveInt(vfs, buf, ptyNumber(terminal));
    case io.TIOCSPTLCK: {
      const locked = takeInt(vfs, buf);
      if (locked instanceof Errno) return locked;
      editPty(vfs, terminal)!.locked = locked !== 0;
      return done;
    }
    case io.TIOCGPTLCK:
      return giveInt(vfs, buf, pty.locked ? 1 : 0);
    case io.TIOCPKT: {
      const packet = takeInt(vfs, buf);
      if (packet instanceof Errno) return packet;
      const row = editPty(vfs, terminal)!;
      if (packet !== 0 && !row.packet) row.packetStatus = 0;
      row.packet = packet !== 0;
      return done;
    }
    case io.TIOCGPKT:
      return giveInt(vfs, buf, pty.packet ? 1 : 0);
    case io.TIOCGPTPEER:
      return openSlaveOf(vfs, call, terminal, argument);
    case io.TIOCSIG: {
      if (argument !== SIGINT && argument !== SIGQUIT && argument !== SIGTSTP) return EINVAL;
      const { foreground } = terminalOf(vfs, terminal);
      if (foreground !== 0) vfs.kernel.raiseSignal(foreground, argument);
      return done;
    }
    case io.FIONREAD:
      return giveInt(vfs, buf, pty.outputLength);
    default:
      return undefined;
  }
};
