/**
 * Pipes: a ring of bytes between readers and writers, pipe(7). Anonymous pipes, FIFOs and host streams are all this.
 *
 * Channels: `pipe:N:r` (bytes came or the last writer went), `pipe:N:w` (room came or the last reader went),
 * `pipe:N:open` (an end was opened). Readers only sleep while the ring is empty, writers of n ≤ PIPE_BUF while there is room
 * for less than n, so waking at those edges is enough.
 */

import type { OpenFile, PipeRow } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { canReadPipe, canWritePipe } from './ends.ts';

export const PIPE_BUF = 4096;
export const PIPE_CAPACITY = 65536;
export const PIPE_MAX = 1 << 20;

export const readChannel = (pipe: number): string => `pipe:${pipe}:r`;
export const writeChannel = (pipe: number): string => `pipe:${pipe}:w`;
export const openChannel = (pipe: number): string => `pipe:${pipe}:open`;

const NO_PACKETS: readonly number[] = [];

/** Makes a pipe without ends. */
export const makePipe = (vfs: Vfs, uid: number, gid: number): number => {
  const number = vfs.pipeNumbers.next();
  const row: PipeRow = {
    readers: 0,
    writers: 0,
    readerOpens: 0,
    writerOpens: 0,
    capacity: PIPE_CAPACITY,
    start: 0,
    length: 0,
    packets: NO_PACKETS,
    uid,
    gid,
    mode: 0o010600,
    time: vfs.now(),
  };
  vfs.pipes.set(number, row);
  return number;
};

export const openPipeEnd = (vfs: Vfs, pipe: number, flags: number): void => {
  const row = vfs.pipes.edit(pipe)!;
  if (canReadPipe(flags)) {
    row.readers++;
    row.readerOpens++;
  }
  if (canWritePipe(flags)) {
    row.writers++;
    row.writerOpens++;
  }
  vfs.wake(openChannel(pipe));
};

/** Gives up an end; the last of both takes the pipe's bytes along. */
export const closeEnd = (vfs: Vfs, pipe: number, flags: number): void => {
  const row = vfs.pipes.edit(pipe);
  if (row === undefined) return;
  if (canReadPipe(flags) && --row.readers === 0) vfs.wake(writeChannel(pipe));
  if (canWritePipe(flags) && --row.writers === 0) vfs.wake(readChannel(pipe));
  if (row.readers > 0 || row.writers > 0) return;
  row.start = 0;
  row.length = 0;
  row.packets = NO_PACKETS;
  vfs.pipeData.delete(pipe);
};

export const closePipeEnd = (vfs: Vfs, file: Readonly<OpenFile>): void => closeEnd(vfs, file.target, file.flags);

/** Copies up to `into.length` of the oldest bytes and leaves them in the pipe. */
export const peekBytes = (vfs: Vfs, pipe: number, into: Uint8Array): number => {
  const row = vfs.pipes.get(pipe)!;
  const count = Math.min(into.length, row.length);
  if (count === 0) return 0;
  const first = Math.min(count, row.capacity - row.start);
  vfs.pipeData.read(pipe, row.start, first === into.length ? into : into.subarray(0, first));
  if (first < count) vfs.pipeData.read(pipe, 0, into.subarray(first, count));
  return count;
};

/** Takes the oldest bytes out; there are that many. */
export const dropBytes = (vfs: Vfs, pipe: number, count: number): void => {
  const row = vfs.pipes.edit(pipe)!;
  const wasTight = row.capacity - row.length < PIPE_BUF || row.packets.length >= row.capacity / PIPE_BUF;
  row.length -= count;
  if (row.packets.length > 0) row.packets = row.packets.map((end) => end - count).filter((end) => end > 0);
  // An empty ring starts over, which keeps a pipe of small messages in one page.
  row.start = row.length === 0 ? 0 : (row.start + count) % row.capacity;
  if (wasTight) vfs.wake(writeChannel(pipe));
};

/** Puts in as many of the bytes as there is room for. */
export const putBytes = (vfs: Vfs, pipe: number, bytes: Uint8Array): number => {
  const row = vfs.pipes.edit(pipe)!;
  const count = Math.min(bytes.length, row.capacity - row.length);
  if (count === 0) return 0;
  const end = (row.start + row.length) % row.capacity;
  const first = Math.min(count, row.capacity - end);
  vfs.pipeData.write(pipe, end, first === bytes.length ? bytes : bytes.subarray(0, first));
  if (first < count) vfs.pipeData.write(pipe, 0, bytes.subarray(first, count));
  if (row.length === 0) vfs.wake(readChannel(pipe));
  else vfs.edge(readChannel(pipe));
  row.length += count;
  return count;
};

/** What has been put in last is the end of a packet. */
export const endPacket = (vfs: Vfs, pipe: number): void => {
  const row = vfs.pipes.edit(pipe)!;
  row.packets = [...row.packets, row.length];
};

/** Sets the capacity: a power of two that holds what is in the pipe. False if it cannot. */
export const resizePipe = (vfs: Vfs, pipe: number, capacity: number): boolean => {
  const row = vfs.pipes.edit(pipe)!;
  if (row.length > capacity) return false;
  const bytes = new Uint8Array(row.length);
  const first = Math.min(row.length, row.capacity - row.start);
  vfs.pipeData.read(pipe, row.start, bytes.subarray(0, first));
  vfs.pipeData.read(pipe, 0, bytes.subarray(first));
  vfs.pipeData.delete(pipe);
  vfs.pipeData.write(pipe, 0, bytes);
  row.start = 0;
  row.capacity = capacity;
  vfs.wake(writeChannel(pipe));
  return true;
};
