/**
 * Futexes (futex(2)): threads that wait until another changes a word of their memory and wakes them. A word in memory that
 * processes share is named by the shared object and the offset in it, any other, or one that the caller calls private, by
 * process and address.
 *
 * Invariant: a waiter is in exactly one list until it is woken, times out or is interrupted.
 */
import { EAGAIN, EFAULT, EINTR, Errno, ETIMEDOUT, type Result } from '../abi/errno.ts';
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

/** A word of a process's memory. */
export interface FutexWord {
  readonly process: Process;
  readonly address: number;
  /** FUTEX_PRIVATE_FLAG: nobody else is meant, even if the memory is shared. */
  readonly own: boolean;
}

const keyOf = ({ process, address, own }: FutexWord): Result<string> => {
  const name = `${process.pid}:${address}`;
  if (own) return name;
  const mapping = process.space?.mappingAt(address);
  if (mapping === undefined) return EFAULT;
  const { backing, start } = mapping;
  if (backing.kind !== 'shared') return name;
  return `${backing.file ? 'file' : 'memory'} ${backing.object}:${backing.offset + (address - start)}`;
};

export class FutexTable {
  readonly #kernel: Kernel;
  readonly #waiters = new Map<string, Waiter[]>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Sleeps until woken if the word has the value. `deadline` in monotonic nanoseconds. */
  wait(
    thread: Thread,
    word: FutexWord,
    value: number,
    bits: number,
    deadline: number | undefined,
  ): Errno | typeof LATER {
    const found = this.#read(word);
    if (found instanceof Errno) return found;
    if (found !== value) return EAGAIN;
    const key = keyOf(word);
    if (key instanceof Errno) return key;
    const waiter: Waiter = { thread, bits, key, sleeper: undefined };
    const list = this.#waiters.get(waiter.key);
    if (list === undefined) this.#waiters.set(waiter.key, [waiter]);
    else list.push(waiter);
    if (deadline !== undefined)
      waiter.sleeper = this.#kernel.sleepers.add(deadline, () => this.#end(waiter, ETIMEDOUT));
    thread.sleep = { server: undefined, token: 0, interrupt: () => this.#end(waiter, EINTR) };
    return LATER;
  }

  /** Wakes at most `count` waiters that share a bit with `bits`; answers how many. */
  wake(word: FutexWord, count: number, bits: number): Result<number> {
    const key = keyOf(word);
    if (key instanceof Errno) return key;
    const list = this.#waiters.get(key) ?? [];
    const woken = list.filter((waiter) => (waiter.bits & bits) !== 0).slice(0, Math.max(count, 0));
    for (const waiter of woken) this.#end(waiter, 0);
    return woken.length;
  }

  /** Wakes `count` and moves at most `moved` others to another word; EAGAIN if the word is not `expected`. */
  requeue(
    word: FutexWord,
    count: number,
    moved: number,
    target: FutexWord,
    expected: number | undefined,
  ): Result<number> {
    const [key, targetKey] = [keyOf(word), keyOf(target)];
    if (key instanceof Errno) return key;
    if (targetKey instanceof Errno) return targetKey;
    if (expected !== undefined) {
      const found = this.#read(word);
      if (found instanceof Errno) return found;
      if (found !== expected) return EAGAIN;
    }
    const woken = this.wake(word, count, -1);
    if (woken instanceof Errno) return woken;
    const from = this.#waiters.get(key) ?? [];
    const going = from.splice(0, Math.max(moved, 0));
    for (const waiter of going) waiter.key = targetKey;
    if (from.length === 0) this.#waiters.delete(key);
    if (going.length > 0) this.#waiters.set(targetKey, [...(this.#waiters.get(targetKey) ?? []), ...going]);
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

  #read({ process, address }: FutexWord): Result<number> {
    const bytes = process.memory.read(address, 4);
    return bytes instanceof Errno ? bytes : new DataView(bytes.buffer).getUint32(0, true);
  }
}
