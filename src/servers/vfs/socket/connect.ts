/** Connections of AF_UNIX sockets: listen(2), connect(2), accept(2), socketpair(2), shutdown(2). */
import {
  EAGAIN,
  ECONNREFUSED,
  EFAULT,
  EINTR,
  EINVAL,
  EISCONN,
  EOPNOTSUPP,
  EPERM,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { POLLHUP } from '../../../abi/poll.ts';
import { AF_UNSPEC, SOMAXCONN } from '../../../abi/socket.ts';
import { type Delivery, type Outcome, type Wait, wait } from '../../../ipc/server.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { autobind, familyOf, normalize, socketAt } from './address.ts';
import { CLOSED_READ, CLOSED_WRITE, type SocketRow } from './rows.ts';
import {
  closeSocket,
  credentialsOf,
  isConnected,
  makeSocket,
  openSocket,
  receiveChannel,
  roomChannel,
  shutSocket,
  wakeReaders,
  wakeWriters,
} from './socket.ts';

/** Sleeps until a channel is woken or a socket's timeout (0: none) has passed; EAGAIN then, or at once if it may not sleep. */
export const waitOn = (
  vfs: Vfs,
  call: Delivery,
  channel: string,
  nonblocking: boolean,
  timeout: number,
  state = 0,
): Wait | Errno => {
  if (nonblocking) return EAGAIN;
  if (call.reason === 'cancelled') return EINTR;
  const deadline = timeout > 0 ? call.since + timeout : undefined;
  if (deadline !== undefined && (call.reason === 'timeout' || vfs.context.now() >= deadline)) return EAGAIN;
  return wait([channel], { deadline, state });
};

/** Takes and clears SO_ERROR. */
export const takeError = (vfs: Vfs, socket: number): Errno | undefined => {
  const { error } = vfs.sockets.get(socket)!;
  if (error === 0) return undefined;
  vfs.sockets.edit(socket)!.error = 0;
  return Errno.of(error);
};

export const pair = (vfs: Vfs, pid: number, family: number, type: number): readonly [number, number] => {
  const first = makeSocket(vfs, pid, family, type, 0);
  const second = makeSocket(vfs, pid, family, type, 0);
  const credentials = credentialsOf(vfs, pid);
  for (const [one, other] of [
    [first, second],
    [second, first],
  ]) {
    const row = vfs.sockets.edit(one)!;
    row.peer = other;
    row.peerCredentials = credentials;
    if (isConnected(row)) row.state = 'connected';
  }
  return [first, second];
};

export const listen = (vfs: Vfs, pid: number, socket: number, backlog: number): Result<void> => {
  const row = vfs.sockets.get(socket)!;
  if (!isConnected(row)) return EOPNOTSUPP;
  if (row.address === '') return EINVAL;
  if (row.state === 'connected') return EINVAL;
  const changed = vfs.sockets.edit(socket)!;
  changed.state = 'listening';
  changed.backlog = Math.min(backlog >>> 0, SOMAXCONN);
  changed.peerCredentials = credentialsOf(vfs, pid);
  vfs.wake(roomChannel(socket));
  return undefined;
};

/** Whether a datagram socket may send to another: one that is connected to somebody else refuses. */
export const maySend = (vfs: Vfs, socket: number, other: number): boolean => {
  const { peer } = vfs.sockets.get(other)!;
  return peer === 0 || peer === socket;
};

const connectDatagram = (vfs: Vfs, call: Delivery, socket: number, given: string): Result<void> => {
  if (familyOf(given) === AF_UNSPEC) {
    const row = vfs.sockets.edit(socket)!;
    row.peer = 0;
    row.peerAddress = '';
    return undefined;
  }
  const address = normalize(given);
  if (address instanceof Errno) return address;
  if (vfs.sockets.get(socket)!.passCredentials) autobind(vfs, socket);
  const other = socketAt(vfs, call.caller.pid, address, vfs.sockets.get(socket)!.type);
  if (other instanceof Errno) return other;
  if (!maySend(vfs, socket, other)) return EPERM;
  const row = vfs.sockets.edit(socket)!;
  row.peer = other;
  row.peerAddress = vfs.sockets.get(other)!.address;
  wakeWriters(vfs, socket);
  return undefined;
};

/** connect(2). A stream's other end is made here and waits in the listener's queue. */
export const connect = (vfs: Vfs, call: Delivery, file: Readonly<OpenFile>, given: string): Result<void> | Wait => {
  const socket = file.target;
  const { pid } = call.caller;
  if (given.length < 2) return EINVAL;
  const row = vfs.sockets.get(socket)!;
  if (!isConnected(row)) return connectDatagram(vfs, call, socket, given);
  const address = normalize(given);
  if (address instanceof Errno) return address;
  if (row.passCredentials) autobind(vfs, socket);
  const other = socketAt(vfs, pid, address, row.type);
  if (other instanceof Errno) return other;
  const server = vfs.sockets.get(other)!;
  if (server.state !== 'listening' || server.shut & CLOSED_READ) return ECONNREFUSED;
  if (server.pending.length > server.backlog)
    return waitOn(vfs, call, roomChannel(other), (file.flags & O_NONBLOCK) !== 0, row.sendTimeout);
  if (row.state !== 'open') return row.state === 'connected' ? EISCONN : EINVAL;
  const end = makeSocket(vfs, pid, row.family, row.type, row.protocol);
  const far = vfs.sockets.edit(end)!;
  far.state = 'connected';
  far.peer = socket;
  far.address = server.address;
  far.peerAddress = row.address;
  far.peerCredentials = credentialsOf(vfs, pid);
  far.passCredentials = server.passCredentials;
  const near = vfs.sockets.edit(socket)!;
  near.state = 'connected';
  near.peer = end;
  near.peerAddress = server.address;
  near.peerCredentials = server.peerCredentials;
  const queue = vfs.sockets.edit(other)!;
  queue.pending = [...queue.pending, end];
  wakeReaders(vfs, other);
  wakeWriters(vfs, socket);
  return undefined;
};

/** accept(2): the new descriptor and its socket. */
export const accept = (
  vfs: Vfs,
  call: Delivery,
  file: Readonly<OpenFile>,
  flags: number,
): Outcome<{ readonly fd: number; readonly socket: number }> => {
  const row = vfs.sockets.get(file.target)!;
  if (!isConnected(row)) return EOPNOTSUPP;
  if (row.state !== 'listening') return EINVAL;
  const [first, ...rest] = row.pending;
  if (first === undefined) {
    if (row.shut & CLOSED_READ) return EINVAL;
    return waitOn(vfs, call, receiveChannel(file.target), (file.flags & O_NONBLOCK) !== 0, row.receiveTimeout);
  }
  const fd = openSocket(vfs, call.caller.pid, first, flags);
  if (fd instanceof Errno) return fd;
  vfs.sockets.edit(file.target)!.pending = rest;
  vfs.wake(roomChannel(file.target));
  return { fd, socket: first };
};

/** shutdown(2): the other end of a connection sees the opposite. */
export const shutdown = (vfs: Vfs, socket: number, how: number): Result<void> => {
  if (how < 0 || how > 2) return EINVAL;
  const directions = how + 1;
  const row: Readonly<SocketRow> = vfs.sockets.get(socket)!;
  shutSocket(vfs, socket, directions);
  if (row.peer !== 0 && isConnected(row)) {
    const opposite = (directions & CLOSED_READ ? CLOSED_WRITE : 0) | (directions & CLOSED_WRITE ? CLOSED_READ : 0);
    shutSocket(vfs, row.peer, opposite);
  }
  if (directions & CLOSED_READ) vfs.wake(roomChannel(socket), POLLHUP);
  return undefined;
};

/** socketpair(2): two descriptors. EMFILE, EFAULT (`give` refuses them): nothing is left. */
export const openPair = (
  vfs: Vfs,
  pid: number,
  family: number,
  type: number,
  flags: number,
  give: (first: number, second: number) => boolean,
  closeFd: (fd: number) => void,
): Result<void> => {
  const [first, second] = pair(vfs, pid, family, type);
  const a = openSocket(vfs, pid, first, flags);
  const b = a instanceof Errno ? a : openSocket(vfs, pid, second, flags);
  if (!(a instanceof Errno) && !(b instanceof Errno) && give(a, b)) return undefined;
  if (!(a instanceof Errno)) closeFd(a);
  if (!(b instanceof Errno)) closeFd(b);
  for (const socket of [first, second]) {
    closeSocket(vfs, socket);
    vfs.sockets.delete(socket);
  }
  return b instanceof Errno ? b : EFAULT;
};
