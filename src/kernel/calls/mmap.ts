/**
 * mmap(2), as the reference's second example has it: a file's mapping is prepared by the VFS (mapFile), placed by the memory
 * manager, and read page by page when touched.
 */
import { EBADF, EINVAL, EOPNOTSUPP, Errno } from '../../abi/errno.ts';
import { MAP_FLAGS } from '../../abi/syscalls/kernel.ts';
import { UNINTERRUPTIBLE } from '../dispatch.ts';
import { type KernelCall, LATER } from './call.ts';

interface Arguments {
  readonly addr: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  readonly fd: number;
  readonly offset: number;
}

interface Mapped {
  readonly object: number;
  readonly size: number;
  readonly path: string;
  readonly version: number;
  readonly zero: boolean;
  readonly writable: boolean;
}

/** MAP_SHARED | MAP_PRIVATE: shared, with unknown flags refused. */
const MAP_SHARED_VALIDATE = 3;
const KNOWN = Object.values(MAP_FLAGS).reduce((all, flag) => all | flag, 0) | (63 << 26);

export const mmap: KernelCall = (kernel, thread, { addr, length, prot, flags, fd, offset }: Arguments) => {
  const type = flags & 15;
  const shared = type === MAP_FLAGS.MAP_SHARED || type === MAP_SHARED_VALIDATE;
  if (!shared && type !== MAP_FLAGS.MAP_PRIVATE) return EINVAL;
  if (offset < 0 || offset % 4096 !== 0) return EINVAL;
  if (type === MAP_SHARED_VALIDATE && (flags & ~KNOWN) !== 0) return EOPNOTSUPP;
  const { process } = thread;
  const { pid } = process;
  if ((flags & MAP_FLAGS.MAP_GROWSDOWN) !== 0) process.growing = true;
  const give = (result: number | Errno): void => kernel.dispatch.complete(thread, result);
  const place = (object: number, size: number, name: string, maxProtection = 7): void =>
    kernel.request(
      kernel.mm,
      'mmap',
      { addr, length, protection: prot, flags, object, size, offset, name, maxProtection },
      (reply) => {
        if (object !== -1) kernel.faults.release(object);
        give(reply instanceof Errno ? reply : (reply as { result: number }).result);
      },
      thread.caller,
    );

  thread.sleep = UNINTERRUPTIBLE;
  if ((flags & MAP_FLAGS.MAP_ANONYMOUS) !== 0) {
    place(-1, 0, '');
    return LATER;
  }
  if (fd < 0) {
    thread.sleep = undefined;
    return EBADF;
  }
  kernel.request(kernel.vfs, 'mapFile', { pid, fd, protection: prot, shared }, (reply) => {
    if (reply instanceof Errno) {
      give(reply);
      return;
    }
    const { object, size, path, version, zero, writable } = reply as Mapped;
    if (zero) {
      place(-1, 0, '');
      return;
    }
    kernel.faults.cache.validate(object, version);
    place(object, size, path, shared && !writable ? 5 : 7);
  });
  return LATER;
};
