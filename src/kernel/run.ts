/**
 * The run loop: picks threads and executes them until the host's budget is spent or all sleep (DESIGN §5).
 *
 * A turn ends when the thread has used up its share of time, sleeps, yields, stops or dies. Time is measured once a turn;
 * within it the engine counts instructions, at the rate that turns without system calls have shown. What the instructions
 * do not account for was spent on the process's behalf in the kernel and the servers: system time.
 */
import { Trap } from '../cpu/engine.ts';
import { RETIRED } from '../cpu/state.ts';
import { UNINTERRUPTIBLE } from './dispatch.ts';
import { PageNeeded } from './guest-memory.ts';
import type { Kernel } from './kernel.ts';
import { prepareReturn } from './signals.ts';
import type { Thread } from './thread.ts';
import { serveTrap } from './traps.ts';

export interface RunResult {
  /** All threads sleep. */
  readonly idle: boolean;
  /** If idle: the platform's monotonic time at which the kernel wants to run again; undefined if only an event can wake it. */
  readonly until: number | undefined;
}

/** Instructions that a trap counts for in the budget of a turn. */
const TRAP_COST = 400;
const MIN_TURN = 10_000;
const MAX_TURN = 20_000_000;
const RETIRED_LOW = RETIRED / 4;

export class Runner {
  /** The thread that is executing. */
  current: Thread | undefined;
  readonly #kernel: Kernel;
  /** Instructions a nanosecond, as measured. */
  #rate = 0.05;
  #idleSince: number | undefined;
  #last: Thread | undefined;
  /** Of the present turn, as far as it has not been counted: when it began, instructions, traps. */
  #turnStart = 0;
  #retired = 0;
  #traps = 0;
  #yielded = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  run(milliseconds: number): RunResult {
    const kernel = this.#kernel;
    const { scheduler, counters } = kernel;
    kernel.time.follow();
    let now = kernel.now();
    const end = now + milliseconds * 1e6;
    if (this.#idleSince !== undefined) counters.idle += now - this.#idleSince;
    this.#idleSince = undefined;
    kernel.drain();
    for (;;) {
      const due = this.#nextDeadline();
      if (due !== undefined && due <= now) this.#tick(now);
      scheduler.sample(now, scheduler.ready);
      const thread = scheduler.next();
      if (thread === undefined) {
        this.#idleSince = now;
        const next = this.#nextDeadline();
        if (next !== undefined && next <= now) continue;
        return { idle: true, until: next === undefined ? undefined : next + kernel.time.origin };
      }
      now = this.#turn(thread, now, end);
      if (now >= end) return { idle: false, until: undefined };
    }
  }

  /** Counts the present turn up to now, so that whoever asks for a thread's time sees all of it. */
  settle(): void {
    const { current } = this;
    if (current === undefined) return;
    const now = this.#kernel.now();
    this.#account(current, now - this.#turnStart, this.#retired, this.#traps);
    this.#turnStart = now;
    this.#retired = this.#traps = 0;
  }

  /** The running thread lets the others go first. */
  yield(thread: Thread): void {
    if (thread === this.current) this.#yielded = true;
  }

  #nextDeadline(): number | undefined {
    const { servers, sleepers } = this.#kernel;
    let next = sleepers.nextDeadline();
    for (const { port } of servers) {
      const deadline = port.nextDeadline();
      if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
    }
    return next;
  }

  #tick(now: number): void {
    const kernel = this.#kernel;
    kernel.sleepers.tick(now);
    for (const { port } of kernel.servers) {
      const deadline = port.nextDeadline();
      if (deadline !== undefined && deadline <= now) port.tick();
    }
    kernel.drain();
  }

  /** Executes a thread for one turn; returns the time at its end. */
  #turn(thread: Thread, start: number, end: number): number {
    const kernel = this.#kernel;
    const { counters } = kernel;
    if (thread !== this.#last) counters.contextSwitches++;
    this.#last = thread;
    this.current = thread;
    this.#turnStart = start;
    this.#yielded = false;
    thread.state = 'running';
    thread.process.load(thread);
    const span = Math.min(thread.share, Math.max(end - start, 0));
    let budget = Math.min(MAX_TURN, Math.max(MIN_TURN, span * this.#rate));
    this.#retired = this.#traps = 0;
    while (budget > 0) {
      if (thread.attention && !this.#prepare(thread)) break;
      // A call may have exchanged the address space (vfork), or finished that of another thread.
      thread.process.load(thread);
      const control = thread.process.control!;
      const before = control[RETIRED_LOW];
      const trap = thread.process.engine!.run(budget);
      const count = (control[RETIRED_LOW] - before) >>> 0;
      this.#retired += count;
      budget -= count;
      if (trap === Trap.Budget) break;
      this.#traps++;
      budget -= TRAP_COST;
      if (trap === Trap.Syscall) kernel.dispatch.trap(thread);
      else serveTrap(kernel, thread, trap);
      kernel.drain();
      if (thread.state !== 'running' || this.#yielded) break;
    }
    this.settle();
    this.current = undefined;
    if ((thread.state as string) === 'running') {
      thread.state = 'ready';
      if (!thread.process.stopped) kernel.scheduler.add(thread);
    }
    return this.#turnStart;
  }

  /** Sees to signals and stops before user mode. False if the thread does not go there now. */
  #prepare(thread: Thread): boolean {
    const kernel = this.#kernel;
    try {
      return prepareReturn(kernel, thread);
    } catch (error) {
      if (!(error instanceof PageNeeded)) throw error;
      thread.sleep = UNINTERRUPTIBLE;
      kernel.faults.serve(error.process, error.address, error.access, (refusal) => {
        if (refusal !== undefined) thread.process.refusedPage = Math.floor(error.address / 4096);
        thread.sleep = undefined;
        kernel.wake(thread);
      });
      kernel.drain();
      if (thread.sleep === undefined) return this.#prepare(thread);
      if (thread.state === 'running') thread.state = 'sleeping';
      return false;
    }
  }

  #account(thread: Thread, elapsed: number, retired: number, traps: number): void {
    this.#kernel.scheduler.charge(thread, Math.max(elapsed, 1));
    if (elapsed <= 0) return;
    if (traps === 0 && retired > MIN_TURN) this.#rate += (Math.min(4, retired / elapsed) - this.#rate) * 0.2;
    const user = traps === 0 ? elapsed : Math.min(elapsed, retired / this.#rate);
    const { counters } = this.#kernel;
    thread.userTime += user;
    thread.systemTime += elapsed - user;
    counters.user += user;
    counters.system += elapsed - user;
  }
}
