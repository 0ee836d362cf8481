/**
 * Policy: who may ask what of whom. One declared table a question; nothing else in the system grants anything.
 *
 *     kernel          → any server      every call of its protocol
 *     server          → kernel          the kernel calls of its row below
 *     user endpoint   → user endpoint   lattice_connect, lattice_send, lattice_recv, lattice_close
 *     anything else                     EPERM
 *
 * Entry points: `mayCall` (server → kernel), `maySend` (endpoint → endpoint). The tables are exhaustive by type: a new kernel
 * call does not compile until it stands in `KERNEL_CALLS`.
 */
import type { KernelCalls } from './kernel-calls.ts';

export const KERNEL_PID = 0;
export const INIT_PID = 1;
export const VFS_PID = 2;
export const PROCESS_PID = 3;
export const MEMORY_PID = 4;
/** The first PID of a user process. */
export const FIRST_USER_PID = 5;
/** User endpoints are numbered from here; below are the kernel and servers, by PID. */
export const FIRST_USER_ENDPOINT = 1000;

/** The server PIDs with privileges. */
const SERVERS = [VFS_PID, PROCESS_PID, MEMORY_PID] as const;
type ServerPid = (typeof SERVERS)[number];

const everyone: readonly ServerPid[] = SERVERS;
const vfs: readonly ServerPid[] = [VFS_PID];
const process: readonly ServerPid[] = [PROCESS_PID];
const memory: readonly ServerPid[] = [MEMORY_PID];

/** For each kernel call the servers that may make it. */
export const KERNEL_CALLS: { readonly [K in keyof KernelCalls]: readonly ServerPid[] } = {
  process: everyone,
  processes: everyone,
  threads: everyone,
  system: everyone,
  servers: everyone,
  log: everyone,

  createProcess: process,
  setIdentity: process,
  destroyProcess: process,
  dumpCore: process,
  forgetProcess: process,
  deliverSignal: process,
  interrupt: process,
  stopProcess: process,
  continueProcess: process,
  nameThread: process,
  setPriority: process,
  pidfd: [VFS_PID, PROCESS_PID],

  mapPages: memory,
  unmapPages: memory,
  changeProtection: memory,
  movePages: memory,
  discardPages: memory,
  populatePages: memory,
  residentPages: memory,
  syncPages: memory,
  forkMemory: memory,
  shareMemory: memory,
  leaveMemory: memory,
  setHeap: memory,
  createShared: memory,
  releaseShared: memory,

  allocFd: vfs,
  freeFd: vfs,
  dupFd: vfs,
  fd: vfs,
  setCloseOnExec: vfs,
  fds: vfs,
  copyFds: vfs,
  watchSignals: vfs,
  takeSignal: vfs,
  bindPidfd: vfs,
  releasePidfd: vfs,
  pidfdTarget: vfs,
  raiseSignal: vfs,
  raiseIo: vfs,
  setTerminal: vfs,
  readMemory: vfs,
  mappings: vfs,
  thread: vfs,
  residentBytes: vfs,
  pullPages: vfs,
  invalidatePages: vfs,
  consoleWrite: vfs,
};

const allowed = new Map<string, ReadonlySet<number>>(
  Object.entries(KERNEL_CALLS).map(([name, pids]) => [name, new Set<number>(pids)]),
);

/** Whether the server may make the kernel call. False for anybody who is no server and for names that are no call. */
export const mayCall = (serverPid: number, kernelCall: keyof KernelCalls | (string & {})): boolean =>
  allowed.get(kernelCall)?.has(serverPid) ?? false;

/** The names of all kernel calls, in the order of the table. */
export const kernelCallNames = Object.keys(KERNEL_CALLS) as readonly (keyof KernelCalls)[];

/** Whether an endpoint may open a channel to another and send requests or messages through it. */
export const maySend = (from: number, to: number): boolean => {
  if (from === to) return false;
  if (from === KERNEL_PID) return (SERVERS as readonly number[]).includes(to);
  return from >= FIRST_USER_ENDPOINT && to >= FIRST_USER_ENDPOINT;
};
