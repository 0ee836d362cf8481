/** ioctl(2) requests of sockets: unix(7), "Ioctls". */
import { EFAULT, EINVAL, ENOTTY, Errno } from '../../../abi/errno.ts';
import { FIONREAD, SIOCATMARK, TIOCOUTQ } from '../../../abi/ioctl.ts';
import { SOCK_DGRAM } from '../../../abi/socket.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Outcome } from '../../../ipc/server.ts';
import { done } from '../outcome.ts';
import type { Vfs } from '../state.ts';
import { firstPacket } from './queue.ts';

export const socketIoctl = (
  vfs: Vfs,
  socket: number,
  request: number,
  buf: Grant | null,
): Outcome<{ readonly result: number }> => {
  const row = vfs.sockets.get(socket)!;
  let value: number;
  if (request === FIONREAD) {
    if (row.state === 'listening') return EINVAL;
    value = row.type === SOCK_DGRAM ? (firstPacket(vfs, socket)?.[1].data.length ?? 0) : row.queued;
  } else if (request === TIOCOUTQ) value = row.outstanding;
  else if (request === SIOCATMARK) value = 0;
  else return ENOTTY;
  if (buf === null) return EFAULT;
  const copied = vfs.context.copyOut(buf, 0, new Uint8Array(Int32Array.of(value).buffer));
  return copied instanceof Errno ? copied : done;
};
