/** Pipes, FIFOs, host streams, poll and select: pipe(7), fifo(7), poll(2). */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../../abi/errno.ts';
import * as f from '../../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '../../../abi/poll.ts';
import { VfsMachine } from '../testing/machine.ts';
import { toBytes, User } from '../testing/user.ts';

let machine: VfsMachine;
let a: User;
let b: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(5);
  machine.process(6);
  a = new User(machine, 5);
  b = new User(machine, 6);
});

/** Makes process 6 share the descriptors of process 5. */
const fork = (): void => void machine.call('forkProcess', 0, { parent: 5, child: 6, shareFiles: false });

describe('pipe', () => {
  it('passes bytes on and ends with its last writer', () => {
    const [r, w] = a.pipe();
    expect(a.write(w, 'hello')).toBe(5);
    expect(a.read(r, 2)).toBe('he');
    expect(a.read(r, 9)).toBe('llo');
    fork();
    a.close(w);
    const reading = a.startRead(r, 9);
    expect(reading.sleeper.sleeps).toBe(true);
    b.write(w, 'more');
    expect(reading.text()).toBe('more');
    const last = a.startRead(r, 9);
    b.close(w);
    expect(last.text()).toBe('');
  });

  it('sends SIGPIPE and answers EPIPE without a reader', () => {
    const [r, w] = a.pipe();
    a.close(r);
    expect(a.write(w, 'x')).toBe(e.EPIPE);
    expect(machine.signals).toEqual([{ target: 5, signal: 13, toProcess: true }]);
  });

  it('holds 64 KiB, blocks, and hands out a long write in pieces', () => {
    const [r, w] = a.pipe();
    const writing = a.startWrite(w, 'x'.repeat(100_000));
    expect(writing.sleeps).toBe(true);
    expect(a.read(r, 65_536)).toHaveLength(65_536);
    expect(writing.outcome).toEqual({ result: 100_000 });
    expect(a.read(r, 65_536)).toHaveLength(34_464);
  });

  it('keeps small writes whole', () => {
    const [r, w] = a.pipe();
    a.write(w, 'x'.repeat(65_536 - 10));
    const writing = a.startWrite(w, 'y'.repeat(20));
    expect(writing.sleeps).toBe(true);
    expect(a.read(r, 5)).toHaveLength(5);
    expect(writing.sleeps).toBe(true);
    expect(a.read(r, 5)).toHaveLength(5);
    expect(writing.outcome).toEqual({ result: 20 });
    expect((a.read(r, 100_000) as string).endsWith('y'.repeat(20))).toBe(true);
  });

  it('wraps round its ring', () => {
    const [r, w] = a.pipe();
    let sent = '';
    let got = '';
    for (let i = 0; i < 40; i++) {
      const text = String.fromCharCode(97 + (i % 26)).repeat(4001 + i);
      sent += text;
      a.write(w, text);
      if (i > 10) got += a.read(r, 4001 + i);
    }
    got += a.read(r, 100_000);
    expect(got).toBe(sent);
  });

  it('does not wait with O_NONBLOCK', () => {
    const [r, w] = a.pipe(f.O_NONBLOCK);
    expect(a.read(r, 1)).toBe(e.EAGAIN);
    expect(a.write(w, 'x'.repeat(70_000))).toBe(65_536);
    expect(a.write(w, 'x')).toBe(e.EAGAIN);
  });

  it('answers EINTR to a signal, or what it has written', () => {
    const [r, w] = a.pipe();
    const reading = a.startRead(r, 1);
    machine.cancel(reading.sleeper);
    expect(reading.text()).toBe(e.EINTR);
    const writing = a.startWrite(w, 'x'.repeat(70_000));
    machine.cancel(writing);
    expect(writing.outcome).toEqual({ result: 65_536 });
  });

  it('has no position', () => {
    const [r, w] = a.pipe();
    expect(a.lseek(r, 0, f.SEEK_CUR)).toBe(e.ESPIPE);
    expect(a.pread(r, 1, 0)).toBe(e.ESPIPE);
    expect(a.read(w, 1)).toBe(e.EBADF);
    expect(a.fstat(r)).toMatchObject({ mode: 0o010600 });
    expect(a.readlink(`/proc/self/fd/${r}`)).toBe(`pipe:[${(a.fstat(r) as { ino: number }).ino}]`);
  });

  it('changes its size', () => {
    const [r, w] = a.pipe();
    expect(a.fcntl(r, f.F_GETPIPE_SZ)).toBe(65_536);
    a.write(w, 'abc');
    a.read(r, 1);
    expect(a.fcntl(r, f.F_SETPIPE_SZ, 5000)).toBe(8192);
    expect(a.read(r, 9)).toBe('bc');
    a.write(w, 'x'.repeat(8000));
    expect(a.fcntl(r, f.F_SETPIPE_SZ, 4096)).toBe(e.EBUSY);
  });

  it('leaves nothing behind', () => {
    const [r, w] = a.pipe();
    a.write(w, 'x');
    a.close(r);
    a.close(w);
    expect(machine.store.table('vfs:pipe').size).toBe(0);
    expect(machine.store.table('vfs:file').size).toBe(0);
    expect(machine.store.table('vfs:held').size).toBe(0);
  });

  it('is opened again through /proc/self/fd', () => {
    const [r, w] = a.pipe();
    const again = a.fd(`/proc/self/fd/${w}`, f.O_WRONLY);
    a.close(w);
    a.write(again, 'z');
    expect(a.read(r, 1)).toBe('z');
  });
});

describe('FIFO', () => {
  beforeEach(() => void a.mknod('/tmp/fifo', 0o010644));
  const open = (pid: number, flags: number): ReturnType<VfsMachine['start']> =>
    machine.start('openFile', pid, { dirfd: -100, path: '/tmp/fifo', flags, mode: 0 });

  it('opens when both ends are there', () => {
    const reader = open(5, f.O_RDONLY);
    expect(reader.sleeps).toBe(true);
    const writer = open(6, f.O_WRONLY);
    expect(writer.outcome).toEqual({ result: 0 });
    expect(reader.outcome).toEqual({ result: 0 });
    b.write(0, 'hi');
    expect(a.read(0, 9)).toBe('hi');
    b.close(0);
    expect(a.read(0, 9)).toBe('');
    a.close(0);
    expect(machine.store.table('vfs:pipe').size).toBe(0);
  });

  it('reader goes on although the writer has come and gone', () => {
    const reader = open(5, f.O_RDONLY);
    open(6, f.O_WRONLY);
    b.write(0, 'quick');
    b.close(0);
    expect(reader.outcome).toEqual({ result: 0 });
    expect(a.read(0, 9)).toBe('quick');
  });

  it('does not wait with O_NONBLOCK or O_RDWR', () => {
    expect(open(5, f.O_WRONLY | f.O_NONBLOCK).outcome).toBe(e.ENXIO);
    expect(open(5, f.O_RDONLY | f.O_NONBLOCK).outcome).toEqual({ result: 0 });
    expect(a.read(0, 1)).toBe('');
    expect(open(6, f.O_RDWR).outcome).toEqual({ result: 0 });
    expect(a.read(0, 1)).toBe(e.EAGAIN);
  });

  it('forgets an opener that is interrupted or ends', () => {
    const first = open(5, f.O_WRONLY);
    machine.cancel(first);
    expect(first.outcome).toBe(e.EINTR);
    open(6, f.O_WRONLY);
    machine.call('exitProcess', 0, { pid: 6 });
    expect(machine.store.table('vfs:pipe').size).toBe(0);
    expect(machine.store.table('vfs:opening').size).toBe(0);
    expect(open(5, f.O_RDONLY).sleeps).toBe(true);
  });
});

describe('streams of the host', () => {
  it('are a program’s standard input and output', () => {
    const attached = machine.call('attachStandard', 0, {
      pid: 5,
      terminal: 0,
      stdin: 1,
      stdout: 1,
      stderr: 2,
      cwd: '/tmp',
      umask: 0o022,
    }) as { stdin: number; stdout: number; stderr: number };
    expect(attached.stderr).toBe(0);
    expect(a.getcwd()).toBe('/tmp');
    const reading = a.startRead(0, 9);
    machine.call('streamWrite', 0, { stream: attached.stdin, data: toBytes('in'), end: true });
    expect(reading.text()).toBe('in');
    expect(a.read(0, 9)).toBe('');
    const hearing = machine.start('streamRead', 0, { stream: attached.stdout, max: 100 });
    expect(hearing.sleeps).toBe(true);
    a.write(1, 'out');
    expect(hearing.outcome).toEqual({ data: toBytes('out') });
    expect(a.write(2, 'nothing')).toBe(7);
    machine.call('exitProcess', 0, { pid: 5 });
    const end = machine.start('streamRead', 0, { stream: attached.stdout, max: 100 });
    expect(end.outcome).toEqual({ data: new Uint8Array(0) });
    machine.call('streamClose', 0, { stream: attached.stdout });
    expect(machine.store.table('vfs:pipe').size).toBe(0);
  });
});

describe('poll', () => {
  const poll = (fds: [fd: number, events: number][], timeout: number): { done: () => unknown; sleeps: boolean } => {
    const bytes = new Uint8Array(fds.length * 8);
    const view = new DataView(bytes.buffer);
    fds.forEach(([fd, events], i) => {
      view.setInt32(i * 8, fd, true);
      view.setInt16(i * 8 + 4, events, true);
    });
    const sleeper = machine.start('poll', 5, { fds: machine.grant(bytes), timeout });
    return {
      get sleeps() {
        return sleeper.sleeps;
      },
      done: () =>
        sleeper.outcome instanceof e.Errno
          ? sleeper.outcome
          : [(sleeper.outcome as { result: number }).result, ...fds.map((_, i) => view.getInt16(i * 8 + 6, true))],
    };
  };

  it('says what is ready', () => {
    const [r, w] = a.pipe();
    expect(
      poll(
        [
          [r, POLLIN],
          [w, POLLOUT],
          [-1, POLLIN],
          [99, POLLIN],
        ],
        0,
      ).done(),
    ).toEqual([2, 0, POLLOUT, 0, POLLNVAL]);
    a.write(w, 'x');
    expect(poll([[r, POLLIN]], -1).done()).toEqual([1, POLLIN]);
    a.close(w);
    expect(poll([[r, POLLIN]], -1).done()).toEqual([1, POLLIN | POLLHUP]);
    a.read(r, 1);
    expect(poll([[r, 0]], -1).done()).toEqual([1, POLLHUP]);
    const [r2, w2] = a.pipe();
    a.close(r2);
    expect(poll([[w2, POLLOUT]], -1).done()).toEqual([1, POLLOUT | POLLERR]);
    const file = a.fd('/tmp/f', f.O_CREAT | f.O_RDWR);
    expect(poll([[file, POLLIN | POLLOUT]], -1).done()).toEqual([1, POLLIN | POLLOUT]);
  });

  it('waits until something happens or time is up', () => {
    const [r, w] = a.pipe();
    const first = poll([[r, POLLIN]], -1);
    expect(first.sleeps).toBe(true);
    a.write(w, 'x');
    expect(first.done()).toEqual([1, POLLIN]);
    a.read(r, 1);
    const second = poll([[r, POLLIN]], 50);
    machine.advance(49e6);
    expect(second.sleeps).toBe(true);
    machine.advance(1e6);
    expect(second.done()).toEqual([0, 0]);
  });

  it('select says the same in sets, and gives the rest of its time back', () => {
    const [r, w] = a.pipe();
    const sets = (read: number, write: number): Uint8Array[] => {
      const one = (fd: number): Uint8Array => {
        const set = new Uint8Array(8);
        if (fd >= 0) set[fd >> 3] |= 1 << (fd & 7);
        return set;
      };
      return [one(read), one(write)];
    };
    const run = (read: number, write: number, micro: bigint) => {
      const [readfds, writefds] = sets(read, write);
      const timeout = new Uint8Array(BigInt64Array.of(0n, micro).buffer);
      const sleeper = machine.start('select', 5, {
        count: 8,
        readfds: machine.grant(readfds),
        writefds: machine.grant(writefds),
        exceptfds: null,
        timeout: machine.grant(timeout),
      });
      return { sleeper, readfds, writefds, left: () => new BigInt64Array(timeout.buffer)[1] };
    };
    const now = run(r, w, 100n);
    expect(now.sleeper.outcome).toEqual({ result: 1 });
    expect([now.readfds[0], now.writefds[0]]).toEqual([0, 1 << w]);
    const later = run(r, -1, 1000n);
    machine.advance(400_000);
    a.write(w, 'x');
    expect(later.sleeper.outcome).toEqual({ result: 1 });
    expect(later.left()).toBe(600n);
    expect(run(7, -1, 0n).sleeper.outcome).toBe(e.EBADF);
  });
});
