/** Rows of a ramfs in the store, and the tables of one instance. Owned by ramfs.ts; data.ts works on them too. */
import type { Time } from '../../abi/stat.ts';
import type { Contents, Sequence, SortedTable, Store, Table } from '../../ipc/store.ts';

export interface Inode {
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blocks: number;
  atime: Time;
  mtime: Time;
  ctime: Time;
  /** When the inode was made. */
  readonly btime: Time;
  version: number;
  /** Symbolic links: where they point. */
  target: string;
  /** Directories: who holds them, and the cookie of the next entry. */
  parent: number;
  cookie: number;
  /** Extended attributes, if there are any. */
  xattrs?: ReadonlyMap<string, string>;
}

export interface Entry {
  readonly ino: number;
  readonly cookie: number;
}

export interface Listed {
  readonly name: string;
  readonly ino: number;
  readonly type: number;
}

export interface Usage {
  pages: number;
  inodes: number;
}

export interface Tables {
  readonly inodes: Table<number, Inode>;
  /** By `directory/name`. */
  readonly entries: Table<string, Entry>;
  /** Partition: directory; key: cookie. */
  readonly order: SortedTable<Listed>;
  /** One row, key 0. */
  readonly usage: Table<number, Usage>;
  readonly data: Contents;
  readonly numbers: Sequence;
}

export const openTables = (store: Store, name: string): Tables => ({
  inodes: store.table(`${name}:inode`),
  entries: store.table(`${name}:entry`),
  order: store.sorted(`${name}:order`),
  usage: store.table(`${name}:usage`),
  data: store.contents(`${name}:data`),
  numbers: store.sequence(`${name}:ino`),
});
