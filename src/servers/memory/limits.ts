/** What a process may still take: RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK and the number of regions (setrlimit(2), mlock(2)). */
import { CAP_IPC_LOCK, capabilityBit } from '../../abi/credentials.ts';
import { type EAGAIN, ENOMEM, EPERM, Errno } from '../../abi/errno.ts';
import { MAX_MAP_COUNT } from '../../abi/mman.ts';
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK } from '../../abi/resource.ts';
import { isData } from './regions.ts';
import { getProcess, limitOf, type MemoryServer } from './state.ts';

/** Whether `bytes` more may be mapped so. ENOMEM. */
export const mayMap = (m: MemoryServer, pid: number, bytes: number, prot: number, flags: number): Errno | undefined => {
  const process = getProcess(m, pid);
  if (m.regions.count(pid) >= MAX_MAP_COUNT) return ENOMEM;
  if (process.virtualBytes + bytes > limitOf(m, pid, RLIMIT_AS)) return ENOMEM;
  if (isData(prot, flags) && process.dataBytes + bytes > limitOf(m, pid, RLIMIT_DATA)) return ENOMEM;
  return undefined;
};

/** Whether `bytes` that are mapped already may become private writable memory. ENOMEM. */
export const mayBecomeData = (m: MemoryServer, pid: number, bytes: number): Errno | undefined =>
  getProcess(m, pid).dataBytes + bytes > limitOf(m, pid, RLIMIT_DATA) ? ENOMEM : undefined;

const privileged = (m: MemoryServer, pid: number): boolean => {
  const process = m.context.kernel.process(pid);
  return !(process instanceof Errno) && (process.capabilities.effective & capabilityBit(CAP_IPC_LOCK)) !== 0n;
};

/** Whether `bytes` more may be locked. EPERM if the process may lock nothing, `excess` if it has locked enough. */
export const mayLock = (
  m: MemoryServer,
  pid: number,
  bytes: number,
  excess: typeof EAGAIN | typeof ENOMEM,
): Errno | undefined => {
  if (privileged(m, pid)) return undefined;
  const limit = limitOf(m, pid, RLIMIT_MEMLOCK);
  if (limit === 0) return EPERM;
  return getProcess(m, pid).lockedBytes + bytes > limit ? excess : undefined;
};
