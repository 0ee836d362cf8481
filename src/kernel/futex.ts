/**
 * Futexes (futex(2)): threads of a process that wait until another changes a word of their memory and wakes them. Words are
 * named by process and address; a futex in memory that processes share is not seen across them.
 *
 * Invariant: a waiter is in exactly one list until it is woken, times out or is interrupted.
 */
import { EAGAIN, EINTR, Errno, ETIMEDOUT, type Result } from '../abi/errno.ts';
import { LATER } from './calls/call.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import type { Sleeper } from './sleepers.ts';
import type { Thread } from './thread.ts';

interface Waiter {
  readonly thread: Thread;
  readonly bits: number;
  key: string;
  sleeper: Sleeper | undefined;
}

const keyOf = (process: Process, address: number): string => `${process.pid}:${address}`;

export class FutexTable {
  readonly #kernel: Kernel;
  readonly #waiters = new Map<string, Waiter[]>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Sleeps until woken if the word has the value. `deadline` in monotonic nanoseconds. */
  wait(
    thread: Thread,
    address: number,
    value: number,
    bits: number,
    deadline: number | undefined,
  ): Errno | typeof LATER {
    const found = this.#word(thread.process, address);
    if (found instanceof Errno) return found;
    if (found !== value) return EAGAIN;
    const waiter: Waiter = { thread, bits, key: keyOf(thread.process, address), sleeper: undefined };
    const list = this.#waiters.get(waiter.key);
    if (list === undefined) this.#waiters.set(waiter.key, [waiter]);
    else list.push(waiter);
    if (deadline !== undefined)
      waiter.sleeper = this.#kernel.sleepers.add(deadline, () => this.#end(waiter, ETIMEDOUT));
    thread.sleep = { server: undefined, token: 0, interrupt: () => this.#end(waiter, EINTR) };
    return LATER;
  }

  /** Wakes at most `count` waiters that share a bit with `bits`; answers how many. */
  wake(process: Process, address: number, count: number, bits: number): number {
    const list = this.#waiters.get(keyOf(process, address)) ?? [];
    const woken = list.filter((waiter) => (waiter.bits & bits) !== 0).slice(0, Math.max(count, 0));
    for (const waiter of woken) this.#end(waiter, 0);
    return woken.length;
  }

  /** Wakes `count` and moves at most `moved` others to another word; EAGAIN if the word is not `expected`. */
  requeue(
    process: Process,
    address: number,
    count: number,
    moved: number,
    target: number,
    expected: number | undefined,
  ): Result<number> {
    if (expected !== undefined) {
      const found = this.#word(process, address);
      if (found instanceof Errno) return found;
      if (found !== expected) return EAGAIN;
    }
    const woken = this.wake(process, address, count, -1);
    const from = this.#waiters.get(keyOf(process, address)) ?? [];
    const going = from.splice(0, Math.max(moved, 0));
    const key = keyOf(process, target);
    for (const waiter of going) waiter.key = key;
    if (from.length === 0) this.#waiters.delete(keyOf(process, address));
    if (going.length > 0) this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), ...going]);
    return woken + going.length;
  }

  #end(waiter: Waiter, result: number | Errno): void {
    const list = this.#waiters.get(waiter.key) ?? [];
    const at = list.indexOf(waiter);
    if (at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.#waiters.delete(waiter.key);
    if (waiter.sleeper !== undefined) waiter.sleeper.cancelled = true;
    this.#kernel.dispatch.complete(waiter.thread, result);
  }

  #word(process: Process, address: number): Result<number> {
    const bytes = process.memory.read(address, 4);
    return bytes instanceof Errno ? bytes : new DataView(bytes.buffer).getUint32(0, true);
  }
}
