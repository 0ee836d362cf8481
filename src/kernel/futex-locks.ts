/**
 * Futexes with priority inheritance (futex(2), "Priority-inheritance futexes"): the word is a lock that holds its owner's
 * thread id, FUTEX_WAITERS while somebody waits, and FUTEX_OWNER_DIED. User mode takes and frees a lock nobody waits for;
 * here are the others. The lock is handed over to who has waited longest: all threads share time, so there is no
 * priority to lend.
 *
 * Invariants: a lock stands in `#locks` while somebody waits for it; a thread waits for at most one.
 */
import { EAGAIN, EDEADLK, EINTR, EINVAL, EPERM, Errno, ESRCH, ETIMEDOUT, type Result } from '../abi/errno.ts';
import { LATER } from './calls/call.ts';
import { type FutexWord, keyOf, readWord, writeWord } from './futex.ts';
import type { Kernel } from './kernel.ts';
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from './robust.ts';
import type { Sleeper } from './sleepers.ts';
import type { Thread } from './thread.ts';
import { findThread } from './threads.ts';

interface Lock {
  readonly key: string;
  owner: Thread;
  readonly waiters: Waiter[];
}

interface Waiter {
  readonly thread: Thread;
  readonly word: FutexWord;
  sleeper: Sleeper | undefined;
}

export class FutexLocks {
  readonly #kernel: Kernel;
  readonly #locks = new Map<string, Lock>();
  readonly #waitingFor = new Map<Thread, Lock>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Whether somebody waits for the lock of this name. */
  waited(key: string): boolean {
    return this.#locks.has(key);
  }

  /** FUTEX_LOCK_PI; with `trying`, FUTEX_TRYLOCK_PI. */
  lock(thread: Thread, word: FutexWord, deadline: number | undefined, trying: boolean): number | Errno | typeof LATER {
    const key = keyOf(word);
    if (key instanceof Errno) return key;
    const value = readWord(word);
    if (value instanceof Errno) return value;
    const tid = value & FUTEX_TID_MASK;
    if (tid === thread.tid) return EDEADLK;
    let lock = this.#locks.get(key);
    if (lock === undefined) {
      if (tid === 0) return writeWord(word, ((value & FUTEX_OWNER_DIED) | thread.tid) >>> 0) ?? 0;
      const written = writeWord(word, (value | FUTEX_WAITERS) >>> 0);
      if (written !== undefined) return written;
      const owner = findThread(this.#kernel, tid);
      if (owner === undefined || owner.state === 'dead') return ESRCH;
      if (owner.process.kernel) return EPERM;
      lock = { key, owner, waiters: [] };
    } else if (lock.owner.tid !== tid) return EINVAL;
    if (this.#wouldWaitForItself(thread, lock)) return EDEADLK;
    if (trying) return EAGAIN;
    this.#sleep(thread, word, lock, deadline);
    return LATER;
  }

  /** FUTEX_UNLOCK_PI: EPERM unless the thread owns the lock. */
  unlock(thread: Thread, word: FutexWord): Result<number> {
    const value = readWord(word);
    if (value instanceof Errno) return value;
    if ((value & FUTEX_TID_MASK) !== thread.tid) return EPERM;
    const key = keyOf(word);
    if (key instanceof Errno) return key;
    const lock = this.#locks.get(key);
    if (lock === undefined) return writeWord(word, 0) ?? 0;
    if (lock.owner !== thread) return EINVAL;
    this.#handOver(lock, 0);
    return 0;
  }

  /** A thread ends: the locks it owned go to who waits for them. */
  ownerDied(thread: Thread): void {
    for (const lock of [...this.#locks.values()]) if (lock.owner === thread) this.#handOver(lock, FUTEX_OWNER_DIED);
  }

  #sleep(thread: Thread, word: FutexWord, lock: Lock, deadline: number | undefined): void {
    const waiter: Waiter = { thread, word, sleeper: undefined };
    lock.waiters.push(waiter);
    this.#locks.set(lock.key, lock);
    this.#waitingFor.set(thread, lock);
    const leave = (result: Errno): void => {
      const at = lock.waiters.indexOf(waiter);
      if (at >= 0) this.#end(lock, at, result);
    };
    if (deadline !== undefined) waiter.sleeper = this.#kernel.sleepers.add(deadline, () => leave(ETIMEDOUT));
    thread.restart = 'always';
    thread.sleep = { server: undefined, token: 0, interrupt: () => leave(EINTR) };
  }

  /** The first waiter that can still be told owns the lock from now on. */
  #handOver(lock: Lock, died: number): void {
    while (lock.waiters.length > 0) {
      const [{ thread, word }] = lock.waiters;
      lock.owner = thread;
      const value = (FUTEX_WAITERS | died | thread.tid) >>> 0;
      const { space } = word.process;
      const given = space?.write(word.address, new Uint8Array(Uint32Array.of(value).buffer)) === 4;
      this.#end(lock, 0, given ? 0 : EAGAIN);
      if (given) return;
    }
  }

  #end(lock: Lock, at: number, result: number | Errno): void {
    const [{ thread, sleeper }] = lock.waiters.splice(at, 1);
    if (lock.waiters.length === 0) this.#locks.delete(lock.key);
    this.#waitingFor.delete(thread);
    if (sleeper !== undefined) sleeper.cancelled = true;
    this.#kernel.dispatch.complete(thread, result);
  }

  /** Whether the owner waits, perhaps through others, for a lock of the thread's own. */
  #wouldWaitForItself(thread: Thread, lock: Lock): boolean {
    let next: Lock | undefined = lock;
    for (let steps = 0; next !== undefined && steps < 1024; steps++) {
      if (next.owner === thread) return true;
      next = this.#waitingFor.get(next.owner);
    }
    return false;
  }
}
