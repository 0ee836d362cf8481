/**
 * ChaCha20 (RFC 8439 §2.3) for the sealing kernel, on v128 lanes.
 *
 * Entry points: `emitStream` (the Poly1305 key and first 64 bytes of key stream, for two frames at once, one block a lane) and
 * `emitRest` (longer bodies, two blocks side by side, a row a vector).
 * One block alone is bound by the latency of its chain of additions and rotations; both shapes keep several chains going.
 */
import type { FunctionBody } from '../../wasm/module.ts';
import { forWay, MAC_WORDS, pushOf, times, type Way } from './ways.ts';

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

/** `(way)`: puts the key stream of the way's next frame into the globals `current`. */
export const emitStream = (f: FunctionBody, ways: readonly Way[], current: readonly number[]): void => {
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
export const emitRest = (f: FunctionBody, ways: readonly Way[]): void => {
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
