/**
 * Protocol of the memory manager (PID 4), numbers 300–399.
 *
 * The first group is what the kernel itself sends when calls cross servers; the rest answers system calls.
 */
import { bool, grant, i32, i53, list, optional, text } from '../fields.ts';
import { call, protocol } from '../protocol.ts';

export const memoryProtocol = protocol('memory', 300, {
  fork: call(
    300,
    "Copies the parent's regions for the child and has the kernel make its address space a lazy copy; or, `shared`, has the child use the parent's (CLONE_VM).",
    { parent: i32, child: i32, shared: bool },
    {},
  ),
  exit: call(301, 'A process ended: regions and attached segments are released.', { pid: i32 }, {}),
  exec: call(
    302,
    'Empties the address space and lays the new image out. Each segment is start, length, protection, object (−1: zero-filled), offset; then stack and heap.',
    // stackSize: bytes that arguments and environment need; the region is larger and grows. imageEnd: of the program, where
    // its heap starts if it has to (heapFollows, or it lies where the heap would).
    {
      pid: i32,
      segments: list(i53),
      names: list(text),
      stackSize: i53,
      stackExecutable: bool,
      imageEnd: i53,
      heapFollows: bool,
      // Where the stack ends (exclusive), where the mmap zone starts, and what lies free between an image and its heap.
      stackTop: i53,
      zoneStart: i53,
      heapGap: i53,
    },
    { heapStart: i53 },
  ),
  mmap: call(
    303,
    'mmap(2). `object` is what VFS mapFile gave, −1 for anonymous memory.',
    {
      addr: i53,
      length: i53,
      protection: i32,
      flags: i32,
      object: i53,
      size: i53,
      offset: i53,
      name: text,
      // What mprotect may later allow of a shared mapping; everything if it is not said.
      maxProtection: optional(i32),
    },
    { result: i53 },
  ),
  munmap: call(304, 'munmap(2).', { addr: i53, length: i53 }, { result: i32 }),
  growStack: call(
    305,
    'A fault just below a stack: extends it within RLIMIT_STACK, or refuses.',
    { pid: i32, address: i53, pointer: i53 },
    { grown: i32 },
  ),
  brk: call(306, 'brk(2).', { addr: i53 }, { result: i53 }),
  mprotect: call(307, 'mprotect(2).', { addr: i53, length: i53, protection: i32 }, { result: i32 }),
  mremap: call(
    308,
    'mremap(2).',
    { oldAddr: i53, oldLength: i53, newLength: i53, flags: i32, newAddr: i53 },
    { result: i53 },
  ),
  madvise: call(309, 'madvise(2).', { addr: i53, length: i53, advice: i32 }, { result: i32 }),
  mincore: call(310, 'mincore(2).', { addr: i53, length: i53, vec: grant }, { result: i32 }),
  msync: call(311, 'msync(2).', { addr: i53, length: i53, flags: i32 }, { result: i32 }),
  mlock: call(312, 'mlock(2), mlock2(2).', { addr: i53, length: i53, flags: i32 }, { result: i32 }),
  munlock: call(313, 'munlock(2).', { addr: i53, length: i53 }, { result: i32 }),
  mlockall: call(314, 'mlockall(2).', { flags: i32 }, { result: i32 }),
  munlockall: call(315, 'munlockall(2).', {}, { result: i32 }),
  pkeyMprotect: call(316, 'pkey_mprotect(2).', { addr: i53, length: i53, protection: i32, key: i32 }, { result: i32 }),
  shmget: call(320, 'shmget(2).', { key: i32, size: i53, flags: i32 }, { result: i32 }),
  shmat: call(321, 'shmat(2).', { id: i32, addr: i53, flags: i32 }, { result: i53 }),
  shmdt: call(322, 'shmdt(2).', { addr: i53 }, { result: i32 }),
  shmctl: call(323, 'shmctl(2).', { id: i32, command: i32, buf: grant }, { result: i32 }),
  semget: call(324, 'semget(2).', { key: i32, count: i32, flags: i32 }, { result: i32 }),
  semop: call(
    325,
    'semop(2), semtimedop(2).',
    { id: i32, operations: grant, count: i53, timeout: grant },
    { result: i32 },
  ),
  semctl: call(
    326,
    'semctl(2): the last argument as a number and, by command, as what it points to.',
    { id: i32, number: i32, command: i32, value: i32, buf: grant },
    { result: i32 },
  ),
  undoSemaphores: call(331, 'What a process did with SEM_UNDO is taken back (unshare(2)).', { pid: i32 }, {}),
  msgget: call(327, 'msgget(2).', { key: i32, flags: i32 }, { result: i32 }),
  msgsnd: call(328, 'msgsnd(2).', { id: i32, buf: grant, size: i53, flags: i32 }, { result: i32 }),
  msgrcv: call(329, 'msgrcv(2).', { id: i32, buf: grant, size: i53, type: i53, flags: i32 }, { result: i32 }),
  msgctl: call(330, 'msgctl(2).', { id: i32, command: i32, buf: grant }, { result: i32 }),
  ping: call(389, 'Answers at once: measures a round trip.', { value: i32 }, { result: i32 }),
});
