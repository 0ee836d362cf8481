/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM Vol. 2, 4.1): the comparison of two short strings and CRC32.
 *
 * The immediate: bits 0–1 element type (unsigned byte, unsigned word, signed byte, signed word), 2–3 aggregation (equal any,
 * ranges, equal each, equal ordered), 4–5 polarity, 6 index from the top or mask of elements.
 */

/** The first `maximum` elements of a vector. */
function elements(bytes: DataView, offset: number, wordSized: boolean, signed: boolean): number[] {
  const list: number[] = [];
  for (let i = 0; i < (wordSized ? 8 : 16); i++) {
    if (wordSized) list.push(signed ? bytes.getInt16(offset + 2 * i, true) : bytes.getUint16(offset + 2 * i, true));
    else list.push(signed ? bytes.getInt8(offset + i) : bytes.getUint8(offset + i));
  }
  return list;
}

export interface StringComparison {
  /** IntRes2: one bit an element. */
  readonly bits: number;
  readonly maximum: number;
  /** Whether either string is shorter than the vector. */
  readonly shortA: boolean;
  readonly shortB: boolean;
}

/** The length up to the first zero. */
const implicitLength = (list: readonly number[]): number => {
  const end = list.indexOf(0);
  return end < 0 ? list.length : end;
};

/**
 * Compares A and B, at the given offsets. A length of −1 means that the string ends at its first zero; other lengths
 * saturate at the vector's length.
 */
export function compareStrings(
  view: DataView,
  offsetA: number,
  offsetB: number,
  lengthA: number,
  lengthB: number,
  immediate: number,
): StringComparison {
  const wordSized = (immediate & 1) !== 0;
  const a = elements(view, offsetA, wordSized, (immediate & 2) !== 0);
  const b = elements(view, offsetB, wordSized, (immediate & 2) !== 0);
  const maximum = a.length;
  const endA = lengthA < 0 ? implicitLength(a) : Math.min(lengthA, maximum);
  const endB = lengthB < 0 ? implicitLength(b) : Math.min(lengthB, maximum);
  let bits = 0;
  for (let j = 0; j < maximum; j++) {
    if (aggregate(a, b, endA, endB, j, (immediate >> 2) & 3)) bits |= 1 << j;
  }
  const polarity = (immediate >> 4) & 3;
  if (polarity === 1) bits ^= (1 << maximum) - 1;
  else if (polarity === 3) bits ^= (1 << endB) - 1;
  return { bits, maximum, shortA: endA < maximum, shortB: endB < maximum };
}

/** Bit `j` of IntRes1: positions past the end of a string compare as the aggregation says (SDM table 4-7). */
function aggregate(
  a: readonly number[],
  b: readonly number[],
  endA: number,
  endB: number,
  j: number,
  kind: number,
): boolean {
  switch (kind) {
    case 0:
      for (let i = 0; i < endA; i++) if (j < endB && a[i] === b[j]) return true;
      return false;
    case 1:
      for (let i = 0; i + 1 < endA; i += 2) if (j < endB && a[i] <= b[j] && b[j] <= a[i + 1]) return true;
      return false;
    case 2:
      if (j >= endA || j >= endB) return j >= endA && j >= endB;
      return a[j] === b[j];
    default:
      for (let i = 0; i < endA && i + j < a.length; i++) if (i + j >= endB || a[i] !== b[i + j]) return false;
      return true;
  }
}

const CRC32C = new Uint32Array(256).map((_, index) => {
  let crc = index;
  for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (0x82f6_3b78 & -(crc & 1));
  return crc;
});

/** CRC-32C over the low `bytes` bytes of low and high words. */
export function crc32(crc: number, low: number, high: number, bytes: number): number {
  for (let i = 0; i < bytes; i++) {
    const byte = (i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))) & 0xff;
    crc = CRC32C[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return crc | 0;
}
