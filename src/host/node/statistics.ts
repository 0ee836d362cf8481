/** What `--stats` prints: one JSON object about a run (DESIGN §7). */
import { hottest, jitFigures } from '../../cpu/index.ts';
import type { ServerView } from '../../ipc/kernel-calls.ts';
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
  /** Translated code of this Node.js process; shares of the instructions in samples, by where those ended. */
  readonly jit: {
    readonly regions: number;
    readonly memory: number;
    readonly translated: number;
    readonly reused: number;
    readonly loaded: number;
    readonly evicted: number;
    readonly guestInstructions: number;
    readonly bytes: number;
    readonly compileMs: number;
    /** Of the instructions executed. */
    readonly share: { readonly jit: number; readonly interpreter: number };
  };
  readonly servers: Readonly<Record<string, Omit<ServerView, 'name'>>>;
}

const jit = (instructions: number): Statistics['jit'] => {
  const { units, memory, translated, reused, loaded, evicted, bytes, ...f } = jitFigures();
  // What no sample saw was too little to be translated.
  const share = Math.round((1e4 * f.translatedShare) / Math.max(1, instructions, f.translatedShare)) / 1e4;
  return {
    regions: units,
    memory,
    translated,
    reused,
    loaded,
    evicted,
    guestInstructions: f.instructions,
    bytes,
    compileMs: Math.round(f.milliseconds * 1000) / 1000,
    share: { jit: share, interpreter: Math.round((1 - share) * 1e4) / 1e4 },
  };
};

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
    jit: jit(instructions),
    servers: Object.fromEntries(os.servers().map(({ name, ...rest }) => [name, rest])),
  };
};

/** What `--hot` prints: the regions in which the most instructions were executed, as assembly and WebAssembly. */
export const hotRegions = (count: number): string => `${[...hottest(count)].join('\n')}\n`;
