/**
 * Poly1305 (RFC 8439 §2.5) for the sealing kernel: h is four 32-bit limbs and a small fifth in i64s, r is clamped to 28 bits a
 * limb, so that a sum of five products of limbs that carry a few spare bits stays below 2^64. Nothing branches on secrets.
 *
 * Entry points: `Poly` (emits into a function), `emitPoly1305` (a whole function, for the test vectors).
 */
import type { FunctionBody } from '../../wasm/module.ts';

const MASK32 = 0xffff_ffffn;

/** Locals that hold one 128-bit number as limbs. */
type Limbs = readonly number[];

/** Emits Poly1305 (RFC 8439 §2.5) with its state in locals of the function. */
export class Poly {
  readonly #h: Limbs;
  readonly #r: Limbs;
  /** 5/4 of r1, r2, r3: what a limb that passes 2^130 weighs again at the bottom. */
  readonly #s: Limbs;
  readonly #low: number;
  readonly #high: number;
  readonly #d: Limbs;
  readonly #carry: number;

  constructor(private readonly f: FunctionBody) {
    const i64s = (count: number): number[] => Array.from({ length: count }, () => f.local('i64'));
    this.#h = i64s(5);
    this.#r = i64s(4);
    this.#s = i64s(4);
    this.#d = i64s(4);
    this.#low = f.local('i64');
    this.#high = f.local('i64');
    this.#carry = f.local('i64');
  }

  /** Takes r from two i64 globals or locals, which `half` pushes, and clamps it; h starts as 0. */
  key(half: (index: 0 | 1) => void): void {
    const f = this.f;
    const [r0, r1, r2, r3] = this.#r;
    const take = (index: 0 | 1, mask: bigint, first: number, second: number): void => {
      half(index);
      f.i64(mask).op('i64.and').tee(this.#low).i64(MASK32).op('i64.and').set(first);
      f.get(this.#low).i64(32).op('i64.shr_u').set(second);
    };
    take(0, 0x0fff_fffc_0fff_ffffn, r0, r1);
    take(1, 0x0fff_fffc_0fff_fffcn, r2, r3);
    for (const i of [1, 2, 3]) f.get(this.#r[i]).get(this.#r[i]).i64(2).op('i64.shr_u').op('i64.add').set(this.#s[i]);
    for (const h of this.#h) f.i64(0).set(h);
  }

  /** Absorbs the 16 bytes whose halves are in `low` and `high`, and a 1 above them if the block is `whole`. */
  #absorb(whole: boolean): void {
    const f = this.f;
    const h = this.#h;
    const r = this.#r;
    const s = this.#s;
    const d = this.#d;
    f.get(h[0]).get(this.#low).i64(MASK32).op('i64.and').op('i64.add').set(h[0]);
    f.get(h[1]).get(this.#low).i64(32).op('i64.shr_u').op('i64.add').set(h[1]);
    f.get(h[2]).get(this.#high).i64(MASK32).op('i64.and').op('i64.add').set(h[2]);
    f.get(h[3]).get(this.#high).i64(32).op('i64.shr_u').op('i64.add').set(h[3]);
    if (whole) f.get(h[4]).i64(1).op('i64.add').set(h[4]);
    // Bounds: h0 < 3.5·2^32 (its carry is left in it), h1–h3 < 2·2^32, h4 < 8; r < 2^28, s < 1.25·2^28.
    // So a sum is below (3.5 + 2 + 2.5 + 2.5)·2^60 and a little, less than 2^64.
    const sum = (...pairs: (readonly [number, number])[]): void => {
      pairs.forEach(([x, y], i) => {
        f.get(x).get(y).op('i64.mul');
        if (i > 0) f.op('i64.add');
      });
    };
    sum([h[0], r[0]], [h[1], s[3]], [h[2], s[2]], [h[3], s[1]]);
    f.set(d[0]);
    sum([h[0], r[1]], [h[1], r[0]], [h[2], s[3]], [h[3], s[2]], [h[4], s[1]]);
    f.set(d[1]);
    sum([h[0], r[2]], [h[1], r[1]], [h[2], r[0]], [h[3], s[3]], [h[4], s[2]]);
    f.set(d[2]);
    sum([h[0], r[3]], [h[1], r[2]], [h[2], r[1]], [h[3], r[0]], [h[4], s[3]]);
    f.set(d[3]);
    f.get(h[4]).get(r[0]).op('i64.mul').set(h[4]);
    f.get(d[1]).get(d[0]).i64(32).op('i64.shr_u').op('i64.add').set(d[1]);
    f.get(d[2]).get(d[1]).i64(32).op('i64.shr_u').op('i64.add').set(d[2]);
    f.get(d[3]).get(d[2]).i64(32).op('i64.shr_u').op('i64.add').set(d[3]);
    f.get(h[4]).get(d[3]).i64(32).op('i64.shr_u').op('i64.add').set(h[4]);
    // What passes 2^130 comes back five times: h4 = 4·q + (0…3), add 5·q = q·4 + q below.
    f.get(d[0]).i64(MASK32).op('i64.and');
    f.get(h[4]).i64(2).op('i64.shr_u').get(h[4]).i64(-4n).op('i64.and').op('i64.add');
    f.op('i64.add').set(h[0]);
    for (const i of [1, 2, 3]) f.get(d[i]).i64(MASK32).op('i64.and').set(h[i]);
    f.get(h[4]).i64(3).op('i64.and').set(h[4]);
  }

  /** Absorbs the whole blocks from the local `pointer` to the local `end`; at least one. */
  absorbBlocks(pointer: number, end: number): void {
    const f = this.f;
    f.loop();
    f.get(pointer).mem('i64.load', 0).set(this.#low);
    f.get(pointer).mem('i64.load', 8).set(this.#high);
    this.#absorb(true);
    f.get(pointer).i32(16).op('i32.add').tee(pointer).get(end).op('i32.lt_u').brIf(0).end();
  }

  /** Absorbs a last block of 17 bytes or less that already has the 1 above the message (RFC 8439 §2.5.1). */
  absorbLast(pointer: number): void {
    const f = this.f;
    f.get(pointer).mem('i64.load', 0).set(this.#low);
    f.get(pointer).mem('i64.load', 8).set(this.#high);
    this.#absorb(false);
  }

  /** Reduces h, adds the second half of the key (which `half` pushes), and leaves the tag's halves in the two locals. */
  finish(half: (index: 0 | 1) => void, tagLow: number, tagHigh: number): void {
    const f = this.f;
    const h = this.#h;
    const d = this.#d;
    const carry = this.#carry;
    // h0 may hold more than 32 bits; after this carry h < 2^130 + a little, and h4 ≤ 4.
    for (const i of [0, 1, 2, 3]) {
      f.get(h[i + 1])
        .get(h[i])
        .i64(32)
        .op('i64.shr_u')
        .op('i64.add')
        .set(h[i + 1]);
      f.get(h[i]).i64(MASK32).op('i64.and').set(h[i]);
    }
    // g = h + 5; where that reaches 2^130, h − p = g − 2^130 is the residue.
    f.i64(5).set(carry);
    for (const i of [0, 1, 2, 3]) {
      f.get(h[i]).get(carry).op('i64.add').tee(d[i]).i64(32).op('i64.shr_u').set(carry);
      f.get(d[i]).i64(MASK32).op('i64.and').set(d[i]);
    }
    f.get(h[4]).get(carry).op('i64.add').i64(2).op('i64.shr_u').set(carry);
    const chosen = (i: number): void => {
      f.get(d[i]).get(h[i]).get(carry).i64(0).op('i64.ne').op('select');
    };
    const joined = (i: number): void => {
      chosen(i);
      chosen(i + 1);
      f.i64(32).op('i64.shl').op('i64.or');
    };
    joined(0);
    f.tee(this.#low);
    half(0);
    f.op('i64.add').set(tagLow);
    joined(2);
    half(1);
    f.op('i64.add').get(tagLow).get(this.#low).op('i64.lt_u').op('i64.extend_i32_u').op('i64.add').set(tagHigh);
  }
}

/** `(key, message, length, tag)`: plain Poly1305 of any message. The 1 is written behind the message. */
export const emitPoly1305 = (f: FunctionBody): void => {
  const [key, message, length, tag] = [0, 1, 2, 3];
  const [low, high] = [f.local('i64'), f.local('i64')];
  const [whole, end] = [f.local('i32'), f.local('i32')];
  const poly = new Poly(f);
  f.get(message).get(length).op('i32.add').tee(end).i64(1).mem('i64.store', 0).get(end).i64(0).mem('i64.store', 8);
  f.get(message).get(length).i32(-16).op('i32.and').op('i32.add').set(whole);
  poly.key((index) => f.get(key).mem('i64.load', 8 * index));
  f.get(message).get(whole).op('i32.lt_u').if();
  poly.absorbBlocks(message, whole);
  f.end();
  f.get(length).i32(15).op('i32.and').if();
  poly.absorbLast(whole);
  f.end();
  poly.finish((index) => f.get(key).mem('i64.load', 16 + 8 * index), low, high);
  f.get(tag).get(low).mem('i64.store', 0).get(tag).get(high).mem('i64.store', 8);
};
