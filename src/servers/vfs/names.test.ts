/** Names, links, renames, permissions: path_resolution(7), rename(2), inode(7). */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../abi/errno.ts';
import * as f from '../../abi/fcntl.ts';
import { VfsMachine } from './testing/machine.ts';
import { User } from './testing/user.ts';

let machine: VfsMachine;
let root: User;
let user: User;
let other: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(5);
  machine.process(6, { uid: 1000, gid: 1000, groups: [50] });
  machine.process(7, { uid: 2000, gid: 2000 });
  root = new User(machine, 5);
  user = new User(machine, 6);
  other = new User(machine, 7);
});

describe('directories', () => {
  it('are made and removed', () => {
    expect(user.mkdir('/tmp/d', 0o777)).toBe(0);
    expect(user.attributes('/tmp/d')).toMatchObject({ mode: 0o040755, nlink: 2, uid: 1000 });
    expect(user.mkdir('/tmp/d')).toBe(e.EEXIST);
    expect(user.mkdir('/tmp/none/d')).toBe(e.ENOENT);
    expect(user.mkdir('/tmp/d/e/')).toBe(0);
    expect(user.attributes('/tmp/d').nlink).toBe(3);
    expect(user.rmdir('/tmp/d')).toBe(e.ENOTEMPTY);
    expect(user.rmdir('/tmp/d/.')).toBe(e.EINVAL);
    expect(user.rmdir('/tmp/d/e/..')).toBe(e.ENOTEMPTY);
    expect(user.unlink('/tmp/d/e')).toBe(e.EISDIR);
    expect(user.rmdir('/tmp/d/e')).toBe(0);
    expect(user.rmdir('/tmp/d')).toBe(0);
    expect(user.stat('/tmp/d')).toBe(e.ENOENT);
    expect(root.rmdir('/')).toBe(e.EBUSY);
    expect(root.rmdir('/proc')).toBe(e.EBUSY);
  });

  it('are listed in pieces, and go on where they were while entries come and go', () => {
    user.mkdir('/tmp/d');
    const names = Array.from({ length: 50 }, (_, i) => `file${i}`);
    for (const name of names) user.put(`/tmp/d/${name}`, '');
    expect(user.list('/tmp/d', 100)).toEqual(['.', '..', ...names]);
    const fd = user.fd('/tmp/d', f.O_DIRECTORY);
    const bytes = new Uint8Array(24 + 24 + 32);
    const request = { fd, buf: machine.grant(bytes), wide: true };
    expect(machine.call('getdents', 6, request)).toEqual({ result: 80 });
    user.unlink('/tmp/d/file0');
    user.unlink('/tmp/d/file1');
    expect(machine.call('getdents', 6, request)).toEqual({ result: 64 });
    expect(String.fromCharCode(...bytes.subarray(19, 24))).toBe('file2');
    expect(machine.call('getdents', 6, { ...request, buf: machine.grant(new Uint8Array(20)) })).toBe(e.EINVAL);
    const file = user.fd('/tmp/d/file3');
    expect(machine.call('getdents', 6, { ...request, fd: file })).toBe(e.ENOTDIR);
  });

  it('give and take the group of a set-group-id directory', () => {
    root.mkdir('/shared');
    root.chown('/shared', 0, 50);
    root.chmod('/shared', 0o2777);
    user.put('/shared/f', '');
    user.mkdir('/shared/d');
    expect(user.attributes('/shared/f')).toMatchObject({ gid: 50, mode: 0o100644 });
    expect(user.attributes('/shared/d')).toMatchObject({ gid: 50, mode: 0o042755 });
  });

  it('that were removed stay usable as working directory, and are gone', () => {
    user.mkdir('/tmp/d');
    user.chdir('/tmp/d');
    user.rmdir('/tmp/d');
    expect(user.getcwd()).toBe(e.ENOENT);
    expect(user.open('x', f.O_CREAT | f.O_WRONLY)).toBe(e.ENOENT);
    expect(user.stat('.')).toMatchObject({ nlink: 0 });
    expect(user.chdir('..')).toBe(0);
    expect(user.getcwd()).toBe('/tmp');
  });
});

describe('paths', () => {
  it('follow links in the middle and at the end', () => {
    user.mkdir('/tmp/a');
    user.put('/tmp/a/f', 'content');
    user.symlink('a', '/tmp/rel');
    user.symlink('/tmp/rel/f', '/tmp/abs');
    expect(user.get('/tmp/rel/f')).toBe('content');
    expect(user.get('/tmp/abs')).toBe('content');
    expect(user.get('/tmp/rel/../abs')).toBe('content');
    expect(user.readlink('/tmp/abs')).toBe('/tmp/rel/f');
    expect(user.readlink('/tmp/abs', 4)).toBe('/tmp');
    expect(user.readlink('/tmp/a')).toBe(e.EINVAL);
    expect(user.lstat('/tmp/rel')).toMatchObject({ mode: 0o120777, size: 1 });
    expect(user.lstat('/tmp/rel/')).toMatchObject({ mode: 0o040755 });
    expect(user.symlink('', '/tmp/empty')).toBe(e.ENOENT);
    expect(user.symlink('x', '/tmp/rel')).toBe(e.EEXIST);
    expect(user.open('/tmp/rel', f.O_NOFOLLOW)).toBe(e.ELOOP);
    expect(user.open('/tmp/new', f.O_CREAT | f.O_WRONLY)).not.toBeInstanceOf(e.Errno);
    user.symlink('made', '/tmp/dangling');
    user.put('/tmp/dangling', 'through');
    expect(user.get('/tmp/made')).toBe('through');
  });

  it('follow 40 links and no more', () => {
    user.put('/tmp/l0', 'x');
    for (let i = 1; i <= 41; i++) user.symlink(`l${i - 1}`, `/tmp/l${i}`);
    expect(user.get('/tmp/l40')).toBe('x');
    expect(user.get('/tmp/l41')).toBe(e.ELOOP);
  });

  it('end at the root, also a changed one', () => {
    root.mkdir('/jail');
    root.mkdir('/jail/in');
    root.put('/jail/f', 'inside');
    root.symlink('/f', '/jail/link');
    expect(root.getcwd()).toBe('/');
    expect(user.chroot('/jail')).toBe(e.EPERM);
    expect(root.chdir('/jail/in')).toBe(0);
    expect(root.chroot('/jail')).toBe(0);
    expect(root.get('/../../f')).toBe('inside');
    expect(root.get('/link')).toBe('inside');
    expect(root.getcwd()).toBe('/in');
    expect(root.getcwd(2)).toBe(e.ERANGE);
    expect(root.stat('/jail')).toBe(e.ENOENT);
  });

  it('need search permission on every directory', () => {
    user.mkdir('/tmp/closed', 0o700);
    user.put('/tmp/closed/f', 'secret', 0o666);
    expect(other.stat('/tmp/closed/f')).toBe(e.EACCES);
    expect(other.chdir('/tmp/closed')).toBe(e.EACCES);
    expect(other.list('/tmp/closed')).toBe(e.EACCES);
    expect(root.get('/tmp/closed/f')).toBe('secret');
  });
});

describe('links', () => {
  it('share an inode until the last is gone', () => {
    user.put('/tmp/a', 'x');
    expect(user.link('/tmp/a', '/tmp/b')).toBe(0);
    expect(user.attributes('/tmp/a')).toMatchObject({ nlink: 2, ino: user.attributes('/tmp/b').ino });
    expect(user.link('/tmp/a', '/tmp/b')).toBe(e.EEXIST);
    expect(user.link('/tmp', '/tmp/c')).toBe(e.EPERM);
    expect(user.link('/tmp/a', '/proc/x')).toBe(e.EXDEV);
    expect(other.link('/tmp/a', '/tmp/c')).toBe(e.EPERM);
    user.unlink('/tmp/a');
    expect(user.get('/tmp/b')).toBe('x');
  });

  it('keep an open file alive when they are gone, and free it then', () => {
    const fd = user.fd('/tmp/f', f.O_CREAT | f.O_RDWR);
    user.write(fd, 'still here');
    user.unlink('/tmp/f');
    expect(user.fstat(fd)).toMatchObject({ nlink: 0 });
    expect(user.pread(fd, 20, 0)).toBe('still here');
    const { ino } = user.fstat(fd) as { ino: number };
    user.close(fd);
    expect(machine.store.table('fs1:inode').has(ino)).toBe(false);
    expect(machine.store.contents('fs1:data').allocated(ino)).toBe(0);
    expect(machine.store.table('vfs:held').size).toBe(0);
  });

  it('are made from symbolic links themselves unless told to follow', () => {
    user.put('/tmp/f', '');
    user.symlink('f', '/tmp/s');
    user.link('/tmp/s', '/tmp/hard');
    expect(user.readlink('/tmp/hard')).toBe('f');
    user.link('/tmp/s', '/tmp/followed', f.AT_SYMLINK_FOLLOW);
    expect(user.attributes('/tmp/f').nlink).toBe(2);
  });
});

describe('rename', () => {
  it('replaces what is there', () => {
    user.put('/tmp/a', 'A');
    user.put('/tmp/b', 'B');
    expect(user.rename('/tmp/a', '/tmp/b')).toBe(0);
    expect(user.get('/tmp/b')).toBe('A');
    expect(user.stat('/tmp/a')).toBe(e.ENOENT);
    expect(user.rename('/tmp/b', '/tmp/b')).toBe(0);
    user.link('/tmp/b', '/tmp/c');
    expect(user.rename('/tmp/b', '/tmp/c')).toBe(0);
    expect(user.attributes('/tmp/b').nlink).toBe(2);
  });

  it('moves directories, but not into themselves', () => {
    user.mkdir('/tmp/d');
    user.mkdir('/tmp/d/sub');
    user.mkdir('/tmp/e');
    user.put('/tmp/f', '');
    expect(user.rename('/tmp/d', '/tmp/d/sub/x')).toBe(e.EINVAL);
    expect(user.rename('/tmp/d', '/tmp/f')).toBe(e.ENOTDIR);
    expect(user.rename('/tmp/f', '/tmp/d')).toBe(e.EISDIR);
    expect(user.rename('/tmp/e', '/tmp/d')).toBe(e.ENOTEMPTY);
    expect(user.rename('/tmp/d/sub', '/tmp/d')).toBe(e.ENOTEMPTY);
    expect(user.rename('/tmp/d', '/tmp/e')).toBe(0);
    expect(user.list('/tmp/e')).toEqual(['.', '..', 'sub']);
    expect(user.rename('/tmp/e/sub', '/tmp/sub')).toBe(0);
    user.chdir('/tmp/sub');
    expect(user.getcwd()).toBe('/tmp/sub');
    expect(user.attributes('/tmp/e').nlink).toBe(2);
    expect(user.rename('/tmp/e/.', '/tmp/g')).toBe(e.EBUSY);
    expect(user.rename('/tmp/none', '/tmp/g')).toBe(e.ENOENT);
    expect(user.rename('/tmp/f', '/proc/f')).toBe(e.EXDEV);
    expect(user.rename('/tmp/f', '/tmp/g/')).toBe(e.ENOTDIR);
  });

  it('exchanges, or refuses to replace', () => {
    user.put('/tmp/a', 'A');
    user.mkdir('/tmp/d');
    user.mkdir('/tmp/d/x');
    expect(user.rename('/tmp/a', '/tmp/d', f.RENAME_NOREPLACE)).toBe(e.EEXIST);
    expect(user.rename('/tmp/a', '/tmp/d', f.RENAME_EXCHANGE)).toBe(0);
    expect(user.get('/tmp/d')).toBe('A');
    expect(user.list('/tmp/a')).toEqual(['.', '..', 'x']);
    expect(user.rename('/tmp/a', '/tmp/none', f.RENAME_EXCHANGE)).toBe(e.ENOENT);
    expect(user.rename('/tmp/a', '/tmp/new', f.RENAME_NOREPLACE)).toBe(0);
    expect(user.rename('/tmp/a', '/tmp/b', 3)).toBe(e.EINVAL);
  });
});

describe('permissions', () => {
  it('sticky directories protect the entries of others', () => {
    user.put('/tmp/mine', '', 0o666);
    expect(other.unlink('/tmp/mine')).toBe(e.EPERM);
    expect(other.rename('/tmp/mine', '/tmp/stolen')).toBe(e.EPERM);
    other.put('/tmp/theirs', '');
    expect(other.rename('/tmp/theirs', '/tmp/mine')).toBe(e.EPERM);
    expect(root.unlink('/tmp/mine')).toBe(0);
  });

  it('look at owner, then group, then others', () => {
    user.put('/tmp/f', 'x');
    root.chown('/tmp/f', 2000, 50);
    root.chmod('/tmp/f', 0o064);
    expect(other.open('/tmp/f')).toBe(e.EACCES);
    expect(user.open('/tmp/f', f.O_RDWR)).not.toBeInstanceOf(e.Errno);
    expect(root.access('/tmp/f', f.R_OK | f.W_OK)).toBe(0);
    expect(root.access('/tmp/f', f.X_OK)).toBe(e.EACCES);
    expect(user.access('/tmp/f', f.R_OK)).toBe(0);
    expect(user.access('/tmp/f', f.X_OK)).toBe(e.EACCES);
    expect(user.access('/tmp/none', f.F_OK)).toBe(e.ENOENT);
    expect(user.access('/tmp/f', 8)).toBe(e.EINVAL);
  });

  it('access asks for the real ids', () => {
    root.put('/secret', 'x', 0o600);
    machine.change(6, { euid: 0, fsuid: 0 });
    expect(user.get('/secret')).toBe('x');
    expect(user.access('/secret', f.R_OK)).toBe(e.EACCES);
    expect(user.access('/secret', f.R_OK, f.AT_EACCESS)).toBe(0);
  });

  it('chmod and chown are for the owner, and set-id bits fall', () => {
    user.put('/tmp/f', 'x', 0o755);
    expect(other.chmod('/tmp/f', 0o777)).toBe(e.EPERM);
    expect(user.chmod('/tmp/f', 0o6755)).toBe(0);
    expect(user.attributes('/tmp/f').mode).toBe(0o106755);
    expect(user.chown('/tmp/f', 2000, -1)).toBe(e.EPERM);
    expect(user.chown('/tmp/f', -1, 2000)).toBe(e.EPERM);
    expect(user.chown('/tmp/f', -1, 50)).toBe(0);
    expect(user.attributes('/tmp/f')).toMatchObject({ mode: 0o100755, gid: 50 });
    user.chmod('/tmp/f', 0o4755);
    const fd = user.fd('/tmp/f', f.O_WRONLY);
    user.write(fd, 'changed');
    expect(user.attributes('/tmp/f').mode).toBe(0o100755);
    root.chown('/tmp/f', 1000, 2000);
    user.chmod('/tmp/f', 0o2755);
    expect(user.attributes('/tmp/f').mode).toBe(0o100755);
  });

  it('device nodes are root’s to make, FIFOs anyone’s', () => {
    expect(user.mknod('/tmp/dev', 0o020666, 0x103)).toBe(e.EPERM);
    expect(root.mknod('/tmp/dev', 0o020666, 0x103)).toBe(0);
    expect(root.attributes('/tmp/dev')).toMatchObject({ mode: 0o020644, rdev: 0x103 });
    expect(root.get('/tmp/dev')).toBe('');
    expect(user.mknod('/tmp/fifo', 0o010666)).toBe(0);
    expect(user.mknod('/tmp/x', 0o040666)).toBe(e.EPERM);
  });
});

describe('times', () => {
  it('follow reads, writes and changes of the inode', () => {
    user.put('/tmp/f', 'abc');
    const made = user.attributes('/tmp/f');
    machine.now += 5e9;
    user.get('/tmp/f');
    const read = user.attributes('/tmp/f');
    expect(read.atime - made.atime).toBe(5_000_000_000n);
    expect(read.mtime).toBe(made.mtime);
    machine.now += 5e9;
    user.get('/tmp/f');
    expect(user.attributes('/tmp/f').atime).toBe(read.atime);
    user.chmod('/tmp/f', 0o600);
    const changed = user.attributes('/tmp/f');
    expect(changed.ctime - made.ctime).toBe(10_000_000_000n);
    machine.now += 86_400e9;
    user.get('/tmp/f');
    user.get('/tmp/f');
    expect(user.attributes('/tmp/f').atime > changed.ctime).toBe(true);
  });

  it('are set by utimensat with NOW and OMIT', () => {
    user.put('/tmp/f', '');
    const set = (pid: number, words: bigint[] | null, path = '/tmp/f'): unknown => {
      const times = words === null ? null : machine.grant(new Uint8Array(BigInt64Array.from(words).buffer));
      return machine.call('setTimes', pid, { dirfd: -100, path, times, flags: 0, form: 2 });
    };
    const before = user.attributes('/tmp/f');
    expect(set(6, [11n, 22n, 33n, 0x3ffffffen])).toEqual({ result: 0 });
    expect(user.attributes('/tmp/f')).toMatchObject({ atime: 11_000_000_022n, mtime: before.mtime });
    expect(set(7, [11n, 22n, 33n, 44n])).toBe(e.EPERM);
    expect(set(7, null)).toBe(e.EACCES);
    expect(set(6, [0n, 1_000_000_000n, 0n, 0n])).toBe(e.EINVAL);
    expect(set(6, null)).toEqual({ result: 0 });
    expect(user.attributes('/tmp/f').atime >= before.atime).toBe(true);
  });
});

it('mounts and unmounts, for root only', () => {
  const mount = (pid: number, type: string, target: string, data = '', flags = 0): unknown =>
    machine.call('mount', pid, { source: 'none', target, type, flags, data });
  root.mkdir('/mnt');
  root.put('/mnt/below', 'hidden');
  expect(mount(6, 'tmpfs', '/mnt')).toBe(e.EPERM);
  expect(mount(5, 'ext9', '/mnt')).toBe(e.ENODEV);
  expect(mount(5, 'tmpfs', '/mnt/below')).toBe(e.ENOTDIR);
  expect(mount(5, 'tmpfs', '/mnt', 'size=16k,mode=1777')).toEqual({ result: 0 });
  expect(root.list('/mnt')).toEqual(['.', '..']);
  expect(user.attributes('/mnt').mode).toBe(0o041777);
  expect(user.attributes('/mnt').dev).not.toBe(user.attributes('/').dev);
  const fd = user.fd('/mnt/f', f.O_CREAT | f.O_WRONLY);
  expect(user.write(fd, 'x'.repeat(20_000))).toBe(16_384);
  expect(user.write(fd, 'x')).toBe(e.ENOSPC);
  expect(user.get('/proc/mounts')).toContain('none /mnt tmpfs rw,relatime,size=16k,mode=1777 0 0\n');
  expect(machine.call('unmount', 5, { target: '/mnt', flags: 0 })).toBe(e.EBUSY);
  user.close(fd);
  expect(user.rename('/mnt/f', '/tmp/f')).toBe(e.EXDEV);
  expect(machine.call('unmount', 6, { target: '/mnt', flags: 0 })).toBe(e.EPERM);
  expect(machine.call('unmount', 5, { target: '/tmp', flags: 0 })).toBe(e.EINVAL);
  expect(mount(5, 'tmpfs', '/mnt', '', 32 | 1)).toEqual({ result: 0 });
  expect(user.open('/mnt/g', f.O_CREAT | f.O_WRONLY)).toBe(e.EROFS);
  expect(user.unlink('/mnt/f')).toBe(e.EROFS);
  expect(user.mkdir('/mnt/d')).toBe(e.EROFS);
  expect(machine.call('unmount', 5, { target: '/mnt', flags: 0 })).toEqual({ result: 0 });
  expect(root.get('/mnt/below')).toBe('hidden');
});
