/**
 * Grants: what lets a server copy from or to memory that is not its own (DESIGN §5). A grant names a stretch of a process's
 * memory, or a buffer of the kernel, one server and a direction; it dies when the request that carries it is answered.
 *
 * Invariants: a copy never leaves the granted range, and never goes against the direction. A handler that is run again after
 * a crash or a fault reads what it read the first time: while a process's memory is granted for reading, what a handler
 * writes to memory is taken back with its transaction (sendfile's offset, sigprocmask with both masks in one place).
 */
import type { BufferRequest } from '../abi/arguments.ts';
import { EFAULT, EPERM, Errno, type Result } from '../abi/errno.ts';
import type { Grant } from '../ipc/fields.ts';
import type { Process } from './process.ts';
import type { Server } from './server-slot.ts';
import type { UndoLog } from './store/undo.ts';

type Direction = BufferRequest['direction'];

/**
 * A place in the table. A grant that dies leaves it to another, with another number: the place in the low bits, and above
 * them how often it was taken.
 */
class Entry {
  /** 0 while it is free. */
  id = 0;
  server: Server | undefined = undefined;
  direction: Direction = 'in';
  length = 0;
  /** Whose memory; undefined for a buffer of the kernel. */
  process: Process | undefined = undefined;
  /** Where a single stretch starts. */
  address = 0;
  /** The stretches, if it is not a single one. */
  segments: BufferRequest['segments'] | undefined = undefined;
  bytes: Uint8Array | undefined = undefined;
  /** The number it had last. */
  last: number;

  constructor(place: number) {
    this.last = place;
  }
}

const PLACES = 1 << 20;

export class Grants {
  readonly #entries: Entry[] = [];
  readonly #free: Entry[] = [];
  readonly #undo: UndoLog;
  readonly #log: (line: string) => void;
  #freeCount = 0;

  constructor(undo: UndoLog, log: (line: string) => void) {
    this.#undo = undo;
    this.#log = log;
  }

  get size(): number {
    return this.#entries.length - this.#freeCount;
  }

  /** Grants a stretch of a process's memory. */
  ofStretch(server: Server, process: Process, direction: Direction, address: number, length: number): Grant {
    const entry = this.#take(server, direction, length);
    entry.process = process;
    entry.address = address;
    if (direction !== 'out') process.readableGrants++;
    return { id: entry.id, length };
  }

  /** Grants stretches of a process's memory. */
  ofProcess(server: Server, process: Process, { direction, segments, length }: BufferRequest): Grant {
    if (segments.length === 1) return this.ofStretch(server, process, direction, segments[0].address, length);
    const grant = this.ofStretch(server, process, direction, 0, length);
    this.#at(grant.id)!.segments = segments;
    return grant;
  }

  /** Grants a buffer of the kernel. */
  ofBytes(server: Server, bytes: Uint8Array, direction: Direction): Grant {
    const entry = this.#take(server, direction, bytes.length);
    entry.bytes = bytes;
    return { id: entry.id, length: entry.length };
  }

  release(id: number): void {
    const entry = this.#at(id);
    if (entry === undefined) return;
    if (entry.process !== undefined && entry.direction !== 'out') entry.process.readableGrants--;
    entry.id = 0;
    entry.server = entry.process = entry.segments = entry.bytes = undefined;
    this.#free[this.#freeCount++] = entry;
  }

  #at(id: number): Entry | undefined {
    const place = id & (PLACES - 1);
    const entry = place < this.#entries.length ? this.#entries[place] : undefined;
    return entry !== undefined && entry.id === id && id !== 0 ? entry : undefined;
  }

  #take(server: Server, direction: Direction, length: number): Entry {
    let entry: Entry;
    if (this.#freeCount > 0) entry = this.#free[--this.#freeCount];
    else {
      if (this.#entries.length === PLACES) throw new RangeError('too many grants');
      entry = new Entry(this.#entries.length);
      this.#entries.push(entry);
    }
    do entry.last = (entry.last + PLACES) >>> 0;
    while (entry.last === 0);
    entry.id = entry.last;
    entry.server = server;
    entry.direction = direction;
    entry.length = length;
    return entry;
  }

  /** For ServerContext.copyIn. Throws PageNeeded. */
  copyIn(server: Server, grant: Grant, offset: number, length: number): Result<Uint8Array> {
    const entry = this.#find(server, grant, offset, length, 'in');
    if (entry instanceof Errno) return entry;
    if (entry.bytes !== undefined) return entry.bytes.slice(offset, offset + length);
    const { segments } = entry;
    const { memory } = entry.process!;
    if (segments === undefined) return memory.read(entry.address + offset, length);
    const into = new Uint8Array(length);
    const done = eachPart(segments, offset, length, (address, from, to) =>
      memory.readInto(address, into.subarray(from, to)) ? to - from : 0,
    );
    return done === length ? into : EFAULT;
  }

  /** For ServerContext.copyOut. Throws PageNeeded. */
  copyOut(server: Server, grant: Grant, offset: number, bytes: Uint8Array, length = bytes.length): Result<number> {
    const entry = this.#find(server, grant, offset, length, 'out');
    if (entry instanceof Errno) return entry;
    if (length === 0) return 0;
    if (entry.bytes !== undefined) {
      entry.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), offset);
      return length;
    }
    const { segments } = entry;
    const { memory } = entry.process!;
    // A request that is delivered again reads only its own process: what others may read need not be as it was.
    if (entry.process!.readableGrants > 0) this.#remember(entry, offset, length);
    const done =
      segments === undefined
        ? memory.writeSome(entry.address + offset, bytes, length)
        : eachPart(segments, offset, length, (address, from, to) =>
            memory.writeSome(address, bytes.subarray(from, to)),
          );
    return done === 0 ? EFAULT : done;
  }

  /** Has the bytes that are about to be overwritten put back if the transaction is rolled back. */
  #remember(entry: Entry, offset: number, length: number): void {
    if (!this.#undo.active) return;
    const { memory } = entry.process!;
    const segments = entry.segments ?? [{ address: entry.address, length: entry.length }];
    eachPart(segments, offset, length, (address, from, to) => {
      const before = memory.read(address, to - from);
      if (before instanceof Errno) return 0;
      this.#undo.push({ undo: () => void memory.writeSome(address, before) });
      return to - from;
    });
  }

  #find(server: Server, grant: Grant | null, offset: number, length: number, way: 'in' | 'out'): Result<Entry> {
    if (grant === null) return EFAULT;
    const entry = this.#at(grant.id);
    if (entry === undefined || entry.server !== server || (entry.direction !== way && entry.direction !== 'both')) {
      this.#log(`${server.name} may not copy ${way} through grant ${grant.id}`);
      return EPERM;
    }
    if (offset < 0 || length < 0 || offset + length > entry.length) {
      this.#log(`${server.name} reaches past grant ${grant.id}: ${offset}+${length} of ${entry.length}`);
      return EFAULT;
    }
    return entry;
  }
}

/** Runs over the segments' parts of [offset, offset + length) until one comes short; the bytes done. */
const eachPart = (
  segments: BufferRequest['segments'],
  offset: number,
  length: number,
  copy: (address: number, from: number, to: number) => number,
): number => {
  let position = 0;
  let done = 0;
  for (const segment of segments) {
    const skip = Math.max(0, offset + done - position);
    if (done < length && skip < segment.length) {
      const count = Math.min(segment.length - skip, length - done);
      const copied = copy(segment.address + skip, done, done + count);
      done += copied;
      if (copied < count) return done;
    }
    position += segment.length;
  }
  return done;
};
