/**
 * Calls of the VFS that concern sockets, message queues, and what belongs to terminals besides ioctl. Numbers from 640; part of the protocol of the
 * VFS (vfs.ts). How several messages lie in one grant is said in abi/socket-arguments.ts.
 */
import { bool, bytes, grant, i32, i53, text, u32 } from '../fields.ts';
import { call } from '../protocol.ts';

const result = { result: i32 };

export const socketCalls = {
  socket: call(640, 'socket(2).', { family: i32, type: i32, protocol: i32 }, result),
  socketPair: call(641, 'socketpair(2).', { family: i32, type: i32, protocol: i32, pair: grant }, result),
  bindSocket: call(642, 'bind(2).', { fd: i32, address: grant, length: i32 }, result),
  listenSocket: call(643, 'listen(2).', { fd: i32, backlog: i32 }, result),
  acceptSocket: call(644, 'accept(2), accept4(2).', { fd: i32, address: grant, length: grant, flags: i32 }, result),
  connectSocket: call(645, 'connect(2).', { fd: i32, address: grant, length: i32 }, result),
  socketName: call(
    646,
    'getsockname(2), or getpeername(2) with `peer`.',
    { fd: i32, address: grant, length: grant, peer: bool },
    result,
  ),
  sendMessages: call(
    647,
    'sendto(2) (form 0), sendmsg(2) (form 1), sendmmsg(2) (form 2).',
    { fd: i32, flags: u32, form: i32, layout: bytes, areas: grant, headers: grant },
    result,
  ),
  receiveMessages: call(
    648,
    'recvfrom(2) (form 0), recvmsg(2) (form 1), recvmmsg(2) (form 2, with a timeout).',
    { fd: i32, flags: u32, form: i32, layout: bytes, areas: grant, headers: grant, timeout: grant },
    result,
  ),
  shutdownSocket: call(649, 'shutdown(2).', { fd: i32, how: i32 }, result),
  setSocketOption: call(650, 'setsockopt(2).', { fd: i32, level: i32, name: i32, value: grant, length: i32 }, result),
  getSocketOption: call(651, 'getsockopt(2).', { fd: i32, level: i32, name: i32, value: grant, length: grant }, result),
  mqOpen: call(660, 'mq_open(2).', { name: text, flags: i32, mode: u32, attributes: grant }, result),
  mqUnlink: call(661, 'mq_unlink(2).', { name: text }, result),
  mqSend: call(662, 'mq_timedsend(2).', { fd: i32, buf: grant, length: i53, priority: u32, timeout: grant }, result),
  mqReceive: call(
    663,
    'mq_timedreceive(2).',
    { fd: i32, buf: grant, length: i53, priority: grant, timeout: grant },
    result,
  ),
  mqNotify: call(664, 'mq_notify(2).', { fd: i32, event: grant }, result),
  mqAttributes: call(665, 'mq_getsetattr(2).', { fd: i32, wanted: grant, old: grant }, result),
  vhangup: call(680, "vhangup(2): all descriptions of the caller's terminal stop working.", {}, result),
} as const;
