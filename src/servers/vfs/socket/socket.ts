/**
 * The life of a socket: made, given a description, closed. socket(2), unix(7).
 *
 * A connection is two rows that name each other. When one end is closed the other is shut down in both directions, and told
 * ECONNRESET if the closed one had left something unread. Channels: `sock:N:r` (messages, connections, ends), `sock:N:w` (room).
 */
import { ECONNRESET, Errno, type Result } from '../../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from '../../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import { SOCK_DGRAM } from '../../../abi/socket.ts';
import { bindDescriptor } from '../files.ts';
import { releaseObject } from '../inodes.ts';
import { SOCKET_MOUNT } from '../mounts.ts';
import { enterFile } from '../open.ts';
import type { Vfs } from '../state.ts';
import { dropQueue } from './queue.ts';
import { CLOSED_READ, CLOSED_WRITE, type Credentials, type SocketRow } from './rows.ts';

/** net.core.wmem_default and rmem_default. */
export const BUFFER_DEFAULT = 212_992;

const NOBODY: Credentials = Object.freeze({ pid: 0, uid: -1, gid: -1 });

export const receiveChannel = (socket: number): string => `sock:${socket}:r`;
export const sendChannel = (socket: number): string => `sock:${socket}:w`;

export const credentialsOf = (vfs: Vfs, pid: number): Credentials => {
  const view = vfs.kernel.process(pid);
  return view instanceof Errno ? { pid, uid: 0, gid: 0 } : { pid, uid: view.euid, gid: view.egid };
};

/** A socket without a description. */
export const makeSocket = (vfs: Vfs, pid: number, family: number, type: number, protocol: number): number => {
  const number = vfs.socketNumbers.next();
  const view = vfs.kernel.process(pid);
  const row: SocketRow = {
    family,
    type,
    protocol,
    state: 'open',
    peer: 0,
    address: '',
    peerAddress: '',
    key: '',
    boundObject: 0,
    shut: 0,
    error: 0,
    backlog: 0,
    pending: [],
    starved: [],
    sendBuffer: BUFFER_DEFAULT,
    receiveBuffer: BUFFER_DEFAULT,
    packets: 0,
    queued: 0,
    outstanding: 0,
    peerCredentials: NOBODY,
    passCredentials: false,
    receiveTimeout: 0,
    sendTimeout: 0,
    lowWater: 1,
    peekOffset: -1,
    lingerOn: 0,
    linger: 0,
    options: {},
    file: 0,
    uid: view instanceof Errno ? 0 : view.fsuid,
    gid: view instanceof Errno ? 0 : view.fsgid,
    mode: 0o777,
    time: vfs.now(),
  };
  vfs.sockets.set(number, row);
  return number;
};

/** Gives a socket a description and a descriptor; `flags` are O_NONBLOCK and O_CLOEXEC. EMFILE: the socket is left as it is. */
export const openSocket = (vfs: Vfs, pid: number, socket: number, flags: number): Result<number> => {
  const number = vfs.fileNumbers.next();
  const fd = bindDescriptor(vfs, pid, number, 0, (flags & O_CLOEXEC) !== 0);
  if (fd instanceof Errno) return fd;
  vfs.sockets.edit(socket)!.file = number;
  const place = { mount: SOCKET_MOUNT, ino: socket };
  enterFile(vfs, number, place, 'socket', socket, O_RDWR | (flags & O_NONBLOCK), 0, '');
  return fd;
};

export const wakeReaders = (vfs: Vfs, socket: number, more = 0): void =>
  vfs.wake(receiveChannel(socket), POLLIN | POLLRDNORM | more);
export const wakeWriters = (vfs: Vfs, socket: number, more = 0): void =>
  vfs.wake(sendChannel(socket), POLLOUT | POLLWRNORM | more);

/** Whether type and family have connections. */
export const isConnected = (row: Readonly<SocketRow>): boolean => row.type !== SOCK_DGRAM;

/** Shuts directions of a socket down; its sleepers look again. */
export const shutSocket = (vfs: Vfs, socket: number, directions: number, error = 0): void => {
  const row = vfs.sockets.edit(socket);
  if (row === undefined) return;
  row.shut |= directions;
  if (error !== 0) row.error = error;
  const both = row.shut === (CLOSED_READ | CLOSED_WRITE) ? POLLHUP : 0;
  wakeReaders(vfs, socket, POLLRDHUP | both | (error === 0 ? 0 : POLLERR));
  wakeWriters(vfs, socket, both | (error === 0 ? 0 : POLLERR));
};

/** Takes the socket's name away. */
export const unbind = (vfs: Vfs, row: Readonly<SocketRow>): void => {
  if (row.key !== '') vfs.socketNames.delete(row.key);
  if (row.boundObject !== 0) releaseObject(vfs, row.boundObject);
};

/** The socket is closed: name, queue and connection go; the row stays until its inode is forgotten. */
export const closeSocket = (vfs: Vfs, socket: number): void => {
  const row = vfs.sockets.edit(socket);
  if (row === undefined) return;
  unbind(vfs, row);
  row.key = '';
  row.boundObject = 0;
  const unread = row.packets > 0;
  const { peer, pending } = row;
  row.peer = 0;
  row.pending = [];
  row.state = 'open';
  row.shut = CLOSED_READ | CLOSED_WRITE;
  if (peer !== 0 && isConnected(row)) {
    shutSocket(vfs, peer, CLOSED_READ | CLOSED_WRITE, unread || row.file === 0 ? ECONNRESET.number : 0);
    const other = vfs.sockets.edit(peer);
    if (other !== undefined) other.peer = 0;
  }
  for (const connection of pending) {
    closeSocket(vfs, connection);
    vfs.sockets.delete(connection);
  }
  dropQueue(vfs, socket);
  // Those that wait to send to it look again, and find it gone.
  wakeReaders(vfs, socket, POLLHUP);
  wakeSenders(vfs, socket);
};

/** The queue has room again, or the socket is gone. */
export const wakeSenders = (vfs: Vfs, socket: number): void => {
  vfs.wake(roomChannel(socket));
  const { starved } = vfs.sockets.get(socket)!;
  if (starved.length === 0) return;
  vfs.sockets.edit(socket)!.starved = [];
  for (const sender of starved) wakeWriters(vfs, sender);
};

/** Woken when a socket's queue has room: for senders of datagrams and connecting sockets. */
export const roomChannel = (socket: number): string => `sock:${socket}:q`;
