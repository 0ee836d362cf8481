/** open(2), close(2), close_range(2). */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import { CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE } from '../../../abi/fcntl.ts';
import { closeDescriptor } from '../files.ts';
import { open } from '../open.ts';
import { asResult, done } from '../outcome.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

export const openClose = (vfs: Vfs): CallsOf<'openFile' | 'close' | 'closeRange'> => ({
  openFile: ({ dirfd, path, flags, mode }, call) => asResult(open(vfs, call, dirfd, path, flags, mode)),

  close: ({ fd }, call) => closeDescriptor(vfs, call.caller.pid, fd) ?? done,

  closeRange: ({ first, last, flags }, call) => {
    if (flags & ~(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE) || first > last) return EINVAL;
    const { pid } = call.caller;
    for (const { fd } of vfs.kernel.fds(pid)) {
      if (fd < first || fd > last) continue;
      const result =
        flags & CLOSE_RANGE_CLOEXEC ? vfs.kernel.setCloseOnExec(pid, fd, true) : closeDescriptor(vfs, pid, fd);
      if (result instanceof Errno) return result;
    }
    return done;
  },
});
