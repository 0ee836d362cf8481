/** Reading, writing and layering tar files; and archives that mean harm. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EINVAL, ENOENT, ENOTDIR, EROFS } from '../../abi/errno.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../abi/stat.ts';
import { ArchiveError, BLOCK } from './header.ts';
import { parsePax } from './pax.ts';
import { openTar, TarFs } from './tarfs.ts';
import { archive, archiveBytes, memoryFile, type Piece } from './testing/archive.ts';
import { FileTree } from './tree.ts';
import { writeTar } from './writer.ts';

const image = (pieces: readonly Piece[]): FileTree => {
  const opened = openTar(archive(pieces));
  if (opened instanceof ArchiveError) throw new Error(opened.text);
  return opened.tree;
};

const read = (tree: FileTree, path: string): string => {
  const fs = new TarFs(tree);
  const into = new Uint8Array(1 << 20);
  const node = tree.find(path);
  return node === undefined
    ? 'nothing'
    : String.fromCharCode(...into.subarray(0, fs.read(node.ino, 0, into) as number));
};

const written = (tree: FileTree, comment?: string): Uint8Array => {
  const parts: Uint8Array[] = [];
  expect(writeTar(tree, (bytes) => parts.push(bytes.slice()), { comment })).toBeUndefined();
  return Uint8Array.from(parts.flatMap((part) => [...part]));
};

const refusal = (pieces: readonly Piece[], bytes = archiveBytes(pieces)): string => {
  const opened = openTar(memoryFile(bytes));
  return opened instanceof ArchiveError ? opened.text : 'accepted';
};

const sample: readonly Piece[] = [
  { name: './', type: '5' },
  { name: './bin/', type: '5', mode: 0o755, uid: 3, gid: 4 },
  { name: './bin/sh', data: 'shell', mode: 0o4755, mtime: 77 },
  { name: './bin/ash', type: '1', linkName: './bin/sh' },
  { name: 'etc/deep/name', data: 'x'.repeat(1000) },
  { name: 'link', type: '2', linkName: '/bin/sh' },
  { name: 'tty', type: '3', major: 5, minor: 1 },
  { name: 'pipe', type: '6' },
];

describe('a tar file as a file system', () => {
  const tree = image(sample);
  const tarfs = new TarFs(tree);
  const find = (path: string): number => tree.find(path, false)!.ino;

  it('has the attributes, and folders that no member is for', () => {
    expect(tarfs.getattr(find('bin/sh'))).toMatchObject({
      mode: S_IFREG | 0o4755,
      nlink: 2,
      size: 5,
      mtime: { seconds: 77, nanoseconds: 0 },
    });
    expect(find('bin/ash')).toBe(find('bin/sh'));
    expect(tarfs.getattr(find('bin'))).toMatchObject({ mode: S_IFDIR | 0o755, uid: 3, gid: 4, nlink: 2 });
    expect(tarfs.getattr(find('etc'))).toMatchObject({ mode: S_IFDIR | 0o755, nlink: 3 });
    expect(tarfs.getattr(tarfs.root)).toMatchObject({ nlink: 4 });
    expect(tarfs.getattr(find('tty'))).toMatchObject({ rdev: 0x501 });
    expect(tarfs.getattr(999)).toBe(ENOENT);
  });

  it('finds, lists and reads', () => {
    expect(tarfs.lookup(tarfs.root, 'bin')).toBe(find('bin'));
    expect(tarfs.lookup(tarfs.root, 'none')).toBe(ENOENT);
    expect(tarfs.lookup(find('bin/sh'), 'x')).toBe(ENOTDIR);
    expect(tarfs.parent(find('etc/deep'))).toBe(find('etc'));
    expect(tarfs.nameOf(find('etc'), find('etc/deep'))).toBe('deep');
    expect(tarfs.readlink(find('link'))).toBe('/bin/sh');
    expect(tarfs.readlink(find('bin'))).toBe(EINVAL);
    const names: string[] = [];
    let cookie = 0;
    // One entry at a time, going on behind each.
    for (let more = true; more; ) {
      more = false;
      tarfs.readdir(tarfs.root, cookie, (entry) => {
        if (more) return false;
        names.push(entry.name);
        cookie = entry.cookie;
        more = true;
        return true;
      });
    }
    expect(names).toEqual(['bin', 'etc', 'link', 'tty', 'pipe']);
    expect(read(tree, 'link')).toBe('shell');
    const into = new Uint8Array(10);
    expect(tarfs.read(find('etc/deep/name'), 995, into)).toBe(5);
    expect(tarfs.read(find('etc/deep/name'), 1000, into)).toBe(0);
  });

  it('cannot be written', () => {
    expect([tarfs.create(), tarfs.write(), tarfs.setattr(), tarfs.unlink()]).toEqual([EROFS, EROFS, EROFS, EROFS]);
  });
});

describe('formats', () => {
  it('long names and large numbers in pax headers', () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;
    const tree = image([
      {
        name: 'cut',
        data: 'hello',
        pax: { path: long, uid: '3000000', mtime: '12.5', 'SCHILY.xattr.user.a': 'b=c\n' },
      },
      { name: 'l', type: '2', pax: { linkpath: `/${long}` } },
    ]);
    expect(read(tree, 'l')).toBe('hello');
    expect(tree.find(long)).toMatchObject({ uid: 3_000_000, mtime: 12.5, xattrs: new Map([['user.a', 'b=c\n']]) });
    expect(new TarFs(tree).getattr(tree.find(long)!.ino)).toMatchObject({ mtime: { seconds: 12, nanoseconds: 5e8 } });
  });

  it('GNU long names, base-256 numbers, old directories', () => {
    const long = `x/${'y'.repeat(150)}`;
    const bytes = archiveBytes([
      { name: '././@LongLink', type: 'L', data: `${long}\0` },
      { name: 'cut', data: 'abc' },
      { name: 'old/', type: '\0' },
      { name: 'big', mtime: 0 },
    ]);
    const at = bytes.length - 1024 - BLOCK + 108;
    bytes.set([0x80, 0, 0, 0, 0x12, 0x34, 0x56, 0x78], at);
    // The checksum again.
    const block = bytes.subarray(at - 108, at - 108 + BLOCK);
    block.fill(0x20, 148, 156);
    const sum = block.reduce((a, b) => a + b, 0).toString(8);
    block.set(Buffer.from(`${sum.padStart(6, '0')}\0 `, 'latin1'), 148);
    const opened = openTar(memoryFile(bytes));
    if (opened instanceof ArchiveError) throw new Error(opened.text);
    expect(read(opened.tree, long)).toBe('abc');
    expect(opened.tree.find('old')!.mode).toBe(S_IFDIR | 0o644);
    expect(opened.tree.find('big')!.uid).toBe(0x12345678);
  });

  it('what was written is read again as it was', () => {
    const tree = image([
      ...sample,
      { name: 'x', data: 'y', pax: { path: 'p'.repeat(180), 'SCHILY.xattr.user.k': 'v', uid: '99999999' } },
    ]);
    const bytes = written(tree, 'a comment of\nthe archive');
    const again = openTar(memoryFile(bytes));
    if (again instanceof ArchiveError) throw new Error(again.text);
    expect(again.comment).toBe('a comment of\nthe archive');
    expect(written(again.tree, again.comment)).toEqual(bytes);
    expect(read(again.tree, 'bin/ash')).toBe('shell');
    expect(again.tree.find('p'.repeat(180))).toMatchObject({ uid: 99_999_999, xattrs: new Map([['user.k', 'v']]) });
  });

  it.skipIf(!fs.existsSync('/bin/tar'))('tar(1) and this reader agree, both ways', () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'xinim-tar-'));
    try {
      fs.mkdirSync(join(folder, 'in/a'.repeat(1)), { recursive: true });
      fs.writeFileSync(join(folder, 'in/a', 'n'.repeat(150)), 'long name');
      fs.linkSync(join(folder, 'in/a', 'n'.repeat(150)), join(folder, 'in/hard'));
      fs.symlinkSync('t'.repeat(140), join(folder, 'in/soft'));
      for (const format of ['gnu', 'pax', 'ustar', 'v7']) {
        if (format === 'ustar' || format === 'v7') {
          fs.rmSync(join(folder, 'in/soft'), { force: true });
          fs.rmSync(join(folder, 'in/hard'), { force: true });
          fs.rmSync(join(folder, 'in/a', 'n'.repeat(150)), { force: true });
        }
        execFileSync('tar', [`--format=${format}`, '-C', join(folder, 'in'), '-cf', join(folder, 'x.tar'), '.']);
        const opened = openTar(memoryFile(fs.readFileSync(join(folder, 'x.tar'))));
        if (opened instanceof ArchiveError) throw new Error(`${format}: ${opened.text}`);
        expect(opened.tree.find('a')!.mode & S_IFDIR).toBe(S_IFDIR);
        if (format === 'gnu' || format === 'pax') {
          expect(read(opened.tree, `a/${'n'.repeat(150)}`)).toBe('long name');
          expect(opened.tree.find('hard')!.nlink).toBe(2);
          expect(opened.tree.find('soft', false)!.target).toBe('t'.repeat(140));
          fs.writeFileSync(join(folder, 'y.tar'), written(opened.tree, 'comment'));
          const listing = execFileSync('tar', ['-tf', join(folder, 'y.tar')], { encoding: 'utf8' });
          expect(listing.split('\n').sort()).toEqual(['', './', 'a/', `a/${'n'.repeat(150)}`, 'hard', 'soft']);
        }
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('names lead nowhere but into the tree', () => {
  it('links on the way are resolved inside', () => {
    const tree = image([
      { name: 'usr/bin/', type: '5' },
      { name: 'bin', type: '2', linkName: '/usr/bin' },
      { name: 'up', type: '2', linkName: '../../../../usr' },
      { name: 'bin/sh', data: 'a' },
      { name: '/up/lib/x', data: 'b' },
    ]);
    expect(read(tree, 'usr/bin/sh')).toBe('a');
    expect(read(tree, 'usr/lib/x')).toBe('b');
  });

  it('a later member takes the place of an earlier one', () => {
    const tree = image([
      { name: 'f', data: 'old' },
      { name: 'g', type: '1', linkName: 'f' },
      { name: 'f', data: 'new' },
      { name: 'd/', type: '5', mode: 0o700 },
      { name: 'd/x', data: '1' },
      { name: 'd/', type: '5', mode: 0o711 },
    ]);
    expect([read(tree, 'f'), read(tree, 'g'), tree.find('g')!.nlink]).toEqual(['new', 'old', 1]);
    expect([tree.find('d')!.mode & 0o777, read(tree, 'd/x')]).toEqual([0o711, '1']);
  });

  it.each<readonly [why: string, says: RegExp, pieces: readonly Piece[]]>([
    ['.. in a name', /has \.\. in it/, [{ name: '../x' }]],
    ['.. in the middle', /has \.\. in it/, [{ name: 'a/../../x' }]],
    ['.. by pax', /has \.\. in it/, [{ name: 'x', pax: { path: '/a/../..' } }]],
    ['a hard link out', /has \.\. in it/, [{ name: 'x', type: '1', linkName: '../../etc/passwd' }]],
    ['a hard link to nothing', /is not there/, [{ name: 'x', type: '1', linkName: '/etc/passwd' }]],
    [
      'a hard link to a folder',
      /is a folder/,
      [
        { name: 'd/', type: '5' },
        { name: 'x', type: '1', linkName: 'd' },
      ],
    ],
    ['a zero byte', /zero byte/, [{ name: 'x', pax: { path: 'a\0b' } }]],
    ['a long component', /255/, [{ name: 'x', pax: { path: 'c'.repeat(256) } }]],
    ['a long path', /too long/, [{ name: 'x', pax: { path: 'c/'.repeat(2100) } }]],
    ['no name', /no name/, [{ name: '' }]],
    ['a way through a file', /leads through a file|no folder/, [{ name: 'f' }, { name: 'f/g' }]],
    [
      'a loop of links',
      /loop/,
      [{ name: 'a', type: '2', linkName: 'b' }, { name: 'b', type: '2', linkName: 'a' }, { name: 'a/x' }],
    ],
    [
      'links that double',
      /loop/,
      [
        ...Array.from({ length: 40 }, (_, i) => ({ name: `l${i + 1}`, type: '2', linkName: `l${i}/l${i}` })),
        { name: 'l0', type: '2', linkName: '.' },
        { name: 'l40/x' },
      ],
    ],
    ['a file over a full folder', /something else as well/, [{ name: 'd/x' }, { name: 'd' }]],
    ['sparse files', /sparse/, [{ name: 's', type: 'S' }]],
    ['sparse files by pax', /sparse/, [{ name: 's', pax: { 'GNU.sparse.major': '1' } }]],
    ['an unknown type', /not known/, [{ name: 's', type: 'M' }]],
    ['a size by pax that lies', /truncated within/, [{ name: 's', pax: { size: '99999999' } }]],
    ['a size that is none', /bad number/, [{ name: 's', pax: { size: '-5' } }]],
    ['an owner that is none', /bad number/, [{ name: 's', pax: { uid: '4294967295' } }]],
  ])('refuses %s', (_why, says, pieces) => {
    expect(refusal(pieces)).toMatch(says);
  });

  it('refuses what is cut off, damaged or no archive', () => {
    const whole = archiveBytes(sample);
    expect(refusal([], whole.subarray(0, BLOCK * 4 + 100))).toMatch(/truncated within a header/);
    expect(refusal([], whole.subarray(0, BLOCK * 6 + 1))).toMatch(/truncated/);
    const damaged = whole.slice();
    damaged[BLOCK * 2 + 3] ^= 1;
    expect(refusal([], damaged)).toMatch(/checksum/);
    expect(refusal([], new Uint8Array(5000).fill(7))).toMatch(/not a tar file/);
    const extension = archiveBytes([{ name: 'x', type: 'x', data: '9999999999 a=b\n' }]);
    expect(refusal([], extension)).toMatch(/damaged/);
    // A list of names of 4 GB is not even read.
    const huge = archiveBytes([{ name: 'x', type: 'L', size: 4 * 2 ** 30 - 1 }], false);
    expect(openTar(memoryFile(huge, 2 ** 40))).toMatchObject({ text: expect.stringMatching(/too long/) });
  });

  it('never throws, whatever bytes are changed', () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    const whole = archiveBytes([...sample, { name: 'x', data: 'y', pax: { path: 'some/long/path', size: '1' } }]);
    let accepted = 0;
    for (let i = 0; i < 1000; i++) {
      const bytes = whole.slice();
      const header = random(bytes.length / BLOCK) * BLOCK;
      for (let k = 0; k <= random(3); k++) bytes[header + random(BLOCK)] = random(256);
      // Half of them with a checksum that is right again, so that they are looked at.
      if (i & 1) {
        const block = bytes.subarray(header, header + BLOCK);
        block.fill(0x20, 148, 156);
        const sum = block.reduce((a, b) => a + b, 0).toString(8);
        block.set(Buffer.from(`${sum.padStart(6, '0')}\0 `, 'latin1'), 148);
      }
      const opened = openTar(memoryFile(bytes));
      if (opened instanceof ArchiveError) continue;
      accepted++;
      for (const node of opened.tree.nodes) expect(node.ino).toBeGreaterThan(0);
    }
    expect(accepted).toBeGreaterThan(50);
    expect(accepted).toBeLessThan(950);
  });
});

describe('layers', () => {
  const layered = (...layers: readonly (readonly Piece[])[]): FileTree => {
    const tree = new FileTree();
    for (const pieces of layers) {
      const result = tree.apply(archive(pieces), { layer: true });
      if (result instanceof ArchiveError) throw new Error(result.text);
    }
    tree.number();
    return tree;
  };
  const names = (tree: FileTree, path: string): string[] =>
    [...(tree.find(path)?.children?.keys() ?? ['nothing'])].sort();

  it('whiteouts remove what is below, not what the layer itself brings', () => {
    const tree = layered(
      [{ name: 'd/a', data: '1' }, { name: 'd/b', data: '2' }, { name: 'e/x' }, { name: 'f' }],
      [
        { name: 'd/.wh.a' },
        { name: 'd/c', data: '3' },
        { name: '.wh.e' },
        { name: 'f', data: 'new' },
        { name: '.wh.f' },
      ],
    );
    expect(names(tree, 'd')).toEqual(['b', 'c']);
    expect(names(tree, '/')).toEqual(['d', 'f']);
    expect(read(tree, 'f')).toBe('new');
  });

  it('an opaque folder has nothing from below, wherever in the layer its mark stands', () => {
    const tree = layered(
      [{ name: 'd/a' }, { name: 'd/s/t' }],
      [{ name: 'd/s/new' }, { name: 'd/.wh..wh..opq' }, { name: 'd/z' }],
    );
    expect(names(tree, 'd')).toEqual(['s', 'z']);
    expect(names(tree, 'd/s')).toEqual(['new']);
  });

  it('anything takes the place of anything', () => {
    const tree = layered(
      [{ name: 'd/a' }, { name: 'f' }, { name: 'l', type: '2', linkName: 'd' }],
      [{ name: 'd' }, { name: 'f/', type: '5' }, { name: 'f/x' }, { name: 'l/', type: '5' }, { name: 'l/y' }],
    );
    expect([tree.find('d')!.mode, names(tree, 'f'), names(tree, 'l')]).toEqual([S_IFREG | 0o644, ['x'], ['y']]);
  });

  it('packages keep the links of folders', () => {
    const tree = new FileTree();
    tree.add('usr/lib', { mode: S_IFDIR | 0o755 });
    tree.add('lib', { mode: S_IFLNK | 0o777, target: 'usr/lib' });
    tree.apply(
      archive([
        { name: './lib/', type: '5' },
        { name: './lib/x', data: 'x' },
      ]),
      { keepLinks: true },
    );
    tree.number();
    expect(tree.find('lib', false)!.target).toBe('usr/lib');
    expect(read(tree, 'usr/lib/x')).toBe('x');
  });
});

it('pax records are parsed by their lengths', () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
  expect(parsePax(bytes('12 a=b\nc=d\n\n'))).toEqual(new Map([['a', 'b\nc=d\n']]));
  expect(parsePax(bytes('6 a=b\n7 c=dd\n\0\0'))).toEqual(
    new Map([
      ['a', 'b'],
      ['c', 'dd'],
    ]),
  );
  for (const bad of ['6 a=b', '60 a=b\n', ' a=b\n', 'x a=b\n', '6 a-b\n', '0 a=b\n', '99999999999 a=b\n'])
    expect(parsePax(bytes(bad))).toBeInstanceOf(ArchiveError);
});
