/**
 * Futexes (futex(2)): threads that wait until another changes a word of their memory and wakes them. A word in memory that
 * processes share is named by the shared object and the offset in it, any other by address space and address. As in Linux,
 * waiters that call their word private are only found by those who do so too.
 *
 * Entry points: `wait`, `waitMany`, `wake`, `requeue`, `operate` (FUTEX_WAKE_OP); those with priority inheritance are in
 * futex-locks.ts.
 * Invariant: a waiter is in exactly the lists of its places until it is woken, times out or is interrupted.
 */
import { EAGAIN, EFAULT, EINTR, EINVAL, Errno, ETIMEDOUT, type Result } from '../abi/errno.ts';
import { LATER } from './calls/call.ts';
import { FutexLocks } from './futex-locks.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import type { Sleeper } from './sleepers.ts';
import type { Thread } from './thread.ts';

interface Waiter {
  readonly thread: Thread;
  readonly bits: number;
  /** The words it waits for: one, but for futex_waitv. */
  readonly places: Place[];
  sleeper: Sleeper | undefined;
}

interface Place {
  readonly waiter: Waiter;
  key: string;
  /** What the call answers when this word is woken. */
  readonly result: number;
}

/** A word of a process's memory. */
export interface FutexWord {
  readonly process: Process;
  readonly address: number;
  /** FUTEX_PRIVATE_FLAG: nobody else is meant, even if the memory is shared. */
  readonly own: boolean;
}

/** The name of a word. EFAULT if nothing is mapped there. */
export const keyOf = ({ process, address, own }: FutexWord): Result<string> => {
  if (own) return `${process.held?.id}:${address}`;
  const mapping = process.space?.mappingAt(address);
  if (mapping === undefined) return EFAULT;
  const { backing, start } = mapping;
  if (backing.kind !== 'shared') return `${process.held?.id} ${address}`;
  return `${backing.file ? 'file' : 'memory'} ${backing.object}:${backing.offset + (address - start)}`;
};

/** The word's present value. May throw PageNeeded. */
export const readWord = ({ process, address }: FutexWord): Result<number> => {
  const bytes = process.memory.read(address, 4);
  return bytes instanceof Errno ? bytes : new DataView(bytes.buffer).getUint32(0, true);
};

export const writeWord = ({ process, address }: FutexWord, value: number): Errno | undefined => {
  const written = process.memory.write(address, new Uint8Array(Uint32Array.of(value).buffer));
  return written instanceof Errno ? written : undefined;
};

export class FutexTable {
  readonly locks: FutexLocks;
  readonly #kernel: Kernel;
  readonly #places = new Map<string, Place[]>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.locks = new FutexLocks(kernel);
  }

  /** Sleeps until woken if the word has the value. `deadline` in monotonic nanoseconds. */
  wait(
    thread: Thread,
    word: FutexWord,
    value: number,
    bits: number,
    deadline: number | undefined,
  ): Errno | typeof LATER {
    const found = readWord(word);
    if (found instanceof Errno) return found;
    if (found !== value) return EAGAIN;
    const key = keyOf(word);
    if (key instanceof Errno) return key;
    this.#sleep(thread, [key], bits, deadline, 0);
    return LATER;
  }

  /** Sleeps until one of several words is woken, if all have their values; answers which (futex_waitv(2)). */
  waitMany(
    thread: Thread,
    words: readonly (FutexWord & { readonly value: number })[],
    deadline: number | undefined,
  ): Errno | typeof LATER {
    const keys: string[] = [];
    for (const word of words) {
      const key = keyOf(word);
      if (key instanceof Errno) return key;
      keys.push(key);
    }
    for (const word of words) {
      const found = readWord(word);
      if (found instanceof Errno) return found;
      if (found !== word.value) return EAGAIN;
    }
    this.#sleep(thread, keys, -1, deadline, 1);
    return LATER;
  }

  /** Wakes at most `count` waiters that share a bit with `bits`; answers how many. EINVAL if the word is a lock's. */
  wake(word: FutexWord, count: number, bits: number): Result<number> {
    const key = keyOf(word);
    if (key instanceof Errno) return key;
    const list = this.#places.get(key);
    if (list === undefined) return this.locks.waited(key) ? EINVAL : 0;
    let woken = 0;
    for (const place of [...list]) {
      if (woken >= count) break;
      if ((place.waiter.bits & bits) === 0) continue;
      woken++;
      this.#end(place.waiter, place.result);
    }
    return woken;
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
      const found = readWord(word);
      if (found instanceof Errno) return found;
      if (found !== expected) return EAGAIN;
    }
    const woken = this.wake(word, count, -1);
    if (woken instanceof Errno) return woken;
    const from = this.#places.get(key) ?? [];
    const going = from.splice(0, Math.max(moved, 0));
    if (from.length === 0) this.#places.delete(key);
    for (const place of going) {
      place.key = targetKey;
      this.#add(place);
    }
    return woken + going.length;
  }

  /** FUTEX_WAKE_OP: changes the second word, wakes waiters of the first and, if the second's old value compares so, of the second. */
  operate(
    first: FutexWord,
    count: number,
    second: FutexWord,
    secondCount: number,
    change: (value: number) => { readonly value: number; readonly wakes: boolean },
  ): Result<number> {
    const [key, secondKey] = [keyOf(first), keyOf(second)];
    if (key instanceof Errno) return key;
    if (secondKey instanceof Errno) return secondKey;
    const found = readWord(second);
    if (found instanceof Errno) return found;
    const { value, wakes } = change(found | 0);
    const written = writeWord(second, value >>> 0);
    if (written !== undefined) return written;
    const woken = this.wake(first, count, -1);
    if (woken instanceof Errno || !wakes) return woken;
    const others = this.wake(second, secondCount, -1);
    return others instanceof Errno ? others : woken + others;
  }

  #sleep(thread: Thread, keys: readonly string[], bits: number, deadline: number | undefined, step: number): void {
    const waiter: Waiter = { thread, bits, places: [], sleeper: undefined };
    keys.forEach((key, index) => {
      const place = { waiter, key, result: index * step };
      waiter.places.push(place);
      this.#add(place);
    });
    if (deadline !== undefined)
      waiter.sleeper = this.#kernel.sleepers.add(deadline, () => this.#end(waiter, ETIMEDOUT));
    thread.sleep = { server: undefined, token: 0, interrupt: () => this.#end(waiter, EINTR) };
  }

  #add(place: Place): void {
    const list = this.#places.get(place.key);
    if (list === undefined) this.#places.set(place.key, [place]);
    else list.push(place);
  }

  #end(waiter: Waiter, result: number | Errno): void {
    for (const place of waiter.places) {
      const list = this.#places.get(place.key);
      const at = list?.indexOf(place) ?? -1;
      if (list === undefined || at < 0) return;
      list.splice(at, 1);
      if (list.length === 0) this.#places.delete(place.key);
    }
    if (waiter.sleeper !== undefined) waiter.sleeper.cancelled = true;
    this.#kernel.dispatch.complete(waiter.thread, result);
  }
}
