/**
 * The descriptor table of a process: which open file of the VFS each descriptor names. The VFS changes it through kernel
 * calls (kernel-calls/files.ts); entries are immutable, so fork copies the array.
 *
 * Invariant: no descriptor below `#free` is unused.
 */
import { EBADF, EINVAL, EMFILE, type Result } from '../abi/errno.ts';
import { NR_OPEN } from '../abi/resource.ts';
import type { UndoLog } from './store/undo.ts';

export interface Descriptor {
  readonly file: number;
  readonly closeOnExec: boolean;
}

export class DescriptorTable {
  #entries: (Descriptor | undefined)[] = [];
  #free = 0;
  /** Soft RLIMIT_NOFILE: descriptors stay below it, and below NR_OPEN whatever it says. */
  readonly #limit: () => number;

  constructor(limit: () => number) {
    this.#limit = () => Math.min(limit(), NR_OPEN);
  }

  get(fd: number): Descriptor | undefined {
    return fd >= 0 ? this.#entries[fd] : undefined;
  }

  /** Lowest free descriptor ≥ `minimum`. EINVAL if the minimum is past the limit (fcntl(2)), EMFILE if all are taken. */
  allocate(log: UndoLog, file: number, minimum: number, closeOnExec: boolean): Result<number> {
    const limit = this.#limit();
    if (minimum < 0 || (minimum > 0 && minimum >= limit)) return EINVAL;
    let fd = Math.max(minimum, this.#free);
    while (fd < this.#entries.length && this.#entries[fd] !== undefined) fd++;
    if (minimum <= this.#free) this.#free = fd;
    if (fd >= limit) return EMFILE;
    this.#put(log, fd, { file, closeOnExec });
    return fd;
  }

  free(log: UndoLog, fd: number): Result<number> {
    const entry = this.get(fd);
    if (entry === undefined) return EBADF;
    this.#put(log, fd, undefined);
    return entry.file;
  }

  /** Makes `newFd` name what `oldFd` does; returns the open file that it named before, or 0. */
  duplicate(log: UndoLog, oldFd: number, newFd: number, closeOnExec: boolean): Result<number> {
    const entry = this.get(oldFd);
    if (entry === undefined || newFd < 0 || newFd >= this.#limit()) return EBADF;
    const before = this.get(newFd);
    this.#put(log, newFd, { file: entry.file, closeOnExec });
    return before?.file ?? 0;
  }

  setCloseOnExec(log: UndoLog, fd: number, closeOnExec: boolean): Result<void> {
    const entry = this.get(fd);
    if (entry === undefined) return EBADF;
    if (entry.closeOnExec !== closeOnExec) this.#put(log, fd, { file: entry.file, closeOnExec });
  }

  list(): { readonly fd: number; readonly file: number; readonly closeOnExec: boolean }[] {
    const found: { fd: number; file: number; closeOnExec: boolean }[] = [];
    this.#entries.forEach((entry, fd) => {
      if (entry !== undefined) found.push({ fd, file: entry.file, closeOnExec: entry.closeOnExec });
    });
    return found;
  }

  /** Takes over another table's descriptors (fork). */
  copyFrom(log: UndoLog, other: DescriptorTable): void {
    const entries = this.#entries;
    const free = this.#free;
    this.#entries = other.#entries.slice();
    this.#free = other.#free;
    log.push({
      undo: () => {
        this.#entries = entries;
        this.#free = free;
      },
    });
  }

  #put(log: UndoLog, fd: number, entry: Descriptor | undefined): void {
    const before = this.#entries[fd];
    this.#set(fd, entry);
    log.push({ undo: () => this.#set(fd, before) });
  }

  #set(fd: number, entry: Descriptor | undefined): void {
    // Holes are filled with undefined so that the array stays dense.
    while (this.#entries.length < fd) this.#entries.push(undefined);
    this.#entries[fd] = entry;
    if (entry === undefined) {
      if (fd < this.#free) this.#free = fd;
      while (this.#entries.length > 0 && this.#entries[this.#entries.length - 1] === undefined) this.#entries.pop();
    } else if (fd === this.#free) this.#free = fd + 1;
  }
}
