/**
 * The transactional store of one server (ipc/store.ts, DESIGN §5): tables, sorted tables, file contents and sequences by
 * name, over an undo log that the kernel opens and closes round each request. It outlives the server instances.
 */
import type { Contents, Sequence, SortedTable, Store, Table } from '../../ipc/store.ts';
import { StoredContents } from './contents.ts';
import { StoredSortedTable } from './sorted-table.ts';
import { StoredTable } from './table.ts';
import type { UndoLog } from './undo.ts';

class StoredSequence implements Sequence {
  readonly #log: UndoLog;
  #last = 0;

  constructor(log: UndoLog) {
    this.#log = log;
  }

  get last(): number {
    return this.#last;
  }

  next(): number {
    const old = this.#last;
    this.#log.push({
      undo: () => {
        this.#last = old;
      },
    });
    return ++this.#last;
  }
}

export class TransactionalStore implements Store {
  readonly #log: UndoLog;
  readonly #named = new Map<string, unknown>();

  constructor(log: UndoLog) {
    this.#log = log;
  }

  table<K extends string | number, V extends object>(name: string): Table<K, V> {
    return this.#get(`table ${name}`, () => new StoredTable<K, V>(this.#log));
  }

  sorted<V extends object>(name: string): SortedTable<V> {
    return this.#get(`sorted ${name}`, () => new StoredSortedTable<V>(this.#log));
  }

  contents(name: string): Contents {
    return this.#get(`contents ${name}`, () => new StoredContents(this.#log));
  }

  sequence(name: string): Sequence {
    return this.#get(`sequence ${name}`, () => new StoredSequence(this.#log));
  }

  /** All rows of all tables, for measuring: key and row. A row that partitions share comes once for each. */
  *rows(): IterableIterator<[key: string | number, row: object]> {
    for (const named of this.#named.values())
      if (named instanceof StoredTable || named instanceof StoredSortedTable) yield* named.entries();
  }

  #get<T>(name: string, make: () => T): T {
    let found = this.#named.get(name);
    if (found === undefined) {
      found = make();
      this.#named.set(name, found);
    }
    return found as T;
  }
}
