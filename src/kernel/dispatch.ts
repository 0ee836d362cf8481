/**
 * System calls: from the trap to the message and back (DESIGN §2, §5).
 *
 * For every declared call there is a closure that knows which arguments the message has and how they are loaded. A call
 * of a server becomes a request; one of the kernel a function of calls/. The outcome becomes RAX, negated here and
 * nowhere else. A call that answers later puts the thread to sleep; `complete` wakes it.
 *
 * A page that must first come from a file (`PageNeeded`) undoes nothing, for arguments are loaded before anything is
 * changed: the call is simply started again when the page is there.
 */
import type { ArgumentKind, BufferRequest, Raw } from '../abi/arguments.ts';
import { EFAULT, EINTR, ENOSYS, Errno } from '../abi/errno.ts';
import type { Syscall } from '../abi/syscall.ts';
import { syscallName } from '../abi/syscall-names.ts';
import { Reg } from '../cpu/state.ts';
import { codecOf } from '../ipc/codec.ts';
import { Pending } from '../ipc/port.ts';
import { KEEP, type KernelCall, LATER } from './calls/call.ts';
import { withSeccompOptions } from './calls/seccomp.ts';
import { PageNeeded } from './guest-memory.ts';
import type { Kernel } from './kernel.ts';
import { restoreMask, withMask } from './masked-calls.ts';
import { guard } from './seccomp/filters.ts';
import type { Server } from './server-slot.ts';
import type { Thread } from './thread.ts';

/** What a call ended with: RAX or an error; KEEP when the registers are already as they shall be. */
export type CallResult = number | Errno | typeof KEEP;

export type Handler = (thread: Thread) => CallResult | typeof LATER;
// biome-ignore lint/suspicious/noExplicitAny: arguments of any kinds
type AnyKind = ArgumentKind<any>;

const enum Load {
  I32 = 0,
  U32 = 1,
  I53 = 2,
  U53 = 3,
  /** A grant of one stretch of memory. */
  Stretch = 4,
  /** A grant of what the kind loads. */
  Buffer = 5,
  Other = 6,
}
const RAW: Readonly<Record<Raw, Load>> = { i32: Load.I32, u32: Load.U32, i53: Load.I53, u53: Load.U53 };

/** How an argument gets into its message. */
interface Step {
  readonly load: Load;
  readonly index: number;
  /** Its place among the fields of the message. */
  readonly slot: number;
  readonly kind: AnyKind;
}

/** A declared call with its name, as the tracer wants it. */
export interface NamedSyscall extends Syscall {
  readonly name: string;
  readonly kinds: readonly AnyKind[];
}

export class Dispatch {
  readonly #kernel: Kernel;
  readonly #handlers: (Handler | undefined)[] = [];
  readonly #calls: (NamedSyscall | undefined)[] = [];
  /** How often each number was called, below 1024. */
  readonly counts = new Float64Array(1024);
  readonly #otherCounts = new Map<number, number>();

  constructor(
    kernel: Kernel,
    table: Readonly<Record<string, Syscall>>,
    kernelCalls: Readonly<Record<string, KernelCall>>,
  ) {
    this.#kernel = kernel;
    for (const [name, call] of Object.entries(table)) {
      this.#calls[call.number] = { ...call, name, kinds: Object.values(call.args) };
      const handler =
        call.server === 'kernel'
          ? this.#kernelHandler(call, kernelCalls[name])
          : this.#serverHandler(call, kernel.server(call.server));
      this.#handlers[call.number] = this.#wrapped(
        call,
        name === 'prctl' ? withSeccompOptions(kernel, handler) : handler,
      );
    }
  }

  #wrapped(call: Syscall, handler: Handler): Handler {
    return call.options.mask === undefined ? handler : withMask(this.#kernel, call, handler);
  }

  /** The declaration of a number. */
  call(number: number): NamedSyscall | undefined {
    return this.#calls[number];
  }

  /** Calls by name with how often they were made. */
  statistics(): Record<string, number> {
    const found: Record<string, number> = {};
    const add = (number: number, count: number): void => {
      const name = this.#calls[number]?.name ?? syscallName(number);
      if (count > 0) found[name] = (found[name] ?? 0) + count;
    };
    for (const [number, count] of this.counts.entries()) add(number, count);
    for (const [number, count] of this.#otherCounts) add(number, count);
    return found;
  }

  /** Serves the system call that a thread has trapped with. Afterwards the thread runs on, sleeps or is dead. */
  trap(thread: Thread): void {
    const { registers } = thread;
    const low = registers.low(Reg.RAX);
    // Only EAX counts (entry_64.S).
    const number = low | 0;
    thread.call = number;
    if (number >= 0 && number < 1024) this.counts[number]++;
    else this.#otherCounts.set(number, (this.#otherCounts.get(number) ?? 0) + 1);
    thread.process.refusedPage = -1;
    thread.restart = undefined;
    const { seccomp } = thread;
    if (seccomp === undefined || guard(this.#kernel, thread, seccomp)) this.#attempt(thread, number);
    thread.resumed = false;
  }

  #attempt(thread: Thread, number: number): void {
    const { tracer } = this.#kernel;
    const handler = this.#handlers[number];
    let result: CallResult | typeof LATER;
    try {
      if (tracer !== undefined) tracer.enter(thread, number, this.#calls[number]);
      result = handler === undefined ? ENOSYS : handler(thread);
    } catch (error) {
      if (!(error instanceof PageNeeded)) throw error;
      this.#releaseGrants(thread);
      this.#bringIn(thread, error, () => this.#attempt(thread, number));
      return;
    }
    if (result !== LATER) this.#finish(thread, result);
    else if (thread.sleep !== undefined && thread.state === 'running') thread.state = 'sleeping';
  }

  /** Has a page brought in while the thread sleeps, then goes on; a refused page is remembered so that it fails next time. */
  #bringIn(thread: Thread, needed: PageNeeded, then: () => void): void {
    const kernel = this.#kernel;
    thread.sleep = UNINTERRUPTIBLE;
    kernel.faults.serve(needed.process, needed.address, needed.access, (refusal) => {
      if (thread.state === 'dead') return;
      if (refusal !== undefined) needed.process.refusedPage = Math.floor(needed.address / 4096);
      thread.sleep = undefined;
      if (thread.state === 'sleeping') kernel.wake(thread);
      then();
    });
    if (thread.sleep !== undefined && thread.state === 'running') thread.state = 'sleeping';
  }

  /** A call that answered LATER has its outcome. */
  complete(thread: Thread, outcome: CallResult): void {
    if (thread.state === 'dead') return;
    thread.sleep = undefined;
    this.#finish(thread, outcome);
    if (thread.state === 'sleeping') this.#kernel.wake(thread);
  }

  /** A request of a thread's call was answered after it had slept. */
  answered(thread: Thread, outcome: object | Errno): void {
    this.complete(thread, resultOf(outcome));
  }

  #finish(thread: Thread, result: CallResult): void {
    if (thread.grantCount > 0) this.#releaseGrants(thread);
    if (thread.state === 'dead') return;
    if (thread.masked) restoreMask(this.#kernel, thread);
    if (result === EINTR && thread.cancelled) {
      thread.interrupted = true;
      thread.attention = true;
    }
    thread.cancelled = false;
    const { tracer } = this.#kernel;
    if (tracer !== undefined) tracer.leave(thread, result);
    if (result === KEEP) return;
    thread.registers.set(Reg.RAX, typeof result === 'number' ? result : -(result as Errno).number);
  }

  #releaseGrants(thread: Thread): void {
    const { grants } = this.#kernel;
    for (let i = 0; i < thread.grantCount; i++) grants.release(thread.grants[i]);
    thread.grantCount = 0;
  }

  /** The thread is dead: what its call holds is let go. */
  abandon(thread: Thread): void {
    this.#releaseGrants(thread);
    const { sleep } = thread;
    thread.sleep = undefined;
    if (sleep?.server === undefined) return;
    sleep.server.waiting.delete(sleep.token);
    sleep.server.port.abandon(sleep.token);
  }

  #serverHandler(call: Syscall, server: Server): Handler {
    const { message } = call;
    const codec = codecOf(server.protocol).call(message);
    if (codec === undefined) throw new Error(`${server.name} has no message ${message}`);
    const { names, fields } = codec.request;
    const steps = Object.entries(call.args)
      .map(([name, kind], index): Step => {
        const slot = names.indexOf(name);
        if (fields[slot]?.kind === 'grant')
          return { load: kind.stretch === undefined ? Load.Buffer : Load.Stretch, index, slot, kind };
        return { load: kind.raw === undefined ? Load.Other : RAW[kind.raw], index, slot, kind };
      })
      .filter(({ slot }) => slot >= 0);
    const constants = call.options.with ?? {};
    for (const [slot, name] of names.entries())
      if (!(name in constants) && !steps.some((step) => step.slot === slot))
        throw new Error(`${message}: nothing fills the field ${name}`);
    // One array serves all calls: the message is encoded, or copied, before anything else can happen.
    const slots = codec.request.slots(constants);

    return (thread) => {
      if (steps.length > 0) {
        const refused = this.#loadSlots(thread, server, steps, slots);
        if (refused !== undefined) return refused;
      }
      const outcome = server.port.submit(thread.caller, codec, slots);
      if (!(outcome instanceof Pending)) return resultOf(outcome);
      // It may have died of its own request, and then nobody waits for the answer.
      if (thread.state === 'dead') {
        server.port.abandon(outcome.token);
        return EFAULT;
      }
      server.waiting.set(outcome.token, thread);
      thread.sleep = { server, token: outcome.token, interrupt: undefined };
      return LATER;
    };
  }

  /** Takes the arguments from the registers and makes their grants. */
  #loadSlots(thread: Thread, server: Server, steps: readonly Step[], slots: unknown[]): Errno | undefined {
    const { process, registers } = thread;
    const { grants } = this.#kernel;
    for (let i = 0; i < steps.length; i++) {
      const { load, index, slot, kind } = steps[i];
      switch (load) {
        case Load.I32:
          slots[slot] = registers.i32(index);
          break;
        case Load.U32:
          slots[slot] = registers.u32(index);
          break;
        case Load.I53:
          slots[slot] = registers.i53(index);
          break;
        case Load.U53:
          slots[slot] = registers.u53(index);
          break;
        case Load.Stretch: {
          const { direction, length } = kind.stretch!;
          const count = length(registers, index);
          if (count < 0) slots[slot] = null;
          else {
            const grant = grants.ofStretch(server, process, direction, registers.u53(index), count);
            thread.grants[thread.grantCount++] = grant.id;
            slots[slot] = grant;
          }
          break;
        }
        default: {
          const value = kind.load(registers, index, process.memory);
          if (value instanceof Errno) {
            this.#releaseGrants(thread);
            return value;
          }
          if (load === Load.Buffer && value !== null) {
            const grant = grants.ofProcess(server, process, value as BufferRequest);
            thread.grants[thread.grantCount++] = grant.id;
            slots[slot] = grant;
          } else slots[slot] = value;
        }
      }
    }
    return undefined;
  }

  #kernelHandler(call: Syscall, run: KernelCall | undefined): Handler {
    if (run === undefined) throw new Error(`the kernel has no call ${call.message}`);
    const kernel = this.#kernel;
    const steps = Object.entries(call.args);
    if (steps.length === 0) return (thread) => run(kernel, thread, NO_ARGUMENTS);
    return (thread) => {
      const values: Record<string, unknown> = {};
      const { registers } = thread;
      const { memory } = thread.process;
      for (let index = 0; index < steps.length; index++) {
        const value = steps[index][1].load(registers, index, memory);
        if (value instanceof Errno) return value;
        values[steps[index][0]] = value;
      }
      return run(kernel, thread, values as never);
    };
  }
}

const NO_ARGUMENTS = Object.freeze({}) as never;

/** A sleep that no signal ends: a page is on its way, or a fork or exec is under way. */
export const UNINTERRUPTIBLE = Object.freeze({ server: undefined, token: 0, interrupt: undefined });

const resultOf = (outcome: object | Errno): number | Errno =>
  outcome instanceof Errno ? outcome : ((outcome as { readonly result?: number }).result ?? 0);
