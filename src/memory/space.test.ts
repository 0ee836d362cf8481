/** Address spaces case by case: what the random histories (space.property.test.ts) rarely meet, and what they cannot see. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Access } from '../cpu/engine.ts';
import type { Backing } from './backing.ts';
import { PAGE_SIZE } from './layout.ts';
import { Machine } from './machine.ts';
import type { AddressSpace } from './space.ts';
import { slotOf, tagOf } from './window.ts';

const A = 0x7000_4000_0000;
/** The same slot under another upper half. */
const CLASH = 0x7fff_4000_0000;
const ZERO: Backing = { kind: 'zero' };
const changed: number[] = [];
const observer = { onCodeChange: (page: number) => void changed.push(page), onCodeReset: () => void changed.push(-1) };
let machine: Machine;
let space: AddressSpace;

const number = (address: number): number => Math.floor(address / PAGE_SIZE);
const tags = (of: AddressSpace, address: number): boolean[] => {
  const { readTags, writeTags, executeTags } = of.window;
  const slot = slotOf(number(address));
  return [readTags, writeTags, executeTags].map((table) => table[slot] === tagOf(number(address)));
};
const put = (of: AddressSpace, address: number, ...bytes: number[]): number => of.write(address, new Uint8Array(bytes));
const get = (of: AddressSpace, address: number, length = 1): number[] => {
  const bytes = new Uint8Array(length);
  return [...bytes.subarray(0, of.read(address, bytes))];
};

beforeEach(() => {
  machine = new Machine();
  space = machine.createSpace(observer);
  changed.length = 0;
});

describe('tags', () => {
  it('follow the protection: write and execute imply read', () => {
    [1, 2, 4, 3, 0].forEach((protection, i) => {
      const at = A + i * PAGE_SIZE;
      space.map(at, PAGE_SIZE, protection, ZERO);
      expect(tags(space, at)).toEqual([false, false, false]);
      space.fault(at, protection === 2 ? Access.Write : protection === 4 ? Access.Execute : Access.Read);
    });
    expect(
      [0, 1, 2, 3, 4].map((i) =>
        tags(space, A + i * PAGE_SIZE)
          .map(Number)
          .join(''),
      ),
    ).toEqual(['100', '110', '101', '110', '000']);
  });

  it('hold the complement of the upper half', () => {
    space.map(A, PAGE_SIZE, 1, ZERO);
    space.fault(A, Access.Read);
    expect(space.window.readTags[0x40000]).toBe(~0x7000);
    expect(space.window.readTags[0x40000] ^ 0x7000).toBe(-1);
  });

  it('go with the page', () => {
    space.map(A, 3 * PAGE_SIZE, 3, ZERO);
    put(space, A + PAGE_SIZE, 1);
    space.unmap(A + PAGE_SIZE, PAGE_SIZE);
    expect(tags(space, A + PAGE_SIZE)).toEqual([false, false, false]);
    expect(space.fault(A + PAGE_SIZE, Access.Read).kind).toBe('maperr');
  });
});

describe('faults', () => {
  it('say what is wrong', () => {
    const object = machine.objects.create(PAGE_SIZE);
    space.map(A, PAGE_SIZE, 1, ZERO);
    space.map(A + PAGE_SIZE, 2 * PAGE_SIZE, 3, { kind: 'shared', object, offset: 0, file: false });
    expect(space.fault(A, Access.Write).kind).toBe('accerr');
    expect(space.fault(A, Access.Execute).kind).toBe('accerr');
    expect(space.fault(A - 1, Access.Read).kind).toBe('maperr');
    expect(space.fault(0x8000_0000_0000, Access.Read).kind).toBe('maperr');
    expect(space.fault(A + PAGE_SIZE, Access.Read).kind).toBe('resolved');
    expect(space.fault(A + 2 * PAGE_SIZE, Access.Read).kind).toBe('bus');
    expect(space.faults).toEqual({ minor: 1, major: 0 });
  });

  it('ask for pages of files by object and offset', () => {
    space.map(A, 3 * PAGE_SIZE, 3, { kind: 'file', object: 7, offset: 0x5000 });
    const fault = space.fault(A + PAGE_SIZE + 5, Access.Write);
    expect(fault).toEqual({ kind: 'file', object: 7, offset: 0x6000, page: A + PAGE_SIZE });
    expect(put(space, A + PAGE_SIZE - 1, 1)).toBe(0);
    expect(space.stopped).toEqual({ kind: 'file', object: 7, offset: 0x5000, page: A });
    expect(space.supplyPage(A + PAGE_SIZE, new Uint8Array([1, 2, 3])).kind).toBe('resolved');
    expect(get(space, A + PAGE_SIZE, 5)).toEqual([1, 2, 3, 0, 0]);
    expect(space.faults.major).toBe(1);
    // A page that is there is not replaced, one that was never asked for is not taken.
    space.supplyPage(A + PAGE_SIZE, new Uint8Array([9]));
    expect(get(space, A + PAGE_SIZE)).toEqual([1]);
    expect(space.supplyPage(A + 9 * PAGE_SIZE, new Uint8Array(1)).kind).toBe('maperr');
  });

  it('stop at the limit of the machine, and go on when pages are given back', () => {
    machine = new Machine({ limitPages: 3 });
    space = machine.createSpace(observer);
    space.map(A, 8 * PAGE_SIZE, 3, ZERO);
    expect(space.write(A, new Uint8Array(4 * PAGE_SIZE))).toBe(3 * PAGE_SIZE);
    expect(space.stopped?.kind).toBe('nomem');
    const child = space.fork(observer);
    expect(machine.usedPages).toBe(3);
    expect(child.residentPages).toBe(3);
    expect(put(child, A, 1)).toBe(0);
    expect(put(space, A, 1)).toBe(0);
    space.discard(A + 2 * PAGE_SIZE, PAGE_SIZE);
    expect(machine.usedPages).toBe(3);
    child.release();
    expect(machine.usedPages).toBe(2);
    expect(put(space, A, 1)).toBe(1);
  });
});

describe('fork', () => {
  it('gives the owner its write tag back when it is alone again', () => {
    space.map(A, PAGE_SIZE, 3, ZERO);
    put(space, A, 1);
    const child = space.fork(observer);
    expect(tags(space, A)).toEqual([true, false, false]);
    expect(tags(child, A)).toEqual([false, false, false]);
    child.release();
    expect(tags(space, A)).toEqual([true, true, false]);
    expect(machine.usedPages).toBe(1);
  });

  it('keeps contents for grandchildren whose forebears are gone', () => {
    space.map(A, 2 * PAGE_SIZE, 3, ZERO);
    put(space, A, 1);
    const child = space.fork(observer);
    const grandchild = child.fork(observer);
    put(child, A, 2);
    space.release();
    child.release();
    expect(get(grandchild, A)).toEqual([1]);
    expect(machine.usedPages).toBe(1);
    grandchild.release();
    expect(machine.usedPages).toBe(0);
  });

  it('reads a page of an owner that has changed its own since', () => {
    space.map(A, PAGE_SIZE, 3, ZERO);
    put(space, A, 1);
    const children = [space.fork(observer), space.fork(observer)];
    put(space, A, 9);
    expect(machine.usedPages).toBe(2);
    expect(children.map((child) => get(child, A)[0])).toEqual([1, 1]);
    expect(machine.usedPages).toBe(3);
  });
});

describe('translated code', () => {
  beforeEach(() => {
    space.map(A, PAGE_SIZE, 7, ZERO);
    put(space, A, 0x90);
    space.fault(A, Access.Execute);
    space.codeTranslated(A);
  });

  it('is write-protected until its translation is dropped', () => {
    expect(tags(space, A)).toEqual([true, false, true]);
    expect(space.fault(A + 8, Access.Write)).toEqual({ kind: 'code', page: A });
    space.allowWrite(A);
    expect(tags(space, A)).toEqual([true, true, true]);
    expect(changed).toEqual([]);
  });

  it('is announced when the kernel writes to it, and when it goes', () => {
    expect(put(space, A, 1)).toBe(1);
    expect(changed).toEqual([A]);
    space.codeTranslated(A);
    space.protect(A, PAGE_SIZE, 3);
    expect(changed).toEqual([A, A]);
    space.protect(A, PAGE_SIZE, 7);
    space.codeTranslated(A);
    space.map(0x1000_0000, PAGE_SIZE, 3, ZERO);
    space.map(A, PAGE_SIZE, 7, ZERO);
    expect(changed).toEqual([A, A, A]);
    space.unmap(0, 0x7fff_ffff_f000);
    expect(changed.at(-1)).toBe(-1);
  });

  it('stays protected in a child, which may inherit the translation', () => {
    const child = space.fork(observer);
    expect(child.fault(A, Access.Write)).toEqual({ kind: 'code', page: A });
    child.allowWrite(A);
    put(child, A, 2);
    expect([get(space, A), get(child, A)]).toEqual([[0x90], [2]]);
  });
});

describe('pages beside the window', () => {
  it('serve the second of two pages with one slot', () => {
    space.map(A, PAGE_SIZE, 3, ZERO);
    space.map(CLASH, PAGE_SIZE, 3, ZERO);
    put(space, A, 1);
    put(space, CLASH, 2);
    expect([get(space, A), get(space, CLASH)]).toEqual([[1], [2]]);
    expect(tags(space, CLASH)).toEqual([false, false, false]);
    const one = new Uint8Array(1);
    expect([space.sideRead(CLASH, one), one[0]]).toEqual([true, 2]);
    expect(space.sideWrite(CLASH + 1, new Uint8Array([7]))).toBe(true);
    expect(get(space, CLASH, 2)).toEqual([2, 7]);
    expect(space.sideRead(CLASH + PAGE_SIZE, one)).toBe(false);
    space.protect(CLASH, PAGE_SIZE, 1);
    expect(space.sideWrite(CLASH, one)).toBe(false);
  });

  it('cross into pages of the window, all or nothing', () => {
    space.map(CLASH, 2 * PAGE_SIZE, 3, ZERO);
    space.map(A, PAGE_SIZE, 3, ZERO);
    put(space, A, 1);
    put(space, CLASH + PAGE_SIZE - 2, 1, 2, 3, 4);
    const four = new Uint8Array(4);
    expect([space.sideRead(CLASH + PAGE_SIZE - 2, four), ...four]).toEqual([true, 1, 2, 3, 4]);
    space.protect(CLASH + PAGE_SIZE, PAGE_SIZE, 1);
    expect(space.sideWrite(CLASH + PAGE_SIZE - 2, new Uint8Array(4))).toBe(false);
    expect(get(space, CLASH + PAGE_SIZE - 2)).toEqual([1]);
  });

  it('come into their slot to be executed, and out of it when inaccessible', () => {
    space.map(A, PAGE_SIZE, 3, ZERO);
    space.map(CLASH, PAGE_SIZE, 7, ZERO);
    put(space, A, 1);
    put(space, CLASH, 2);
    expect(space.fault(CLASH, Access.Execute).kind).toBe('resolved');
    expect([tags(space, A)[0], tags(space, CLASH)]).toEqual([false, [true, true, true]]);
    expect([get(space, A), get(space, CLASH)]).toEqual([[1], [2]]);
    space.protect(CLASH, PAGE_SIZE, 0);
    space.discard(A, PAGE_SIZE);
    put(space, A, 3);
    expect(tags(space, A)[1]).toBe(true);
    space.protect(CLASH, PAGE_SIZE, 1);
    expect([get(space, A), get(space, CLASH)]).toEqual([[3], [2]]);
  });

  it('serve addresses whose slots hold the tables of the window', () => {
    const at = 0x7000_ff00_0000;
    space.map(at, PAGE_SIZE, 7, ZERO);
    put(space, at, 5);
    expect(get(space, at)).toEqual([5]);
    expect(space.window.readTags[0]).toBe(0);
    expect(space.fault(at, Access.Execute).kind).toBe('accerr');
  });
});

describe('shared pages', () => {
  const B = A + 16 * PAGE_SIZE;
  let object: number;
  let other: AddressSpace;
  const backing = (): Backing => ({ kind: 'shared', object, offset: 0, file: false });

  beforeEach(() => {
    object = machine.objects.create(2 * PAGE_SIZE);
    other = machine.createSpace(observer);
    space.map(A, 2 * PAGE_SIZE, 3, backing());
    other.map(B, 2 * PAGE_SIZE, 3, backing());
  });

  it('move to the writer and are copied to readers', () => {
    put(space, A, 1);
    expect(tags(space, A)).toEqual([true, true, false]);
    expect(get(other, B)).toEqual([1]);
    expect(tags(space, A)).toEqual([true, false, false]);
    expect(tags(other, B)).toEqual([true, false, false]);
    put(other, B, 2);
    expect(tags(space, A)).toEqual([false, false, false]);
    expect(get(space, A)).toEqual([2]);
    put(space, A, 3);
    expect(get(other, B)).toEqual([3]);
  });

  it('outlive their last mapping while the object does', () => {
    put(space, A, 1);
    space.release();
    other.unmap(B, 2 * PAGE_SIZE);
    expect(machine.usedPages).toBe(1);
    other.map(B, PAGE_SIZE, 3, backing());
    put(other, B, get(other, B)[0] + 1);
    expect(tags(other, B)).toEqual([true, true, false]);
    machine.objects.release(object);
    expect(get(other, B)).toEqual([2]);
    other.release();
    expect([machine.usedPages, machine.objects.get(object, false)]).toEqual([0, undefined]);
  });

  it('serve two mappings in one space without moving', () => {
    space.map(B, PAGE_SIZE, 7, backing());
    put(space, A, 1);
    expect(get(space, B)).toEqual([1]);
    const one = new Uint8Array([2]);
    expect(space.sideWrite(B, one)).toBe(true);
    expect(get(space, A)).toEqual([2]);
    expect(tags(space, A)).toEqual([true, true, false]);
    expect(machine.usedPages).toBe(1);
  });

  it('announce code that is written through another mapping', () => {
    space.map(B, PAGE_SIZE, 5, backing());
    put(space, A, 0x90);
    expect(space.fault(B, Access.Execute).kind).toBe('resolved');
    expect(tags(space, B)).toEqual([true, false, true]);
    space.codeTranslated(B);
    // The page with the bytes is the executed one now; the first mapping is served beside the window.
    expect(space.sideWrite(A, new Uint8Array([1]))).toBe(false);
    expect(space.fault(A, Access.Write).kind).toBe('resolved');
    expect(changed).toEqual([B]);
    expect(space.sideWrite(A, new Uint8Array([1]))).toBe(true);
    expect(space.window.page(slotOf(number(B)))[0]).toBe(1);
    space.unmap(B, PAGE_SIZE);
    expect(get(space, A)).toEqual([1]);
  });

  it('drop the code of a space when another writes', () => {
    other.map(B, PAGE_SIZE, 7, backing());
    put(space, A, 0x90);
    other.fault(B, Access.Execute);
    other.codeTranslated(B);
    put(space, A, 0x91);
    expect(changed).toEqual([B]);
  });
});

describe('shared mappings of files', () => {
  const backing: Backing = { kind: 'shared', object: 3, offset: PAGE_SIZE, file: true };
  const bring = (into: AddressSpace, address: number): void => {
    const fault = into.fault(address, Access.Read);
    if (fault.kind === 'file') into.supplyPage(fault.page, new Uint8Array([fault.offset / PAGE_SIZE]));
  };

  it('collect modified pages once, until they are written again', () => {
    space.map(A, 3 * PAGE_SIZE, 3, backing);
    bring(space, A);
    bring(space, A + PAGE_SIZE);
    expect(machine.objects.dirtyPages(3)).toEqual([]);
    put(space, A + PAGE_SIZE, 7);
    expect(machine.objects.isDirty(3)).toBe(true);
    expect(machine.objects.dirtyPages(3, 0, 2 * PAGE_SIZE)).toEqual([]);
    const [page] = machine.objects.dirtyPages(3);
    expect([page.offset, page.bytes[0]]).toEqual([2 * PAGE_SIZE, 7]);
    expect(machine.objects.dirtyPages(3)).toEqual([]);
    expect(tags(space, A + PAGE_SIZE)).toEqual([true, false, false]);
    put(space, A + PAGE_SIZE, 8);
    expect(machine.objects.dirtyPages(3).map(({ bytes }) => bytes[0])).toEqual([8]);
  });

  it('keep modified pages of an unmapped file until its owner forgets it', () => {
    const unused: number[] = [];
    machine.onFileUnused = (object) => void unused.push(object);
    space.map(A, PAGE_SIZE, 3, backing);
    bring(space, A);
    put(space, A, 9);
    space.release();
    expect([unused, machine.usedPages]).toEqual([[3], 1]);
    expect(machine.objects.dirtyPages(3).map(({ bytes }) => bytes[0])).toEqual([9]);
    machine.objects.forgetFile(3);
    expect(machine.usedPages).toBe(0);
  });

  it('are fetched again after the file was written otherwise', () => {
    space.map(A, PAGE_SIZE, 3, backing);
    bring(space, A);
    expect(get(space, A)).toEqual([1]);
    machine.objects.invalidate(3, PAGE_SIZE + 100, 1);
    expect(space.fault(A, Access.Read)).toEqual({ kind: 'file', object: 3, offset: PAGE_SIZE, page: A });
    expect(machine.usedPages).toBe(0);
  });

  it('count every range that names the file, private ones too', () => {
    space.map(A, 3 * PAGE_SIZE, 3, backing);
    space.map(A + 8 * PAGE_SIZE, PAGE_SIZE, 3, { kind: 'file', object: 3, offset: 0 });
    expect(machine.objects.fileReferences(3)).toBe(2);
    space.unmap(A + PAGE_SIZE, PAGE_SIZE);
    expect(machine.objects.fileReferences(3)).toBe(3);
    const child = space.fork(observer);
    expect(machine.objects.fileReferences(3)).toBe(6);
    space.protect(A, PAGE_SIZE, 1);
    space.release();
    child.release();
    expect(machine.objects.fileReferences(3)).toBe(0);
  });
});

describe('windows', () => {
  it('come back from the pool with their engine, zeroed', () => {
    const { window } = space;
    const engine = { name: 'engine' } as never;
    window.engine = engine;
    space.map(A, 2 * PAGE_SIZE, 3, ZERO);
    put(space, A + 5, 1);
    space.release();
    space.release();
    const next = machine.createSpace(observer);
    expect([next.window === window, next.window.engine === engine]).toEqual([true, true]);
    expect(next.window.bytes[0x4000_0005]).toBe(0);
    expect(tags(next, A)).toEqual([false, false, false]);
    expect(machine.windows.statistics).toEqual({ created: 1, reused: 1 });
  });

  it('are kept within bounds', () => {
    machine = new Machine({ pool: { windows: 2, pages: 3, pagesPerWindow: 2 } });
    const spaces = Array.from({ length: 4 }, () => machine.createSpace(observer));
    spaces.forEach((one, i) => {
      one.map(A, 4 * PAGE_SIZE, 3, ZERO);
      one.write(A, new Uint8Array((3 - i) * PAGE_SIZE + 1));
    });
    const kept = spaces.map((one) => {
      one.release();
      return machine.windows.size;
    });
    // 4 and 3 pages are too many for a window; 2 and 1 are what the pool may hold.
    expect(kept).toEqual([0, 0, 1, 2]);
  });
});
