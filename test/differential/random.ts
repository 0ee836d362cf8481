/**
 * The random stream of the differential test: a small generator (sfc32) that depends on (seed, group) only, so that any
 * group can be run again alone, and the distribution of integers: rich in the values at which carries, signs and counts
 * change. Values go straight into u32 words.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 1;

  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** 32 random bits as a signed integer. */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t;
  }

  /** 0 … n − 1. */
  below(n: number): number {
    return (this.u32() >>> 0) % n;
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** Writes a 64-bit integer of the test's distribution to `words[at]` (low half) and `words[at + 1]`. */
  integer(words: Int32Array, at: number): void {
    const kind = this.u32();
    const bit = (kind >>> 8) & 63;
    let low = 0;
    let high = 0;
    switch (kind & 15) {
      case 0:
        break;
      case 1:
        low = (kind >>> 8) & 3;
        break;
      case 2:
        low = high = -1;
        break;
      case 3:
        low = 0x80 << ((kind >>> 8) & 24);
        if ((kind & 0x10000) !== 0) high = 0x80000000 | 0;
        break;
      case 4:
        low = [0x7f, 0x7fff, 0x7fffffff, -1][(kind >>> 8) & 3]!;
        high = low === -1 ? 0x7fffffff : 0;
        break;
      case 5:
        low = (kind >>> 8) & 0xff;
        break;
      case 6:
        low = -1 - ((kind >>> 8) & 0xff);
        high = -1;
        break;
      case 7:
        if (bit < 32) low = 1 << bit;
        else high = 1 << (bit - 32);
        break;
      case 8:
        low = bit < 32 ? (1 << bit) - 1 : -1;
        high = bit < 32 ? 0 : (1 << (bit - 32)) - 1;
        break;
      case 9:
        low = this.u32();
        break;
      case 10:
        low = this.u32();
        high = low >> 31;
        break;
      case 11: {
        // One byte, sign byte in each place.
        low = Math.imul((kind >>> 8) & 0xff, 0x01010101);
        high = low;
        break;
      }
      default:
        low = this.u32();
        high = this.u32();
    }
    words[at] = low;
    words[at + 1] = high;
  }
}
