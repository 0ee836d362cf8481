/** uname(2), sysinfo(2), sethostname(2), setdomainname(2), getrandom(2), getcpu(2). */
import { EFAULT, EINVAL, EPERM, Errno } from '../../abi/errno.ts';
import { KERNEL_RELEASE, KERNEL_VERSION } from '../../abi/release.ts';
import type { Kernel } from '../kernel.ts';
import { systemView } from '../kernel-calls/views.ts';
import type { Thread } from '../thread.ts';
import type { KernelCall } from './call.ts';

const FIELD = 65;
/** What uname(2) tells. Programs that ask for a Linux version find the interface that we follow. */
export const SYSTEM_NAME = {
  sysname: 'Linux',
  release: KERNEL_RELEASE,
  version: KERNEL_VERSION,
  machine: 'x86_64',
} as const;

const putText = (bytes: Uint8Array, at: number, text: string): void => {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
};

export const uname: KernelCall = (kernel, thread, { buf }: { buf: number }) => {
  const bytes = new Uint8Array(6 * FIELD);
  const { sysname, release, version, machine } = SYSTEM_NAME;
  [sysname, kernel.hostname, release, version, machine, kernel.domainname].forEach((text, index) => {
    putText(bytes, index * FIELD, text.slice(0, FIELD - 1));
  });
  return thread.process.memory.write(buf, bytes) ?? 0;
};

const nameArgument = (thread: Thread, address: number, length: number): string | Errno => {
  if (thread.process.identity.euid !== 0) return EPERM;
  if (length < 0 || length > FIELD - 1) return EINVAL;
  const bytes = thread.process.memory.read(address, length);
  return bytes instanceof Errno ? EFAULT : String.fromCharCode(...bytes).split('\0')[0];
};

export const sethostname: KernelCall = (kernel, thread, { name, length }: { name: number; length: number }) => {
  const text = nameArgument(thread, name, length);
  if (text instanceof Errno) return text;
  kernel.hostname = text;
  return 0;
};

export const setdomainname: KernelCall = (kernel, thread, { name, length }: { name: number; length: number }) => {
  const text = nameArgument(thread, name, length);
  if (text instanceof Errno) return text;
  kernel.domainname = text;
  return 0;
};

export const sysinfo: KernelCall = (kernel, thread, { info }: { info: number }) => {
  const system = systemView(kernel);
  const view = new DataView(new ArrayBuffer(112));
  const put = (at: number, value: number): void => view.setBigUint64(at, BigInt(Math.floor(value)), true);
  put(0, system.uptime / 1e9);
  system.load.forEach((load, index) => {
    put(8 + index * 8, load * 65_536);
  });
  put(32, system.memoryTotal);
  put(40, system.memoryFree);
  view.setUint16(80, kernel.processes.size, true);
  view.setUint32(104, 1, true);
  return thread.process.memory.write(info, new Uint8Array(view.buffer)) ?? 0;
};

const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
/** A transfer is cut into pieces of this size; an error after the first piece is a short count. */
const RANDOM_PIECE = 256 * 1024;
const MAX_RANDOM = 0x1ff_ffff;

export const getrandom: KernelCall = (
  kernel: Kernel,
  thread,
  { buf, count, flags }: { buf: number; count: number; flags: number },
) => {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return EINVAL;
  if ((flags & GRND_RANDOM) !== 0 && (flags & GRND_INSECURE) !== 0) return EINVAL;
  const total = Math.min(count, MAX_RANDOM);
  let done = 0;
  while (done < total) {
    const piece = kernel.platform.entropy(Math.min(RANDOM_PIECE, total - done));
    const written = thread.process.memory.writeSome(buf + done, piece);
    done += written;
    if (written < piece.length) break;
  }
  return done === 0 && total > 0 ? EFAULT : done;
};

export const getcpu: KernelCall = (_kernel, thread, { cpu, node }: { cpu: number; node: number }) => {
  const zero = new Uint8Array(4);
  for (const address of [cpu, node])
    if (address !== 0 && thread.process.memory.write(address, zero) instanceof Errno) return EFAULT;
  return 0;
};
