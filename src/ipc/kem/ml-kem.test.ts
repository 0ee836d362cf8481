import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hkdf, SHAKE128_RATE, sha3, sha256, shake128, shake256 } from './hashes.ts';
import { CIPHER_TEXT_BYTES, decapsulate, keyGen, PUBLIC_KEY_BYTES, PublicKey } from './ml-kem.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const native = (name: string, bytes: Uint8Array, outputLength?: number): Uint8Array =>
  Uint8Array.from(createHash(name, { outputLength }).update(bytes).digest());

describe('hashes agree with OpenSSL', () => {
  it('for every length up to several blocks, however it is cut', () => {
    for (let length = 0; length <= 420; length++) {
      const bytes = random(length);
      const cut = length % 50;
      const parts = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect([length, sha256(...parts)]).toEqual([length, native('sha256', bytes)]);
      expect([length, sha3(32, ...parts)]).toEqual([length, native('sha3-256', bytes)]);
      expect([length, sha3(64, ...parts)]).toEqual([length, native('sha3-512', bytes)]);
      expect([length, shake256(length + 1, ...parts)]).toEqual([length, native('shake256', bytes, length + 1)]);
    }
    expect(sha256(new Uint8Array(100_000))).toEqual(native('sha256', new Uint8Array(100_000)));
  });

  it('for SHAKE128, block by block', () => {
    const seed = random(34);
    const expected = native('shake128', seed, 5 * SHAKE128_RATE);
    let count = 0;
    shake128([seed], (block) => {
      const at = SHAKE128_RATE * count;
      expect(block.slice(0, SHAKE128_RATE)).toEqual(expected.slice(at, at + SHAKE128_RATE));
      return ++count < 5;
    });
    expect(count).toBe(5);
  });

  it('for HKDF', () => {
    for (const length of [1, 32, 33, 96, 200]) {
      const [secret, salt, info] = [random(32), random(32), random(45)];
      expect(hkdf(secret, salt, info, length)).toEqual(new Uint8Array(hkdfSync('sha256', secret, salt, info, length)));
    }
  });
});

describe('ML-KEM-768 agrees with noble', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  it('on key pairs, cipher texts and secrets', () => {
    fc.assert(
      fc.property(bytes(64), bytes(32), (seed, message) => {
        const pair = keyGen(seed);
        const theirs = ml_kem768.keygen(seed);
        expect(pair.publicKey).toEqual(theirs.publicKey);
        expect(pair.secretKey).toEqual(theirs.secretKey);
        const key = new PublicKey(pair.publicKey);
        const sent = key.encapsulate(message);
        expect(sent).toEqual(ml_kem768.encapsulate(theirs.publicKey, message));
        expect(decapsulate(pair.secretKey, sent.cipherText)).toEqual(sent.sharedSecret);
        expect(decapsulate(pair.secretKey, sent.cipherText, key)).toEqual(sent.sharedSecret);
      }),
      { numRuns: 60 },
    );
  });

  it('on cipher texts that nobody made: an answer that only the secret key could give', () => {
    const { publicKey, secretKey } = keyGen(random(64));
    const { cipherText, sharedSecret } = new PublicKey(publicKey).encapsulate(random(32));
    for (const damaged of [
      cipherText.with(0, cipherText[0] ^ 1),
      cipherText.with(CIPHER_TEXT_BYTES - 1, cipherText[CIPHER_TEXT_BYTES - 1] ^ 0x80),
      random(CIPHER_TEXT_BYTES),
    ]) {
      const secret = decapsulate(secretKey, damaged);
      expect(secret).toEqual(ml_kem768.decapsulate(damaged, secretKey));
      expect(secret).not.toEqual(sharedSecret);
    }
  });

  it('and refuses what is no key or cipher text', () => {
    const { publicKey, secretKey } = keyGen(random(64));
    expect(() => new PublicKey(publicKey.subarray(1))).toThrow(RangeError);
    const large = publicKey.slice();
    large[0] = 0xff;
    large[1] |= 0x0f;
    expect(() => new PublicKey(large)).toThrow('not reduced');
    expect(() => decapsulate(secretKey, new Uint8Array(CIPHER_TEXT_BYTES - 1))).toThrow(RangeError);
    expect(publicKey.length).toBe(PUBLIC_KEY_BYTES);
  });
});
