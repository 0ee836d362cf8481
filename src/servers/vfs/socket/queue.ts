/**
 * The queue of messages that a socket is to receive, and what sending costs. A sender may have `sendBuffer` worth of messages
 * unread at others; a message costs what Linux takes for it, so that as many fit as there.
 */
import { POLLOUT, POLLWRNORM } from '../../../abi/poll.ts';
import type { Vfs } from '../state.ts';
import { landFiles } from './rights.ts';
import type { Packet } from './rows.ts';
import { sendChannel, wakeReaders, wakeSenders } from './socket.ts';

const HEADER = 256;
const TRAILER = 320;
/** Longer data lies in pages of its own. */
const LINEAR_MAX = 16_384;

/** What a message of so many bytes takes of its sender's buffer: the size classes of the allocator behind Linux's buffers. */
export const costOf = (length: number): number => {
  if (length > LINEAR_MAX) return HEADER + TRAILER + Math.ceil(length / 4096) * 4096;
  let size = 512;
  while (size < length + TRAILER) size *= 2;
  return HEADER + size;
};

/** Puts a message into a queue and charges its sender. */
export const enqueue = (vfs: Vfs, socket: number, packet: Packet): void => {
  const row = vfs.sockets.edit(socket)!;
  vfs.packets.set(socket, vfs.packetNumbers.next(), packet);
  row.packets++;
  row.queued += packet.data.length;
  const sender = vfs.sockets.edit(packet.sender);
  if (sender !== undefined) sender.outstanding += packet.cost;
  wakeReaders(vfs, socket);
};

/** The oldest message and its key. */
export const firstPacket = (vfs: Vfs, socket: number, from = 0): [number, Readonly<Packet>] | undefined =>
  vfs.packets.ceiling(socket, from);

/** Whether a sender may start another message. */
export const isWritable = (outstanding: number, buffer: number): boolean => outstanding * 4 <= buffer;

/** A message leaves the queue: its sender gets the room back. Its files are whoever's took them. */
export const takePacket = (vfs: Vfs, socket: number, key: number, packet: Readonly<Packet>): void => {
  vfs.packets.delete(socket, key);
  const row = vfs.sockets.edit(socket)!;
  row.packets--;
  row.queued -= packet.data.length - packet.start;
  const sender = vfs.sockets.edit(packet.sender);
  if (sender !== undefined) {
    sender.outstanding -= packet.cost;
    if (isWritable(sender.outstanding, sender.sendBuffer)) vfs.wake(sendChannel(packet.sender), POLLOUT | POLLWRNORM);
    else vfs.context.wake(sendChannel(packet.sender));
  }
  wakeSenders(vfs, socket);
};

/** Drops all messages, and the files in them. */
export const dropQueue = (vfs: Vfs, socket: number): void => {
  for (const [key, packet] of vfs.packets.range(socket)) {
    takePacket(vfs, socket, key, packet);
    if (packet.files.length > 0) landFiles(vfs, packet.files, packet.owner, true);
  }
};
