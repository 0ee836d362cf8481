/**
 * The kernel's way to a process's memory: reads and writes as the process itself could.
 *
 * Pages that only need zeros or a copy are made on the way. If a page must come from a file, or the stack may have to
 * grow, that takes a message: the functions throw `PageNeeded`, whoever started the operation has the page brought in
 * (page-faults.ts) and starts it again. So nothing may have been changed before the last access.
 */
import type { GuestReader } from '../abi/arguments.ts';
import { EFAULT, Errno, type Result } from '../abi/errno.ts';
import { Access } from '../cpu/engine.ts';
import { FaultPending } from '../ipc/server.ts';
import { PAGE_SIZE } from '../memory/layout.ts';
import type { Process } from './process.ts';

/** An access that another server must help with. */
export class PageNeeded extends FaultPending {
  constructor(
    readonly process: Process,
    readonly address: number,
    readonly access: Access,
  ) {
    super();
  }
}

/** Lengths from here on are looked up before memory is allocated for them. */
const LARGE = 1 << 20;

const pageOf = (address: number): number => Math.floor(address / PAGE_SIZE);

const latin1 = (bytes: Uint8Array): string => String.fromCharCode.apply(null, bytes as unknown as number[]);

export class GuestMemory implements GuestReader {
  readonly #process: Process;
  readonly #chunk = new Uint8Array(256);

  constructor(process: Process) {
    this.#process = process;
  }

  read(address: number, length: number): Result<Uint8Array> {
    if (length >= LARGE && !this.#mapped(address, length)) return EFAULT;
    const bytes = new Uint8Array(length);
    return this.readInto(address, bytes) ? bytes : EFAULT;
  }

  /** False if any byte is not readable. */
  readInto(address: number, into: Uint8Array): boolean {
    const { space } = this.#process;
    if (space === undefined) return into.length === 0;
    const count = space.read(address, into);
    if (count === into.length) return true;
    this.#refuse(address + count, Access.Read);
    return false;
  }

  string(address: number, limit: number, tooLong: Errno): Result<string> {
    let text = '';
    const { space } = this.#process;
    if (space === undefined) return EFAULT;
    for (let at = address; text.length < limit; ) {
      const length = Math.min(this.#chunk.length, limit - text.length, PAGE_SIZE - (at % PAGE_SIZE));
      const chunk = length === this.#chunk.length ? this.#chunk : this.#chunk.subarray(0, length);
      if (space.read(at, chunk) !== length) {
        this.#refuse(at, Access.Read);
        return EFAULT;
      }
      const end = chunk.indexOf(0);
      if (end >= 0) return text + latin1(chunk.subarray(0, end));
      text += latin1(chunk);
      at += length;
    }
    return tooLong;
  }

  /** EFAULT if any byte is not writable; those before it may have been written. */
  write(address: number, bytes: Uint8Array): Result<void> {
    if (this.writeSome(address, bytes) !== bytes.length) return EFAULT;
  }

  /** Number of bytes written, of the first `length`, up to the first that is not writable. */
  writeSome(address: number, bytes: Uint8Array, length = bytes.length): number {
    const { space } = this.#process;
    if (space === undefined) return 0;
    const count = space.write(address, bytes, length);
    if (count !== length) this.#refuse(address + count, Access.Write);
    return count;
  }

  /** Makes sure that a later write of the range succeeds, writing back what is there. EFAULT. */
  prepareWrite(address: number, length: number): Result<void> {
    const bytes = this.read(address, length);
    return bytes instanceof Errno ? bytes : this.write(address, bytes);
  }

  /** A little-endian 64-bit word, clamped to the safe integers. */
  word(address: number): Result<number> {
    const bytes = this.read(address, 8);
    if (bytes instanceof Errno) return bytes;
    const view = new DataView(bytes.buffer);
    return Math.min(view.getUint32(4, true) * 0x1_0000_0000 + view.getUint32(0, true), Number.MAX_SAFE_INTEGER);
  }

  /** Throws `PageNeeded` if the access that stopped may yet be made possible. */
  #refuse(address: number, access: Access): void {
    const process = this.#process;
    const kind = process.space?.stopped?.kind;
    if (kind !== 'file' && !(kind === 'maperr' && mayGrow(process, address))) return;
    if (process.refusedPage !== pageOf(address)) throw new PageNeeded(process, address, access);
  }

  #mapped(address: number, length: number): boolean {
    const { space } = this.#process;
    for (let at = address; at < address + length; ) {
      const mapping = space?.mappingAt(at);
      if (mapping === undefined) return false;
      at = mapping.end;
    }
    return true;
  }
}

/** Whether an address lies where the stack may grow to: the memory manager decides. */
export const mayGrow = (process: Process, address: number): boolean => {
  if (process.growing) return true;
  const limit = process.identity.limits[3]?.[0] ?? 8 << 20;
  return address < process.stackTop && address >= process.stackTop - Math.min(limit, 0x4000_0000);
};
