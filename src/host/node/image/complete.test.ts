/** What is filled in for maintainer scripts: made where it is missing, never in place of what a package has brought. */
import { expect, test } from 'vitest';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../../abi/stat.ts';
import { FileTree } from '../../../fs/tar/tree.ts';
import { complete } from './complete.ts';
import { textOf } from './contents.ts';

const MTIME = 1_700_000_000;

const completed = (files: Readonly<Record<string, string>>): FileTree => {
  const tree = new FileTree();
  tree.add('usr/bin', { mode: S_IFDIR | 0o755 });
  tree.add('bin', { mode: S_IFLNK | 0o777, target: 'usr/bin' });
  for (const [path, text] of Object.entries(files)) tree.add(path, { mode: S_IFREG | 0o755, bytes: Buffer.from(text) });
  complete(tree, MTIME);
  return tree;
};
const text = (tree: FileTree, path: string): string => textOf(tree.find(path)!);

test('accounts come from base-passwd, with a user and the shell there is', () => {
  const tree = completed({
    'usr/bin/bash': '',
    'usr/share/base-passwd/passwd.master':
      'root:*:0:0:root:/root:/bin/sh\nmail:*:8:8:mail:/var/mail:/usr/sbin/nologin\n',
    'usr/share/base-passwd/group.master': 'root:*:0:\nmail:*:8:\n',
  });
  expect(text(tree, 'etc/passwd')).toBe(
    'root:x:0:0:root:/root:/bin/bash\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\nuser:x:1000:1000:user:/home/user:/bin/bash\n',
  );
  expect(text(tree, 'etc/group')).toBe('root:x:0:\nmail:x:8:\nuser:x:1000:\n');
  expect(text(tree, 'etc/shadow')).toMatch(/^root:\*:\d+:0:99999:7:::\nmail:\*/);
  expect(tree.find('etc/shadow')).toMatchObject({ mode: S_IFREG | 0o640, gid: 42, mtime: MTIME });
  expect(tree.find('home/user')).toMatchObject({ mode: S_IFDIR | 0o755, uid: 1000, gid: 1000 });
  expect(tree.find('tmp')!.mode).toBe(S_IFDIR | 0o1777);
});

test('alternatives are links to the best there is, and sh is some shell', () => {
  const tree = completed({
    'usr/bin/mawk': 'm',
    'usr/bin/nano': 'n',
    'usr/bin/vim.basic': 'v',
    'usr/bin/mksh': 'k',
    'usr/bin/which': '',
  });
  expect(text(tree, 'bin/awk')).toBe('m');
  expect(tree.find('usr/bin/awk', false)!.target).toBe('/etc/alternatives/awk');
  expect([text(tree, 'bin/editor'), text(tree, 'bin/vi'), text(tree, 'bin/sh')]).toEqual(['n', 'v', 'k']);
  expect(tree.find('etc/alternatives/which', false)).toBeUndefined();
  expect(tree.find('bin/cc', false)).toBeUndefined();
});

test('what is there stays', () => {
  const tree = completed({ 'usr/bin/sh': 'own', 'etc/passwd': 'own', 'etc/nsswitch.conf': 'own', 'usr/bin/dash': '' });
  expect([text(tree, 'bin/sh'), text(tree, 'etc/passwd'), text(tree, 'etc/nsswitch.conf')]).toEqual([
    'own',
    'own',
    'own',
  ]);
});

test('the zone, PAM and certificates where their packages are', () => {
  const tree = completed({
    'usr/share/zoneinfo/Etc/UTC': 'TZif',
    'etc/pam.d/su': '',
    'usr/share/ca-certificates/mozilla/b.crt': 'B\n',
    'usr/share/ca-certificates/mozilla/a.crt': 'A\n',
  });
  expect([text(tree, 'etc/localtime'), text(tree, 'etc/timezone')]).toEqual(['TZif', 'Etc/UTC\n']);
  expect(text(tree, 'etc/pam.d/common-auth')).toContain('pam_unix.so');
  expect(text(tree, 'etc/ssl/certs/ca-certificates.crt')).toBe('A\nB\n');
  const without = completed({});
  expect(['etc/localtime', 'etc/pam.d/common-auth', 'etc/ssl'].map((path) => without.find(path, false))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
