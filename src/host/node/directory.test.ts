import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EACCES, EINVAL, ELOOP, ENOENT, ENOTDIR, EROFS, Errno } from '../../abi/errno.ts';
import { nodeDirectory } from './directory.ts';

let outside: string;
let root: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'xinim-outside-'));
  root = join(outside, 'root');
  mkdirSync(join(root, 'folder'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(root, 'file'), 'contents');
  symlinkSync(outside, join(root, 'out'));
  symlinkSync(join(outside, 'secret'), join(root, 'leak'));
});

afterEach(() => rmSync(outside, { recursive: true }));

const read = (path: string, readOnly = false): string | Errno => {
  const into = new Uint8Array(64);
  const count = nodeDirectory(root, readOnly).read(path, 0, into);
  return count instanceof Errno ? count : Buffer.from(into.subarray(0, count)).toString();
};

describe('a host folder', () => {
  test('is read and written', () => {
    const directory = nodeDirectory(root, false);
    expect(read('file')).toBe('contents');
    expect(directory.create('folder/new', 0o600)).toBeUndefined();
    expect(directory.write('folder/new', 3, Buffer.from('xyz'))).toBe(3);
    expect(readFileSync(join(root, 'folder/new'))).toEqual(Buffer.from('\0\0\0xyz'));
    expect(directory.stat('folder/new')).toMatchObject({ mode: 0o100600, size: 6 });
    expect(directory.readdir('')).toEqual(expect.arrayContaining(['file', 'folder', 'leak', 'out']));
  });

  test('does not follow links, neither last nor on the way', () => {
    const directory = nodeDirectory(root, false);
    expect(read('leak')).toBe(ELOOP);
    expect(read('out/secret')).toBe(ENOTDIR);
    expect(directory.readdir('out')).toBe(ENOTDIR);
    expect(directory.write('leak', 0, Buffer.from('x'))).toBe(ELOOP);
    expect(directory.truncate('leak', 0)).toBe(ELOOP);
    expect(directory.create('out/made', 0o644)).toBe(ENOTDIR);
    expect(directory.mkdir('out/made', 0o755)).toBe(ENOTDIR);
    expect(directory.rename('file', 'out/file')).toBe(ENOTDIR);
    expect(directory.link('file', 'out/file')).toBe(ENOTDIR);
    expect(directory.chmod('leak', 0o777)).toBe(EINVAL);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  test('refuses names that are no names', () => {
    for (const path of ['..', '../secret', 'folder/..', 'folder//x', '/etc/passwd', './file', 'a\0b'])
      expect(read(path), path).toBe(EINVAL);
  });

  test('refuses what is no regular file', () => {
    expect(read('folder')).toBe(EACCES);
    expect(read('none')).toBe(ENOENT);
  });

  test('refuses every change when it is read-only', () => {
    const directory = nodeDirectory(root, true);
    const time = { seconds: 0, nanoseconds: 0 };
    const changes = [
      directory.write('file', 0, Buffer.from('x')),
      directory.truncate('file', 0),
      directory.create('new', 0o644),
      directory.mkdir('new', 0o755),
      directory.symlink('x', 'new'),
      directory.link('file', 'new'),
      directory.unlink('file'),
      directory.rmdir('folder'),
      directory.rename('file', 'new'),
      directory.chmod('file', 0),
      directory.chown('file', 0, 0),
      directory.utimes('file', time, time),
    ];
    expect(changes.every((outcome) => outcome === EROFS)).toBe(true);
    expect(read('file', true)).toBe('contents');
  });
});
