/**
 * ELF64 for x86-64 (System V gABI chapters 4–5, x86-64 psABI): the header and the program headers, checked as Linux's
 * fs/binfmt_elf.c checks them. Nothing here trusts a file: every field is looked at before it is used.
 */
import { EINVAL, EIO, ENOEXEC, type Result } from './errno.ts';

export const ELF_HEADER_BYTES = 64;
export const PROGRAM_HEADER_BYTES = 56;
export const ET_EXEC = 2;
export const ET_DYN = 3;
const EM_X86_64 = 62;

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_GNU_STACK = 0x6474_e551;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** Linux refuses program header tables beyond this (ELF_MIN_ALIGN and 65536). */
const MAX_TABLE_BYTES = 65_536;

export interface ElfHeader {
  readonly type: typeof ET_EXEC | typeof ET_DYN;
  readonly entry: number;
  readonly tableOffset: number;
  readonly tableCount: number;
}

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit value; what is beyond the safe integers becomes Infinity, which no check lets pass. */
const u64 = (view: DataView, at: number): number => {
  const value = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
};

export const isElf = (head: Uint8Array): boolean =>
  head.length >= 4 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;

/** ENOEXEC unless these are the first bytes of a little-endian x86-64 program. */
export const parseElfHeader = (head: Uint8Array): Result<ElfHeader> => {
  if (!isElf(head) || head.length < ELF_HEADER_BYTES) return ENOEXEC;
  const view = viewOf(head);
  // EI_CLASS 64 bits, EI_DATA little-endian.
  if (head[4] !== 2 || head[5] !== 1) return ENOEXEC;
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) return ENOEXEC;
  if (view.getUint16(18, true) !== EM_X86_64) return ENOEXEC;
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES) return ENOEXEC;
  const tableCount = view.getUint16(56, true);
  const bytes = tableCount * PROGRAM_HEADER_BYTES;
  if (bytes === 0 || bytes > MAX_TABLE_BYTES) return ENOEXEC;
  const tableOffset = u64(view, 32);
  if (!Number.isFinite(tableOffset)) return EINVAL;
  return { type, entry: u64(view, 24), tableOffset, tableCount };
};

/** The program headers; EIO if the table is cut short. */
export const parseProgramHeaders = (table: Uint8Array, count: number): Result<ProgramHeader[]> => {
  if (table.length < count * PROGRAM_HEADER_BYTES) return EIO;
  const view = viewOf(table);
  return Array.from({ length: count }, (_, index) => {
    const at = index * PROGRAM_HEADER_BYTES;
    return {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: u64(view, at + 8),
      address: u64(view, at + 16),
      fileSize: u64(view, at + 32),
      memorySize: u64(view, at + 40),
      align: u64(view, at + 48),
    };
  });
};
