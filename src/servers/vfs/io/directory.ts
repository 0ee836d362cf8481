/** Directories are read with getdents64(2) only. */
import { EBADF, EISDIR } from '../../../abi/errno.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import type { FileIo } from './operations.ts';

const always = { events: POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, channels: [] };

export const directoryIo: FileIo = {
  seekable: true,
  watchable: false,
  read: () => EISDIR,
  write: () => EBADF,
  poll: () => always,
};
