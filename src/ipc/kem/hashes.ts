/**
 * The hash functions of the handshake over the module of hashes-wasm.ts: SHA3 and SHAKE (FIPS 202), SHA-256 (FIPS 180-4) and
 * HKDF with it (RFC 5869).
 *
 * Entry points: `sha3`, `shake256`, `Shake128`, `sha256`, `hkdf`.
 * Invariant: the module's memory is zeroed after each function here but the constants, for what passes through is secret.
 */
import { fromBase64 } from '../../wasm/base64.ts';
import { PREBUILT } from '../prebuilt.ts';
import {
  buildHashes,
  KECCAK_STATE,
  SHA_BLOCK,
  SHA_STATE,
  shaStart,
  USED_BYTES,
  writeConstants,
} from './hashes-wasm.ts';

interface Module {
  readonly keccak: () => void;
  readonly sha256: () => void;
  readonly bytes: Uint8Array;
  readonly shaState: Uint32Array;
  readonly shaStart: Uint32Array;
}

let made: Module | undefined;

/** The module, instantiated when it is first needed. */
const hashes = (): Module => {
  if (made !== undefined) return made;
  const bytes = PREBUILT === undefined ? buildHashes() : fromBase64(PREBUILT.hashes);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, keccak, sha256 } = exports as unknown as { memory: WebAssembly.Memory } & Pick<
    Module,
    'keccak' | 'sha256'
  >;
  writeConstants(memory.buffer);
  made = {
    keccak,
    sha256,
    bytes: new Uint8Array(memory.buffer, 0, USED_BYTES),
    shaState: new Uint32Array(memory.buffer, SHA_STATE, 8),
    shaStart: shaStart(),
  };
  return made;
};

const LANES = 200;

const wipeKeccak = (): void => {
  hashes().bytes.fill(0, KECCAK_STATE, KECCAK_STATE + LANES);
};

/** Absorbs the parts into a fresh state (FIPS 202 §4); the first block can then be squeezed out of the state. */
const absorb = (rate: number, suffix: number, parts: readonly Uint8Array[]): Module => {
  const module = hashes();
  const { bytes, keccak } = module;
  wipeKeccak();
  let at = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i++) {
      bytes[at++] ^= part[i];
      if (at === rate) {
        keccak();
        at = 0;
      }
    }
  bytes[at] ^= suffix;
  bytes[rate - 1] ^= 0x80;
  keccak();
  return module;
};

const sponge = (rate: number, suffix: number, length: number, parts: readonly Uint8Array[]): Uint8Array => {
  const { bytes, keccak } = absorb(rate, suffix, parts);
  const out = new Uint8Array(length);
  for (let at = 0; ; at += rate) {
    out.set(bytes.subarray(0, Math.min(rate, length - at)), at);
    if (at + rate >= length) break;
    keccak();
  }
  wipeKeccak();
  return out;
};

/** SHA3-256 or SHA3-512 of the parts, by the digest's length in bytes. */
export const sha3 = (length: 32 | 64, ...parts: readonly Uint8Array[]): Uint8Array =>
  sponge(LANES - 2 * length, 0x06, length, parts);

export const shake256 = (length: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  sponge(136, 0x1f, length, parts);

/** Bytes of a SHAKE128 block. */
export const SHAKE128_RATE = 168;

/** SHAKE128 of the parts, block after block until `take` answers false. For public data: nothing else may hash meanwhile. */
export const shake128 = (parts: readonly Uint8Array[], take: (block: Uint8Array) => boolean): void => {
  const { bytes, keccak } = absorb(SHAKE128_RATE, 0x1f, parts);
  while (take(bytes)) keccak();
  wipeKeccak();
};

/** SHA-256 of the parts. */
export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const { bytes, shaState, shaStart: start, sha256: compress } = hashes();
  shaState.set(start);
  let length = 0;
  let at = 0;
  const block = bytes.subarray(SHA_BLOCK, SHA_BLOCK + 64);
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const count = Math.min(64 - at, part.length - from);
      block.set(part.subarray(from, from + count), at);
      from += count;
      at += count;
      if (at === 64) {
        compress();
        at = 0;
      }
    }
    length += part.length;
  }
  block.fill(0, at);
  block[at] = 0x80;
  if (at >= 56) {
    compress();
    block.fill(0);
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(SHA_BLOCK + 56, Math.floor(length / 2 ** 29));
  view.setUint32(SHA_BLOCK + 60, length << 3);
  compress();
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  shaState.forEach((word, i) => {
    out.setUint32(4 * i, word);
  });
  bytes.fill(0, SHA_STATE);
  return digest;
};

/** HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes. */
const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
  const padded = (byte: number): Uint8Array => {
    const block = new Uint8Array(64).fill(byte);
    for (let i = 0; i < key.length; i++) block[i] ^= key[i];
    return block;
  };
  const [inner, outer] = [padded(0x36), padded(0x5c)];
  const digest = sha256(outer, sha256(inner, ...parts));
  inner.fill(0);
  outer.fill(0);
  return digest;
};

/** HKDF-SHA-256 (RFC 5869): `length` bytes of key material. The salt has at most 64 bytes. */
export const hkdf = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array => {
  const pseudoRandom = hmac(salt, secret);
  const material = new Uint8Array(length);
  let last: Uint8Array = new Uint8Array(0);
  for (let at = 0, count = 1; at < length; at += 32, count++) {
    const next = hmac(pseudoRandom, last, info, Uint8Array.of(count));
    last.fill(0);
    last = next;
    material.set(last.subarray(0, Math.min(32, length - at)), at);
  }
  last.fill(0);
  pseudoRandom.fill(0);
  return material;
};
