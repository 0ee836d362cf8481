/** What a kernel is made with. */
import type { Syscall } from '../abi/syscall.ts';
import type { ServerDefinition } from '../ipc/server.ts';
import type { ChaosPhase } from '../ipc/server-loop.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { EngineFactory } from './windows.ts';

/** Guest memory in bytes where nothing is said. */
export const DEFAULT_MEMORY = 1 << 30;

export interface KernelOptions {
  /** The servers: the kernel knows them only by their definitions. */
  readonly servers: {
    readonly vfs: ServerDefinition;
    readonly process: ServerDefinition;
    readonly memory: ServerDefinition;
  };
  /** Whether frames to servers are sealed; default sealed. */
  readonly ipc?: 'sealed' | 'direct';
  /** Guest memory in bytes; default 1 GiB. */
  readonly memory?: number;
  /** Bytes of file pages kept for mappings; default 64 MiB. */
  readonly pageCache?: number;
  readonly hostname?: string;
  /** Random addresses for programs (placement.ts): a number is the seed of their choice; default: none. */
  readonly aslr?: boolean | number;
  /** Processes at once, zombies and servers included; default by memory (abi/resource.ts, maximalTasks). */
  readonly processes?: number;
  /** Program of PID 1; default /sbin/init. */
  readonly init?: { readonly path: string; readonly argv?: readonly string[]; readonly env?: readonly string[] };
  readonly tracer?: Tracer;
  /** Receives a line for every message. */
  readonly ipcLog?: (line: string) => void;
  readonly createEngine?: EngineFactory;
  /** Another system call table (tests). */
  readonly syscalls?: Readonly<Record<string, Syscall>>;
  /** What is to go wrong (chaos/spec.ts), or a hook that may make servers crash (tests). */
  readonly chaos?: string | ((server: string, call: string, phase: ChaosPhase) => void);
}
