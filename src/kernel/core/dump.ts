/**
 * Core dumps (core(5)). The process manager decides that a process dies with one, and asks (`dumpCore`); the VFS makes the
 * file where core_pattern says; here it is filled, and then the process ends.
 *
 *     dumpCore ─► threads stand still ─► vfs.openCore ─► headers, notes, pages (vfs.writeCore) ─► process.exit
 *
 * What goes in is what Linux's default filter (0x33) has: memory that was written, private or shared and without a file;
 * of other mappings of programs and libraries the first page. Pages that were never touched are holes.
 */
import { CORE_HEADER_BYTES, type CoreSegment, coreHeaders } from '../../abi/core.ts';
import { isElf, PF_R, PF_W, PF_X, PROGRAM_HEADER_BYTES, PT_LOAD, PT_NOTE } from '../../abi/elf.ts';
import { Errno } from '../../abi/errno.ts';
import { RLIMIT_CORE } from '../../abi/resource.ts';
import { CORE_DUMPED, killedStatus } from '../../abi/wait.ts';
import { PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../memory/layout.ts';
import type { AddressSpace, Mapping } from '../../memory/space.ts';
import { readObject } from '../exec/file.ts';
import { ask, type Flow, runFlow } from '../flow.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import { type Cause, notesOf } from './notes.ts';

/** Bytes that are written at once. */
const PIECE = 0x1_0000;

/** The process dies of a signal: dumps its core, if a file can be had, and ends it. */
export const dumpCore = (kernel: Kernel, process: Process, cause: Cause): void => {
  if (process.dying) return;
  process.stopped = true;
  for (const thread of process.threads) {
    kernel.scheduler.remove(thread);
    thread.attention = true;
  }
  runFlow(dump(kernel, process, cause), (dumped) => {
    const status = killedStatus(cause.signal) | (dumped ? CORE_DUMPED : 0);
    kernel.request(kernel.pm, 'exit', { pid: process.pid, status }, () => {});
  });
};

function* dump(kernel: Kernel, process: Process, cause: Cause): Flow<boolean> {
  const { pid } = process;
  const limit = process.identity.limits[RLIMIT_CORE]?.[0] ?? 0;
  const { tid, signal } = cause;
  const opened = yield* ask<{ object: number }>(kernel, kernel.vfs, 'openCore', { pid, tid, signal });
  if (opened instanceof Errno) {
    kernel.log(`process ${pid}: no core file: ${opened.text}`);
    return false;
  }
  // From here on there is a core file, if perhaps not all of it: the status says so.
  const { object } = opened;
  yield* write(kernel, process, cause, object, limit);
  kernel.faults.release(object);
  return true;
}

/** Writes the file, as much of it as the limit and the disk let through. */
function* write(kernel: Kernel, process: Process, cause: Cause, object: number, limit: number): Flow<void> {
  const { space } = process;
  if (space === undefined) return;
  const mappings = space.mappings();
  const notes = notesOf(process, mappings, cause);
  const headerBytes = CORE_HEADER_BYTES + (mappings.length + 1) * PROGRAM_HEADER_BYTES;
  const segments: CoreSegment[] = [
    {
      type: PT_NOTE,
      flags: 0,
      offset: headerBytes,
      address: 0,
      fileBytes: notes.length,
      memoryBytes: 0,
      align: 4,
    },
  ];
  let offset = Math.ceil((headerBytes + notes.length) / PAGE_SIZE) * PAGE_SIZE;
  for (const mapping of mappings) {
    const { start, end, protection } = mapping;
    const fileBytes = yield* bytesOf(kernel, space, mapping);
    segments.push({
      type: PT_LOAD,
      flags: flagsOf(protection),
      offset,
      address: start,
      fileBytes,
      memoryBytes: end - start,
      align: PAGE_SIZE,
    });
    offset += fileBytes;
  }
  const end = offset;

  const put = function* (at: number, bytes: Uint8Array): Flow<boolean> {
    const room = Math.min(bytes.length, limit - at);
    if (room <= 0) return false;
    const buf = kernel.grants.ofBytes(kernel.vfs, bytes.subarray(0, room), 'in');
    const reply = yield* ask<{ result: number }>(kernel, kernel.vfs, 'writeCore', { object, offset: at, buf });
    return !(reply instanceof Errno) && reply.result === bytes.length;
  };
  const start = new Uint8Array(headerBytes + notes.length);
  start.set(coreHeaders(segments));
  start.set(notes, headerBytes);
  for (let at = 0; at < start.length; at += PIECE) if (!(yield* put(at, start.subarray(at, at + PIECE)))) return;

  let last = 0;
  for (const [index, mapping] of mappings.entries()) {
    const segment = segments[index + 1];
    for (let from = 0; from < segment.fileBytes; from += PIECE) {
      const length = Math.min(PIECE, segment.fileBytes - from);
      const piece = yield* contents(kernel, space, mapping, mapping.start + from, length);
      if (process.dying) return;
      if (piece === undefined) continue;
      if (!(yield* put(segment.offset + from, piece))) return;
      last = segment.offset + from + length;
    }
  }
  // A hole at the end is part of the file.
  if (last !== end) yield* put(end - 1, new Uint8Array(1));
}

const flagsOf = (protection: number): number =>
  (protection & PROT_READ ? PF_R : 0) | (protection & PROT_WRITE ? PF_W : 0) | (protection & PROT_EXEC ? PF_X : 0);

/** How much of a mapping goes into the file. */
function* bytesOf(kernel: Kernel, space: AddressSpace, mapping: Mapping): Flow<number> {
  const { start, end, protection, backing, name } = mapping;
  if (name === '[vdso]') return end - start;
  if (name === '[vvar]') return 0;
  if (backing.kind === 'shared' && !backing.file) return end - start;
  const resident = space.residentIn(start, end);
  if (backing.kind === 'zero') return resident.length > 0 ? end - start : 0;
  // Private pages of a file that differ from it were written, at whatever time.
  if (backing.kind === 'file')
    for (const page of resident) {
      const original = yield* readObject(kernel, backing.object, backing.offset + (page - start), PAGE_SIZE);
      const bytes = space.peek(page);
      if (bytes !== undefined && !sameWithZeros(bytes, original)) return end - start;
    }
  if (backing.offset !== 0 || (protection & PROT_READ) === 0) return 0;
  return isElf(yield* readObject(kernel, backing.object, 0, 4)) ? PAGE_SIZE : 0;
}

/** Whether a page is these bytes and zeros behind them. */
const sameWithZeros = (page: Uint8Array, original: Uint8Array): boolean => {
  for (let i = 0; i < page.length; i++) if (page[i] !== (original[i] ?? 0)) return false;
  return true;
};

/** The bytes of a stretch of a mapping; undefined if all of it was never touched. */
function* contents(
  kernel: Kernel,
  space: AddressSpace,
  { start, backing }: Mapping,
  from: number,
  length: number,
): Flow<Uint8Array | undefined> {
  const into = new Uint8Array(length);
  let touched = false;
  for (let at = 0; at < length; at += PAGE_SIZE) {
    let bytes = space.peek(from + at);
    if (bytes === undefined && backing.kind === 'file')
      bytes = yield* readObject(kernel, backing.object, backing.offset + (from + at - start), PAGE_SIZE);
    if (bytes === undefined || bytes.length === 0) continue;
    into.set(bytes, at);
    touched = true;
  }
  return touched ? into : undefined;
}
