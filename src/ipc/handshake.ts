/**
 * Key agreement of a channel: one ML-KEM-768 encapsulation (FIPS 203) between its two endpoints, and keys for each direction
 * by HKDF-SHA-256 (RFC 5869).
 *
 *     initiator                                   responder
 *     (ek, dk) = KeyGen          ── ek ──▶
 *                                ◀── c ──         (K, c) = Encaps(ek)
 *     K = Decaps(dk, c)
 *
 * Both then expand K with the hash of the transcript as salt: endpoint names, PIDs, epoch, ek and c. Two ends that disagree
 * about any of them get different keys, and the first frame is refused.
 *
 * Entry points: `Initiator`, `respond` (the two sides), `agree` (both, for endpoints in one thread); `KeyPair` for several
 * handshakes of one initiator: each still has an encapsulation, and so a secret, of its own.
 * Invariant: secrets stay in private fields, are never printed, and are overwritten once they are installed.
 */
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type KEMPrepared, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { SealedEnd } from './seal/end.ts';

export interface EndpointName {
  readonly name: string;
  readonly pid: number;
}

/** What both ends must agree on. */
export interface ChannelName {
  readonly initiator: EndpointName;
  readonly responder: EndpointName;
  /** Goes up with every rekeying of the channel. */
  readonly epoch: number;
}

/** Cryptographically random bytes, from the platform. */
export type Entropy = (length: number) => Uint8Array;

/** What a public key expands to. Public: ends in one thread share it, which saves a third of the handshake. */
type ExpandedKey = KEMPrepared;

const KEY_BYTES = 32;
const PREFIX_BYTES = 16;
const LABEL = 'XINIM Lattice 1 ML-KEM-768 XChaCha20-Poly1305';

const transcript = (channel: ChannelName, publicKey: Uint8Array, cipherText: Uint8Array): Uint8Array => {
  const hash = sha256.create();
  const encoder = new TextEncoder();
  // Every variable part is preceded by its length, so that no two transcripts coincide.
  const part = (bytes: Uint8Array): void => {
    hash.update(Uint8Array.of(bytes.length, bytes.length >> 8, bytes.length >> 16, bytes.length >> 24));
    hash.update(bytes);
  };
  part(encoder.encode(LABEL));
  for (const { name, pid } of [channel.initiator, channel.responder]) part(encoder.encode(`${pid}:${name}`));
  part(encoder.encode(String(channel.epoch)));
  part(publicKey);
  part(cipherText);
  return hash.digest();
};

/** The keys of one end for one epoch. Opaque: they can be installed into a sealed end once, or wiped. */
export class SessionKeys {
  #material: Uint8Array | undefined;
  readonly #initiator: boolean;

  private constructor(material: Uint8Array, initiator: boolean) {
    this.#material = material;
    this.#initiator = initiator;
  }

  /** Derives the keys of an end; the shared secret is overwritten. */
  static derive(shared: Uint8Array, salt: Uint8Array, initiator: boolean): SessionKeys {
    const pseudoRandom = extract(sha256, shared, salt);
    const info = new TextEncoder().encode(LABEL);
    const keys = new SessionKeys(expand(sha256, pseudoRandom, info, 2 * (KEY_BYTES + PREFIX_BYTES)), initiator);
    shared.fill(0);
    pseudoRandom.fill(0);
    return keys;
  }

  /** Hands the keys to a sealed end and forgets them. Throws if that has been done. */
  install(end: SealedEnd): void {
    const material = this.#material;
    if (material === undefined) throw new Error('these session keys are spent');
    const direction = (index: number) => {
      const at = index * (KEY_BYTES + PREFIX_BYTES);
      return {
        key: material.subarray(at, at + KEY_BYTES),
        prefix: material.subarray(at + KEY_BYTES, at + KEY_BYTES + PREFIX_BYTES),
      };
    };
    // The first half is for what the initiator sends.
    const [send, receive] = this.#initiator ? [0, 1] : [1, 0];
    end.install(direction(send), direction(receive));
    this.wipe();
  }

  wipe(): void {
    this.#material?.fill(0);
    this.#material = undefined;
  }
}

/** A key pair of an initiator. Its maker wipes it when the handshakes it is for are over. */
export class KeyPair {
  /** The encapsulation key, 1,184 bytes. */
  readonly publicKey: Uint8Array;
  readonly #secretKey: Uint8Array;
  #expanded: ExpandedKey | undefined;

  constructor(random: Entropy) {
    const seed = Uint8Array.from(random(64));
    const pair = ml_kem768.keygen(seed);
    seed.fill(0);
    this.publicKey = pair.publicKey;
    this.#secretKey = pair.secretKey;
  }

  /** What the public key expands to, computed once. */
  get expanded(): ExpandedKey {
    this.#expanded ??= ml_kem768.prepare(this.publicKey);
    return this.#expanded;
  }

  decapsulate(cipherText: Uint8Array): Uint8Array {
    return (this.#expanded ?? ml_kem768).decapsulate(cipherText, this.#secretKey);
  }

  wipe(): void {
    this.#secretKey.fill(0);
    this.#expanded?.clean();
    this.#expanded = undefined;
  }
}

/** The side that opens a channel. */
export class Initiator {
  readonly #pair: KeyPair;
  readonly #channel: ChannelName;

  constructor(channel: ChannelName, random: Entropy) {
    this.#pair = new KeyPair(random);
    this.#channel = channel;
  }

  /** What is sent to the responder: the encapsulation key, 1,184 bytes. */
  get publicKey(): Uint8Array {
    return this.#pair.publicKey;
  }

  /** Takes the responder's answer. May be called once: the decapsulation key is overwritten. */
  finish(cipherText: Uint8Array): SessionKeys {
    const keys = initiatorKeys(this.#channel, this.#pair, cipherText);
    this.#pair.wipe();
    return keys;
  }
}

const initiatorKeys = (channel: ChannelName, pair: KeyPair, cipherText: Uint8Array): SessionKeys =>
  SessionKeys.derive(pair.decapsulate(cipherText), transcript(channel, pair.publicKey, cipherText), true);

/** The side that is connected to. `cipherText` (1,088 bytes) goes back to the initiator. */
export const respond = (
  channel: ChannelName,
  publicKey: Uint8Array,
  random: Entropy,
  expanded?: ExpandedKey,
): { readonly cipherText: Uint8Array; readonly keys: SessionKeys } => {
  const message = Uint8Array.from(random(32));
  const { cipherText, sharedSecret } =
    expanded === undefined ? ml_kem768.encapsulate(publicKey, message) : expanded.encapsulate(message);
  message.fill(0);
  return { cipherText, keys: SessionKeys.derive(sharedSecret, transcript(channel, publicKey, cipherText), false) };
};

/**
 * Runs the handshake between two ends in this thread and installs the keys, replacing those of an earlier epoch. Without a
 * key pair one is made and wiped.
 */
export const agree = (
  channel: ChannelName,
  initiator: SealedEnd,
  responder: SealedEnd,
  random: Entropy,
  shared?: KeyPair,
): void => {
  const pair = shared ?? new KeyPair(random);
  const { cipherText, keys } = respond(channel, pair.publicKey, random, pair.expanded);
  keys.install(responder);
  initiatorKeys(channel, pair, cipherText).install(initiator);
  if (shared === undefined) pair.wipe();
};
