/**
 * Rows ordered by a numeric key within partitions, with an undo log (ipc/store.ts): a process's regions by address.
 *
 * A partition is a pair of parallel arrays searched by bisection. `copy` shares the partition between both names; the
 * first write through either name splits it (fork followed by exec never copies a row). Rows of a shared partition are
 * stamped 0, so that `edit` copies them before either side changes one.
 */
import type { SortedTable } from '../../ipc/store.ts';
import { cloneRow, type UndoLog } from './undo.ts';

class Slot<V> {
  constructor(
    public row: V,
    public epoch: number,
  ) {}
}

class Partition<V> {
  /** How many names share it. */
  names = 1;
  constructor(
    readonly keys: number[],
    readonly slots: Slot<V>[],
  ) {}

  /** Index of the first key ≥ `key`. */
  lowerBound(key: number): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(key: number): Slot<V> | undefined {
    const index = this.lowerBound(key);
    return this.keys[index] === key ? this.slots[index] : undefined;
  }

  insert(key: number, slot: Slot<V>): void {
    const index = this.lowerBound(key);
    if (index === this.keys.length) {
      this.keys.push(key);
      this.slots.push(slot);
    } else {
      this.keys.splice(index, 0, key);
      this.slots.splice(index, 0, slot);
    }
  }

  remove(key: number): void {
    const index = this.lowerBound(key);
    this.keys.splice(index, 1);
    this.slots.splice(index, 1);
  }
}

export class StoredSortedTable<V extends object> implements SortedTable<V> {
  readonly #log: UndoLog;
  readonly #partitions = new Map<number, Partition<V>>();

  constructor(log: UndoLog) {
    this.#log = log;
  }

  count(partition: number): number {
    return this.#partitions.get(partition)?.keys.length ?? 0;
  }

  get(partition: number, key: number): Readonly<V> | undefined {
    return this.#partitions.get(partition)?.find(key)?.row;
  }

  floor(partition: number, key: number): [number, Readonly<V>] | undefined {
    const rows = this.#partitions.get(partition);
    if (rows === undefined) return undefined;
    const after = rows.lowerBound(key);
    const index = rows.keys[after] === key ? after : after - 1;
    return index < 0 ? undefined : [rows.keys[index], rows.slots[index].row];
  }

  ceiling(partition: number, key: number): [number, Readonly<V>] | undefined {
    const rows = this.#partitions.get(partition);
    if (rows === undefined) return undefined;
    const index = rows.lowerBound(key);
    return index === rows.keys.length ? undefined : [rows.keys[index], rows.slots[index].row];
  }

  edit(partition: number, key: number): V | undefined {
    if (this.#partitions.get(partition)?.find(key) === undefined) return undefined;
    const slot = this.#writable(partition).find(key)!;
    if (slot.epoch !== this.#log.epoch) this.#replace(slot, cloneRow(slot.row));
    return slot.row;
  }

  set(partition: number, key: number, row: V): void {
    const rows = this.#writable(partition);
    const slot = rows.find(key);
    if (slot !== undefined) {
      this.#replace(slot, row);
      return;
    }
    rows.insert(key, new Slot(row, this.#log.stamp));
    this.#log.push({ undo: () => rows.remove(key) });
  }

  delete(partition: number, key: number): boolean {
    if (this.#partitions.get(partition)?.find(key) === undefined) return false;
    const rows = this.#writable(partition);
    const slot = rows.find(key)!;
    rows.remove(key);
    this.#log.push({ undo: () => rows.insert(key, slot) });
    return true;
  }

  range(partition: number, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): [number, Readonly<V>][] {
    const rows = this.#partitions.get(partition);
    const found: [number, Readonly<V>][] = [];
    if (rows === undefined) return found;
    for (let i = rows.lowerBound(from); i < rows.keys.length && rows.keys[i] < to; i++)
      found.push([rows.keys[i], rows.slots[i].row]);
    return found;
  }

  /** Rows of all partitions. */
  *entries(): IterableIterator<[number, Readonly<V>]> {
    for (const { keys, slots } of this.#partitions.values())
      for (let i = 0; i < keys.length; i++) yield [keys[i], slots[i].row];
  }

  clear(partition: number): void {
    this.#bind(partition, undefined);
  }

  copy(from: number, to: number): void {
    if (from === to) return;
    const rows = this.#partitions.get(from);
    // Whoever holds a row that `edit` gave out still writes to `from` alone: then the copy is made at once.
    const held = !this.#log.active || rows?.slots.some((slot) => slot.epoch === this.#log.epoch);
    if (rows === undefined || !held) {
      this.#bind(to, rows);
      return;
    }
    const own = new Partition<V>(
      rows.keys.slice(),
      rows.slots.map((slot) => new Slot(cloneRow(slot.row), 0)),
    );
    own.names = 0;
    this.#bind(to, own);
  }

  /** The partition for writing: made if there is none, split off if another name shares it. */
  #writable(partition: number): Partition<V> {
    const rows = this.#partitions.get(partition);
    if (rows !== undefined && rows.names === 1) return rows;
    const own =
      rows === undefined
        ? new Partition<V>([], [])
        : new Partition<V>(
            rows.keys.slice(),
            rows.slots.map((slot) => new Slot(slot.row, 0)),
          );
    own.names = 0;
    this.#bind(partition, own);
    return own;
  }

  /** Makes a name mean another partition, with the counts of names kept right, forward and on rollback. */
  #bind(partition: number, rows: Partition<V> | undefined): void {
    const old = this.#partitions.get(partition);
    if (old === rows) return;
    this.#point(partition, old, rows);
    this.#log.push({ undo: () => this.#point(partition, rows, old) });
  }

  #point(partition: number, from: Partition<V> | undefined, to: Partition<V> | undefined): void {
    if (from !== undefined) from.names--;
    if (to === undefined) this.#partitions.delete(partition);
    else {
      to.names++;
      this.#partitions.set(partition, to);
    }
  }

  #replace(slot: Slot<V>, row: V): void {
    const { row: oldRow, epoch: oldEpoch } = slot;
    slot.row = row;
    slot.epoch = this.#log.stamp;
    this.#log.push({
      undo: () => {
        slot.row = oldRow;
        slot.epoch = oldEpoch;
      },
    });
  }
}
