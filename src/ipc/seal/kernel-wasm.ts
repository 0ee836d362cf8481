/**
 * The sealing kernel: ChaCha20-Poly1305 (RFC 8439 §2.8) as a WebAssembly module, over frames in an imported memory.
 *
 * One instance is one end of a channel. Its keys, counters and key streams are globals that are not exported, so that nothing
 * outside the instance can read them. Exports (all arguments i32):
 *
 *     install(way, k0 … k7, n0, counterLow, counterHigh)   way 0 sends, 1 receives; overwrites what was there
 *     seal(frame, bodyLength)            writes the counter, encrypts the body in place, appends the tag
 *     open(frame, bodyLength) → status   SEALED_OK, or why it was refused; then header, body and tag stay as they were
 *     aead(way, frame, aadLength, textLength) → status   any associated data, padded with zeros to 16 bytes (test vectors)
 *
 * Nonce words are n0 and the 64-bit counter; with XChaCha20 (draft-irtf-cfrg-xchacha §2.3) the key is the HChaCha20 subkey
 * and n0 is 0. The counter goes up by one with every frame that was sealed or accepted.
 *
 * ChaCha20: a frame needs block 0, whose first half is the Poly1305 key, and block 1 for its first 64 bytes. `stream` computes
 * these for two frames at once, one block a lane, and keeps the second frame's for the next call; that halves the cost of
 * short frames, as one block alone is bound by latency. `rest` does longer bodies, two blocks side by side.
 * Nothing branches on secrets, and tags are compared whole.
 *
 * Behind the body of a frame 127 bytes are scratch and may be overwritten.
 */
import { type FunctionBody, ModuleBuilder } from '../../wasm/module.ts';
import { HEADER_BYTES } from '../frame.ts';
import { emitRest, emitStream } from './chacha20.ts';
import { emitPoly1305, Poly } from './poly1305.ts';
import { forWay, MAC_WORDS, STREAM_WORDS, times, type Way } from './ways.ts';

export const SEALED_OK = 0;
/** The tag does not fit: tampered with, or sealed with another key. */
export const SEALED_FORGED = 1;
/** The counter was seen before. */
export const SEALED_REPLAYED = 2;
/** The counter is ahead: a frame before it is missing or late. */
export const SEALED_REORDERED = 3;

const COUNTER_AT = 24;

/** `(way, frame, aadLength, textLength) → status`: seals (way 0) or opens (way 1) in place. */
const emitAead = (
  f: FunctionBody,
  ways: readonly Way[],
  current: readonly number[],
  stream: FunctionBody,
  rest: FunctionBody,
): void => {
  const [way, frame, aadLength, textLength] = [0, 1, 2, 3];
  const [text, end, at, stop] = times(4, () => f.local('i32'));
  const [tagLow, tagHigh, macLow, macHigh] = times(4, () => f.local('i64'));
  const poly = new Poly(f);
  const mix = (): void => {
    for (let i = 0; i < 8; i++) {
      f.get(text)
        .get(text)
        .mem('i64.load', 8 * i)
        .globalGet(current[MAC_WORDS + i]);
      f.op('i64.xor').mem('i64.store', 8 * i);
    }
    f.get(textLength).i32(64).op('i32.gt_s').if();
    f.get(way).get(text).get(textLength).call(rest.index).end();
  };
  const padded = (length: number): FunctionBody => f.get(length).i32(15).op('i32.add').i32(-16).op('i32.and');
  const putAtEnd = (low: number, high: number): void => {
    f.get(end).get(low).mem('i64.store', 0).get(end).get(high).mem('i64.store', 8);
  };

  padded(aadLength).get(frame).op('i32.add').tee(text).get(textLength).op('i32.add').set(end);
  f.get(way).call(stream.index);
  f.get(way).if();
  f.get(end).mem('i64.load', 0).set(tagLow).get(end).mem('i64.load', 8).set(tagHigh);
  f.else();
  mix();
  f.end();
  // What is authenticated is laid out in place (RFC 8439 §2.8): padding and lengths where the tag stood or will stand.
  f.get(end).i64(0).mem('i64.store', 0).get(end).i64(0).mem('i64.store', 8);
  padded(textLength).get(text).op('i32.add').set(stop);
  f.get(stop).get(aadLength).op('i64.extend_i32_u').mem('i64.store', 0);
  f.get(stop).get(textLength).op('i64.extend_i32_u').mem('i64.store', 8);
  f.get(stop).i32(16).op('i32.add').set(stop);
  poly.key((index) => f.globalGet(current[index]));
  f.get(frame).set(at);
  poly.absorbBlocks(at, stop);
  poly.finish((index) => f.globalGet(current[2 + index]), macLow, macHigh);

  f.get(way).if();
  f.get(tagLow).get(macLow).op('i64.xor').get(tagHigh).get(macHigh).op('i64.xor').op('i64.or').op('i64.eqz');
  f.op('i32.eqz').if();
  putAtEnd(tagLow, tagHigh);
  f.i32(SEALED_FORGED).op('return').end();
  mix();
  f.globalGet(ways[1].counter).i64(1).op('i64.add').globalSet(ways[1].counter);
  f.else();
  putAtEnd(macLow, macHigh);
  f.globalGet(ways[0].counter).i64(1).op('i64.add').globalSet(ways[0].counter);
  f.end();
  f.i32(SEALED_OK);
};

/** The module's bytes. `vectors` adds `poly1305(key, message, length, tag)`, all in memory, for the test vectors. */
export const buildSealingKernel = (memoryPages: number, vectors = false): Uint8Array<ArrayBuffer> => {
  const m = new ModuleBuilder();
  m.importMemory('lattice', 'memory', memoryPages, memoryPages);
  const i64s = (count: number): number[] => times(count, () => m.global('i64', 0n));
  const ways = times(
    2,
    (): Way => ({
      key: i64s(4),
      nonce: m.global('i32', 0),
      counter: m.global('i64', 0n),
      ahead: i64s(STREAM_WORDS),
      aheadFor: m.global('i64', 0n),
      isAhead: m.global('i32', 0),
    }),
  );
  const current = i64s(STREAM_WORDS);

  const stream = m.func(['i32']);
  emitStream(stream, ways, current);
  const rest = m.func(['i32', 'i32', 'i32']);
  emitRest(rest, ways);
  const aead = m.func(['i32', 'i32', 'i32', 'i32'], ['i32'], 'aead');
  emitAead(aead, ways, current, stream, rest);

  const seal = m.func(['i32', 'i32'], [], 'seal');
  seal.get(0).globalGet(ways[0].counter).mem('i64.store', COUNTER_AT);
  seal.i32(0).get(0).i32(HEADER_BYTES).get(1).call(aead.index).op('drop');

  const open = m.func(['i32', 'i32'], ['i32'], 'open');
  const counter = open.local('i64');
  open.get(0).mem('i64.load', COUNTER_AT).tee(counter).globalGet(ways[1].counter).op('i64.ne').if();
  open.i32(SEALED_REPLAYED).i32(SEALED_REORDERED).get(counter).globalGet(ways[1].counter).op('i64.lt_u');
  open.op('select').op('return').end();
  open.i32(1).get(0).i32(HEADER_BYTES).get(1).call(aead.index);

  const install = m.func(
    times(12, () => 'i32' as const),
    [],
    'install',
  );
  const joined = (low: number, high: number): void => {
    install.get(low).op('i64.extend_i32_u').get(high).op('i64.extend_i32_u').i64(32).op('i64.shl').op('i64.or');
  };
  forWay(install, 0, ways, (way) => {
    way.key.forEach((global, i) => {
      joined(1 + 2 * i, 2 + 2 * i);
      install.globalSet(global);
    });
    install.get(9).globalSet(way.nonce);
    joined(10, 11);
    install.globalSet(way.counter);
    for (const global of way.ahead) install.i64(0).globalSet(global);
    install.i32(0).globalSet(way.isAhead);
  });
  for (const global of current) install.i64(0).globalSet(global);

  if (vectors) emitPoly1305(m.func(['i32', 'i32', 'i32', 'i32'], [], 'poly1305'));
  return m.build();
};
