/** Descriptors opened with O_PATH name an inode and transfer nothing: open(2). */
import { EBADF } from '../../../abi/errno.ts';
import { POLLNVAL } from '../../../abi/poll.ts';
import type { FileIo } from './operations.ts';

const invalid = { events: POLLNVAL, channels: [] };

export const pathIo: FileIo = {
  seekable: false,
  watchable: false,
  read: () => EBADF,
  write: () => EBADF,
  poll: () => invalid,
};
