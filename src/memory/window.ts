/**
 * One window: the `WebAssembly.Memory` of an address space with its views and tag tables (layout.ts). A window knows
 * slots and bytes, not who owns them.
 *
 * Invariant: a slot that holds no resident page is all zeros and its tags are 0, so a demand-zero page needs no clearing.
 */
import type { Engine } from '../cpu/engine.ts';
import { EXECUTE_TAGS, GUEST_LIMIT, PAGE_SIZE, READ_TAGS, WINDOW_SIZE, WRITE_TAGS } from './layout.ts';

const SLOTS = WINDOW_SIZE / PAGE_SIZE;
/** Slots from here on hold the tables of the window, never a guest page. */
export const SLOT_LIMIT = GUEST_LIMIT / PAGE_SIZE;

const ZERO_PAGE = new Uint8Array(PAGE_SIZE);

/** The slot of a page number: its low 20 bits. */
export const slotOf = (page: number): number => page & (SLOTS - 1);
/** The tag that allows access to a page: the complement of the upper 32 bits of its address. */
export const tagOf = (page: number): number => ~Math.floor(page / SLOTS);

export class Window {
  readonly memory = new WebAssembly.Memory({ initial: SLOTS / 16, maximum: SLOTS / 16, shared: true });
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly readTags = new Int32Array(this.memory.buffer, READ_TAGS, SLOTS);
  readonly writeTags = new Int32Array(this.memory.buffer, WRITE_TAGS, SLOTS);
  readonly executeTags = new Int32Array(this.memory.buffer, EXECUTE_TAGS, SLOTS);
  /**
   * The CPU engine bound to this memory, if its user made one. It stays with the window through the pool: whoever
   * acquires the window next must `reset` it before running another program.
   */
  engine: Engine | null = null;

  /** One bit a slot that was ever written: the host holds memory for it. */
  readonly #touched = new Uint8Array(SLOTS / 8);
  #touchedPages = 0;

  /** Pages of host memory that the guest part of this window has taken, whether in use now or not. */
  get touchedPages(): number {
    return this.#touchedPages;
  }

  /** Records that a slot is about to be written. */
  touch(slot: number): void {
    const index = slot >>> 3;
    const bit = 1 << (slot & 7);
    if ((this.#touched[index] & bit) !== 0) return;
    this.#touched[index] |= bit;
    this.#touchedPages++;
  }

  /** The bytes of a slot. */
  page(slot: number): Uint8Array {
    const start = slot * PAGE_SIZE;
    return this.bytes.subarray(start, start + PAGE_SIZE);
  }

  zero(slot: number): void {
    this.bytes.set(ZERO_PAGE, slot * PAGE_SIZE);
  }

  setTags(slot: number, read: number, write: number, execute: number): void {
    this.readTags[slot] = read;
    this.writeTags[slot] = write;
    this.executeTags[slot] = execute;
  }
}
