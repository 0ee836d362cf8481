/**
 * Pages of files that were read for mappings and executables, kept by object in stretches of 64 KiB, least recently used
 * out first. The VFS says when a file's contents change (`invalidate`, `validate`), so what is here is what the file has.
 */
import { PAGE_SIZE } from '../memory/layout.ts';

/** Bytes that are read at once. */
export const STRETCH = 0x1_0000;

/** Stretches of one object at most: keys stay safe integers. */
const STRETCHES = 2 ** 27;

export class PageCache {
  readonly #limit: number;
  #bytes = 0;
  /** In order of use, by the object's small number and the index of the stretch. */
  readonly #stretches = new Map<number, Uint8Array>();
  /** Object numbers are too large to be part of a key: each object seen gets a small number. */
  readonly #objects = new Map<number, { readonly base: number; version: number | undefined }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes of the page at `offset` (a multiple of 4096): fewer than a page at the file's end; undefined if not kept. */
  page(object: number, offset: number): Uint8Array | undefined {
    const within = offset % STRETCH;
    const key = this.#object(object).base + (offset - within) / STRETCH;
    const stretch = this.#stretches.get(key);
    if (stretch === undefined || within >= stretch.length) return undefined;
    this.#stretches.delete(key);
    this.#stretches.set(key, stretch);
    return stretch.subarray(within, Math.min(within + PAGE_SIZE, stretch.length));
  }

  /** Keeps what was read of an object at `offset`, a multiple of STRETCH. The cache owns the bytes from then on. */
  put(object: number, offset: number, bytes: Uint8Array): void {
    const key = this.#object(object).base + offset / STRETCH;
    this.#drop(key);
    this.#stretches.set(key, bytes);
    this.#bytes += bytes.byteLength;
    for (const oldest of this.#stretches.keys()) {
      if (this.#bytes <= this.#limit || oldest === key) break;
      this.#drop(oldest);
    }
  }

  /** The object has this version now: pages of another one go. */
  validate(object: number, version: number): void {
    const entry = this.#object(object);
    if (entry.version !== undefined && entry.version !== version) this.invalidate(object, 0, Number.POSITIVE_INFINITY);
    entry.version = version;
  }

  invalidate(object: number, offset: number, length: number): void {
    const entry = this.#objects.get(object);
    if (entry === undefined) return;
    const first = entry.base + Math.floor(offset / STRETCH);
    const end = entry.base + Math.min(Math.ceil((offset + length) / STRETCH), STRETCHES);
    if (end - first > this.#stretches.size) {
      for (const key of [...this.#stretches.keys()]) if (key >= first && key < end) this.#drop(key);
    } else for (let key = first; key < end; key++) this.#drop(key);
  }

  #object(object: number): { readonly base: number; version: number | undefined } {
    let entry = this.#objects.get(object);
    if (entry === undefined) {
      entry = { base: this.#objects.size * STRETCHES, version: undefined };
      this.#objects.set(object, entry);
    }
    return entry;
  }

  #drop(key: number): void {
    const stretch = this.#stretches.get(key);
    if (stretch === undefined) return;
    this.#stretches.delete(key);
    this.#bytes -= stretch.byteLength;
  }
}
