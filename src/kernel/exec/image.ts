/**
 * What an ELF file becomes in memory: the segments that the memory manager is asked to map, checked as Linux's
 * load_elf_binary does and stricter where Linux relies on its mmap to refuse.
 *
 *     file     ┌── offset ─────── fileSize ──┐
 *     memory   │ file-backed pages           │ zeros to the page's end │ zero pages to memorySize │
 */

import {
  type ElfHeader,
  ET_DYN,
  PF_R,
  PF_W,
  PF_X,
  PROGRAM_HEADER_BYTES,
  type ProgramHeader,
  PT_GNU_STACK,
  PT_LOAD,
} from '../../abi/elf.ts';
import { EINVAL, ENOEXEC, ENOMEM, Errno, type Result } from '../../abi/errno.ts';
import { PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE, USER_LIMIT } from '../../memory/layout.ts';

/** Lowest address that a program may map (vm.mmap_min_addr). */
const LOWEST = 0x1_0000;

export interface Segment {
  readonly start: number;
  readonly length: number;
  readonly protection: number;
  /** Backed by the file from `offset`, or zero-filled. */
  readonly file: boolean;
  readonly offset: number;
}

/** Bytes past a segment's file part, up to the end of its page, which must read as zeros. */
export interface ZeroTail {
  readonly start: number;
  readonly length: number;
  readonly writable: boolean;
}

export interface Image {
  readonly segments: readonly Segment[];
  readonly tails: readonly ZeroTail[];
  readonly entry: number;
  /** Address of the program headers in memory, 0 if no segment holds them. */
  readonly headers: number;
  readonly headerCount: number;
  /** What was added to the addresses in the file. */
  readonly bias: number;
  readonly end: number;
  /** The program asks for a stack that code may run on. */
  readonly stackExecutable: boolean;
}

const down = (value: number): number => value - (value % PAGE_SIZE);
const up = (value: number): number => Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;

const protectionOf = (flags: number): number =>
  (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);

/** Why a loadable segment cannot be. */
const refuse = (header: ProgramHeader, bias: number): Errno | undefined => {
  const { address, fileSize, memorySize, offset } = header;
  if (fileSize > memorySize) return EINVAL;
  if (!(memorySize <= USER_LIMIT)) return ENOMEM;
  if (!(address < USER_LIMIT) || address + bias + memorySize > USER_LIMIT) return ENOMEM;
  if (!Number.isFinite(offset) || offset + fileSize > Number.MAX_SAFE_INTEGER) return EINVAL;
  if (address % PAGE_SIZE !== offset % PAGE_SIZE) return EINVAL;
  if (address + bias < LOWEST) return memorySize === 0 ? undefined : Errno.of(1);
  return undefined;
};

/** The image of a program whose header and table these are; one that is position-independent goes to `base` or just above it. */
export const planImage = (elf: ElfHeader, table: readonly ProgramHeader[], base: number): Result<Image> => {
  const loads = table.filter((header) => header.type === PT_LOAD);
  if (loads.length === 0) return ENOEXEC;
  const lowest = loads[0].address;
  const align = Math.max(PAGE_SIZE, ...loads.map((header) => header.align).filter(isAlignment));
  const bias = elf.type === ET_DYN ? Math.ceil(base / align) * align - (Number.isFinite(lowest) ? down(lowest) : 0) : 0;

  const segments: Segment[] = [];
  const tails: ZeroTail[] = [];
  let end = 0;
  let headers = 0;
  for (const header of loads) {
    const reason = refuse(header, bias);
    if (reason !== undefined) return reason;
    if (header.memorySize === 0) continue;
    const start = header.address + bias;
    const protection = protectionOf(header.flags);
    // Segments come in ascending order and share no page (gABI; Linux would map one over the other).
    if (down(start) < end) return EINVAL;
    const fileEnd = start + header.fileSize;
    const memoryEnd = start + header.memorySize;
    let zeroStart = down(start);
    if (header.fileSize > 0) {
      const length = up(fileEnd) - down(start);
      segments.push({ start: down(start), length, protection, file: true, offset: down(header.offset) });
      zeroStart = up(fileEnd);
      // The rest of the page is the program's zeros: to its last byte if it asks for more memory than file.
      if (header.memorySize > header.fileSize && fileEnd % PAGE_SIZE !== 0)
        tails.push({ start: fileEnd, length: up(fileEnd) - fileEnd, writable: (protection & PROT_WRITE) !== 0 });
    }
    const zeroEnd = up(memoryEnd);
    if (zeroEnd > zeroStart)
      segments.push({ start: zeroStart, length: zeroEnd - zeroStart, protection, file: false, offset: 0 });
    end = zeroEnd;
    const { tableOffset } = elf;
    if (headers === 0 && tableOffset >= header.offset && tableOffset < header.offset + header.fileSize)
      headers = tableOffset - header.offset + start;
  }
  if (segments.length === 0) return ENOEXEC;
  const entry = elf.entry + bias;
  if (!(entry < USER_LIMIT)) return EINVAL;
  const stackExecutable = table.some(({ type, flags }) => type === PT_GNU_STACK && (flags & PF_X) !== 0);
  return { segments, tails, entry, headers, headerCount: elf.tableCount, bias, end, stackExecutable };
};

/** Size of an image's program header table. */
export const tableBytes = (elf: ElfHeader): number => elf.tableCount * PROGRAM_HEADER_BYTES;

/** A usable alignment: a power of two that leaves room in the address space. */
const isAlignment = (align: number): boolean =>
  align > PAGE_SIZE && align <= 1 << 30 && Number.isInteger(Math.log2(align));
