/** Sockets against the test machine: what must hold whatever happens in between. Behaviour is compared with Linux in test/conformance. */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../../abi/errno.ts';
import { POLLHUP, POLLIN } from '../../../abi/poll.ts';
import { AF_UNIX, MSG_DONTWAIT, SOCK_DGRAM, SOCK_STREAM } from '../../../abi/socket.ts';
import { fileIo } from '../io/operations.ts';
import { Vfs } from '../state.ts';
import { VfsMachine } from '../testing/machine.ts';
import { toBytes, User } from '../testing/user.ts';

let machine: VfsMachine;
let user: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(5);
  user = new User(machine, 5);
});

const pair = (type = SOCK_STREAM): [number, number] => {
  const bytes = new Uint8Array(8);
  const request = { family: AF_UNIX, type, protocol: 0, pair: machine.grant(bytes) };
  expect(machine.call('socketPair', 5, request)).toEqual({ result: 0 });
  const [one, other] = new Int32Array(bytes.buffer);
  return [one, other];
};

/** sendmsg with one descriptor. */
const pass = (fd: number, passed: number): unknown => {
  const control = new Uint8Array(24);
  const view = new DataView(control.buffer);
  view.setUint32(0, 20, true);
  view.setInt32(8, 1, true);
  view.setInt32(12, 1, true);
  view.setInt32(16, passed, true);
  const areas = new Uint8Array(25);
  areas.set(control);
  areas[24] = 120;
  const layout = new Uint8Array(Uint32Array.of(0, 1, 0, 24, 1).buffer);
  const request = { fd, flags: 0, form: 1, layout, areas: machine.grant(areas), headers: null };
  return machine.call('sendMessages', 5, request);
};

const count = (name: string): number => machine.store.table(name).size;

describe('a stream', () => {
  it('loses nothing when the server is restarted with data under way', () => {
    const [one, other] = pair();
    user.write(one, 'before');
    machine.restart();
    user.write(one, ' after');
    expect(user.read(other, 100)).toBe('before after');
  });

  it('wakes a sleeping reader with data, and with the end', () => {
    const [one, other] = pair();
    const first = user.startRead(other, 10);
    expect(first.sleeper.sleeps).toBe(true);
    user.write(one, 'x');
    expect(first.text()).toBe('x');
    const second = user.startRead(other, 10);
    user.close(one);
    expect(second.text()).toBe('');
  });

  it('finishes a long write as it is read', () => {
    const [one, other] = pair();
    const long = 'x'.repeat(400_000);
    const writing = user.startWrite(one, long);
    expect(writing.sleeps).toBe(true);
    let got = 0;
    while (got < long.length) got += (user.read(other, 65_536) as string).length;
    expect(writing.outcome).toEqual({ result: long.length });
  });

  it('answers the deadline of SO_RCVTIMEO', () => {
    const [one] = pair();
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigInt64(0, 1n, true);
    const option = { fd: one, level: 1, name: 20, value: machine.grant(bytes), length: 16 };
    expect(machine.call('setSocketOption', 5, option)).toEqual({ result: 0 });
    const reading = user.startRead(one, 10);
    machine.advance(999_000_000);
    expect(reading.sleeper.sleeps).toBe(true);
    machine.advance(2_000_000);
    expect(reading.text()).toBe(e.EAGAIN);
  });
});

describe('descriptors in messages', () => {
  it('leave no rows behind when everything is closed', () => {
    const [one, other] = pair();
    const files = count('vfs:file');
    const fd = user.fd('/tmp/f', 0o102);
    expect(pass(one, fd)).toEqual({ result: 1 });
    user.close(fd);
    expect(count('vfs:file')).toBe(files + 1);
    user.close(one);
    user.close(other);
    for (const table of ['vfs:file', 'vfs:socket', 'vfs:in-flight', 'vfs:in-flight-user']) expect(count(table)).toBe(0);
  });

  it('are let go in circles and however deep they are nested', () => {
    let [one, other] = pair(SOCK_DGRAM);
    expect(pass(one, other)).toEqual({ result: 1 });
    user.close(other);
    user.close(one);
    expect(count('vfs:socket')).toBe(0);
    [one, other] = pair(SOCK_DGRAM);
    for (let depth = 0; depth < 5000; depth++) {
      const [next, far] = pair(SOCK_DGRAM);
      pass(next, other);
      user.close(one);
      user.close(other);
      one = next;
      other = far;
    }
    user.close(one);
    user.close(other);
    expect(count('vfs:socket')).toBe(0);
    expect(count('vfs:file')).toBe(0);
  });
});

it('refuses malformed control data and layouts without harm', () => {
  const [one] = pair();
  for (const words of [
    [0, 1, 0, 24, 1],
    [0, 5, 0, 0, 0],
    [22, 0],
    [0, 0],
  ]) {
    const size = 8 + 12 * words[1];
    const layout = new Uint8Array(size);
    layout.set(new Uint8Array(Uint32Array.from(words).buffer).subarray(0, size));
    const areas = machine.grant(toBytes('\xff'.repeat(25)));
    const request = { fd: one, flags: MSG_DONTWAIT, form: 2, layout, areas, headers: null };
    const outcome = machine.call('sendMessages', 5, request);
    expect(outcome instanceof e.Errno || typeof outcome.result === 'number').toBe(true);
  }
});

it('says so to whoever polls when the other end goes', () => {
  const [one, other] = pair();
  user.close(other);
  const vfs = new Vfs({ store: machine.store } as never, {});
  const file = [...vfs.files.entries()].map(([, row]) => row).find(({ kind }) => kind === 'socket')!;
  expect(fileIo.socket.poll(vfs, file, 5).events & (POLLIN | POLLHUP)).toBe(POLLIN | POLLHUP);
  expect(user.read(one, 1)).toBe('');
});
