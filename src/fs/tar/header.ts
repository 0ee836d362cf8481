/**
 * The 512-byte header of a tar member: POSIX.1-1988 (ustar), and what GNU tar adds (numbers in base 256).
 *
 *       0 name 100 · 100 mode 8 · 108 uid 8 · 116 gid 8 · 124 size 12 · 136 mtime 12 · 148 checksum 8 · 156 type 1 ·
 *     157 link name 100 · 257 "ustar" magic 6 · 263 version 2 · 265 owner 32 · 297 group 32 · 329 major 8 · 337 minor 8 ·
 *     345 prefix 155
 *
 * Names are byte strings, one char a byte.
 */
export const BLOCK = 512;

/** Why an archive cannot be used, for a person. */
export class ArchiveError {
  constructor(readonly text: string) {}
}

export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** One char; `0` for a regular file. */
  readonly type: string;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
}

/** Bytes as a byte string. */
export const byteString = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
};

export const bytesOf = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};

const field = (block: Uint8Array, at: number, length: number): string => {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  // One flat string: names that are put together char by char are most of the work of indexing.
  return end === at ? '' : String.fromCharCode.apply(null, block.subarray(at, end) as unknown as number[]);
};

/** An octal number, or one in base 256 if the first bit is set. NaN if it is none, or negative. */
const numberAt = (block: Uint8Array, at: number, length: number): number => {
  const first = block[at];
  if (first & 0x80) {
    if (first & 0x40) return Number.NaN;
    let value = first & 0x3f;
    for (let i = at + 1; i < at + length; i++) value = value * 256 + block[i];
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }
  let i = at;
  const end = at + length;
  while (i < end && block[i] === 0x20) i++;
  let value = 0;
  for (; i < end && block[i] !== 0 && block[i] !== 0x20; i++) {
    const digit = block[i] - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
};

/** A time may lie before 1970: base 256 may be negative there. */
const timeAt = (block: Uint8Array, at: number): number => {
  if ((block[at] & 0xc0) !== 0xc0) return numberAt(block, at, 12);
  let value = -1;
  for (let i = at + 1; i < at + 12; i++) value = value * 256 + block[i];
  return Number.isSafeInteger(value) ? value : Number.NaN;
};

const USTAR = [0x75, 0x73, 0x74, 0x61, 0x72];

const checksums = (block: Uint8Array): [unsigned: number, signed: number] => {
  let unsigned = 0;
  let high = 0;
  for (let i = 0; i < BLOCK; i++) {
    unsigned += block[i];
    high += block[i] >>> 7;
  }
  for (let i = 148; i < 156; i++) {
    unsigned += 0x20 - block[i];
    high -= block[i] >>> 7;
  }
  return [unsigned, unsigned - 256 * high];
};

const isZero = (block: Uint8Array): boolean => {
  for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
};

/** The header in a block; undefined for a block of zeros, which ends an archive. */
export const parseHeader = (block: Uint8Array): Header | ArchiveError | undefined => {
  const [unsigned, signed] = checksums(block);
  const sum = numberAt(block, 148, 8);
  if (sum !== unsigned && sum !== signed)
    return isZero(block) ? undefined : new ArchiveError('a header is damaged (its checksum is wrong)');
  const posix = USTAR.every((char, i) => block[257 + i] === char);
  const prefix = posix && block[262] === 0 ? field(block, 345, 155) : '';
  const name = field(block, 0, 100);
  const header: Header = {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numberAt(block, 100, 8),
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: numberAt(block, 124, 12),
    mtime: timeAt(block, 136),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156]),
    linkName: field(block, 157, 100),
    major: posix ? numberAt(block, 329, 8) : 0,
    minor: posix ? numberAt(block, 337, 8) : 0,
  };
  const { mode, uid, gid, size, mtime, major, minor } = header;
  if (Number.isNaN(mode + uid + gid + size + mtime + major + minor))
    return new ArchiveError(`the header of ${header.name} has a field that is no number`);
  return header;
};

const OCTAL_12 = 8 ** 11;
const OCTAL_8 = 8 ** 7;

/** Whether a header can hold these as they are; what it cannot goes into extended headers (pax.ts). */
export const fitsHeader = {
  name: (name: string): boolean => name.length <= 100,
  size: (size: number): boolean => size < OCTAL_12,
  id: (id: number): boolean => id < OCTAL_8,
  time: (time: number): boolean => Number.isInteger(time) && time >= 0 && time < OCTAL_12,
};

/** A header block. What does not fit is cut: an extended header in front has it. */
export const formatHeader = (header: Header): Uint8Array => {
  const block = new Uint8Array(BLOCK);
  const text = (at: number, length: number, value: string): void => {
    for (let i = 0; i < Math.min(length, value.length); i++) block[at + i] = value.charCodeAt(i);
  };
  const octal = (at: number, length: number, value: number): void => {
    const fits = value >= 0 && value < 8 ** (length - 1);
    text(at, length - 1, (fits ? Math.floor(value) : 0).toString(8).padStart(length - 1, '0'));
  };
  text(0, 100, header.name);
  octal(100, 8, header.mode);
  octal(108, 8, header.uid);
  octal(116, 8, header.gid);
  octal(124, 12, header.size);
  octal(136, 12, header.mtime);
  block[156] = header.type.charCodeAt(0);
  text(157, 100, header.linkName);
  text(257, 8, 'ustar\x0000');
  octal(329, 8, header.major);
  octal(337, 8, header.minor);
  const [sum] = checksums(block);
  text(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
};
