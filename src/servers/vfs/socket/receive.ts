/**
 * Receiving on AF_UNIX sockets: recv(2), unix(7). A stream's messages run together, except where descriptors or (with
 * SO_PASSCRED) other credentials begin; a datagram is one message, cut off at the end of the buffer.
 */
import { EINVAL, ENOTCONN, EOPNOTSUPP, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import {
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from '../../../abi/socket.ts';
import { type Delivery, type Outcome, Wait } from '../../../ipc/server.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { takeError, waitOn } from './connect.ts';
import { ControlWriter } from './control.ts';
import type { Stretch } from './message.ts';
import { firstPacket, takePacket } from './queue.ts';
import { landFiles } from './rights.ts';
import { CLOSED_READ, type Credentials, type Packet, type SocketRow } from './rows.ts';
import { receiveChannel } from './socket.ts';

export interface Incoming {
  readonly file: Readonly<OpenFile>;
  readonly call: Delivery;
  readonly data: Stretch;
  readonly flags: number;
  /** Room for control data; undefined where the call has none (read, recvfrom). */
  readonly control: Stretch | undefined;
  /** Bytes that this call received before it slept. */
  readonly received: number;
  readonly state: (received: number) => number;
}

/** What was received. */
export interface Received {
  readonly count: number;
  /** Sender's address; undefined: none is to be given. */
  readonly from: string | undefined;
  readonly controlUsed: number;
  /** MSG_TRUNC, MSG_CTRUNC, MSG_CMSG_CLOEXEC. */
  readonly flags: number;
}

const NOTHING = { controlUsed: 0, flags: 0 };

const sameCredentials = (a: Credentials, b: Credentials): boolean =>
  a.pid === b.pid && a.uid === b.uid && a.gid === b.gid;

const mayNotSleep = ({ file, flags }: Incoming): boolean => ((file.flags & O_NONBLOCK) | (flags & MSG_DONTWAIT)) !== 0;

/** Gives what travels with messages: credentials, and files, which have left their message unless it was only looked at. */
const giveAncillary = (
  vfs: Vfs,
  { call, control, flags }: Incoming,
  row: Readonly<SocketRow>,
  credentials: Credentials,
  files: readonly number[],
  owner: number,
): { controlUsed: number; flags: number } => {
  const kept = flags & MSG_CMSG_CLOEXEC;
  let result = { controlUsed: 0, flags: kept | (row.passCredentials || files.length > 0 ? MSG_CTRUNC : 0) };
  if (control !== undefined && control.length > 0) {
    const writer = new ControlWriter(vfs, control.grant, control.at, control.length);
    if (row.passCredentials) writer.credentials(credentials);
    if (files.length > 0) writer.rights(call.caller.pid, files, kept !== 0);
    result = { controlUsed: writer.used, flags: writer.flags | kept };
  }
  if ((flags & MSG_PEEK) === 0 && files.length > 0) landFiles(vfs, files, owner, true);
  return result;
};

const receiveStream = (vfs: Vfs, message: Incoming): Outcome<Received> => {
  const { file, call, data, flags } = message;
  const socket = file.target;
  const row = vfs.sockets.get(socket)!;
  if (row.state !== 'connected') return EINVAL;
  const peek = (flags & MSG_PEEK) !== 0;
  let count = message.received;
  let key = 0;
  let first: Readonly<Packet> | undefined;
  let files: readonly number[] = [];
  let owner = 0;
  const target = Math.max(1, flags & MSG_WAITALL ? data.length : Math.min(row.lowWater, data.length));
  let skip = peek && row.peekOffset > 0 ? row.peekOffset : 0;
  for (;;) {
    const found = firstPacket(vfs, socket, key);
    if (found === undefined) {
      if (count >= target || (count > 0 && (peek || files.length > 0))) break;
      const error = count === 0 ? takeError(vfs, socket) : undefined;
      if (error !== undefined) return error;
      if (vfs.sockets.get(socket)!.shut & CLOSED_READ) break;
      const outcome = waitOn(
        vfs,
        call,
        receiveChannel(socket),
        mayNotSleep(message),
        row.receiveTimeout,
        message.state(count),
      );
      if (outcome instanceof Wait || count === 0) return outcome;
      break;
    }
    const [number, packet] = found;
    if (first !== undefined && row.passCredentials && !sameCredentials(first.credentials, packet.credentials)) break;
    const waiting = packet.data.length - packet.start;
    if (skip >= waiting && waiting > 0) {
      skip -= waiting;
      key = number + 1;
      continue;
    }
    const begin = packet.start + skip;
    const chunk = Math.min(packet.data.length - begin, data.length - count);
    skip = 0;
    if (chunk > 0) {
      const part = packet.data.subarray(begin, begin + chunk);
      const copied = vfs.context.copyOut(data.grant, data.at + count, part);
      if (copied instanceof Errno || copied < chunk) {
        if (count === 0) return Errno.of(14);
        break;
      }
    }
    count += chunk;
    first ??= packet;
    files = packet.files;
    if (files.length > 0) owner = packet.owner;
    if (peek) {
      if (files.length > 0 || count >= data.length) break;
      key = number + 1;
      continue;
    }
    if (begin + chunk < packet.data.length) {
      const changed = vfs.packets.edit(socket, number)!;
      changed.start = begin + chunk;
      changed.files = [];
      vfs.sockets.edit(socket)!.queued -= chunk;
      break;
    }
    vfs.sockets.edit(socket)!.queued -= chunk;
    takePacket(vfs, socket, number, { ...packet, start: packet.data.length });
    if (files.length > 0 || count >= data.length) break;
  }
  if (peek && row.peekOffset >= 0) vfs.sockets.edit(socket)!.peekOffset = row.peekOffset + count;
  else if (!peek && row.peekOffset > 0)
    vfs.sockets.edit(socket)!.peekOffset = Math.max(0, row.peekOffset - (count - message.received));
  if (first === undefined) return { count, from: row.peerAddress, controlUsed: 0, flags: flags & MSG_CMSG_CLOEXEC };
  return { count, from: row.peerAddress, ...giveAncillary(vfs, message, row, first.credentials, files, owner) };
};

const receiveDatagram = (vfs: Vfs, message: Incoming): Outcome<Received> => {
  const { file, call, data, flags } = message;
  const socket = file.target;
  const row = vfs.sockets.get(socket)!;
  if (row.type === SOCK_SEQPACKET && row.state !== 'connected') return ENOTCONN;
  const found = firstPacket(vfs, socket);
  if (found === undefined) {
    const error = takeError(vfs, socket);
    if (error !== undefined) return error;
    const ended = row.shut & CLOSED_READ;
    if (ended && (row.type === SOCK_SEQPACKET || !mayNotSleep(message)))
      return { count: 0, from: undefined, ...NOTHING };
    return waitOn(vfs, call, receiveChannel(socket), mayNotSleep(message), row.receiveTimeout, message.state(0));
  }
  const [key, packet] = found;
  const count = Math.min(packet.data.length, data.length);
  if (count > 0) {
    const copied = vfs.context.copyOut(data.grant, data.at, packet.data.subarray(0, count));
    if (copied instanceof Errno || copied < count) return Errno.of(14);
  }
  if ((flags & MSG_PEEK) === 0) takePacket(vfs, socket, key, packet);
  const ancillary = giveAncillary(vfs, message, row, packet.credentials, packet.files, packet.owner);
  return {
    count: flags & MSG_TRUNC ? packet.data.length : count,
    from: packet.from,
    controlUsed: ancillary.controlUsed,
    flags: ancillary.flags | (count < packet.data.length ? MSG_TRUNC : 0),
  };
};

/** Receives one message. */
export const receive = (vfs: Vfs, message: Incoming): Outcome<Received> => {
  const { type } = vfs.sockets.get(message.file.target)!;
  if (message.flags & MSG_OOB) return type === SOCK_STREAM ? EINVAL : EOPNOTSUPP;
  return type === SOCK_STREAM ? receiveStream(vfs, message) : receiveDatagram(vfs, message);
};
