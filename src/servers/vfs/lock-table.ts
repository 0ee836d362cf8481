/**
 * Locks on files: record locks of processes (fcntl F_SETLK) and of open files (F_OFD_SETLK), and whole-file locks (flock).
 * All lie in one row per inode; lists are replaced, never changed in place. Waiters sleep on `lock:OBJECT`.
 *
 * Owners of record locks: a PID, or the negated number of an open file. Record locks and flock do not see each other.
 */
import type { LockRow, RecordLock } from './rows.ts';
import type { Vfs } from './state.ts';

export const lockChannel = (object: number): string => `lock:${object}`;

const none: LockRow = { records: [], flocks: [] };

export const locksOf = (vfs: Vfs, object: number): Readonly<LockRow> => vfs.locks.get(object) ?? none;

const store = (vfs: Vfs, object: number, row: LockRow): void => {
  if (row.records.length === 0 && row.flocks.length === 0) vfs.locks.delete(object);
  else vfs.locks.set(object, row);
};

/** The first lock of another owner that stands in the way: owners in the order in which they came, their locks by start. */
export const conflicting = (vfs: Vfs, object: number, lock: RecordLock): RecordLock | undefined => {
  let first: RecordLock | undefined;
  for (const other of locksOf(vfs, object).records) {
    if (other.owner === lock.owner || (first !== undefined && other.owner !== first.owner)) continue;
    if (!(other.write || lock.write) || other.start >= lock.end || lock.start >= other.end) continue;
    if (first === undefined || other.start < first.start) first = other;
  }
  return first;
};

/** The owner's locks without a range: what it touches is cut. */
const cut = (records: readonly RecordLock[], owner: number, start: number, end: number): RecordLock[] => {
  const kept: RecordLock[] = [];
  for (const lock of records) {
    if (lock.owner !== owner || lock.end <= start || lock.start >= end) {
      kept.push(lock);
      continue;
    }
    if (lock.start < start) kept.push({ ...lock, end: start });
    if (lock.end > end) kept.push({ ...lock, start: end });
  }
  return kept;
};

/** Removes the owner's locks in a range. */
export const unlockRange = (vfs: Vfs, object: number, owner: number, start: number, end: number): void => {
  const row = locksOf(vfs, object);
  if (row.records.length === 0) return;
  store(vfs, object, { records: cut(row.records, owner, start, end), flocks: row.flocks });
  vfs.wake(lockChannel(object));
};

/** Sets a lock that nothing conflicts with, replacing what the owner had there and joining equal neighbours. */
export const setRecordLock = (vfs: Vfs, object: number, lock: RecordLock): void => {
  const row = locksOf(vfs, object);
  const others = cut(row.records, lock.owner, lock.start, lock.end);
  let { start, end } = lock;
  const kept: RecordLock[] = [];
  for (const other of others) {
    if (other.owner === lock.owner && other.write === lock.write && other.start <= end && start <= other.end) {
      start = Math.min(start, other.start);
      end = Math.max(end, other.end);
    } else kept.push(other);
  }
  kept.push({ ...lock, start, end });
  store(vfs, object, { records: kept, flocks: row.flocks });
  // A write lock that became a read lock may let others in.
  vfs.wake(lockChannel(object));
};

/** Whether sleeping for the lock would close a circle of waiting owners: EDEADLK of fcntl(2). */
export const wouldDeadlock = (vfs: Vfs, object: number, lock: RecordLock): boolean => {
  const seen = new Set<number>();
  let holder = conflicting(vfs, object, lock);
  while (holder !== undefined) {
    if (holder.owner === lock.owner) return true;
    if (seen.has(holder.owner)) return false;
    seen.add(holder.owner);
    const waiting = vfs.lockWaits.get(holder.owner);
    if (waiting === undefined) return false;
    const next: RecordLock | undefined = locksOf(vfs, waiting.object).records.find(
      (other) =>
        other.owner !== waiting.lock.owner &&
        (other.write || waiting.lock.write) &&
        other.start < waiting.lock.end &&
        waiting.lock.start < other.end,
    );
    holder = next;
  }
  return false;
};

/** Tries to take or change a flock; false if another open file is in the way. */
export const setFlock = (vfs: Vfs, object: number, file: number, exclusive: boolean): boolean => {
  const row = locksOf(vfs, object);
  const others = row.flocks.filter((lock) => lock.file !== file);
  if (others.some((lock) => exclusive || lock.exclusive)) return false;
  store(vfs, object, { records: row.records, flocks: [...others, { file, exclusive }] });
  vfs.wake(lockChannel(object));
  return true;
};

export const dropFlock = (vfs: Vfs, object: number, file: number): void => {
  const row = locksOf(vfs, object);
  if (!row.flocks.some((lock) => lock.file === file)) return;
  store(vfs, object, { records: row.records, flocks: row.flocks.filter((lock) => lock.file !== file) });
  vfs.wake(lockChannel(object));
};

/** An open file description is gone: its flock and OFD locks are. */
export const dropFileLocks = (vfs: Vfs, object: number, file: number): void => {
  dropFlock(vfs, object, file);
  unlockRange(vfs, object, -file, 0, Infinity);
};

/** A process closed a descriptor of the file or ended: its record locks on it are gone. */
export const dropRecordLocks = (vfs: Vfs, object: number, pid: number): void => {
  if (locksOf(vfs, object).records.some((lock) => lock.owner === pid)) unlockRange(vfs, object, pid, 0, Infinity);
};
