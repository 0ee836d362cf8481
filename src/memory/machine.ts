/**
 * The machine's memory: how many pages there are and how many are taken, the pools they come from, and the objects that
 * address spaces share. One a system; every AddressSpace belongs to one.
 *
 * Invariant: `usedPages` counts every 4 KiB of guest content that is held anywhere: resident in a window, beside it, in a
 * frame's buffer or a master copy. It returns to 0 when all spaces and objects are gone.
 */
import { BufferPool, type PoolLimits, WindowPool } from './pool.ts';
import type { BackingReferences } from './ranges.ts';
import { SharedObjects } from './shared.ts';
import { AddressSpace } from './space.ts';
import type { CodeObserver } from './table.ts';

export interface MachineOptions {
  /** Pages that guests may take in all; default: no limit. */
  readonly limitPages?: number;
  readonly pool?: PoolLimits;
}

export class Machine {
  readonly limitPages: number;
  readonly windows: WindowPool;
  readonly buffers = new BufferPool();
  readonly objects = new SharedObjects(this);
  /** Counts the ranges that name objects. */
  readonly references: BackingReferences = {
    retain: (backing) => this.objects.retain(backing),
    release: (backing) => this.objects.releaseRange(backing),
  };
  /**
   * The last range that names a file object is gone. Whoever sets this writes `objects.dirtyPages(object)` back, now or
   * later, and then calls `objects.forgetFile(object)`.
   */
  onFileUnused: ((object: number) => void) | undefined;
  /**
   * The bytes of a file's page (a page or, at the file's end, less), if they are at hand: a fault is then resolved without
   * asking for them. Without it every page is asked for.
   */
  filePage: ((object: number, offset: number) => Uint8Array | undefined) | undefined;
  #used = 0;

  constructor(options: MachineOptions = {}) {
    this.limitPages = options.limitPages ?? Number.POSITIVE_INFINITY;
    this.windows = new WindowPool(options.pool);
  }

  /** A new address space with nothing in it. */
  createSpace(observer: CodeObserver): AddressSpace {
    return new AddressSpace(this, observer);
  }

  get usedPages(): number {
    return this.#used;
  }

  /** Takes one page from the limit; false if there is none left. */
  take(): boolean {
    if (this.#used >= this.limitPages) return false;
    this.#used++;
    return true;
  }

  /** Takes a page for content that must be kept although it briefly stands twice. */
  takeAnyway(): void {
    this.#used++;
  }

  give(): void {
    this.#used--;
  }

  /** Frees a buffer that counted as a page. */
  freeBuffer(buffer: Uint8Array): void {
    this.buffers.free(buffer);
    this.#used--;
  }
}
