/**
 * The address space of one process: which ranges are mapped (ranges.ts), which of their pages are resident (table.ts), and
 * the faults that make them so. Mechanism only: what may be mapped where is the memory manager's policy.
 *
 * Entry points: `map`, `unmap`, `protect`, `move`, `discard`, `fork`, `release` change the space and never fail; `fault`
 * resolves an access that a page tag denied; `read` and `write` copy for the kernel as the process itself could. It is
 * the engine's view of memory too (EngineHost: `codeTranslated`, `sideRead`, `sideWrite`).
 *
 * Addresses are numbers below 2^47; starts and lengths of ranges are multiples of 4096.
 * Invariant: every resident page lies in a range and has that range's protection.
 */
import { Access } from '../cpu/engine.ts';
import { advanced, type Backing } from './backing.ts';
import { ACCERR, BUS, type Fault, MAPERR, NOMEM, RESOLVED } from './fault.ts';
import { PAGE_SIZE, PROT_EXEC, PROT_WRITE, USER_LIMIT } from './layout.ts';
import type { Machine } from './machine.ts';
import { Range, RangeMap } from './ranges.ts';
import { type CodeObserver, PageTable } from './table.ts';
import { slotOf, tagOf, type Window } from './window.ts';

/** Bytes up to which a loop is faster than what copies long stretches. */
const SHORT = 48;

/** One line of /proc/PID/maps. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly protection: number;
  readonly backing: Backing;
  readonly name: string;
}

const allows = (protection: number, access: Access): boolean =>
  access === Access.Read
    ? protection !== 0
    : access === Access.Write
      ? (protection & PROT_WRITE) !== 0
      : (protection & PROT_EXEC) !== 0;

export class AddressSpace {
  /** Faults resolved without and with data from a file's server. */
  readonly faults = { minor: 0, major: 0 };
  /** Why the last `read` or `write` stopped short; null if it did not. */
  stopped: Fault | null = null;
  readonly #machine: Machine;
  readonly #ranges: RangeMap;
  readonly #pages: PageTable;
  #released = false;

  /** RangeError if the host gives no more windows. */
  constructor(machine: Machine, observer: CodeObserver, parent?: RangeMap) {
    this.#machine = machine;
    // The window first: nothing must have changed if there is none.
    this.#pages = new PageTable(machine, machine.windows.acquire(), observer);
    this.#ranges = parent?.copy() ?? new RangeMap(machine.references);
  }

  get window(): Window {
    return this.#pages.window;
  }

  get memory(): WebAssembly.Memory {
    return this.#pages.window.memory;
  }

  /** Pages that the process has, including those it still has in common with others (RSS). */
  get residentPages(): number {
    return this.#pages.size;
  }

  get virtualBytes(): number {
    return this.#ranges.bytes;
  }

  mappings(): readonly Mapping[] {
    return this.#ranges.all();
  }

  mappingAt(address: number): Mapping | undefined {
    return this.#ranges.find(address);
  }

  // ── Changing the space ────────────────────────────────────────────────────────────────────────────────────────────

  /** Maps a range lazily; what was mapped there before goes. */
  map(start: number, length: number, protection: number, backing: Backing, name = ''): void {
    this.#dropRange(start, start + length);
    this.#ranges.insert(new Range(start, start + length, protection, backing, name));
    this.#machine.objects.settle();
  }

  unmap(start: number, length: number): void {
    this.#dropRange(start, start + length);
    this.#machine.objects.settle();
  }

  /** Sets the protection of what is mapped within the range; holes are left alone. */
  protect(start: number, length: number, protection: number): void {
    const end = start + length;
    for (const part of this.#ranges.cut(start, end))
      this.#ranges.insert(new Range(part.start, part.end, protection, part.backing, part.name));
    for (const page of this.#pages.within(start / PAGE_SIZE, end / PAGE_SIZE)) this.#pages.reprotect(page, protection);
    this.#machine.objects.settle();
  }

  /** Moves what is mapped within the range, pages and all; what was mapped at the destination goes. */
  move(from: number, to: number, length: number): void {
    if (from === to) return;
    const parts = this.#ranges.cut(from, from + length);
    const pages = this.#pages.within(from / PAGE_SIZE, (from + length) / PAGE_SIZE);
    const shift = to - from;
    // The pages of the moving range are in the way of nothing: only the rest of the destination is dropped.
    const moving = new Set(pages);
    for (const page of this.#pages.within(to / PAGE_SIZE, (to + length) / PAGE_SIZE))
      if (!moving.has(page)) this.#pages.drop(page);
    this.#ranges.cut(to, to + length);
    // Upwards from the top, downwards from the bottom, so that an overlapping move never meets a page that is yet to go.
    pages.sort((a, b) => (shift > 0 ? b.number - a.number : a.number - b.number));
    for (const page of pages) this.#pages.relocate(page, page.number + shift / PAGE_SIZE);
    for (const part of parts)
      this.#ranges.insert(new Range(part.start + shift, part.end + shift, part.protection, part.backing, part.name));
    this.#machine.objects.settle();
  }

  /** Drops the contents of pages: the next touch sees what backs the range (MADV_DONTNEED). */
  discard(start: number, length: number): void {
    for (const page of this.#pages.within(start / PAGE_SIZE, (start + length) / PAGE_SIZE)) this.#pages.drop(page);
  }

  /**
   * The bytes of a file within [offset, offset + length) have changed: private pages that show them go, and with `gone`,
   * because the file ends before, those too that were written.
   */
  fileChanged(object: number, offset: number, length: number, gone: boolean): void {
    for (const { start, end, backing } of this.#ranges.all()) {
      if (backing.kind !== 'file' || backing.object !== object) continue;
      const from = Math.max(start, start + Math.floor((offset - backing.offset) / PAGE_SIZE) * PAGE_SIZE);
      const to = Math.min(end, start + Math.ceil((offset + length - backing.offset) / PAGE_SIZE) * PAGE_SIZE);
      if (from >= to) continue;
      // Of a page that the file still reaches into, only what nobody has written goes.
      const whole = start + Math.ceil((offset - backing.offset) / PAGE_SIZE) * PAGE_SIZE;
      for (const page of this.#pages.within(from / PAGE_SIZE, to / PAGE_SIZE))
        if (page.clean || (gone && page.number * PAGE_SIZE >= whole)) this.#pages.drop(page);
    }
  }

  /**
   * A lazy copy for a child: contents are copied when either side needs them to differ, or the child needs them at all.
   * RangeError if the host gives no more windows. The child's engine may inherit the parent's translations once this has returned.
   */
  fork(observer: CodeObserver): AddressSpace {
    const child = new AddressSpace(this.#machine, observer, this.#ranges);
    this.#pages.fork(child.#pages);
    return child;
  }

  /** Ends the space: its window goes back to the pool. It may be called twice. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#ranges.cut(0, Number.MAX_SAFE_INTEGER);
    const { window } = this.#pages;
    const keep = this.#machine.windows.wants(window);
    this.#pages.clear(keep);
    this.#machine.objects.settle();
    if (keep) this.#machine.windows.recycle(window);
  }

  #dropRange(start: number, end: number): void {
    const removed = this.#ranges.cut(start, end);
    if (removed.length === 0) return;
    if (this.#ranges.isEmpty) {
      // Everything goes (execve).
      this.#pages.clear(true);
      this.#pages.observer.onCodeReset();
      return;
    }
    for (const part of removed)
      for (const page of this.#pages.within(part.start / PAGE_SIZE, part.end / PAGE_SIZE)) this.#pages.drop(page);
  }

  // ── Faults ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes an access possible that a tag denied, or says why it is not. */
  fault(address: number, access: Access): Fault {
    if (!(address >= 0 && address < USER_LIMIT)) return MAPERR;
    const range = this.#ranges.find(address);
    if (range === undefined) return MAPERR;
    if (!allows(range.protection, access)) return ACCERR;
    const number = Math.floor(address / PAGE_SIZE);
    const outcome =
      range.backing.kind === 'shared'
        ? this.#faultShared(range, range.backing, number, access)
        : this.#faultPrivate(range, number, access);
    if (outcome === RESOLVED) this.faults.minor++;
    return outcome;
  }

  /** The bytes of a file's page that `fault` asked for, by page address; what they lack of a page is zero. */
  supplyPage(page: number, bytes: Uint8Array): Fault {
    const range = this.#ranges.find(page);
    if (range === undefined || range.backing.kind === 'zero') return MAPERR;
    const number = page / PAGE_SIZE;
    if (this.#pages.find(number) !== undefined) return RESOLVED;
    const offset = range.backing.offset + (page - range.start);
    this.faults.major++;
    if (range.backing.kind === 'file')
      return this.#pages.placeBytes(number, range.protection, bytes) === undefined ? NOMEM : RESOLVED;
    const object = this.#machine.objects.get(range.backing.object, range.backing.file);
    if (object === undefined) return BUS;
    return this.#pages.shareBytes(object, offset / PAGE_SIZE, number, range.protection, bytes) ? RESOLVED : NOMEM;
  }

  /** After fault `code`: the engine has dropped what it made of the page (a page address), which may be written again. */
  allowWrite(page: number): void {
    const entry = this.#pages.find(page / PAGE_SIZE);
    if (entry === undefined) return;
    entry.code = false;
    this.#pages.updateTags(entry);
  }

  #faultPrivate(range: Range, number: number, access: Access): Fault {
    let page = this.#pages.find(number);
    if (page === undefined) {
      if (range.backing.kind !== 'zero') {
        const { object, offset } = advanced(range.backing, number * PAGE_SIZE - range.start) as Backing & {
          kind: 'file';
        };
        const bytes = this.#machine.filePage?.(object, offset);
        if (bytes === undefined) return { kind: 'file', object, offset, page: number * PAGE_SIZE };
        page = this.#pages.placeBytes(number, range.protection, bytes);
      } else page = this.#pages.placeZero(number, range.protection);
      if (page === undefined) return NOMEM;
    } else {
      if (access === Access.Write && page.code) return { kind: 'code', page: number * PAGE_SIZE };
      if ((access === Access.Write || !this.#pages.present(page)) && !this.#pages.own(page)) return NOMEM;
    }
    if (access === Access.Write) this.#pages.soil(page);
    if (access === Access.Execute && !this.#pages.bringIn(page)) return ACCERR;
    return RESOLVED;
  }

  #faultShared(range: Range, backing: Backing & { kind: 'shared' }, number: number, access: Access): Fault {
    const object = this.#machine.objects.get(backing.object, backing.file);
    const offset = backing.offset + (number * PAGE_SIZE - range.start);
    if (object === undefined || offset >= object.size) return BUS;
    if (access === Access.Write) {
      const present = this.#pages.find(number);
      const primary = present?.primary ?? present;
      // Translated at another address too: the caller could not know what to invalidate.
      if (present !== undefined && primary!.aliases !== null) this.#pages.codeChanged(primary!);
      else if (present?.code) return { kind: 'code', page: number * PAGE_SIZE };
    }
    const page = this.#pages.share(object, offset / PAGE_SIZE, number, range.protection, access === Access.Write);
    if (page === 'absent') return { kind: 'file', object: object.id, offset, page: number * PAGE_SIZE };
    if (page === 'nomem') return NOMEM;
    if (access === Access.Execute && !this.#pages.bringIn(page)) return ACCERR;
    return RESOLVED;
  }

  // ── The kernel's copies ───────────────────────────────────────────────────────────────────────────────────────────

  /** Copies from the process. Returns how many bytes; if fewer than asked for, `stopped` says why. */
  read(address: number, into: Uint8Array): number {
    return this.#copy(address, into, Access.Read);
  }

  /** Copies to the process, `length` bytes of `from`. Returns how many; if fewer than that, `stopped` says why. */
  write(address: number, from: Uint8Array, length = from.length): number {
    if (length > SHORT)
      return this.#copy(address, length === from.length ? from : from.subarray(0, length), Access.Write);
    // Short ones within a page that may be written are most of them.
    const { window } = this.#pages;
    const number = Math.floor(address / PAGE_SIZE);
    const within = address - number * PAGE_SIZE;
    const slot = slotOf(number);
    if (
      !(address >= 0 && address < USER_LIMIT) ||
      within + length > PAGE_SIZE ||
      window.writeTags[slot] !== tagOf(number)
    )
      return this.#copy(address, from.subarray(0, length), Access.Write);
    const { bytes } = window;
    const offset = slot * PAGE_SIZE + within;
    for (let i = 0; i < length; i++) bytes[offset + i] = from[i];
    return length;
  }

  /** Addresses of the pages within [start, end) that the process has, ascending. */
  residentIn(start: number, end: number): number[] {
    const pages = this.#pages.within(start / PAGE_SIZE, end / PAGE_SIZE);
    return pages.map(({ number }) => number * PAGE_SIZE).sort((a, b) => a - b);
  }

  /** The bytes of a page, by its address, as they are, without bringing it in; undefined if there are none. Valid until the space changes. */
  peek(address: number): Uint8Array | undefined {
    const number = address / PAGE_SIZE;
    const page = this.#pages.find(number);
    if (page !== undefined) return this.#pages.peek(page);
    const range = this.#ranges.find(address);
    if (range === undefined || range.backing.kind !== 'shared') return undefined;
    const { object, file, offset } = range.backing;
    const index = (offset + (address - range.start)) / PAGE_SIZE;
    return this.#machine.objects.get(object, file)?.pages.get(index)?.bytes();
  }

  /** One byte a page: 1 if its content is in memory (mincore). */
  resident(start: number, length: number): Uint8Array {
    const first = start / PAGE_SIZE;
    const vector = new Uint8Array(Math.ceil(length / PAGE_SIZE));
    for (const range of this.#ranges.overlapping(start, start + length)) {
      const { backing } = range;
      const object = backing.kind === 'shared' ? this.#machine.objects.get(backing.object, backing.file) : undefined;
      const shift = backing.kind === 'shared' ? (backing.offset - range.start) / PAGE_SIZE : 0;
      if (object === undefined) {
        for (const page of this.#pages.within(range.start / PAGE_SIZE, range.end / PAGE_SIZE))
          vector[page.number - first] = 1;
      } else
        for (let number = range.start / PAGE_SIZE; number < range.end / PAGE_SIZE; number++)
          if (object.pages.has(number + shift)) vector[number - first] = 1;
    }
    return vector;
  }

  #copy(address: number, buffer: Uint8Array, access: Access): number {
    const { window } = this.#pages;
    const tags = access === Access.Write ? window.writeTags : window.readTags;
    this.stopped = null;
    let done = 0;
    while (done < buffer.length) {
      const at = address + done;
      const number = Math.floor(at / PAGE_SIZE);
      const within = at - number * PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - within, buffer.length - done);
      const slot = slotOf(number);
      const part = count === buffer.length ? buffer : buffer.subarray(done, done + count);
      if (at >= 0 && at < USER_LIMIT && tags[slot] === tagOf(number)) {
        const offset = slot * PAGE_SIZE + within;
        if (access === Access.Write) window.bytes.set(part, offset);
        else part.set(window.bytes.subarray(offset, offset + count));
      } else if (!this.#copyBeside(number, within, part, access)) {
        const fault = this.fault(at, access);
        if (fault.kind === 'code') {
          this.#pages.codeChanged(this.#pages.find(number)!);
          continue;
        }
        if (fault !== RESOLVED) {
          this.stopped = fault;
          break;
        }
        continue;
      }
      done += count;
    }
    return done;
  }

  /** Copies within one page that lies beside the window. False if there is none or the access must fault first. */
  #copyBeside(number: number, within: number, part: Uint8Array, access: Access): boolean {
    if (!this.#pages.hasBeside) return false;
    const page = this.#pages.find(number);
    if (page === undefined) return false;
    if (access === Access.Write) {
      if (!this.#pages.mayWrite(page)) return false;
      this.#pages.bytesOf(page).set(part, within);
      return true;
    }
    if (!this.#pages.mayRead(page)) return false;
    part.set(this.#pages.bytesOf(page).subarray(within, within + part.length));
    return true;
  }

  // ── EngineHost ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Guest code on this page was translated: it is write-protected until its translation is dropped. */
  codeTranslated(page: number): void {
    const entry = this.#pages.find(page / PAGE_SIZE);
    if (entry === undefined) return;
    entry.code = true;
    this.#pages.updateTags(entry);
    if (entry.primary !== null) {
      entry.primary.code = true;
      this.#pages.updateTags(entry.primary);
    }
  }

  /** Serves a read of a page beside the window (it may cross into other pages). False: raise a page fault. */
  sideRead(address: number, into: Uint8Array): boolean {
    return this.#pages.hasBeside && this.#side(address, into, Access.Read);
  }

  /** Serves a write to a page beside the window. False: raise a page fault; nothing was written. */
  sideWrite(address: number, from: Uint8Array): boolean {
    return this.#pages.hasBeside && this.#side(address, from, Access.Write);
  }

  #side(address: number, buffer: Uint8Array, access: Access): boolean {
    const end = address + buffer.length;
    const split = (Math.floor(address / PAGE_SIZE) + 1) * PAGE_SIZE;
    if (!(address >= 0 && end <= USER_LIMIT)) return false;
    const allowed = (at: number): boolean => {
      const page = this.#pages.find(Math.floor(at / PAGE_SIZE));
      return page !== undefined && (access === Access.Write ? this.#pages.mayWrite(page) : this.#pages.mayRead(page));
    };
    if (!allowed(address) || (end > split && !allowed(end - 1))) return false;
    return this.#copy(address, buffer, access) === buffer.length;
  }
}
