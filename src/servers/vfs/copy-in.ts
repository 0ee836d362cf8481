/** Copying from a caller's buffer of which only a part may be accessible. */
import { Errno, type Result } from '../../abi/errno.ts';
import type { Grant } from '../../ipc/fields.ts';
import type { Vfs } from './state.ts';

/**
 * The longest accessible prefix of `length` bytes at `offset`, as Linux transfers it before it meets the bad address.
 * EFAULT if not even the first byte can be read.
 */
export const copyInSome = (vfs: Vfs, grant: Grant, offset: number, length: number): Result<Uint8Array> => {
  const all = vfs.context.copyIn(grant, offset, length);
  if (!(all instanceof Errno)) return all;
  let good = 0;
  let bad = length;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (vfs.context.copyIn(grant, offset, middle) instanceof Errno) bad = middle;
    else good = middle;
  }
  return good === 0 ? all : vfs.context.copyIn(grant, offset, good);
};
