/**
 * The system call table: every call that XINIM answers, by name (syscall.ts says how one is declared). Dispatch, strace and
 * docs/generated/syscalls.md derive from it; a number that is not here answers ENOSYS.
 */
import type { Syscall } from './syscall.ts';
import { eventSyscalls } from './syscalls/events.ts';
import { kernelSyscalls } from './syscalls/kernel.ts';
import { memorySyscalls } from './syscalls/memory.ts';
import { mqueueSyscalls } from './syscalls/mqueue.ts';
import { processSyscalls } from './syscalls/process.ts';
import { socketSyscalls } from './syscalls/sockets.ts';
import { sysvSyscalls } from './syscalls/sysv.ts';
import { vfsSyscalls } from './syscalls/vfs.ts';

export const syscalls: Readonly<Record<string, Syscall>> = {
  ...vfsSyscalls,
  ...eventSyscalls,
  ...socketSyscalls,
  ...mqueueSyscalls,
  ...processSyscalls,
  ...memorySyscalls,
  ...sysvSyscalls,
  ...kernelSyscalls,
};
