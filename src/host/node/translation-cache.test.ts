/** The folder of translations: whole files of this engine come back, anything else is as if it were not there. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderCache } from './translation-cache.ts';

let folder: string;
let cache: FolderCache;
const content = Uint8Array.from({ length: 5000 }, (_, i) => i * 7);
const only = (): string => join(folder, readdirSync(folder)[0]);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xinim-cache-'));
  cache = new FolderCache(join(folder));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what was saved is loaded', () => {
  expect(cache.load('400-1')).toBeUndefined();
  cache.save('400-1', content);
  expect(cache.load('400-1')).toEqual(content);
  expect(new FolderCache(folder).load('400-1')).toEqual(content);
  expect(cache.load('400-2')).toBeUndefined();
});

test('a damaged file is refused wherever the damage is', () => {
  cache.save('p', content);
  const good = readFileSync(only());
  for (const at of [0, 15, 16, 47, 48, 79, 80, 2000, good.length - 1]) {
    const bad = Buffer.from(good);
    bad[at] ^= 1;
    writeFileSync(only(), bad);
    expect(cache.load('p'), `byte ${at}`).toBeUndefined();
  }
  for (const length of [0, 10, 79, 80, good.length - 1]) {
    writeFileSync(only(), good);
    truncateSync(only(), length);
    expect(cache.load('p'), `${length} bytes`).toBeUndefined();
  }
  writeFileSync(only(), 'something else');
  expect(cache.load('p')).toBeUndefined();
  cache.save('p', content);
  expect(cache.load('p')).toEqual(content);
});

test('a folder that cannot be written is no error', () => {
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  cache.save('p', content);
  expect(cache.load('p')).toBeUndefined();
  cache.trim(0);
});

test('folders above are made; one that cannot be made is an error at once', () => {
  new FolderCache(join(folder, 'a/b/c')).save('p', content);
  expect(new FolderCache(join(folder, 'a/b/c')).load('p')).toEqual(content);
  expect(() => new FolderCache('/proc/nowhere')).toThrow();
});

test('the files used longest ago go first', () => {
  for (const name of ['a', 'b', 'c']) cache.save(name, content);
  const old = new Date(1e12);
  for (const file of readdirSync(folder)) if (!file.startsWith('b')) utimesSync(join(folder, file), old, old);
  cache.load('c');
  cache.trim(11_000);
  expect(
    readdirSync(folder)
      .map((name) => name[0])
      .sort(),
  ).toEqual(['b', 'c']);
});
