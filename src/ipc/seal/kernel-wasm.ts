/**
 * The sealing kernel: ChaCha20-Poly1305 (RFC 8439 §2.8) as a WebAssembly module, over frames in an imported memory.
 *
 * One instance is a channel: its two ends A and B, each with a way out and a way in (ways.ts). Keys, counters and key streams
 * are globals that are not exported, so that nothing outside the instance can read them. Exports (all arguments i32):
 *
 *     install(way, k0 … k7, n0, counterLow, counterHigh)   overwrites what was there
 *     sealA, sealB (frame, bodyLength)            write the counter, encrypt the body in place, append the tag
 *     openA, openB (frame, bodyLength) → status   SEALED_OK, or why it was refused; then header, body and tag stay as they were
 *     aead(way, frame, aadLength, textLength) → status   any associated data, padded with zeros to 16 bytes (test vectors)
 *
 * Nonce words are n0 and the 64-bit counter; with XChaCha20 (draft-irtf-cfrg-xchacha §2.3) the key is the HChaCha20 subkey
 * and n0 is 0. The counter goes up by one with every frame that was sealed or accepted.
 *
 * ChaCha20: a frame needs block 0, whose first half is the Poly1305 key, and with a body block 1 for its first 64 bytes. They
 * are computed for four frames at once when the first of them asks, and serve both ends (chacha20.ts, ways.ts); longer
 * bodies have the rest computed for themselves. Nothing branches on secrets, and tags are compared whole.
 *
 * Behind the body of a frame 127 bytes are scratch and may be overwritten.
 */
import { type FunctionBody, ModuleBuilder } from '../../wasm/module.ts';
import { HEADER_BYTES } from '../frame.ts';
import { emitBlocks, emitRest } from './chacha20.ts';
import { emitPoly1305, Poly } from './poly1305.ts';
import { GROUP, makeStream, makeWay, NO_GROUP, type Stream, times, type Way } from './ways.ts';

export const SEALED_OK = 0;
/** The tag does not fit: tampered with, or sealed with another key. */
export const SEALED_FORGED = 1;
/** The counter was seen before. */
export const SEALED_REPLAYED = 2;
/** The counter is ahead: a frame before it is missing or late. */
export const SEALED_REORDERED = 3;

const COUNTER_AT = 24;

/** From one end to the other: the sender's way and the receiver's, their stream, and the function that fills it in. */
interface Direction {
  readonly ways: readonly Way[];
  readonly stream: Stream;
  readonly blocks: FunctionBody;
}

/** Brings the stream to the way's next frame: block 0, and block 1 if there is text. */
const emitStream = (f: FunctionBody, way: Way, { ways, stream, blocks }: Direction, textLength: number): void => {
  const group = f.local('i64');
  f.globalGet(way.counter).i64(2).op('i64.shr_u').tee(group).globalGet(stream.group).op('i64.ne');
  f.globalGet(stream.fits[ways.indexOf(way)]).op('i32.eqz').op('i32.or').if();
  way.key.forEach((key, i) => {
    f.globalGet(key).globalSet(stream.key[i]);
  });
  f.globalGet(way.nonce).globalSet(stream.nonce).get(group).globalSet(stream.group);
  ways.forEach((user, i) => {
    f.i64(0);
    for (const [its, made] of [...user.key.map((key, k) => [key, stream.key[k]]), [user.nonce, stream.nonce]])
      f.globalGet(its).globalGet(made).op('i64.xor').op('i64.or');
    f.op('i64.eqz').globalSet(stream.fits[i]);
  });
  for (const has of stream.has) f.i32(0).globalSet(has);
  f.end();
  f.globalGet(stream.has[0]).op('i32.eqz').if().i32(0).call(blocks.index).end();
  f.get(textLength).op('i32.eqz').globalGet(stream.has[1]).op('i32.or').op('i32.eqz').if();
  f.i32(1).call(blocks.index).end();
};

/** Emits the choice of a frame's part of the stream by the low bits of the way's counter. */
const forFrame = (f: FunctionBody, way: Way, emit: (frame: number) => void): void => {
  for (let i = 0; i <= GROUP; i++) f.block();
  f.globalGet(way.counter)
    .op('i32.wrap_i64')
    .i32(GROUP - 1)
    .op('i32.and');
  f.brTable(
    times(GROUP - 1, (i) => i),
    GROUP - 1,
  );
  for (let i = 0; i < GROUP; i++) {
    f.end();
    emit(i);
    f.br(GROUP - 1 - i);
  }
  f.end();
};

/** `(frame, aadLength, textLength) → status`: seals or opens in place. */
const emitAead = (f: FunctionBody, way: Way, opens: boolean, direction: Direction, rest: FunctionBody): void => {
  const { stream } = direction;
  const [frame, aadLength, textLength] = [0, 1, 2];
  const [text, end, at, stop] = times(4, () => f.local('i32'));
  const [macLow, macHigh] = times(2, () => f.local('i64'));
  const [tag, zeros] = times(2, () => f.local('v128'));
  const mac = times(2, () => f.local('v128'));
  const poly = new Poly(f);
  const mix = (): void => {
    f.get(textLength).if();
    forFrame(f, way, (i) => {
      stream.blocks[1][i].forEach((part, k) => {
        f.get(text)
          .get(text)
          .mem('v128.load', 16 * k);
        f.globalGet(part)
          .op('v128.xor')
          .mem('v128.store', 16 * k);
      });
    });
    f.get(textLength).i32(64).op('i32.gt_s').if();
    f.get(text).get(textLength);
    for (const word of [...way.key, way.nonce, way.counter]) f.globalGet(word);
    f.call(rest.index).end().end();
  };
  const padded = (length: number): FunctionBody => f.get(length).i32(15).op('i32.add').i32(-16).op('i32.and');

  padded(aadLength).get(frame).op('i32.add').tee(text).get(textLength).op('i32.add').set(end);
  emitStream(f, way, direction, textLength);
  if (opens) f.get(end).mem('v128.load', 0).set(tag);
  else mix();
  // What is authenticated is laid out in place (RFC 8439 §2.8): padding and lengths where the tag stood or will stand.
  f.get(end).get(zeros).mem('v128.store', 0);
  padded(textLength).get(text).op('i32.add').set(stop);
  f.get(stop).get(aadLength).op('i64.extend_i32_u').mem('i64.store', 0);
  f.get(stop).get(textLength).op('i64.extend_i32_u').mem('i64.store', 8);
  f.get(stop).i32(16).op('i32.add').set(stop);
  forFrame(f, way, (i) => {
    stream.blocks[0][i].forEach((part, k) => {
      f.globalGet(part).set(mac[k]);
    });
  });
  poly.key((index) => f.get(mac[0]).lane('i64x2.extract_lane', index));
  f.get(frame).set(at);
  poly.absorbBlocks(at, stop);
  poly.finish((index) => f.get(mac[1]).lane('i64x2.extract_lane', index), macLow, macHigh);

  if (opens) {
    f.get(tag).lane('i64x2.extract_lane', 0).get(macLow).op('i64.xor');
    f.get(tag).lane('i64x2.extract_lane', 1).get(macHigh).op('i64.xor').op('i64.or').op('i64.eqz').op('i32.eqz').if();
    f.get(end).get(tag).mem('v128.store', 0);
    f.i32(SEALED_FORGED).return().end();
    mix();
  } else f.get(end).get(macLow).mem('i64.store', 0).get(end).get(macHigh).mem('i64.store', 8);
  f.globalGet(way.counter).i64(1).op('i64.add').globalSet(way.counter);
  f.i32(SEALED_OK);
};

/** `(way, k0 … k7, n0, counterLow, counterHigh)` */
const emitInstall = (f: FunctionBody, ways: readonly Way[], streams: readonly Stream[]): void => {
  const joined = (low: number, high: number): void => {
    f.get(low).op('i64.extend_i32_u').get(high).op('i64.extend_i32_u').i64(32).op('i64.shl').op('i64.or');
  };
  ways.forEach((way, number) => {
    f.get(0).i32(number).op('i32.eq').if();
    way.key.forEach((global, i) => {
      joined(1 + 2 * i, 2 + 2 * i);
      f.globalSet(global);
    });
    f.get(9).op('i64.extend_i32_u').globalSet(way.nonce);
    joined(10, 11);
    f.globalSet(way.counter).end();
  });
  for (const { key, nonce, group, fits, has, blocks } of streams) {
    for (const global of [...key, nonce]) f.i64(0).globalSet(global);
    for (const global of [...fits, ...has]) f.i32(0).globalSet(global);
    for (const global of blocks.flat(2)) f.v128(new Uint8Array(16)).globalSet(global);
    f.i64(NO_GROUP).globalSet(group);
  }
};

/** The module's bytes. `vectors` adds what only the test vectors need: `aead`, `poly1305(key, message, length, tag)`. */
export const buildSealingKernel = (memoryPages: number, vectors = false): Uint8Array<ArrayBuffer> => {
  const m = new ModuleBuilder();
  m.importMemory('lattice', 'memory', memoryPages, memoryPages);
  const ways = times(4, () => makeWay(m));
  const rest = m.func(['i32', 'i32', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64']);
  emitRest(rest);
  const directions = [
    [ways[0], ways[3]],
    [ways[2], ways[1]],
  ].map((used): Direction => {
    const stream = makeStream(m);
    const blocks = m.func(['i32']);
    emitBlocks(blocks, stream);
    return { ways: used, stream, blocks };
  });
  const aeads = ways.map((way, number) => {
    const f = m.func(['i32', 'i32', 'i32'], ['i32']);
    emitAead(f, way, (number & 1) === 1, directions.find((direction) => direction.ways.includes(way))!, rest);
    return f;
  });
  ['A', 'B'].forEach((end, i) => {
    const seal = m.func(['i32', 'i32'], [], `seal${end}`);
    seal
      .get(0)
      .globalGet(ways[2 * i].counter)
      .mem('i64.store', COUNTER_AT);
    seal
      .get(0)
      .i32(HEADER_BYTES)
      .get(1)
      .call(aeads[2 * i].index)
      .op('drop');

    const expected = ways[2 * i + 1].counter;
    const open = m.func(['i32', 'i32'], ['i32'], `open${end}`);
    const counter = open.local('i64');
    open.get(0).mem('i64.load', COUNTER_AT).tee(counter).globalGet(expected).op('i64.ne').if();
    open.i32(SEALED_REPLAYED).i32(SEALED_REORDERED).get(counter).globalGet(expected).op('i64.lt_u');
    open.op('select').return().end();
    open
      .get(0)
      .i32(HEADER_BYTES)
      .get(1)
      .call(aeads[2 * i + 1].index);
  });
  const install = m.func(
    times(12, () => 'i32' as const),
    [],
    'install',
  );
  emitInstall(
    install,
    ways,
    directions.map(({ stream }) => stream),
  );
  if (vectors) {
    const aead = m.func(['i32', 'i32', 'i32', 'i32'], ['i32'], 'aead');
    aeads.forEach(({ index }, way) => {
      aead.get(0).i32(way).op('i32.eq').if().get(1).get(2).get(3).call(index).return().end();
    });
    aead.i32(SEALED_FORGED);
    emitPoly1305(m.func(['i32', 'i32', 'i32', 'i32'], [], 'poly1305'));
  }
  return m.build();
};
