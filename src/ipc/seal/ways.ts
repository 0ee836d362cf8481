/**
 * The state of the sealing kernel: its two directions, each a set of WebAssembly globals, and how code picks between them.
 *
 * Entry points: `Way`, `pushOf`, `forWay`. A local named `way` holds 0 (sends) or 1 (receives).
 */
import type { FunctionBody } from '../../wasm/module.ts';

/** Key stream of a frame in i64s: the Poly1305 key (half of block 0), then block 1. */
export const STREAM_WORDS = 12;
export const MAC_WORDS = 4;

/** Globals of one direction. */
export interface Way {
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

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Pushes a global of the way that the local `way` names. */
export const pushOf = (f: FunctionBody, way: number, ways: readonly Way[], pick: (way: Way) => number): void => {
  f.globalGet(pick(ways[1])).globalGet(pick(ways[0])).get(way).op('select');
};

/** Emits the choice between the two ways for what cannot be selected. */
export const forWay = (f: FunctionBody, way: number, ways: readonly Way[], emit: (way: Way) => void): void => {
  f.get(way).if();
  emit(ways[1]);
  f.else();
  emit(ways[0]);
  f.end();
};
