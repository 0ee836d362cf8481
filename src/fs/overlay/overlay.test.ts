/**
 * The overlay beyond the contract suite: its twin is a ramfs that holds the same files from the start, and both must show the
 * same after the same changes; numbers, cookies and times stay; layers merge; what runs out is refused.
 */
import { describe, expect, it } from 'vitest';
import * as e from '../../abi/errno.ts';
import { RENAME_EXCHANGE } from '../../abi/fcntl.ts';
import { isDirectory, S_IFDIR, S_IFLNK, S_IFREG, type Time } from '../../abi/stat.ts';
import { TransactionalStore } from '../../kernel/store/store.ts';
import { UndoLog } from '../../kernel/store/undo.ts';
import type { DirectoryEntry, FileSystem } from '../contract.ts';
import { Ramfs } from '../ramfs/ramfs.ts';
import { TarFs } from '../tar/tarfs.ts';
import { FileTree } from '../tar/tree.ts';
import { Overlay } from './overlay.ts';

const must = <T>(value: T | e.Errno): T => {
  if (value instanceof e.Errno) throw new Error(value.name);
  return value;
};
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A layer of files by path: text, a folder (null) or a link (a list of one). */
type Files = Readonly<Record<string, string | null | readonly [target: string]>>;

const layer = (files: Files): TarFs => {
  const tree = new FileTree();
  for (const [path, what] of Object.entries(files))
    if (what === null) tree.add(path, { mode: S_IFDIR | 0o755, mtime: 5 });
    else if (typeof what === 'string') tree.add(path, { mode: S_IFREG | 0o644, bytes: bytes(what), mtime: 7 });
    else tree.add(path, { mode: S_IFLNK | 0o777, target: what[0], mtime: 9 });
  tree.number();
  return new TarFs(tree);
};

const fill = (fs: FileSystem, files: Files): void => {
  for (const [path, what] of Object.entries(files)) {
    const parts = path.split('/');
    const name = parts.pop()!;
    let directory = fs.root;
    for (const part of parts) directory = must(fs.lookup(directory, part));
    const mode = what === null ? S_IFDIR | 0o755 : typeof what === 'string' ? S_IFREG | 0o644 : S_IFLNK | 0o777;
    const target = Array.isArray(what) ? what[0] : undefined;
    const ino = must(fs.create(directory, name, { mode, uid: 0, gid: 0, target }));
    if (typeof what === 'string') must(fs.write(ino, 0, bytes(what)));
  }
};

const list = (fs: FileSystem, directory: number, cookie = 0): DirectoryEntry[] => {
  const found: DirectoryEntry[] = [];
  must(fs.readdir(directory, cookie, (entry) => found.push(entry) > 0));
  return found;
};

const text = (fs: FileSystem, ino: number): string => {
  const into = new Uint8Array(must(fs.getattr(ino)).size);
  must(fs.read(ino, 0, into));
  return String.fromCharCode(...into);
};

/** All of a file system, hard links by the first path that has them. */
const dump = (fs: FileSystem): unknown => {
  const first = new Map<number, string>();
  const visit = (ino: number, path: string): unknown => {
    const { mode, nlink, size, uid } = must(fs.getattr(ino));
    if (isDirectory(mode)) {
      const entries = list(fs, ino).sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) {
        expect(must(fs.lookup(ino, entry.name))).toBe(entry.ino);
        if (entry.type === 4) expect(must(fs.parent(entry.ino))).toBe(ino);
        // A name of it: hard links in one folder may give another.
        expect(must(fs.lookup(ino, must(fs.nameOf(ino, entry.ino))))).toBe(entry.ino);
      }
      return { mode, nlink, uid, entries: entries.map(({ name, ino }) => [name, visit(ino, `${path}/${name}`)]) };
    }
    const known = first.get(ino);
    if (known !== undefined) return { link: known };
    first.set(ino, path);
    const content = (mode & S_IFLNK) === S_IFLNK ? must(fs.readlink(ino, 1)) : text(fs, ino);
    return { mode, nlink, size, uid, content };
  };
  return visit(fs.root, '');
};

const files: Files = {
  d: null,
  'd/a': 'aaaa',
  'd/b': 'bb',
  'd/s': null,
  'd/s/deep': 'deep',
  'd/s/t': null,
  'd/s/t/u': 'u',
  e: null,
  'e/x': 'x'.repeat(9000),
  f: 'f',
  l: ['d/a'],
};

const make = (store: TransactionalStore, layers: readonly FileSystem[], rest = {}): Overlay => {
  let seconds = 1000;
  return new Overlay(store, (): Time => ({ seconds: ++seconds, nanoseconds: 0 }), layers, { name: 'o', ...rest });
};
const fresh = (...layers: readonly Files[]): Overlay => make(new TransactionalStore(new UndoLog()), layers.map(layer));

describe('an overlay shows what a ramfs with the same files shows', () => {
  const names = ['a', 'b', 'd', 's', 't', 'e', 'x', 'f', 'l', 'n'];

  it.each(Array.from({ length: 60 }, (_, i) => i + 1))('changes at random, %i', (start) => {
    let seed = start * 7919;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    const log = new UndoLog();
    const store = new TransactionalStore(log);
    // Two layers with one list of files between them, or one.
    const entries = Object.entries(files);
    const split = start % 3 === 0 ? entries.length : 5;
    const upper = Object.fromEntries(entries.slice(0, split));
    const lower = Object.fromEntries([...entries.slice(split - 3), ...entries.slice(0, 1)]);
    const layers = split === entries.length ? [layer(upper)] : [layer(upper), layer(lower)];
    let overlay = make(store, layers);
    const twin = new Ramfs(new TransactionalStore(new UndoLog()), () => ({ seconds: 1, nanoseconds: 0 }), {
      name: 't',
    });
    fill(twin, files);
    const both = (action: (fs: FileSystem, folder: (path: readonly string[]) => number) => unknown): void => {
      const run = (fs: FileSystem): unknown => {
        const result = action(fs, (path) => {
          let at = fs.root;
          for (const name of path) {
            const next = fs.lookup(at, name);
            if (next instanceof e.Errno || !isDirectory(must(fs.getattr(next)).mode)) break;
            at = next;
          }
          return at;
        });
        return result instanceof e.Errno ? result.name : undefined;
      };
      expect(run(overlay)).toBe(run(twin));
    };
    const name = (): string => names[random(names.length)];
    const above = (fs: FileSystem, ino: number, at: number): boolean => {
      for (let i = at; ; i = must(fs.parent(i))) {
        if (i === ino) return true;
        if (i === fs.root) return false;
      }
    };
    for (let step = 0; step < 60; step++) {
      const path = [name(), name(), name()];
      const other = [name(), name()];
      const [one, two, value, what] = [name(), name(), random(1 << 20), random(11)];
      both((fs, folder) => {
        const directory = folder(path);
        const target = fs.lookup(directory, one);
        const isFile = !(target instanceof e.Errno) && (must(fs.getattr(target)).mode & 0o170000) === S_IFREG;
        switch (what) {
          case 0:
            return fs.create(directory, one, { mode: S_IFREG | 0o600, uid: 1, gid: 1 });
          case 1:
            return fs.create(directory, one, { mode: S_IFDIR | 0o700, uid: 1, gid: 1 });
          case 2: {
            const result = fs.unlink(directory, one);
            if (!(target instanceof e.Errno) && !(result instanceof e.Errno)) fs.forget(target);
            return result;
          }
          case 3: {
            const result = fs.rmdir(directory, one);
            if (!(target instanceof e.Errno) && !(result instanceof e.Errno)) fs.forget(target);
            return result;
          }
          case 4:
          case 5: {
            // What the VFS refuses beforehand is not tried.
            const to = folder(other);
            const there = fs.lookup(to, two);
            if (!(target instanceof e.Errno) && above(fs, target, to)) return undefined;
            if (!(there instanceof e.Errno) && above(fs, there, directory)) return undefined;
            const flags = what === 4 ? 0 : RENAME_EXCHANGE;
            const result = fs.rename(directory, one, to, two, flags);
            if (flags === 0 && !(result instanceof e.Errno) && !(there instanceof e.Errno) && there !== target)
              fs.forget(there);
            return result;
          }
          case 6:
            return isFile ? fs.link(folder(other), two, target) : undefined;
          case 7:
            return isFile ? fs.write(target, value % 10_000, bytes(`${value}`)) : undefined;
          case 8:
            return isFile ? fs.truncate(target, value % 12_000) : undefined;
          case 9:
            return target instanceof e.Errno ? undefined : fs.setattr(target, { mode: value & 0o7777, uid: value % 5 });
          default:
            if (!(target instanceof e.Errno)) fs.touch(target, { seconds: value, nanoseconds: 0 });
            return undefined;
        }
      });
      if (random(15) === 0) {
        // A change that is rolled back leaves nothing behind, and a fresh instance goes on.
        const before = dump(overlay);
        log.begin();
        overlay.unlink(overlay.root, 'f');
        overlay.rename(overlay.root, 'd', overlay.root, 'moved', 0);
        overlay.create(overlay.root, 'made', { mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
        log.rollback();
        overlay = make(store, layers);
        expect(dump(overlay)).toEqual(before);
      }
    }
    // Links of merged folders are not counted until they are owned; all else is the same.
    const strip = (tree: unknown): unknown =>
      JSON.parse(JSON.stringify(tree, (key, value) => (key === 'nlink' && value === 1 ? undefined : value)));
    if (layers.length === 1) expect(dump(overlay)).toEqual(dump(twin));
    else
      expect(JSON.stringify(strip(dump(overlay))).replace(/"nlink":\d+,/g, '')).toBe(
        JSON.stringify(strip(dump(twin))).replace(/"nlink":\d+,/g, ''),
      );
  });
});

describe('copying up', () => {
  it('changes neither numbers nor times nor the version of the contents', () => {
    const fs = fresh(files);
    const d = must(fs.lookup(fs.root, 'd'));
    const a = must(fs.lookup(d, 'a'));
    const before = must(fs.getattr(a));
    const directory = must(fs.getattr(d));
    must(fs.setattr(a, { mode: 0o600 }));
    expect(must(fs.getattr(a))).toMatchObject({ ...before, mode: S_IFREG | 0o600, ctime: expect.anything() });
    expect(must(fs.getattr(d))).toEqual(directory);
    expect(text(fs, a)).toBe('aaaa');
    must(fs.write(a, 1, bytes('xx')));
    expect(fs.lookup(d, 'a')).toBe(a);
    expect([text(fs, a), must(fs.getattr(a)).version]).toEqual(['axxa', before.version + 1]);
  });

  it('keeps extended attributes of a layer', () => {
    const tree = new FileTree();
    const node = tree.add('f', { mode: S_IFREG | 0o644, bytes: bytes('x') });
    if (!('ino' in node)) throw new Error(node.text);
    node.xattrs = new Map([['user.a', 'below']]);
    tree.number();
    const fs = make(new TransactionalStore(new UndoLog()), [new TarFs(tree)]);
    const f = must(fs.lookup(fs.root, 'f'));
    expect(fs.xattrs(f)).toEqual(new Map([['user.a', 'below']]));
    must(fs.setXattr(f, 'user.b', 'above'));
    expect(fs.xattrs(f)).toEqual(
      new Map([
        ['user.a', 'below'],
        ['user.b', 'above'],
      ]),
    );
    expect(text(fs, f)).toBe('x');
  });

  it('keeps positions in listings valid', () => {
    const fs = fresh(files);
    const d = must(fs.lookup(fs.root, 'd'));
    const before = list(fs, d);
    must(fs.create(d, 'new', { mode: S_IFREG | 0o644, uid: 0, gid: 0 }));
    const after = list(fs, d, before[0].cookie);
    expect(after.map(({ name }) => name)).toEqual([...before.slice(1).map(({ name }) => name), 'new']);
    must(fs.unlink(d, before[1].name));
    expect(list(fs, d, before[0].cookie)).toEqual(after.slice(1));
  });

  it('moves folders of a layer as one name, and what is below stays what it is', () => {
    const fs = fresh(files);
    const d = must(fs.lookup(fs.root, 'd'));
    const s = must(fs.lookup(d, 's'));
    const deep = must(fs.lookup(s, 'deep'));
    expect(fs.rename(fs.root, 'd', must(fs.lookup(fs.root, 'e')), 'moved', 0)).toBeUndefined();
    expect(fs.lookup(fs.root, 'd')).toBe(e.ENOENT);
    expect([fs.parent(d), fs.parent(s), fs.lookup(s, 'deep')]).toEqual([fs.lookup(fs.root, 'e'), d, deep]);
    expect(must(fs.statfs()).filesFree).toBe(0);
  });

  it('a file that is gone stays gone, and its name may be used again', () => {
    const fs = fresh(files);
    const f = must(fs.lookup(fs.root, 'f'));
    must(fs.unlink(fs.root, 'f'));
    expect([must(fs.getattr(f)).nlink, text(fs, f)]).toEqual([0, 'f']);
    fs.forget(f);
    expect([fs.getattr(f), fs.read(f, 0, new Uint8Array(1))]).toEqual([e.ENOENT, 0]);
    const again = must(fs.create(fs.root, 'f', { mode: S_IFREG | 0o644, uid: 0, gid: 0 }));
    expect(again).not.toBe(f);
    must(fs.unlink(fs.root, 'l'));
    fs.forget(must(fs.lookup(fs.root, 'e')));
    expect(text(fs, again)).toBe('');
  });

  it('refuses with ENOSPC when there is no room, and the file is as it was', () => {
    const store = new TransactionalStore(new UndoLog());
    const fs = make(store, [layer(files)], { maxBytes: 2 * 4096, maxInodes: 4 });
    const x = must(fs.lookup(must(fs.lookup(fs.root, 'e')), 'x'));
    expect(fs.write(x, 0, bytes('new'))).toBe(e.ENOSPC);
    expect(text(fs, x)).toBe('x'.repeat(9000));
    expect(fs.truncate(x, 5000)).toBeUndefined();
    expect(text(fs, x)).toBe('x'.repeat(5000));
    expect(must(fs.statfs())).toMatchObject({ blocks: 2, blocksFree: 0 });
    must(fs.setattr(must(fs.lookup(fs.root, 'f')), { mode: 0o600 }));
    must(fs.setattr(must(fs.lookup(fs.root, 'l')), { uid: 1 }));
    expect(fs.setattr(must(fs.lookup(fs.root, 'd')), { mode: 0o700 })).toBe(e.ENOSPC);
    expect(fs.create(fs.root, 'n', { mode: S_IFREG | 0o644, uid: 0, gid: 0 })).toBe(e.ENOSPC);
  });
});

describe('several layers', () => {
  it('the upper hides the lower, folders join, down to what is none', () => {
    const fs = fresh(
      { d: null, 'd/a': 'upper', k: 'file' },
      { d: null, 'd/a': 'lower', 'd/b': 'lower', k: null, 'k/x': 'hidden', only: null, 'only/x': '1' },
      { d: 'a file ends it', 'only/y': '2' },
      { 'd/c': 'below the end' },
    );
    const d = must(fs.lookup(fs.root, 'd'));
    expect(list(fs, d).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(text(fs, must(fs.lookup(d, 'a')))).toBe('upper');
    expect(text(fs, must(fs.lookup(fs.root, 'k')))).toBe('file');
    const only = must(fs.lookup(fs.root, 'only'));
    expect(list(fs, only).map(({ name }) => name)).toEqual(['x', 'y']);
    expect(list(fs, fs.root).map(({ name }) => name)).toEqual(['d', 'k', 'only']);
    expect(fs.parent(only)).toBe(fs.root);
    must(fs.unlink(only, 'x'));
    expect(list(fs, only).map(({ name }) => name)).toEqual(['y']);
    expect([must(fs.getattr(fs.root)).nlink, must(fs.getattr(only)).nlink]).toEqual([1, 2]);
  });
});
