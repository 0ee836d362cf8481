/** Locks: fcntl(2) record locks (POSIX and open file description), flock(2). The tables are in lock-table.ts. */
import { EAGAIN, EBADF, EDEADLK, EFAULT, EINTR, EINVAL, EOVERFLOW, Errno, type Result } from '../../../abi/errno.ts';
import {
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_RDLCK,
  F_SETLKW,
  F_UNLCK,
  F_WRLCK,
  FLOCK_SIZE,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from '../../../abi/fcntl.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { canRead, canWrite, fileNumber, usableFileOf } from '../files.ts';
import {
  conflicting,
  dropFlock,
  lockChannel,
  setFlock,
  setRecordLock,
  unlockRange,
  wouldDeadlock,
} from '../lock-table.ts';
import { fileSystemOf, objectOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

interface Range {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** Reads `struct flock` and turns it into absolute bounds. */
const rangeOf = (vfs: Vfs, file: Readonly<OpenFile>, bytes: Uint8Array): Result<Range> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getInt16(0, true);
  const whence = view.getInt16(2, true);
  let start = Number(view.getBigInt64(8, true));
  const length = Number(view.getBigInt64(16, true));
  if (whence === SEEK_CUR) start += file.position;
  else if (whence === SEEK_END) {
    const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
    if (attributes instanceof Errno) return attributes;
    start += attributes.size;
  } else if (whence !== SEEK_SET) return EINVAL;
  if (start < 0 || (length < 0 && start + length < 0)) return EINVAL;
  if (start > Number.MAX_SAFE_INTEGER) return EOVERFLOW;
  if (length < 0) return { type, start: start + length, end: start };
  return { type, start, end: length === 0 ? Infinity : start + length };
};

/** fcntl with a lock command. */
export const recordLock = (
  vfs: Vfs,
  call: Delivery,
  fd: number,
  file: Readonly<OpenFile>,
  command: number,
  grant: Grant | null,
): Outcome<{ result: number }> => {
  const { pid } = call.caller;
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  if (grant === null) return EFAULT;
  const bytes = vfs.context.copyIn(grant, 0, FLOCK_SIZE);
  if (bytes instanceof Errno) return bytes;
  const range = rangeOf(vfs, file, bytes);
  if (range instanceof Errno) return range;
  const { type, start, end } = range;
  const open = command === F_OFD_GETLK || command === F_OFD_SETLK || command === F_OFD_SETLKW;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (open && view.getInt32(24, true) !== 0) return EINVAL;
  const object = objectOf(vfs, file);
  const lock = { owner: open ? -number : pid, write: type === F_WRLCK, start, end };
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return EINVAL;
  if (command === F_GETLK || command === F_OFD_GETLK) {
    if (type === F_UNLCK) return EINVAL;
    const other = conflicting(vfs, object, lock);
    view.setInt16(0, other === undefined ? F_UNLCK : other.write ? F_WRLCK : F_RDLCK, true);
    if (other !== undefined) {
      view.setInt16(2, SEEK_SET, true);
      view.setBigInt64(8, BigInt(other.start), true);
      view.setBigInt64(16, other.end === Infinity ? 0n : BigInt(other.end - other.start), true);
      view.setInt32(24, other.owner < 0 ? -1 : other.owner, true);
    }
    const copied = vfs.context.copyOut(grant, 0, bytes);
    return copied instanceof Errno ? copied : done;
  }
  if (type === F_UNLCK) {
    unlockRange(vfs, object, lock.owner, start, end);
    return done;
  }
  if (type === F_RDLCK ? !canRead(file) : !canWrite(file)) return EBADF;
  if (vfs.lockWaits.size > 0) vfs.lockWaits.delete(lock.owner);
  if (conflicting(vfs, object, lock) === undefined) {
    setRecordLock(vfs, object, lock);
    return done;
  }
  if (command !== F_SETLKW && command !== F_OFD_SETLKW) return EAGAIN;
  if (call.reason === 'cancelled') return EINTR;
  if (!open && wouldDeadlock(vfs, object, lock)) return EDEADLK;
  vfs.lockWaits.set(lock.owner, { object, lock });
  return wait([lockChannel(object)]);
};

export const locks = (vfs: Vfs): CallsOf<'flock'> => ({
  flock: ({ fd, operation }, call) => {
    const { pid } = call.caller;
    const kind = operation & ~LOCK_NB;
    if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return EINVAL;
    const file = usableFileOf(vfs, pid, fd);
    if (file instanceof Errno) return file;
    const number = fileNumber(vfs, pid, fd);
    if (number instanceof Errno) return number;
    const object = objectOf(vfs, file);
    if (kind === LOCK_UN) {
      dropFlock(vfs, object, number);
      return done;
    }
    if (setFlock(vfs, object, number, kind === LOCK_EX)) return done;
    // Changing the kind of a lock gives the old one up first: flock(2).
    dropFlock(vfs, object, number);
    return operation & LOCK_NB ? EAGAIN : wait([lockChannel(object)]);
  },
});
