/**
 * The VFS over the kernel's store with the rest of the kernel left out: processes are identities with descriptor tables,
 * buffers are byte arrays behind grants, sleeping calls are objects that run again when their channels are woken.
 */
import { NO_CAPABILITIES, ROOT_CAPABILITIES } from '../../../abi/credentials.ts';
import { EBADF, EFAULT, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import type { HostDirectory } from '../../../fs/host/directory.ts';
import { encodePopulate, type PopulateEntry } from '../../../fs/populate.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { KernelCalls, MappingView, ProcessView } from '../../../ipc/kernel-calls.ts';
import { type Delivery, type Outcome, type ServerContext, Wait } from '../../../ipc/server.ts';
import { DescriptorTable } from '../../../kernel/descriptors.ts';
import { TransactionalStore } from '../../../kernel/store/store.ts';
import { UndoLog } from '../../../kernel/store/undo.ts';
import { createVfs, type VfsHandlers } from '../index.ts';

type CallName = keyof VfsHandlers;
type Request<K extends CallName> = Parameters<VfsHandlers[K]>[0];
export type Reply<K extends CallName> = Exclude<ReturnType<VfsHandlers[K]>, Wait>;

const NO_LIMITS: readonly (readonly [number, number])[] = Array.from({ length: 16 }, () => [Infinity, Infinity]);

interface TestProcess {
  view: ProcessView;
  readonly files: DescriptorTable;
}

/** A call that sleeps, or slept: `outcome` is there when it has been answered. */
export class Sleeper {
  outcome: unknown;
  reason: Delivery['reason'] = 'first';
  wait: Wait | undefined;
  constructor(
    readonly caller: { pid: number; tid: number },
    readonly since: number,
    readonly run: (call: Delivery) => Outcome<unknown>,
  ) {}
  get sleeps(): boolean {
    return this.wait !== undefined;
  }
}

export class VfsMachine {
  readonly log = new UndoLog();
  readonly store = new TransactionalStore(this.log);
  readonly processes = new Map<number, TestProcess>();
  readonly signals: { target: number; signal: number; toProcess: boolean }[] = [];
  readonly lines: string[] = [];
  readonly mappings = new Map<number, MappingView[]>();
  readonly memories = new Map<number, Uint8Array>();
  readonly invalidated: [object: number, offset: number, length: number][] = [];
  console = '';
  /** How many bytes the console takes before it is full. */
  consoleRoom = Infinity;
  now = 1_000_000_000;
  handlers: VfsHandlers;
  readonly #pidfds = new Map<number, number>();
  readonly #grants = new Map<number, Uint8Array>();
  #lastGrant = 0;
  #woken = new Set<string>();
  #sleepers: Sleeper[] = [];
  readonly #host: ((source: string) => HostDirectory | undefined) | undefined;

  constructor(host?: (source: string) => HostDirectory | undefined) {
    this.#host = host;
    this.handlers = createVfs(this.#context(), { hostDirectory: host });
  }

  /** A fresh instance over the same store, as after a crash. */
  restart(): void {
    this.handlers = createVfs(this.#context(), { hostDirectory: this.#host });
  }

  process(pid: number, change: Partial<ProcessView> = {}): void {
    const uid = change.uid ?? 0;
    const gid = change.gid ?? uid;
    const view: ProcessView = {
      pid,
      ppid: 1,
      pgid: pid,
      sid: pid,
      uid,
      euid: uid,
      suid: uid,
      fsuid: uid,
      gid,
      egid: gid,
      sgid: gid,
      fsgid: gid,
      groups: [],
      capabilities: (change.fsuid ?? uid) === 0 ? ROOT_CAPABILITIES : NO_CAPABILITIES,
      noNewPrivileges: false,
      seccomp: 0,
      limits: NO_LIMITS,
      name: 'test',
      nice: 0,
      state: 'R',
      blocked: 0n,
      ignored: 0n,
      caught: 0n,
      pending: 0n,
      queue: [],
      terminal: 0,
      userTime: 0,
      systemTime: 0,
      startTime: 0,
      virtualBytes: 0,
      residentPages: 0,
      minorFaults: 0,
      majorFaults: 0,
      threads: 1,
      threadIds: [pid],
      auxiliary: new Uint8Array(0),
      executable: '/bin/test',
      argumentsStart: 0,
      argumentsEnd: 0,
      environmentStart: 0,
      environmentEnd: 0,
      stackStart: 0,
      heapStart: 0,
      heapEnd: 0,
      kernel: false,
      ...change,
    };
    const files = new DescriptorTable(() => this.processes.get(pid)!.view.limits[7][0]);
    this.processes.set(pid, { view, files });
  }

  change(pid: number, change: Partial<ProcessView>): void {
    const process = this.processes.get(pid)!;
    process.view = { ...process.view, ...change };
  }

  /** Makes a grant over a buffer. */
  grant(bytes: Uint8Array): Grant {
    this.#grants.set(++this.#lastGrant, bytes);
    return { id: this.#lastGrant, length: bytes.length };
  }

  /** A grant of memory that is not accessible. */
  badGrant(length: number): Grant {
    return { id: 999_999, length };
  }

  /** Runs a call that must not sleep. */
  call<K extends CallName>(name: K, pid: number, request: Request<K>): Reply<K> {
    const sleeper = this.start(name, pid, request);
    if (sleeper.sleeps) throw new Error(`${name} sleeps on ${sleeper.wait?.channels.join(', ')}`);
    return sleeper.outcome as Reply<K>;
  }

  /** Runs a call that may sleep. */
  start<K extends CallName>(name: K, pid: number, request: Request<K>, tid = pid): Sleeper {
    const handler = this.handlers[name] as (request: Request<K>, call: Delivery) => Outcome<unknown>;
    const sleeper = new Sleeper({ pid, tid }, this.now, (call) => handler(request, call));
    this.#deliver(sleeper, 'first');
    return sleeper;
  }

  /** A signal interrupts a sleeping call. */
  cancel(sleeper: Sleeper): void {
    this.#deliver(sleeper, 'cancelled');
  }

  advance(nanoseconds: number): void {
    this.now += nanoseconds;
    for (const sleeper of [...this.#sleepers]) {
      const deadline = sleeper.wait?.deadline;
      if (deadline !== undefined && deadline <= this.now) this.#deliver(sleeper, 'timeout');
    }
  }

  populate(entries: readonly PopulateEntry[]): Errno | { result: number } {
    const encoded = encodePopulate(entries);
    return this.call('populate', 0, {
      entries: this.grant(encoded.entries),
      data: this.grant(encoded.data),
    }) as Errno | { result: number };
  }

  #deliver(sleeper: Sleeper, reason: Delivery['reason']): void {
    const state = sleeper.wait?.state ?? 0;
    const { caller, since } = sleeper;
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    this.log.begin();
    let outcome: Outcome<unknown>;
    try {
      outcome = sleeper.run({ caller, reason, state, since });
    } catch (error) {
      this.log.rollback();
      throw error;
    }
    this.log.commit();
    if (outcome instanceof Wait && reason !== 'cancelled') {
      sleeper.wait = outcome;
      this.#sleepers.push(sleeper);
    } else {
      sleeper.wait = undefined;
      sleeper.outcome = outcome instanceof Wait ? Errno.of(4) : outcome;
    }
    this.#runWoken();
  }

  #runWoken(): void {
    while (this.#woken.size > 0) {
      const woken = this.#woken;
      this.#woken = new Set();
      for (const sleeper of [...this.#sleepers])
        if (sleeper.wait?.channels.some((channel) => woken.has(channel))) this.#deliver(sleeper, 'woken');
    }
  }

  #context(): ServerContext {
    return {
      store: this.store,
      kernel: this.#kernel(),
      now: () => this.now,
      realtime: () => ({
        seconds: 1_700_000_000 + Math.floor(this.now / 1e9),
        nanoseconds: this.now % 1e9,
      }),
      copyIn: (grant, offset, length): Result<Uint8Array> => {
        const bytes = this.#grants.get(grant.id);
        if (bytes === undefined || offset + length > bytes.length) return EFAULT;
        return bytes.slice(offset, offset + length);
      },
      copyOut: (grant, offset, from, length = from.length): Result<number> => {
        const bytes = this.#grants.get(grant.id);
        if (bytes === undefined || offset + length > bytes.length) return EFAULT;
        bytes.set(from.subarray(0, length), offset);
        return length;
      },
      wake: (channel) => this.log.afterCommit(() => this.#woken.add(channel)),
      random: (length) => Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 0xff),
    };
  }

  #kernel(): KernelCalls {
    const files = (pid: number): DescriptorTable | undefined => this.processes.get(pid)?.files;
    const part: Partial<KernelCalls> = {
      process: (pid) => this.processes.get(pid)?.view ?? ESRCH,
      processes: () => [...this.processes.keys()].sort((a, b) => a - b),
      system: () => ({
        randomised: false,
        bootTime: { seconds: 1_700_000_000, nanoseconds: 0 },
        uptime: this.now,
        idleTime: 0,
        userTime: 0,
        systemTime: 0,
        memoryTotal: 64 << 20,
        memoryFree: 32 << 20,
        contextSwitches: 0,
        forks: 0,
        load: [0, 0, 0],
        running: 1,
        lastPid: 5,
        hostname: 'xinim',
      }),
      servers: () => [
        {
          name: 'vfs',
          pid: 2,
          health: 'up',
          requests: 7,
          pending: 1,
          restarts: 1,
          rejected: 0,
          lost: 0,
          recovery: { median: 2000, p99: 2000 },
          history: [{ at: 1_500_000, call: 'open', reason: 'Error: a\nb', duration: 2000 }],
        },
      ],
      log: (line) => void this.lines.push(line),
      allocFd: (pid, file, minimum, cloexec) => files(pid)?.allocate(this.log, file, minimum, cloexec) ?? ESRCH,
      freeFd: (pid, fd) => files(pid)?.free(this.log, fd) ?? ESRCH,
      dupFd: (pid, from, to, cloexec) => files(pid)?.duplicate(this.log, from, to, cloexec) ?? ESRCH,
      fd: (pid, fd) => files(pid)?.get(fd) ?? EBADF,
      setCloseOnExec: (pid, fd, on) => {
        const table = files(pid);
        return table === undefined ? ESRCH : table.setCloseOnExec(this.log, fd, on);
      },
      fds: (pid) => files(pid)?.list() ?? [],
      copyFds: (parent, child) => files(child)!.copyFrom(this.log, files(parent)!),
      watchSignals: () => undefined,
      takeSignal: () => undefined,
      bindPidfd: (file, target) => {
        if (!this.processes.has(target) && !this.#pidfds.has(file)) return ESRCH;
        if (!this.#pidfds.has(file)) this.#pidfds.set(file, target);
      },
      releasePidfd: (file) => void this.#pidfds.delete(file),
      pidfdTarget: (file) => this.processes.get(this.#pidfds.get(file) ?? -1)?.view ?? ESRCH,
      raiseSignal: (target, signal, toProcess) =>
        this.log.afterCommit(() => this.signals.push({ target, signal, toProcess: toProcess ?? false })),
      setTerminal: (sid, terminal, only) => {
        for (const [pid, process] of this.processes)
          if (process.view.sid === sid && (only ?? pid) === pid) this.change(pid, { terminal });
      },
      readMemory: (pid, address, length) => this.memories.get(pid)?.slice(address, address + length) ?? EFAULT,
      thread: () => ESRCH,
      residentBytes: () => 0,
      mappings: (pid) => this.mappings.get(pid) ?? [],
      pullPages: () => undefined,
      invalidatePages: (object, offset, length) => void this.invalidated.push([object, offset, length]),
      consoleWrite: (_terminal, bytes) => {
        const count = Math.min(bytes.length, this.consoleRoom);
        this.consoleRoom -= count;
        for (let i = 0; i < count; i++) this.console += String.fromCharCode(bytes[i]);
        return count;
      },
    };
    return part as KernelCalls;
  }
}
