/**
 * Leases: fcntl(2), "Leases". A holder is told with SIGIO when somebody opens or truncates the file against its lease; who does so
 * sleeps until the holder has given it up or lowered it, or the time for that is over. One lease a file.
 *
 * Waiters sleep on `lease:OBJECT`; the lease goes with its open file.
 */
import { EACCES, EAGAIN, EINVAL, Errno, type Result } from '../../abi/errno.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK, O_NONBLOCK } from '../../abi/fcntl.ts';
import { SIGIO } from '../../abi/signals.ts';
import { type Wait, wait } from '../../ipc/server.ts';
import { actorOf } from './actor.ts';
import { canWrite } from './files.ts';
import { fileSystemOf, objectOf } from './mounts.ts';
import { owns } from './permission.ts';
import type { OpenFile, Place } from './rows.ts';
import type { Vfs } from './state.ts';

/** /proc/sys/fs/lease-break-time, in nanoseconds. */
const BREAK_TIME = 45_000_000_000;
const leaseChannel = (object: number): string => `lease:${object}`;

export interface LeaseRow {
  readonly file: number;
  /** Whom a break is told to. */
  readonly pid: number;
  /** F_RDLCK or F_WRLCK, and what it is to become: the same, F_RDLCK or F_UNLCK. */
  type: number;
  target: number;
  /** When a break that is under way is carried out by force. */
  until: number;
}

/** F_GETLEASE: what a lease is, or is to become. */
export const getLease = (vfs: Vfs, number: number, file: Readonly<OpenFile>): number => {
  const lease = vfs.leases.get(objectOf(vfs, file));
  return lease === undefined || lease.file !== number ? F_UNLCK : lease.target;
};

/** F_SETLEASE. EAGAIN while others have the file open against it. */
export const setLease = (
  vfs: Vfs,
  pid: number,
  number: number,
  file: Readonly<OpenFile>,
  type: number,
): Result<number> => {
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return EINVAL;
  const object = objectOf(vfs, file);
  const present = vfs.leases.get(object);
  const mine = present?.file === number ? present : undefined;
  if (type === F_UNLCK) {
    if (mine === undefined) return EAGAIN;
    dropLease(vfs, object, number);
    return 0;
  }
  const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
  const actor = actorOf(vfs, pid);
  if (attributes instanceof Errno) return attributes;
  if (actor instanceof Errno) return actor;
  if (!owns(actor, attributes)) return EACCES;
  if (file.kind !== 'regular') return EINVAL;
  if (type === F_RDLCK && (canWrite(file) || (vfs.held.get(object)?.writers ?? 0) > 0)) return EAGAIN;
  if (type === F_WRLCK)
    for (const [other, open] of vfs.files.entries())
      if (other !== number && open.kind !== 'path' && open.ino === file.ino && objectOf(vfs, open) === object)
        return EAGAIN;
  if (present !== undefined && mine === undefined) return EAGAIN;
  if (mine !== undefined && mine.target !== mine.type && type > mine.target) return EAGAIN;
  vfs.leases.set(object, { file: number, pid, type, target: type, until: 0 });
  vfs.wake(leaseChannel(object));
  return 0;
};

export const dropLease = (vfs: Vfs, object: number, number: number): void => {
  if (vfs.leases.get(object)?.file !== number) return;
  vfs.leases.delete(object);
  vfs.wake(leaseChannel(object));
};

/** Before an open: undefined if no lease stands in the way; else the holder is told, and this is how to wait. */
export const breakLease = (vfs: Vfs, place: Place, writes: boolean, flags: number): Errno | Wait | undefined => {
  if (vfs.leases.size === 0) return undefined;
  const object = objectOf(vfs, place);
  const lease = vfs.leases.get(object);
  if (lease === undefined || (lease.type === F_RDLCK && !writes)) return undefined;
  const target = writes ? F_UNLCK : F_RDLCK;
  const row = vfs.leases.edit(object)!;
  if (row.target === row.type) {
    row.until = vfs.context.now() + BREAK_TIME;
    vfs.kernel.raiseSignal(row.pid, SIGIO, true);
  } else if (vfs.context.now() >= row.until) {
    if (row.target === F_UNLCK) vfs.leases.delete(object);
    else row.type = row.target;
    vfs.wake(leaseChannel(object));
    return breakLease(vfs, place, writes, flags);
  }
  if (row.target !== F_UNLCK) row.target = target;
  return flags & O_NONBLOCK ? EAGAIN : wait([leaseChannel(object)], { deadline: row.until });
};
