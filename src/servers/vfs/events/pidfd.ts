/**
 * Process descriptors: pidfd_open(2). Which process one stands for is the kernel's to know (kernel/pidfds.ts); here it is a file
 * that can be polled: readable when the process has ended, hung up when it has been reaped.
 */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import { POLLHUP, POLLIN, POLLRDNORM } from '../../../abi/poll.ts';
import type { FileIo } from '../io/operations.ts';
import type { Vfs } from '../state.ts';

const processChannel = (pid: number): string => `pidfd:${pid}`;
const ENDED = POLLIN | POLLRDNORM;

/** A process has ended, or was reaped. */
export const processEnded = (vfs: Vfs, pid: number): void => vfs.wake(processChannel(pid));

export const pidfdIo: FileIo = {
  seekable: false,
  watchable: true,
  read: () => EINVAL,
  write: () => EINVAL,
  poll: (vfs, file) => {
    const view = vfs.kernel.pidfdTarget(file.target);
    const channels = [processChannel(vfs.pidfds.get(file.target)!.pid)];
    if (view instanceof Errno) return { events: ENDED | POLLHUP, channels };
    return { events: view.state === 'Z' ? ENDED : 0, channels };
  },
  close: (vfs, _file, number) => {
    vfs.pidfds.delete(number);
    vfs.kernel.releasePidfd(number);
  },
};
