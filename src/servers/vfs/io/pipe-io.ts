/**
 * Reading and writing pipes and FIFOs: pipe(7). Writes of up to PIPE_BUF bytes are atomic; longer ones go in pieces, and what
 * has gone is the sleeping call's state. EPIPE comes with SIGPIPE.
 */
import { EAGAIN, EFAULT, EPIPE, Errno } from '../../../abi/errno.ts';
import { O_DIRECT, O_NONBLOCK } from '../../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Outcome, wait } from '../../../ipc/server.ts';
import { canReadPipe, canWritePipe } from '../pipe/ends.ts';
import {
  closePipeEnd,
  dropBytes,
  endPacket,
  PIPE_BUF,
  peekBytes,
  putBytes,
  readChannel,
  writeChannel,
} from '../pipe/pipe.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { FileIo, Readiness, Transfer } from './operations.ts';

const SIGPIPE = 13;
/** A pipe is a ring of pages; each is read whole or not at all when memory gives out. */
const PAGE = 4096;

const read = (vfs: Vfs, { file, buf }: Transfer): Outcome<number> => {
  const pipe = vfs.pipes.get(file.target)!;
  if (buf.length === 0) return 0;
  if (pipe.length === 0) {
    if (pipe.writers === 0) return 0;
    return file.flags & O_NONBLOCK ? EAGAIN : wait([readChannel(file.target)]);
  }
  const [packet] = pipe.packets;
  if (packet !== undefined) return readPacket(vfs, file.target, buf, packet);
  let done = 0;
  while (done < buf.length) {
    const into = vfs.scratch.subarray(0, Math.min(buf.length - done, vfs.scratch.length));
    const count = peekBytes(vfs, file.target, into);
    if (count === 0) break;
    const copied = vfs.context.copyOut(buf, done, count === into.length ? into : into.subarray(0, count));
    if (copied instanceof Errno) return done > 0 ? done : copied;
    // What could not be delivered stays in the pipe, and with it the page of the pipe that it is in.
    const taken = copied < count ? copied - (copied % PAGE) : copied;
    dropBytes(vfs, file.target, taken);
    done += taken;
    if (copied < count) return done > 0 ? done : EFAULT;
  }
  return done;
};

/** One packet a read; what the buffer does not hold of it is lost. */
const readPacket = (vfs: Vfs, pipe: number, buf: Grant, packet: number): Outcome<number> => {
  const bytes = new Uint8Array(Math.min(packet, buf.length));
  peekBytes(vfs, pipe, bytes);
  const copied = vfs.context.copyOut(buf, 0, bytes);
  if (copied instanceof Errno || copied < bytes.length) return EFAULT;
  dropBytes(vfs, pipe, packet);
  return bytes.length;
};

/** As `write`, in packets of up to PIPE_BUF bytes, each of which goes whole. */
const writePackets = (vfs: Vfs, { file, call, buf }: Transfer): Outcome<number> => {
  let done = call.state;
  while (done < buf.length) {
    const length = Math.min(buf.length - done, PIPE_BUF);
    const pipe = vfs.pipes.get(file.target)!;
    // A packet takes a page of the pipe, however short it is.
    if (pipe.capacity - pipe.length < length || pipe.packets.length >= pipe.capacity / PAGE) {
      if (file.flags & O_NONBLOCK) return done > 0 ? done : EAGAIN;
      if (call.reason === 'cancelled' && done > 0) return done;
      return wait([writeChannel(file.target)], { state: done });
    }
    const bytes = vfs.context.copyIn(buf, done, length);
    if (bytes instanceof Errno) return done > 0 ? done : bytes;
    done += putBytes(vfs, file.target, bytes);
    endPacket(vfs, file.target);
  }
  return done;
};

const write = (vfs: Vfs, transfer: Transfer): Outcome<number> => {
  const { file, call, buf } = transfer;
  let done = call.state;
  const { length } = buf;
  if (length === 0) return 0;
  const pipe = vfs.pipes.get(file.target)!;
  if (pipe.readers === 0) {
    if (done > 0) return done;
    if (call.caller.pid !== 0) vfs.kernel.raiseSignal(call.caller.pid, SIGPIPE, true);
    return EPIPE;
  }
  if (file.flags & O_DIRECT) return writePackets(vfs, transfer);
  const room = pipe.capacity - pipe.length;
  const atomic = length <= PIPE_BUF;
  if (atomic ? room >= length : room > 0) {
    let left = Math.min(room, length - done);
    while (left > 0) {
      const bytes = vfs.context.copyIn(buf, done, Math.min(left, vfs.scratch.length));
      if (bytes instanceof Errno) return done > 0 ? done : bytes;
      done += putBytes(vfs, file.target, bytes);
      left -= bytes.length;
    }
  }
  if (done === length) return done;
  if (file.flags & O_NONBLOCK) return done > 0 ? done : EAGAIN;
  if (call.reason === 'cancelled' && done > 0) return done;
  return wait([writeChannel(file.target)], { state: done });
};

const poll = (vfs: Vfs, file: Readonly<OpenFile>): Readiness => {
  const pipe = vfs.pipes.get(file.target)!;
  const channels: string[] = [];
  let events = 0;
  if (canReadPipe(file.flags)) {
    if (pipe.length > 0) events |= POLLIN | POLLRDNORM;
    if (pipe.writers === 0 && pipe.writerOpens > 0) events |= POLLHUP;
    channels.push(readChannel(file.target));
  }
  if (canWritePipe(file.flags)) {
    if (pipe.capacity - pipe.length >= PIPE_BUF) events |= POLLOUT | POLLWRNORM;
    if (pipe.readers === 0) events |= POLLERR;
    channels.push(writeChannel(file.target));
  }
  return { events, channels };
};

export const pipeIo: FileIo = { seekable: false, watchable: true, read, write, poll, close: closePipeEnd };
