/**
 * A machine for tests of the process manager: the server over the real store, a kernel that records what it is asked, memory
 * behind grants, a clock that the test sets, and a request loop that sleeps, wakes, times out and cancels as ipc/server.ts
 * says. Each request is a transaction; with `crashing` set, each is first run to the end and rolled back, as though the
 * server had died before it could answer: nothing may differ.
 */
import { EFAULT, EINTR, Errno, ESRCH } from '../../../abi/errno.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Identity, KernelCalls, ProcessView, SignalFrame } from '../../../ipc/kernel-calls.ts';
import type { RequestOf } from '../../../ipc/protocol.ts';
import type { processProtocol } from '../../../ipc/protocols/process.ts';
import { type Delivery, type ServerContext, Wait } from '../../../ipc/server.ts';
import { TransactionalStore } from '../../../kernel/store/store.ts';
import { UndoLog } from '../../../kernel/store/undo.ts';
import { processServer } from '../index.ts';
import { createProcessTable } from '../process-table.ts';
import type { ProcessHandlers } from '../server.ts';

type Name = keyof ProcessHandlers;
type Request<K extends Name> = RequestOf<typeof processProtocol, K>;

/** A request that sleeps, or has been answered since. */
export class Sleeper {
  outcome: object | Errno | undefined;
  wait: Wait | undefined;
  constructor(
    readonly name: Name,
    readonly request: object,
    readonly tid: number,
    readonly pid: number,
    readonly since: number,
  ) {}
}

export class Machine {
  now = 1_000_000_000;
  readonly identities = new Map<number, Identity>();
  readonly cpu = new Map<number, { user: number; system: number }>();
  readonly frames: { pid: number; tid: number; frame: SignalFrame }[] = [];
  readonly calls: string[] = [];
  readonly log: string[] = [];
  /** Refuses the next createProcess with this. */
  refusal: Errno | undefined;
  readonly #undo = new UndoLog();
  readonly store = new TransactionalStore(this.#undo);
  readonly table: ReturnType<typeof createProcessTable>;
  readonly #memory = new Map<number, Uint8Array>();
  readonly #handlers: ProcessHandlers;
  readonly #sleepers = new Set<Sleeper>();
  #woken: string[] = [];
  #interrupted: number[] = [];
  #nextGrant = 1;

  constructor(readonly crashing = false) {
    this.table = createProcessTable(this.store);
    this.#handlers = processServer.create(this.#context()) as ProcessHandlers;
    this.kernel('spawn', { uid: 0, gid: 0, groups: new Uint8Array(0), name: 'init' });
  }

  /** A process of the host: PID 5 for the first. */
  spawn(uid = 0, gid = uid): number {
    return (this.kernel('spawn', { uid, gid, groups: new Uint8Array(0), name: 'program' }) as { child: number }).child;
  }

  fork(parent: number, flags = 0n, exitSignal = 17): number {
    const reply = this.kernel('fork', { parent, tid: parent, flags, exitSignal });
    if (reply instanceof Errno || reply instanceof Sleeper) throw new Error(`fork: ${reply}`);
    return (reply as { child: number }).child;
  }

  exit(pid: number, code = 0): void {
    this.kernel('exit', { pid, status: code << 8 });
  }

  /** Bytes of a process that a message may name. */
  grant(bytes: Uint8Array | number): Grant & { readonly bytes: Uint8Array } {
    const memory = typeof bytes === 'number' ? new Uint8Array(bytes) : bytes;
    const id = this.#nextGrant++;
    this.#memory.set(id, memory);
    return { id, length: memory.length, bytes: memory };
  }

  /** A grant whose memory is not accessible. */
  badGrant(length: number): Grant {
    return { id: this.#nextGrant++, length };
  }

  kernel<K extends Name>(name: K, request: Request<K>): object | Errno | Sleeper {
    return this.#send(0, 0, name, request);
  }

  /** A system call of a process's first thread, or of another one. */
  call<K extends Name>(pid: number, name: K, request: Request<K>, tid = pid): object | Errno | Sleeper {
    return this.#send(pid, tid, name, request);
  }

  /** The number a system call returns. */
  result<K extends Name>(pid: number, name: K, request: Request<K>): number {
    const reply = this.call(pid, name, request);
    if (reply instanceof Errno) return -reply.number;
    if (reply instanceof Sleeper) throw new Error(`${name} sleeps`);
    return (reply as { result: number }).result;
  }

  /** Lets time pass, running what comes due on the way. */
  advance(nanoseconds: number): void {
    const end = this.now + nanoseconds;
    for (;;) {
      let first: Sleeper | undefined;
      for (const sleeper of this.#sleepers) {
        const deadline = sleeper.wait?.deadline ?? Infinity;
        if (deadline <= end && deadline < (first?.wait?.deadline ?? Infinity)) first = sleeper;
      }
      if (first === undefined) break;
      this.now = Math.max(this.now, first.wait?.deadline ?? 0);
      this.#run(first, 'timeout');
      this.#settle();
    }
    this.now = end;
  }

  state(pid: number): string | undefined {
    return this.table.processes.get(pid)?.state;
  }

  #send(pid: number, tid: number, name: Name, request: object): object | Errno | Sleeper {
    const sleeper = new Sleeper(name, request, tid, pid, this.now);
    if (this.crashing) this.#rehearse(sleeper);
    this.#run(sleeper, 'first');
    this.#settle();
    return sleeper.outcome ?? sleeper;
  }

  #deliver(sleeper: Sleeper, reason: Delivery['reason']): object {
    const delivery: Delivery = {
      caller: { pid: sleeper.pid, tid: sleeper.tid },
      reason,
      state: sleeper.wait?.state ?? 0,
      since: sleeper.since,
    };
    const handler = this.#handlers[sleeper.name] as (request: object, call: Delivery) => object;
    return handler(sleeper.request, delivery);
  }

  #rehearse(sleeper: Sleeper): void {
    const identities = [...this.identities];
    const sleepers = [...this.#sleepers];
    const counts = [this.calls.length, this.frames.length];
    this.#undo.begin();
    this.#deliver(sleeper, 'first');
    this.#undo.rollback();
    this.identities.clear();
    for (const [pid, identity] of identities) this.identities.set(pid, identity);
    for (const other of sleepers) this.#sleepers.add(other);
    this.calls.length = counts[0];
    this.frames.length = counts[1];
    this.#woken = [];
    this.#interrupted = [];
  }

  #run(sleeper: Sleeper, reason: Delivery['reason']): void {
    this.#sleepers.delete(sleeper);
    this.#undo.begin();
    const outcome = this.#deliver(sleeper, reason);
    this.#undo.commit();
    if (!(outcome instanceof Wait)) sleeper.outcome = outcome;
    else if (reason === 'cancelled') sleeper.outcome = EINTR;
    else {
      sleeper.wait = outcome;
      this.#sleepers.add(sleeper);
    }
  }

  /** Wakes and cancels until all is quiet. */
  #settle(): void {
    while (this.#woken.length > 0 || this.#interrupted.length > 0) {
      const channels = this.#woken;
      const tids = this.#interrupted;
      this.#woken = [];
      this.#interrupted = [];
      for (const sleeper of [...this.#sleepers]) {
        if (sleeper.pid !== 0 && tids.includes(sleeper.tid)) this.#run(sleeper, 'cancelled');
        else if (sleeper.wait?.channels.some((channel) => channels.includes(channel))) this.#run(sleeper, 'woken');
      }
    }
  }

  #view(pid: number): ProcessView | Errno {
    const identity = this.identities.get(pid);
    if (identity === undefined) return ESRCH;
    const { user, system } = this.cpu.get(pid) ?? { user: 0, system: 0 };
    const view = { ...identity, pid, userTime: user, systemTime: system, residentPages: 25 };
    return { ...view, minorFaults: 7, majorFaults: 1 } as unknown as ProcessView;
  }

  #context(): ServerContext {
    const record =
      (name: string, then: (...args: never[]) => void = () => {}) =>
      (...args: never[]) => {
        this.calls.push(`${name}(${args.filter((arg) => typeof arg === 'number').join(', ')})`);
        then(...args);
      };
    const kernel = {
      system: () => ({ memoryTotal: 2 ** 30 }),
      process: (pid: number) => this.#view(pid),
      processes: () => [...this.identities.keys()],
      threads: (pid: number) =>
        (this.table.processes.get(pid)?.threads ?? []).map((tid) => {
          const { user, system } = this.cpu.get(tid) ?? { user: 0, system: 0 };
          return { tid, name: '', nice: 0, state: 'S', userTime: user, systemTime: system };
        }),
      log: (line: string) => this.log.push(line),
      createProcess: (pid: number, identity: Identity) => {
        if (this.refusal !== undefined) return this.refusal;
        this.calls.push(`createProcess(${pid})`);
        this.identities.set(pid, identity);
      },
      setIdentity: (pid: number, change: Partial<Identity>) => {
        const old = this.identities.get(pid);
        if (old === undefined) return ESRCH;
        this.identities.set(pid, { ...old, ...change });
      },
      destroyProcess: record('destroyProcess', (pid: number) => {
        for (const sleeper of this.#sleepers) if (sleeper.pid === pid) this.#sleepers.delete(sleeper);
      }),
      forgetProcess: record('forgetProcess', (pid: number) => this.identities.delete(pid)),
      deliverSignal: record('deliverSignal', (pid: number, tid: number, frame: SignalFrame) => {
        this.frames.push({ pid, tid, frame });
        this.#interrupted.push(tid);
      }),
      interrupt: record('interrupt', (_: number, tid: number) => this.#interrupted.push(tid)),
      stopProcess: record('stopProcess'),
      continueProcess: record('continueProcess'),
      nameThread: record('nameThread'),
      setPriority: record('setPriority'),
    };
    return {
      store: this.store,
      kernel: kernel as unknown as KernelCalls,
      now: () => this.now,
      realtime: () => ({ seconds: 1_700_000_000 + Math.floor(this.now / 1e9), nanoseconds: this.now % 1e9 }),
      copyIn: (grant, offset, length) => {
        const memory = this.#memory.get(grant.id);
        return memory === undefined || offset + length > memory.length ? EFAULT : memory.slice(offset, offset + length);
      },
      copyOut: (grant, offset, bytes, length = bytes.length) => {
        const memory = this.#memory.get(grant.id);
        if (memory === undefined) return EFAULT;
        const part = bytes.subarray(0, Math.min(length, memory.length - offset));
        memory.set(part, offset);
        return part.length;
      },
      wake: (channel) => this.#woken.push(channel),
      random: (length) => new Uint8Array(length),
    };
  }
}
