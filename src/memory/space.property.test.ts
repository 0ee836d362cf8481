/**
 * Random operations on several address spaces against a twin that is slow and obvious: an object for every page with its
 * bytes, copied at fork. Accesses go the way an engine's do (tags, then sideRead and sideWrite, then fault) or the kernel's.
 */
import { describe, expect, it } from 'vitest';
import { Access } from '../cpu/engine.ts';
import { PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE } from './layout.ts';
import { Machine } from './machine.ts';
import type { AddressSpace } from './space.ts';
import { slotOf, tagOf } from './window.ts';

type Bytes = Uint8Array;
interface TwinPage {
  protection: number;
  /** Private: own bytes, or undefined while the file still stands for them. Shared: from the source. */
  kind: 'zero' | 'file' | 'object' | 'fileShared';
  source: number;
  index: number;
  bytes: Bytes | undefined;
}

const FILE_PAGES = 6;
/** Page numbers that clash with each other: the same slots under three different upper halves, and a slot of the tables. */
const BASES = [0x10000, 0x100000 * 0x7000 + 0x10000, 0x100000 * 0x7fff + 0x10004, 0x100000 * 0x7fff + 0xfe100];
const PAGES = 4;

const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return (seed >>> 8) / 0x100_0000;
};

const same = (actual: unknown, expected: unknown, what: string): void => {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
};

class Process {
  readonly pages = new Map<number, TwinPage>();
  translated = new Map<number, Bytes>();
  space!: AddressSpace;
  readonly observer = {
    onCodeChange: (page: number) => void this.translated.delete(page / PAGE_SIZE),
    onCodeReset: () => this.translated.clear(),
  };
}

class World {
  readonly machine = new Machine({ pool: { windows: 4, pages: 100_000, pagesPerWindow: 100_000 } });
  readonly processes: Process[] = [];
  readonly files = [0, 1].map((f) =>
    Array.from({ length: FILE_PAGES }, (_, i) => new Uint8Array(PAGE_SIZE).fill(f * 50 + i + 1)),
  );
  /** What the disk has of each file: behind `files` while shared mappings are dirty. */
  readonly disk = this.files.map((pages) => pages.map((page) => page.slice()));
  readonly objects = new Map<number, Bytes[]>();
  readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
    this.machine.onFileUnused = (file) => {
      this.writeBack(file);
      this.machine.objects.forgetFile(file);
    };
    this.spawn();
  }

  pick(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  spawn(): void {
    const process = new Process();
    process.space = this.machine.createSpace(process.observer);
    this.processes.push(process);
  }

  writeBack(file: number): void {
    for (const { offset, bytes } of this.machine.objects.dirtyPages(file))
      this.disk[file][offset / PAGE_SIZE].set(bytes);
  }

  bytesOf(page: TwinPage): Bytes {
    if (page.kind === 'object') return this.objects.get(page.source)![page.index];
    if (page.kind === 'fileShared') return this.files[page.source][page.index];
    // A private page of a file binds to the file's bytes when it is first touched.
    if (page.bytes === undefined)
      page.bytes = page.kind === 'file' ? this.files[page.source][page.index].slice() : new Uint8Array(PAGE_SIZE);
    return page.bytes;
  }

  /** Brings a file's page in as the kernel would; everything else must be a verdict. */
  resolve(process: Process, address: number, access: Access): string {
    for (let tries = 0; tries < 8; tries++) {
      const fault = process.space.fault(address, access);
      if (fault.kind === 'file') {
        // The VFS sees modified shared pages before it reads.
        this.writeBack(fault.object);
        const done = process.space.supplyPage(fault.page, this.disk[fault.object][fault.offset / PAGE_SIZE]);
        expect(done.kind).toBe('resolved');
      } else if (fault.kind === 'code') {
        process.translated.delete(fault.page / PAGE_SIZE);
        process.space.allowWrite(fault.page);
      } else return fault.kind;
    }
    throw new Error('the fault does not end');
  }

  /** One byte as an engine accesses it. */
  engineAccess(process: Process, address: number, value: number | undefined): number | string {
    const { space } = process;
    const number = Math.floor(address / PAGE_SIZE);
    const tags = value === undefined ? space.window.readTags : space.window.writeTags;
    const one = new Uint8Array(1);
    for (let tries = 0; tries < 8; tries++) {
      if (tags[slotOf(number)] === tagOf(number)) {
        const at = slotOf(number) * PAGE_SIZE + (address % PAGE_SIZE);
        if (value === undefined) return space.window.bytes[at];
        space.window.bytes[at] = value;
        return value;
      }
      if (value === undefined) {
        if (space.sideRead(address, one)) return one[0];
      } else {
        one[0] = value;
        if (space.sideWrite(address, one)) return value;
      }
      const verdict = this.resolve(process, address, value === undefined ? Access.Read : Access.Write);
      if (verdict !== 'resolved') return verdict;
    }
    throw new Error('the access does not end');
  }

  check(process: Process, number: number): void {
    const page = process.pages.get(number);
    const offset = this.pick(8);
    const expected = page === undefined ? 'maperr' : page.protection === 0 ? 'accerr' : this.bytesOf(page)[offset];
    same(this.engineAccess(process, number * PAGE_SIZE + offset, undefined), expected, 'read');
  }

  somePage(): number {
    return BASES[Math.min(this.pick(BASES.length + 2), BASES.length - 1 - this.pick(2))] + this.pick(PAGES);
  }

  step(): void {
    const process = this.processes[this.pick(this.processes.length)];
    const { space } = process;
    const number = this.somePage();
    const count = 1 + this.pick(5);
    const pages = Array.from({ length: count }, (_, i) => number + i);
    const start = number * PAGE_SIZE;
    const length = count * PAGE_SIZE;
    const protection = [0, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, 7, PROT_READ | PROT_EXEC][
      this.pick(6)
    ];
    switch (this.pick(16)) {
      case 0:
        for (const n of pages)
          process.pages.set(n, { protection, kind: 'zero', source: 0, index: 0, bytes: undefined });
        space.map(start, length, protection, { kind: 'zero' });
        break;
      case 1: {
        const shared = this.next() < 0.5;
        const source = this.pick(this.files.length);
        const index = this.pick(2);
        const size = Math.min(count, FILE_PAGES - index);
        for (let i = 0; i < size; i++)
          process.pages.set(number + i, {
            protection,
            kind: shared ? 'fileShared' : 'file',
            source,
            index: index + i,
            bytes: undefined,
          });
        const offset = index * PAGE_SIZE;
        const backing = shared
          ? ({ kind: 'shared', object: source, offset, file: true } as const)
          : ({ kind: 'file', object: source, offset } as const);
        space.map(start, size * PAGE_SIZE, protection, backing);
        break;
      }
      case 2: {
        if (this.objects.size < 3) {
          const id = this.machine.objects.create(4 * PAGE_SIZE);
          this.objects.set(
            id,
            Array.from({ length: 4 }, () => new Uint8Array(PAGE_SIZE)),
          );
        }
        const ids = [...this.objects.keys()];
        const source = ids[this.pick(ids.length)];
        const index = this.pick(3);
        const size = Math.min(count, 4 - index);
        for (let i = 0; i < size; i++)
          process.pages.set(number + i, { protection, kind: 'object', source, index: index + i, bytes: undefined });
        space.map(start, size * PAGE_SIZE, protection, {
          kind: 'shared',
          object: source,
          offset: index * PAGE_SIZE,
          file: false,
        });
        break;
      }
      case 3:
        for (const n of pages) process.pages.delete(n);
        space.unmap(start, length);
        break;
      case 4:
        for (const n of pages) {
          const page = process.pages.get(n);
          if (page !== undefined) page.protection = protection;
        }
        space.protect(start, length, protection);
        break;
      case 5:
        for (const n of pages) {
          const page = process.pages.get(n);
          if (page !== undefined) page.bytes = undefined;
        }
        space.discard(start, length);
        break;
      case 6: {
        const target = this.somePage();
        const moved = pages.map((n) => process.pages.get(n));
        for (const n of pages) process.pages.delete(n);
        for (let i = 0; i < count; i++) process.pages.delete(target + i);
        moved.forEach((page, i) => {
          if (page !== undefined) process.pages.set(target + i, page);
        });
        space.move(start, target * PAGE_SIZE, length);
        break;
      }
      case 7:
        if (this.processes.length < 5) {
          const child = new Process();
          for (const [n, page] of process.pages)
            child.pages.set(n, { ...page, bytes: page.bytes === undefined ? undefined : page.bytes.slice() });
          child.space = space.fork(child.observer);
          child.translated = new Map(process.translated);
          this.processes.push(child);
        }
        break;
      case 8:
        if (this.processes.length > 1 && this.next() < 0.7) {
          this.processes.splice(this.processes.indexOf(process), 1);
          space.release();
        } else if (this.next() < 0.2) {
          process.pages.clear();
          space.unmap(0, 0x7fff_ffff_f000);
        }
        break;
      case 9:
      case 10:
      case 11: {
        const page = process.pages.get(number);
        const offset = this.pick(8);
        const value = 1 + this.pick(255);
        const verdict = this.engineAccess(process, start + offset, value);
        if (page === undefined) expect(verdict).toBe('maperr');
        else if ((page.protection & PROT_WRITE) === 0) expect(verdict).toBe('accerr');
        else {
          expect(verdict).toBe(value);
          this.bytesOf(page)[offset] = value;
        }
        break;
      }
      case 12: {
        // The kernel writes across pages, up to the first that refuses.
        const bytes = new Uint8Array(this.pick(3 * PAGE_SIZE)).map(() => this.pick(256));
        const offset = this.pick(PAGE_SIZE);
        let done = 0;
        for (;;) {
          done += space.write(start + offset + done, bytes.subarray(done));
          const stopped = space.stopped;
          if (stopped?.kind !== 'file') break;
          this.resolve(process, stopped.page, Access.Read);
          this.resolve(process, stopped.page, Access.Write);
        }
        let expected = 0;
        for (; expected < bytes.length; expected++) {
          const at = start + offset + expected;
          const page = process.pages.get(Math.floor(at / PAGE_SIZE));
          if (page === undefined || (page.protection & PROT_WRITE) === 0) break;
          this.bytesOf(page)[at % PAGE_SIZE] = bytes[expected];
        }
        expect(done).toBe(expected);
        break;
      }
      case 13: {
        // Code on the page is translated, and what was translated before must still be what the bytes say.
        const page = process.pages.get(number);
        const known = process.translated.get(number);
        if (page !== undefined && (page.protection & PROT_EXEC) !== 0) {
          if (known !== undefined) expect(known).toEqual(this.bytesOf(page));
          const verdict = this.resolve(process, start, Access.Execute);
          if (slotOf(number) >= 0xfe000) {
            expect(verdict).toBe('accerr');
            break;
          }
          expect(verdict).toBe('resolved');
          expect(space.window.executeTags[slotOf(number)]).toBe(tagOf(number));
          const bytes = space.window.page(slotOf(number)).slice();
          expect(bytes).toEqual(this.bytesOf(page));
          process.translated.set(number, bytes);
          space.codeTranslated(start);
        } else expect(known).toBeUndefined();
        break;
      }
      case 14: {
        // A file is written by other means.
        const file = this.pick(this.files.length);
        this.writeBack(file);
        const index = this.pick(FILE_PAGES);
        this.files[file][index][7] = this.pick(256);
        this.disk[file][index] = this.files[file][index].slice();
        // Private pages that are not bound yet will see it, as shared ones do.
        this.machine.objects.invalidate(file, index * PAGE_SIZE + 7, 1);
        break;
      }
      default:
        this.check(process, number);
    }
    if (this.processes.includes(process)) same(space.virtualBytes, process.pages.size * PAGE_SIZE, 'virtual bytes');
    for (let i = 0; i < 3; i++) this.check(this.processes[this.pick(this.processes.length)], this.somePage());
  }

  checkAll(): void {
    for (const process of this.processes)
      for (const base of BASES) for (let i = 0; i < PAGES + 5; i++) this.check(process, base + i);
  }

  end(): void {
    for (const process of this.processes) process.space.release();
    for (const id of this.objects.keys()) this.machine.objects.release(id);
    for (const file of this.files.keys()) {
      this.writeBack(file);
      expect(this.disk[file]).toEqual(this.files[file]);
    }
    expect(this.machine.usedPages).toBe(0);
    while (this.machine.windows.size > 0) {
      const window = this.machine.windows.acquire();
      for (const base of BASES)
        for (let i = 0; i < PAGES + 10; i++) {
          const slot = slotOf(base + i);
          if (slot >= 0xfe000) continue;
          expect(window.page(slot).every((byte) => byte === 0)).toBe(true);
          expect([window.readTags[slot], window.writeTags[slot], window.executeTags[slot]]).toEqual([0, 0, 0]);
        }
    }
  }
}

describe('address spaces against their twin', () => {
  const seeds = Number(globalThis.process?.env['SEEDS'] ?? 10);
  it(`agree over ${seeds} random histories of maps, writes, forks, moves and exits`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const world = new World(seed * 7919);
      try {
        for (let i = 0; i < 1000; i++) world.step();
        world.checkAll();
        world.end();
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      }
    }
  }, 120_000);
});
