/** What `--stats` prints: one JSON object about a run (DESIGN §7). */
import { systemView } from '../../kernel/kernel-calls/views.ts';
import type { Xinim } from './xinim.ts';

export interface Statistics {
  readonly bootMs: number;
  /** Guest instructions retired. */
  readonly instructions: number;
  /** Calls by name; those that the table lacks by number, answered ENOSYS. */
  readonly syscalls: Readonly<Record<string, number>>;
  readonly ipc: {
    readonly messages: number;
    readonly roundTrips: number;
    readonly bytes: number;
    readonly rejected: number;
  };
  readonly pages: { readonly resident: number; readonly limit: number };
  readonly processes: { readonly forks: number; readonly contextSwitches: number };
  readonly servers: Readonly<Record<string, { readonly requests: number; readonly restarts: number }>>;
}

export const statistics = (os: Xinim, bootMs: number): Statistics => {
  const { kernel } = os.system;
  const ports = kernel.ports.map(({ name, statistics: figures }) => ({ name, ...figures }));
  const sum = (take: (port: (typeof ports)[number]) => number): number =>
    ports.reduce((total, port) => total + take(port), 0);
  const system = systemView(kernel);
  let instructions = kernel.retired;
  for (const process of kernel.processes.values()) instructions += process.retired;
  return {
    bootMs: Math.round(bootMs * 1000) / 1000,
    instructions,
    syscalls: kernel.dispatch.statistics(),
    ipc: {
      messages: sum((port) => port.requests) * 2,
      roundTrips: sum((port) => port.requests),
      bytes: sum((port) => port.bytes),
      rejected: sum((port) => port.rejected),
    },
    pages: {
      resident: (system.memoryTotal - system.memoryFree) / 4096,
      limit: system.memoryTotal / 4096,
    },
    processes: { forks: kernel.counters.forks, contextSwitches: kernel.counters.contextSwitches },
    servers: Object.fromEntries(ports.map(({ name, requests, restarts }) => [name, { requests, restarts }])),
  };
};
