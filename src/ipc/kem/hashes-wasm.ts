/**
 * The permutation Keccak-f[1600] (FIPS 202 §3.3) and the compression function of SHA-256 (FIPS 180-4 §6.2.2) as a WebAssembly
 * module with a memory of its own. A handshake needs some two hundred of them at boot, when JavaScript is still interpreted:
 * there they took most of it.
 *
 * Exports `memory`, `keccak()` over the state at `KECCAK_STATE`, `sha256()` over `SHA_STATE` and the block at `SHA_BLOCK`.
 * Whoever instantiates it writes the constants (`writeConstants`).
 */
import { type FunctionBody, ModuleBuilder } from '../../wasm/module.ts';

/** 25 lanes of 64 bits. */
export const KECCAK_STATE = 0;
const KECCAK_CONSTANTS = 256;
/** Eight words, each in the machine's order. */
export const SHA_STATE = 768;
/** 64 bytes of message. */
export const SHA_BLOCK = 832;
const SHA_CONSTANTS = 512;
const SHA_SCHEDULE = 1024;
/** Everything that is secret lies below; from `KECCAK_CONSTANTS` to `SHA_STATE` stand constants. */
export const USED_BYTES = 1280;

const ROUNDS = 24;

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Round constants by the shift register of FIPS 202 §3.2.5. */
const roundConstants = (): BigUint64Array => {
  const constants = new BigUint64Array(ROUNDS);
  let register = 1;
  for (let round = 0; round < ROUNDS; round++)
    for (let j = 0; j <= 6; j++) {
      if (register & 1) constants[round] |= 1n << BigInt((1 << j) - 1);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
  return constants;
};

/** The first 64 primes, of whose roots SHA-256 takes its constants (FIPS 180-4 §4.2.2, §5.3.3). */
const primes = (): number[] => {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
};
const fraction = (value: number): number => Math.floor((value % 1) * 2 ** 32);

/** The words that SHA-256 starts with. */
export const shaStart = (): Uint32Array =>
  Uint32Array.from(primes().slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

export const writeConstants = (memory: ArrayBuffer): void => {
  new BigUint64Array(memory, KECCAK_CONSTANTS, ROUNDS).set(roundConstants());
  new Uint32Array(memory, SHA_CONSTANTS, 64).set(primes().map((prime) => fraction(Math.cbrt(prime))));
};

/** A lane of the state by its coordinates (FIPS 202 §3.1.2). */
const at = (x: number, y: number): number => (x % 5) + 5 * (y % 5);

const emitKeccak = (f: FunctionBody): void => {
  const a = times(25, () => f.local('i64'));
  const b = times(25, () => f.local('i64'));
  const c = times(5, () => f.local('i64'));
  const d = f.local('i64');
  const round = f.local('i32');
  a.forEach((lane, i) => {
    f.i32(KECCAK_STATE)
      .mem('i64.load', 8 * i)
      .set(lane);
  });
  f.loop();
  // θ
  c.forEach((column, x) => {
    f.get(a[x]);
    for (let y = 1; y < 5; y++) f.get(a[at(x, y)]).op('i64.xor');
    f.set(column);
  });
  for (let x = 0; x < 5; x++) {
    f.get(c[(x + 4) % 5])
      .get(c[(x + 1) % 5])
      .i64(1)
      .op('i64.rotl')
      .op('i64.xor')
      .set(d);
    for (let y = 0; y < 5; y++) f.get(a[at(x, y)]).get(d).op('i64.xor').set(a[at(x, y)]);
  }
  // ρ and π: lane (x, y) goes to (y, 2x + 3y), rotated by a triangular number.
  f.get(a[0]).set(b[0]);
  for (let t = 0, x = 1, y = 0; t < 24; t++) {
    const to = at(y, 2 * x + 3 * y);
    f.get(a[at(x, y)])
      .i64((((t + 1) * (t + 2)) / 2) % 64)
      .op('i64.rotl')
      .set(b[to]);
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  // χ
  for (let y = 0; y < 5; y++)
    for (let x = 0; x < 5; x++)
      f.get(b[at(x, y)])
        .get(b[at(x + 1, y)])
        .i64(-1)
        .op('i64.xor')
        .get(b[at(x + 2, y)])
        .op('i64.and')
        .op('i64.xor')
        .set(a[at(x, y)]);
  // ι
  f.get(a[0]).get(round).mem('i64.load', KECCAK_CONSTANTS).op('i64.xor').set(a[0]);
  f.get(round)
    .i32(8)
    .op('i32.add')
    .tee(round)
    .i32(8 * ROUNDS)
    .op('i32.lt_u')
    .brIf(0)
    .end();
  a.forEach((lane, i) => {
    f.i32(KECCAK_STATE)
      .get(lane)
      .mem('i64.store', 8 * i);
  });
};

const emitSha256 = (f: FunctionBody): void => {
  const state = times(8, () => f.local('i32'));
  const [a, b, c, d, e, g, h, k] = state;
  const [i, first, second] = times(3, () => f.local('i32'));
  const rotated = (local: number, ...by: number[]): void => {
    by.forEach((bits, index) => {
      f.get(local).i32(bits).op('i32.rotr');
      if (index > 0) f.op('i32.xor');
    });
  };
  /** Two rotations and a shift (FIPS 180-4 §4.1.2). */
  const mixed = (local: number, one: number, two: number, shift: number): void => {
    rotated(local, one, two);
    f.get(local).i32(shift).op('i32.shr_u').op('i32.xor');
  };
  const bigEndian = times(16, (byte) => (byte & ~3) | (3 - (byte & 3)));
  for (let block = 0; block < 4; block++)
    f.i32(SHA_SCHEDULE)
      .i32(SHA_BLOCK)
      .mem('v128.load', 16 * block)
      .i32(SHA_BLOCK)
      .mem('v128.load', 16 * block)
      .shuffle(bigEndian)
      .mem('v128.store', 16 * block);
  f.i32(0).set(i).loop();
  f.get(i)
    .mem('i32.load', SHA_SCHEDULE + 4)
    .set(first);
  f.get(i)
    .mem('i32.load', SHA_SCHEDULE + 56)
    .set(second);
  f.get(i).get(i).mem('i32.load', SHA_SCHEDULE);
  mixed(first, 7, 18, 3);
  f.op('i32.add')
    .get(i)
    .mem('i32.load', SHA_SCHEDULE + 36)
    .op('i32.add');
  mixed(second, 17, 19, 10);
  f.op('i32.add').mem('i32.store', SHA_SCHEDULE + 64);
  f.get(i)
    .i32(4)
    .op('i32.add')
    .tee(i)
    .i32(4 * 48)
    .op('i32.lt_u')
    .brIf(0)
    .end();
  state.forEach((local, index) => {
    f.i32(SHA_STATE)
      .mem('i32.load', 4 * index)
      .set(local);
  });
  f.i32(0).set(i).loop();
  rotated(e, 6, 11, 25);
  f.get(k).op('i32.add').get(e).get(g).op('i32.and').get(e).i32(-1).op('i32.xor').get(h).op('i32.and');
  f.op('i32.xor').op('i32.add').get(i).mem('i32.load', SHA_CONSTANTS).op('i32.add');
  f.get(i).mem('i32.load', SHA_SCHEDULE).op('i32.add').set(first);
  rotated(a, 2, 13, 22);
  f.get(a).get(b).op('i32.and').get(a).get(c).op('i32.and').op('i32.xor').get(b).get(c).op('i32.and');
  f.op('i32.xor').op('i32.add').set(second);
  f.get(h).set(k).get(g).set(h).get(e).set(g).get(d).get(first).op('i32.add').set(e);
  f.get(c).set(d).get(b).set(c).get(a).set(b).get(first).get(second).op('i32.add').set(a);
  f.get(i)
    .i32(4)
    .op('i32.add')
    .tee(i)
    .i32(4 * 64)
    .op('i32.lt_u')
    .brIf(0)
    .end();
  state.forEach((local, index) => {
    f.i32(SHA_STATE)
      .i32(SHA_STATE)
      .mem('i32.load', 4 * index)
      .get(local)
      .op('i32.add')
      .mem('i32.store', 4 * index);
  });
};

export const buildHashes = (): Uint8Array<ArrayBuffer> => {
  const m = new ModuleBuilder();
  m.memory(1, 1);
  m.exportMemory('memory');
  emitKeccak(m.func([], [], 'keccak'));
  emitSha256(m.func([], [], 'sha256'));
  return m.build();
};
