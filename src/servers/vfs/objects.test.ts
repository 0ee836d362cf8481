/** Programs and mappings, populate, host mounts, copying between files. */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../abi/errno.ts';
import * as f from '../../abi/fcntl.ts';
import { MemoryDirectory } from '../../fs/host/testing/memory-directory.ts';
import type { PopulateEntry } from '../../fs/populate.ts';
import { VfsMachine } from './testing/machine.ts';
import { toBytes, toText, User } from './testing/user.ts';

let machine: VfsMachine;
let root: User;
let user: User;
const host = new MemoryDirectory(() => ({ seconds: 1, nanoseconds: 0 }));

beforeEach(() => {
  machine = new VfsMachine((source) => (source === 'shared' ? host : undefined));
  machine.process(5);
  machine.process(6, { uid: 1000, gid: 1000 });
  root = new User(machine, 5);
  user = new User(machine, 6);
});

const executable = (path: string, pid = 6): e.Errno | { object: number; setuid: number; path: string; size: number } =>
  machine.call('openExecutable', 0, { pid, dirfd: f.AT_FDCWD, path, flags: 0 }) as never;

describe('programs', () => {
  it('need to be regular, executable files', () => {
    root.put('/prog', '#!', 0o755);
    root.put('/text', 'x', 0o644);
    root.symlink('/prog', '/link');
    expect(executable('/link')).toMatchObject({ size: 2, setuid: -1, setgid: -1, path: '/prog', readable: true });
    expect(executable('/text')).toBe(e.EACCES);
    expect(executable('/tmp')).toBe(e.EACCES);
    expect(executable('/none')).toBe(e.ENOENT);
    expect(executable('/text', 5)).toBe(e.EACCES);
    root.chmod('/prog', 0o6711);
    root.chown('/prog', 7, 8);
    root.chmod('/prog', 0o6711);
    expect(executable('/prog')).toMatchObject({ setuid: 7, setgid: 8, readable: false });
  });

  it('cannot be written while they run, nor run while they are written', () => {
    root.put('/prog', 'code', 0o755);
    const { object } = executable('/prog') as { object: number };
    expect(root.open('/prog', f.O_WRONLY)).toBe(e.ETXTBSY);
    expect(root.truncate('/prog', 0)).toBe(e.ETXTBSY);
    root.unlink('/prog');
    const into = new Uint8Array(10);
    expect(machine.call('readObject', 0, { object, offset: 1, buf: machine.grant(into) })).toEqual({ result: 3 });
    expect(toText(into.subarray(0, 3))).toBe('ode');
    machine.call('releaseObject', 0, { object });
    expect(machine.call('readObject', 0, { object, offset: 0, buf: machine.grant(into) })).toBe(e.EBADF);
    expect(machine.store.table('vfs:held').size).toBe(0);
    root.put('/prog', 'new', 0o755);
    const fd = root.fd('/prog', f.O_WRONLY);
    expect(executable('/prog')).toBe(e.ETXTBSY);
    root.close(fd);
    expect(executable('/prog')).toMatchObject({ size: 3 });
  });
});

describe('mappings', () => {
  const map = (fd: number, protection: number, shared: boolean) =>
    machine.call('mapFile', 0, { pid: 6, fd, protection, shared });

  it('ask for the access mode that they need', () => {
    user.put('/tmp/f', 'mapped');
    const read = user.fd('/tmp/f');
    const write = user.fd('/tmp/f', f.O_WRONLY);
    expect(map(read, 1, false)).toMatchObject({ size: 6, path: '/tmp/f', zero: false });
    expect(map(read, 3, false)).toMatchObject({ size: 6 });
    expect(map(read, 3, true)).toBe(e.EACCES);
    expect(map(write, 1, false)).toBe(e.EACCES);
    expect(map(99, 1, false)).toBe(e.EBADF);
    expect(map(user.fd('/tmp'), 1, false)).toBe(e.ENODEV);
    expect(map(user.fd('/dev/zero', f.O_RDWR), 3, true)).toMatchObject({ zero: true });
  });

  it('see writes, and write back without growing the file', () => {
    const fd = user.fd('/tmp/f', f.O_RDWR | f.O_CREAT);
    user.write(fd, 'before');
    const { object, version } = map(fd, 3, true) as { object: number; version: number };
    user.pwrite(fd, 'X', 2);
    expect(machine.invalidated).toEqual([[object, 2, 1]]);
    expect((map(fd, 3, true) as { version: number }).version).not.toBe(version);
    const page = new Uint8Array(4096).fill(0x79);
    expect(machine.call('writeObject', 0, { object, offset: 4, buf: machine.grant(page) })).toEqual({ result: 2 });
    expect(user.get('/tmp/f')).toBe('beXoyy');
    user.close(fd);
    user.unlink('/tmp/f');
    expect(machine.call('readObject', 0, { object, offset: 0, buf: machine.grant(page) })).toEqual({ result: 6 });
    machine.call('exitProcess', 0, { pid: 6 });
    machine.call('releaseObject', 0, { object });
    expect(machine.store.table('vfs:held').size).toBe(0);
  });
});

describe('populate', () => {
  it('fills the root in one message', () => {
    const entries: PopulateEntry[] = [
      { path: '/bin', type: 'directory', mode: 0o755 },
      { path: '/bin/busybox', type: 'file', mode: 0o755, data: toBytes('ELF'), mtime: 1234 },
      { path: '/bin/sh', type: 'link', mode: 0, target: '/bin/busybox' },
      { path: '/tmp', type: 'directory', mode: 0o1777 },
      { path: '/a/b/c', type: 'symlink', mode: 0o777, target: '../x' },
      { path: '/home/me', type: 'directory', mode: 0o700, uid: 1000, gid: 1000 },
      { path: '/dev/extra', type: 'character', mode: 0o600, rdev: 0x103 },
      { path: '/pipe', type: 'fifo', mode: 0o644 },
    ];
    expect(machine.populate(entries)).toEqual({ result: 0 });
    expect(root.attributes('/bin/sh')).toMatchObject({ nlink: 2, mode: 0o100755, mtime: 1_234_000_000_000n });
    expect(root.get('/bin/sh')).toBe('ELF');
    expect(root.readlink('/a/b/c')).toBe('../x');
    expect(root.attributes('/home/me')).toMatchObject({ uid: 1000, mode: 0o040700 });
    expect(root.attributes('/dev/extra')).toMatchObject({ rdev: 0x103, mode: 0o020600 });
    expect(root.attributes('/tmp').mode).toBe(0o041777);
    expect(machine.populate([{ path: '/bin/busybox', type: 'file', mode: 0o700, data: toBytes('new') }])).toEqual({
      result: 0,
    });
    expect(root.get('/bin/sh')).toBe('new');
    expect(machine.populate([{ path: '/x', type: 'link', mode: 0, target: '/none' }])).toBe(e.ENOENT);
    expect(machine.populate([{ path: 'relative', type: 'file', mode: 0 }])).toBe(e.EINVAL);
  });

  it('is the kernel’s alone, and refuses broken records', () => {
    const entries = machine.grant(new Uint8Array(7));
    expect(machine.call('populate', 5, { entries, data: null })).toBe(e.EPERM);
    expect(machine.call('populate', 0, { entries, data: null })).toBe(e.EINVAL);
  });
});

describe('requests of the kernel itself', () => {
  it('open files as root, with numbers of their own', () => {
    const kernel = new User(machine, 0);
    kernel.put('/made', 'by the host', 0o600);
    expect(kernel.get('/made')).toBe('by the host');
    expect(root.attributes('/made')).toMatchObject({ uid: 0, mode: 0o100600 });
    const fd = kernel.fd('/made');
    expect(kernel.close(fd)).toBe(0);
    expect(kernel.close(fd)).toBe(e.EBADF);
    expect(kernel.chdir('/tmp')).toBe(e.EPERM);
  });
});

describe('directories of the host', () => {
  const mount = (flags: number) =>
    machine.call('mount', 5, { source: 'shared', target: '/mnt', type: 'host', flags, data: undefined });

  beforeEach(() => void root.mkdir('/mnt'));

  it('are mounted, written, and never left', () => {
    host.root.children.clear();
    host.asked.length = 0;
    expect(machine.call('mount', 5, { source: 'other', target: '/mnt', type: 'host', flags: 0, data: undefined })).toBe(
      e.ENODEV,
    );
    expect(mount(0)).toEqual({ result: 0 });
    root.mkdir('/mnt/d');
    root.put('/mnt/d/f', 'text');
    root.put('/secret', 'guest');
    root.symlink('/secret', '/mnt/d/abs');
    root.symlink('../../../../../secret', '/mnt/d/rel');
    expect(root.list('/mnt/d')).toEqual(['.', '..', 'abs', 'f', 'rel']);
    expect(root.get('/mnt/d/abs')).toBe('guest');
    expect(root.get('/mnt/d/rel')).toBe('guest');
    expect(root.attributes('/mnt/..').ino).toBe(root.attributes('/').ino);
    root.rename('/mnt/d/f', '/mnt/g');
    expect(root.get('/mnt/g')).toBe('text');
    expect(root.mknod('/mnt/dev', 0o020666, 0x103)).toBe(e.EPERM);
    expect(host.asked.some((path) => path.startsWith('/') || path.split('/').includes('..'))).toBe(false);
  });

  it('are read-only when mounted so', () => {
    expect(mount(1)).toEqual({ result: 0 });
    expect(root.open('/mnt/new', f.O_CREAT | f.O_WRONLY)).toBe(e.EROFS);
    expect(root.mkdir('/mnt/new')).toBe(e.EROFS);
    host.readOnly = true;
    expect(root.chmod('/mnt', 0o700)).toBe(e.EROFS);
    host.readOnly = false;
  });
});

describe('copying', () => {
  it('sendfile goes to pipes and files, with and without an offset', () => {
    root.put('/in', '0123456789');
    const input = root.fd('/in');
    const output = root.fd('/out', f.O_CREAT | f.O_RDWR);
    const send = (infd: number, outfd: number, count: number, offset?: Uint8Array): unknown =>
      machine.call('sendfile', 5, { outfd, infd, count, offset: offset === undefined ? null : machine.grant(offset) });
    expect(send(input, output, 4)).toEqual({ result: 4 });
    const at = new Uint8Array(BigInt64Array.of(8n).buffer);
    expect(send(input, output, 99, at)).toEqual({ result: 2 });
    expect(new BigInt64Array(at.buffer)[0]).toBe(10n);
    expect(root.read(input, 1)).toBe('4');
    expect(root.get('/out')).toBe('012389');
    const [r, w] = root.pipe();
    expect(send(input, w, 99)).toEqual({ result: 5 });
    expect(root.read(r, 99)).toBe('56789');
    expect(send(r, output, 1)).toBe(e.EINVAL);
    expect(send(output, input, 1)).toBe(e.EBADF);
  });

  it('copy_file_range copies between files and refuses to overlap', () => {
    root.put('/in', '0123456789');
    const fd = root.fd('/in', f.O_RDWR);
    const out = root.fd('/out', f.O_CREAT | f.O_RDWR);
    const range = (infd: number, outfd: number, length: number): unknown =>
      machine.call('copyRange', 5, { infd, inoffset: null, outfd, outoffset: null, length, flags: 0 });
    expect(range(fd, out, 3)).toEqual({ result: 3 });
    expect(range(fd, out, 99)).toEqual({ result: 7 });
    expect(root.get('/out')).toBe('0123456789');
    root.lseek(fd, 0, f.SEEK_SET);
    const other = root.fd('/in', f.O_RDWR);
    expect(range(fd, other, 5)).toBe(e.EINVAL);
  });

  it('fallocate grows, keeps the size, and punches holes', () => {
    const fd = root.fd('/f', f.O_CREAT | f.O_RDWR);
    const allocate = (mode: number, offset: number, length: number): unknown =>
      machine.call('allocate', 5, { fd, mode, offset, length });
    root.write(fd, 'x'.repeat(10_000));
    expect(allocate(0, 0, 20_000)).toEqual({ result: 0 });
    expect(allocate(f.FALLOC_FL_KEEP_SIZE, 0, 90_000)).toEqual({ result: 0 });
    expect(root.fstat(fd)).toMatchObject({ size: 20_000 });
    expect(allocate(f.FALLOC_FL_PUNCH_HOLE | f.FALLOC_FL_KEEP_SIZE, 1, 9_998)).toEqual({ result: 0 });
    expect((root.get('/f') as string).replaceAll('\0', '')).toBe('xx');
    expect(allocate(0, -1, 1)).toBe(e.EINVAL);
    expect(allocate(99, 0, 1)).toBe(e.EOPNOTSUPP);
  });
});

it('devices behave as Linux’s', () => {
  const read = (path: string, length = 4): string | e.Errno => user.read(user.fd(path, f.O_RDWR), length);
  expect(read('/dev/null')).toBe('');
  expect(read('/dev/zero')).toBe('\0\0\0\0');
  expect(read('/dev/full')).toBe('\0\0\0\0');
  expect(read('/dev/urandom')).toHaveLength(4);
  expect(user.write(user.fd('/dev/full', f.O_RDWR), 'x')).toBe(e.ENOSPC);
  expect(user.write(user.fd('/dev/null', f.O_RDWR), 'x')).toBe(1);
  expect(user.attributes('/dev/null')).toMatchObject({ rdev: 0x103, mode: 0o020666 });
  expect(user.readlink('/dev/stdin')).toBe('/proc/self/fd/0');
  root.mknod('/dev/odd', 0o020666, 0x7777);
  expect(root.open('/dev/odd')).toBe(e.ENXIO);
});
