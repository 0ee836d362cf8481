/** read(2), write(2), pread(2), pwrite(2) and their vector forms (one grant over all parts), lseek(2). */
import { EBADF, EFAULT, EINVAL, ENXIO, EOPNOTSUPP, Errno, ESPIPE, type Result } from '../../../abi/errno.ts';
import {
  RWF_APPEND,
  RWF_DSYNC,
  RWF_HIPRI,
  RWF_SYNC,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from '../../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../../abi/inotify.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Delivery, Outcome } from '../../../ipc/server.ts';
import { notifyFile } from '../events/notify.ts';
import { canRead, canWrite, fileNumber, usableFileOf } from '../files.ts';
import { fileIo } from '../io/operations.ts';
import { fileSystemOf } from '../mounts.ts';
import { asResult } from '../outcome.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

const KNOWN_FLAGS = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND;

const transfer = (
  vfs: Vfs,
  call: Delivery,
  fd: number,
  buf: Grant | null,
  writing: boolean,
  at: number | undefined,
  flags: number,
): Outcome<{ result: number }> => {
  const number = fileNumber(vfs, call.caller.pid, fd);
  if (number instanceof Errno) return number;
  const file = vfs.files.get(number);
  if (file === undefined || file.kind === 'path') return EBADF;
  const io = fileIo[file.kind];
  if (at !== undefined && io.seekable !== true) return ESPIPE;
  if (!(writing ? canWrite(file) : canRead(file))) return EBADF;
  if (buf === null) return EFAULT;
  const request = { file, number, call, buf, flags };
  const outcome = writing ? io.write(vfs, request, at) : io.read(vfs, request, at);
  if (vfs.marks.size > 0 && typeof outcome === 'number' && outcome > 0)
    notifyFile(vfs, file, writing ? IN_MODIFY : IN_ACCESS);
  return asResult(outcome);
};

/** Transfers at an offset: `current` allows −1 for the file position. */
const at = (
  vfs: Vfs,
  call: Delivery,
  request: { fd: number; buf: Grant | null; offset: number; flags: number; current: boolean },
  writing: boolean,
): Outcome<{ result: number }> => {
  if (request.flags & ~KNOWN_FLAGS) return EOPNOTSUPP;
  const position = request.current && request.offset === -1 ? undefined : request.offset;
  if (position !== undefined && (position < 0 || position >= Number.MAX_SAFE_INTEGER)) return EINVAL;
  return transfer(vfs, call, request.fd, request.buf, writing, position, request.flags);
};

const sizeOf = (vfs: Vfs, file: Readonly<OpenFile>): Result<number> => {
  const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
  return attributes instanceof Errno ? attributes : attributes.size;
};

const target = (vfs: Vfs, file: Readonly<OpenFile>, offset: number, whence: number): Result<number> => {
  switch (whence) {
    case SEEK_SET:
      return offset;
    case SEEK_CUR:
      return file.position + offset;
    case SEEK_END: {
      if (file.kind !== 'regular') return file.kind === 'directory' ? EINVAL : offset;
      const size = sizeOf(vfs, file);
      return size instanceof Errno ? size : size + offset;
    }
    case SEEK_DATA:
    case SEEK_HOLE:
      if (file.kind !== 'regular') return EINVAL;
      if (offset < 0) return ENXIO;
      return fileSystemOf(vfs, file.mount).seek(file.ino, offset, whence === SEEK_DATA);
    default:
      return EINVAL;
  }
};

export const readWrite = (vfs: Vfs): CallsOf<'read' | 'write' | 'readAt' | 'writeAt' | 'seek'> => ({
  read: ({ fd, buf }, call) => transfer(vfs, call, fd, buf, false, undefined, 0),
  write: ({ fd, buf }, call) => transfer(vfs, call, fd, buf, true, undefined, 0),
  readAt: (request, call) => at(vfs, call, request, false),
  writeAt: (request, call) => at(vfs, call, request, true),

  seek: ({ fd, offset, whence }, call) => {
    const { pid } = call.caller;
    const file = usableFileOf(vfs, pid, fd);
    if (file instanceof Errno) return file;
    if (whence < 0 || whence > SEEK_HOLE) return EINVAL;
    const { seekable } = fileIo[file.kind];
    if (seekable === false) return ESPIPE;
    if (seekable === 'still') return { result: 0 };
    // The memory devices have no position worth keeping: null(4).
    if (file.kind !== 'regular' && file.kind !== 'directory') return { result: 0 };
    const position = target(vfs, file, offset, whence);
    if (position instanceof Errno) return position;
    if (position < 0 || position >= Number.MAX_SAFE_INTEGER) return EINVAL;
    if (position !== file.position) vfs.files.edit(fileNumber(vfs, pid, fd) as number)!.position = position;
    return { result: position };
  },
});
