/**
 * Floating-point operands: pools of 128-bit vectors of singles, doubles, extended doubles and integers from which states
 * take their XMM registers, x87 registers and memory. Rich in zeros, infinities, quiet and signalling NaNs, denormals, the
 * bounds of integer conversion, powers of two and numbers a few units in the last place apart (so that differences
 * cancel, ties occur and comparisons meet equality).
 */
import type { Random } from './random.ts';

export type DataKind = 'integer' | 'single' | 'double' | 'extended' | 'bcd';

export const POOL_VECTORS = 2048;

/** Builds one pool: `POOL_VECTORS` vectors of four words. An extended double fills the low 10 bytes of its vector. */
export function buildPool(kind: DataKind, random: Random): Int32Array {
  const pool = new Int32Array(POOL_VECTORS * 4);
  for (let v = 0; v < POOL_VECTORS; v++) {
    const at = v * 4;
    if (kind === 'single') {
      for (let i = 0; i < 4; i++) pool[at + i] = single(random, pool[Math.max(0, at + i - 1 - random.below(6))]!);
    } else if (kind === 'double') {
      for (let i = 0; i < 4; i += 2) double(random, pool, at + i);
    } else if (kind === 'extended') extended(random, pool, at);
    else if (kind === 'bcd') {
      for (let i = 0; i < 3; i++) pool[at + i] = bcd(random);
    } else {
      random.integer(pool, at);
      random.integer(pool, at + 2);
    }
  }
  return pool;
}

// biome-ignore format: a table
const SINGLES = [
  0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0xffffffff, 0x7f800001, 0xff812345, 0x7fbfffff,
  1, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x00800001, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0xbf800000,
  0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000, 0xc0200000, 0x40000000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001,
  0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0xdf000000, 0xdf000001, 0x4b000000, 0x4b000001, 0x4affffff, 0x3effffff, 0x3f000001,
];

function single(random: Random, previous: number): number {
  const kind = random.u32();
  switch (kind & 7) {
    case 0:
    case 1:
      return SINGLES[random.below(SINGLES.length)]! | 0;
    case 2:
      return (previous + ((kind >> 8) % 4)) ^ (kind & 0x80000000);
    case 3: {
      // Small integers and halves.
      scratch.setFloat32(0, ((kind >> 8) % 4096) / 2, true);
      return scratch.getInt32(0, true);
    }
    case 4:
      return (random.u32() & 0x807fffff) | ((120 + random.below(16)) << 23);
    case 5:
      // Few significand bits: exact sums, products and quotients.
      return (random.u32() & 0x80700000) | ((100 + random.below(60)) << 23);
    case 6:
      // Near the ends of the exponent range: overflow and underflow.
      return (random.u32() & 0x807fffff) | (random.pick([0, 1, 2, 24, 60, 66, 190, 240, 252, 253, 254]) << 23);
    default:
      return random.u32();
  }
}

// biome-ignore format: a table (high word, low word)
const DOUBLES = [
  0, 0, 0x80000000, 0, 0x7ff00000, 0, 0xfff00000, 0, 0x7ff80000, 0, 0xfff80000, 0, 0x7ff81234, 0x56789abc, 0xffffffff, 0xffffffff,
  0x7ff00000, 1, 0xfff41234, 0x56789abc, 0x7ff7ffff, 0xffffffff, 0, 1, 0x80000000, 1, 0x000fffff, 0xffffffff, 0x800fffff, 0xffffffff,
  0x00100000, 0, 0x80100000, 0, 0x7fefffff, 0xffffffff, 0xffefffff, 0xffffffff, 0x3ff00000, 0, 0xbff00000, 0, 0x3fe00000, 0,
  0x3ff80000, 0, 0x40040000, 0, 0xc0040000, 0, 0x41dfffff, 0xffc00000, 0x41dfffff, 0xffe00000, 0x41e00000, 0, 0xc1e00000, 0, 0xc1e00000, 0x00100000,
  0xc1e00000, 0x00200000, 0x41efffff, 0xffe00000, 0x43dfffff, 0xffffffff, 0x43e00000, 0, 0xc3e00000, 0, 0xc3e00000, 1, 0x43300000, 0, 0x43300000, 1,
  0x36a00000, 0, 0x380fffff, 0xffffffff, 0x38100000, 0, 0x47efffff, 0xe0000000, 0x47efffff, 0xf0000000, 0x3fdfffff, 0xffffffff,
];

function double(random: Random, pool: Int32Array, at: number): void {
  const kind = random.u32();
  switch (kind & 7) {
    case 0:
    case 1: {
      const i = random.below(DOUBLES.length / 2) * 2;
      pool[at] = DOUBLES[i + 1]!;
      pool[at + 1] = DOUBLES[i]!;
      return;
    }
    case 2: {
      const other = Math.max(0, at - 2 * (1 + random.below(4)));
      pool[at] = pool[other]! + ((kind >> 8) % 4);
      pool[at + 1] = pool[other + 1]! ^ (kind & 0x80000000);
      return;
    }
    case 3:
      scratch.setFloat64(0, ((kind >> 8) % 65536) / 2, true);
      break;
    case 4:
      // Around the single range's ends and the integers' ends.
      scratch.setInt32(0, random.u32(), true);
      scratch.setInt32(
        4,
        (random.u32() & 0x800fffff) |
          ((1023 + random.pick([-150, -149, -127, -126, 0, 31, 32, 62, 63, 64, 127, 128])) << 20),
        true,
      );
      break;
    case 5:
      scratch.setInt32(0, 0, true);
      scratch.setInt32(4, (random.u32() & 0x800f0000) | ((960 + random.below(120)) << 20), true);
      break;
    case 6:
      scratch.setInt32(0, random.u32(), true);
      scratch.setInt32(
        4,
        (random.u32() & 0x800fffff) | (random.pick([0, 1, 2, 53, 511, 514, 1500, 2000, 2044, 2045, 2046]) << 20),
        true,
      );
      break;
    default:
      scratch.setInt32(0, random.u32(), true);
      scratch.setInt32(4, random.u32(), true);
  }
  pool[at] = scratch.getInt32(0, true);
  pool[at + 1] = scratch.getInt32(4, true);
}

// biome-ignore format: a table (sign and exponent, high significand, low significand)
const EXTENDED = [
  0, 0, 0, 0x8000, 0, 0, 0x7fff, 0x80000000, 0, 0xffff, 0x80000000, 0, 0x7fff, 0xc0000000, 0, 0xffff, 0xc0000000, 0, 0x7fff, 0xffffffff, 0xffffffff,
  0x7fff, 0x80000000, 1, 0xffff, 0xa0000000, 0x1234, 0, 0, 1, 0x8000, 0x7fffffff, 0xffffffff, 0, 0x80000000, 0, 1, 0x80000000, 0, 0x7ffe, 0xffffffff, 0xffffffff,
  0x3fff, 0x80000000, 0, 0xbfff, 0x80000000, 0, 0x3ffe, 0x80000000, 0, 0x4000, 0x80000000, 0, 0x4000, 0xa0000000, 0, 0x4000, 0xc90fdaa2, 0x2168c235,
  0x7fff, 0, 0, 0x7fff, 0x40000000, 0, 0x3fff, 0x40000000, 0, 0x1234, 0, 0, 0x401d, 0xfffffffe, 0, 0x401e, 0x80000000, 0, 0xc01e, 0x80000000, 0, 0x403d, 0xffffffff, 0xfffffffe,
  0x403e, 0x80000000, 0, 0xc03e, 0x80000000, 0, 0x400d, 0xfffe0000, 0, 0x400e, 0x80000000, 0, 0xc00e, 0x80000000, 0, 0x403a, 0xde0b6b3a, 0x763fffff, 0x403a, 0xde0b6b3a, 0x76400000,
];

function extended(random: Random, pool: Int32Array, at: number): void {
  const kind = random.u32();
  let exponent: number;
  let high = random.u32() | 0x80000000;
  let low = random.u32();
  switch (kind & 7) {
    case 0:
    case 1: {
      const i = random.below(EXTENDED.length / 3) * 3;
      exponent = EXTENDED[i]!;
      high = EXTENDED[i + 1]!;
      low = EXTENDED[i + 2]!;
      break;
    }
    case 2: {
      const other = Math.max(0, at - 4 * (1 + random.below(4)));
      exponent = pool[other + 2]! ^ ((kind >>> 8) & 0x8000);
      high = pool[other + 1]!;
      low = pool[other]! + ((kind >> 8) % 4);
      break;
    }
    case 3:
      // Doubles and singles held exactly, and numbers that tie when rounded to them.
      low = random.pick([0, 0x400, 0x800, 0xc00, 0x7ff, 0x401]);
      if ((kind & 0x100) !== 0) high = (high & 0xffffff00) | random.pick([0, 0x80, 0x7f, 0x100]);
      exponent = 0x3fff + (random.u32() % 40) + ((kind >>> 8) & 0x8000);
      break;
    case 4:
      exponent = 0x3fff + (random.u32() % 70) + ((kind >>> 8) & 0x8000);
      break;
    case 5:
      exponent =
        random.pick([
          0, 1, 2, 63, 64, 65, 0x3c00, 0x3c01, 0x3bcd, 0x3f80, 0x3f81, 0x3f6a, 0x407e, 0x407f, 0x43fe, 0x43ff, 0x7ffd,
          0x7ffe,
        ]) |
        ((kind >>> 8) & 0x8000);
      if (exponent << 17 === 0) high &= 0x7fffffff;
      break;
    case 6:
      high &= 0xff000000;
      low = 0;
      exponent = 0x3fff + (random.u32() % 64) + ((kind >>> 8) & 0x8000);
      break;
    default:
      exponent = random.u32() & 0xffff;
      if ((kind & 0x700) === 0) high &= 0x7fffffff;
  }
  pool[at] = low;
  pool[at + 1] = high;
  pool[at + 2] = exponent & 0xffff;
}

function bcd(random: Random): number {
  let word = 0;
  for (let i = 0; i < 8; i++) word = (word << 4) | random.below(10);
  return word;
}

const scratch = new DataView(new ArrayBuffer(8));
