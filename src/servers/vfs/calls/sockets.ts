/** Sockets: socket(2), bind(2), connect(2), send(2), recv(2) and their kin. */
import {
  EAFNOSUPPORT,
  EFAULT,
  EINVAL,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  Errno,
  ESOCKTNOSUPPORT,
  type Result,
} from '../../../abi/errno.ts';
import * as s from '../../../abi/socket.ts';
import { MSG_DONTWAIT, MSG_WAITFORONE } from '../../../abi/socket.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, Wait, wait } from '../../../ipc/server.ts';
import { closeDescriptor, usableFileOf } from '../files.ts';
import { done } from '../outcome.ts';
import type { OpenFile } from '../rows.ts';
import { bindUnix, readAddress, shownAddress } from '../socket/address.ts';
import { accept, connect, listen, openPair, shutdown } from '../socket/connect.ts';
import { NO_ANCILLARY, readControl } from '../socket/control.ts';
import { type MessageArea, readLayout } from '../socket/message.ts';
import { getOption, setOption } from '../socket/options.ts';
import { receive } from '../socket/receive.ts';
import { send } from '../socket/send.ts';
import { makeSocket, openSocket } from '../socket/socket.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

/** How a call names its messages: sendto, sendmsg, sendmmsg. */
const PLAIN = 0;
const MANY = 2;
/** A sleeping call remembers messages done and bytes of the one it is at. */
const PER_MESSAGE = 0x1_0000_0000;
const MSG_NAMELEN = 8;
const MSG_CONTROLLEN = 40;
const MSG_FLAGS = 48;
const MSG_LEN = 56;

/** The open file of a socket's descriptor. EBADF, ENOTSOCK. */
const socketFile = (vfs: Vfs, pid: number, fd: number): Result<Readonly<OpenFile>> => {
  const file = usableFileOf(vfs, pid, fd);
  return file instanceof Errno || file.kind === 'socket' ? file : ENOTSOCK;
};

/** Type and flags of socket(2), checked against the family. */
const checkKind = (family: number, typeAndFlags: number, protocol: number): Result<number> => {
  if (typeAndFlags & ~(s.SOCK_TYPE_MASK | s.SOCK_NONBLOCK | s.SOCK_CLOEXEC)) return EINVAL;
  const type = typeAndFlags & s.SOCK_TYPE_MASK;
  if (family < 0 || family > 45) return EAFNOSUPPORT;
  if (type > 10) return EINVAL;
  if (family !== s.AF_UNIX) return EAFNOSUPPORT;
  if (protocol !== 0 && protocol !== s.AF_UNIX) return EPROTONOSUPPORT;
  // A raw AF_UNIX socket is a datagram socket.
  if (type === s.SOCK_RAW) return s.SOCK_DGRAM;
  return type === s.SOCK_STREAM || type === s.SOCK_DGRAM || type === s.SOCK_SEQPACKET ? type : ESOCKTNOSUPPORT;
};

/** Puts a value and its length where a call wants them; what does not fit is cut off. */
const giveSized = (vfs: Vfs, value: Grant | null, length: Grant | null, bytes: Uint8Array): Result<void> => {
  if (length === null) return EFAULT;
  const asked = vfs.context.copyIn(length, 0, 4);
  if (asked instanceof Errno) return asked;
  if (new DataView(asked.buffer, asked.byteOffset, 4).getInt32(0, true) < 0) return EINVAL;
  if (value === null) return EFAULT;
  const part = bytes.subarray(0, Math.min(bytes.length, value.length));
  if (part.length > 0) {
    const copied = vfs.context.copyOut(value, 0, part);
    if (copied instanceof Errno || copied < part.length) return EFAULT;
  }
  const told = vfs.context.copyOut(length, 0, new Uint8Array(Int32Array.of(bytes.length).buffer));
  return told instanceof Errno ? told : undefined;
};

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value, 0).buffer);

interface Batch {
  readonly file: Readonly<OpenFile>;
  readonly call: Delivery;
  readonly areas: Grant;
  readonly headers: Grant | null;
  readonly flags: number;
  readonly form: number;
}

const sendOne = (vfs: Vfs, batch: Batch, area: MessageArea, index: number, sent: number): Outcome<number> => {
  const { file, call, areas, flags } = batch;
  const to = readAddress(vfs, areas, area.nameLength, area.nameAt);
  if (to instanceof Errno) return to;
  let ancillary = NO_ANCILLARY;
  if (area.controlLength > 0) {
    const bytes = vfs.context.copyIn(areas, area.controlAt, area.controlLength);
    if (bytes instanceof Errno) return bytes;
    const read = readControl(vfs, call.caller.pid, bytes);
    if (read instanceof Errno) return read;
    ancillary = read;
  }
  const data = { grant: areas, at: area.dataAt, length: area.length };
  const state = (bytes: number): number => index * PER_MESSAGE + bytes;
  return send(vfs, { file, call, data, flags, to, ancillary, sent, state });
};

const receiveOne = (vfs: Vfs, batch: Batch, area: MessageArea, index: number, before: number): Outcome<number> => {
  const { file, call, areas, flags, form, headers } = batch;
  const data = { grant: areas, at: area.dataAt, length: area.length };
  const control = form === PLAIN ? undefined : { grant: areas, at: area.controlAt, length: area.controlLength };
  const state = (bytes: number): number => index * PER_MESSAGE + bytes;
  const received = receive(vfs, { file, call, data, flags, control, received: before, state });
  if (received instanceof Errno || received instanceof Wait) return received;
  const { copyOut } = vfs.context;
  // A socket without a name gives no address at all.
  const from = received.from === undefined || received.from === '' ? '' : received.from;
  const address = from === '' ? new Uint8Array(0) : shownAddress(s.AF_UNIX, from);
  const part = address.subarray(0, area.nameLength);
  if (part.length > 0) copyOut(areas, area.nameAt, part);
  if (headers === null) return received.count;
  if (form === PLAIN) {
    copyOut(headers, 0, u32(address.length));
    return received.count;
  }
  const at = index * (form === MANY ? s.MMSGHDR_SIZE : s.MSGHDR_SIZE);
  if (area.nameLength > 0) copyOut(headers, at + MSG_NAMELEN, u32(address.length));
  copyOut(headers, at + MSG_CONTROLLEN, u64(received.controlUsed));
  copyOut(headers, at + MSG_FLAGS, u32(received.flags));
  if (form === MANY) copyOut(headers, at + MSG_LEN, u32(received.count));
  return received.count;
};

type One = (vfs: Vfs, batch: Batch, area: MessageArea, index: number, before: number) => Outcome<number>;

/** Runs over the messages of a call: the result of one, or how many were done. */
const each = (
  vfs: Vfs,
  batch: Batch,
  messages: readonly MessageArea[],
  one: One,
  sending: boolean,
): Outcome<number> => {
  const start = Math.floor(batch.call.state / PER_MESSAGE);
  let current = batch;
  for (let i = start; i < messages.length; i++) {
    const before = i === start ? batch.call.state % PER_MESSAGE : 0;
    if (i > 0 && batch.flags & MSG_WAITFORONE) current = { ...batch, flags: batch.flags | MSG_DONTWAIT };
    const outcome = one(vfs, current, messages[i], i, before);
    if (batch.form !== MANY) return outcome;
    if (typeof outcome !== 'number') {
      if (outcome instanceof Wait) return i > 0 && batch.call.reason === 'cancelled' ? i : outcome;
      return i > 0 ? i : outcome;
    }
    if (sending && batch.headers !== null)
      vfs.context.copyOut(batch.headers, i * s.MMSGHDR_SIZE + MSG_LEN, u32(outcome));
  }
  return messages.length;
};

const asReply = (outcome: Outcome<number>): Outcome<{ readonly result: number }> =>
  typeof outcome === 'number' ? { result: outcome } : outcome;

export const sockets = (
  vfs: Vfs,
): CallsOf<
  | 'socket'
  | 'socketPair'
  | 'bindSocket'
  | 'listenSocket'
  | 'acceptSocket'
  | 'connectSocket'
  | 'socketName'
  | 'sendMessages'
  | 'receiveMessages'
  | 'shutdownSocket'
  | 'setSocketOption'
  | 'getSocketOption'
> => ({
  socket: ({ family, type, protocol }, call) => {
    const kind = checkKind(family, type, protocol);
    if (kind instanceof Errno) return kind;
    const { pid } = call.caller;
    const socket = makeSocket(vfs, pid, family, kind, 0);
    const fd = openSocket(vfs, pid, socket, type & (s.SOCK_NONBLOCK | s.SOCK_CLOEXEC));
    if (!(fd instanceof Errno)) return { result: fd };
    vfs.sockets.delete(socket);
    return fd;
  },

  socketPair: ({ family, type, protocol, pair }, call) => {
    const kind = checkKind(family, type, protocol);
    if (kind instanceof Errno) return kind;
    const { pid } = call.caller;
    const give = (first: number, second: number): boolean => {
      if (pair === null) return false;
      const copied = vfs.context.copyOut(pair, 0, new Uint8Array(Int32Array.of(first, second).buffer));
      return !(copied instanceof Errno) && copied === 8;
    };
    const flags = type & (s.SOCK_NONBLOCK | s.SOCK_CLOEXEC);
    const failed = openPair(vfs, pid, family, kind, flags, give, (fd) => void closeDescriptor(vfs, pid, fd));
    return failed ?? done;
  },

  bindSocket: ({ fd, address, length }, call) => {
    const { pid } = call.caller;
    const file = socketFile(vfs, pid, fd);
    if (file instanceof Errno) return file;
    const given = readAddress(vfs, address, length);
    if (given instanceof Errno) return given;
    return bindUnix(vfs, pid, file.target, given) ?? done;
  },

  listenSocket: ({ fd, backlog }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    return file instanceof Errno ? file : (listen(vfs, call.caller.pid, file.target, backlog) ?? done);
  },

  acceptSocket: ({ fd, address, length, flags }, call) => {
    const { pid } = call.caller;
    if (flags & ~(s.SOCK_NONBLOCK | s.SOCK_CLOEXEC)) return EINVAL;
    const file = socketFile(vfs, pid, fd);
    if (file instanceof Errno) return file;
    const accepted = accept(vfs, call, file, flags);
    if (accepted instanceof Errno || accepted instanceof Wait) return accepted;
    if (address !== null || length !== null) {
      const row = vfs.sockets.get(accepted.socket)!;
      const peer = vfs.sockets.get(row.peer)?.address ?? row.peerAddress;
      const given = giveSized(vfs, address, length, shownAddress(row.family, peer));
      if (given instanceof Errno && address !== null) {
        closeDescriptor(vfs, pid, accepted.fd);
        return given;
      }
    }
    return { result: accepted.fd };
  },

  connectSocket: ({ fd, address, length }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    const given = readAddress(vfs, address, length);
    if (given instanceof Errno) return given;
    return connect(vfs, call, file, given) ?? done;
  },

  socketName: ({ fd, address, length, peer }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    const row = vfs.sockets.get(file.target)!;
    let name = row.address;
    if (peer) {
      if (row.peer === 0 && row.state !== 'connected') return ENOTCONN;
      name = vfs.sockets.get(row.peer)?.address ?? row.peerAddress;
    }
    return giveSized(vfs, address, length, shownAddress(row.family, name)) ?? done;
  },

  sendMessages: ({ fd, flags, form, layout, areas, headers }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    const messages = readLayout(layout);
    if (messages instanceof Errno) return messages;
    if (areas === null) return EFAULT;
    return asReply(each(vfs, { file, call, areas, headers, flags, form }, messages, sendOne, true));
  },

  receiveMessages: ({ fd, flags, form, layout, areas, headers, timeout }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    const messages = readLayout(layout);
    if (messages instanceof Errno) return messages;
    if (areas === null) return EFAULT;
    const deadline = deadlineOf(vfs, call, timeout);
    if (deadline instanceof Errno) return deadline;
    const outcome = each(vfs, { file, call, areas, headers, flags, form }, messages, receiveOne, false);
    if (deadline === undefined || !(outcome instanceof Wait)) return asReply(outcome);
    const received = Math.floor(outcome.state / PER_MESSAGE);
    if (vfs.context.now() >= deadline && received > 0) return { result: received };
    return received === 0 ? outcome : wait(outcome.channels, { deadline, state: outcome.state });
  },

  shutdownSocket: ({ fd, how }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    return file instanceof Errno ? file : (shutdown(vfs, file.target, how) ?? done);
  },

  setSocketOption: ({ fd, level, name, value, length }, call) => {
    const { pid } = call.caller;
    const file = socketFile(vfs, pid, fd);
    if (file instanceof Errno) return file;
    if (length < 0) return EINVAL;
    return setOption(vfs, pid, file.target, level, name, value, length) ?? done;
  },

  getSocketOption: ({ fd, level, name, value, length }, call) => {
    const file = socketFile(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    if (length === null) return EFAULT;
    const room = vfs.context.copyIn(length, 0, 4);
    if (room instanceof Errno) return room;
    const size = new DataView(room.buffer, room.byteOffset, 4).getInt32(0, true);
    if (size < 0) return EINVAL;
    const option = getOption(vfs, file.target, level, name);
    if (option instanceof Errno) return option;
    if (level === s.SOL_SOCKET && name === s.SO_PEERSEC) return EOPNOTSUPP;
    return giveSized(vfs, value, length, option.subarray(0, size)) ?? done;
  },
});

/** recvmmsg's timeout: looked at after each message only, as Linux does. */
const deadlineOf = (vfs: Vfs, call: Delivery, timeout: Grant | null): Result<number | undefined> => {
  if (timeout === null) return undefined;
  const bytes = vfs.context.copyIn(timeout, 0, 16);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const seconds = Number(view.getBigInt64(0, true));
  const nanoseconds = Number(view.getBigInt64(8, true));
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= 1_000_000_000) return EINVAL;
  return Math.min(call.since + seconds * 1_000_000_000 + nanoseconds, Number.MAX_SAFE_INTEGER);
};
