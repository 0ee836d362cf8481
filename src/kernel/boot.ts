/**
 * The boot of the reference: VFS (2), process manager (3), memory manager (4), then init (1). The root file system is the
 * host's to fill in between (vfs.populate), so the servers start with the kernel and `boot` starts init.
 */
import { NO_CAPABILITIES } from '../abi/credentials.ts';
import type { Errno } from '../abi/errno.ts';
import type { Identity } from '../ipc/kernel-calls.ts';
import type { Kernel } from './kernel.ts';
import { Process } from './process.ts';
import { spawn } from './spawn.ts';

const serverIdentity = (name: string): Identity => ({
  ppid: 0,
  pgid: 0,
  sid: 0,
  uid: 0,
  euid: 0,
  suid: 0,
  fsuid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  fsgid: 0,
  capabilities: NO_CAPABILITIES,
  noNewPrivileges: false,
  groups: [],
  limits: [],
  name,
  nice: 0,
  state: 'R',
  blocked: 0n,
  ignored: 0n,
  caught: 0n,
  pending: 0n,
  queue: [],
  terminal: 0,
});

/** Enters the servers into the process table and starts them, in the order of their PIDs. */
export const startServers = (kernel: Kernel): void => {
  for (const server of kernel.servers) {
    kernel.processes.set(server.pid, new Process(server.pid, serverIdentity(server.name), kernel.now(), true));
    server.createPort();
  }
  watchTimers(kernel);
  watchAlarms(kernel);
};

/** The process manager's request that sleeps until a timer is due; sent again should it ever be answered. */
const watchTimers = (kernel: Kernel): void =>
  kernel.request(kernel.pm, 'timers', {}, () => kernel.later(() => watchTimers(kernel)));

/** The same of the VFS, for timer descriptors. */
const watchAlarms = (kernel: Kernel): void =>
  kernel.request(kernel.vfs, 'alarms', {}, () => kernel.later(() => watchAlarms(kernel)));

export const boot = (kernel: Kernel, then: (failure: Errno | undefined) => void): void => {
  const { path, argv, env } = kernel.options.init ?? { path: '/sbin/init' };
  spawn(kernel, { path, argv: argv ?? [path], env: env ?? ['PATH=/bin:/sbin'] }, (spawned) =>
    then('pid' in spawned ? undefined : spawned),
  );
};
