/** memfd_create(2): files that lie in memory and never had a name. */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_SEAL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
  O_LARGEFILE,
  O_RDWR,
} from '../../../abi/fcntl.ts';
import { S_IFREG } from '../../../abi/stat.ts';
import { actorOf } from '../actor.ts';
import { bindDescriptor, unbindDescriptor } from '../files.ts';
import { fileSystemOf, MEMORY_MOUNT, objectOf } from '../mounts.ts';
import { enterFile } from '../open.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

const KNOWN = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;

export const memoryFiles = (vfs: Vfs): CallsOf<'memfd'> => ({
  memfd: ({ name, flags }, call) => {
    if (flags & ~KNOWN || (flags & MFD_EXEC && flags & MFD_NOEXEC_SEAL)) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const number = vfs.fileNumbers.next();
    const fd = bindDescriptor(vfs, actor.pid, number, 0, (flags & MFD_CLOEXEC) !== 0);
    if (fd instanceof Errno) return fd;
    const mode = S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0o666 : 0o777);
    const ino = fileSystemOf(vfs, MEMORY_MOUNT).createUnnamed!({ mode, uid: actor.uid, gid: actor.gid });
    if (ino instanceof Errno) {
      unbindDescriptor(vfs, actor.pid, fd);
      return ino;
    }
    const place = { mount: MEMORY_MOUNT, ino };
    enterFile(vfs, number, place, 'regular', 0, O_RDWR | O_LARGEFILE, 0, `memfd:${name}`);
    const sealable = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    const seals = (sealable ? 0 : F_SEAL_SEAL) | (flags & MFD_NOEXEC_SEAL ? F_SEAL_EXEC : 0);
    if (seals !== F_SEAL_SEAL) vfs.seals.set(objectOf(vfs, place), { seals });
    return { result: fd };
  },
});
