/** Reading, writing and polling sockets by their descriptors: socket(7), unix(7). */
import { Errno } from '../../../abi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM } from '../../../abi/poll.ts';
import { type Outcome, Wait } from '../../../ipc/server.ts';
import type { FileIo, Readiness, Transfer } from '../io/operations.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { NO_ANCILLARY } from './control.ts';
import { isWritable } from './queue.ts';
import { receive } from './receive.ts';
import { collectSoon } from './rights.ts';
import { CLOSED_READ, CLOSED_WRITE } from './rows.ts';
import { QUEUE_MAX, send } from './send.ts';
import { closeSocket, isConnected, receiveChannel, sendChannel } from './socket.ts';

const same = (state: number): number => state;

const read = (vfs: Vfs, { file, call, buf }: Transfer): Outcome<number> => {
  if (buf.length === 0) return 0;
  const data = { grant: buf, at: 0, length: buf.length };
  const message = { file, call, data, flags: 0, control: undefined, received: call.state, state: same };
  const received = receive(vfs, message);
  return received instanceof Errno || received instanceof Wait ? received : received.count;
};

const write = (vfs: Vfs, { file, call, buf }: Transfer): Outcome<number> => {
  const data = { grant: buf, at: 0, length: buf.length };
  return send(vfs, { file, call, data, flags: 0, to: '', ancillary: NO_ANCILLARY, sent: call.state, state: same });
};

const poll = (vfs: Vfs, file: Readonly<OpenFile>): Readiness => {
  const socket = file.target;
  const row = vfs.sockets.get(socket)!;
  const channels = [receiveChannel(socket), sendChannel(socket)];
  let events = 0;
  if (row.error !== 0) events |= POLLERR;
  if (row.shut === (CLOSED_READ | CLOSED_WRITE)) events |= POLLHUP;
  if (row.shut & CLOSED_READ) events |= POLLRDHUP | POLLIN | POLLRDNORM;
  if (row.packets > 0 || row.pending.length > 0) events |= POLLIN | POLLRDNORM;
  if (isConnected(row) && row.state === 'open') events |= POLLHUP;
  let writable = row.state !== 'listening' && isWritable(row.outstanding, row.sendBuffer);
  if (writable && !isConnected(row) && row.peer !== 0) {
    const other = vfs.sockets.get(row.peer);
    if (other !== undefined && other.peer !== socket && other.packets > QUEUE_MAX) {
      writable = false;
      const starved = vfs.sockets.edit(row.peer)!;
      if (!starved.starved.includes(socket)) starved.starved = [...starved.starved, socket];
    }
  }
  if (writable) events |= POLLOUT | POLLWRNORM | POLLWRBAND;
  return { events, channels };
};

const close = (vfs: Vfs, file: Readonly<OpenFile>): void => {
  closeSocket(vfs, file.target);
  // Once for all that goes with it.
  if (vfs.inFlight.size > 0 && vfs.dying.length === 0) collectSoon(vfs);
};

export const socketIo: FileIo = { seekable: false, watchable: true, read, write, poll, close };
