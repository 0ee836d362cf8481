import { randomBytes } from 'node:crypto';
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameArena } from '../frame.ts';
import { Sealing, subkey, WAY_RECEIVE, WAY_SEND } from './end.ts';
import { SEALED_FORGED, SEALED_OK } from './kernel-wasm.ts';

const arena = new FrameArena(65536 * 4);
const memory = new Uint8Array(arena.memory.buffer);
const kernel = new Sealing(arena, true).instance();

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const ascending = (first: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => first + i);
const words = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)];
const SUNSCREEN = new TextEncoder().encode(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);

const TEXT = 8192;
let frame = TEXT;
/** Keys both directions; `nonce` has 12 bytes. */
const install = (key: Uint8Array, nonce: Uint8Array): void => {
  for (const way of [WAY_SEND, WAY_RECEIVE]) kernel.install(way, ...words(key), ...words(nonce));
};
/** The text stands directly behind the associated data and its padding. */
const put = (aad: Uint8Array, text: Uint8Array): void => {
  frame = TEXT - Math.ceil(aad.length / 16) * 16;
  memory.fill(0, frame, TEXT);
  memory.set(aad, frame);
  memory.set(text, TEXT);
};
const seal = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, text: Uint8Array): Uint8Array => {
  install(key, nonce);
  put(aad, text);
  kernel.aead(WAY_SEND, frame, aad.length, text.length);
  return memory.slice(TEXT, TEXT + text.length + 16);
};
/** The text, or undefined if the frame is refused. */
const open = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined => {
  install(key, nonce);
  put(aad, sealed);
  const status = kernel.aead(WAY_RECEIVE, frame, aad.length, sealed.length - 16);
  if (status === SEALED_OK) return memory.slice(TEXT, TEXT + sealed.length - 16);
  expect(status).toBe(SEALED_FORGED);
  expect(memory.slice(TEXT, TEXT + sealed.length)).toEqual(sealed);
  return undefined;
};
const keyStream = (key: Uint8Array, nonce: Uint8Array, bytes: number): Uint8Array =>
  seal(key, nonce, new Uint8Array(0), new Uint8Array(bytes)).slice(0, bytes);

describe('RFC 8439', () => {
  const zeros = new Uint8Array(32);
  const noNonce = new Uint8Array(12);

  it('§2.3.2 block function', () => {
    expect(keyStream(ascending(0), hex('000000090000004a00000000'), 64)).toEqual(
      hex(
        '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
      ),
    );
  });

  it('§2.4.2 encryption', () => {
    const nonce = hex('000000000000004a00000000');
    expect(seal(ascending(0), nonce, new Uint8Array(0), SUNSCREEN).slice(0, -16)).toEqual(
      hex(
        `6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624e65152ab
         8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42874d`,
      ),
    );
  });

  it('§A.1 blocks 1 and 2 of other keys', () => {
    expect(keyStream(zeros, noNonce, 64)).toEqual(
      hex(
        '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
      ),
    );
    const last = zeros.slice();
    last[31] = 1;
    expect(keyStream(last, noNonce, 64)).toEqual(
      hex(
        '3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0',
      ),
    );
    const second = zeros.slice();
    second[1] = 0xff;
    expect(keyStream(second, noNonce, 128).slice(64)).toEqual(
      hex(
        '72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096',
      ),
    );
  });

  const mac = (key: Uint8Array, message: Uint8Array): Uint8Array => {
    memory.set(key, 0);
    memory.set(message, TEXT);
    kernel.poly1305(0, TEXT, message.length, 64);
    return memory.slice(64, 80);
  };

  it('§2.5.2 and §A.3 Poly1305, whose carries are the hard part', () => {
    const r = (value: string, s = ''): Uint8Array => hex(value.padEnd(32, '0') + s.padEnd(32, '0'));
    const ff = 'ff'.repeat(16);
    const vectors: [key: Uint8Array, message: Uint8Array, tag: string][] = [
      [
        hex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b'),
        new TextEncoder().encode('Cryptographic Forum Research Group'),
        'a8061dc1305136c6c22b8baf0c0127a9',
      ],
      [zeros, new Uint8Array(64), '00'.repeat(16)],
      [
        hex('1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0'),
        new TextEncoder().encode(
          "'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\nAll mimsy were the borogoves,\nAnd the mome raths outgrabe.",
        ),
        '4541669a7eaaee61e708dc7cbcc5eb62',
      ],
      [r('02'), hex(ff), `03${'00'.repeat(15)}`],
      [r('02', ff), hex(`02${'00'.repeat(15)}`), `03${'00'.repeat(15)}`],
      [r('01'), hex(`${ff}f0${'ff'.repeat(15)}11${'00'.repeat(15)}`), `05${'00'.repeat(15)}`],
      [r('01'), hex(`${ff}fb${'fe'.repeat(15)}${'01'.repeat(16)}`), '00'.repeat(16)],
      [r('02'), hex(`fd${'ff'.repeat(15)}`), `fa${'ff'.repeat(15)}`],
      [
        r('01000000000000000400000000000000'),
        hex(
          'e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000000000000000000001000000000000000000000000000000',
        ),
        '14000000000000005500000000000000',
      ],
      [
        r('01000000000000000400000000000000'),
        hex('e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000'),
        '13000000000000000000000000000000',
      ],
    ];
    for (const [key, message, tag] of vectors) expect(mac(key, message)).toEqual(hex(tag));
  });

  it('agrees with noble on Poly1305 of extreme and random messages', () => {
    const byte = fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x7f, 0x80, 0xfb, 0xfc, 0xfe, 0xff);
    const bytes = (minLength: number, maxLength: number) =>
      fc.oneof(
        fc.array(byte, { minLength, maxLength }).map((values) => Uint8Array.from(values)),
        fc.uint8Array({ minLength, maxLength }),
      );
    fc.assert(
      fc.property(bytes(32, 32), bytes(0, 200), (key, message) => {
        expect(mac(key, message)).toEqual(Uint8Array.from(poly1305(message, key)));
      }),
      { numRuns: 2000 },
    );
  });

  it('§2.8.2 AEAD', () => {
    const key = ascending(0x80);
    const nonce = hex('070000004041424344454647');
    const aad = hex('50515253c0c1c2c3c4c5c6c7');
    const sealed = hex(
      `d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29
       05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116
       1ae10b594f09e26a7e902ecbd0600691`,
    );
    expect(seal(key, nonce, aad, SUNSCREEN)).toEqual(sealed);
    expect(open(key, nonce, aad, sealed)).toEqual(SUNSCREEN);
  });

  it('§A.5 AEAD decryption', () => {
    const text = open(
      hex('1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0'),
      hex('000000000102030405060708'),
      hex('f33388860000000000004e91'),
      hex(
        `64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100
         d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b350638
         3606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa115
         5b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10
         49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38`,
      ),
    );
    expect(new TextDecoder().decode(text)).toBe(
      'Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted by other documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite them other than as /“work in progress./”',
    );
  });
});

describe('draft-irtf-cfrg-xchacha', () => {
  it('§2.2.1 HChaCha20', () => {
    const derived = subkey(ascending(0), hex('000000090000004a0000000031415927'));
    expect(new Uint8Array(derived.buffer)).toEqual(
      hex('82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc'),
    );
  });

  it('§A.3.1 AEAD', () => {
    const key = ascending(0x80);
    const nonce = hex('404142434445464748494a4b4c4d4e4f5051525354555657');
    const aad = hex('50515253c0c1c2c3c4c5c6c7');
    const inner = new Uint8Array(subkey(key, nonce.slice(0, 16)).buffer);
    const innerNonce = Uint8Array.of(0, 0, 0, 0, ...nonce.slice(16));
    const sealed = hex(
      `bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216
       cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e
       c0875924c1c7987947deafd8780acf49`,
    );
    expect(seal(inner, innerNonce, aad, SUNSCREEN)).toEqual(sealed);
    expect(open(inner, innerNonce, aad, sealed)).toEqual(SUNSCREEN);
  });
});

describe('the sealing kernel', () => {
  it('agrees with noble for every length up to several blocks', () => {
    for (let length = 0; length <= 400; length++) {
      const [key, nonce, aad, text] = [32, 12, length % 67, length].map((size) => Uint8Array.from(randomBytes(size)));
      const expected = Uint8Array.from(chacha20poly1305(key, nonce, aad).encrypt(text));
      expect([length, seal(key, nonce, aad, text)]).toEqual([length, expected]);
      expect(open(key, nonce, aad, expected)).toEqual(text);
    }
  });

  it('agrees with noble on random inputs', () => {
    const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
    fc.assert(
      fc.property(bytes(32, 32), bytes(12, 12), bytes(0, 100), bytes(0, 3000), (key, nonce, aad, text) => {
        const expected = Uint8Array.from(chacha20poly1305(key, nonce, aad).encrypt(text));
        expect(seal(key, nonce, aad, text)).toEqual(expected);
        expect(open(key, nonce, aad, expected)).toEqual(text);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every changed bit of text, tag and associated data, and leaves the frame as it was', () => {
    const [key, nonce, aad, text] = [32, 12, 20, 70].map((size) => Uint8Array.from(randomBytes(size)));
    const sealed = seal(key, nonce, aad, text);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = sealed.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      expect([bit, open(key, nonce, aad, damaged)]).toEqual([bit, undefined]);
    }
    for (let bit = 0; bit < aad.length * 8; bit++) {
      const damaged = aad.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      expect([bit, open(key, nonce, damaged, sealed)]).toEqual([bit, undefined]);
    }
    expect(open(Uint8Array.from(randomBytes(32)), nonce, aad, sealed)).toBeUndefined();
    expect(open(key, nonce, aad, sealed)).toEqual(text);
  });

  it('counts frames into the nonce, also past 2^32', () => {
    const key = Uint8Array.from(randomBytes(32));
    const prefix = Uint8Array.from(randomBytes(16));
    const derived = subkey(key, prefix);
    const from = 0xffff_fff0;
    for (const way of [WAY_SEND, WAY_RECEIVE]) kernel.install(way, ...derived, 0, from, 0);
    const nonce = new Uint8Array(24);
    nonce.set(prefix);
    const lengths = [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200];
    for (let i = 0; i < 40; i++) {
      const [aad, text] = [i, lengths[i % lengths.length]].map((size) => Uint8Array.from(randomBytes(size)));
      new DataView(nonce.buffer).setBigUint64(16, BigInt(from + i), true);
      put(aad, text);
      kernel.aead(WAY_SEND, frame, aad.length, text.length);
      const sealed = memory.slice(TEXT, TEXT + text.length + 16);
      expect([i, sealed]).toEqual([i, Uint8Array.from(xchacha20poly1305(key, nonce, aad).encrypt(text))]);
      // A forged frame in between must not disturb the one that is next.
      if (i % 3 === 0) {
        memory[TEXT + text.length] ^= 1;
        expect(kernel.aead(WAY_RECEIVE, frame, aad.length, text.length)).toBe(SEALED_FORGED);
        memory[TEXT + text.length] ^= 1;
      }
      expect(kernel.aead(WAY_RECEIVE, frame, aad.length, text.length)).toBe(SEALED_OK);
      expect(memory.slice(TEXT, TEXT + text.length)).toEqual(text);
    }
  });

  it('shares key streams between ends of the same key only', () => {
    const [ours, theirs] = [randomBytes(32), randomBytes(32)].map((key) => words(Uint8Array.from(key)));
    const nonce = words(new Uint8Array(12));
    const [sendA, receiveB] = [0, 3];
    const aad = new Uint8Array(20);
    const carry = (text: Uint8Array): number => {
      put(aad, text);
      kernel.aead(sendA, frame, aad.length, text.length);
      return kernel.aead(receiveB, frame, aad.length, text.length);
    };
    const text = Uint8Array.from(randomBytes(30));
    for (const other of [theirs, ours.with(7, ours[7] ^ 1), ours]) {
      kernel.install(sendA, ...ours, ...nonce);
      kernel.install(receiveB, ...other, ...nonce);
      for (let i = 0; i < 9; i++) expect(carry(text)).toBe(other === ours ? SEALED_OK : SEALED_FORGED);
      if (other === ours) expect(memory.slice(TEXT, TEXT + text.length)).toEqual(text);
    }
    // A key that is installed later replaces what the old one has left behind.
    kernel.install(receiveB, ...theirs, ...nonce.with(1, 9));
    expect(carry(text)).toBe(SEALED_FORGED);
    kernel.install(sendA, ...theirs, ...nonce.with(1, 9));
    expect(carry(text)).toBe(SEALED_OK);
  });

  it('touches nothing beyond the scratch behind a frame', () => {
    for (const length of [0, 5, 64, 65, 200]) {
      memory.fill(0xaa, TEXT - 64, TEXT + length + 1024);
      const text = Uint8Array.from(randomBytes(length));
      seal(ascending(1), new Uint8Array(12), new Uint8Array(0), text);
      kernel.aead(WAY_RECEIVE, frame, 0, length);
      expect(memory.slice(TEXT - 64, TEXT).every((byte) => byte === 0xaa)).toBe(true);
      expect(memory.slice(TEXT + length + 128, TEXT + length + 1024).every((byte) => byte === 0xaa)).toBe(true);
    }
  });
});
