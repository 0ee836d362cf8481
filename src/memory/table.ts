/**
 * The resident pages of one address space and everything that moves their bytes: placing, dropping, copy-on-write, shared
 * pages, pages beside the window, tags. It knows pages, not ranges (space.ts).
 *
 * Entry points: `find`, `placeZero`, `placeBytes`, `own`, `share`, `drop`, `fork`, `reprotect`, `relocate`, `clear`.
 * Invariants:
 *  - a slot's tags name the page that `inWindow` has for it, and only while its bytes lie in the slot;
 *  - a write tag is set only on a page that is alone with its bytes: no frame, no translated code, no longer its file's, and for
 *    a shared page this space being the writer;
 *  - a slot without a present page is zero (window.ts).
 */

import { PAGE_SIZE, PROT_EXEC, PROT_WRITE } from './layout.ts';
import type { Machine } from './machine.ts';
import { Frame, Page } from './page.ts';
import type { SharedObject } from './shared.ts';
import { SharedPage } from './shared.ts';
import { SLOT_LIMIT, slotOf, tagOf, type Window } from './window.ts';

/** Told when bytes that may have been translated change or go. Pages are 64-bit page addresses. */
export interface CodeObserver {
  onCodeChange(page: number): void;
  /** All pages at once: the address space was emptied. */
  onCodeReset(): void;
}

export class PageTable {
  readonly machine: Machine;
  readonly window: Window;
  readonly observer: CodeObserver;
  /** Pages that have their slot, by slot. */
  readonly #inWindow = new Map<number, Page>();
  /** Pages whose slot another page has, or that have none, by page number. */
  readonly #beside = new Map<number, Page>();

  constructor(machine: Machine, window: Window, observer: CodeObserver) {
    this.machine = machine;
    this.window = window;
    this.observer = observer;
  }

  get size(): number {
    return this.#inWindow.size + this.#beside.size;
  }

  /** Whether any page is outside its slot. */
  get hasBeside(): boolean {
    return this.#beside.size > 0;
  }

  find(number: number): Page | undefined {
    const page = this.#inWindow.get(slotOf(number));
    if (page !== undefined && page.number === number) return page;
    return this.#beside.size === 0 ? undefined : this.#beside.get(number);
  }

  /** Whether this space has the page's bytes (directly or through its primary). */
  present(page: Page): boolean {
    return page.frame === null || page.frame.owner === page;
  }

  /** The bytes of a present page. Valid until the page is moved or dropped. */
  bytesOf(page: Page): Uint8Array {
    if (page.side !== null) return page.side;
    if (page.primary !== null) return this.bytesOf(page.primary);
    return this.window.page(slotOf(page.number));
  }

  /** The bytes of a page wherever they are. */
  peek(page: Page): Uint8Array {
    const { frame } = page;
    if (frame === null || frame.owner === page) return this.bytesOf(page);
    return frame.buffer ?? frame.owner!.table.bytesOf(frame.owner!);
  }

  mayRead(page: Page): boolean {
    return page.protection !== 0 && this.present(page);
  }

  mayWrite(page: Page): boolean {
    if ((page.protection & PROT_WRITE) === 0 || page.code || page.clean || page.frame !== null) return false;
    if (page.shared === null) return true;
    return page.shared.writer === this && !(page.primary ?? page).code;
  }

  /** Brings the tags of a page's slot up to date with what is allowed now. */
  updateTags(page: Page): void {
    const slot = slotOf(page.number);
    if (this.#inWindow.get(slot) !== page) return;
    if (!this.mayRead(page)) {
      this.window.setTags(slot, 0, 0, 0);
      return;
    }
    const tag = tagOf(page.number);
    this.window.setTags(slot, tag, this.mayWrite(page) ? tag : 0, (page.protection & PROT_EXEC) !== 0 ? tag : 0);
  }

  // ── Placing ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A new private page of zeros. Undefined at the machine's limit. */
  placeZero(number: number, protection: number): Page | undefined {
    if (!this.machine.take()) return undefined;
    const page = this.#enter(number, protection);
    this.#fillZero(page);
    this.updateTags(page);
    return page;
  }

  /** A new private page with the bytes of a file; what they lack of a page is zero. */
  placeBytes(number: number, protection: number, bytes: Uint8Array): Page | undefined {
    if (!this.machine.take()) return undefined;
    const page = this.#enter(number, protection);
    page.clean = true;
    this.#fill(page, bytes);
    this.updateTags(page);
    return page;
  }

  /** Gives a page that has its content in common with others a copy of its own. False at the machine's limit. */
  own(page: Page): boolean {
    const frame = page.frame;
    if (frame === null) return true;
    if (frame.owner === page) {
      if (!this.machine.take()) return false;
      frame.buffer = this.machine.buffers.copyOf(this.bytesOf(page));
      frame.owner = null;
      frame.holders--;
    } else if (frame.buffer !== null && frame.holders === 1) {
      // The last holder: the buffer's page of the account becomes this page's.
      this.#fill(page, frame.buffer);
      this.machine.buffers.free(frame.buffer);
    } else {
      if (!this.machine.take()) return false;
      this.#fill(page, this.peek(page));
      this.#leave(frame);
    }
    page.frame = null;
    this.updateTags(page);
    return true;
  }

  /** A private page is about to be written. */
  soil(page: Page): void {
    if (!page.clean) return;
    page.clean = false;
    this.updateTags(page);
  }

  /** Moves a page that lies beside the window into its slot (code runs only there). False if it has no slot. */
  bringIn(page: Page): boolean {
    const slot = slotOf(page.number);
    if (slot >= SLOT_LIMIT) return false;
    const occupant = this.#inWindow.get(slot);
    if (occupant === page) return true;
    if (occupant !== undefined) this.#evict(occupant);
    this.#beside.delete(page.number);
    this.#inWindow.set(slot, page);
    if (page.primary !== null) this.#swapPrimary(page);
    else if (page.side !== null) {
      const side = page.side;
      page.side = null;
      this.#fill(page, side);
      this.machine.buffers.free(side);
    }
    this.updateTags(page);
    return true;
  }

  // ── Shared pages ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Lets this space read, or with `write` write, page `index` of an object at page `number`. 'absent' when a file's page
   * must be fetched first, 'nomem' at the machine's limit.
   */
  share(
    object: SharedObject,
    index: number,
    number: number,
    protection: number,
    write: boolean,
  ): Page | 'absent' | 'nomem' {
    let shared = object.pages.get(index);
    if (shared === undefined) {
      if (object.file) return 'absent';
      shared = new SharedPage(object, index);
    }
    let page = shared.holders.get(this);
    if (page === undefined) {
      const source = shared.master ?? this.#bytesOfHolder(shared);
      // A master copy hands its page of the account on.
      if (shared.master === null && !this.machine.take()) return 'nomem';
      page = this.#enter(number, protection);
      if (source !== undefined) this.#fill(page, source);
      else this.#fillZero(page);
      if (shared.master !== null) {
        this.machine.buffers.free(shared.master);
        shared.master = null;
      }
      object.pages.set(index, shared);
      page.shared = shared;
      shared.holders.set(this, page);
      if (shared.writer !== null) shared.writer.demote(shared);
    } else if (page.number !== number) page = this.#alias(page, number, protection);
    if (write && shared.writer !== this) {
      for (const holder of [...shared.holders.values()]) if (holder.table !== this) holder.table.drop(holder);
      shared.writer = this;
      shared.dirty = object.file;
    }
    this.updateTags(shared.holders.get(this)!);
    return page;
  }

  /** The bytes of a file's page have arrived for page `number`. False at the machine's limit. */
  shareBytes(object: SharedObject, index: number, number: number, protection: number, bytes: Uint8Array): boolean {
    if (object.pages.has(index)) return true;
    if (!this.machine.take()) return false;
    const shared = new SharedPage(object, index);
    object.pages.set(index, shared);
    const page = this.#enter(number, protection);
    this.#fill(page, bytes);
    page.shared = shared;
    shared.holders.set(this, page);
    this.updateTags(page);
    return true;
  }

  /** This space, so far the writer of the page, only reads it from now on. */
  demote(shared: SharedPage): void {
    shared.writer = null;
    const page = shared.holders.get(this);
    if (page !== undefined) this.updateTags(page);
  }

  // ── Leaving ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a page out; its content stays with whoever else has it. */
  drop(page: Page): void {
    // An alias goes with its primary: a list of pages to drop may name one that is gone.
    if (this.find(page.number) !== page) return;
    this.codeChanged(page);
    this.#forget(page);
    this.#let(page, true);
  }

  /** Drops all pages. `keep` false: the window will not be used again, so it need not be zeroed. */
  clear(keep: boolean): void {
    for (const page of this.#inWindow.values()) {
      this.#let(page, keep);
      const slot = slotOf(page.number);
      if (keep) this.window.setTags(slot, 0, 0, 0);
    }
    for (const page of this.#beside.values()) this.#let(page, keep);
    this.#inWindow.clear();
    this.#beside.clear();
  }

  /** Pages within [first, end), in no order. The caller may drop them. */
  within(first: number, end: number): Page[] {
    const found: Page[] = [];
    if (end - first <= this.size) {
      for (let number = first; number < end; number++) {
        const page = this.find(number);
        if (page !== undefined) found.push(page);
      }
      return found;
    }
    for (const page of this.#inWindow.values()) if (page.number >= first && page.number < end) found.push(page);
    for (const page of this.#beside.values()) if (page.number >= first && page.number < end) found.push(page);
    return found;
  }

  // ── Changing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The page's range has another protection. */
  reprotect(page: Page, protection: number): void {
    if ((protection & PROT_EXEC) === 0) this.codeChanged(page);
    page.protection = protection;
    this.updateTags(page);
  }

  /** Moves a page to another page number of this space, where there is none. */
  relocate(page: Page, number: number): void {
    // As in `drop`: an alias whose primary is gone.
    if (this.find(page.number) !== page) return;
    this.codeChanged(page);
    const hasBytes = page.side === null && page.primary === null && this.present(page);
    // Bytes in the old slot travel by way of a buffer: the new slot may not be free.
    const carried = hasBytes ? this.machine.buffers.copyOf(this.bytesOf(page)) : null;
    this.#forget(page);
    if (carried !== null) this.window.zero(slotOf(page.number));
    page.number = number;
    this.#place(page);
    if (carried !== null) {
      this.#fill(page, carried);
      this.machine.buffers.free(carried);
    } else if (page.side !== null && this.#hasSlot(page)) {
      const side = page.side;
      page.side = null;
      this.#fill(page, side);
      this.machine.buffers.free(side);
    }
    this.updateTags(page);
  }

  /** If code was translated from these bytes, at whatever address, has the engine drop it. */
  codeChanged(page: Page): void {
    const primary = page.primary ?? page;
    for (const one of primary.aliases === null ? [primary] : [primary, ...primary.aliases]) {
      if (!one.code) continue;
      one.code = false;
      this.observer.onCodeChange(one.number * PAGE_SIZE);
      this.updateTags(one);
    }
  }

  /**
   * Gives `child`, which is empty, all private pages, in common until either side writes. Shared pages it must fetch by
   * itself; nobody would tell it that one changed, so translations of shared pages are dropped before it can inherit them.
   */
  fork(child: PageTable): void {
    for (const [slot, page] of this.#inWindow) {
      if (page.shared !== null) {
        this.codeChanged(page);
        continue;
      }
      child.#inWindow.set(slot, this.#common(page, child));
      this.window.writeTags[slot] = 0;
    }
    for (const [number, page] of this.#beside) {
      if (page.shared !== null) this.codeChanged(page);
      else child.#beside.set(number, this.#common(page, child));
    }
  }

  // ── Private ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #common(page: Page, child: PageTable): Page {
    const frame = (page.frame ??= new Frame(page));
    frame.holders++;
    const twin = new Page(child, page.number, page.protection);
    twin.frame = frame;
    twin.code = page.code;
    twin.clean = page.clean;
    return twin;
  }

  #hasSlot(page: Page): boolean {
    return this.#inWindow.get(slotOf(page.number)) === page;
  }

  #enter(number: number, protection: number): Page {
    const page = new Page(this, number, protection);
    this.#place(page);
    return page;
  }

  /** Gives a page its slot, or a place beside the window if an accessible page has the slot. */
  #place(page: Page): void {
    const slot = slotOf(page.number);
    const occupant = this.#inWindow.get(slot);
    if (page.primary !== null || slot >= SLOT_LIMIT || (occupant !== undefined && occupant.protection !== 0)) {
      this.#beside.set(page.number, page);
      return;
    }
    if (occupant !== undefined) this.#evict(occupant);
    this.#inWindow.set(slot, page);
  }

  /** Moves a page out of its slot. */
  #evict(page: Page): void {
    this.codeChanged(page);
    const slot = slotOf(page.number);
    if (this.present(page)) {
      page.side = this.machine.buffers.copyOf(this.bytesOf(page));
      this.window.zero(slot);
    }
    this.window.setTags(slot, 0, 0, 0);
    this.#inWindow.delete(slot);
    this.#beside.set(page.number, page);
  }

  /** Writes the bytes of a page that is being placed. */
  #fill(page: Page, bytes: Uint8Array): void {
    const slot = slotOf(page.number);
    if (this.#inWindow.get(slot) === page) {
      this.window.touch(slot);
      this.window.bytes.set(bytes, slot * PAGE_SIZE);
    } else page.side = this.machine.buffers.copyOf(bytes);
  }

  /** As `#fill` with zeros, which a free slot already holds. */
  #fillZero(page: Page): void {
    if (this.#hasSlot(page)) this.window.touch(slotOf(page.number));
    else page.side = this.machine.buffers.zeroed();
  }

  #forget(page: Page): void {
    const slot = slotOf(page.number);
    if (this.#inWindow.get(slot) === page) {
      this.window.setTags(slot, 0, 0, 0);
      this.#inWindow.delete(slot);
    } else this.#beside.delete(page.number);
  }

  /** Lets go of a page's content: passes it on to those who still need it, frees it, zeroes the slot. */
  #let(page: Page, zero: boolean): void {
    if (page.primary !== null) {
      const aliases = page.primary.aliases!;
      aliases.splice(aliases.indexOf(page), 1);
      return;
    }
    const frame = page.frame;
    if (frame !== null && frame.owner !== page) {
      this.#leave(frame);
      return;
    }
    if (page.shared !== null) this.#leaveShared(page, page.shared);
    else if (frame !== null) {
      this.machine.takeAnyway();
      frame.buffer = this.machine.buffers.copyOf(this.bytesOf(page));
      frame.owner = null;
      frame.holders--;
    }
    if (page.side !== null) this.machine.buffers.free(page.side);
    else if (zero) this.window.zero(slotOf(page.number));
    this.machine.give();
  }

  /** One holder less that had no bytes; an owner left alone is alone with its page again. */
  #leave(frame: Frame): void {
    frame.holders--;
    const owner = frame.owner;
    if (owner === null) {
      if (frame.holders === 0) this.machine.freeBuffer(frame.buffer!);
    } else if (frame.holders === 1) {
      owner.frame = null;
      owner.table.updateTags(owner);
    }
  }

  #leaveShared(page: Page, shared: SharedPage): void {
    // `clear` meets the aliases by itself and must find their primary's list.
    for (const alias of [...(page.aliases ?? [])]) {
      this.codeChanged(alias);
      this.#beside.delete(alias.number);
    }
    page.aliases = null;
    shared.holders.delete(this);
    if (shared.writer === this) shared.writer = null;
    if (shared.holders.size > 0) return;
    if (shared.object.keeps(shared)) {
      this.machine.takeAnyway();
      shared.master = this.machine.buffers.copyOf(this.bytesOf(page));
    } else shared.object.pages.delete(shared.index);
  }

  #bytesOfHolder(shared: SharedPage): Uint8Array | undefined {
    const holder = shared.anyHolder();
    return holder?.table.bytesOf(holder);
  }

  #alias(primary: Page, number: number, protection: number): Page {
    const existing = this.#beside.get(number);
    if (existing !== undefined) return existing;
    const alias = new Page(this, number, protection);
    alias.shared = primary.shared;
    alias.primary = primary;
    (primary.aliases ??= []).push(alias);
    this.#beside.set(number, alias);
    return alias;
  }

  /** Makes an alias, which already has its slot, the page with the bytes; the primary becomes its alias. */
  #swapPrimary(page: Page): void {
    const former = page.primary!;
    this.codeChanged(former);
    const bytes = this.bytesOf(former);
    page.primary = null;
    this.#fill(page, bytes);
    if (former.side !== null) {
      this.machine.buffers.free(former.side);
      former.side = null;
    } else {
      this.window.zero(slotOf(former.number));
      this.#forget(former);
    }
    this.#beside.set(former.number, former);
    page.aliases = former.aliases!.filter((alias) => alias !== page);
    page.aliases.push(former);
    for (const alias of page.aliases) alias.primary = page;
    former.aliases = null;
    page.shared!.holders.set(this, page);
  }
}
