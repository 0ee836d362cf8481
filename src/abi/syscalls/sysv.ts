/** System calls of System V semaphores and message queues, which the memory manager answers beside shared memory. */
import {
  type ArgumentKind,
  type BufferRequest,
  choice,
  flags,
  int,
  long,
  size,
  structIn,
  structInOut,
} from '../arguments.ts';
import { IPC_CREAT, IPC_EXCL } from '../shm.ts';
import { syscall } from '../syscall.ts';
import * as s from '../sysv.ts';

type Buffer = ArgumentKind<BufferRequest | null>;

const getFlags = flags('IPC flags', { IPC_CREAT, IPC_EXCL });
const hexadecimal = (value: BufferRequest | null): string =>
  value === null ? 'NULL' : `0x${value.segments[0].address.toString(16)}`;

const stretch = (
  name: string,
  direction: BufferRequest['direction'],
  register: number,
  length: (a: Parameters<Buffer['load']>[0]) => number,
): Buffer => ({
  name,
  when: 'enter',
  load: (a) => {
    const address = a.u53(register);
    const count = length(a);
    return address === 0 || count === 0 ? null : { direction, segments: [{ address, length: count }], length: count };
  },
  show: hexadecimal,
});

/** One more than are allowed, at most: the server refuses by the count. */
const operations = stretch('sembuf[]', 'in', 1, (a) => Math.min(a.u53(2), s.SEMOPM + 1) * s.SEMBUF_SIZE);

const semctlSize = (command: number): number => {
  if (command === s.GETALL || command === s.SETALL) return s.SEMMSL * 2;
  if (command === 3 || command === s.SEM_INFO) return s.SEMINFO_SIZE;
  return s.SEMID_DS_SIZE;
};
const semctlBuffer = stretch('semun', 'both', 3, (a) => semctlSize(a.i32(2)));

const sent = stretch('msgbuf', 'in', 1, (a) => 8 + Math.min(Math.max(a.i53(2), 0), s.MSGMAX));
const received = stretch('msgbuf', 'out', 1, (a) => 8 + Math.min(Math.max(a.i53(2), 0), s.MSGMAX));
const messageFlags = flags('message flags', {
  IPC_NOWAIT: s.IPC_NOWAIT,
  MSG_NOERROR: s.MSG_NOERROR,
  MSG_EXCEPT: s.MSG_EXCEPT,
  MSG_COPY: s.MSG_COPY,
});

const once = { restart: 'interrupt' } as const;

export const sysvSyscalls = {
  semget: syscall(64, 'memory', 'semget', { key: int, count: int, flags: getFlags }),
  semop: syscall(65, 'memory', 'semop', { id: int, operations, count: size }, { ...once, with: { timeout: null } }),
  semctl: syscall(66, 'memory', 'semctl', {
    id: int,
    number: int,
    command: choice('semctl command', s.semctlNames),
    value: int,
    buf: semctlBuffer,
  }),
  msgget: syscall(68, 'memory', 'msgget', { key: int, flags: getFlags }),
  msgsnd: syscall(69, 'memory', 'msgsnd', { id: int, buf: sent, size: long, flags: messageFlags }, once),
  msgrcv: syscall(
    70,
    'memory',
    'msgrcv',
    { id: int, buf: received, size: long, type: long, flags: messageFlags },
    once,
  ),
  msgctl: syscall(71, 'memory', 'msgctl', {
    id: int,
    command: choice('msgctl command', s.msgctlNames),
    buf: structInOut('msqid_ds', s.MSQID_DS_SIZE),
  }),
  semtimedop: syscall(
    220,
    'memory',
    'semop',
    { id: int, operations, count: size, timeout: structIn('timespec', 16) },
    once,
  ),
};
