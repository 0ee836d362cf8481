/**
 * What System V semaphore sets and message queues have in common: identifiers, keys, permission (sysvipc(7)). Rows lie in a table
 * by index; an identifier is the index and a sequence number, so that one that is gone is not taken for its successor.
 */
import { CAP_IPC_OWNER, CAP_SYS_ADMIN, capabilityBit } from '../../../abi/credentials.ts';
import { EACCES, EEXIST, EINVAL, ENOENT, ENOSPC, EPERM, Errno, type Result } from '../../../abi/errno.ts';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from '../../../abi/shm.ts';
import type { ProcessView } from '../../../ipc/kernel-calls.ts';
import type { Store, Table } from '../../../ipc/store.ts';

export interface IpcRow {
  id: number;
  key: number;
  mode: number;
  uid: number;
  gid: number;
  cuid: number;
  cgid: number;
  ctime: number;
}

const SEQUENCE_STEP = 0x8000;

export const sequenceOf = (id: number): number => Math.floor(id / SEQUENCE_STEP);

/** Whether a process may access an object as the permission bits `wanted` say. EACCES. */
export const mayUse = (row: Readonly<IpcRow>, who: ProcessView, wanted: number): Errno | undefined => {
  if ((who.capabilities.effective & capabilityBit(CAP_IPC_OWNER)) !== 0n) return undefined;
  const asked = (wanted >> 6) | (wanted >> 3) | wanted;
  const member = (gid: number): boolean => who.egid === gid || who.groups.includes(gid);
  let granted = row.mode;
  if (who.euid === row.uid || who.euid === row.cuid) granted >>= 6;
  else if (member(row.gid) || member(row.cgid)) granted >>= 3;
  return (asked & ~granted & 7) === 0 ? undefined : EACCES;
};

/** Whether a process may change or remove an object. EPERM. */
export const mayControl = (row: Readonly<IpcRow>, who: ProcessView): Errno | undefined => {
  if (who.euid === row.uid || who.euid === row.cuid) return undefined;
  return (who.capabilities.effective & capabilityBit(CAP_SYS_ADMIN)) !== 0n ? undefined : EPERM;
};

export class IpcObjects<R extends IpcRow> {
  readonly rows: Table<number, R>;
  readonly #byKey: Table<number, { index: number }>;
  readonly #ids: Table<number, { last: number; sequence: number }>;
  readonly #most: number;

  constructor(store: Store, name: string, most: number) {
    this.rows = store.table(name);
    this.#byKey = store.table(`${name} by key`);
    this.#ids = store.table(`${name} ids`);
    this.#most = most;
  }

  /** Index of the object with an identifier. EINVAL. */
  find(id: number): Result<number> {
    if (id < 0) return EINVAL;
    const index = id % SEQUENCE_STEP;
    return this.rows.get(index)?.id === id ? index : EINVAL;
  }

  /**
   * semget(2), msgget(2): the object with a key, checked by `suits`, or a new one made by `make`. ENOENT, EEXIST, EACCES, ENOSPC.
   */
  get(
    who: ProcessView,
    key: number,
    flags: number,
    suits: (row: Readonly<R>) => Errno | undefined,
    make: (base: IpcRow) => Result<R>,
    now: number,
  ): Result<number> {
    const found = key === IPC_PRIVATE ? undefined : this.#byKey.get(key);
    if (found !== undefined) {
      if (flags & IPC_CREAT && flags & IPC_EXCL) return EEXIST;
      const row = this.rows.get(found.index)!;
      return suits(row) ?? mayUse(row, who, flags & 0o777) ?? row.id;
    }
    if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return ENOENT;
    let index = 0;
    while (this.rows.has(index)) index++;
    if (index >= this.#most) return ENOSPC;
    const state = this.#ids.edit(0) ?? { last: -1, sequence: 0 };
    if (index <= state.last) state.sequence = (state.sequence + 1) % 0x1_0000;
    state.last = index;
    const id = index + SEQUENCE_STEP * state.sequence;
    const { euid, egid } = who;
    const owners = { uid: euid, gid: egid, cuid: euid, cgid: egid };
    const made = make({ id, key, mode: flags & 0o777, ...owners, ctime: now });
    if (made instanceof Errno) return made;
    this.#ids.set(0, state);
    this.rows.set(index, made);
    if (key !== IPC_PRIVATE) this.#byKey.set(key, { index });
    return id;
  }

  remove(index: number): void {
    const row = this.rows.get(index);
    if (row === undefined) return;
    if (row.key !== IPC_PRIVATE) this.#byKey.delete(row.key);
    this.rows.delete(index);
  }

  /** The greatest index in use, as IPC_INFO gives it. */
  get highest(): number {
    return Math.max(0, ...this.rows.keys());
  }
}
