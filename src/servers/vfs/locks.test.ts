/** Locks: fcntl(2) "Advisory record locking", flock(2). */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../abi/errno.ts';
import * as f from '../../abi/fcntl.ts';
import { type Sleeper, VfsMachine } from './testing/machine.ts';
import { User } from './testing/user.ts';

let machine: VfsMachine;
let a: User;
let b: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(5);
  machine.process(6);
  a = new User(machine, 5);
  b = new User(machine, 6);
  a.put('/tmp/f', 'x'.repeat(100));
  a.fd('/tmp/f', f.O_RDWR);
  b.fd('/tmp/f', f.O_RDWR);
});

const lock = (pid: number, command: number, type: number, start: number, length: number, fd = 0) => {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, type, true);
  view.setBigInt64(8, BigInt(start), true);
  view.setBigInt64(16, BigInt(length), true);
  const sleeper: Sleeper = machine.start('fcntl', pid, { fd, command, argument: 1, lock: machine.grant(bytes) });
  return {
    sleeper,
    get outcome() {
      return sleeper.outcome;
    },
    found: () => [
      view.getInt16(0, true),
      Number(view.getBigInt64(8, true)),
      Number(view.getBigInt64(16, true)),
      view.getInt32(24, true),
    ],
  };
};
const OK = { result: 0 };

describe('record locks', () => {
  it('keep others out, and say who', () => {
    expect(lock(5, f.F_SETLK, f.F_WRLCK, 10, 20).outcome).toEqual(OK);
    expect(lock(6, f.F_SETLK, f.F_RDLCK, 29, 1).outcome).toBe(e.EAGAIN);
    expect(lock(6, f.F_SETLK, f.F_RDLCK, 30, 5).outcome).toEqual(OK);
    expect(lock(6, f.F_GETLK, f.F_WRLCK, 0, 0).found()).toEqual([f.F_WRLCK, 10, 20, 5]);
    expect(lock(6, f.F_GETLK, f.F_WRLCK, 0, 10).found()[0]).toBe(f.F_UNLCK);
    expect(lock(5, f.F_SETLK, f.F_RDLCK, 10, 40).outcome).toEqual(OK);
    expect(lock(6, f.F_SETLK, f.F_RDLCK, 10, 5).outcome).toEqual(OK);
  });

  it('are split and joined', () => {
    lock(5, f.F_SETLK, f.F_WRLCK, 0, 30);
    lock(5, f.F_SETLK, f.F_UNLCK, 10, 10);
    expect(lock(6, f.F_SETLK, f.F_WRLCK, 10, 10).outcome).toEqual(OK);
    expect(lock(6, f.F_GETLK, f.F_WRLCK, 20, 0).found()).toEqual([f.F_WRLCK, 20, 10, 5]);
    lock(6, f.F_SETLK, f.F_UNLCK, 0, 0);
    lock(5, f.F_SETLK, f.F_WRLCK, 10, 10);
    expect(lock(6, f.F_GETLK, f.F_WRLCK, 0, 0).found()).toEqual([f.F_WRLCK, 0, 30, 5]);
  });

  it('wait, and see a deadlock', () => {
    lock(5, f.F_SETLK, f.F_WRLCK, 0, 1);
    lock(6, f.F_SETLK, f.F_WRLCK, 1, 1);
    const waiting = lock(5, f.F_SETLKW, f.F_WRLCK, 1, 1);
    expect(waiting.sleeper.sleeps).toBe(true);
    expect(lock(6, f.F_SETLKW, f.F_WRLCK, 0, 1).outcome).toBe(e.EDEADLK);
    lock(6, f.F_SETLK, f.F_UNLCK, 1, 1);
    expect(waiting.outcome).toEqual(OK);
    const cancelled = lock(6, f.F_SETLKW, f.F_WRLCK, 0, 1);
    machine.cancel(cancelled.sleeper);
    expect(cancelled.outcome).toBe(e.EINTR);
  });

  it('go with any close of the file by the process, not with fork', () => {
    lock(5, f.F_SETLK, f.F_WRLCK, 0, 0);
    const other = a.fd('/tmp/f');
    a.close(other);
    expect(lock(6, f.F_SETLK, f.F_WRLCK, 0, 0).outcome).toEqual(OK);
    machine.process(7);
    machine.call('forkProcess', 0, { parent: 6, child: 7, shareFiles: false });
    expect(lock(7, f.F_SETLK, f.F_RDLCK, 0, 1).outcome).toBe(e.EAGAIN);
    machine.call('exitProcess', 0, { pid: 6 });
    expect(lock(7, f.F_SETLK, f.F_RDLCK, 0, 1).outcome).toEqual(OK);
  });

  it('need the right access mode', () => {
    const read = a.fd('/tmp/f', f.O_RDONLY);
    expect(lock(5, f.F_SETLK, f.F_WRLCK, 0, 0, read).outcome).toBe(e.EBADF);
    expect(lock(5, f.F_SETLK, f.F_RDLCK, -1, 0, read).outcome).toBe(e.EINVAL);
    expect(lock(5, f.F_SETLK, 9, 0, 0, read).outcome).toBe(e.EINVAL);
  });

  it('of open files belong to these', () => {
    expect(lock(5, f.F_OFD_SETLK, f.F_WRLCK, 0, 0).sleeper.outcome).toEqual(OK);
    const second = a.fd('/tmp/f', f.O_RDWR);
    expect(lock(5, f.F_OFD_SETLK, f.F_WRLCK, 0, 0, second).outcome).toBe(e.EAGAIN);
    const copy = a.dup(0) as number;
    expect(lock(5, f.F_OFD_SETLK, f.F_WRLCK, 0, 0, copy).outcome).toEqual(OK);
    a.close(0);
    expect(lock(6, f.F_SETLK, f.F_RDLCK, 0, 0).outcome).toBe(e.EAGAIN);
    a.close(copy);
    expect(lock(6, f.F_SETLK, f.F_RDLCK, 0, 0).outcome).toEqual(OK);
  });
});

describe('flock', () => {
  const flock = (pid: number, fd: number, operation: number): Sleeper => machine.start('flock', pid, { fd, operation });

  it('is shared or exclusive, and falls with the last descriptor', () => {
    expect(flock(5, 0, f.LOCK_SH).outcome).toEqual(OK);
    expect(flock(6, 0, f.LOCK_SH).outcome).toEqual(OK);
    expect(flock(6, 0, f.LOCK_EX | f.LOCK_NB).outcome).toBe(e.EAGAIN);
    const waiting = flock(6, 0, f.LOCK_EX);
    expect(waiting.sleeps).toBe(true);
    a.dup(0);
    a.close(0);
    expect(waiting.sleeps).toBe(true);
    machine.call('exitProcess', 0, { pid: 5 });
    expect(waiting.outcome).toEqual(OK);
    expect(flock(6, 0, f.LOCK_UN).outcome).toEqual(OK);
    expect(flock(6, 0, 77).outcome).toBe(e.EINVAL);
    expect(machine.store.table('vfs:lock').size).toBe(0);
  });
});
