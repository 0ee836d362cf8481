import { describe, expect, it } from 'vitest';
import {
  FIRST_USER_ENDPOINT,
  KERNEL_CALLS,
  KERNEL_PID,
  kernelCallNames,
  MEMORY_PID,
  mayCall,
  maySend,
  PROCESS_PID,
  VFS_PID,
} from './policy.ts';

describe('policy', () => {
  it('lets only the memory manager map, only the process manager create and signal, only the VFS touch descriptors', () => {
    const only = (pid: number, ...calls: string[]): void => {
      for (const call of calls)
        for (const server of [VFS_PID, PROCESS_PID, MEMORY_PID])
          expect([call, server, mayCall(server, call)]).toEqual([call, server, server === pid]);
    };
    only(MEMORY_PID, 'mapPages', 'unmapPages', 'changeProtection', 'forkMemory');
    only(PROCESS_PID, 'createProcess', 'destroyProcess', 'deliverSignal', 'setIdentity');
    only(VFS_PID, 'allocFd', 'freeFd', 'dupFd', 'consoleWrite');
  });

  it('gives user processes, init and strangers no kernel call', () => {
    for (const call of kernelCallNames)
      for (const pid of [0, 1, 5, 6, 1000, -1]) expect([call, pid, mayCall(pid, call)]).toEqual([call, pid, false]);
    for (const name of ['', 'toString', 'constructor', '__proto__', 'mappages'])
      expect(mayCall(VFS_PID, name)).toBe(false);
  });

  it('grants every call to somebody', () => {
    for (const name of kernelCallNames) expect(KERNEL_CALLS[name].length).toBeGreaterThan(0);
  });

  it('lets the kernel reach servers and users reach users', () => {
    const user = FIRST_USER_ENDPOINT;
    expect(maySend(KERNEL_PID, VFS_PID)).toBe(true);
    expect(maySend(user, user + 1)).toBe(true);
    for (const [from, to] of [
      [VFS_PID, MEMORY_PID],
      [VFS_PID, KERNEL_PID],
      [user, VFS_PID],
      [user, KERNEL_PID],
      [KERNEL_PID, user],
      [5, user],
      [user, user],
    ])
      expect([from, to, maySend(from, to)]).toEqual([from, to, false]);
  });
});
