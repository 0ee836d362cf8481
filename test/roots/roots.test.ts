/** Systems over roots of the host: a folder and a tar file, read lazily, changed in memory only. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../src/abi/stat.ts';
import { FileTree } from '../../src/fs/tar/tree.ts';
import { findBusybox } from '../../src/host/node/busybox.ts';
import { toComment } from '../../src/host/node/image/config.ts';
import { writeImage } from '../../src/host/node/image/output.ts';
import { boot, type Xinim } from '../../src/index.ts';
import { runGuest } from '../support/programs.ts';

const busybox = findBusybox();
const MTIME = 1_600_000_000;
const APPLETS = [
  'sh',
  'ls',
  'cat',
  'mv',
  'rm',
  'stat',
  'mkdir',
  'find',
  'id',
  'cmp',
  'ln',
  'mount',
  'ps',
  'test',
  'echo',
];

/** A small root with BusyBox in it. */
const smallRoot = (): FileTree => {
  const tree = new FileTree();
  const add = (path: string, mode: number, rest: { target?: string; bytes?: Uint8Array } = {}): void => {
    tree.add(path, { mode, mtime: MTIME, ...rest });
  };
  for (const folder of ['bin', 'etc', 'proc', 'tmp', 'usr/share/a/b']) add(folder, S_IFDIR | 0o755);
  add('bin/busybox', S_IFREG | 0o755, { bytes: busybox });
  for (const applet of APPLETS) add(`bin/${applet}`, S_IFLNK | 0o777, { target: 'busybox' });
  add('etc/passwd', S_IFREG | 0o644, {
    bytes: Buffer.from('root:x:0:0::/root:/bin/sh\nann:x:70:71::/home/ann:/bin/sh\n'),
  });
  add('etc/group', S_IFREG | 0o644, { bytes: Buffer.from('root:x:0:\nann:x:71:\nextra:x:80:ann\n') });
  add('usr/share/a/b/c', S_IFREG | 0o640, { bytes: Buffer.from('lower\n') });
  add('dev', S_IFREG | 0o644, { bytes: Buffer.from('a file where /dev must be') });
  return tree;
};

describe.skipIf(busybox === undefined)('roots of the host (needs busybox-static)', () => {
  let folder: string;
  let tar: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'xinim-roots-'));
    tar = join(folder, 'root.tar');
    writeImage(tar, smallRoot(), {
      comment: toComment({
        entrypoint: ['sh'],
        cmd: ['-c', 'id; pwd; echo $X'],
        env: { X: 'ü' },
        cwd: '/etc',
        user: 'ann',
      }),
    });
    fs.mkdirSync(join(folder, 'dir'));
    execFileSync('tar', ['-C', join(folder, 'dir'), '-xf', tar]);
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  const script = `
    stat -c '%n %a %s %h %Y' /usr/share/a/b/c
    before=$(stat -c '%d %i' /usr/share/a/b/c)
    mv /usr/share /moved && cat /moved/a/b/c && echo more >>/moved/a/b/c && cat /moved/a/b/c
    test "$before" = "$(stat -c '%d %i' /moved/a/b/c)" && echo same inode
    ln /moved/a/b/c /hard && stat -c %h /hard
    rm -r /moved/a/b && ls /moved/a; cat /hard
    mkdir /usr/share && find /usr; ls /usr/share; test -c /dev/null && echo device
  `;
  const run = async (os: Xinim): Promise<string> => {
    const { stdout, stderr, code } = await runGuest(os, '/bin/sh', { args: ['-c', script] });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    return stdout;
  };
  const expected = [
    `/usr/share/a/b/c 640 6 1 ${MTIME}`,
    'lower',
    'lower',
    'more',
    'same inode',
    '2',
    'lower',
    'more',
    '/usr',
    '/usr/share',
    'device',
    '',
  ].join('\n');

  const tree = (): string =>
    execFileSync('find', [join(folder, 'dir'), '-printf', '%P %m %s %T@\n'], { encoding: 'utf8' });

  test.each(['root.tar', 'dir'])('%s behaves as any file system and is not changed', async (name) => {
    const before = [fs.readFileSync(tar, 'latin1'), tree()];
    const os = await boot({ root: join(folder, name) });
    expect(await run(os)).toBe(expected);
    await os.shutdown();
    expect(fs.readFileSync(tar, 'latin1') === before[0] && tree() === before[1]).toBe(true);
  });

  test('a folder is written if that is asked for', async () => {
    fs.cpSync(join(folder, 'dir'), join(folder, 'rw'), { recursive: true, verbatimSymlinks: true });
    fs.rmSync(join(folder, 'rw/dev'));
    const os = await boot({ root: { path: join(folder, 'rw'), writable: true } });
    await runGuest(os, '/bin/sh', { args: ['-c', 'echo here >/written; rm /etc/group'] });
    await os.shutdown();
    expect(fs.readFileSync(join(folder, 'rw/written'), 'utf8')).toBe('here\n');
    expect(fs.existsSync(join(folder, 'rw/etc/group'))).toBe(false);
    await expect(boot({ root: { path: tar, writable: true } })).rejects.toThrow('no folder');
  });

  test('what is no root is refused with a reason', async () => {
    const gzip = join(folder, 'x.tar.gz');
    fs.writeFileSync(gzip, Uint8Array.of(0x1f, 0x8b, 8, 0));
    await expect(boot({ root: gzip })).rejects.toThrow('compressed (gzip)');
    const text = join(folder, 'text');
    fs.writeFileSync(text, 'x'.repeat(2000));
    await expect(boot({ root: text })).rejects.toThrow('not a tar file');
    await expect(boot({ root: join(folder, 'none') })).rejects.toThrow('ENOENT');
  });

  test('the image says how it is started', async () => {
    const os = await boot({ root: tar });
    expect(os.image).toEqual({
      entrypoint: ['sh'],
      cmd: ['-c', 'id; pwd; echo $X'],
      env: { X: 'ü' },
      cwd: '/etc',
      user: 'ann',
      source: [],
    });
    await os.shutdown();
  });
});
