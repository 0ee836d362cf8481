/**
 * Objects whose pages several mappings share: shared anonymous memory, System V segments, shared file mappings. A window
 * cannot show another's bytes, so a page moves: many spaces may have a copy to read, or one may have it to write; when
 * none has it, the content rests in the master copy (for a file: only while it is modified, else the file has it).
 *
 * Entry points: `SharedObjects` (one a machine). The moving itself is in table.ts.
 * Invariants, for every SharedPage: `writer` is null or the only holder; all holders have equal bytes; `master` is null
 * while there is a holder.
 */
import type { Backing } from './backing.ts';
import { PAGE_SIZE } from './layout.ts';
import type { Machine } from './machine.ts';
import type { Page } from './page.ts';
import type { PageTable } from './table.ts';

export class SharedPage {
  /** The page of each space that has the content. */
  readonly holders = new Map<PageTable, Page>();
  /** The space that may write. */
  writer: PageTable | null = null;
  master: Uint8Array | null = null;
  /** A file's page that was written since it was last written back. */
  dirty = false;

  constructor(
    readonly object: SharedObject,
    readonly index: number,
  ) {}

  /** The content, whoever has it. */
  bytes(): Uint8Array | undefined {
    const holder = this.anyHolder();
    return holder === undefined ? (this.master ?? undefined) : holder.table.bytesOf(holder);
  }

  /** Any page that has the content. */
  anyHolder(): Page | undefined {
    return this.holders.values().next().value;
  }
}

export class SharedObject {
  readonly pages = new Map<number, SharedPage>();
  /** Ranges that name the object. */
  references = 0;
  /** Its creator has let go: it ends with its last range. Always so for files. */
  released: boolean;

  constructor(
    readonly id: number,
    readonly file: boolean,
    /** Size; Infinity for files, whose size the VFS knows. */
    readonly size: number,
  ) {
    this.released = file;
  }

  /** Whether a page that nobody holds any more must be kept. */
  keeps(page: SharedPage): boolean {
    return this.file ? page.dirty : this.references > 0 || !this.released;
  }
}

/** A modified page of a shared file mapping. */
export interface DirtyPage {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class SharedObjects {
  readonly #machine: Machine;
  readonly #files = new Map<number, SharedObject>();
  readonly #anonymous = new Map<number, SharedObject>();
  /** Objects that lost a range since the last `settle`. */
  readonly #suspects = new Set<SharedObject>();
  #last = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A fresh zero-filled object; `release` ends it once no range names it. */
  create(size: number): number {
    const id = ++this.#last;
    this.#anonymous.set(id, new SharedObject(id, false, size));
    return id;
  }

  /** The creator lets go of the object. False if there is none. */
  release(id: number): boolean {
    const object = this.#anonymous.get(id);
    if (object === undefined) return false;
    object.released = true;
    this.#suspects.add(object);
    this.settle();
    return true;
  }

  get(id: number, file: boolean): SharedObject | undefined {
    return (file ? this.#files : this.#anonymous).get(id);
  }

  /** Number of ranges, in all spaces, that map a file (privately or shared). */
  fileReferences(id: number): number {
    return this.#files.get(id)?.references ?? 0;
  }

  retain(backing: Backing): void {
    if (backing.kind === 'zero') return;
    const file = backing.kind === 'file' || backing.file;
    let object = this.get(backing.object, file);
    if (object === undefined) {
      // Anonymous objects come from `create`; a range with an unknown one faults with SIGBUS.
      if (!file) return;
      object = new SharedObject(backing.object, true, Number.POSITIVE_INFINITY);
      this.#files.set(backing.object, object);
    }
    object.references++;
  }

  releaseRange(backing: Backing): void {
    if (backing.kind === 'zero') return;
    const object = this.get(backing.object, backing.kind === 'file' || backing.file);
    if (object === undefined) return;
    object.references--;
    if (object.references === 0) this.#suspects.add(object);
  }

  /** Ends the objects that nothing names any more; called when an operation on ranges is complete. */
  settle(): void {
    if (this.#suspects.size === 0) return;
    const suspects = [...this.#suspects];
    this.#suspects.clear();
    for (const object of suspects) {
      if (object.references > 0 || !object.released) continue;
      if (!object.file) {
        this.#forgetPages(object);
        this.#anonymous.delete(object.id);
      } else if (this.#machine.onFileUnused === undefined) this.forgetFile(object.id);
      else this.#machine.onFileUnused(object.id);
    }
  }

  /** Modified pages of a file within the stretch, which count as clean from now on: the next write marks them again. */
  dirtyPages(id: number, offset = 0, length = Number.POSITIVE_INFINITY): DirtyPage[] {
    const found: DirtyPage[] = [];
    const object = this.#files.get(id);
    if (object === undefined) return found;
    for (const page of object.pages.values()) {
      const start = page.index * PAGE_SIZE;
      if (!page.dirty || start + PAGE_SIZE <= offset || start >= offset + length) continue;
      const holder = page.anyHolder();
      const bytes = new Uint8Array(PAGE_SIZE);
      bytes.set(holder === undefined ? page.master! : holder.table.bytesOf(holder));
      found.push({ offset: start, bytes });
      page.dirty = false;
      page.writer?.demote(page);
      if (holder === undefined) this.#forgetPage(page);
    }
    return found.sort((a, b) => a.offset - b.offset);
  }

  /** Whether a file has modified pages that were not collected. */
  isDirty(id: number): boolean {
    for (const page of this.#files.get(id)?.pages.values() ?? []) if (page.dirty) return true;
    return false;
  }

  /** The file's bytes were changed by other means: all copies of the pages of the stretch go, modified or not. */
  invalidate(id: number, offset: number, length: number): void {
    for (const page of this.#files.get(id)?.pages.values() ?? []) {
      const start = page.index * PAGE_SIZE;
      if (start + PAGE_SIZE > offset && start < offset + length) this.#forgetPage(page);
    }
  }

  /** After `onFileUnused` and the write-back of dirty pages: drops what is left, unless the file was mapped again meanwhile. */
  forgetFile(id: number): void {
    const object = this.#files.get(id);
    if (object === undefined || object.references > 0) return;
    this.#forgetPages(object);
    this.#files.delete(id);
  }

  #forgetPages(object: SharedObject): void {
    for (const page of object.pages.values()) this.#forgetPage(page);
  }

  #forgetPage(page: SharedPage): void {
    page.dirty = false;
    page.object.pages.delete(page.index);
    for (const holder of [...page.holders.values()]) holder.table.drop(holder);
    if (page.master !== null) {
      this.#machine.freeBuffer(page.master);
      page.master = null;
    }
  }
}
