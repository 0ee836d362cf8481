/**
 * The kernel: a synchronous state machine that owns processes, threads, memory and the servers' stores, and knows no timers,
 * promises or platform (DESIGN §5). This file holds the parts together; each aspect has its own.
 *
 *     run.ts          executes threads until the budget is spent or all sleep
 *     dispatch.ts     system calls        page-faults.ts  faults         signals.ts  handlers and sigreturn
 *     flows.ts        what crosses servers in several steps: fork.ts, exit.ts, exec/, spawn.ts, boot.ts
 *     kernel-calls/   what servers ask    grants.ts       copies between servers and processes
 *
 * Host API: `new Kernel(platform, options)`, `boot`, `run`, `spawn`, `request`, `grantBytes`. A host calls `run` until it
 * is idle, waits until the time it names or an event of its own, and calls it again.
 *
 * Invariant: nothing here is re-entered from a server's handler except the kernel calls. What a handler or a commit causes
 * besides is queued (`later`) and done by `drain`, when no handler runs.
 */
import type { Errno } from '../abi/errno.ts';
import type { ServerName } from '../abi/syscall.ts';
import { syscalls } from '../abi/syscalls.ts';
import { createEngine } from '../cpu/index.ts';
import type { Grant } from '../ipc/fields.ts';
import { Pending, type ServerPort } from '../ipc/port.ts';
import type { Caller } from '../ipc/server.ts';
import { PAGE_SIZE } from '../memory/layout.ts';
import { Machine } from '../memory/machine.ts';
import type { Tracer } from '../trace/tracer.ts';
import { boot, startServers } from './boot.ts';
import { kernelCallTable } from './calls/index.ts';
import { Dispatch } from './dispatch.ts';
import { FutexTable } from './futex.ts';
import { Grants } from './grants.ts';
import { DEFAULT_MEMORY, type KernelOptions } from './options.ts';
import { PageFaults } from './page-faults.ts';
import type { Pidfd } from './pidfds.ts';
import { Placement } from './placement.ts';
import type { Platform } from './platform.ts';
import { createServers } from './ports.ts';
import type { Process } from './process.ts';
import { Runner, type RunResult } from './run.ts';
import { Scheduler } from './scheduler.ts';
import type { Answer, Server } from './server-slot.ts';
import { Sleepers } from './sleepers.ts';
import { type Spawned, type SpawnOptions, spawn } from './spawn.ts';
import { UndoLog } from './store/undo.ts';
import type { Thread } from './thread.ts';
import { Timekeeper, type TimeOfDay } from './timekeeper.ts';
import { VDSO_OBJECT, Vdso } from './vdso/vdso.ts';
import { Windows } from './windows.ts';

/** The kernel as a sender. */
export const KERNEL: Caller = Object.freeze({ pid: 0, tid: 0 });

export class Kernel {
  readonly platform: Platform;
  readonly options: KernelOptions;
  readonly undo = new UndoLog();
  readonly machine: Machine;
  readonly windows: Windows;
  readonly processes = new Map<number, Process>();
  readonly scheduler = new Scheduler();
  readonly sleepers = new Sleepers();
  readonly futexes: FutexTable;
  readonly grants: Grants;
  readonly faults: PageFaults;
  readonly dispatch: Dispatch;
  readonly runner: Runner;
  readonly servers: readonly Server[];
  readonly vfs: Server;
  readonly pm: Server;
  readonly mm: Server;
  /** Prints system calls; undefined while nobody watches. */
  tracer: Tracer | undefined;
  hostname: string;
  domainname = '(none)';
  readonly time: Timekeeper;
  readonly vdso: Vdso;
  readonly placement: Placement;
  readonly counters = { forks: 0, contextSwitches: 0, faults: 0, lastPid: 0, idle: 0, user: 0, system: 0 };
  /** What pidfds stand for, by open file of the VFS. */
  readonly pidfds = new Map<number, Pidfd>();
  /** Instructions retired by processes that have ended. */
  retired = 0;
  #work: (() => void)[] = [];

  constructor(platform: Platform, options: KernelOptions) {
    this.platform = platform;
    this.options = options;
    this.time = new Timekeeper(platform, () => this.vdso.changed());
    this.vdso = new Vdso(this);
    this.placement = new Placement(options.aslr ?? false, (length) => platform.entropy(length));
    this.hostname = options.hostname ?? 'xinim';
    this.tracer = options.tracer;
    this.machine = new Machine({ limitPages: Math.floor((options.memory ?? DEFAULT_MEMORY) / PAGE_SIZE) });
    this.machine.onFileUnused = (object) => {
      if (object === VDSO_OBJECT) this.machine.objects.forgetFile(object);
      else this.later(() => this.faults.fileUnused(object));
    };
    this.windows = new Windows(options.createEngine ?? createEngine, () => BigInt(Math.floor(this.now())));
    this.grants = new Grants(this.undo, (line) => this.log(line));
    this.futexes = new FutexTable(this);
    this.faults = new PageFaults(this, options.pageCache ?? 64 << 20);
    this.machine.filePage = (object, offset) =>
      object === VDSO_OBJECT ? this.vdso.page(offset) : this.faults.cache.page(object, offset);
    this.servers = createServers(this);
    this.vfs = this.server('vfs');
    this.pm = this.server('process');
    this.mm = this.server('memory');
    this.dispatch = new Dispatch(this, options.syscalls ?? syscalls, kernelCallTable);
    this.runner = new Runner(this);
    startServers(this);
  }

  /** Starts init on the root file system that the host has filled; `then` gets an error if it cannot be loaded. */
  boot(then: (failure: Errno | undefined) => void = () => {}): void {
    boot(this, then);
    this.drain();
  }

  /** Executes guest threads for about `milliseconds`, or until all sleep. */
  run(milliseconds: number): RunResult {
    return this.runner.run(milliseconds);
  }

  /** Starts a program for the host; see spawn.ts. */
  spawn(options: SpawnOptions, then: (spawned: Spawned | Errno) => void): void {
    spawn(this, options, then);
    this.drain();
  }

  /** Sends a request to a server on behalf of the kernel or, with `caller`, of a process. Grants in it die with the answer. */
  request(
    server: Server,
    call: string,
    values: Readonly<Record<string, unknown>>,
    then: Answer,
    caller: Caller = KERNEL,
  ): void {
    const outcome = server.port.requestUntyped(caller, call, values);
    const grants = server.grantFields(call);
    if (!(outcome instanceof Pending)) {
      for (const field of grants) this.#releaseGrant(values[field]);
      then(outcome);
      return;
    }
    server.waiting.set(outcome.token, (late) => {
      for (const field of grants) this.#releaseGrant(values[field]);
      then(late);
    });
  }

  /** As `request`, from outside of the run loop: what it sets in motion is done before this returns. */
  hostRequest(server: ServerName, call: string, values: Readonly<Record<string, unknown>>, then: Answer): void {
    this.request(this.server(server), call, values, then);
    this.drain();
  }

  /** Grants a server a buffer of the host for one request: `in` the server reads it, `out` it fills it. */
  grantBytes(server: ServerName, bytes: Uint8Array, direction: 'in' | 'out'): Grant {
    return this.grants.ofBytes(this.server(server), bytes, direction);
  }

  server(name: ServerName): Server {
    const found = this.servers.find((server) => server.name === name);
    if (found === undefined) throw new Error(`there is no server ${name}`);
    return found;
  }

  get ports(): readonly ServerPort[] {
    return this.servers.map((server) => server.port);
  }

  /** Nanoseconds since boot: the kernel's monotonic clock. */
  now(): number {
    return this.time.now();
  }

  realtime(): TimeOfDay {
    return this.time.realtime();
  }

  log(line: string): void {
    this.platform.log(line);
  }

  /** Has something done when no handler runs. */
  later(work: () => void): void {
    this.#work.push(work);
  }

  /** Does what was put off, and what that puts off. */
  drain(): void {
    while (this.#work.length > 0) {
      const work = this.#work;
      this.#work = [];
      for (const item of work) item();
    }
  }

  /** A sleeping thread can run again. */
  wake(thread: Thread): void {
    if (thread.state !== 'sleeping') return;
    thread.state = 'ready';
    if (!thread.process.stopped) this.scheduler.add(thread, true);
  }

  #releaseGrant(grant: unknown): void {
    if (grant !== null && grant !== undefined) this.grants.release((grant as Grant).id);
  }
}
