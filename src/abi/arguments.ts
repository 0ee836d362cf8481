/**
 * Kinds of system call arguments. Each kind knows how to take its value from the registers (`load`) and how strace prints
 * it (`show`, before or after the call: `when`). The syscall table (syscalls.ts) is written in these kinds; dispatch, trace
 * and docs derive from it.
 *
 * The value of a kind is what the message to the server carries under the argument's name: numbers, byte strings for paths,
 * and for buffers a `BufferRequest`, which the kernel turns into a grant.
 */
import { EINVAL, Errno, type Result } from './errno.ts';

/** The six argument registers of a trap, RDI RSI RDX R10 R8 R9. */
export interface RawArguments {
  i32(index: number): number;
  u32(index: number): number;
  /** Signed 64-bit value clamped to the safe integers. */
  i53(index: number): number;
  /** Unsigned 64-bit value clamped to the safe integers: sizes and addresses. */
  u53(index: number): number;
  u64(index: number): bigint;
}

/** Reads the caller's memory, for arguments that the kernel itself takes in. */
export interface GuestReader {
  /** EFAULT if any byte is not readable. */
  read(address: number, length: number): Result<Uint8Array>;
  /** NUL-terminated string without the NUL, one char a byte; `tooLong` if there is no NUL within `limit` bytes. */
  string(address: number, limit: number, tooLong: Errno): Result<string>;
}

/** A stretch of the caller's memory that a server may copy from or to. */
export interface BufferRequest {
  readonly direction: 'in' | 'out' | 'both';
  readonly segments: readonly { readonly address: number; readonly length: number }[];
  readonly length: number;
}

/** Registers that are the value as they stand: how they are read. */
export type Raw = 'i32' | 'u32' | 'i53' | 'u53';

export interface ArgumentKind<T> {
  readonly name: string;
  /** The value is a register, read so; `load` does just that. Dispatch then reads it in line. */
  readonly raw?: Raw;
  /** The value is one stretch of memory at the register's address, or null: its direction, and its length, −1 for null. */
  readonly stretch?: {
    readonly direction: BufferRequest['direction'];
    length(args: RawArguments, index: number): number;
  };
  /** Whether strace shows it from the registers at once, or must wait for the call to have filled it. */
  readonly when: 'enter' | 'leave';
  /** `values` are the raw registers, so that a buffer can find its length in another argument (`lengthIndex`). */
  load(args: RawArguments, index: number, guest: GuestReader): Result<T>;
  show(value: T, guest: GuestReader, result: number): string;
}

const hex = (value: number): string => (value === 0 ? 'NULL' : `0x${value.toString(16)}`);

const number = (
  name: string,
  take: (args: RawArguments, index: number) => number,
  show: (value: number) => string = String,
): ArgumentKind<number> => ({
  name,
  when: 'enter',
  load: take,
  show,
});

const register = (name: string, raw: Raw, show: (value: number) => string = String): ArgumentKind<number> => ({
  name,
  raw,
  when: 'enter',
  load: (a, i) => a[raw](i),
  show,
});

/** A signed C int. */
export const int = register('int', 'i32');
export const uint = register('unsigned int', 'u32');
/** A signed long: offsets and the like. */
export const long = register('long', 'i53');
/** Clamped to the safe integers, at the same place in a page: as aligned as it was. */
const clamped = (a: RawArguments, i: number): number => {
  const value = a.u53(i);
  return value < Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER - 4095 + (a.u32(i) & 4095);
};
/** size_t, unsigned long: clamped to the last page of the safe integers, which no object reaches. */
export const size = number('size_t', clamped);
/** A file descriptor. */
export const fd = register('fd', 'i32', (v) => (v === -100 ? 'AT_FDCWD' : String(v)));
/** An address that is passed on as a number and not dereferenced by the dispatch. */
export const address = number('address', clamped, hex);
export const octal = register('mode_t', 'u32', (v) => `0${v.toString(8)}`);
/** A 64-bit set or raw register. */
export const raw64: ArgumentKind<bigint> = {
  name: 'u64',
  when: 'enter',
  load: (a, i) => a.u64(i),
  show: (v) => `0x${v.toString(16)}`,
};

/** A number whose bits or values have names: shown symbolically. */
export const flags = (name: string, names: Readonly<Record<string, number>>, zero = '0'): ArgumentKind<number> => ({
  name,
  raw: 'i32',
  when: 'enter',
  load: (a, i) => a.i32(i),
  show: (v) => {
    let rest = v;
    const shown: string[] = [];
    for (const [flag, bit] of Object.entries(names)) {
      if (bit !== 0 && (rest & bit) === bit) {
        shown.push(flag);
        rest &= ~bit;
      }
    }
    if (rest !== 0 || shown.length === 0) shown.push(rest === 0 ? zero : `0x${(rest >>> 0).toString(16)}`);
    return shown.join('|');
  },
});

export const choice = (name: string, names: Readonly<Record<string, number>>): ArgumentKind<number> => {
  const byValue = new Map(Object.entries(names).map(([key, value]) => [value, key]));
  return register(name, 'i32', (v) => byValue.get(v) ?? String(v));
};

const quote = (value: string, limit = 64): string => {
  let out = '';
  for (const char of value.slice(0, limit)) {
    const code = char.charCodeAt(0);
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (code < 32 || code > 126) out += `\\${code.toString(8)}`;
    else out += char;
  }
  return `"${out}"${value.length > limit ? '...' : ''}`;
};

const ENAMETOOLONG_LATE = (): Errno => Errno.of(36);

/** A path of at most 4095 bytes. EFAULT, ENAMETOOLONG. */
export const path: ArgumentKind<string> = {
  name: 'path',
  when: 'enter',
  load: (a, i, guest) => guest.string(a.u53(i), 4096, ENAMETOOLONG_LATE()),
  show: (v) => quote(v),
};

/** As `path`, but NULL gives undefined (utimensat). */
export const pathOrNull: ArgumentKind<string | undefined> = {
  name: 'path',
  when: 'enter',
  load: (a, i, guest) => (a.u53(i) === 0 ? undefined : guest.string(a.u53(i), 4096, ENAMETOOLONG_LATE())),
  show: (v) => (v === undefined ? 'NULL' : quote(v)),
};

const text = (bytes: Uint8Array): string => {
  let value = '';
  for (const byte of bytes) value += String.fromCharCode(byte);
  return value;
};

const showBuffer = (
  direction: 'in' | 'out' | 'both',
  buffer: BufferRequest | null,
  guest: GuestReader,
  result: number,
): string => {
  if (buffer === null) return 'NULL';
  const first = buffer.segments[0];
  if (first === undefined) return '""';
  if (direction === 'both') return hex(first.address);
  const length = Math.min(direction === 'out' ? Math.max(result, 0) : first.length, first.length, 65);
  const bytes = guest.read(first.address, length);
  return bytes instanceof Errno ? hex(first.address) : quote(text(bytes));
};

/** End of the addresses that a process can have: buffers of read(2) and the like must lie below. */
const ADDRESS_END = 0x7fff_ffff_f000;
/** The most that one call transfers: read(2), NOTES. */
const TRANSFER_MAX = 0x7fff_f000;

const stretch = (
  direction: 'in' | 'out' | 'both',
  length: (args: RawArguments, index: number) => number,
): Pick<ArgumentKind<BufferRequest | null>, 'stretch' | 'load'> => ({
  stretch: { direction, length },
  load: (a, i) => {
    const count = length(a, i);
    return count < 0 ? null : { direction, segments: [{ address: a.u53(i), length: count }], length: count };
  },
});

const buffer = (
  direction: 'in' | 'out' | 'both',
  length: (args: RawArguments) => number,
  checked = false,
): ArgumentKind<BufferRequest | null> => ({
  name: 'buffer',
  when: direction === 'out' ? 'leave' : 'enter',
  ...stretch(direction, (a, i) => {
    const start = a.u53(i);
    const count = length(a);
    if (start === 0 && count > 0) return -1;
    if (!checked) return count;
    return start + count > ADDRESS_END ? -1 : Math.min(count, TRANSFER_MAX);
  }),
  show: (v, guest, result) => showBuffer(direction, v, guest, result),
});

/** A buffer that the server reads; its length is argument `lengthIndex`. A null pointer with a non-zero length gives null. */
export const bufferIn = (lengthIndex: number): ArgumentKind<BufferRequest | null> =>
  buffer('in', (a) => a.u53(lengthIndex));
/** A buffer that the server fills. */
export const bufferOut = (lengthIndex: number): ArgumentKind<BufferRequest | null> =>
  buffer('out', (a) => a.u53(lengthIndex));

/** As `bufferIn`, where the range is checked before anything else and shortened to what one call transfers. */
export const transferIn = (lengthIndex: number): ArgumentKind<BufferRequest | null> =>
  buffer('in', (a) => a.u53(lengthIndex), true);
export const transferOut = (lengthIndex: number): ArgumentKind<BufferRequest | null> =>
  buffer('out', (a) => a.u53(lengthIndex), true);
/** A buffer that the server fills, whose length is an int: one below zero counts as zero. */
export const bufferOutInt = (lengthIndex: number): ArgumentKind<BufferRequest | null> =>
  buffer('out', (a) => Math.max(0, a.i32(lengthIndex)));

const struct = (direction: 'in' | 'out' | 'both', name: string, bytes: number): ArgumentKind<BufferRequest | null> => ({
  name,
  when: direction === 'in' ? 'enter' : 'leave',
  ...stretch(direction, (a, i) => (a.u53(i) === 0 ? -1 : bytes)),
  show: (v) => (v === null ? 'NULL' : hex(v.segments[0].address)),
});

/** A structure of fixed size that the server reads, fills, or both. NULL gives null. */
export const structIn = (name: string, bytes: number): ArgumentKind<BufferRequest | null> => struct('in', name, bytes);
export const structOut = (name: string, bytes: number): ArgumentKind<BufferRequest | null> =>
  struct('out', name, bytes);
export const structInOut = (name: string, bytes: number): ArgumentKind<BufferRequest | null> =>
  struct('both', name, bytes);

/** `struct iovec[]`: one grant over all segments, null if it is not readable. EINVAL for more than 1024 or a length past 2^63. */
const vector = (direction: 'in' | 'out' | 'both', countIndex: number): ArgumentKind<BufferRequest | null> => ({
  name: 'iovec',
  when: direction === 'in' ? 'enter' : 'leave',
  load: (a, i, guest) => {
    const count = a.u53(countIndex);
    if (count > 1024) return EINVAL;
    if (count === 0) return { direction, segments: [], length: 0 };
    const table = guest.read(a.u53(i), count * 16);
    if (table instanceof Errno) return null;
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    const segments: { address: number; length: number }[] = [];
    let total = 0;
    for (let k = 0; k < count; k++) {
      if (view.getInt32(k * 16 + 12, true) < 0) return EINVAL;
      const start = Number(view.getBigUint64(k * 16, true));
      const length = Number(view.getBigUint64(k * 16 + 8, true));
      if (start + length > ADDRESS_END) return null;
      const taken = Math.min(length, TRANSFER_MAX - total);
      if (taken > 0) segments.push({ address: start, length: taken });
      total += taken;
    }
    return { direction, segments, length: total };
  },
  show: (v) => (v === null ? 'NULL' : `[${v.segments.map((s) => `{iov_len=${s.length}}`).join(', ')}]`),
});
/** A vector that the server reads or fills, as it turns out. */
export const vectorBoth = (countIndex: number): ArgumentKind<BufferRequest | null> => vector('both', countIndex);
export const vectorIn = (countIndex: number): ArgumentKind<BufferRequest | null> => vector('in', countIndex);
export const vectorOut = (countIndex: number): ArgumentKind<BufferRequest | null> => vector('out', countIndex);
