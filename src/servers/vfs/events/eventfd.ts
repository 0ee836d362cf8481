/** eventfd(2): a counter that writes add to and reads take, all of it or (EFD_SEMAPHORE) one. */
import { EAGAIN, EFAULT, EINVAL, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { POLLERR, POLLIN, POLLOUT } from '../../../abi/poll.ts';
import { wait } from '../../../ipc/server.ts';
import type { FileIo } from '../io/operations.ts';

const WORD = 8;
const FULL = 0xffff_ffff_ffff_ffffn;
const channelOf = (file: number): string => `eventfd:${file}`;

export const eventfdIo: FileIo = {
  seekable: 'still',
  watchable: true,

  read: (vfs, { file, number, buf }) => {
    if (buf.length < WORD) return EINVAL;
    const { count, semaphore } = vfs.counters.get(number)!;
    if (count === 0n) return file.flags & O_NONBLOCK ? EAGAIN : wait([channelOf(number)]);
    const taken = semaphore ? 1n : count;
    const bytes = new Uint8Array(WORD);
    new DataView(bytes.buffer).setBigUint64(0, taken, true);
    vfs.counters.edit(number)!.count -= taken;
    vfs.wake(channelOf(number), POLLOUT);
    const copied = vfs.context.copyOut(buf, 0, bytes);
    return copied instanceof Errno || copied < WORD ? EFAULT : WORD;
  },

  write: (vfs, { file, number, buf }) => {
    if (buf.length !== WORD) return EINVAL;
    const bytes = vfs.context.copyIn(buf, 0, WORD);
    if (bytes instanceof Errno) return bytes;
    const value = new DataView(bytes.buffer, bytes.byteOffset, WORD).getBigUint64(0, true);
    if (value === FULL) return EINVAL;
    const counter = vfs.counters.get(number)!;
    if (FULL - counter.count <= value) return file.flags & O_NONBLOCK ? EAGAIN : wait([channelOf(number)]);
    vfs.counters.edit(number)!.count += value;
    vfs.wake(channelOf(number), POLLIN);
    return WORD;
  },

  poll: (vfs, file) => {
    const { count } = vfs.counters.get(file.target)!;
    let events = count > 0n ? POLLIN : 0;
    if (count === FULL) events |= POLLERR;
    if (FULL - 1n > count) events |= POLLOUT;
    return { events, channels: [channelOf(file.target)] };
  },

  close: (vfs, _file, number) => {
    vfs.counters.delete(number);
  },
};
