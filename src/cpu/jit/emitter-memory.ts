/**
 * Guest memory in translated code, with inline checks. An access that is not plain leaves the region (`bail`).
 *
 * For each base register a local holds the page that was checked last (`#cache`); an access inside that page costs a
 * subtraction and a comparison. Another page is looked up in the tags inline (memory/layout.ts). Tags do not change while a
 * region runs.
 */
import { READ_TAGS, WRITE_TAGS } from '../../memory/layout.ts';
import { loadName, storeName } from '../interpreter/memory.ts';
import type { Value, Width } from '../uops.ts';
import { ExitLayer } from './emitter-exits.ts';
import type { Temp } from './emitter-values.ts';

/** Bytes that accesses checked together may span. */
const MAX_RANGE = 512;
const TAG_OFFSET = 0x3f_fffc;
/** A cached page that no address is in. */
const NO_PAGE = 1n << 62n;

export class MemoryLayer extends ExitLayer {
  readonly #caches = new Map<string, number>();

  /** Forgets the pages, where execution comes in. */
  protected emptyCaches(): void {
    for (const name of this.use?.caches ?? []) {
      const key = name.slice(1);
      this.f.i64(NO_PAGE).set(this.#cache(name[0] === 'w', Number(key)));
    }
  }

  load(address: Value, width: Width): Value {
    this.check(address, width / 8, false);
    return this.#loadPlain(address, width);
  }

  loadForWrite(address: Value, width: Width): Value {
    this.check(address, width / 8, true);
    return this.#loadPlain(address, width);
  }

  #loadPlain(address: Value, width: Width): Value {
    this.push(address).op('i32.wrap_i64').mem(loadName(width));
    return this.define('i64', width);
  }

  protected storePlain(address: Value, width: Width, value: Value): void {
    this.push(address).op('i32.wrap_i64');
    this.push(value).mem(storeName(width));
  }

  store(address: Value, width: Width, value: Value): void {
    this.check(address, width / 8, true);
    this.storePlain(address, width, value);
  }

  loadVector(address: Value): Value {
    this.check(address, 16, false);
    this.push(address).op('i32.wrap_i64').mem('v128.load');
    return this.define('v128');
  }

  storeVector(address: Value, value: Value): void {
    this.check(address, 16, true);
    this.push(address).op('i32.wrap_i64');
    this.push(value).mem('v128.store');
  }

  prepareStore(address: Value, bytes: number): void {
    this.check(address, bytes, true);
  }

  protected requireAligned(address: Value): void {
    this.push(address).op('i32.wrap_i64').i32(15).op('i32.and');
    this.bailIf();
  }

  /**
   * Checks an access. Accesses relative to the same value are checked together at the first of them, as the first pass saw
   * them.
   */
  protected check(address: Value, bytes: number, write: boolean): void {
    const { root, offset } = address as Temp;
    if (root === undefined || this.conditional > 0) {
      this.#checkAlone(address, bytes, write);
      return;
    }
    const seen = this.seen.ranges.get(root.number);
    if (seen === undefined) this.seen.ranges.set(root.number, { from: offset, to: offset + bytes, write, count: 1 });
    else if (Math.max(seen.to, offset + bytes) - Math.min(seen.from, offset) <= MAX_RANGE) {
      seen.from = Math.min(seen.from, offset);
      seen.to = Math.max(seen.to, offset + bytes);
      seen.write ||= write;
      seen.count++;
    }
    const range = this.use?.ranges.get(root.number);
    if (range === undefined || range.count < 2 || offset < range.from || offset + bytes > range.to) {
      this.#checkAlone(address, bytes, write);
      return;
    }
    if (this.checkedRoots.has(root.number) && (!write || range.write)) return;
    this.checkedRoots.add(root.number);
    let start = address as Temp;
    if (range.from !== offset) {
      this.push(address)
        .i64(range.from - offset)
        .op('i64.add');
      start = this.define('i64');
      start.key = (address as Temp).key;
    }
    this.#checkAlone(start, range.to - range.from, range.write);
  }

  #checkAlone(address: Value, bytes: number, write: boolean): void {
    const { key, constant } = address as Temp;
    const tags = (write ? WRITE_TAGS : READ_TAGS) | 0;
    const cache = this.#cache(write, constant === undefined ? key : Number(BigInt.asUintN(52, constant >> 12n)) + 100);
    this.push(address)
      .get(cache)
      .op('i64.sub')
      .i64(4096 - bytes)
      .op('i64.gt_u');
    this.f.rarely();
    this.open('if');
    this.#pushDenial(address, 0, tags);
    if (bytes > 1) {
      // The last byte may lie on the next page, whose slot is the next one: behind the last there are none.
      this.#pushDenial(address, bytes - 1, tags);
      this.f.op('i64.and');
    }
    this.f.i64(-1).op('i64.ne');
    this.bailIf();
    this.push(address).i64(-4096).op('i64.and').set(cache);
    this.close();
  }

  /** Pushes −1 if the byte may be accessed. */
  #pushDenial(address: Value, offset: number, tags: number): void {
    const { f } = this;
    const byte = (): void => {
      this.push(address);
      if (offset > 0) f.i64(offset).op('i64.add');
    };
    byte();
    f.i64(10).op('i64.shr_u').op('i32.wrap_i64').i32(TAG_OFFSET).op('i32.and');
    f.i32(tags).op('i32.or').mem('i64.load32_s', 0, 2);
    byte();
    f.i64(32).op('i64.shr_u').op('i64.xor');
  }

  #cache(write: boolean, key: number): number {
    const name = `${write ? 'w' : 'r'}${key}`;
    let local = this.#caches.get(name);
    if (local === undefined) {
      local = this.f.local('i64');
      this.#caches.set(name, local);
    }
    this.seen.caches.add(name);
    return local;
  }
}
