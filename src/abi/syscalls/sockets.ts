/** System calls of sockets, which the VFS answers (ipc/protocols/sockets.ts). */
import { bufferIn, choice, fd, flags, int, structIn, structInOut, structOut, uint } from '../arguments.ts';
import * as s from '../socket.ts';
import {
  areas,
  type Gather,
  gatherMany,
  gatherOne,
  gatherPlain,
  givenAddress,
  headers,
  layout,
  roomFor,
} from '../socket-arguments.ts';
import { syscall } from '../syscall.ts';

const LOCAL = 'AF_UNIX only; no out-of-band data';

const family = choice('address family', { AF_UNSPEC: 0, AF_UNIX: s.AF_UNIX, AF_INET: s.AF_INET, AF_INET6: s.AF_INET6 });
const socketType = flags('socket type', { SOCK_NONBLOCK: s.SOCK_NONBLOCK, SOCK_CLOEXEC: s.SOCK_CLOEXEC });
const messageFlags = flags('message flags', s.messageFlagNames);
const how = choice('how', { SHUT_RD: s.SHUT_RD, SHUT_WR: s.SHUT_WR, SHUT_RDWR: s.SHUT_RDWR });
const kind = { family, type: socketType, protocol: int };
const addressRoom = { address: roomFor('sockaddr', 2), length: structInOut('socklen_t*', 4) };

/** The arguments beyond the registers: what lies in the headers. */
const parts = (direction: 'in' | 'out', gather: Gather, stride: number) => ({
  areas: areas(direction, gather),
  layout: layout(gather),
  headers: headers(stride),
});

export const socketSyscalls = {
  socket: syscall(41, 'vfs', 'socket', kind, { partial: LOCAL }),
  connect: syscall(42, 'vfs', 'connectSocket', { fd, address: givenAddress(2), length: int }, { partial: LOCAL }),
  accept: syscall(43, 'vfs', 'acceptSocket', { fd, ...addressRoom }, { with: { flags: 0 } }),
  sendto: syscall(
    44,
    'vfs',
    'sendMessages',
    {
      fd,
      areas: areas('in', gatherPlain(true)),
      count: uint,
      flags: messageFlags,
      layout: layout(gatherPlain(true)),
    },
    { with: { form: 0, headers: null }, partial: LOCAL },
  ),
  recvfrom: syscall(
    45,
    'vfs',
    'receiveMessages',
    {
      fd,
      areas: areas('out', gatherPlain(false)),
      count: uint,
      flags: messageFlags,
      layout: layout(gatherPlain(false)),
      headers: headers(4),
    },
    { with: { form: 0, timeout: null }, partial: LOCAL },
  ),
  sendmsg: syscall(
    46,
    'vfs',
    'sendMessages',
    {
      fd,
      message: structIn('msghdr', s.MSGHDR_SIZE),
      flags: messageFlags,
      ...parts('in', gatherOne(true), s.MSGHDR_SIZE),
    },
    { with: { form: 1 }, partial: LOCAL },
  ),
  recvmsg: syscall(
    47,
    'vfs',
    'receiveMessages',
    {
      fd,
      message: structIn('msghdr', s.MSGHDR_SIZE),
      flags: messageFlags,
      ...parts('out', gatherOne(false), s.MSGHDR_SIZE),
    },
    { with: { form: 1, timeout: null }, partial: LOCAL },
  ),
  shutdown: syscall(48, 'vfs', 'shutdownSocket', { fd, how }),
  bind: syscall(49, 'vfs', 'bindSocket', { fd, address: givenAddress(2), length: int }, { partial: LOCAL }),
  listen: syscall(50, 'vfs', 'listenSocket', { fd, backlog: int }),
  getsockname: syscall(51, 'vfs', 'socketName', { fd, ...addressRoom }, { with: { peer: false } }),
  getpeername: syscall(52, 'vfs', 'socketName', { fd, ...addressRoom }, { with: { peer: true } }),
  socketpair: syscall(53, 'vfs', 'socketPair', { ...kind, pair: structOut('int[2]', 8) }),
  setsockopt: syscall(
    54,
    'vfs',
    'setSocketOption',
    { fd, level: int, name: int, value: bufferIn(4), length: int },
    { partial: 'options of sockets and AF_UNIX; no filters, no timestamps' },
  ),
  getsockopt: syscall(
    55,
    'vfs',
    'getSocketOption',
    { fd, level: int, name: int, value: roomFor('value', 4), length: structInOut('socklen_t*', 4) },
    { partial: 'options of sockets and AF_UNIX; no filters, no timestamps' },
  ),
  accept4: syscall(288, 'vfs', 'acceptSocket', { fd, ...addressRoom, flags: socketType }),
  recvmmsg: syscall(
    299,
    'vfs',
    'receiveMessages',
    {
      fd,
      message: structIn('mmsghdr[]', s.MMSGHDR_SIZE),
      count: uint,
      flags: messageFlags,
      timeout: structIn('timespec', 16),
      ...parts('out', gatherMany(false), s.MMSGHDR_SIZE),
    },
    { with: { form: 2 }, partial: LOCAL },
  ),
  sendmmsg: syscall(
    307,
    'vfs',
    'sendMessages',
    {
      fd,
      message: structIn('mmsghdr[]', s.MMSGHDR_SIZE),
      count: uint,
      flags: messageFlags,
      ...parts('in', gatherMany(true), s.MMSGHDR_SIZE),
    },
    { with: { form: 2 }, partial: LOCAL },
  ),
};
