/**
 * Processes that use one address space (clone(2) with CLONE_VM: vfork, posix_spawn). Its rows stand under one of them, the
 * owner; the others are listed in `owners`. The tables made here take any user's PID for the owner's, so that the rest of
 * the server knows nothing of it. When the owner leaves, another user takes the rows over.
 */
import type { SortedTable, Table } from '../../ipc/store.ts';

export interface Owner {
  owner: number;
}

export type Owners = Table<number, Owner>;

const resolve =
  (owners: Owners) =>
  (pid: number): number =>
    owners.size === 0 ? pid : (owners.get(pid)?.owner ?? pid);

/** A table keyed by PID. */
export const sharedRows = <V extends object>(table: Table<number, V>, owners: Owners): Table<number, V> => {
  const of = resolve(owners);
  return {
    get size() {
      return table.size;
    },
    has: (pid) => table.has(of(pid)),
    get: (pid) => table.get(of(pid)),
    edit: (pid) => table.edit(of(pid)),
    set: (pid, row) => table.set(of(pid), row),
    delete: (pid) => table.delete(of(pid)),
    keys: () => table.keys(),
    entries: () => table.entries(),
  };
};

/** A sorted table whose partitions are PIDs. */
export const sharedPartitions = <V extends object>(table: SortedTable<V>, owners: Owners): SortedTable<V> => {
  const of = resolve(owners);
  return {
    count: (pid) => table.count(of(pid)),
    get: (pid, key) => table.get(of(pid), key),
    floor: (pid, key) => table.floor(of(pid), key),
    ceiling: (pid, key) => table.ceiling(of(pid), key),
    edit: (pid, key) => table.edit(of(pid), key),
    set: (pid, key, row) => table.set(of(pid), key, row),
    delete: (pid, key) => table.delete(of(pid), key),
    range: (pid, from, to) => table.range(of(pid), from, to),
    clear: (pid) => table.clear(of(pid)),
    copy: (from, to) => table.copy(of(from), of(to)),
  };
};

/** The child uses what the parent uses. */
export const share = (owners: Owners, parent: number, child: number): void =>
  owners.set(child, { owner: resolve(owners)(parent) });

/** Lets go of shared memory. False if nobody else uses it: then its rows are the process's to clear. */
export const leave = ({ owners, rows, partitions }: Sharing, pid: number): boolean => {
  if (owners.size === 0) return false;
  if (owners.delete(pid)) return true;
  const others = [...owners.entries()].filter(([, { owner }]) => owner === pid).map(([other]) => other);
  if (others.length === 0) return false;
  const [heir, ...rest] = others;
  owners.delete(heir);
  for (const other of rest) owners.set(other, { owner: heir });
  for (const table of rows) {
    const row = table.get(pid);
    if (row !== undefined) table.set(heir, { ...row });
    table.delete(pid);
  }
  for (const table of partitions) {
    table.copy(pid, heir);
    table.clear(pid);
  }
  return true;
};

/** The tables themselves, without regard to sharing. */
export interface Sharing {
  readonly owners: Owners;
  readonly rows: readonly Table<number, object>[];
  readonly partitions: readonly SortedTable<object>[];
}
