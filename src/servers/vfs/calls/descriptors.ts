/** dup(2), dup2(2), dup3(2), fcntl(2), pipe(2). */
import { EBADF, EBUSY, EFAULT, EINVAL, EMFILE, EPERM, Errno, ESRCH } from '../../../abi/errno.ts';
import * as f from '../../../abi/fcntl.ts';
import { SIGRTMAX } from '../../../abi/signals.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Delivery, Outcome } from '../../../ipc/server.ts';
import { actorOf } from '../actor.ts';
import { asyncOf, editAsync, setAsync } from '../events/async.ts';
import {
  bindDescriptor,
  closeDescriptor,
  fileNumber,
  openFileOf,
  releaseFile,
  unbindDescriptor,
  usableFileOf,
} from '../files.ts';
import { fileIo } from '../io/operations.ts';
import { getLease, setLease } from '../leases.ts';
import { dropRecordLocks } from '../lock-table.ts';
import { fileSystemOf, objectOf, PIPE_MOUNT } from '../mounts.ts';
import { enterFile } from '../open.ts';
import { asResult } from '../outcome.ts';
import { owns } from '../permission.ts';
import { makePipe, openPipeEnd, PIPE_MAX, resizePipe } from '../pipe/pipe.ts';
import { addSeals, getSeals } from '../seals.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';
import { recordLock } from './locks.ts';

const RLIMIT_NOFILE = 7;
/** Flags that F_SETFL may change: fcntl(2). */
const SETTABLE = f.O_APPEND | f.O_ASYNC | f.O_DIRECT | f.O_NOATIME | f.O_NONBLOCK;

const duplicate = (
  vfs: Vfs,
  pid: number,
  fd: number,
  minimum: number,
  cloexec: boolean,
): Outcome<{ result: number }> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const bound = bindDescriptor(vfs, pid, number, minimum, cloexec);
  if (bound instanceof Errno) return bound;
  vfs.files.edit(number)!.holders++;
  return { result: bound };
};

const setPipeSize = (vfs: Vfs, pid: number, fd: number, wanted: number): Outcome<{ result: number }> => {
  const file = openFileOf(vfs, pid, fd);
  if (file instanceof Errno || file.kind !== 'pipe') return EBADF;
  if (wanted < 0) return EINVAL;
  let capacity = 4096;
  while (capacity < wanted && capacity <= PIPE_MAX) capacity *= 2;
  const actor = actorOf(vfs, pid);
  if (actor instanceof Errno) return actor;
  if (capacity > PIPE_MAX) return EPERM;
  return resizePipe(vfs, file.target, capacity) ? { result: capacity } : EBUSY;
};

/** Who is told that the file is ready: a process, or a group (negative). ESRCH if there is none. */
const setOwner = (
  vfs: Vfs,
  number: number,
  owner: number,
  setter: number,
  thread: boolean,
): Outcome<{ result: number }> => {
  const exists = (pid: number): boolean => {
    const view = vfs.kernel.process(pid);
    return !(view instanceof Errno) && (owner > 0 || view.pgid === -owner);
  };
  if (thread && owner > 0) {
    const pids = vfs.kernel.processes();
    if (!pids.some((pid) => vfs.kernel.threads(pid).some(({ tid }) => tid === owner))) return ESRCH;
  } else if (owner > 0 ? !exists(owner) : owner < 0 && ![...vfs.kernel.processes()].some(exists)) return ESRCH;
  vfs.files.edit(number)!.owner = owner;
  const view = vfs.kernel.process(setter);
  const { uid, euid } = view instanceof Errno ? { uid: 0, euid: 0 } : view;
  Object.assign(editAsync(vfs, number), { thread, uid, euid });
  return { result: 0 };
};

const giveOwner = (vfs: Vfs, buf: Grant | null, owner: number, thread: boolean): Outcome<{ result: number }> => {
  if (buf === null) return EFAULT;
  const kind = owner < 0 ? f.F_OWNER_PGRP : thread ? f.F_OWNER_TID : f.F_OWNER_PID;
  const copied = vfs.context.copyOut(buf, 0, new Uint8Array(Int32Array.of(kind, Math.abs(owner)).buffer));
  return copied instanceof Errno ? copied : { result: 0 };
};

const takeOwner = (vfs: Vfs, buf: Grant | null, number: number, setter: number): Outcome<{ result: number }> => {
  if (buf === null) return EFAULT;
  const bytes = vfs.context.copyIn(buf, 0, f.OWNER_EX_SIZE);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getInt32(0, true);
  if (kind < f.F_OWNER_TID || kind > f.F_OWNER_PGRP) return EINVAL;
  const id = view.getInt32(4, true);
  return setOwner(vfs, number, kind === f.F_OWNER_PGRP ? -id : id, setter, kind === f.F_OWNER_TID);
};

const control = (
  vfs: Vfs,
  call: Delivery,
  fd: number,
  command: number,
  argument: number,
  buf: Grant | null,
): Outcome<{ result: number }> => {
  const { pid } = call.caller;
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const file = vfs.files.get(number);
  if (file === undefined) return EBADF;
  switch (command) {
    case f.F_DUPFD:
    case f.F_DUPFD_CLOEXEC:
      return argument < 0 ? EINVAL : duplicate(vfs, pid, fd, argument, command === f.F_DUPFD_CLOEXEC);
    case f.F_GETFD: {
      const entry = vfs.kernel.fd(pid, fd);
      return entry instanceof Errno ? entry : { result: entry.closeOnExec ? f.FD_CLOEXEC : 0 };
    }
    case f.F_SETFD:
      return vfs.kernel.setCloseOnExec(pid, fd, (argument & f.FD_CLOEXEC) !== 0) ?? { result: 0 };
    case f.F_GETFL:
      return { result: file.flags };
  }
  if (command === f.F_DUPFD_QUERY) {
    const other = fileNumber(vfs, pid, argument);
    return other instanceof Errno ? other : { result: other === number ? 1 : 0 };
  }
  if (file.kind === 'path') return EBADF;
  switch (command) {
    case f.F_SETFL: {
      if (argument & f.O_NOATIME && !(file.flags & f.O_NOATIME)) {
        const actor = actorOf(vfs, pid);
        const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
        if (actor instanceof Errno || attributes instanceof Errno || !owns(actor, attributes)) return EPERM;
      }
      vfs.files.edit(number)!.flags = (file.flags & ~SETTABLE) | (argument & SETTABLE);
      if (((file.flags ^ argument) & f.O_ASYNC) !== 0) {
        const { channels } = (argument & f.O_ASYNC) === 0 ? { channels: [] } : fileIo[file.kind].poll(vfs, file, pid);
        setAsync(vfs, number, fd, [...new Set(channels)]);
      }
      if (file.kind === 'pidfd') vfs.kernel.bindPidfd(number, 0, (argument & f.O_NONBLOCK) !== 0);
      return { result: 0 };
    }
    case f.F_SETOWN:
      return setOwner(vfs, number, argument | 0, pid, false);
    case f.F_GETOWN:
      return { result: file.owner };
    case f.F_GETOWN_EX:
      return giveOwner(vfs, buf, file.owner, asyncOf(vfs, number).thread);
    case f.F_SETOWN_EX:
      return takeOwner(vfs, buf, number, pid);
    case f.F_SETSIG:
      if (argument < 0 || argument > SIGRTMAX) return EINVAL;
      editAsync(vfs, number).signal = argument;
      return { result: 0 };
    case f.F_GETSIG:
      return { result: asyncOf(vfs, number).signal };
    case f.F_GETPIPE_SZ:
      return file.kind === 'pipe' ? { result: vfs.pipes.get(file.target)!.capacity } : EBADF;
    case f.F_GETLEASE:
      return { result: getLease(vfs, number, file) };
    case f.F_SETLEASE:
      return asResult(setLease(vfs, pid, number, file, argument));
    case f.F_GET_SEALS:
      return asResult(getSeals(vfs, file));
    case f.F_ADD_SEALS:
      return asResult(addSeals(vfs, file, argument));
    case f.F_SETPIPE_SZ:
      return setPipeSize(vfs, pid, fd, argument | 0);
    default:
      return EINVAL;
  }
};

const LOCK_COMMANDS: readonly number[] = [
  f.F_GETLK,
  f.F_SETLK,
  f.F_SETLKW,
  f.F_OFD_GETLK,
  f.F_OFD_SETLK,
  f.F_OFD_SETLKW,
];

export const descriptors = (vfs: Vfs): CallsOf<'dup' | 'dup2' | 'fcntl' | 'pipe'> => ({
  dup: ({ fd }, call) => duplicate(vfs, call.caller.pid, fd, 0, false),

  dup2: ({ oldfd, newfd, flags, same }, call) => {
    const { pid } = call.caller;
    if (flags & ~f.O_CLOEXEC) return EINVAL;
    if (oldfd === newfd && !same) return EINVAL;
    const number = fileNumber(vfs, pid, oldfd);
    if (number instanceof Errno) return number;
    if (oldfd === newfd) return { result: newfd };
    const view = vfs.kernel.process(pid);
    if (newfd < 0 || (!(view instanceof Errno) && newfd >= (view.limits[RLIMIT_NOFILE]?.[0] ?? Infinity))) return EBADF;
    const before = vfs.kernel.dupFd(pid, oldfd, newfd, (flags & f.O_CLOEXEC) !== 0);
    if (before instanceof Errno) return before;
    vfs.files.edit(number)!.holders++;
    if (before !== 0) {
      const file = vfs.files.get(before);
      if (file !== undefined && vfs.locks.size > 0) dropRecordLocks(vfs, objectOf(vfs, file), pid);
      releaseFile(vfs, before);
    }
    return { result: newfd };
  },

  fcntl: ({ fd, command, argument, lock }, call) => {
    if (!LOCK_COMMANDS.includes(command)) return control(vfs, call, fd, command, argument, lock);
    const file = usableFileOf(vfs, call.caller.pid, fd);
    return file instanceof Errno ? file : recordLock(vfs, call, fd, file, command, lock);
  },

  pipe: ({ buf, flags }, call) => {
    const { pid } = call.caller;
    if (flags & ~(f.O_CLOEXEC | f.O_NONBLOCK | f.O_DIRECT)) return EINVAL;
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    if (buf === null) return EFAULT;
    const cloexec = (flags & f.O_CLOEXEC) !== 0;
    const status = flags & f.O_NONBLOCK;
    // Packets are made by the writing end.
    const packets = flags & f.O_DIRECT;
    const readNumber = vfs.fileNumbers.next();
    const writeNumber = vfs.fileNumbers.next();
    const readFd = bindDescriptor(vfs, pid, readNumber, 0, cloexec);
    if (readFd instanceof Errno) return EMFILE;
    const writeFd = bindDescriptor(vfs, pid, writeNumber, 0, cloexec);
    if (writeFd instanceof Errno) {
      unbindDescriptor(vfs, pid, readFd);
      return EMFILE;
    }
    const pipe = makePipe(vfs, actor.uid, actor.gid);
    const place = { mount: PIPE_MOUNT, ino: pipe };
    openPipeEnd(vfs, pipe, f.O_RDONLY);
    enterFile(vfs, readNumber, place, 'pipe', pipe, f.O_RDONLY | status, 0, '');
    openPipeEnd(vfs, pipe, f.O_WRONLY);
    enterFile(vfs, writeNumber, place, 'pipe', pipe, f.O_WRONLY | status | packets, 0, '');
    const pair = new Uint8Array(8);
    const view = new DataView(pair.buffer);
    view.setInt32(0, readFd, true);
    view.setInt32(4, writeFd, true);
    const copied = vfs.context.copyOut(buf, 0, pair);
    if (!(copied instanceof Errno) && copied === pair.length) return { result: 0 };
    closeDescriptor(vfs, pid, readFd);
    closeDescriptor(vfs, pid, writeFd);
    return EFAULT;
  },
});
