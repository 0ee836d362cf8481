/** Making a descriptor that stands for no file. */
import { Errno, type Result } from '../../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../../../abi/fcntl.ts';
import { bindDescriptor } from '../files.ts';
import { ANONYMOUS_MOUNT } from '../mounts.ts';
import { enterFile } from '../open.ts';
import type { FileKind } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { ANONYMOUS_INODE } from './anonymous-fs.ts';

export const ANONYMOUS = { mount: ANONYMOUS_MOUNT, ino: ANONYMOUS_INODE };

/**
 * Opens a description of the kind with access mode `mode` and what `flags` has of O_NONBLOCK and O_CLOEXEC. The number of the
 * description, which is its `target` too, is what the kind's rows are kept by. EMFILE.
 */
export const openAnonymous = (
  vfs: Vfs,
  pid: number,
  kind: FileKind,
  mode: number,
  flags: number,
): Result<{ readonly fd: number; readonly number: number }> => {
  const number = vfs.fileNumbers.next();
  const fd = bindDescriptor(vfs, pid, number, 0, (flags & O_CLOEXEC) !== 0);
  if (fd instanceof Errno) return fd;
  const shown = kind === 'epoll' ? '[eventpoll]' : kind === 'inotify' ? kind : `[${kind}]`;
  enterFile(vfs, number, ANONYMOUS, kind, number, mode | (flags & O_NONBLOCK), 0, `anon_inode:${shown}`);
  return { fd, number };
};
