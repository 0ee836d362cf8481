/**
 * The kernel's side of a process: its address space and engine, threads, descriptor table and accounts. Who it is and what
 * its signals do is the process manager's; which regions it has, the memory manager's.
 *
 * Life: `createProcess` (no memory, one sleeping thread) → memory by fork or exec → runs → `destroyProcess` (threads dead,
 * then memory and descriptors released) → `forgetProcess` (the view goes).
 * Invariant: `space`, `engine`, `window`, `control` and `held` are set together.
 */
import type { Engine } from '../cpu/engine.ts';
import { CONTEXT_SIZE } from '../cpu/state.ts';
import type { Identity, ProcessView } from '../ipc/kernel-calls.ts';
import type { AddressSpace } from '../memory/space.ts';
import { DescriptorTable } from './descriptors.ts';
import { GuestMemory } from './guest-memory.ts';
import { HeldMemory } from './held-memory.ts';
import { LiveView } from './process-view.ts';
import type { Registers } from './registers.ts';
import { Thread } from './thread.ts';
import type { BoundWindow } from './windows.ts';

/** Where the program's parts lie, for /proc. */
export interface Image {
  readonly executable: string;
  readonly argumentsStart: number;
  readonly argumentsEnd: number;
  readonly environmentStart: number;
  readonly environmentEnd: number;
  readonly stackStart: number;
  /** The auxiliary vector's bytes. */
  readonly auxiliary: Uint8Array;
}

export const NO_IMAGE: Image = Object.freeze({
  executable: '',
  argumentsStart: 0,
  argumentsEnd: 0,
  environmentStart: 0,
  environmentEnd: 0,
  stackStart: 0,
  auxiliary: new Uint8Array(0),
});

export class Process {
  readonly threads: Thread[] = [];
  readonly files: DescriptorTable;
  readonly memory = new GuestMemory(this);
  /** As servers see it. */
  readonly view: ProcessView = new LiveView(this);
  space: AddressSpace | undefined;
  engine: Engine | undefined;
  /** The state block of its window. */
  window: Registers | undefined;
  /** Words of the state block: trap details, instructions retired. */
  control: Int32Array | undefined;
  /** All of these, with who else uses them. */
  held: HeldMemory | undefined;

  image: Image = NO_IMAGE;
  /** Top of the stack region, exclusive: accesses below may grow it. */
  stackTop = 0;
  /** It has mapped memory that grows downwards (MAP_GROWSDOWN): any access to nothing may be to what it will be. */
  growing = false;
  heapStart = 0;
  heapEnd = 0;

  stopped = false;
  /** `destroyProcess` was called: threads are dead, the rest is on its way out. */
  dying = false;
  /** The address space has been given back. */
  gone = false;
  /** The servers have let go of it. */
  released = false;
  /** `forgetProcess` was called: nobody may see it any more once it is gone. */
  forgotten = false;
  /** The thread that sleeps in vfork until this process executes or ends. */
  vforkParent: Thread | undefined;
  /** The VFS wants to hear of signals that come to wait. */
  signalsWatched = false;
  /** Status word as far as the kernel was told. */
  status: number | undefined;

  /** Barriers that it has registered for (membarrier(2)). */
  barriers = 0;

  /** Has time that is being used counted (run.ts). */
  settle: () => void = () => {};
  /** CPU time of threads that have ended. */
  endedUserTime = 0;
  endedSystemTime = 0;
  /** A page whose fault was refused while a server copied: the copy that is tried again fails. */
  refusedPage = -1;
  /** Living grants of its memory that a server may read. */
  readableGrants = 0;
  /** Faults counted before the present address space. */
  minorFaults = 0;
  majorFaults = 0;

  constructor(
    readonly pid: number,
    public identity: Identity,
    readonly startTime: number,
    readonly kernel: boolean,
  ) {
    this.files = new DescriptorTable(() => this.identity.limits[7]?.[0] ?? 1024);
  }

  /** The thread that bears the PID, or, when that has ended, the oldest. */
  get mainThread(): Thread {
    return this.threads[0];
  }

  thread(tid: number): Thread | undefined {
    if (this.threads.length === 1) return this.threads[0].tid === tid ? this.threads[0] : undefined;
    return this.threads.find((thread) => thread.tid === tid);
  }

  addThread(tid: number): Thread {
    const thread = new Thread(this, tid);
    this.threads.push(thread);
    return thread;
  }

  get userTime(): number {
    this.settle();
    return this.threads.reduce((sum, thread) => sum + thread.userTime, this.endedUserTime);
  }

  get systemTime(): number {
    this.settle();
    return this.threads.reduce((sum, thread) => sum + thread.systemTime, this.endedSystemTime);
  }

  /** Instructions retired in its memory; those of memory that others use too are counted with its last user. */
  get retired(): number {
    return this.held === undefined || this.held.users > 1 ? 0 : this.held.retired;
  }

  /** The thread whose registers are in the window, if it is one of this process. */
  get loaded(): Thread | undefined {
    const loaded = this.held?.loaded;
    return loaded?.process === this ? loaded : undefined;
  }

  /** Takes an address space and the engine of its window. Registers of all threads are to be set afterwards. */
  attach(space: AddressSpace, bound: BoundWindow): void {
    this.#hold(new HeldMemory(space, bound));
    this.held!.loaded = this.threads[0];
  }

  /** Uses the memory of another process (CLONE_VM). */
  share(other: Process): void {
    other.held!.users++;
    this.#hold(other.held!);
  }

  #hold(held: HeldMemory): void {
    this.held = held;
    this.space = held.space;
    this.engine = held.engine;
    this.window = held.window;
    this.control = held.control;
  }

  /** Gives the address space up; it ends with its last user. */
  detach(): void {
    const { held } = this;
    if (held === undefined) return;
    if (this.loaded !== undefined) this.#save(held);
    this.held = this.space = this.engine = this.window = this.control = undefined;
    if (--held.users > 0) return;
    this.minorFaults += held.space.faults.minor;
    this.majorFaults += held.space.faults.major;
    held.space.release();
  }

  /** Brings a thread's registers into the window. */
  load(thread: Thread): void {
    const { held } = this;
    if (held === undefined || held.loaded === thread) return;
    if (held.loaded !== undefined) this.#save(held);
    held.window.bytes.set(thread.context.bytes);
    held.loaded = thread;
  }

  /** Takes the loaded registers out of the window, to where the thread finds them. */
  #save(held: HeldMemory): void {
    const { loaded } = held;
    held.loaded = undefined;
    if (loaded?.state !== 'dead') loaded?.context.bytes.set(held.window.bytes.subarray(0, CONTEXT_SIZE));
  }
}
