/**
 * Frames: what travels between two endpoints, and the buffer in which they are built, sealed, opened and read in place.
 *
 *     0        1      2          4        6          8       12      16      20             24        32
 *     +--------+------+----------+--------+----------+-------+-------+-------+--------------+---------+------+-----+
 *     | version| kind | protocol | number | answered | token | pid   | tid   | body length  | counter | body | tag |
 *     +--------+------+----------+--------+----------+-------+-------+-------+--------------+---------+------+-----+
 *       u8       u8     u16        u16      u16        u32     i32     i32     u32            u64       …      16
 *
 * All is little-endian. The header is authenticated as associated data, the body encrypted; a direct channel leaves counter
 * and tag zero. `number` is the call's in a request and base + 90 or base + 91 in an answer, `answered` is then the call's.
 *
 * Entry points: `FrameArena` (one memory for all channels, shared with the sealing kernel), `Frame` (a stretch of it).
 * Invariant: reads never pass `end`, writes never pass `limit`; both throw FrameError, which the loops turn into a refusal.
 */
import { EBADMSG, EINVAL, EMSGSIZE, type Errno } from '../abi/errno.ts';
import type { FrameReader, FrameWriter } from './fields.ts';

export const FRAME_VERSION = 1;
export const HEADER_BYTES = 32;
export const TAG_BYTES = 16;
/** The sealing kernel works in whole ChaCha20 blocks: this much behind the largest body is scratch. */
const SLACK_BYTES = 128;
/** Frame size for the channels of servers. Bulk data goes through grants, so this is ample. */
export const SERVER_FRAME_BYTES = 256 * 1024;

export const enum FrameKind {
  Request = 0,
  Reply = 1,
  Error = 2,
  /** A message between user endpoints: the body is opaque. */
  Datagram = 3,
}

const WASM_PAGE = 65536;

/** Memory for frames. The sealing kernel's instances import the same memory, so sealing happens in place. */
export class FrameArena {
  readonly memory: WebAssembly.Memory;
  #used = 0;

  /** Address space is reserved, not used, until frames are touched. */
  constructor(bytes = 4 * 1024 * 1024) {
    const pages = Math.ceil(bytes / WASM_PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  }

  /** A frame for messages of at most `bytes` with header and tag. Throws when the arena is spent: frames are never returned. */
  carve(bytes = SERVER_FRAME_BYTES): Frame {
    const base = this.#used;
    const size = Math.ceil((bytes + SLACK_BYTES) / 64) * 64;
    if (base + size > this.memory.buffer.byteLength) throw new RangeError('the frame arena is spent');
    this.#used += size;
    return new Frame(this.memory.buffer, base, bytes);
  }
}

/** A value that cannot be written, or a body that cannot be read. `errno` is what the sender of such a value hears. */
export class FrameError extends RangeError {
  constructor(
    message: string,
    readonly errno: Errno,
  ) {
    super(message);
  }
}

const pastEnd = (): never => {
  throw new FrameError('the frame ends before its fields do', EBADMSG);
};
const tooLong = (): never => {
  throw new FrameError('the message does not fit a frame', EMSGSIZE);
};
const unsafe = (): never => {
  throw new FrameError('an integer of the frame is not safe', EINVAL);
};

const CHUNK = 4096;

/** Writes a body's fields. Made by `Frame`; `at` and `limit` are offsets in the arena. */
class BodyWriter implements FrameWriter {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #limit: number;
  at: number;

  constructor(view: DataView, bytes: Uint8Array, at: number, limit: number) {
    this.#view = view;
    this.#bytes = bytes;
    this.at = at;
    this.#limit = limit;
  }

  #give(count: number): number {
    const at = this.at;
    const next = at + count;
    if (next > this.#limit) tooLong();
    this.at = next;
    return at;
  }

  u8(value: number): void {
    this.#bytes[this.#give(1)] = value;
  }

  i32(value: number): void {
    this.#view.setInt32(this.#give(4), value, true);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#give(4), value, true);
  }

  i53(value: number): void {
    const view = this.#view;
    const at = this.#give(8);
    if ((value | 0) === value) {
      view.setInt32(at, value, true);
      view.setInt32(at + 4, value >> 31, true);
    } else {
      if (!Number.isSafeInteger(value)) unsafe();
      view.setUint32(at, value % 0x1_0000_0000, true);
      view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
    }
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#give(8), value, true);
  }

  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#give(value.length));
  }

  text(value: string): void {
    const bytes = this.#bytes;
    const at = this.#give(value.length);
    for (let i = 0; i < value.length; i++) bytes[at + i] = value.charCodeAt(i);
  }
}

/** Reads a body's fields. Made by `Frame`. */
class BodyReader implements FrameReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  at: number;
  end: number;

  constructor(view: DataView, bytes: Uint8Array, at: number) {
    this.#view = view;
    this.#bytes = bytes;
    this.at = at;
    this.end = at;
  }

  #take(count: number): number {
    const at = this.at;
    const next = at + count;
    if (next > this.end) pastEnd();
    this.at = next;
    return at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)];
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i53(): number {
    const at = this.#take(8);
    const low = this.#view.getUint32(at, true);
    const high = this.#view.getInt32(at + 4, true);
    if (high > 0x1f_ffff || high < -0x20_0000 || (high === -0x20_0000 && low === 0)) unsafe();
    return high * 0x1_0000_0000 + low;
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  text(length: number): string {
    const bytes = this.#bytes;
    let at = this.#take(length);
    const end = at + length;
    let result = '';
    if (length <= 12) {
      for (; at < end; at++) result += String.fromCharCode(bytes[at]);
      return result;
    }
    for (; at < end; at += CHUNK)
      result += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + CHUNK)) as unknown as number[]);
    return result;
  }
}

/** One frame buffer. Not re-entrant: a message is decoded before the next is written. */
export class Frame {
  /** Where the frame starts in the arena. */
  readonly base: number;
  /** Largest message with header and tag. */
  readonly capacity: number;
  readonly writer: BodyWriter;
  readonly reader: BodyReader;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** Bytes of the message it holds: header, body and tag. */
  length = 0;

  constructor(buffer: ArrayBuffer, base: number, capacity: number) {
    this.base = base;
    this.capacity = capacity;
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.writer = new BodyWriter(this.#view, this.#bytes, base, base + capacity - TAG_BYTES);
    this.reader = new BodyReader(this.#view, this.#bytes, base);
  }

  /** The message as it travels. A view: copy it to keep it. */
  get wire(): Uint8Array {
    return this.#bytes.subarray(this.base, this.base + this.length);
  }

  /** Takes a message in from elsewhere. False if it cannot be one. */
  load(message: Uint8Array): boolean {
    if (message.length < HEADER_BYTES + TAG_BYTES || message.length > this.capacity) return false;
    this.#bytes.set(message, this.base);
    this.length = message.length;
    return true;
  }

  /** Starts a message; its fields are then written with `writer`. */
  start(
    kind: FrameKind,
    protocol: number,
    number: number,
    answered: number,
    token: number,
    pid: number,
    tid: number,
  ): void {
    const view = this.#view;
    const base = this.base;
    view.setInt32(base, FRAME_VERSION | (kind << 8) | (protocol << 16), true);
    view.setInt32(base + 4, number | (answered << 16), true);
    view.setUint32(base + 8, token, true);
    view.setInt32(base + 12, pid, true);
    view.setInt32(base + 16, tid, true);
    view.setInt32(base + 24, 0, true);
    view.setInt32(base + 28, 0, true);
    this.writer.at = base + HEADER_BYTES;
  }

  /** Ends a message: its length becomes known. */
  finish(): void {
    const body = this.writer.at - this.base - HEADER_BYTES;
    this.#view.setInt32(this.base + 20, body, true);
    this.length = HEADER_BYTES + body + TAG_BYTES;
  }

  /** Starts reading a message that has been opened. False unless version, header and length agree. */
  accept(): boolean {
    const body = this.bodyLength;
    const base = this.base;
    if (body < 0 || this.#view.getUint8(base) !== FRAME_VERSION || this.#view.getUint32(base + 20, true) !== body)
      return false;
    this.reader.at = base + HEADER_BYTES;
    this.reader.end = base + HEADER_BYTES + body;
    return true;
  }

  /** Whether all of the body has been read. */
  get drained(): boolean {
    return this.reader.at === this.reader.end;
  }

  get kind(): FrameKind {
    return this.#view.getUint8(this.base + 1);
  }

  get protocol(): number {
    return this.#view.getUint16(this.base + 2, true);
  }

  get number(): number {
    return this.#view.getUint16(this.base + 4, true);
  }

  get answered(): number {
    return this.#view.getUint16(this.base + 6, true);
  }

  get token(): number {
    return this.#view.getUint32(this.base + 8, true);
  }

  get pid(): number {
    return this.#view.getInt32(this.base + 12, true);
  }

  get tid(): number {
    return this.#view.getInt32(this.base + 16, true);
  }

  /** Length of the body as it travelled, whatever the header claims. */
  get bodyLength(): number {
    return this.length - HEADER_BYTES - TAG_BYTES;
  }
}
