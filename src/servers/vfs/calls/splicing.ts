/**
 * splice(2), tee(2), vmsplice(2), sync_file_range(2). Bytes go from or to a pipe; as in sendfile, as much goes as there is and
 * fits, and only a call that moved nothing sleeps.
 */
import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE, Errno, ESPIPE, type Result } from '../../../abi/errno.ts';
import { SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from '../../../abi/events.ts';
import { O_APPEND, O_NONBLOCK } from '../../../abi/fcntl.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { canRead, canWrite, fileNumber, usableFileOf } from '../files.ts';
import { fileIo } from '../io/operations.ts';
import { fileSystemOf } from '../mounts.ts';
import { asResult, done } from '../outcome.ts';
import { dropBytes, peekBytes, putBytes, readChannel, writeChannel } from '../pipe/pipe.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';
import { deliver, readOffset, readSource, writeOffset } from './contents.ts';

const FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
const SIGPIPE = 13;
/** One call moves at most this much, so that no call keeps the server for long. */
const MOVE_MAX = 1 << 24;

interface End {
  readonly number: number;
  readonly file: Readonly<OpenFile>;
}

const endOf = (vfs: Vfs, pid: number, fd: number): Result<End> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const file = vfs.files.get(number);
  return file === undefined || file.kind === 'path' ? EBADF : { number, file };
};

/** Whether the call must not sleep for this end. */
const impatient = (file: Readonly<OpenFile>, flags: number): boolean =>
  (flags & SPLICE_F_NONBLOCK) !== 0 || (file.kind === 'pipe' && (file.flags & O_NONBLOCK) !== 0);

/** Nothing can come out of the pipe now: what the call answers. */
const drained = (vfs: Vfs, file: Readonly<OpenFile>, still: boolean): Outcome<number> => {
  if (vfs.pipes.get(file.target)!.writers === 0) return 0;
  return still ? EAGAIN : wait([readChannel(file.target)]);
};

/** The same of a pipe that nothing can go into. */
const clogged = (vfs: Vfs, pid: number, file: Readonly<OpenFile>, still: boolean): Outcome<number> => {
  if (vfs.pipes.get(file.target)!.readers === 0) {
    vfs.kernel.raiseSignal(pid, SIGPIPE, true);
    return EPIPE;
  }
  return still ? EAGAIN : wait([writeChannel(file.target)]);
};

const room = (vfs: Vfs, file: Readonly<OpenFile>): number => {
  const pipe = vfs.pipes.get(file.target)!;
  return pipe.readers === 0 ? 0 : pipe.capacity - pipe.length;
};

/** Moves bytes from one pipe to another, or copies them (tee). */
const betweenPipes = (
  vfs: Vfs,
  pid: number,
  from: Readonly<OpenFile>,
  to: Readonly<OpenFile>,
  length: number,
  still: boolean,
  keep: boolean,
): Outcome<number> => {
  const available = vfs.pipes.get(from.target)!.length;
  if (available === 0) return drained(vfs, from, still);
  const count = Math.min(length, available, room(vfs, to));
  if (count === 0) return clogged(vfs, pid, to, still);
  const bytes = new Uint8Array(count);
  peekBytes(vfs, from.target, bytes);
  if (!keep) dropBytes(vfs, from.target, count);
  return putBytes(vfs, to.target, bytes);
};

const intoPipe = (
  vfs: Vfs,
  pid: number,
  from: End,
  at: number | undefined,
  to: Readonly<OpenFile>,
  length: number,
  still: boolean,
): Outcome<number> => {
  const fs = fileSystemOf(vfs, from.file.mount);
  const start = at ?? from.file.position;
  let moved = 0;
  while (moved < length) {
    const free = Math.min(room(vfs, to), length - moved, vfs.scratch.length);
    if (free === 0) break;
    const count = readSource(from.file, fs, start + moved, vfs.scratch.subarray(0, free));
    if (count instanceof Errno) return moved > 0 ? moved : count;
    if (count === 0) return moved;
    moved += putBytes(vfs, to.target, vfs.scratch.subarray(0, count));
  }
  return moved > 0 ? moved : clogged(vfs, pid, to, still);
};

const outOfPipe = (
  vfs: Vfs,
  call: Delivery,
  from: Readonly<OpenFile>,
  to: End,
  at: number | undefined,
  length: number,
  still: boolean,
): Outcome<number> => {
  if (vfs.pipes.get(from.target)!.length === 0) return drained(vfs, from, still);
  const start = at ?? to.file.position;
  let moved = 0;
  while (moved < length) {
    const bytes = vfs.scratch.subarray(0, Math.min(length - moved, vfs.scratch.length));
    const count = peekBytes(vfs, from.target, bytes);
    if (count === 0) break;
    const written = deliver(vfs, call, { ...to, at }, bytes.subarray(0, count), start + moved);
    if (typeof written !== 'number') return moved > 0 ? moved : written;
    dropBytes(vfs, from.target, written);
    moved += written;
    if (written < count) break;
  }
  return moved;
};

/** Whether splice knows how to read from, or write to, what is no pipe. */
const SOURCES: ReadonlySet<string> = new Set(['regular', 'zero', 'full', 'null']);
const SINKS: ReadonlySet<string> = new Set(['regular', 'zero', 'full', 'null', 'terminal', 'socket']);

export const splicing = (vfs: Vfs): CallsOf<'splice' | 'tee' | 'vmsplice' | 'syncRange'> => ({
  splice: ({ infd, inoffset, outfd, outoffset, length, flags }, call) => {
    const { pid } = call.caller;
    if (length === 0) return done;
    if (flags & ~FLAGS) return EINVAL;
    const from = endOf(vfs, pid, infd);
    if (from instanceof Errno) return from;
    const to = endOf(vfs, pid, outfd);
    if (to instanceof Errno) return to;
    const fromPipe = from.file.kind === 'pipe';
    const toPipe = to.file.kind === 'pipe';
    if ((fromPipe && inoffset !== null) || (toPipe && outoffset !== null)) return ESPIPE;
    const inAt = readOffset(vfs, inoffset);
    if (inAt instanceof Errno) return inAt;
    const outAt = readOffset(vfs, outoffset);
    if (outAt instanceof Errno) return outAt;
    if (!canRead(from.file) || !canWrite(to.file)) return EBADF;
    if (!fromPipe && !toPipe) return EINVAL;
    if (
      (inAt !== undefined && fileIo[from.file.kind].seekable !== true) ||
      (outAt !== undefined && fileIo[to.file.kind].seekable !== true)
    )
      return EINVAL;
    const still = impatient(from.file, flags) || impatient(to.file, flags);
    const most = Math.min(length, MOVE_MAX);
    let moved: Outcome<number>;
    if (fromPipe && toPipe) {
      if (from.file.target === to.file.target) return EINVAL;
      moved = betweenPipes(vfs, pid, from.file, to.file, most, still, false);
    } else if (fromPipe) {
      if (to.file.flags & O_APPEND || !SINKS.has(to.file.kind)) return EINVAL;
      moved = outOfPipe(vfs, call, from.file, to, outAt, most, still);
    } else {
      if (!SOURCES.has(from.file.kind)) return EINVAL;
      moved = intoPipe(vfs, pid, from, inAt, to.file, most, still);
    }
    if (typeof moved !== 'number' || moved === 0) return asResult(moved);
    if (inAt === undefined && from.file.kind === 'regular') vfs.files.edit(from.number)!.position += moved;
    if (outAt === undefined && to.file.kind === 'regular') vfs.files.edit(to.number)!.position += moved;
    if (inoffset !== null && writeOffset(vfs, inoffset, (inAt ?? 0) + moved) instanceof Errno) return EFAULT;
    if (outoffset !== null && writeOffset(vfs, outoffset, (outAt ?? 0) + moved) instanceof Errno) return EFAULT;
    return { result: moved };
  },

  tee: ({ infd, outfd, length, flags }, call) => {
    const { pid } = call.caller;
    if (flags & ~FLAGS) return EINVAL;
    if (length === 0) return done;
    const from = endOf(vfs, pid, infd);
    if (from instanceof Errno) return from;
    const to = endOf(vfs, pid, outfd);
    if (to instanceof Errno) return to;
    if (!canRead(from.file) || !canWrite(to.file)) return EBADF;
    if (from.file.kind !== 'pipe' || to.file.kind !== 'pipe' || from.file.target === to.file.target) return EINVAL;
    const still = impatient(from.file, flags) || impatient(to.file, flags);
    return asResult(betweenPipes(vfs, pid, from.file, to.file, Math.min(length, MOVE_MAX), still, true));
  },

  // The pages are copied where Linux may share them; a program must not change them either way.
  vmsplice: ({ fd, buf, flags }, call) => {
    const { pid } = call.caller;
    if (flags & ~FLAGS) return EINVAL;
    const end = endOf(vfs, pid, fd);
    if (end instanceof Errno) return end;
    const { file } = end;
    if (file.kind !== 'pipe') return EBADF;
    if (buf === null) return EFAULT;
    if (buf.length === 0) return done;
    // The pipe's own O_NONBLOCK counts for nothing here, as in Linux.
    const still = (flags & SPLICE_F_NONBLOCK) !== 0;
    if (canWrite(file)) {
      let moved = 0;
      while (moved < buf.length) {
        const free = Math.min(room(vfs, file), buf.length - moved, vfs.scratch.length);
        if (free === 0) break;
        const bytes = vfs.context.copyIn(buf, moved, free);
        if (bytes instanceof Errno) return moved > 0 ? { result: moved } : bytes;
        moved += putBytes(vfs, file.target, bytes);
      }
      return asResult(moved > 0 ? moved : clogged(vfs, pid, file, still));
    }
    const into = new Uint8Array(Math.min(buf.length, vfs.pipes.get(file.target)!.length));
    if (into.length === 0) return asResult(drained(vfs, file, still));
    peekBytes(vfs, file.target, into);
    const copied = vfs.context.copyOut(buf, 0, into);
    if (copied instanceof Errno) return copied;
    dropBytes(vfs, file.target, copied);
    return { result: copied };
  },

  // Nothing is held back that could be written: the arguments are checked.
  syncRange: ({ fd, offset, length, flags }, call) => {
    const file = usableFileOf(vfs, call.caller.pid, fd);
    if (file instanceof Errno) return file;
    if (flags & ~7 || offset < 0 || length < 0 || offset + length > Number.MAX_SAFE_INTEGER) return EINVAL;
    return file.kind === 'regular' || file.kind === 'directory' ? done : ESPIPE;
  },
});
