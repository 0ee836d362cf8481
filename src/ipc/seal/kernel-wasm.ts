/**
 * The sealing kernel: ChaCha20-Poly1305 (RFC 8439 §2.8) as a WebAssembly module, over frames in an imported memory.
 *
 * One instance is one end of a channel. Its keys and counters are globals that are not exported, so that nothing outside
 * the instance can read them. Exports (all arguments i32):
 *
 *     install(way, k0 … k7, n0, counterLow, counterHigh)   way 0 sends, 1 receives; overwrites what was there
 *     seal(frame, bodyLength)            writes counter, encrypts the body in place, appends the tag
 *     open(frame, bodyLength) → status   SEALED_OK, or why it was refused; then body and counter stay as they were
 *     sealRaw(aad, aadLength, text, textLength), openRaw(…) → status   any associated data, for the test vectors
 *
 * Nonce words are n0 and the 64-bit counter; with XChaCha20 (draft-irtf-cfrg-xchacha §2.3) the key is the HChaCha20 subkey
 * and n0 is 0. The counter goes up by one with every frame that was sealed or accepted.
 *
 * ChaCha20: a block is four v128 rows; two blocks are computed side by side (rows fit the registers, and the latency of one
 * hides behind the other): block 0, whose first half is the Poly1305 key, with block 1, then 2 with 3, and so on.
 * Poly1305: h is four 32-bit limbs and a small fifth in i64s, r is clamped to 28 bits a limb, so that a sum of five products
 * of limbs that carry a few spare bits stays below 2^64 (the bounds stand at the multiplication). Neither branches on secrets.
 *
 * The frame may be followed by scratch: up to 127 bytes behind the body are overwritten.
 */
import { type FunctionBody, ModuleBuilder } from '../../wasm/module.ts';
import { HEADER_BYTES } from '../frame.ts';

export const SEALED_OK = 0;
/** The tag does not fit: tampered with, or sealed with another key. */
export const SEALED_FORGED = 1;
/** The counter was seen before. */
export const SEALED_REPLAYED = 2;
/** The counter is ahead: a frame before it is missing or late. */
export const SEALED_REORDERED = 3;

const COUNTER_AT = 24;
const MASK32 = 0xffff_ffffn;

/** Globals of one direction: subkey rows, nonce word, counter. */
interface Way {
  readonly key: readonly number[];
  readonly nonce: number;
  readonly counter: number;
}

/** Locals that hold one 128-bit number as limbs. */
type Limbs = readonly number[];

/** Rotation to the left of four 32-bit lanes by whole bytes, as a byte shuffle. */
const rotationMask = (bytes: number): number[] => Array.from({ length: 16 }, (_, i) => (i & ~3) | ((i - bytes) & 3));

const lanes32 = (first: number): number[] => Array.from({ length: 16 }, (_, i) => (first * 4 + i) % 16);

/** Emits the quarter rounds and blocks. All row locals belong to the two blocks A and B. */
class ChaCha {
  readonly a: number[];
  readonly b: number[];
  readonly #mask16: number;
  readonly #mask8: number;
  readonly #round: number;

  constructor(private readonly f: FunctionBody) {
    this.a = [0, 1, 2, 3].map(() => f.local('v128'));
    this.b = [0, 1, 2, 3].map(() => f.local('v128'));
    this.#mask16 = f.local('v128');
    this.#mask8 = f.local('v128');
    this.#round = f.local('i32');
    f.v128(rotationMask(2)).set(this.#mask16);
    f.v128(rotationMask(1)).set(this.#mask8);
  }

  /** x += y; z ^= x; z = z rotated, in both blocks. */
  #step(x: number, y: number, z: number, rotation: number): void {
    const f = this.f;
    for (const rows of [this.a, this.b]) f.get(rows[x]).get(rows[y]).op('i32x4.add').set(rows[x]);
    for (const rows of [this.a, this.b]) {
      f.get(rows[z]).get(rows[x]).op('v128.xor');
      if (rotation === 16) f.get(this.#mask16).op('i8x16.swizzle').set(rows[z]);
      else if (rotation === 8) f.get(this.#mask8).op('i8x16.swizzle').set(rows[z]);
      else {
        f.tee(rows[z]).i32(rotation).op('i32x4.shl');
        f.get(rows[z])
          .i32(32 - rotation)
          .op('i32x4.shr_u')
          .op('v128.or')
          .set(rows[z]);
      }
    }
  }

  #quarters(): void {
    this.#step(0, 1, 3, 16);
    this.#step(2, 3, 1, 12);
    this.#step(0, 1, 3, 8);
    this.#step(2, 3, 1, 7);
  }

  #rotateRows(by: readonly [number, number, number]): void {
    const f = this.f;
    for (const rows of [this.a, this.b])
      by.forEach((lanes, i) => {
        f.get(rows[i + 1])
          .get(rows[i + 1])
          .shuffle(lanes32(lanes))
          .set(rows[i + 1]);
      });
  }

  /** Ten double rounds over the rows as they stand (RFC 8439 §2.3). The caller adds the input again. */
  rounds(): void {
    const f = this.f;
    f.i32(10).set(this.#round).loop();
    this.#quarters();
    this.#rotateRows([1, 2, 3]);
    this.#quarters();
    this.#rotateRows([3, 2, 1]);
    f.get(this.#round).i32(1).op('i32.sub').tee(this.#round).brIf(0).end();
  }
}

/** Emits Poly1305 (RFC 8439 §2.5) with its state in locals of the function. */
class Poly {
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

  /** Takes r from the lanes of a row and clamps it; h starts as 0. */
  key(row: number): void {
    const f = this.f;
    const [r0, r1, r2, r3] = this.#r;
    const half = (lane: number, mask: bigint, first: number, second: number): void => {
      f.get(row).lane('i64x2.extract_lane', lane).i64(mask).op('i64.and').tee(this.#low);
      f.i64(MASK32).op('i64.and').set(first);
      f.get(this.#low).i64(32).op('i64.shr_u').set(second);
    };
    half(0, 0x0fff_fffc_0fff_ffffn, r0, r1);
    half(1, 0x0fff_fffc_0fff_fffcn, r2, r3);
    for (const i of [1, 2, 3]) f.get(this.#r[i]).get(this.#r[i]).i64(2).op('i64.shr_u').op('i64.add').set(this.#s[i]);
    for (const h of this.#h) f.i64(0).set(h);
  }

  /** Absorbs the 16 bytes whose halves are in `low` and `high`, and a 1 above them if the block is `whole`. */
  #absorb(whole = true): void {
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

  /** Absorbs `length` bytes at `pointer` (both locals, both consumed). The AEAD pads them with zeros to whole blocks. */
  absorb(pointer: number, length: number, padded = true): void {
    const f = this.f;
    f.block().loop();
    f.get(length).i32(16).op('i32.lt_u').brIf(1);
    f.get(pointer).mem('i64.load', 0).set(this.#low);
    f.get(pointer).mem('i64.load', 8).set(this.#high);
    this.#absorb();
    f.get(pointer).i32(16).op('i32.add').set(pointer);
    f.get(length).i32(16).op('i32.sub').set(length);
    f.br(0).end().end();
    f.get(length).if();
    // A shift count is taken modulo 64, so each half is masked by what is left in it: 1–7, all, or none.
    const masked = (offset: number, wholeFrom: number, local: number): void => {
      f.get(pointer).mem('i64.load', offset).i64(-1).i64(1);
      f.get(length)
        .i32(offset)
        .op('i32.sub')
        .i32(3)
        .op('i32.shl')
        .op('i64.extend_i32_u')
        .op('i64.shl')
        .i64(1)
        .op('i64.sub');
      f.get(length).i32(wholeFrom).op('i32.ge_u').op('select').op('i64.and').set(local);
    };
    masked(0, 8, this.#low);
    f.get(length).i32(8).op('i32.gt_u').if();
    masked(8, 16, this.#high);
    f.else().i64(0).set(this.#high).end();
    if (!padded) {
      // A 1 directly above the message (RFC 8439 §2.5.1).
      const bit = f.local('i64');
      f.i64(1).get(length).i32(3).op('i32.shl').op('i64.extend_i32_u').op('i64.shl').set(bit);
      f.get(length).i32(8).op('i32.lt_u').if();
      f.get(this.#low).get(bit).op('i64.or').set(this.#low);
      f.else().get(this.#high).get(bit).op('i64.or').set(this.#high).end();
    }
    this.#absorb(padded);
    f.end();
  }

  /** Absorbs the block of the two lengths (RFC 8439 §2.8). */
  absorbLengths(first: number, second: number): void {
    this.f.get(first).op('i64.extend_i32_u').set(this.#low);
    this.f.get(second).op('i64.extend_i32_u').set(this.#high);
    this.#absorb();
  }

  /** Reduces h, adds the second half of the key (lanes of `row`), and leaves the tag's halves in the two locals. */
  finish(row: number, tagLow: number, tagHigh: number): void {
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
    const half = (i: number): void => {
      chosen(i);
      chosen(i + 1);
      f.i64(32).op('i64.shl').op('i64.or');
    };
    half(0);
    f.tee(this.#low).get(row).lane('i64x2.extract_lane', 0).op('i64.add').set(tagLow);
    half(2);
    f.get(row).lane('i64x2.extract_lane', 1).op('i64.add');
    f.get(tagLow).get(this.#low).op('i64.lt_u').op('i64.extend_i32_u').op('i64.add').set(tagHigh);
  }
}

const SIGMA = new Uint8Array(new Uint32Array([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]).buffer);
const laneOne = (index: number): number[] => Array.from({ length: 16 }, (_, i) => (i === index * 4 ? 1 : 0));
const ONE = laneOne(0);
const TWO = ONE.map((byte) => byte * 2);

/** Emits `(aad, aadLength, text, textLength) → status`: seals or opens in place with the keys of a way. */
const emitAead = (f: FunctionBody, way: Way, opening: boolean): void => {
  const [aad, aadLength, text, textLength] = [0, 1, 2, 3];
  const chacha = new ChaCha(f);
  const poly = new Poly(f);
  const [keyLow, keyHigh, nonceA, nonceB, macLow, macHigh, sigma] = Array.from({ length: 7 }, () => f.local('v128'));
  const [at, left, rest] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [tagLow, tagHigh] = [f.local('i64'), f.local('i64')];
  const rowOf = (first: number, second: number): void => {
    f.globalGet(first).op('i64x2.splat').globalGet(second).lane('i64x2.replace_lane', 1);
  };
  const setUp = (): void => {
    for (const [rows, nonce] of [
      [chacha.a, nonceA],
      [chacha.b, nonceB],
    ] as const) {
      f.get(sigma).set(rows[0]).get(keyLow).set(rows[1]).get(keyHigh).set(rows[2]).get(nonce).set(rows[3]);
    }
    chacha.rounds();
  };
  /** Adds the input to the rows of a block: they are then its key stream. */
  const feedForward = (rows: readonly number[], nonce: number): void => {
    for (const [row, input] of [
      [rows[0], sigma],
      [rows[1], keyLow],
      [rows[2], keyHigh],
      [rows[3], nonce],
    ])
      f.get(row).get(input).op('i32x4.add').set(row);
  };
  const mix = (rows: readonly number[], offset: number): void => {
    rows.forEach((row, i) => {
      f.get(at)
        .get(at)
        .mem('v128.load', offset + 16 * i)
        .get(row)
        .op('v128.xor')
        .mem('v128.store', offset + 16 * i);
    });
  };
  const restOfBlocks = (): void => {
    f.get(text).i32(64).op('i32.add').set(at);
    f.get(textLength).i32(64).op('i32.sub').set(left);
    f.block().loop();
    f.get(left).i32(0).op('i32.le_s').brIf(1);
    for (const nonce of [nonceA, nonceB]) f.get(nonce).v128(TWO).op('i32x4.add').set(nonce);
    setUp();
    feedForward(chacha.a, nonceA);
    mix(chacha.a, 0);
    // The second block only where there is text for it, so that at most 63 bytes behind the text are touched.
    f.get(left).i32(64).op('i32.gt_s').if();
    feedForward(chacha.b, nonceB);
    mix(chacha.b, 64);
    f.end();
    f.get(at).i32(128).op('i32.add').set(at);
    f.get(left).i32(128).op('i32.sub').set(left);
    f.br(0).end().end();
  };
  const authenticate = (): void => {
    poly.key(macLow);
    f.get(aad).set(at).get(aadLength).set(rest);
    poly.absorb(at, rest);
    f.get(text).set(at).get(textLength).set(rest);
    poly.absorb(at, rest);
    poly.absorbLengths(aadLength, textLength);
    poly.finish(macHigh, tagLow, tagHigh);
  };

  f.v128(SIGMA).set(sigma);
  rowOf(way.key[0], way.key[1]);
  f.set(keyLow);
  rowOf(way.key[2], way.key[3]);
  f.set(keyHigh);
  // Row 3: block counter 0, nonce word, message counter.
  f.globalGet(way.nonce).op('i64.extend_i32_u').i64(32).op('i64.shl').op('i64x2.splat');
  f.globalGet(way.counter).lane('i64x2.replace_lane', 1).tee(nonceA).v128(ONE).op('i32x4.add').set(nonceB);
  setUp();
  feedForward(chacha.a, nonceA);
  feedForward(chacha.b, nonceB);
  f.get(chacha.a[0]).set(macLow).get(chacha.a[1]).set(macHigh);

  if (opening) {
    // The first data block's key stream must outlive the check, which uses no vector of the blocks.
    authenticate();
    f.get(text).get(textLength).op('i32.add').tee(at).mem('i64.load', 0).get(tagLow).op('i64.xor');
    f.get(at).mem('i64.load', 8).get(tagHigh).op('i64.xor').op('i64.or').op('i64.eqz').op('i32.eqz').if();
    f.i32(SEALED_FORGED).op('return').end();
    f.get(text).set(at);
    mix(chacha.b, 0);
    restOfBlocks();
  } else {
    f.get(text).set(at);
    mix(chacha.b, 0);
    restOfBlocks();
    authenticate();
    f.get(text).get(textLength).op('i32.add').tee(at).get(tagLow).mem('i64.store', 0);
    f.get(at).get(tagHigh).mem('i64.store', 8);
  }
  f.globalGet(way.counter).i64(1).op('i64.add').globalSet(way.counter);
  f.i32(SEALED_OK);
};

/** The module's bytes. `vectors` adds `poly1305(key, message, length, tag)`, all in memory, for the test vectors. */
export const buildSealingKernel = (memoryPages: number, vectors = false): Uint8Array<ArrayBuffer> => {
  const m = new ModuleBuilder();
  m.importMemory('lattice', 'memory', memoryPages, memoryPages);
  const newWay = (): Way => ({
    key: [0, 1, 2, 3].map(() => m.global('i64', 0n)),
    nonce: m.global('i32', 0),
    counter: m.global('i64', 0n),
  });
  const ways = [newWay(), newWay()];

  const rawArguments = ['i32', 'i32', 'i32', 'i32'] as const;
  const sealRaw = m.func(rawArguments, ['i32'], 'sealRaw');
  emitAead(sealRaw, ways[0], false);
  const openRaw = m.func(rawArguments, ['i32'], 'openRaw');
  emitAead(openRaw, ways[1], true);

  const seal = m.func(['i32', 'i32'], [], 'seal');
  seal.get(0).globalGet(ways[0].counter).mem('i64.store', COUNTER_AT);
  seal.get(0).i32(HEADER_BYTES).get(0).i32(HEADER_BYTES).op('i32.add').get(1).call(sealRaw.index).op('drop');

  const open = m.func(['i32', 'i32'], ['i32'], 'open');
  const counter = open.local('i64');
  open.get(0).mem('i64.load', COUNTER_AT).tee(counter).globalGet(ways[1].counter).op('i64.ne').if();
  open.i32(SEALED_REPLAYED).i32(SEALED_REORDERED).get(counter).globalGet(ways[1].counter).op('i64.lt_u');
  open.op('select').op('return').end();
  open.get(0).i32(HEADER_BYTES).get(0).i32(HEADER_BYTES).op('i32.add').get(1).call(openRaw.index);

  const install = m.func(
    Array.from({ length: 12 }, () => 'i32' as const),
    [],
    'install',
  );
  const joined = (low: number, high: number): void => {
    install.get(low).op('i64.extend_i32_u').get(high).op('i64.extend_i32_u').i64(32).op('i64.shl').op('i64.or');
  };
  ways.forEach((way, index) => {
    install.get(0).i32(index).op('i32.eq').if();
    way.key.forEach((global, i) => {
      joined(1 + 2 * i, 2 + 2 * i);
      install.globalSet(global);
    });
    install.get(9).globalSet(way.nonce);
    joined(10, 11);
    install.globalSet(way.counter).end();
  });

  if (vectors) {
    const f = m.func(rawArguments, [], 'poly1305');
    const [key, message, length, tag] = [0, 1, 2, 3];
    const [r, s] = [f.local('v128'), f.local('v128')];
    const [low, high] = [f.local('i64'), f.local('i64')];
    const poly = new Poly(f);
    f.get(key).mem('v128.load', 0).set(r).get(key).mem('v128.load', 16).set(s);
    poly.key(r);
    poly.absorb(message, length, false);
    poly.finish(s, low, high);
    f.get(tag).get(low).mem('i64.store', 0).get(tag).get(high).mem('i64.store', 8);
  }
  return m.build();
};
