/** System V semaphores and message queues: what a test of one program cannot see. Behaviour is compared with Linux in test/conformance. */
import { beforeEach, expect, it } from 'vitest';
import { IPC_CREAT, IPC_PRIVATE, IPC_RMID } from '../../../abi/shm.ts';
import { GETVAL, SEM_UNDO, SETVAL } from '../../../abi/sysv.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { Harness } from '../testing/harness.ts';

let h: Harness;

beforeEach(() => {
  h = new Harness();
  h.start(5);
  h.start(6);
});

const value = (id: number, number = 0): number =>
  h.ok('semctl', 6, { id, number, command: GETVAL, value: 0, buf: null });

const granted = (bytes: Uint8Array): Grant => {
  const grant = h.grant(bytes.length);
  h.grants.get(grant.id)!.set(bytes);
  return grant;
};

const operate = (pid: number, id: number, change: number): number => {
  const bytes = new Uint8Array(Int16Array.of(0, change, SEM_UNDO).buffer);
  return h.ok('semop', pid, { id, operations: granted(bytes), count: 1, timeout: null });
};

it('takes back what a process did with SEM_UNDO when it ends, and forgets it', () => {
  const id = h.ok('semget', 5, { key: 7, count: 2, flags: IPC_CREAT | 0o666 });
  h.ok('semctl', 6, { id, number: 0, command: SETVAL, value: 4, buf: null });
  operate(5, id, -3);
  operate(6, id, 2);
  expect(value(id)).toBe(3);
  h.ok('exit', 5, { pid: 5 });
  expect(value(id)).toBe(6);
  expect(h.m.undo.has(5)).toBe(false);
  expect(h.m.undo.has(6)).toBe(true);
  h.ok('semctl', 5, { id, number: 0, command: IPC_RMID, value: 0, buf: null });
  expect(h.m.undo.size).toBe(0);
});

it('gives identifiers of removed objects to nobody soon, and leaves no messages behind', () => {
  const first = h.ok('msgget', 5, { key: IPC_PRIVATE, flags: 0o600 });
  const message = new Uint8Array(12);
  message[0] = 1;
  h.ok('msgsnd', 5, { id: first, buf: granted(message), size: 4, flags: 0 });
  h.ok('msgctl', 5, { id: first, command: IPC_RMID, buf: null });
  const second = h.ok('msgget', 5, { key: IPC_PRIVATE, flags: 0o600 });
  expect(second).not.toBe(first);
  expect(second % 0x8000).toBe(first % 0x8000);
  expect(h.m.messages.count(0)).toBe(0);
});
