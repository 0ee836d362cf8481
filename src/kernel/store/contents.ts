/**
 * File contents with an undo log (ipc/store.ts): sparse arrays of 4096-byte pages by file number.
 *
 * A write saves what it overwrites, the stretch of each page only, unless the page was made in the same transaction. Pages
 * past the size do not exist, and the bytes of the last page past the size are zero: `truncate` sees to it, so growing a
 * file never shows old data.
 */
import type { Contents } from '../../ipc/store.ts';
import type { UndoLog } from './undo.ts';

const PAGE = 4096;

interface Page {
  readonly bytes: Uint8Array;
  /** The transaction that made it: on rollback it goes, so its bytes need not be saved. */
  readonly made: number;
}

class File {
  size = 0;
  readonly pages = new Map<number, Page>();
}

export class StoredContents implements Contents {
  readonly #log: UndoLog;
  readonly #files = new Map<number, File>();

  constructor(log: UndoLog) {
    this.#log = log;
  }

  read(file: number, offset: number, into: Uint8Array): number {
    const entry = this.#files.get(file);
    if (entry === undefined || offset >= entry.size) return 0;
    const count = Math.min(into.length, entry.size - offset);
    for (let done = 0; done < count; ) {
      const position = offset + done;
      const within = position % PAGE;
      const length = Math.min(PAGE - within, count - done);
      const page = entry.pages.get((position - within) / PAGE);
      if (page === undefined) into.fill(0, done, done + length);
      else if (within === 0 && length === PAGE) into.set(page.bytes, done);
      else into.set(page.bytes.subarray(within, within + length), done);
      done += length;
    }
    return count;
  }

  write(file: number, offset: number, bytes: Uint8Array): void {
    const entry = this.#file(file);
    for (let done = 0; done < bytes.length; ) {
      const position = offset + done;
      const within = position % PAGE;
      const length = Math.min(PAGE - within, bytes.length - done);
      const target = this.#page(entry, (position - within) / PAGE, within, length);
      target.set(length === bytes.length ? bytes : bytes.subarray(done, done + length), within);
      done += length;
    }
    if (bytes.length > 0 && offset + bytes.length > entry.size) this.#resize(entry, offset + bytes.length);
  }

  truncate(file: number, size: number): void {
    const entry = this.#file(file);
    if (size < entry.size) {
      const kept = Math.ceil(size / PAGE);
      // A short file's last pages are counted off; a sparse one's pages are listed.
      const last = Math.ceil(entry.size / PAGE);
      const numbers =
        last - kept <= entry.pages.size
          ? Array.from({ length: last - kept }, (_, i) => kept + i)
          : [...entry.pages.keys()].filter((number) => number >= kept);
      for (const number of numbers) this.#drop(entry, number);
      const within = size % PAGE;
      if (within !== 0 && entry.pages.has(kept - 1)) this.#page(entry, kept - 1, within, PAGE - within).fill(0, within);
    }
    if (size !== entry.size) this.#resize(entry, size);
  }

  nextData(file: number, offset: number): number | undefined {
    const entry = this.#files.get(file);
    if (entry === undefined) return undefined;
    const from = Math.floor(offset / PAGE);
    const end = Math.ceil(entry.size / PAGE);
    let found = Number.POSITIVE_INFINITY;
    // A short way is walked page by page; the pages of a sparse file are fewer than the way is long.
    if (end - from <= entry.pages.size) {
      for (found = from; found < end && !entry.pages.has(found); ) found++;
    } else for (const number of entry.pages.keys()) if (number >= from && number < found) found = number;
    return found < end ? Math.max(offset, found * PAGE) : undefined;
  }

  nextHole(file: number, offset: number): number {
    const entry = this.#files.get(file);
    if (entry === undefined) return offset;
    let number = Math.floor(offset / PAGE);
    while (entry.pages.has(number)) number++;
    return Math.min(entry.size, Math.max(offset, number * PAGE));
  }

  punch(file: number, offset: number, length: number): void {
    const entry = this.#files.get(file);
    if (entry === undefined) return;
    const end = Math.min(offset + length, entry.size);
    for (let at = this.nextData(file, offset); at !== undefined && at < end; at = this.nextData(file, at)) {
      const within = at % PAGE;
      const number = (at - within) / PAGE;
      const count = Math.min(PAGE - within, end - at);
      // What lies behind the size is zero anyway.
      if (within === 0 && (count === PAGE || end === entry.size)) this.#drop(entry, number);
      else this.#page(entry, number, within, count).fill(0, within, within + count);
      at += count;
    }
  }

  size(file: number): number {
    return this.#files.get(file)?.size ?? 0;
  }

  allocated(file: number): number {
    return (this.#files.get(file)?.pages.size ?? 0) * PAGE;
  }

  delete(file: number): void {
    const entry = this.#files.get(file);
    if (entry === undefined) return;
    this.#files.delete(file);
    this.#log.push({ undo: () => this.#files.set(file, entry) });
  }

  #file(file: number): File {
    let entry = this.#files.get(file);
    if (entry === undefined) {
      entry = new File();
      this.#files.set(file, entry);
      this.#log.push({ undo: () => this.#files.delete(file) });
    }
    return entry;
  }

  /** A page's bytes for writing `length` of them at `within`, with the old ones saved. */
  #page(entry: File, number: number, within: number, length: number): Uint8Array {
    const page = entry.pages.get(number);
    if (page === undefined) {
      const bytes = new Uint8Array(PAGE);
      entry.pages.set(number, { bytes, made: this.#log.stamp });
      this.#log.push({ undo: () => entry.pages.delete(number) });
      return bytes;
    }
    const { bytes, made } = page;
    if (this.#log.active && made !== this.#log.epoch) {
      const saved = bytes.slice(within, within + length);
      this.#log.push({ undo: () => bytes.set(saved, within) });
    }
    return bytes;
  }

  #drop(entry: File, number: number): void {
    const page = entry.pages.get(number);
    if (page === undefined) return;
    entry.pages.delete(number);
    this.#log.push({ undo: () => entry.pages.set(number, page) });
  }

  #resize(entry: File, size: number): void {
    const old = entry.size;
    entry.size = size;
    this.#log.push({
      undo: () => {
        entry.size = old;
      },
    });
  }
}
