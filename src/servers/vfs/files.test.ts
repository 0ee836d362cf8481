/** Opening, reading, writing, seeking and closing: the reference's file I/O, and the rules of open(2). */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../abi/errno.ts';
import * as f from '../../abi/fcntl.ts';
import { VfsMachine } from './testing/machine.ts';
import { User } from './testing/user.ts';

let machine: VfsMachine;
let root: User;
let user: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(5);
  machine.process(6, { uid: 1000, gid: 1000 });
  root = new User(machine, 5);
  user = new User(machine, 6);
});

describe('open', () => {
  it('test_file_io_end_to_end: writes a file, reads it back', () => {
    const out = user.fd('/tmp/test.txt', f.O_CREAT | f.O_WRONLY, 0o644);
    expect(user.write(out, 'Hello XINIM\n')).toBe(12);
    expect(user.close(out)).toBe(0);
    const input = user.fd('/tmp/test.txt');
    expect(user.read(input, 32)).toBe('Hello XINIM\n');
    expect(user.read(input, 32)).toBe('');
    expect(user.close(input)).toBe(0);
    expect(user.close(input)).toBe(e.EBADF);
  });

  it('gives the lowest free descriptor', () => {
    expect([user.fd('/tmp'), user.fd('/tmp'), user.fd('/tmp')]).toEqual([0, 1, 2]);
    user.close(1);
    expect(user.fd('/tmp')).toBe(1);
  });

  it('answers the errors of open(2)', () => {
    user.put('/tmp/f', 'x');
    user.symlink('loop', '/tmp/loop');
    expect(user.open('/tmp/none')).toBe(e.ENOENT);
    expect(user.open('')).toBe(e.ENOENT);
    expect(user.open('/tmp/f/x')).toBe(e.ENOTDIR);
    expect(user.open('/tmp/f/')).toBe(e.ENOTDIR);
    expect(user.open('/tmp/new/', f.O_CREAT | f.O_WRONLY)).toBe(e.EISDIR);
    expect(user.open('/tmp/f', f.O_CREAT | f.O_EXCL)).toBe(e.EEXIST);
    expect(user.open('/tmp/f', f.O_DIRECTORY)).toBe(e.ENOTDIR);
    expect(user.open('/tmp', f.O_WRONLY)).toBe(e.EISDIR);
    expect(user.open('/tmp/loop')).toBe(e.ELOOP);
    expect(user.open('/tmp/loop', f.O_NOFOLLOW)).toBe(e.ELOOP);
    expect(user.open('/etc2', f.O_CREAT | f.O_WRONLY)).toBe(e.EACCES);
    expect(user.open(`/tmp/${'n'.repeat(256)}`)).toBe(e.ENAMETOOLONG);
    expect(user.open(`/tmp/${'n'.repeat(255)}`)).toBe(e.ENOENT);
    expect(user.open('/./'.repeat(1400))).toBe(e.ENAMETOOLONG);
    expect(user.open('/tmp', f.O_TMPFILE | f.O_RDONLY)).toBe(e.EINVAL);
    expect(user.open('f', 0, 0, 77)).toBe(e.EBADF);
  });

  it('applies the umask and gives a file its maker', () => {
    expect(user.umask(0o027)).toBe(0o022);
    user.put('/tmp/masked', '', 0o666);
    expect(user.attributes('/tmp/masked')).toMatchObject({ mode: 0o100640, uid: 1000, gid: 1000, nlink: 1 });
  });

  it('leaves no trace when there is no descriptor', () => {
    machine.change(6, { limits: machine.processes.get(6)!.view.limits.map((l, i) => (i === 7 ? [1, 1] : l)) });
    user.fd('/tmp');
    expect(user.open('/tmp/x', f.O_CREAT | f.O_WRONLY)).toBe(e.EMFILE);
    expect(root.stat('/tmp/x')).toBe(e.ENOENT);
  });

  it('truncates and appends', () => {
    user.put('/tmp/f', 'first');
    user.put('/tmp/f', 'new');
    const fd = user.fd('/tmp/f', f.O_RDWR | f.O_APPEND);
    expect(user.lseek(fd, 0, f.SEEK_SET)).toBe(0);
    user.write(fd, '!');
    expect(user.get('/tmp/f')).toBe('new!');
    expect(user.lseek(fd, 0, f.SEEK_CUR)).toBe(4);
  });

  it('checks the access mode at each transfer', () => {
    user.put('/tmp/f', 'x');
    const read = user.fd('/tmp/f', f.O_RDONLY);
    const write = user.fd('/tmp/f', f.O_WRONLY);
    const path = user.fd('/tmp/f', f.O_PATH);
    expect(user.write(read, 'y')).toBe(e.EBADF);
    expect(user.read(write, 1)).toBe(e.EBADF);
    expect(user.read(path, 1)).toBe(e.EBADF);
    expect(user.fstat(path)).toMatchObject({ size: 1 });
    expect(user.read(user.fd('/tmp'), 1)).toBe(e.EISDIR);
  });

  it('opens relative to a directory descriptor', () => {
    user.mkdir('/tmp/d');
    user.put('/tmp/d/f', 'deep');
    const dir = user.fd('/tmp/d', f.O_DIRECTORY);
    const fd = user.open('f', 0, 0, dir) as number;
    expect(user.read(fd, 9)).toBe('deep');
    expect(user.open('x', 0, 0, fd)).toBe(e.ENOTDIR);
  });
});

describe('offsets', () => {
  it('pread and pwrite leave the position alone', () => {
    const fd = user.fd('/tmp/f', f.O_RDWR | f.O_CREAT);
    user.write(fd, 'abcdef');
    expect(user.pread(fd, 2, 1)).toBe('bc');
    expect(user.pwrite(fd, 'XY', 4)).toBe(2);
    expect(user.pread(fd, 9, -1)).toBe(e.EINVAL);
    expect(user.lseek(fd, 0, f.SEEK_CUR)).toBe(6);
    expect(user.pread(fd, 9, 0)).toBe('abcdXY');
  });

  it('seeks, makes holes and finds them', () => {
    const fd = user.fd('/tmp/f', f.O_RDWR | f.O_CREAT);
    expect(user.lseek(fd, -1, f.SEEK_SET)).toBe(e.EINVAL);
    expect(user.lseek(fd, 1, 9)).toBe(e.EINVAL);
    expect(user.lseek(fd, 100_000, f.SEEK_END)).toBe(100_000);
    user.write(fd, 'end');
    expect(user.fstat(fd)).toMatchObject({ size: 100_003, blocks: 8 });
    expect(user.pread(fd, 3, 50)).toBe('\0\0\0');
    expect(user.lseek(fd, 0, f.SEEK_DATA)).toBe(98_304);
    expect(user.lseek(fd, 0, f.SEEK_HOLE)).toBe(0);
    expect(user.lseek(fd, 98_304, f.SEEK_HOLE)).toBe(100_003);
    expect(user.lseek(fd, 100_003, f.SEEK_DATA)).toBe(e.ENXIO);
  });

  it('shares the position between dups and across fork', () => {
    user.put('/tmp/f', 'abcdef');
    const fd = user.fd('/tmp/f');
    const other = user.dup(fd) as number;
    expect(user.read(fd, 2)).toBe('ab');
    expect(user.read(other, 2)).toBe('cd');
    machine.process(7, { uid: 1000 });
    expect(machine.call('forkProcess', 0, { parent: 6, child: 7, shareFiles: false })).toEqual({});
    expect(new User(machine, 7).read(fd, 2)).toBe('ef');
    expect(machine.call('forkProcess', 0, { parent: 6, child: 7, shareFiles: true })).toBe(e.EINVAL);
    expect(user.read(fd, 2)).toBe('');
    const again = user.fd('/tmp/f');
    expect(user.read(again, 2)).toBe('ab');
  });
});

describe('descriptors', () => {
  it('dup2 closes what was there', () => {
    const [reader, writer] = user.pipe();
    expect(user.dup2(reader, writer)).toBe(writer);
    // The only writer is gone: end of file.
    expect(user.read(reader, 1)).toBe('');
    expect(user.dup2(99, 3)).toBe(e.EBADF);
    expect(user.dup2(reader, reader)).toBe(reader);
    expect(user.dup2(reader, -1)).toBe(e.EBADF);
  });

  it('fcntl duplicates, and keeps flags of descriptor and description apart', () => {
    user.put('/tmp/f', 'x');
    const fd = user.fd('/tmp/f', f.O_RDWR | f.O_CLOEXEC);
    expect(user.fcntl(fd, f.F_GETFD)).toBe(1);
    const copy = user.fcntl(fd, f.F_DUPFD, 10) as number;
    expect(copy).toBe(10);
    expect(user.fcntl(copy, f.F_GETFD)).toBe(0);
    expect(user.fcntl(fd, f.F_SETFL, f.O_NONBLOCK | f.O_APPEND | f.O_WRONLY)).toBe(0);
    expect(user.fcntl(copy, f.F_GETFL)).toBe(f.O_RDWR | f.O_LARGEFILE | f.O_NONBLOCK | f.O_APPEND);
    expect(user.fcntl(fd, f.F_DUPFD, -1)).toBe(e.EINVAL);
    expect(user.fcntl(fd, 7777)).toBe(e.EINVAL);
    expect(user.fcntl(50, f.F_GETFD)).toBe(e.EBADF);
  });

  it('closes on exec, on exit, and by range', () => {
    const kept = user.fd('/tmp');
    const lost = user.fd('/tmp', f.O_CLOEXEC);
    machine.call('execProcess', 0, { pid: 6, path: '/bin/x' });
    expect(user.fcntl(kept, f.F_GETFD)).toBe(0);
    expect(user.fcntl(lost, f.F_GETFD)).toBe(e.EBADF);
    user.fd('/tmp');
    machine.call('closeRange', 6, { first: 1, last: 9, flags: 0 });
    expect(
      machine.processes
        .get(6)!
        .files.list()
        .map(({ fd }) => fd),
    ).toEqual([0]);
    machine.call('exitProcess', 0, { pid: 6 });
    expect(machine.processes.get(6)!.files.list()).toEqual([]);
  });

  it('reports EFAULT only if nothing was transferred', () => {
    user.put('/tmp/f', 'x');
    const fd = user.fd('/tmp/f', f.O_RDWR);
    expect(machine.call('read', 6, { fd, buf: machine.badGrant(3) })).toBe(e.EFAULT);
    expect(machine.call('read', 6, { fd, buf: null })).toBe(e.EFAULT);
    expect(machine.call('write', 6, { fd, buf: machine.badGrant(3) })).toBe(e.EFAULT);
  });
});

it('survives a restart of the server with files open', () => {
  const fd = user.fd('/tmp/f', f.O_RDWR | f.O_CREAT);
  user.write(fd, 'before');
  machine.restart();
  user.write(fd, ' after');
  expect(user.get('/tmp/f')).toBe('before after');
  expect(user.get('/proc/self/comm')).toBe('test\n');
});
