/** /proc as programs read it: proc(5). */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../abi/errno.ts';
import * as f from '../../abi/fcntl.ts';
import { VfsMachine } from '../../servers/vfs/testing/machine.ts';
import { toBytes, User } from '../../servers/vfs/testing/user.ts';

let machine: VfsMachine;
let root: User;
let user: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(1, { name: 'init' });
  machine.process(5);
  machine.process(6, { uid: 1000, gid: 1000, name: 'sh', threads: 1, argumentsStart: 2, argumentsEnd: 8, ppid: 5 });
  machine.memories.set(6, toBytes('..sh\0-c\0'));
  root = new User(machine, 5);
  user = new User(machine, 6);
});

it('lists processes and the system’s files, with inode numbers that stay', () => {
  const names = root.list('/proc', 200) as string[];
  expect(names.slice(-3)).toEqual(['1', '5', '6']);
  expect(names).toEqual(expect.arrayContaining(['self', 'meminfo', 'uptime', 'mounts', 'sys']));
  expect(new Set(names).size).toBe(names.length);
  expect(root.attributes('/proc/6')).toMatchObject({ uid: 1000, gid: 1000, mode: 0o040555 });
  expect(root.attributes('/proc/6').ino).toBe(root.attributes('/proc/6').ino);
  expect(root.attributes('/proc/6/fd/..').ino).toBe(root.attributes('/proc/6').ino);
  expect(root.stat('/proc/99')).toBe(e.ENOENT);
  expect(root.stat('/proc/06')).toBe(e.ENOENT);
  expect(root.open('/proc/x', f.O_CREAT | f.O_WRONLY)).toBe(e.ENOENT);
  for (const name of names) expect(root.lstat(`/proc/${name}`), name).not.toBeInstanceOf(e.Errno);
});

it('reads every file', () => {
  const visit = (path: string): void => {
    for (const name of root.list(path) as string[]) {
      if (name === '.' || name === '..') continue;
      const below = `${path}/${name}`;
      // The descriptor that listed the directory is closed by now.
      if (/5\/fd(info)?\/1$/.test(below)) continue;
      const { mode } = root.lstat(below) as { mode: number };
      if ((mode & 0o170000) === 0o040000) visit(below);
      else if ((mode & 0o170000) === 0o100000) expect(root.get(below), below).toBeTypeOf('string');
      else expect(root.readlink(below), below).toBeTypeOf('string');
    }
  };
  machine.mappings.set(5, [
    {
      start: 0x400000,
      end: 0x401000,
      protection: 5,
      backing: { kind: 'file', object: (1 << 20) + 7, offset: 0 },
      name: '/bin/test',
    },
    { start: 0x10000000, end: 0x10002000, protection: 3, backing: { kind: 'zero' }, name: '[heap]' },
    { start: 0x70000000, end: 0x70001000, protection: 3, backing: { kind: 'zero' }, name: '' },
  ]);
  root.fd('/tmp');
  visit('/proc');
});

it('describes a process in stat, with 52 fields', () => {
  machine.change(6, { name: 'a b) c', state: 'S', userTime: 1.5e9, nice: 5, pending: 1n << 40n, blocked: 6n });
  const text = user.get('/proc/self/stat') as string;
  expect(text.startsWith('6 (a b) c) S 5 6 6 0 -1 ')).toBe(true);
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
  expect(fields).toHaveLength(50);
  expect([fields[11], fields[15], fields[16], fields[17]]).toEqual(['150', '25', '5', '1']);
  expect([fields[28], fields[29]]).toEqual(['0', '6']);
});

it('describes it in status', () => {
  const lines = (user.get('/proc/self/status') as string).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining(['Name:\tsh', 'Umask:\t0022', 'State:\tR (running)', 'Pid:\t6', 'PPid:\t5']),
  );
  expect(lines).toContain('Uid:\t1000\t1000\t1000\t1000');
  expect(lines).toContain('VmSize:\t       0 kB');
  expect(lines).toContain('SigBlk:\t0000000000000000');
});

it('gives arguments, maps, limits and mounts', () => {
  expect(user.get('/proc/self/cmdline')).toBe('sh\0-c\0');
  expect(user.get('/proc/1/cmdline')).toBe('');
  machine.mappings.set(6, [
    {
      start: 0x400000,
      end: 0x401000,
      protection: 5,
      backing: { kind: 'file', object: (1 << 20) + 7, offset: 4096 },
      name: '/bin/busybox',
    },
    { start: 0x10000000, end: 0x10002000, protection: 3, backing: { kind: 'zero' }, name: '[heap]' },
    { start: 0x7fff00000000, end: 0x7fff00001000, protection: 3, backing: { kind: 'zero' }, name: '' },
  ]);
  expect(user.get('/proc/self/maps')).toBe(
    '00400000-00401000 r-xp 00001000 00:01 7 '.padEnd(73) +
      '/bin/busybox\n' +
      '10000000-10002000 rw-p 00000000 00:00 0 '.padEnd(73) +
      '[heap]\n' +
      '7fff00000000-7fff00001000 rw-p 00000000 00:00 0 \n',
  );
  const limits = (user.get('/proc/self/limits') as string).split('\n');
  expect(limits[0]).toBe('Limit                     Soft Limit           Hard Limit           Units     ');
  expect(limits[8]).toBe('Max open files            unlimited            unlimited            files     ');
  expect(user.get('/proc/mounts')).toBe(
    'root / tmpfs rw,relatime,mode=755 0 0\n' +
      'devtmpfs /dev devtmpfs rw,nosuid,relatime 0 0\n' +
      'proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n' +
      'devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666 0 0\n' +
      'mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime 0 0\n',
  );
  expect((user.get('/proc/self/mountinfo') as string).split('\n')[1]).toBe(
    '6 1 0:6 / /dev rw,nosuid,relatime - devtmpfs devtmpfs rw',
  );
});

it('describes the system', () => {
  expect(user.get('/proc/uptime')).toMatch(/^1\.00 0\.00\n$/);
  expect(user.get('/proc/loadavg')).toBe('0.00 0.00 0.00 1/3 5\n');
  expect(user.get('/proc/meminfo')).toMatch(/^MemTotal: {10}65536 kB\nMemFree: {11}32768 kB\n/);
  expect(user.get('/proc/stat')).toMatch(/^cpu {2}0 0 0 0 0 0 0 0 0 0\ncpu0 /);
  expect(user.get('/proc/sys/kernel/hostname')).toBe('xinim\n');
  expect(user.get('/proc/sys/kernel/random/uuid')).toMatch(
    /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}\n$/,
  );
  expect(user.get('/proc/filesystems')).toContain('nodev\ttmpfs\n');
  expect(String(user.get('/proc/xinim/servers')).split('\n')[1]).toMatch(
    /^vfs +2 +up +7 +1 +1 +0 +0 +0\.001500 open: Error: a b$/,
  );
  expect(user.get('/proc/xinim/restarts')).toBe('0.001500 vfs 2 us open: Error: a b\n');
});

describe('links', () => {
  it('lead to the caller, its directory and its files', () => {
    user.chdir('/tmp');
    expect(user.readlink('/proc/self')).toBe('6');
    expect(user.readlink('/proc/thread-self')).toBe('6/task/6');
    expect(user.readlink('/proc/self/cwd')).toBe('/tmp');
    expect(user.readlink('/proc/self/exe')).toBe('/bin/test');
    expect(user.attributes('/proc/self/cwd').ino).toBe(user.attributes('/tmp').ino);
    user.put('/tmp/f', 'text');
    const fd = user.fd('/tmp/f');
    expect(user.lstat(`/proc/self/fd/${fd}`)).toMatchObject({ mode: 0o120500 });
    expect(user.readlink(`/proc/self/fd/${fd}`)).toBe('/tmp/f');
    user.rename('/tmp/f', '/tmp/g');
    expect(user.readlink(`/proc/self/fd/${fd}`)).toBe('/tmp/g');
    user.unlink('/tmp/g');
    expect(user.readlink(`/proc/self/fd/${fd}`)).toBe('/tmp/f (deleted)');
    expect(user.get(`/dev/fd/${fd}`)).toBe('text');
    expect(user.get(`/proc/self/fdinfo/${fd}`)).toMatch(/^pos:\t0\nflags:\t0100000\nmnt_id:\t1\nino:\t\d+\n$/);
  });

  it('are closed to other users', () => {
    machine.process(7, { uid: 2000 });
    const other = new User(machine, 7);
    expect(other.readlink('/proc/6/cwd')).toBe(e.EACCES);
    expect(other.list('/proc/6/fd')).toBe(e.EACCES);
    expect(other.open('/proc/6/environ')).toBe(e.EACCES);
    expect(other.get('/proc/6/comm')).toBe('sh\n');
    expect(root.readlink('/proc/6/cwd')).toBe('/');
  });
});

it('lets root set what is a setting, and nobody anything else', () => {
  expect(root.get('/proc/sys/kernel/core_pattern')).toBe('core\n');
  expect(root.put('/proc/sys/kernel/core_pattern', '/cores/%e.%p\n')).not.toBeInstanceOf(e.Errno);
  expect(user.get('/proc/sys/kernel/core_pattern')).toBe('/cores/%e.%p\n');
  expect(user.open('/proc/sys/kernel/core_pattern', f.O_WRONLY)).toBe(e.EACCES);
  const fd = root.open('/proc/sys/kernel/core_uses_pid', f.O_WRONLY) as number;
  expect(root.write(fd, 'x')).toBe(e.EINVAL);
  expect(root.write(fd, '1\n')).toBe(2);
  expect(root.get('/proc/sys/kernel/core_uses_pid')).toBe('1\n');
  const other = root.open('/proc/sys/kernel/ostype', f.O_WRONLY) as number;
  expect(root.write(other, 'x')).toBe(e.EPERM);
});
