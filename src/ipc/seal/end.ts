/**
 * The ends of a sealed channel: each seals what it sends and opens what it receives, in place, with the channel's instance of
 * the sealing kernel, which holds the keys of both for an epoch.
 *
 * Entry points: `Sealing` (compiles the kernel once for an arena), `SealedEnd.seal`, `SealedEnd.open`, `SealedEnd.install`.
 * The nonce of a frame is the 16-byte prefix of its direction and the 64-bit counter (draft-irtf-cfrg-xchacha §2): the
 * prefix's HChaCha20 subkey is computed when keys are installed, the counter is the number of the frame in its epoch.
 */

import { fromBase64 } from '../../wasm/base64.ts';
import type { Frame, FrameArena } from '../frame.ts';
import { PREBUILT } from '../prebuilt.ts';
import { buildSealingKernel, SEALED_FORGED } from './kernel-wasm.ts';

/** Key and nonce prefix of one direction. Whoever installs it wipes it. */
export interface DirectionKeys {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes. */
  readonly prefix: Uint8Array;
}

interface KernelExports {
  install(...words: number[]): void;
  sealA(frame: number, bodyLength: number): void;
  openA(frame: number, bodyLength: number): number;
  sealB(frame: number, bodyLength: number): void;
  openB(frame: number, bodyLength: number): number;
  /** Only with `vectors`. */
  aead(way: number, frame: number, aadLength: number, textLength: number): number;
  /** Only with `vectors`. */
  poly1305(key: number, message: number, length: number, tag: number): void;
}

const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

const rotated = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** A quarter round (RFC 8439 §2.1). */
const quarter = (x: Uint32Array, a: number, b: number, c: number, d: number): void => {
  for (const [first, second] of [
    [16, 12],
    [8, 7],
  ]) {
    x[a] += x[b];
    x[d] = rotated(x[d] ^ x[a], first);
    x[c] += x[d];
    x[b] = rotated(x[b] ^ x[c], second);
  }
};

/** HChaCha20 (draft-irtf-cfrg-xchacha §2.2): the subkey of a key and a 16-byte nonce prefix, as eight words. */
export const subkey = (key: Uint8Array, prefix: Uint8Array): Uint32Array => {
  const x = new Uint32Array(16);
  x.set(SIGMA);
  [key, prefix].forEach((bytes, index) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < bytes.length; i += 4) x[4 + 8 * index + i / 4] = view.getUint32(i, true);
  });
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarter(x, i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i++) quarter(x, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
  }
  const out = Uint32Array.of(x[0], x[1], x[2], x[3], x[12], x[13], x[14], x[15]);
  x.fill(0);
  return out;
};

/** Ways of end A; those of B are two further (ways.ts). */
export const WAY_SEND = 0;
export const WAY_RECEIVE = 1;

/** The compiled kernel over the memory of an arena. */
export class Sealing {
  readonly #module: WebAssembly.Module;
  readonly #memory: WebAssembly.Memory;

  /** `vectors` adds what only the test vectors need. */
  constructor(arena: FrameArena, vectors = false) {
    this.#memory = arena.memory;
    const pages = arena.memory.buffer.byteLength / 65536;
    const bytes =
      PREBUILT?.pages === pages && !vectors ? fromBase64(PREBUILT.kernel) : buildSealingKernel(pages, vectors);
    this.#module = new WebAssembly.Module(bytes);
  }

  /** The two ends of a fresh channel, without keys: they must not be used before `install`. */
  channel(): readonly [SealedEnd, SealedEnd] {
    const kernel = this.instance();
    return [new SealedEnd(kernel, 0), new SealedEnd(kernel, 1)];
  }

  /** The bare kernel, for the test vectors. */
  instance(): KernelExports {
    const instance = new WebAssembly.Instance(this.#module, { lattice: { memory: this.#memory } });
    return instance.exports as unknown as KernelExports;
  }
}

export class SealedEnd {
  readonly #kernel: KernelExports;
  /** Its first way. */
  readonly #way: number;
  readonly #seal: (frame: number, bodyLength: number) => void;
  readonly #open: (frame: number, bodyLength: number) => number;
  #keyed = false;

  /** `end` is 0 for A and 1 for B. */
  constructor(kernel: KernelExports, end: 0 | 1) {
    this.#kernel = kernel;
    this.#way = 2 * end;
    this.#seal = end === 0 ? kernel.sealA : kernel.sealB;
    this.#open = end === 0 ? kernel.openA : kernel.openB;
  }

  /** Replaces the keys of both directions and starts both counters at 0. */
  install(send: DirectionKeys, receive: DirectionKeys): void {
    for (const [way, keys] of [
      [WAY_SEND, send],
      [WAY_RECEIVE, receive],
    ] as const) {
      const derived = subkey(keys.key, keys.prefix);
      this.#kernel.install(this.#way + way, ...derived, 0, 0, 0);
      derived.fill(0);
    }
    this.#keyed = true;
  }

  /** Overwrites the keys. Nothing can be opened or sealed until others are installed. */
  wipe(): void {
    this.#keyed = false;
    for (const way of [WAY_SEND, WAY_RECEIVE]) this.#kernel.install(this.#way + way, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Seals a finished frame in place. Throws without keys: that would be a bug, and its frame readable. */
  seal(frame: Frame): void {
    if (!this.#keyed) throw new Error('a sealed end has no keys');
    this.#seal(frame.base, frame.bodyLength);
  }

  /** Opens a received frame in place. 0, or why it is refused (kernel-wasm.ts); a refused frame changes nothing here. */
  open(frame: Frame): number {
    return this.#keyed ? this.#open(frame.base, frame.bodyLength) : SEALED_FORGED;
  }
}
