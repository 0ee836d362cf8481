/** The memory devices: null(4), zero(4), full(4), random(4). Reads fill the buffer piece by piece; EFAULT if nothing fitted. */
import { ENOSPC, Errno } from '../../../abi/errno.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Outcome } from '../../../ipc/server.ts';
import type { Vfs } from '../state.ts';
import type { FileIo } from './operations.ts';

const always = { events: POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, channels: [] };
const poll = (): typeof always => always;
/** getrandom(2) and random(4) bound one read; the guest asks again for more. */
const RANDOM_MAX = 1 << 20;

const fill = (vfs: Vfs, buf: Grant, length: number, piece: (length: number) => Uint8Array): Outcome<number> => {
  let done = 0;
  while (done < length) {
    const bytes = piece(Math.min(length - done, vfs.scratch.length));
    const copied = vfs.context.copyOut(buf, done, bytes);
    if (copied instanceof Errno) return done > 0 ? done : copied;
    done += copied;
    if (copied < bytes.length) break;
  }
  return done;
};

const ZEROS = new Uint8Array(1 << 16);

const zeros = (vfs: Vfs, buf: Grant): Outcome<number> =>
  buf.length <= ZEROS.length
    ? vfs.context.copyOut(buf, 0, ZEROS, buf.length)
    : fill(vfs, buf, buf.length, (length) => (length < ZEROS.length ? ZEROS.subarray(0, length) : ZEROS));

export const nullDevice: FileIo = {
  seekable: true,
  watchable: false,
  read: () => 0,
  write: (_vfs, { buf }) => buf.length,
  poll,
};

export const zeroDevice: FileIo = {
  seekable: true,
  watchable: false,
  read: (vfs, { buf }) => zeros(vfs, buf),
  write: (_vfs, { buf }) => buf.length,
  poll,
};

export const fullDevice: FileIo = {
  seekable: true,
  watchable: false,
  read: (vfs, { buf }) => zeros(vfs, buf),
  write: () => ENOSPC,
  poll,
};

/** What is written would stir a pool; ours is the host's generator, which needs none, so the bytes are taken and dropped. */
export const randomDevice: FileIo = {
  seekable: true,
  watchable: false,
  read: (vfs, { buf }) => fill(vfs, buf, Math.min(buf.length, RANDOM_MAX), (length) => vfs.context.random(length)),
  write: (_vfs, { buf }) => buf.length,
  poll,
};
