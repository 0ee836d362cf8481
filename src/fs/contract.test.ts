/**
 * The contract suite: what every writable file system must do (contract.ts). Each one that is added joins the table at the
 * end; what only some can (set-id bits kept by a host, exchange) is asked by capability.
 */
import { describe, expect, it } from 'vitest';
import * as e from '../abi/errno.ts';
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from '../abi/fcntl.ts';
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, type Time } from '../abi/stat.ts';
import { TransactionalStore } from '../kernel/store/store.ts';
import { UndoLog } from '../kernel/store/undo.ts';
import type { DirectoryEntry, FileSystem } from './contract.ts';
import { Devfs } from './devfs.ts';
import { HostFs } from './host/hostfs.ts';
import { MemoryDirectory } from './host/testing/memory-directory.ts';
import { Overlay } from './overlay/overlay.ts';
import { Ramfs } from './ramfs/ramfs.ts';
import { TarFs } from './tar/tarfs.ts';
import { FileTree } from './tar/tree.ts';

interface Subject {
  readonly name: string;
  make(store: TransactionalStore, now: () => Time): FileSystem;
  /** Exchanging renames, FIFOs, and inodes that outlive their names. */
  readonly complete: boolean;
}

/** A layer with names that the suite does not use. */
const layer = (...names: readonly string[]): TarFs => {
  const tree = new FileTree();
  for (const name of names) tree.add(name, { mode: S_IFREG | 0o644, bytes: Uint8Array.of(1) });
  tree.number();
  return new TarFs(tree);
};

const subjects: readonly Subject[] = [
  { name: 'ramfs', make: (store, now) => new Ramfs(store, now, { name: 'x' }), complete: true },
  { name: 'devfs', make: (store, now) => new Devfs(store, now, 'x'), complete: true },
  { name: 'host', make: (store, now) => new HostFs(store, new MemoryDirectory(now), 'x'), complete: false },
  {
    name: 'overlay over nothing',
    make: (store, now) => new Overlay(store, now, [layer()], { name: 'x' }),
    complete: true,
  },
  {
    name: 'overlay over two tar files',
    make: (store, now) => new Overlay(store, now, [layer('1', 'dir/2'), layer('dir/3', '1')], { name: 'x' }),
    complete: true,
  },
  {
    name: 'overlay over a host folder',
    make: (store, now) => new Overlay(store, now, [new HostFs(store, new MemoryDirectory(now), 'l')], { name: 'x' }),
    complete: true,
  },
];

const ids = { uid: 1000, gid: 100 };
const file = { mode: S_IFREG | 0o644, ...ids };
const directory = { mode: S_IFDIR | 0o755, ...ids };
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

const must = <T>(value: T | e.Errno): T => {
  if (value instanceof e.Errno) throw new Error(value.name);
  return value;
};

describe.each(subjects)('$name', ({ make, complete }) => {
  let seconds = 1000;
  const log = new UndoLog();
  const fresh = (): FileSystem => make(new TransactionalStore(log), () => ({ seconds: ++seconds, nanoseconds: 5 }));
  const text = (fs: FileSystem, ino: number): string => {
    const into = new Uint8Array(100);
    return String.fromCharCode(...into.subarray(0, must(fs.read(ino, 0, into))));
  };
  const list = (fs: FileSystem, ino: number, cookie = 0, most = Infinity): DirectoryEntry[] => {
    const found: DirectoryEntry[] = [];
    must(fs.readdir(ino, cookie, (entry) => found.length < most && found.push(entry) > 0));
    return found;
  };

  it('has a root that is a directory and its own parent', () => {
    const fs = fresh();
    expect(must(fs.getattr(fs.root)).mode & 0o170000).toBe(S_IFDIR);
    expect(fs.parent(fs.root)).toBe(fs.root);
  });

  it('makes files and finds them', () => {
    const fs = fresh();
    const ino = must(fs.create(fs.root, 'f', file));
    expect(fs.lookup(fs.root, 'f')).toBe(ino);
    expect(fs.getattr(ino)).toMatchObject({ mode: S_IFREG | 0o644, nlink: 1, size: 0, ...ids });
    expect(fs.lookup(fs.root, 'g')).toBe(e.ENOENT);
    expect(fs.lookup(ino, 'g')).toBe(e.ENOTDIR);
    expect(fs.create(fs.root, 'f', file)).toBe(e.EEXIST);
    expect(fs.create(ino, 'f', file)).toBe(e.ENOTDIR);
    expect(fs.nameOf(fs.root, ino)).toBe('f');
  });

  it('counts directories’ links and refuses to remove full ones', () => {
    const fs = fresh();
    const d = must(fs.create(fs.root, 'd', directory));
    const sub = must(fs.create(d, 'sub', directory));
    expect(must(fs.getattr(d)).nlink).toBe(3);
    expect(fs.parent(sub)).toBe(d);
    expect(fs.rmdir(fs.root, 'd')).toBe(e.ENOTEMPTY);
    expect(fs.unlink(d, 'sub')).toBe(e.EISDIR);
    expect(fs.rmdir(d, 'sub')).toBeUndefined();
    expect(must(fs.getattr(d)).nlink).toBe(2);
    must(fs.create(d, 'f', file));
    expect(fs.rmdir(d, 'f')).toBe(e.ENOTDIR);
    expect(fs.unlink(d, 'f')).toBeUndefined();
    expect(fs.rmdir(fs.root, 'd')).toBeUndefined();
    expect(fs.lookup(fs.root, 'd')).toBe(e.ENOENT);
    expect(fs.rmdir(fs.root, 'd')).toBe(e.ENOENT);
  });

  it('reads and writes anywhere, with zeros between', () => {
    const fs = fresh();
    const ino = must(fs.create(fs.root, 'f', file));
    const version = must(fs.getattr(ino)).version;
    expect(fs.write(ino, 0, bytes('hello'))).toBe(5);
    expect(fs.write(ino, 8, bytes('x'))).toBe(1);
    expect(text(fs, ino)).toBe('hello\0\0\0x');
    expect(must(fs.getattr(ino)).size).toBe(9);
    expect(must(fs.getattr(ino)).version).not.toBe(version);
    expect(fs.read(ino, 9, new Uint8Array(4))).toBe(0);
    const large = Uint8Array.from({ length: 10_000 }, (_, i) => i & 0xff);
    expect(fs.write(ino, 4000, large)).toBe(10_000);
    const back = new Uint8Array(10_000);
    expect(fs.read(ino, 4000, back)).toBe(10_000);
    expect(back).toEqual(large);
  });

  it('truncates both ways and forgets what was cut off', () => {
    const fs = fresh();
    const ino = must(fs.create(fs.root, 'f', file));
    must(fs.write(ino, 0, bytes('hello')));
    expect(fs.truncate(ino, 2)).toBeUndefined();
    expect(fs.truncate(ino, 4)).toBeUndefined();
    expect(text(fs, ino)).toBe('he\0\0');
    expect(must(fs.seek(ino, 0, true))).toBe(0);
    expect(fs.seek(ino, 4, true)).toBe(e.ENXIO);
  });

  it('keeps links: hard and symbolic', () => {
    const fs = fresh();
    const ino = must(fs.create(fs.root, 'a', file));
    expect(fs.link(fs.root, 'b', ino)).toBeUndefined();
    expect(fs.lookup(fs.root, 'b')).toBe(ino);
    expect(must(fs.getattr(ino)).nlink).toBe(2);
    expect(fs.link(fs.root, 'b', ino)).toBe(e.EEXIST);
    must(fs.unlink(fs.root, 'a'));
    expect(must(fs.getattr(must(fs.lookup(fs.root, 'b')))).nlink).toBe(1);
    const link = must(fs.create(fs.root, 's', { mode: S_IFLNK | 0o777, ...ids, target: 'some/where' }));
    expect(fs.readlink(link, 1)).toBe('some/where');
    expect(must(fs.getattr(link))).toMatchObject({ size: 10 });
    expect(fs.readlink(must(fs.lookup(fs.root, 'b')), 1)).toBe(e.EINVAL);
  });

  it('lists with cookies that go on behind an entry', () => {
    const fs = fresh();
    const d = must(fs.create(fs.root, 'd', directory));
    for (const name of ['a', 'b', 'c', 'd', 'e']) must(fs.create(d, name, name === 'c' ? directory : file));
    const all = list(fs, d);
    expect(all.map((entry) => entry.name).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(all.find((entry) => entry.name === 'c')?.type).toBe(4);
    expect(all.every((entry) => entry.cookie > 2)).toBe(true);
    const first = list(fs, d, 0, 2);
    expect([...first, ...list(fs, d, first[1].cookie)]).toEqual(all);
    expect(list(fs, d, all[4].cookie)).toEqual([]);
    for (const entry of all) expect(fs.lookup(d, entry.name)).toBe(entry.ino);
  });

  it('renames and replaces', () => {
    const fs = fresh();
    const d = must(fs.create(fs.root, 'd', directory));
    const a = must(fs.create(fs.root, 'a', file));
    const b = must(fs.create(d, 'b', file));
    expect(fs.rename(fs.root, 'a', d, 'b', RENAME_NOREPLACE)).toBe(e.EEXIST);
    expect(fs.rename(fs.root, 'a', d, 'b', 0)).toBeUndefined();
    expect(fs.lookup(d, 'b')).toBe(a);
    expect(fs.lookup(fs.root, 'a')).toBe(e.ENOENT);
    fs.forget(b);
    const sub = must(fs.create(d, 'sub', directory));
    expect(fs.rename(d, 'sub', fs.root, 'moved', 0)).toBeUndefined();
    expect(fs.parent(sub)).toBe(fs.root);
    expect([must(fs.getattr(d)).nlink, fs.nameOf(fs.root, sub)]).toEqual([2, 'moved']);
    expect(fs.rename(fs.root, 'moved', fs.root, 'd', 0)).toBe(e.ENOTEMPTY);
    expect(fs.rename(fs.root, 'none', fs.root, 'x', 0)).toBe(e.ENOENT);
    if (!complete) return;
    expect(fs.rename(fs.root, 'd', fs.root, 'moved', RENAME_EXCHANGE)).toBeUndefined();
    expect([fs.lookup(fs.root, 'd'), fs.lookup(fs.root, 'moved')]).toEqual([sub, d]);
  });

  it('changes modes and times', () => {
    const fs = fresh();
    const ino = must(fs.create(fs.root, 'f', file));
    const before = must(fs.getattr(ino));
    const atime = { seconds: 11, nanoseconds: 22 };
    expect(fs.setattr(ino, { mode: 0o4711, atime })).toBeUndefined();
    const after = must(fs.getattr(ino));
    expect(after).toMatchObject({ mode: S_IFREG | 0o4711, atime, mtime: before.mtime });
    expect(after.ctime.seconds).toBeGreaterThan(before.ctime.seconds);
    must(fs.write(ino, 0, bytes('x')));
    expect(must(fs.getattr(ino)).mtime.seconds).toBeGreaterThan(before.mtime.seconds);
    const root = must(fs.getattr(fs.root));
    must(fs.create(fs.root, 'g', file));
    expect(must(fs.getattr(fs.root)).mtime.seconds).toBeGreaterThan(root.mtime.seconds);
  });

  it('keeps extended attributes, if it has them', () => {
    const fs = fresh();
    const ino = must(fs.create(fs.root, 'f', file));
    if (fs.setXattr === undefined) return;
    expect(must(fs.xattrs!(ino))).toEqual(new Map());
    must(fs.setXattr(ino, 'user.a', '1'));
    must(fs.setXattr(ino, 'user.b', ''));
    must(fs.setXattr(ino, 'user.a', undefined));
    expect(must(fs.xattrs!(ino))).toEqual(new Map([['user.b', '']]));
    expect([fs.xattrs!(12_345), fs.setXattr(12_345, 'user.a', '1')]).toEqual([e.ENOENT, e.ENOENT]);
  });

  it('tells of its space', () => {
    expect(must(fresh().statfs())).toMatchObject({ blockSize: 4096, nameLength: 255 });
  });

  if (complete) {
    it('keeps an inode without a name until it is forgotten', () => {
      const fs = fresh();
      const ino = must(fs.create(fs.root, 'f', file));
      must(fs.write(ino, 0, bytes('data')));
      must(fs.unlink(fs.root, 'f'));
      expect(must(fs.getattr(ino)).nlink).toBe(0);
      expect(text(fs, ino)).toBe('data');
      const other = must(fs.create(fs.root, 'f', file));
      expect(other).not.toBe(ino);
      fs.forget(ino);
      expect(fs.getattr(ino)).toBe(e.ENOENT);
      fs.forget(other);
      expect(must(fs.getattr(other)).nlink).toBe(1);
    });

    it('makes FIFOs, and refuses names in a removed directory', () => {
      const fs = fresh();
      const fifo = must(fs.create(fs.root, 'p', { mode: S_IFIFO | 0o600, ...ids }));
      expect(must(fs.getattr(fifo)).mode).toBe(S_IFIFO | 0o600);
      const d = must(fs.create(fs.root, 'd', directory));
      must(fs.rmdir(fs.root, 'd'));
      expect(fs.create(d, 'f', file)).toBe(e.ENOENT);
      expect(fs.rename(fs.root, 'p', d, 'q', 0)).toBe(e.ENOENT);
    });

    it('is as it was after a rollback', () => {
      const fs = fresh();
      const d = must(fs.create(fs.root, 'd', directory));
      const ino = must(fs.create(d, 'f', file));
      must(fs.write(ino, 0, bytes('old')));
      const before = [must(fs.getattr(d)), must(fs.getattr(ino)), list(fs, d)];
      log.begin();
      must(fs.write(ino, 1, bytes('ew and longer')));
      must(fs.rename(d, 'f', fs.root, 'f', 0));
      must(fs.rmdir(fs.root, 'd'));
      fs.forget(d);
      log.rollback();
      expect([must(fs.getattr(d)), must(fs.getattr(ino)), list(fs, d)]).toEqual(before);
      expect(text(fs, ino)).toBe('old');
    });
  }
});

describe('ramfs limits', () => {
  it('refuse pages and inodes past them, and give them back', () => {
    const store = new TransactionalStore(new UndoLog());
    const now = (): Time => ({ seconds: 1, nanoseconds: 0 });
    const fs = new Ramfs(store, now, { name: 'x', maxBytes: 3 * 4096, maxInodes: 3 });
    const a = must(fs.create(fs.root, 'a', file));
    const b = must(fs.create(fs.root, 'b', file));
    expect(fs.create(fs.root, 'c', file)).toBe(e.ENOSPC);
    expect(fs.write(a, 0, new Uint8Array(4096 * 2))).toBe(8192);
    expect(fs.write(b, 100, new Uint8Array(8000))).toBe(3996);
    expect(fs.write(b, 4096, new Uint8Array(1))).toBe(e.ENOSPC);
    expect(fs.write(a, 10, new Uint8Array(100))).toBe(100);
    expect(must(fs.statfs())).toMatchObject({ blocks: 3, blocksFree: 0, files: 3, filesFree: 0 });
    must(fs.unlink(fs.root, 'a'));
    fs.forget(a);
    expect(must(fs.statfs())).toMatchObject({ blocksFree: 2, filesFree: 1 });
    // A hole costs nothing until it is written to.
    expect(fs.truncate(b, 1 << 20)).toBeUndefined();
    expect(fs.write(b, 1 << 20, new Uint8Array(4096))).toBe(4096);
    expect(must(fs.statfs()).blocksFree).toBe(1);
    expect(fs.punch(b, 4096, 2 << 20)).toBeUndefined();
    expect(must(fs.statfs()).blocksFree).toBe(2);
  });
});
