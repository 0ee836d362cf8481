/**
 * Signal-driven I/O (fcntl(2), "Managing signals"): an open file with O_ASYNC has its owner told by a signal when it becomes
 * readable or writable: SIGIO, or what F_SETSIG chose, which then says which descriptor and why.
 *
 * Entry points: `setAsync` (F_SETFL), `asyncOf` and `editAsync` (F_SETSIG, F_SETOWN_EX), `notifyOwners` (Vfs.wake), `forgetAsync`.
 * Invariant: a file stands in the lists of its channels exactly while O_ASYNC is set.
 */
import { O_ACCMODE, O_WRONLY } from '../../../abi/fcntl.ts';
import { POLLIN } from '../../../abi/poll.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';

export interface AsyncFile {
  /** F_SETSIG: 0 for SIGIO without more. */
  signal: number;
  /** The owner is a thread (F_OWNER_TID). */
  thread: boolean;
  /** Who set the owner: it must be allowed to signal it. */
  uid: number;
  euid: number;
  /** The descriptor under which O_ASYNC was set. */
  fd: number;
  channels: readonly string[];
}

const NOBODY: AsyncFile = { signal: 0, thread: false, uid: 0, euid: 0, fd: -1, channels: [] };

export const asyncOf = (vfs: Vfs, file: number): Readonly<AsyncFile> => vfs.asyncFiles.get(file) ?? NOBODY;

export const editAsync = (vfs: Vfs, file: number): AsyncFile => {
  const row = vfs.asyncFiles.edit(file);
  if (row !== undefined) return row;
  vfs.asyncFiles.set(file, { ...NOBODY });
  return vfs.asyncFiles.edit(file)!;
};

/** O_ASYNC is set or cleared; `channels` are those on which the file's readiness changes. */
export const setAsync = (vfs: Vfs, file: number, fd: number, channels: readonly string[]): void => {
  const row = editAsync(vfs, file);
  for (const channel of row.channels) {
    const files = vfs.asyncChannels.get(channel)?.files.filter((other) => other !== file) ?? [];
    if (files.length === 0) vfs.asyncChannels.delete(channel);
    else vfs.asyncChannels.set(channel, { files });
  }
  row.fd = fd;
  row.channels = channels;
  for (const channel of channels)
    vfs.asyncChannels.set(channel, { files: [...(vfs.asyncChannels.get(channel)?.files ?? []), file] });
};

/** The open file is gone. */
export const forgetAsync = (vfs: Vfs, file: number): void => {
  if (!vfs.asyncFiles.has(file)) return;
  setAsync(vfs, file, -1, []);
  vfs.asyncFiles.delete(file);
};

/** The channel was woken, and `events` may have come to hold (all bits: not known which). */
export const notifyOwners = (vfs: Vfs, channel: string, events: number): void => {
  for (const number of vfs.asyncChannels.get(channel)?.files ?? []) {
    const file = vfs.files.get(number);
    const row = vfs.asyncFiles.get(number);
    if (file === undefined || row === undefined || file.owner === 0) continue;
    const { signal, thread, uid, euid, fd } = row;
    const readable = isReadable(file, row, channel, events);
    vfs.kernel.raiseIo({ owner: file.owner, thread, signal, fd, readable, uid, euid });
  }
};

const isReadable = (file: Readonly<OpenFile>, row: AsyncFile, channel: string, events: number): boolean => {
  if (events !== ~0) return (events & POLLIN) !== 0;
  return (file.flags & O_ACCMODE) !== O_WRONLY && row.channels[0] === channel;
};
