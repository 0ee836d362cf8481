/** ioctl(2): what concerns every descriptor; terminals' requests are in terminal/ioctl.ts. */
import { EBADF, EFAULT, ENOTTY, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { FIOCLEX, FIONBIO, FIONCLEX, FIONREAD } from '../../../abi/ioctl.ts';
import { fileNumber } from '../files.ts';
import { fileSystemOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import { socketIoctl } from '../socket/ioctl.ts';
import type { Vfs } from '../state.ts';
import { terminalIoctl } from '../terminal/ioctl.ts';
import { masterIoctl } from '../terminal/master.ts';
import type { CallsOf } from './calls-of.ts';

export const ioctl = (vfs: Vfs): CallsOf<'ioctl'> => ({
  ioctl: ({ fd, request, argument, buf }, call) => {
    const { pid } = call.caller;
    const number = fileNumber(vfs, pid, fd);
    if (number instanceof Errno) return number;
    const file = vfs.files.get(number);
    if (file === undefined || file.kind === 'path') return EBADF;
    switch (request) {
      case FIOCLEX:
      case FIONCLEX:
        return vfs.kernel.setCloseOnExec(pid, fd, request === FIOCLEX) ?? done;
      case FIONBIO: {
        if (buf === null) return EFAULT;
        const bytes = vfs.context.copyIn(buf, 0, 4);
        if (bytes instanceof Errno) return bytes;
        const on = bytes.some((byte) => byte !== 0);
        vfs.files.edit(number)!.flags = on ? file.flags | O_NONBLOCK : file.flags & ~O_NONBLOCK;
        return done;
      }
    }
    if (file.kind === 'socket') return socketIoctl(vfs, file.target, request, buf);
    if (file.kind === 'master') {
      const answer = masterIoctl(vfs, call, file, request, argument, buf);
      return answer ?? terminalIoctl(vfs, call, file, request, argument, buf);
    }
    if (file.kind === 'terminal') return terminalIoctl(vfs, call, file, request, argument, buf);
    if (request !== FIONREAD) return ENOTTY;
    let count: number;
    if (file.kind === 'pipe') count = vfs.pipes.get(file.target)!.length;
    else if (file.kind === 'inotify') count = vfs.inotifies.get(number)!.bytes;
    else if (file.kind === 'regular') {
      const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
      if (attributes instanceof Errno) return attributes;
      count = Math.min(0x7fff_ffff, Math.max(0, attributes.size - file.position));
    } else return ENOTTY;
    if (buf === null) return EFAULT;
    const copied = vfs.context.copyOut(buf, 0, new Uint8Array(Int32Array.of(count).buffer));
    return copied instanceof Errno ? copied : done;
  },
});
