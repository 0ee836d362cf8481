/**
 * Polynomials of ML-KEM (FIPS 203 §4): 256 coefficients modulo 3329, their number-theoretic transform, and how they are
 * sampled and packed. Coefficients are kept reduced, so that nothing branches on them or looks them up.
 *
 * Entry points: `ntt`, `inverseNtt`, `multiplyAdd`, `sampleUniform`, `sampleBinomial`, `pack`, `unpack`, `compress`, `decompress`.
 */
import { SHAKE128_RATE, shake128, shake256 } from './hashes.ts';

export const N = 256;
export const Q = 3329;
/** 128⁻¹ modulo q. */
const SCALE = 3303;

export type Polynomial = Uint16Array;

const reversed = (index: number): number => {
  let result = 0;
  for (let bit = 0; bit < 7; bit++) result |= ((index >> bit) & 1) << (6 - bit);
  return result;
};
const power = (exponent: number): number => {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = (result * 17) % Q;
  return result;
};
const ZETAS = Uint16Array.from({ length: 128 }, (_, i) => power(reversed(i)));

/** Algorithm 9, in place. */
export const ntt = (f: Polynomial): void => {
  let index = 1;
  for (let length = 128; length >= 2; length >>= 1)
    for (let start = 0; start < N; start += 2 * length) {
      const zeta = ZETAS[index++];
      for (let j = start; j < start + length; j++) {
        const t = (zeta * f[j + length]) % Q;
        f[j + length] = (f[j] - t + Q) % Q;
        f[j] = (f[j] + t) % Q;
      }
    }
};

/** Algorithm 10, in place. */
export const inverseNtt = (f: Polynomial): void => {
  let index = 127;
  for (let length = 2; length <= 128; length <<= 1)
    for (let start = 0; start < N; start += 2 * length) {
      const zeta = ZETAS[index--];
      for (let j = start; j < start + length; j++) {
        const t = f[j];
        f[j] = (t + f[j + length]) % Q;
        f[j + length] = (zeta * (f[j + length] - t + Q)) % Q;
      }
    }
  for (let j = 0; j < N; j++) f[j] = (f[j] * SCALE) % Q;
};

/** Adds the product of two transformed polynomials (algorithms 11 and 12) to `sum`. */
export const multiplyAdd = (sum: Polynomial, f: Polynomial, g: Polynomial): void => {
  for (let i = 0; i < N; i += 4) {
    const zeta = ZETAS[64 + (i >> 2)];
    for (let k = i; k <= i + 2; k += 2) {
      const gamma = k === i ? zeta : Q - zeta;
      const [f0, f1, g0, g1] = [f[k], f[k + 1], g[k], g[k + 1]];
      sum[k] = (sum[k] + f0 * g0 + ((f1 * g1) % Q) * gamma) % Q;
      sum[k + 1] = (sum[k + 1] + f0 * g1 + f1 * g0) % Q;
    }
  }
};

export const add = (sum: Polynomial, f: Polynomial): void => {
  for (let i = 0; i < N; i++) sum[i] = (sum[i] + f[i]) % Q;
};

/** Algorithm 7: a transformed polynomial out of a seed that everybody knows. */
export const sampleUniform = (seed: Uint8Array, first: number, second: number): Polynomial => {
  const f = new Uint16Array(N);
  let count = 0;
  shake128([seed, Uint8Array.of(first, second)], (block) => {
    for (let i = 0; i < SHAKE128_RATE && count < N; i += 3) {
      const low = block[i] | ((block[i + 1] & 15) << 8);
      const high = (block[i + 1] >> 4) | (block[i + 2] << 4);
      if (low < Q) f[count++] = low;
      if (high < Q && count < N) f[count++] = high;
    }
    return count < N;
  });
  return f;
};

/** Algorithm 8 with η = 2: coefficients are differences of two bits each of SHAKE256(seed, nonce). */
export const sampleBinomial = (seed: Uint8Array, nonce: number): Polynomial => {
  const bytes = shake256(128, seed, Uint8Array.of(nonce));
  const f = new Uint16Array(N);
  for (let i = 0; i < N; i++) {
    const bits = bytes[i >> 1] >> (4 * (i & 1));
    f[i] = ((bits & 1) + ((bits >> 1) & 1) - ((bits >> 2) & 1) - ((bits >> 3) & 1) + Q) % Q;
  }
  bytes.fill(0);
  return f;
};

/** Algorithm 5: coefficients of `width` bits, at most 12, into `32 · width` bytes from `at` on. */
export const pack = (f: Polynomial, width: number, into: Uint8Array, at: number): void => {
  let bits = 0;
  let held = 0;
  for (let i = 0; i < N; i++) {
    bits |= f[i] << held;
    for (held += width; held >= 8; held -= 8) {
      into[at++] = bits;
      bits >>>= 8;
    }
  }
};

/** Algorithm 6. Coefficients of 12 bits are not reduced: see `isReduced`. */
export const unpack = (bytes: Uint8Array, width: number, at: number): Polynomial => {
  const f = new Uint16Array(N);
  let bits = 0;
  let held = 0;
  for (let i = 0; i < N; i++) {
    for (; held < width; held += 8) bits |= bytes[at++] << held;
    f[i] = bits & ((1 << width) - 1);
    bits >>>= width;
    held -= width;
  }
  return f;
};

export const isReduced = (f: Polynomial): boolean => f.every((coefficient) => coefficient < Q);

/** Rounds to `width` bits, in place (§4.2.1). The quotient is a product: division takes a time that tells what is divided. */
export const compress = (f: Polynomial, width: number): void => {
  for (let i = 0; i < N; i++) f[i] = Math.floor((f[i] * 2 ** width + (Q - 1) / 2 + 0.5) * (1 / Q)) & ((1 << width) - 1);
};

export const decompress = (f: Polynomial, width: number): void => {
  for (let i = 0; i < N; i++) f[i] = (f[i] * Q + (1 << (width - 1))) >> width;
};
