/**
 * The transactional store: all state of a server lives here, provided by the kernel (DESIGN §5). Receiving a request opens
 * a transaction, answering it (or putting it to sleep) commits; if the server dies in between, everything it changed is
 * rolled back and a fresh instance finds the store as it was before the request.
 *
 * Rules for servers:
 *  - Rows are read-only as returned by `get`. To change one, call `edit`, which copies the row once per transaction
 *    (shallowly: a nested array or map must be replaced, not mutated) and returns the copy to write to.
 *  - Keep no state outside the store, except caches that can be rebuilt from it and are dropped on rollback.
 *  - Tables are looked up by name when the server is created; the same name gives the same table to the next instance.
 */
export interface Store {
  table<K extends string | number, V extends object>(name: string): Table<K, V>;
  sorted<V extends object>(name: string): SortedTable<V>;
  /** File contents: sparse byte arrays by number. */
  contents(name: string): Contents;
  /** A persistent counter that hands out 1, 2, 3, … */
  sequence(name: string): Sequence;
}

export interface Table<K extends string | number, V extends object> {
  readonly size: number;
  has(key: K): boolean;
  get(key: K): Readonly<V> | undefined;
  /** The row for writing, copied once per transaction; undefined if there is none. */
  edit(key: K): V | undefined;
  /** Inserts or replaces a row; the table owns it from then on. */
  set(key: K, row: V): void;
  delete(key: K): boolean;
  keys(): IterableIterator<K>;
  /** Rows in insertion order. Do not insert while iterating. */
  entries(): IterableIterator<[K, Readonly<V>]>;
}

/** Rows ordered by a numeric key within a partition (a process's regions by address). Searches are O(log n). */
export interface SortedTable<V extends object> {
  /** Number of rows in the partition. */
  count(partition: number): number;
  get(partition: number, key: number): Readonly<V> | undefined;
  /** The row with the greatest key ≤ `key`, with its key. */
  floor(partition: number, key: number): [number, Readonly<V>] | undefined;
  /** The row with the smallest key ≥ `key`. */
  ceiling(partition: number, key: number): [number, Readonly<V>] | undefined;
  edit(partition: number, key: number): V | undefined;
  set(partition: number, key: number, row: V): void;
  delete(partition: number, key: number): boolean;
  /** Rows with from ≤ key < to, ascending; a snapshot, so the partition may be changed meanwhile. */
  range(partition: number, from?: number, to?: number): [number, Readonly<V>][];
  /** Removes a whole partition. */
  clear(partition: number): void;
  /** Makes `to` a copy of `from` (fork); rows are copied shallowly. */
  copy(from: number, to: number): void;
}

export interface Contents {
  /** Copies up to `into.length` bytes from `offset`; holes read as zeros. Returns the count, short only at the end `size`. */
  read(file: number, offset: number, into: Uint8Array): number;
  /** Writes, extending the file if need be. */
  write(file: number, offset: number, bytes: Uint8Array): void;
  /** Sets the size; growing leaves a hole, shrinking drops pages. */
  truncate(file: number, size: number): void;
  size(file: number): number;
  /** Start of the next page at or behind `offset` that exists (or `offset` itself, if within one); undefined: none does. */
  nextData(file: number, offset: number): number | undefined;
  /** As `nextData`, of one that does not exist; the size at the latest. */
  nextHole(file: number, offset: number): number;
  /** Zeroes a range; pages that lie in it whole go. */
  punch(file: number, offset: number, length: number): void;
  /** Bytes of memory that the file's pages take. */
  allocated(file: number): number;
  delete(file: number): void;
}

export interface Sequence {
  next(): number;
  readonly last: number;
}
