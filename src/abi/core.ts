/**
 * Core files (core(5), System V gABI chapter 4, Linux's include/linux/elfcore.h): types of notes and the layout of the
 * structures in them, as they are on x86-64.
 *
 *     ELF header │ program headers: PT_NOTE, PT_LOAD… │ notes │ to the next page │ contents of the segments
 */
import { PROGRAM_HEADER_BYTES } from './elf.ts';

export const NT_PRSTATUS = 1;
export const NT_FPREGSET = 2;
export const NT_PRPSINFO = 3;
export const NT_AUXV = 6;
export const NT_SIGINFO = 0x5349_4749;
export const NT_FILE = 0x4649_4c45;

/** elf_prstatus. */
export const PRSTATUS_BYTES = 336;
export const PR_CURSIG = 12;
export const PR_SIGPEND = 16;
export const PR_SIGHOLD = 24;
export const PR_PID = 32;
/** utime, stime, cutime, cstime: seconds and microseconds. */
export const PR_TIMES = 48;
/** user_regs_struct: 27 words. */
export const PR_REGISTERS = 112;
export const PR_FPVALID = 328;

/** Our numbers of the general registers in the order of user_regs_struct; the rest of it follows. */
export const USER_REGISTERS = [15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7] as const;
export const USER_ORIG_RAX = 15;
export const USER_RIP = 16;
export const USER_CS = 17;
export const USER_FLAGS = 18;
export const USER_RSP = 19;
export const USER_SS = 20;
export const USER_FS_BASE = 21;
export const USER_GS_BASE = 22;

/** elf_prpsinfo. */
export const PRPSINFO_BYTES = 136;
export const PS_FLAG = 8;
export const PS_UID = 16;
/** pid, ppid, pgrp, sid. */
export const PS_PID = 24;
export const PS_NAME = 40;
export const PS_ARGUMENTS = 56;
export const PS_NAME_BYTES = 16;
export const PS_ARGUMENTS_BYTES = 80;

const NAME = 'CORE';
const align4 = (value: number): number => (value + 3) & ~3;

/** One note: sizes, type, the name CORE, contents; each padded to four bytes. */
export const note = (type: number, contents: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(12 + 8 + align4(contents.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, NAME.length + 1, true);
  view.setUint32(4, contents.length, true);
  view.setUint32(8, type, true);
  for (let i = 0; i < NAME.length; i++) bytes[12 + i] = NAME.charCodeAt(i);
  bytes.set(contents, 20);
  return bytes;
};

export interface CoreSegment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly align: number;
}

export const CORE_HEADER_BYTES = 64;

/** ELF header and program headers of a core file. */
export const coreHeaders = (segments: readonly CoreSegment[]): Uint8Array => {
  const bytes = new Uint8Array(CORE_HEADER_BYTES + segments.length * PROGRAM_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 4, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setUint32(32, CORE_HEADER_BYTES, true);
  view.setUint16(52, CORE_HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, segments.length, true);
  segments.forEach((segment, index) => {
    const at = CORE_HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    const words = [segment.offset, segment.address, 0, segment.fileBytes, segment.memoryBytes, segment.align];
    words.forEach((value, i) => {
      view.setBigUint64(at + 8 + i * 8, BigInt(value), true);
    });
  });
  return bytes;
};
