/**
 * Field kinds of protocol messages: how a value is written into a frame, read back, and shown in the IPC log.
 * All integers are little-endian. Decoding never trusts the frame: lengths are checked against what is left.
 */

/** Data of a process that a message may name but does not carry: the server copies through the kernel (DESIGN §5). */
export interface Grant {
  /** Number of the grant in the kernel's grant table; it dies when its call is answered. */
  readonly id: number;
  /** Total length in bytes. */
  readonly length: number;
}

/** Reads primitives from a frame; every read throws RangeError past the end (a malformed frame is refused as a whole). */
export interface FrameReader {
  u8(): number;
  i32(): number;
  u32(): number;
  /** A signed integer in 64 bits that must be a safe integer. */
  i53(): number;
  u64(): bigint;
  /** A copy: the frame is reused. */
  bytes(length: number): Uint8Array;
  /** A byte string: one char a byte. */
  text(length: number): string;
}

export interface FrameWriter {
  u8(value: number): void;
  i32(value: number): void;
  u32(value: number): void;
  i53(value: number): void;
  u64(value: bigint): void;
  bytes(value: Uint8Array): void;
  text(value: string): void;
}

export interface Field<T> {
  readonly kind: string;
  write(w: FrameWriter, value: T): void;
  read(r: FrameReader): T;
  show(value: T): string;
}

export const i32: Field<number> = {
  kind: 'i32',
  write: (w, v) => w.i32(v),
  read: (r) => r.i32(),
  show: String,
};

export const u32: Field<number> = {
  kind: 'u32',
  write: (w, v) => w.u32(v),
  read: (r) => r.u32(),
  show: (v) => (v > 0xffff ? `0x${v.toString(16)}` : String(v)),
};

/** Offsets, sizes, times in nanoseconds, user addresses: signed, |value| < 2^53. */
export const i53: Field<number> = {
  kind: 'i53',
  write: (w, v) => w.i53(v),
  read: (r) => r.i53(),
  show: (v) => (v > 0xffff_ffff ? `0x${v.toString(16)}` : String(v)),
};

/** Bit sets of 64 bits (signal masks) and raw register values. */
export const u64: Field<bigint> = {
  kind: 'u64',
  write: (w, v) => w.u64(v),
  read: (r) => r.u64(),
  show: (v) => `0x${v.toString(16)}`,
};

export const bool: Field<boolean> = {
  kind: 'bool',
  write: (w, v) => w.u8(v ? 1 : 0),
  read: (r) => r.u8() !== 0,
  show: String,
};

/** Short byte strings (names, paths, small structures), at most 64 KiB. Bulk data goes through grants. */
export const bytes: Field<Uint8Array> = {
  kind: 'bytes',
  write: (w, v) => {
    w.u32(v.length);
    w.bytes(v);
  },
  read: (r) => r.bytes(r.u32()),
  show: (v) => `<${v.length} bytes>`,
};

/**
 * File names and paths. Linux names are bytes: each char of the string is one byte (latin-1 style), so any name survives.
 * `abi/text.ts` converts to and from UTF-8 where a person looks.
 */
export const text: Field<string> = {
  kind: 'text',
  write: (w, v) => {
    w.u32(v.length);
    w.text(v);
  },
  read: (r) => r.text(r.u32()),
  show: (v) => JSON.stringify(v),
};

/** A grant, or null where the guest passed a null pointer. */
export const grant: Field<Grant | null> = {
  kind: 'grant',
  write: (w, v) => {
    w.u32(v === null ? 0 : v.id);
    w.i53(v === null ? 0 : v.length);
  },
  read: (r) => {
    const id = r.u32();
    const length = r.i53();
    return id === 0 ? null : { id, length };
  },
  show: (v) => (v === null ? 'NULL' : `grant#${v.id}[${v.length}]`),
};

/** A value that may be absent. */
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  kind: `${field.kind}?`,
  write: (w, v) => {
    w.u8(v === undefined ? 0 : 1);
    if (v !== undefined) field.write(w, v);
  },
  read: (r) => (r.u8() === 0 ? undefined : field.read(r)),
  show: (v) => (v === undefined ? '-' : field.show(v)),
});

export const list = <T>(field: Field<T>): Field<readonly T[]> => ({
  kind: `${field.kind}[]`,
  write: (w, v) => {
    w.u32(v.length);
    for (const item of v) field.write(w, item);
  },
  read: (r) => {
    const count = r.u32();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(field.read(r));
    return items;
  },
  show: (v) => `[${v.map((item) => field.show(item)).join(', ')}]`,
});
