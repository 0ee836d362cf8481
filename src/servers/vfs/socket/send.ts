/**
 * Sending on AF_UNIX sockets: send(2), unix(7). A stream's data goes in pieces, and what has gone is the sleeping call's state;
 * a datagram goes whole or not at all.
 */
import {
  EAGAIN,
  ECONNREFUSED,
  EFAULT,
  EISCONN,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, SOCK_SEQPACKET, SOCK_STREAM } from '../../../abi/socket.ts';
import { type Delivery, type Outcome, Wait } from '../../../ipc/server.ts';
import { copyInSome } from '../copy-in.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { autobind, normalize, socketAt } from './address.ts';
import { maySend, takeError, waitOn } from './connect.ts';
import type { Ancillary } from './control.ts';
import type { Stretch } from './message.ts';
import { costOf, enqueue } from './queue.ts';
import { launchFiles } from './rights.ts';
import { CLOSED_READ, CLOSED_WRITE, type Credentials, type SocketRow } from './rows.ts';
import { credentialsOf, isConnected, roomChannel, sendChannel } from './socket.ts';

const SIGPIPE = 13;
/** A stream's data is cut into messages of at most this. */
const PIECE_MAX = 32_768;
/** net.unix.max_dgram_qlen: more messages than this, and senders wait. */
export const QUEUE_MAX = 10;
/** What a receiver sees that wants credentials of a message sent before it did (overflowuid). */
const UNKNOWN: Credentials = Object.freeze({ pid: 0, uid: 65_534, gid: 65_534 });

/** One message to be sent. */
export interface Outgoing {
  readonly file: Readonly<OpenFile>;
  readonly call: Delivery;
  readonly data: Stretch;
  readonly flags: number;
  /** Where to, '' for nowhere in particular. */
  readonly to: string;
  readonly ancillary: Ancillary;
  /** Bytes that have gone already. */
  readonly sent: number;
  /** What a wait remembers for so many bytes sent. */
  readonly state: (sent: number) => number;
}

const credentialsFor = (
  vfs: Vfs,
  call: Delivery,
  row: Readonly<SocketRow>,
  other: Readonly<SocketRow>,
  given: Credentials | undefined,
): Credentials => {
  if (given !== undefined) return given;
  if (!row.passCredentials && !other.passCredentials) return UNKNOWN;
  const view = vfs.kernel.process(call.caller.pid);
  return view instanceof Errno
    ? credentialsOf(vfs, call.caller.pid)
    : { pid: call.caller.pid, uid: view.uid, gid: view.gid };
};

/** Nobody reads a stream: EPIPE, with SIGPIPE. Other types give the error alone. */
const brokenPipe = (vfs: Vfs, { call, flags, sent }: Outgoing): Outcome<number> => {
  if (sent > 0) return sent;
  if ((flags & MSG_NOSIGNAL) === 0 && call.caller.pid !== 0) vfs.kernel.raiseSignal(call.caller.pid, SIGPIPE, true);
  return EPIPE;
};

const mayNotSleep = ({ file, flags }: Outgoing): boolean => ((file.flags & O_NONBLOCK) | (flags & MSG_DONTWAIT)) !== 0;

/** Takes the files of a message in flight. */
const launch = (vfs: Vfs, { call, ancillary }: Outgoing, uid: number): Result<void> =>
  ancillary.files.length === 0 ? undefined : launchFiles(vfs, call.caller.pid, uid, ancillary.files);

const sendStream = (vfs: Vfs, message: Outgoing): Outcome<number> => {
  const { file, call, data, to, ancillary } = message;
  const socket = file.target;
  const first = vfs.sockets.get(socket)!;
  if (to !== '') return first.state === 'connected' ? EISCONN : EOPNOTSUPP;
  if (first.state !== 'connected') return ENOTCONN;
  if (first.shut & CLOSED_WRITE) return brokenPipe(vfs, message);
  let { sent } = message;
  while (sent < data.length) {
    const row = vfs.sockets.get(socket)!;
    const error = sent === 0 ? takeError(vfs, socket) : undefined;
    if (error !== undefined) return error;
    const other = vfs.sockets.get(row.peer);
    if (other === undefined || row.shut & CLOSED_WRITE || other.shut & CLOSED_READ)
      return brokenPipe(vfs, { ...message, sent });
    if (row.outstanding >= row.sendBuffer) {
      if (sent > 0 && (mayNotSleep(message) || call.reason === 'cancelled')) return sent;
      const outcome = waitOn(
        vfs,
        call,
        sendChannel(socket),
        mayNotSleep(message),
        row.sendTimeout,
        message.state(sent),
      );
      return outcome instanceof Wait || sent === 0 ? outcome : sent;
    }
    const wanted = Math.min(data.length - sent, PIECE_MAX, (row.sendBuffer >> 1) - 64);
    const bytes = copyInSome(vfs, data.grant, data.at + sent, wanted);
    if (bytes instanceof Errno || bytes.length < wanted) return sent > 0 ? sent : EFAULT;
    const owner = credentialsOf(vfs, call.caller.pid).uid;
    const files = sent === 0 ? ancillary.files : [];
    const launched = sent === 0 ? launch(vfs, message, owner) : undefined;
    if (launched instanceof Errno) return launched;
    enqueue(vfs, row.peer, {
      data: bytes,
      start: 0,
      cost: costOf(bytes.length),
      sender: socket,
      from: row.address,
      files,
      owner,
      credentials: credentialsFor(vfs, call, row, other, ancillary.credentials),
    });
    sent += bytes.length;
  }
  return sent;
};

/** Where a datagram goes. */
const receiverOf = (vfs: Vfs, { file, call, to }: Outgoing): Result<number> => {
  const row = vfs.sockets.get(file.target)!;
  if (row.type === SOCK_SEQPACKET || to === '') return row.peer === 0 ? ENOTCONN : row.peer;
  const address = normalize(to);
  return address instanceof Errno ? address : socketAt(vfs, call.caller.pid, address, row.type);
};

const sendDatagram = (vfs: Vfs, message: Outgoing): Outcome<number> => {
  const { file, call, data, to, ancillary } = message;
  const socket = file.target;
  const row = vfs.sockets.get(socket)!;
  const connected = isConnected(row);
  const pending = takeError(vfs, socket);
  if (pending !== undefined) return pending;
  if (connected && row.state !== 'connected') return ENOTCONN;
  if (row.shut & CLOSED_WRITE || (connected && row.peer === 0)) return EPIPE;
  const address = to === '' || connected ? '' : normalize(to);
  if (address instanceof Errno) return address;
  if (row.passCredentials && !connected) autobind(vfs, socket);
  if (data.length > row.sendBuffer - 32) return EMSGSIZE;
  const other = receiverOf(vfs, message);
  if (other instanceof Errno) return other;
  if (row.outstanding >= row.sendBuffer)
    return waitOn(vfs, call, sendChannel(socket), mayNotSleep(message), row.sendTimeout, message.state(0));
  const target = vfs.sockets.get(other);
  if (target === undefined || (target.file === 0 && !connected)) {
    vfs.sockets.edit(socket)!.peer = 0;
    return ECONNREFUSED;
  }
  if (!connected && !maySend(vfs, socket, other)) return EPERM;
  if (target.shut & CLOSED_READ) return EPIPE;
  if (other !== socket && target.peer !== socket && target.packets > QUEUE_MAX)
    return waitOn(vfs, call, roomChannel(other), mayNotSleep(message), row.sendTimeout, message.state(0));
  const bytes = vfs.context.copyIn(data.grant, data.at, data.length);
  if (bytes instanceof Errno) return bytes;
  const owner = credentialsOf(vfs, call.caller.pid).uid;
  const launched = launch(vfs, message, owner);
  if (launched instanceof Errno) return launched;
  enqueue(vfs, other, {
    data: bytes,
    start: 0,
    cost: costOf(bytes.length),
    sender: socket,
    from: vfs.sockets.get(socket)!.address,
    files: ancillary.files,
    owner,
    credentials: credentialsFor(vfs, call, row, target, ancillary.credentials),
  });
  return data.length;
};

/** Sends one message: the bytes that went. */
export const send = (vfs: Vfs, message: Outgoing): Outcome<number> => {
  if (message.flags & MSG_OOB) return EOPNOTSUPP;
  const { type } = vfs.sockets.get(message.file.target)!;
  return type === SOCK_STREAM ? sendStream(vfs, message) : sendDatagram(vfs, message);
};

/** Bytes from elsewhere in the VFS (sendfile, splice): those that were taken; 0 if it would have to wait. */
export const sendBytes = (vfs: Vfs, call: Delivery, file: Readonly<OpenFile>, bytes: Uint8Array): Result<number> => {
  const socket = file.target;
  const row = vfs.sockets.get(socket)!;
  if (row.type === SOCK_STREAM && row.state !== 'connected') return ENOTCONN;
  const other = vfs.sockets.get(row.peer);
  if (other === undefined && row.type !== SOCK_STREAM && !isConnected(row)) return ENOTCONN;
  if (other === undefined || row.shut & CLOSED_WRITE || other.shut & CLOSED_READ) {
    if (row.type === SOCK_STREAM) vfs.kernel.raiseSignal(call.caller.pid, SIGPIPE, true);
    return EPIPE;
  }
  if (row.outstanding >= row.sendBuffer) return file.flags & O_NONBLOCK ? EAGAIN : 0;
  const data = bytes.slice(0, PIECE_MAX);
  enqueue(vfs, row.peer, {
    data,
    start: 0,
    cost: costOf(data.length),
    sender: socket,
    from: row.address,
    files: [],
    owner: 0,
    credentials: credentialsFor(vfs, call, row, other, undefined),
  });
  return data.length;
};
