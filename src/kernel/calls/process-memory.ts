/** process_vm_readv(2), process_vm_writev(2): copying between the memories of two processes. */
import { CAP_SYS_PTRACE, capabilityBit } from '../../abi/credentials.ts';
import { EFAULT, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../abi/errno.ts';
import type { Process } from '../process.ts';
import type { KernelCall } from './call.ts';

const VECTOR_MAX = 1024;
const IOVEC_BYTES = 16;
/** One call copies at most this much, as read(2) does. */
const TRANSFER_MAX = 0x7fff_f000;
const PAGE = 4096;

interface Arguments {
  readonly pid: number;
  readonly local: number;
  readonly localCount: number;
  readonly remote: number;
  readonly remoteCount: number;
  readonly flags: number;
}

interface Stretch {
  readonly address: number;
  readonly length: number;
}

/** Reads `struct iovec[]`. EINVAL for too many or a negative length, EFAULT. */
const stretches = (process: Process, address: number, count: number): Result<Stretch[]> => {
  if (count > VECTOR_MAX) return EINVAL;
  const table = process.memory.read(address, count * IOVEC_BYTES);
  if (table instanceof Errno) return count === 0 ? [] : EFAULT;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const found: Stretch[] = [];
  for (let at = 0; at < table.length; at += IOVEC_BYTES) {
    if (view.getInt32(at + 12, true) < 0) return EINVAL;
    found.push({ address: Number(view.getBigUint64(at, true)), length: Number(view.getBigUint64(at + 8, true)) });
  }
  return found;
};

/** ptrace(2), "Ptrace access mode checking". */
const mayInspect = (caller: Process, target: Process): boolean => {
  if (caller === target) return true;
  const { uid, gid, capabilities } = caller.identity;
  if ((capabilities.effective & capabilityBit(CAP_SYS_PTRACE)) !== 0n) return true;
  const { identity } = target;
  return (
    [identity.euid, identity.suid, identity.uid].every((id) => id === uid) &&
    [identity.egid, identity.sgid, identity.gid].every((id) => id === gid)
  );
};

/** Walks both vectors at once, page by page; stops at the first address that fails. Copying twice does no harm. */
const transfer = (
  from: Process,
  sources: readonly Stretch[],
  to: Process,
  targets: readonly Stretch[],
): number | Errno => {
  let moved = 0;
  let [source, sourceAt, target, targetAt] = [0, 0, 0, 0];
  while (source < sources.length && target < targets.length && moved < TRANSFER_MAX) {
    const left = Math.min(sources[source].length - sourceAt, targets[target].length - targetAt);
    if (left === 0) {
      if (sourceAt === sources[source].length) [source, sourceAt] = [source + 1, 0];
      else [target, targetAt] = [target + 1, 0];
      continue;
    }
    const address = sources[source].address + sourceAt;
    const count = Math.min(left, PAGE - (address % PAGE), TRANSFER_MAX - moved);
    const bytes = from.memory.read(address, count);
    if (bytes instanceof Errno) break;
    const written = to.memory.writeSome(targets[target].address + targetAt, bytes);
    moved += written;
    if (written < count) break;
    sourceAt += count;
    targetAt += count;
  }
  const wanted = sources.some(({ length }) => length > 0) && targets.some(({ length }) => length > 0);
  return moved === 0 && wanted ? EFAULT : moved;
};

const between =
  (writes: boolean): KernelCall =>
  (kernel, thread, args: Arguments) => {
    if (args.flags !== 0) return EINVAL;
    const { process } = thread;
    const local = stretches(process, args.local, args.localCount);
    if (local instanceof Errno) return local;
    const remote = stretches(process, args.remote, args.remoteCount);
    if (remote instanceof Errno) return remote;
    if (!local.some(({ length }) => length > 0) || !remote.some(({ length }) => length > 0)) return 0;
    const target = kernel.processes.get(args.pid);
    if (target === undefined || target.space === undefined) return ESRCH;
    if (!mayInspect(process, target)) return EPERM;
    return writes ? transfer(process, local, target, remote) : transfer(target, remote, process, local);
  };

export const process_vm_readv = between(false);
export const process_vm_writev = between(true);
