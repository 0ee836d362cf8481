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

interface Entry {
  readonly server: Server;
  readonly direction: Direction;
  readonly length: number;
  /** Whose memory; undefined for a buffer of the kernel. */
  readonly process: Process | undefined;
  readonly segments: BufferRequest['segments'];
  readonly bytes: Uint8Array | undefined;
}

export class Grants {
  readonly #entries = new Map<number, Entry>();
  readonly #undo: UndoLog;
  readonly #log: (line: string) => void;
  #last = 0;

  constructor(undo: UndoLog, log: (line: string) => void) {
    this.#undo = undo;
    this.#log = log;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Grants a stretch of a process's memory. */
  ofProcess(server: Server, process: Process, request: BufferRequest): Grant {
    const { direction, segments, length } = request;
    return this.#enter({ server, direction, length, process, segments, bytes: undefined });
  }

  /** Grants a buffer of the kernel. */
  ofBytes(server: Server, bytes: Uint8Array, direction: Direction): Grant {
    return this.#enter({ server, direction, length: bytes.length, process: undefined, segments: [], bytes });
  }

  release(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (isReadable(entry)) entry.process!.readableGrants--;
  }

  /** For ServerContext.copyIn. Throws PageNeeded. */
  copyIn(server: Server, grant: Grant, offset: number, length: number): Result<Uint8Array> {
    const entry = this.#find(server, grant, offset, length, 'in');
    if (entry instanceof Errno) return entry;
    if (entry.bytes !== undefined) return entry.bytes.slice(offset, offset + length);
    const { segments } = entry;
    const { memory } = entry.process!;
    if (segments.length === 1) return memory.read(segments[0].address + offset, length);
    const into = new Uint8Array(length);
    const done = eachPart(segments, offset, length, (address, from, to) =>
      memory.readInto(address, into.subarray(from, to)) ? to - from : 0,
    );
    return done === length ? into : EFAULT;
  }

  /** For ServerContext.copyOut. Throws PageNeeded. */
  copyOut(server: Server, grant: Grant, offset: number, bytes: Uint8Array): Result<number> {
    const entry = this.#find(server, grant, offset, bytes.length, 'out');
    if (entry instanceof Errno) return entry;
    if (bytes.length === 0) return 0;
    if (entry.bytes !== undefined) {
      entry.bytes.set(bytes, offset);
      return bytes.length;
    }
    const { segments } = entry;
    const { memory } = entry.process!;
    // A request that is delivered again reads only its own process: what others may read need not be as it was.
    if (entry.process!.readableGrants > 0) this.#remember(entry, offset, bytes.length);
    const done =
      segments.length === 1
        ? memory.writeSome(segments[0].address + offset, bytes)
        : eachPart(segments, offset, bytes.length, (address, from, to) =>
            memory.writeSome(address, bytes.subarray(from, to)),
          );
    return done === 0 ? EFAULT : done;
  }

  /** Has the bytes that are about to be overwritten put back if the transaction is rolled back. */
  #remember(entry: Entry, offset: number, length: number): void {
    if (!this.#undo.active) return;
    const { memory } = entry.process!;
    eachPart(entry.segments, offset, length, (address, from, to) => {
      const before = memory.read(address, to - from);
      if (before instanceof Errno) return 0;
      this.#undo.push({ undo: () => void memory.writeSome(address, before) });
      return to - from;
    });
  }

  #enter(entry: Entry): Grant {
    if (isReadable(entry)) entry.process!.readableGrants++;
    do this.#last = (this.#last + 1) >>> 0 || 1;
    while (this.#entries.has(this.#last));
    this.#entries.set(this.#last, entry);
    return { id: this.#last, length: entry.length };
  }

  #find(server: Server, grant: Grant | null, offset: number, length: number, way: 'in' | 'out'): Result<Entry> {
    if (grant === null) return EFAULT;
    const entry = this.#entries.get(grant.id);
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

const isReadable = ({ process, direction }: Entry): boolean => process !== undefined && direction !== 'out';

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
