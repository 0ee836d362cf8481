/**
 * What user memory learns of the end of a thread: the word of set_tid_address becomes 0 and is woken, and the locks of its
 * robust list get FUTEX_OWNER_DIED (get_robust_list(2), futex(2)).
 *
 *     struct robust_list_head   0 first entry   8 offset of the futex word in an entry (signed)   16 entry that is being locked
 *     entry                     0 next entry; bit 0 says that its futex has priority inheritance
 *
 * The list is the guest's: it may be broken, endless or not readable, and then ends where it does.
 */
import type { Kernel } from './kernel.ts';
import type { Thread } from './thread.ts';

export const FUTEX_WAITERS = 0x8000_0000;
export const FUTEX_OWNER_DIED = 0x4000_0000;
export const FUTEX_TID_MASK = 0x3fff_ffff;
/** Entries that are looked at (ROBUST_LIST_LIMIT). */
const LIST_LIMIT = 2048;
const HEAD_BYTES = 24;
const ZERO = new Uint8Array(4);

/** All that a thread owes to user memory when it ends, or leaves its image by execve. */
export const releaseUserState = (kernel: Kernel, thread: Thread): void => {
  if (thread.robustList !== 0) releaseRobustList(kernel, thread);
  thread.robustList = thread.robustLength = 0;
  kernel.futexes.locks.ownerDied(thread);
  clearTid(kernel, thread);
};

/** What set_tid_address asked for: joiners see the word become 0. */
const clearTid = (kernel: Kernel, thread: Thread): void => {
  const { clearTid: address, process } = thread;
  thread.clearTid = 0;
  // Nobody is left to look at memory that is this thread's alone (mm_release).
  if (address === 0 || process.space === undefined) return;
  if (process.threads.length < 2 && process.held!.users < 2) return;
  if (process.space.write(address, ZERO) !== 4) return;
  kernel.futexes.wake({ process, address, own: false }, 1, -1);
};

const releaseRobustList = (kernel: Kernel, thread: Thread): void => {
  const { robustList: head, process } = thread;
  const { space } = process;
  const bytes = new Uint8Array(HEAD_BYTES);
  if (space === undefined || space.read(head, bytes) !== HEAD_BYTES) return;
  const view = new DataView(bytes.buffer);
  const offset = view.getBigInt64(8, true);
  const pending = view.getBigUint64(16, true);
  const next = new BigUint64Array(1);
  let at = view.getBigUint64(0, true);
  for (let count = 0; count < LIST_LIMIT; count++) {
    const entry = at & ~1n;
    if (entry === BigInt(head)) break;
    // The next one first: once its lock is free, the entry may be gone.
    const read = entry < 1n << 47n && space.read(Number(entry), new Uint8Array(next.buffer)) === 8;
    if (entry !== (pending & ~1n)) died(kernel, thread, entry + offset, (at & 1n) !== 0n, false);
    if (!read) break;
    at = next[0];
  }
  if ((pending & ~1n) !== 0n) died(kernel, thread, (pending & ~1n) + offset, (pending & 1n) !== 0n, true);
};

/** A lock's owner has died: the word says so, and the next waiter finds it. */
const died = (kernel: Kernel, thread: Thread, at: bigint, inherits: boolean, pending: boolean): void => {
  const { process, tid } = thread;
  const { space } = process;
  if (at < 0n || at >= 1n << 47n || (at & 3n) !== 0n || space === undefined) return;
  const address = Number(at);
  const word = new Uint32Array(1);
  const bytes = new Uint8Array(word.buffer);
  if (space.read(address, bytes) !== 4) return;
  const futex = { process, address, own: false };
  // It had just been unlocked and not yet woken anybody, or was about to be taken: nobody else would wake the next.
  if (pending && !inherits && word[0] === 0) {
    kernel.futexes.wake(futex, 1, -1);
    return;
  }
  if ((word[0] & FUTEX_TID_MASK) !== tid) return;
  const waited = (word[0] & FUTEX_WAITERS) !== 0;
  word[0] = (word[0] & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
  if (space.write(address, bytes) !== 4) return;
  if (waited && !inherits) kernel.futexes.wake(futex, 1, -1);
};
