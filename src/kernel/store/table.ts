/**
 * Rows by key with an undo log: the unordered table of the transactional store (ipc/store.ts).
 *
 * A row lives in a slot, stamped with the transaction that made its present copy: `edit` copies only if the stamp is an
 * older one. A slot's serial number is its place in the insertion order, by which a rollback that brings deleted rows back
 * restores the order of iteration too.
 */
import type { Table } from '../../ipc/store.ts';
import { cloneRow, type UndoLog } from './undo.ts';

class Slot<V> {
  constructor(
    public row: V,
    public epoch: number,
    public readonly serial: number,
  ) {}
}

export class StoredTable<K extends string | number, V extends object> implements Table<K, V> {
  readonly #log: UndoLog;
  #slots = new Map<K, Slot<V>>();
  #serial = 0;

  constructor(log: UndoLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#slots.size;
  }

  has(key: K): boolean {
    return this.#slots.has(key);
  }

  get(key: K): Readonly<V> | undefined {
    return this.#slots.get(key)?.row;
  }

  edit(key: K): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    if (slot.epoch !== this.#log.epoch) this.#replace(slot, cloneRow(slot.row));
    return slot.row;
  }

  set(key: K, row: V): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      this.#replace(slot, row);
      return;
    }
    this.#slots.set(key, new Slot(row, this.#log.stamp, this.#serial++));
    this.#log.push({ undo: () => this.#slots.delete(key) });
  }

  delete(key: K): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#slots.delete(key);
    this.#log.push({ undo: () => this.#restore(key, slot) });
    return true;
  }

  keys(): IterableIterator<K> {
    return this.#slots.keys();
  }

  *entries(): IterableIterator<[K, Readonly<V>]> {
    for (const [key, slot] of this.#slots) yield [key, slot.row];
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

  #restore(key: K, slot: Slot<V>): void {
    this.#slots.set(key, slot);
    this.#slots = new Map([...this.#slots].sort(([, a], [, b]) => a.serial - b.serial));
  }
}
