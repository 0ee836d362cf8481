/**
 * The sealing kernel: ChaCha20-Poly1305 (RFC 8439 §2.8) as a WebAssembly module, over frames in an imported memory.
 *
 * One instance is one end of a channel. Its keys, counters and key streams are globals that are not exported, so that nothing
 * outside the instance can read them. Exports (all arguments i32):
 *
 *     install(way, k0 … k7, n0, counterLow, counterHigh)   way 0 sends, 1 receives; overwrites what was there
 *     seal(frame, bodyLength)            writes the counter, encrypts the body in place, appends the tag
 *     open(frame, bodyLength) → status   SEALED_OK, or why it was refused; then header, body and tag stay as they were
 *     aead(way, frame, aadLength, textLength) → status   any associated data, padded with zeros to 16 bytes (test vectors)
 *
 * Nonce words are n0 and the 64-bit counter; with XChaCha20 (draft-irtf-cfrg-xchacha §2.3) the key is the HChaCha20 subkey
 * and n0 is 0. The counter goes up by one with every frame that was sealed or accepted.
 *
 * ChaCha20: a frame needs block 0, whose first half is the Poly1305 key, and block 1 for its first 64 bytes. `stream` computes
 * these for two frames at once, one block a lane, and keeps the second frame's for the next call; that halves the cost of
 * short frames, as one block alone is bound by latency. `rest` does longer bodies, two blocks side by side.
 * Poly1305: h is four 32-bit limbs and a small fifth in i64s, r is clamped to 28 bits a limb, so that a sum of five products
 * of limbs that carry a few spare bits stays below 2^64 (the bounds stand at the multiplication). Neither branches on secrets.
 *
 * Behind the body of a frame 127 bytes are scratch and may be overwritten.
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
/** Key stream of a frame in i64s: the Poly1305 key (half of block 0), then block 1. */
const STREAM_WORDS = 12;
const MAC_WORDS = 4;

/** Globals of one direction. */
interface Way {
  /** Subkey, in four i64s. */
  readonly key: readonly number[];
  /** Nonce word n0. */
  readonly nonce: number;
  /** Number of the next frame. */
  readonly counter: number;
  /** The stream of frame `aheadFor`, if `isAhead`. */
  readonly ahead: readonly number[];
  readonly aheadFor: number;
  readonly isAhead: number;
}

/** Locals that hold one 128-bit number as limbs. */
type Limbs = readonly number[];

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** Rotation to the left of four 32-bit lanes by whole bytes, as a byte shuffle. */
const rotationMask = (bytes: number): number[] => times(16, (i) => (i & ~3) | ((i - bytes) & 3));

/** A shuffle of 32-bit lanes: 0–3 of the first operand, 4–7 of the second. */
const lanes = (...picked: number[]): number[] => picked.flatMap((lane) => times(4, (i) => 4 * lane + i));

const constant32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

/** "expand 32-byte k" */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

/** Emits quarter rounds (RFC 8439 §2.1) on v128 locals, several at once so that their latencies overlap. */
class QuarterRounds {
  readonly #mask16: number;
  readonly #mask8: number;

  constructor(private readonly f: FunctionBody) {
    this.#mask16 = f.local('v128');
    this.#mask8 = f.local('v128');
    f.v128(rotationMask(2)).set(this.#mask16);
    f.v128(rotationMask(1)).set(this.#mask8);
  }

  /** Each entry of `rounds` is the locals a, b, c, d of one quarter round. */
  emit(rounds: readonly (readonly number[])[]): void {
    const [a, b, c, d] = [0, 1, 2, 3];
    this.#step(rounds, a, b, d, 16);
    this.#step(rounds, c, d, b, 12);
    this.#step(rounds, a, b, d, 8);
    this.#step(rounds, c, d, b, 7);
  }

  /** x += y; z ^= x; z = z rotated. */
  #step(rounds: readonly (readonly number[])[], x: number, y: number, z: number, rotation: number): void {
    const f = this.f;
    for (const q of rounds) f.get(q[x]).get(q[y]).op('i32x4.add').set(q[x]);
    for (const q of rounds) {
      f.get(q[z]).get(q[x]).op('v128.xor');
      if (rotation === 16) f.get(this.#mask16).op('i8x16.swizzle').set(q[z]);
      else if (rotation === 8) f.get(this.#mask8).op('i8x16.swizzle').set(q[z]);
      else {
        f.tee(q[z]).i32(rotation).op('i32x4.shl');
        f.get(q[z])
          .i32(32 - rotation)
          .op('i32x4.shr_u')
          .op('v128.or')
          .set(q[z]);
      }
    }
  }
}

/** Emits a loop of ten double rounds. */
const tenTimes = (f: FunctionBody, doubleRound: () => void): void => {
  const left = f.local('i32');
  f.i32(10).set(left).loop();
  doubleRound();
  f.get(left).i32(1).op('i32.sub').tee(left).brIf(0).end();
};

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

/** Pushes a global of the way that the local `way` names. */
const pushOf = (f: FunctionBody, way: number, ways: readonly Way[], pick: (way: Way) => number): void => {
  f.globalGet(pick(ways[1])).globalGet(pick(ways[0])).get(way).op('select');
};

/** Emits the choice between the two ways for what cannot be selected. */
const forWay = (f: FunctionBody, way: number, ways: readonly Way[], emit: (way: Way) => void): void => {
  f.get(way).if();
  emit(ways[1]);
  f.else();
  emit(ways[0]);
  f.end();
};

/** `(way)`: puts the key stream of the way's next frame into the globals `current`. */
const emitStream = (f: FunctionBody, ways: readonly Way[], current: readonly number[]): void => {
  const way = 0;
  const counter = f.local('i64');
  const key = times(4, () => f.local('i64'));
  const nonce = f.local('i32');
  pushOf(f, way, ways, (w) => w.counter);
  f.set(counter);
  pushOf(f, way, ways, (w) => w.isAhead);
  pushOf(f, way, ways, (w) => w.aheadFor);
  f.get(counter).op('i64.eq').op('i32.and').if();
  forWay(f, way, ways, (w) => {
    w.ahead.forEach((global, i) => {
      f.globalGet(global).globalSet(current[i]);
    });
    f.i32(0).globalSet(w.isAhead);
  });
  f.op('return').end();

  key.forEach((local, i) => {
    pushOf(f, way, ways, (w) => w.key[i]);
    f.set(local);
  });
  pushOf(f, way, ways, (w) => w.nonce);
  f.set(nonce);
  // A lane is a block: 0 and 1 of this frame, 0 and 1 of the next. Words as in RFC 8439 §2.3.
  const x = times(16, () => f.local('v128'));
  const both = f.local('v128');
  f.get(counter).op('i64x2.splat').get(counter).i64(1).op('i64.add').lane('i64x2.replace_lane', 1).set(both);
  const input = (word: number): void => {
    if (word < 4) f.v128(constant32(...times(4, () => SIGMA[word])));
    else if (word < 12) {
      f.get(key[(word - 4) >> 1]);
      if ((word & 1) === 1) f.i64(32).op('i64.shr_u');
      f.op('i32.wrap_i64').op('i32x4.splat');
    } else if (word === 12) f.v128(constant32(0, 1, 0, 1));
    else if (word === 13) f.get(nonce).op('i32x4.splat');
    else {
      f.get(both)
        .get(both)
        .shuffle(word === 14 ? lanes(0, 0, 2, 2) : lanes(1, 1, 3, 3));
    }
  };
  x.forEach((local, word) => {
    input(word);
    f.set(local);
  });
  const quarters = new QuarterRounds(f);
  const columns = times(4, (i) => [x[i], x[4 + i], x[8 + i], x[12 + i]]);
  const diagonals = times(4, (i) => [x[i], x[4 + ((i + 1) & 3)], x[8 + ((i + 2) & 3)], x[12 + ((i + 3) & 3)]]);
  tenTimes(f, () => {
    quarters.emit(columns);
    quarters.emit(diagonals);
  });
  x.forEach((local, word) => {
    f.get(local);
    input(word);
    f.op('i32x4.add').set(local);
  });
  // Words 2i and 2i + 1 of a block make an i64.
  const pair = f.local('v128');
  const unpack = (i: number, low: boolean): void => {
    f.get(x[2 * i])
      .get(x[2 * i + 1])
      .shuffle(low ? lanes(0, 4, 1, 5) : lanes(2, 6, 3, 7))
      .set(pair);
  };
  const word = (lane: number): FunctionBody => f.get(pair).lane('i64x2.extract_lane', lane);
  for (let i = 0; i < 8; i++) {
    unpack(i, true);
    if (i < MAC_WORDS) word(0).globalSet(current[i]);
    word(1).globalSet(current[MAC_WORDS + i]);
  }
  f.get(counter).i64(1).op('i64.add').set(counter);
  forWay(f, way, ways, (w) => {
    for (let i = 0; i < 8; i++) {
      unpack(i, false);
      if (i < MAC_WORDS) word(0).globalSet(w.ahead[i]);
      word(1).globalSet(w.ahead[MAC_WORDS + i]);
    }
    f.get(counter).globalSet(w.aheadFor);
    f.i32(1).globalSet(w.isAhead);
  });
};

/** `(way, text, length)`: encrypts or decrypts what follows the first 64 bytes of a text that is longer. */
const emitRest = (f: FunctionBody, ways: readonly Way[]): void => {
  const [way, text, length] = [0, 1, 2];
  const [keyLow, keyHigh, sigma] = times(3, () => f.local('v128'));
  const blocks = times(2, () => ({ rows: times(4, () => f.local('v128')), nonce: f.local('v128') }));
  f.v128(constant32(...SIGMA)).set(sigma);
  for (const [row, first] of [
    [keyLow, 0],
    [keyHigh, 2],
  ]) {
    pushOf(f, way, ways, (w) => w.key[first]);
    f.op('i64x2.splat');
    pushOf(f, way, ways, (w) => w.key[first + 1]);
    f.lane('i64x2.replace_lane', 1).set(row);
  }
  // Row 3: block counter (2 and 3 at first), nonce word, message counter.
  blocks.forEach(({ nonce }, i) => {
    pushOf(f, way, ways, (w) => w.nonce);
    f.op('i64.extend_i32_u')
      .i64(32)
      .op('i64.shl')
      .i64(2 + i)
      .op('i64.or')
      .op('i64x2.splat');
    pushOf(f, way, ways, (w) => w.counter);
    f.lane('i64x2.replace_lane', 1).set(nonce);
  });
  const quarters = new QuarterRounds(f);
  const rotateRows = (...by: number[]): void => {
    for (const { rows } of blocks)
      by.forEach((lane, i) => {
        const row = rows[i + 1];
        f.get(row)
          .get(row)
          .shuffle(lanes(...times(4, (k) => (lane + k) & 3)))
          .set(row);
      });
  };
  const mix = ({ rows, nonce }: (typeof blocks)[number], offset: number): void => {
    [sigma, keyLow, keyHigh, nonce].forEach((input, i) => {
      f.get(text)
        .get(text)
        .mem('v128.load', offset + 16 * i);
      f.get(rows[i])
        .get(input)
        .op('i32x4.add')
        .op('v128.xor')
        .mem('v128.store', offset + 16 * i);
    });
  };
  f.get(text).i32(64).op('i32.add').set(text);
  f.get(length).i32(64).op('i32.sub').set(length);
  f.loop();
  for (const { rows, nonce } of blocks)
    [sigma, keyLow, keyHigh, nonce].forEach((input, i) => {
      f.get(input).set(rows[i]);
    });
  tenTimes(f, () => {
    quarters.emit(blocks.map(({ rows }) => rows));
    rotateRows(1, 2, 3);
    quarters.emit(blocks.map(({ rows }) => rows));
    rotateRows(3, 2, 1);
  });
  mix(blocks[0], 0);
  // The second block only where there is text for it, so that at most 63 bytes behind the text are touched.
  f.get(length).i32(64).op('i32.gt_s').if();
  mix(blocks[1], 64);
  f.end();
  for (const { nonce } of blocks)
    f.get(nonce)
      .v128(constant32(2, 0, 0, 0))
      .op('i32x4.add')
      .set(nonce);
  f.get(text).i32(128).op('i32.add').set(text);
  f.get(length).i32(128).op('i32.sub').tee(length).i32(0).op('i32.gt_s').brIf(0).end();
};

/** `(way, frame, aadLength, textLength) → status`: seals (way 0) or opens (way 1) in place. */
const emitAead = (
  f: FunctionBody,
  ways: readonly Way[],
  current: readonly number[],
  stream: FunctionBody,
  rest: FunctionBody,
): void => {
  const [way, frame, aadLength, textLength] = [0, 1, 2, 3];
  const [text, end, at, stop] = times(4, () => f.local('i32'));
  const [tagLow, tagHigh, macLow, macHigh] = times(4, () => f.local('i64'));
  const poly = new Poly(f);
  const mix = (): void => {
    for (let i = 0; i < 8; i++) {
      f.get(text)
        .get(text)
        .mem('i64.load', 8 * i)
        .globalGet(current[MAC_WORDS + i]);
      f.op('i64.xor').mem('i64.store', 8 * i);
    }
    f.get(textLength).i32(64).op('i32.gt_s').if();
    f.get(way).get(text).get(textLength).call(rest.index).end();
  };
  const padded = (length: number): FunctionBody => f.get(length).i32(15).op('i32.add').i32(-16).op('i32.and');
  const putAtEnd = (low: number, high: number): void => {
    f.get(end).get(low).mem('i64.store', 0).get(end).get(high).mem('i64.store', 8);
  };

  padded(aadLength).get(frame).op('i32.add').tee(text).get(textLength).op('i32.add').set(end);
  f.get(way).call(stream.index);
  f.get(way).if();
  f.get(end).mem('i64.load', 0).set(tagLow).get(end).mem('i64.load', 8).set(tagHigh);
  f.else();
  mix();
  f.end();
  // What is authenticated is laid out in place (RFC 8439 §2.8): padding and lengths where the tag stood or will stand.
  f.get(end).i64(0).mem('i64.store', 0).get(end).i64(0).mem('i64.store', 8);
  padded(textLength).get(text).op('i32.add').set(stop);
  f.get(stop).get(aadLength).op('i64.extend_i32_u').mem('i64.store', 0);
  f.get(stop).get(textLength).op('i64.extend_i32_u').mem('i64.store', 8);
  f.get(stop).i32(16).op('i32.add').set(stop);
  poly.key((index) => f.globalGet(current[index]));
  f.get(frame).set(at);
  poly.absorbBlocks(at, stop);
  poly.finish((index) => f.globalGet(current[2 + index]), macLow, macHigh);

  f.get(way).if();
  f.get(tagLow).get(macLow).op('i64.xor').get(tagHigh).get(macHigh).op('i64.xor').op('i64.or').op('i64.eqz');
  f.op('i32.eqz').if();
  putAtEnd(tagLow, tagHigh);
  f.i32(SEALED_FORGED).op('return').end();
  mix();
  f.globalGet(ways[1].counter).i64(1).op('i64.add').globalSet(ways[1].counter);
  f.else();
  putAtEnd(macLow, macHigh);
  f.globalGet(ways[0].counter).i64(1).op('i64.add').globalSet(ways[0].counter);
  f.end();
  f.i32(SEALED_OK);
};

/** The module's bytes. `vectors` adds `poly1305(key, message, length, tag)`, all in memory, for the test vectors. */
export const buildSealingKernel = (memoryPages: number, vectors = false): Uint8Array<ArrayBuffer> => {
  const m = new ModuleBuilder();
  m.importMemory('lattice', 'memory', memoryPages, memoryPages);
  const i64s = (count: number): number[] => times(count, () => m.global('i64', 0n));
  const ways = times(
    2,
    (): Way => ({
      key: i64s(4),
      nonce: m.global('i32', 0),
      counter: m.global('i64', 0n),
      ahead: i64s(STREAM_WORDS),
      aheadFor: m.global('i64', 0n),
      isAhead: m.global('i32', 0),
    }),
  );
  const current = i64s(STREAM_WORDS);

  const stream = m.func(['i32']);
  emitStream(stream, ways, current);
  const rest = m.func(['i32', 'i32', 'i32']);
  emitRest(rest, ways);
  const aead = m.func(['i32', 'i32', 'i32', 'i32'], ['i32'], 'aead');
  emitAead(aead, ways, current, stream, rest);

  const seal = m.func(['i32', 'i32'], [], 'seal');
  seal.get(0).globalGet(ways[0].counter).mem('i64.store', COUNTER_AT);
  seal.i32(0).get(0).i32(HEADER_BYTES).get(1).call(aead.index).op('drop');

  const open = m.func(['i32', 'i32'], ['i32'], 'open');
  const counter = open.local('i64');
  open.get(0).mem('i64.load', COUNTER_AT).tee(counter).globalGet(ways[1].counter).op('i64.ne').if();
  open.i32(SEALED_REPLAYED).i32(SEALED_REORDERED).get(counter).globalGet(ways[1].counter).op('i64.lt_u');
  open.op('select').op('return').end();
  open.i32(1).get(0).i32(HEADER_BYTES).get(1).call(aead.index);

  const install = m.func(
    times(12, () => 'i32' as const),
    [],
    'install',
  );
  const joined = (low: number, high: number): void => {
    install.get(low).op('i64.extend_i32_u').get(high).op('i64.extend_i32_u').i64(32).op('i64.shl').op('i64.or');
  };
  forWay(install, 0, ways, (way) => {
    way.key.forEach((global, i) => {
      joined(1 + 2 * i, 2 + 2 * i);
      install.globalSet(global);
    });
    install.get(9).globalSet(way.nonce);
    joined(10, 11);
    install.globalSet(way.counter);
    for (const global of way.ahead) install.i64(0).globalSet(global);
    install.i32(0).globalSet(way.isAhead);
  });
  for (const global of current) install.i64(0).globalSet(global);

  if (vectors) emitPoly1305(m.func(['i32', 'i32', 'i32', 'i32'], [], 'poly1305'));
  return m.build();
};

/** `(key, message, length, tag)`: plain Poly1305 of any message. The 1 is written behind the message. */
const emitPoly1305 = (f: FunctionBody): void => {
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
