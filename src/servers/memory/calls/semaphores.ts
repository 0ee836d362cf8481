/**
 * System V semaphores: semget(2), semop(2), semtimedop(2), semctl(2). The operations of a call happen together or not at all; a
 * caller that must wait sleeps on `sem:ID` and tries again when any semaphore of the set has changed.
 */
import { E2BIG, EAGAIN, EFAULT, EFBIG, EIDRM, EINVAL, ENOSPC, ERANGE, Errno, type Result } from '../../../abi/errno.ts';
import { IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT } from '../../../abi/shm.ts';
import * as s from '../../../abi/sysv.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { mayControl, mayUse, sequenceOf } from '../ipc/objects.ts';
import type { SemaphoreSet } from '../ipc/rows.ts';
import { seconds } from '../segments.ts';
import type { MemoryHandlers, MemoryServer } from '../state.ts';

type Reply = Outcome<{ readonly result: number }>;

const done = { result: 0 };
const SECOND = 1_000_000_000;
const channelOf = (id: number): string => `sem:${id}`;

interface Operation {
  readonly number: number;
  readonly change: number;
  readonly flags: number;
}

const replaced = (list: readonly number[], at: number, value: number): readonly number[] => {
  const copy = [...list];
  copy[at] = value;
  return copy;
};

const encodeSet = (row: Readonly<SemaphoreSet>): Uint8Array => {
  const bytes = new Uint8Array(s.SEMID_DS_SIZE);
  const view = new DataView(bytes.buffer);
  s.putPermission(view, { ...row, sequence: sequenceOf(row.id) });
  view.setBigInt64(48, BigInt(row.otime), true);
  view.setBigInt64(64, BigInt(row.ctime), true);
  view.setBigInt64(80, BigInt(row.values.length), true);
  return bytes;
};

const encodeInfo = (usz: number, aem: number): Uint8Array => {
  const { SEMMNS, SEMMNI, SEMMSL, SEMOPM, SEMVMX } = s;
  return new Uint8Array(Int32Array.of(SEMMNS, SEMMNI, SEMMNS, SEMMNS, SEMMSL, SEMOPM, SEMOPM, usz, SEMVMX, aem).buffer);
};

/** The adjustments of a process for a set. */
const adjustments = (m: MemoryServer, pid: number, id: number, count: number): readonly number[] =>
  m.undo.get(pid)?.sets.find((entry) => entry.id === id)?.adjust ?? new Array<number>(count).fill(0);

const setAdjustments = (m: MemoryServer, pid: number, id: number, adjust: readonly number[] | undefined): void => {
  const sets = (m.undo.get(pid)?.sets ?? []).filter((entry) => entry.id !== id);
  if (adjust?.some((value) => value !== 0)) sets.push({ id, adjust });
  if (sets.length > 0) m.undo.set(pid, { sets });
  else m.undo.delete(pid);
};

/** A semaphore was set outright: what ends of processes would have done to it is void; all of the set without `number`. */
const forgetUndo = (m: MemoryServer, id: number, number?: number): void => {
  for (const [pid, { sets }] of [...m.undo.entries()]) {
    const entry = sets.find((one) => one.id === id);
    if (entry !== undefined)
      setAdjustments(m, pid, id, number === undefined ? undefined : replaced(entry.adjust, number, 0));
  }
};

/** A process ended, or unshares its list: what it did with SEM_UNDO is taken back, as far as semaphores go. */
export const undoSemaphores = (m: MemoryServer, pid: number): void => {
  for (const [tid, waiting] of [...m.semaphoreWaits.entries()]) if (waiting.pid === pid) m.semaphoreWaits.delete(tid);
  const undo = m.undo.get(pid);
  if (undo === undefined) return;
  m.undo.delete(pid);
  for (const { id, adjust } of undo.sets) {
    const index = m.semaphores.find(id);
    if (index instanceof Errno) continue;
    const row = m.semaphores.rows.edit(index)!;
    row.values = row.values.map((value, i) => Math.min(s.SEMVMX, Math.max(0, value + adjust[i])));
    row.pids = row.pids.map((last, i) => (adjust[i] === 0 ? last : pid));
    row.otime = seconds(m);
    m.context.wake(channelOf(id));
  }
};

/** Tries all operations. ERANGE; the operation that has to wait; or the new values and adjustments. */
const attempt = (
  row: Readonly<SemaphoreSet>,
  operations: readonly Operation[],
  before: readonly number[],
): Errno | Operation | { values: number[]; adjust: number[]; pids: Set<number> } => {
  const values = [...row.values];
  const adjust = [...before];
  const pids = new Set<number>();
  for (const operation of operations) {
    const { number, change, flags } = operation;
    if (change === 0 && values[number] !== 0) return operation;
    const value = values[number] + change;
    if (value < 0) return operation;
    if (value > s.SEMVMX) return ERANGE;
    if (flags & s.SEM_UNDO) {
      adjust[number] -= change;
      if (adjust[number] < -s.SEMVMX - 1 || adjust[number] > s.SEMVMX) return ERANGE;
    }
    values[number] = value;
    pids.add(number);
  }
  return { values, adjust, pids };
};

const readOperations = (m: MemoryServer, grant: Grant | null, count: number): Result<readonly Operation[]> => {
  if (count < 1) return EINVAL;
  if (count > s.SEMOPM) return E2BIG;
  if (grant === null) return EFAULT;
  const bytes = m.context.copyIn(grant, 0, count * s.SEMBUF_SIZE);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => ({
    number: view.getUint16(i * 6, true),
    change: view.getInt16(i * 6 + 2, true),
    flags: view.getInt16(i * 6 + 4, true),
  }));
};

/** The time that a call may wait, in nanoseconds; −1 for ever. */
const readTimeout = (m: MemoryServer, grant: Grant | null): Result<number> => {
  if (grant === null) return -1;
  const bytes = m.context.copyIn(grant, 0, 16);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const whole = Number(view.getBigInt64(0, true));
  const rest = Number(view.getBigInt64(8, true));
  if (whole < 0 || rest < 0 || rest >= SECOND) return EINVAL;
  return Math.min(whole * SECOND + rest, Number.MAX_SAFE_INTEGER / 4);
};

const operate = (
  m: MemoryServer,
  call: Delivery,
  id: number,
  grant: Grant | null,
  count: number,
  timeout: Grant | null,
): Reply => {
  const { pid, tid } = call.caller;
  const again = call.reason !== 'first';
  if (again) m.semaphoreWaits.delete(tid);
  if (id < 0) return EINVAL;
  const operations = readOperations(m, grant, count);
  if (operations instanceof Errno) return operations;
  const limit = again ? call.state - 1 : readTimeout(m, timeout);
  if (limit instanceof Errno) return limit;
  const who = m.context.kernel.process(pid);
  if (who instanceof Errno) return who;
  const index = m.semaphores.find(id);
  if (index instanceof Errno) return again ? EIDRM : index;
  const row = m.semaphores.rows.get(index)!;
  if (operations.some(({ number }) => number >= row.values.length)) return EFBIG;
  const alters = operations.some(({ change }) => change !== 0);
  const refused = mayUse(row, who, alters ? 0o222 : 0o444);
  if (refused !== undefined) return refused;
  const undoing = operations.some(({ flags }) => (flags & s.SEM_UNDO) !== 0);
  const tried = attempt(row, operations, adjustments(m, pid, id, row.values.length));
  if (tried instanceof Errno) return tried;
  if ('values' in tried) {
    const changed = m.semaphores.rows.edit(index)!;
    changed.values = tried.values;
    changed.pids = row.pids.map((last, i) => (tried.pids.has(i) ? pid : last));
    changed.otime = seconds(m);
    if (undoing) setAdjustments(m, pid, id, tried.adjust);
    if (alters) m.context.wake(channelOf(id));
    return done;
  }
  if (tried.flags & s.IPC_NOWAIT) return EAGAIN;
  const deadline = limit < 0 ? undefined : call.since + limit;
  if (deadline !== undefined && (call.reason === 'timeout' || m.context.now() >= deadline)) return EAGAIN;
  if (call.reason !== 'cancelled')
    m.semaphoreWaits.set(tid, { pid, id, number: tried.number, forZero: tried.change === 0 });
  return wait([channelOf(id)], { deadline, state: limit + 1 });
};

const give = (m: MemoryServer, buf: Grant | null, bytes: Uint8Array, result: number): Reply => {
  if (buf === null) return EFAULT;
  const copied = m.context.copyOut(buf, 0, bytes);
  return copied instanceof Errno || copied < bytes.length ? EFAULT : { result };
};

const control = (
  m: MemoryServer,
  call: Delivery,
  id: number,
  number: number,
  command: number,
  value: number,
  buf: Grant | null,
): Reply => {
  const { pid } = call.caller;
  const who = m.context.kernel.process(pid);
  if (who instanceof Errno) return who;
  const sets = m.semaphores;
  if (id < 0) return EINVAL;
  if (command === IPC_INFO) return give(m, buf, encodeInfo(s.SEMUSZ, s.SEMVMX), sets.highest);
  if (command === s.SEM_INFO) {
    let all = 0;
    for (const [, row] of sets.rows.entries()) all += row.values.length;
    return give(m, buf, encodeInfo(sets.rows.size, all), sets.highest);
  }
  if (command === s.SEM_STAT || command === s.SEM_STAT_ANY) {
    const row = sets.rows.get(id);
    if (row === undefined) return EINVAL;
    const refused = command === s.SEM_STAT ? mayUse(row, who, 0o444) : undefined;
    return refused ?? give(m, buf, encodeSet(row), row.id);
  }
  const index = sets.find(id);
  if (index instanceof Errno) return index;
  const row = sets.rows.get(index)!;
  const size = row.values.length;
  switch (command) {
    case IPC_STAT:
      return mayUse(row, who, 0o444) ?? give(m, buf, encodeSet(row), 0);
    case IPC_SET: {
      if (buf === null) return EFAULT;
      const bytes = m.context.copyIn(buf, 0, s.SEMID_DS_SIZE);
      if (bytes instanceof Errno) return bytes;
      const refused = mayControl(row, who);
      if (refused !== undefined) return refused;
      Object.assign(sets.rows.edit(index)!, s.takePermission(bytes), { ctime: seconds(m) });
      return done;
    }
    case IPC_RMID: {
      const refused = mayControl(row, who);
      if (refused !== undefined) return refused;
      forgetUndo(m, id);
      sets.remove(index);
      m.context.wake(channelOf(id));
      return done;
    }
    case s.GETALL:
      return mayUse(row, who, 0o444) ?? give(m, buf, new Uint8Array(Uint16Array.from(row.values).buffer), 0);
    case s.SETALL: {
      const refused = mayUse(row, who, 0o222);
      if (refused !== undefined) return refused;
      if (buf === null) return EFAULT;
      const bytes = m.context.copyIn(buf, 0, size * 2);
      if (bytes instanceof Errno) return bytes;
      const values = Array.from(new Uint16Array(bytes.slice().buffer, 0, size));
      if (values.some((one) => one > s.SEMVMX)) return ERANGE;
      forgetUndo(m, id);
      Object.assign(sets.rows.edit(index)!, { values, pids: row.pids.map(() => pid), ctime: seconds(m) });
      m.context.wake(channelOf(id));
      return done;
    }
    case s.SETVAL: {
      if (value < 0 || value > s.SEMVMX) return ERANGE;
      if (number < 0 || number >= size) return EINVAL;
      const refused = mayUse(row, who, 0o222);
      if (refused !== undefined) return refused;
      forgetUndo(m, id, number);
      const changed = sets.rows.edit(index)!;
      changed.values = replaced(row.values, number, value);
      changed.pids = replaced(row.pids, number, pid);
      changed.ctime = seconds(m);
      m.context.wake(channelOf(id));
      return done;
    }
    case s.GETVAL:
    case s.GETPID:
    case s.GETNCNT:
    case s.GETZCNT: {
      const refused = mayUse(row, who, 0o444);
      if (refused !== undefined) return refused;
      if (number < 0 || number >= size) return EINVAL;
      if (command === s.GETVAL) return { result: row.values[number] };
      if (command === s.GETPID) return { result: row.pids[number] };
      let waiting = 0;
      for (const [, one] of m.semaphoreWaits.entries())
        if (one.id === id && one.number === number && one.forZero === (command === s.GETZCNT)) waiting++;
      return { result: waiting };
    }
    default:
      return EINVAL;
  }
};

export const semaphoreCalls = (
  m: MemoryServer,
): Pick<MemoryHandlers, 'semget' | 'semop' | 'semctl' | 'undoSemaphores'> => ({
  semget({ key, count, flags }, { caller: { pid } }) {
    const who = m.context.kernel.process(pid);
    if (who instanceof Errno) return who;
    if (count < 0 || count > s.SEMMSL) return EINVAL;
    const suits = (row: Readonly<SemaphoreSet>): Errno | undefined => (count > row.values.length ? EINVAL : undefined);
    const now = seconds(m);
    let all = count;
    for (const [, row] of m.semaphores.rows.entries()) all += row.values.length;
    const zeros = new Array<number>(count).fill(0);
    const id = m.semaphores.get(
      who,
      key,
      flags,
      suits,
      (base) => {
        if (count === 0) return EINVAL;
        return all > s.SEMMNS ? ENOSPC : { ...base, values: zeros, pids: zeros, otime: 0 };
      },
      now,
    );
    return id instanceof Errno ? id : { result: id };
  },

  semop: ({ id, operations, count, timeout }, call) => operate(m, call, id, operations, count, timeout),
  semctl: ({ id, number, command, value, buf }, call) => control(m, call, id, number, command, value, buf),

  undoSemaphores({ pid }) {
    undoSemaphores(m, pid);
    return {};
  },
});
