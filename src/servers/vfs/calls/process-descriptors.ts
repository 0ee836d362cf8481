/** signalfd(2), pidfd_open(2), pidfd_getfd(2): descriptors of what processes get and are. */
import { CAP_SYS_PTRACE } from '../../../abi/credentials.ts';
import { EBADF, EFAULT, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import { O_CLOEXEC, O_EXCL, O_NONBLOCK, O_RDWR } from '../../../abi/fcntl.ts';
import { decodeSigset, SIGSET_BYTES, UNBLOCKABLE } from '../../../abi/signals.ts';
import type { ProcessView } from '../../../ipc/kernel-calls.ts';
import { openAnonymous } from '../events/anonymous.ts';
import { signalsChannel } from '../events/signalfd.ts';
import { bindDescriptor, closeDescriptor, fileNumber } from '../files.ts';
import { nothing } from '../outcome.ts';
import { capable } from '../permission.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

type Names = 'signalsPending' | 'signalfd' | 'pidfdOpen' | 'pidfdGet' | 'pidfdFor';

/** ptrace(2), "Ptrace access mode checking": who may look into another process. */
export const mayInspect = (caller: Readonly<ProcessView>, target: Readonly<ProcessView>): boolean => {
  if (caller.pid === target.pid || capable({ capabilities: caller.capabilities.effective }, CAP_SYS_PTRACE))
    return true;
  const { uid, gid } = caller;
  const uids = [target.euid, target.suid, target.uid];
  const gids = [target.egid, target.sgid, target.gid];
  return uids.every((id) => id === uid) && gids.every((id) => id === gid);
};

const openFor = (vfs: Vfs, pid: number, target: number, flags: number): Result<number> => {
  const made = openAnonymous(vfs, pid, 'pidfd', O_RDWR, flags | O_CLOEXEC);
  if (made instanceof Errno) return made;
  vfs.pidfds.set(made.number, { pid: target });
  const bound = vfs.kernel.bindPidfd(made.number, target, (flags & O_NONBLOCK) !== 0);
  if (!(bound instanceof Errno)) return made.fd;
  closeDescriptor(vfs, pid, made.fd);
  return bound;
};

export const processDescriptors = (vfs: Vfs): CallsOf<Names> => ({
  signalsPending: ({ pid }) => {
    vfs.wake(signalsChannel(pid));
    return nothing;
  },

  signalfd: ({ fd, mask, size, flags }, call) => {
    const { pid } = call.caller;
    if (size !== SIGSET_BYTES) return EINVAL;
    const bytes = mask === null ? EFAULT : vfs.context.copyIn(mask, 0, SIGSET_BYTES);
    if (bytes instanceof Errno) return EFAULT;
    if (flags & ~(O_CLOEXEC | O_NONBLOCK)) return EINVAL;
    const set = decodeSigset(bytes) & ~UNBLOCKABLE;
    if (fd === -1) {
      const made = openAnonymous(vfs, pid, 'signalfd', O_RDWR, flags);
      if (made instanceof Errno) return made;
      vfs.signalSets.set(made.number, { set });
      return { result: made.fd };
    }
    const number = fileNumber(vfs, pid, fd);
    if (number instanceof Errno) return number;
    const kind = vfs.files.get(number)?.kind;
    if (kind === undefined || kind === 'path') return EBADF;
    if (kind !== 'signalfd') return EINVAL;
    vfs.signalSets.set(number, { set });
    vfs.wake(signalsChannel(pid));
    return { result: fd };
  },

  pidfdOpen: ({ target, flags }, call) => {
    if (flags & ~(O_NONBLOCK | O_EXCL) || target <= 0) return EINVAL;
    const view = vfs.kernel.process(target);
    if (view instanceof Errno) return ESRCH;
    const fd = openFor(vfs, call.caller.pid, target, flags);
    return fd instanceof Errno ? fd : { result: fd };
  },

  pidfdFor: ({ pid, target }) => {
    // The host has no descriptors to put it in.
    if (pid === 0) return EINVAL;
    const fd = openFor(vfs, pid, target, 0);
    return fd instanceof Errno ? fd : { result: fd };
  },

  pidfdGet: ({ pidfd, fd, flags }, call) => {
    const { pid } = call.caller;
    if (flags !== 0) return EINVAL;
    const number = fileNumber(vfs, pid, pidfd);
    if (number instanceof Errno) return number;
    if (vfs.files.get(number)?.kind !== 'pidfd') return EBADF;
    const target = vfs.kernel.pidfdTarget(number);
    const caller = vfs.kernel.process(pid);
    if (target instanceof Errno || caller instanceof Errno || target.state === 'Z') return ESRCH;
    if (!mayInspect(caller, target)) return EPERM;
    const entry = vfs.kernel.fd(target.pid, fd);
    if (entry instanceof Errno) return EBADF;
    const bound = bindDescriptor(vfs, pid, entry.file, 0, true);
    if (bound instanceof Errno) return bound;
    vfs.files.edit(entry.file)!.holders++;
    return { result: bound };
  },
});
