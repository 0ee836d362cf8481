/** Kernel calls that only look: processes, the system, the log. */
import { ESRCH, type Result } from '../../abi/errno.ts';
import type { KernelCalls, ProcessView, ServerView, SystemView, ThreadView } from '../../ipc/kernel-calls.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import type { Server } from '../server-slot.ts';
import type { Thread } from '../thread.ts';

/** A process that has not been reaped. */
export const living = (kernel: Kernel, pid: number): Process | undefined => kernel.processes.get(pid);

export const systemView = (kernel: Kernel): SystemView => {
  const { counters, machine, scheduler } = kernel;
  const total = Number.isFinite(machine.limitPages) ? machine.limitPages : 2 ** 32;
  return {
    bootTime: kernel.time.bootTime,
    uptime: kernel.now(),
    idleTime: counters.idle,
    userTime: counters.user,
    systemTime: counters.system,
    memoryTotal: total * PAGE_SIZE,
    memoryFree: Math.max(0, total - machine.usedPages) * PAGE_SIZE,
    contextSwitches: counters.contextSwitches,
    forks: counters.forks,
    load: [...scheduler.load],
    running: scheduler.ready + (kernel.runner.current === undefined ? 0 : 1),
    lastPid: counters.lastPid,
    hostname: kernel.hostname,
    randomised: kernel.placement.isRandom,
  };
};

export const serverViews = (kernel: Kernel): readonly ServerView[] =>
  kernel.ports.map(({ name, pid, health, statistics: { requests, pending, restarts, rejected, lost } }) => ({
    name,
    pid,
    health: health.state,
    requests,
    pending,
    restarts,
    rejected,
    lost,
    recovery: { median: health.recoveries.quantile(0.5), p99: health.recoveries.quantile(0.99) },
    history: [...health.history],
  }));

/** A thread as servers see it. */
export const threadView = ({ tid, state, userTime, systemTime, nice, name, process }: Thread): ThreadView => ({
  pid: process.pid,
  tid,
  name: tid === process.pid ? process.identity.name : name,
  nice,
  state: state === 'running' || state === 'ready' ? 'R' : 'S',
  userTime,
  systemTime,
});

export const viewCalls = (
  kernel: Kernel,
  server: Server,
): Pick<KernelCalls, 'process' | 'processes' | 'threads' | 'system' | 'servers' | 'log'> => ({
  process: (pid): Result<ProcessView> => living(kernel, pid)?.view ?? ESRCH,
  processes: () => [...kernel.processes.keys()].sort((a, b) => a - b),
  threads: (pid) => (living(kernel, pid)?.threads ?? []).map(threadView),
  system: () => systemView(kernel),
  servers: () => serverViews(kernel),
  log: (line) => kernel.log(`${server.name}: ${line}`),
});
