/**
 * Protocol of the memory manager (PID 4), numbers 300–399.
 *
 * The first group is what the kernel itself sends when calls cross servers; the rest answers system calls.
 */
import { i32, i53, list, text } from '../fields.ts';
import { call, protocol } from '../protocol.ts';

export const memoryProtocol = protocol('memory', 300, {
  fork: call(
    300,
    "Copies the parent's regions for the child and has the kernel make its address space a lazy copy.",
    { parent: i32, child: i32 },
    {},
  ),
  exit: call(301, 'A process ended: regions and attached segments are released.', { pid: i32 }, {}),
  exec: call(
    302,
    'Empties the address space and lays the new image out. Each segment is start, length, protection, object (−1: zero-filled), offset; then stack and heap.',
    { pid: i32, segments: list(i53), names: list(text), stackSize: i53, imageEnd: i53 },
    // Top of the stack region (exclusive) and where the heap starts.
    { stackTop: i53, heapStart: i53 },
  ),
  mmap: call(
    303,
    'mmap(2). `object` is what VFS mapFile gave, −1 for anonymous memory.',
    { addr: i53, length: i53, protection: i32, flags: i32, object: i53, size: i53, offset: i53, name: text },
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
  ping: call(389, 'Answers at once: measures a round trip.', { value: i32 }, { result: i32 }),
});
