/**
 * The state of the sealing kernel, in WebAssembly globals that are not exported: the four ways of a channel and the key streams
 * of its two directions.
 *
 *     way 0  end A sends     ─┐ stream 0        way 2  end B sends     ─┐ stream 1
 *     way 3  end B receives  ─┘                 way 1  end A receives  ─┘
 *
 * A stream is a function of key, nonce word and counter, so both ends of a channel in one thread evaluate it once: whoever
 * comes first fills it in, for the frames of a group of four counters, and whoever comes with the same key finds it there.
 * The key that it was made with stands beside it and is compared whole with those of both ends (`fits`); an end with another
 * key makes its own. Installing a key forgets the streams.
 */
import type { ModuleBuilder } from '../../wasm/module.ts';

/** Frames whose streams are computed together, one a SIMD lane. */
export const GROUP = 4;

/** Globals of one end and direction. */
export interface Way {
  /** Subkey, in four i64s. */
  readonly key: readonly number[];
  /** Nonce word n0, an i64. */
  readonly nonce: number;
  /** Number of the next frame, an i64. */
  readonly counter: number;
}

/** Globals of the key streams of a group of frames. */
export interface Stream {
  readonly key: readonly number[];
  readonly nonce: number;
  /** The counters divided by four; a value that no counter has while there is none. */
  readonly group: number;
  /** Whether it was made with the key of the sending way and of the receiving one (i32). */
  readonly fits: readonly number[];
  /** Whether block 0 and block 1 have been computed (i32). */
  readonly has: readonly number[];
  /** By block (the Poly1305 key, which is half a block; the first 64 bytes of text), then by frame: v128s. */
  readonly blocks: readonly (readonly (readonly number[])[])[];
}

export const NO_GROUP = -1;

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

export const makeWay = (m: ModuleBuilder): Way => ({
  key: times(4, () => m.global('i64', 0n)),
  nonce: m.global('i64', 0n),
  counter: m.global('i64', 0n),
});

export const makeStream = (m: ModuleBuilder): Stream => ({
  key: times(4, () => m.global('i64', 0n)),
  nonce: m.global('i64', 0n),
  group: m.global('i64', NO_GROUP),
  fits: times(2, () => m.global('i32', 0)),
  has: times(2, () => m.global('i32', 0)),
  blocks: [2, 4].map((vectors) => times(GROUP, () => times(vectors, () => m.global('v128', 0n)))),
});
