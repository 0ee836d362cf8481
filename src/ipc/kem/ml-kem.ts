/**
 * ML-KEM-768 (FIPS 203): key pairs, encapsulation and decapsulation. Made for the first milliseconds of a boot: the hashes are
 * WebAssembly and the rest is short loops, for nothing has been optimised by then. @noble/post-quantum is what the tests
 * compare it with.
 *
 * Entry points: `keyGen`, `PublicKey` (what a public key expands to, for several encapsulations), `decapsulate`.
 * Invariant: temporary secrets are overwritten.
 */
import { sha3, shake256 } from './hashes.ts';
import {
  add,
  compress,
  decompress,
  inverseNtt,
  isReduced,
  multiplyAdd,
  N,
  ntt,
  type Polynomial,
  pack,
  Q,
  sampleBinomial,
  sampleUniform,
  unpack,
} from './polynomial.ts';

const K = 3;
const U_BITS = 10;
const V_BITS = 4;
/** Bytes of a packed polynomial whose coefficients have this width. */
const packed = (width: number): number => 32 * width;

const VECTOR_BYTES = K * packed(12);
export const PUBLIC_KEY_BYTES = VECTOR_BYTES + 32;
/** The secret vector, the public key, its hash, and what a refused cipher text is answered with. */
export const SECRET_KEY_BYTES = VECTOR_BYTES + PUBLIC_KEY_BYTES + 64;
export const CIPHER_TEXT_BYTES = K * packed(U_BITS) + packed(V_BITS);

const each = <T>(make: (index: number) => T): T[] => Array.from({ length: K }, (_, i) => make(i));
const wipe = (...secrets: readonly (Polynomial | Uint8Array)[]): void => {
  for (const secret of secrets) secret.fill(0);
};

/** What a public key expands to: public, and worth keeping for as long as the key is used. */
export class PublicKey {
  readonly #hash: Uint8Array;
  readonly #vector: readonly Polynomial[];
  /** Row by row. */
  readonly #matrix: readonly (readonly Polynomial[])[];

  /** Throws if it is no public key: wrong length, or a coefficient that is not reduced (§7.2). */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== PUBLIC_KEY_BYTES) throw new RangeError('an ML-KEM-768 public key has 1,184 bytes');
    this.#vector = each((i) => unpack(bytes, 12, i * packed(12)));
    if (!this.#vector.every(isReduced)) throw new RangeError('a coefficient of the ML-KEM public key is not reduced');
    const seed = bytes.subarray(VECTOR_BYTES);
    this.#matrix = each((row) => each((column) => sampleUniform(seed, column, row)));
    this.#hash = sha3(32, bytes);
  }

  /** Algorithm 17. `message` is 32 random bytes, which the caller wipes. */
  encapsulate(message: Uint8Array): { readonly cipherText: Uint8Array; readonly sharedSecret: Uint8Array } {
    const both = sha3(64, message, this.#hash);
    const sharedSecret = both.slice(0, 32);
    const cipherText = this.encrypt(message, both.subarray(32));
    wipe(both);
    return { cipherText, sharedSecret };
  }

  /** Algorithm 14. */
  encrypt(message: Uint8Array, randomness: Uint8Array): Uint8Array {
    const cipherText = new Uint8Array(CIPHER_TEXT_BYTES);
    const y = each((i) => sampleBinomial(randomness, i));
    for (const part of y) ntt(part);
    for (let i = 0; i < K; i++) {
      const u = new Uint16Array(N);
      for (let j = 0; j < K; j++) multiplyAdd(u, this.#matrix[j][i], y[j]);
      inverseNtt(u);
      const error = sampleBinomial(randomness, K + i);
      add(u, error);
      compress(u, U_BITS);
      pack(u, U_BITS, cipherText, i * packed(U_BITS));
      wipe(error);
    }
    const v = new Uint16Array(N);
    for (let j = 0; j < K; j++) multiplyAdd(v, this.#vector[j], y[j]);
    inverseNtt(v);
    const error = sampleBinomial(randomness, 2 * K);
    const text = unpack(message, 1, 0);
    decompress(text, 1);
    add(v, error);
    add(v, text);
    compress(v, V_BITS);
    pack(v, V_BITS, cipherText, K * packed(U_BITS));
    wipe(...y, error, text, v);
    return cipherText;
  }
}

/** Algorithm 16. `seed` is 64 random bytes (d and z), which the caller wipes. */
export const keyGen = (seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } => {
  const both = sha3(64, seed.subarray(0, 32), Uint8Array.of(K));
  const matrixSeed = both.subarray(0, 32);
  const noiseSeed = both.subarray(32);
  const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
  const secretKey = new Uint8Array(SECRET_KEY_BYTES);
  const s = each((i) => sampleBinomial(noiseSeed, i));
  s.forEach((part, i) => {
    ntt(part);
    pack(part, 12, secretKey, i * packed(12));
  });
  for (let i = 0; i < K; i++) {
    const t = sampleBinomial(noiseSeed, K + i);
    ntt(t);
    for (let j = 0; j < K; j++) multiplyAdd(t, sampleUniform(matrixSeed, j, i), s[j]);
    pack(t, 12, publicKey, i * packed(12));
  }
  publicKey.set(matrixSeed, VECTOR_BYTES);
  secretKey.set(publicKey, VECTOR_BYTES);
  secretKey.set(sha3(32, publicKey), VECTOR_BYTES + PUBLIC_KEY_BYTES);
  secretKey.set(seed.subarray(32), SECRET_KEY_BYTES - 32);
  wipe(...s, both);
  return { publicKey, secretKey };
};

/** Algorithm 15: the message in a cipher text. */
const decrypt = (secretKey: Uint8Array, cipherText: Uint8Array): Uint8Array => {
  const product = new Uint16Array(N);
  for (let i = 0; i < K; i++) {
    const u = unpack(cipherText, U_BITS, i * packed(U_BITS));
    decompress(u, U_BITS);
    ntt(u);
    const s = unpack(secretKey, 12, i * packed(12));
    multiplyAdd(product, s, u);
    wipe(s);
  }
  inverseNtt(product);
  const w = unpack(cipherText, V_BITS, K * packed(U_BITS));
  decompress(w, V_BITS);
  for (let i = 0; i < N; i++) w[i] = (w[i] - product[i] + Q) % Q;
  compress(w, 1);
  const message = new Uint8Array(32);
  pack(w, 1, message, 0);
  wipe(product, w);
  return message;
};

/**
 * Algorithm 18: the shared secret, or another one if the cipher text is not what its message encrypts to. `publicKey` is
 * that of the secret key, if it has been expanded. Throws if a length is wrong.
 */
export const decapsulate = (secretKey: Uint8Array, cipherText: Uint8Array, publicKey?: PublicKey): Uint8Array => {
  if (secretKey.length !== SECRET_KEY_BYTES || cipherText.length !== CIPHER_TEXT_BYTES)
    throw new RangeError('an ML-KEM-768 secret key has 2,400 bytes, a cipher text 1,088');
  const at = VECTOR_BYTES + PUBLIC_KEY_BYTES;
  const message = decrypt(secretKey, cipherText);
  const both = sha3(64, message, secretKey.subarray(at, at + 32));
  const refused = shake256(32, secretKey.subarray(at + 32), cipherText);
  const expanded = publicKey ?? new PublicKey(secretKey.slice(VECTOR_BYTES, at));
  const again = expanded.encrypt(message, both.subarray(32));
  let difference = 0;
  for (let i = 0; i < CIPHER_TEXT_BYTES; i++) difference |= again[i] ^ cipherText[i];
  // All ones if they are equal, else zero; no branch.
  const equal = (difference - 1) >> 31;
  const secret = new Uint8Array(32);
  for (let i = 0; i < 32; i++) secret[i] = (both[i] & equal) | (refused[i] & ~equal);
  wipe(message, both, refused);
  return secret;
};
