/**
 * ChaCha20 (RFC 8439 §2.3) for the sealing kernel, on v128 lanes.
 *
 * Entry points: `emitBlocks` (the same block of four frames, one a lane: the Poly1305 keys, or the first 64 bytes of the texts)
 * and `emitRest` (longer bodies, two blocks side by side, a row a vector).
 * One block alone is bound by the latency of its chain of additions and rotations; both shapes keep several chains going.
 */
import type { FunctionBody } from '../../wasm/module.ts';
import { type Stream, times } from './ways.ts';

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

/** `(block)`: fills in block 0 or 1 of a stream for the four frames of its group, whose key, nonce and group are set. */
export const emitBlocks = (f: FunctionBody, stream: Stream): void => {
  const block = 0;
  const counter = f.local('i64');
  // Words of four blocks, a block a lane (RFC 8439 §2.3). Counters of a group agree in all but their low two bits.
  const x = times(16, () => f.local('v128'));
  const initial = times(16, () => f.local('v128'));
  const half = (global: number, high: boolean): void => {
    f.globalGet(global);
    if (high) f.i64(32).op('i64.shr_u');
    f.op('i32.wrap_i64').op('i32x4.splat');
  };
  f.globalGet(stream.group).i64(2).op('i64.shl').set(counter);
  initial.forEach((local, word) => {
    if (word < 4) f.v128(constant32(...times(4, () => SIGMA[word])));
    else if (word < 12) half(stream.key[(word - 4) >> 1], (word & 1) === 1);
    else if (word === 12) f.get(block).op('i32x4.splat');
    else if (word === 13) half(stream.nonce, false);
    else {
      f.get(counter);
      if (word === 15) f.i64(32).op('i64.shr_u');
      f.op('i32.wrap_i64').op('i32x4.splat');
      if (word === 14) f.v128(constant32(0, 1, 2, 3)).op('i32x4.add');
    }
    f.tee(local).set(x[word]);
  });
  const quarters = new QuarterRounds(f);
  const columns = times(4, (i) => [x[i], x[4 + i], x[8 + i], x[12 + i]]);
  const diagonals = times(4, (i) => [x[i], x[4 + ((i + 1) & 3)], x[8 + ((i + 2) & 3)], x[12 + ((i + 3) & 3)]]);
  tenTimes(f, () => {
    quarters.emit(columns);
    quarters.emit(diagonals);
  });
  // Four words of four frames become four words a frame.
  const [low01, low23, high01, high23] = times(4, () => f.local('v128'));
  const transpose = (frames: readonly (readonly number[])[], row: number): void => {
    const words = times(4, (i) => 4 * row + i);
    for (const word of words) f.get(x[word]).get(initial[word]).op('i32x4.add').set(x[word]);
    const [a, b, c, d] = words.map((word) => x[word]);
    f.get(a)
      .get(b)
      .shuffle(lanes(0, 4, 1, 5))
      .set(low01);
    f.get(c)
      .get(d)
      .shuffle(lanes(0, 4, 1, 5))
      .set(low23);
    f.get(a)
      .get(b)
      .shuffle(lanes(2, 6, 3, 7))
      .set(high01);
    f.get(c)
      .get(d)
      .shuffle(lanes(2, 6, 3, 7))
      .set(high23);
    f.get(low01)
      .get(low23)
      .shuffle(lanes(0, 1, 4, 5))
      .globalSet(frames[0][row]);
    f.get(low01)
      .get(low23)
      .shuffle(lanes(2, 3, 6, 7))
      .globalSet(frames[1][row]);
    f.get(high01)
      .get(high23)
      .shuffle(lanes(0, 1, 4, 5))
      .globalSet(frames[2][row]);
    f.get(high01)
      .get(high23)
      .shuffle(lanes(2, 3, 6, 7))
      .globalSet(frames[3][row]);
  };
  const [macs, texts] = stream.blocks;
  f.get(block).if();
  for (const row of times(4, (i) => i)) transpose(texts, row);
  f.i32(1).globalSet(stream.has[1]).else();
  for (const row of times(2, (i) => i)) transpose(macs, row);
  f.i32(1).globalSet(stream.has[0]).end();
};

/** `(text, length, k0 … k3, nonce, counter)`: encrypts or decrypts what follows the first 64 bytes of a text that is longer. */
export const emitRest = (f: FunctionBody): void => {
  const [text, length, key, nonceWord, counter] = [0, 1, 2, 6, 7];
  const [keyLow, keyHigh, sigma] = times(3, () => f.local('v128'));
  const blocks = times(2, () => ({ rows: times(4, () => f.local('v128')), nonce: f.local('v128') }));
  f.v128(constant32(...SIGMA)).set(sigma);
  for (const [row, first] of [
    [keyLow, key],
    [keyHigh, key + 2],
  ])
    f.get(first)
      .op('i64x2.splat')
      .get(first + 1)
      .lane('i64x2.replace_lane', 1)
      .set(row);
  // Row 3: block counter (2 and 3 at first), nonce word, message counter.
  blocks.forEach(({ nonce }, i) => {
    f.get(nonceWord)
      .i64(32)
      .op('i64.shl')
      .i64(2 + i)
      .op('i64.or')
      .op('i64x2.splat');
    f.get(counter).lane('i64x2.replace_lane', 1).set(nonce);
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
