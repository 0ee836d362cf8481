/**
 * The undo log: what makes the stores and the kernel calls transactional (DESIGN §5).
 *
 * `begin` opens a transaction; everything that changes state pushes a record that can take the change back. `commit`
 * forgets the records, `rollback` undoes them newest first. Kernel calls and all tables share one log, so a transaction
 * covers a server's rows, file pages and descriptor tables alike.
 *
 * Invariants: at most one transaction is open. `epoch` is unique to the open transaction and −1 outside one, so a row that
 * carries the current epoch is known to be this transaction's own copy. Effects run after commit, never after rollback.
 */
export interface UndoRecord {
  undo(): void;
}

export class UndoLog {
  #records: UndoRecord[] = [];
  #effects: (() => void)[] = [];
  #last = 0;
  /** Number of the open transaction, −1 if none is open. */
  epoch = -1;

  get active(): boolean {
    return this.epoch !== -1;
  }

  /** What a row that is made now is stamped with: outside a transaction rows count as old. */
  get stamp(): number {
    return this.epoch === -1 ? 0 : this.epoch;
  }

  begin(): void {
    if (this.epoch !== -1) throw new Error('a transaction is open already');
    this.epoch = ++this.#last;
  }

  /** Remembers how to take a change back. Does nothing outside a transaction. */
  push(record: UndoRecord): void {
    if (this.epoch !== -1) this.#records.push(record);
  }

  /** Runs an effect that cannot be taken back once the transaction has committed; at once if none is open. */
  afterCommit(effect: () => void): void {
    if (this.epoch === -1) effect();
    else this.#effects.push(effect);
  }

  commit(): void {
    this.epoch = -1;
    if (this.#records.length > 0) this.#records = [];
    if (this.#effects.length > 0) {
      const effects = this.#effects;
      this.#effects = [];
      for (const effect of effects) effect();
    }
  }

  rollback(): void {
    const records = this.#records;
    this.#records = [];
    this.#effects = [];
    for (let i = records.length - 1; i >= 0; i--) records[i].undo();
    this.epoch = -1;
  }
}

/** A shallow copy of a row that keeps its prototype. */
export const cloneRow = <V extends object>(row: V): V => {
  const prototype = Object.getPrototypeOf(row);
  return prototype === Object.prototype ? { ...row } : Object.assign(Object.create(prototype), row);
};
