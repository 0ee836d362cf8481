/**
 * What both sides of the differential test agree on: addresses, page permissions and the records of a batch (native.c holds
 * the same numbers).
 *
 *     batch     u32 number of groups, u32 0, groups
 *     group     u32 instances, u32 flags, u64 code address, u32 code length, u32 bytes of the memory window, 80 code bytes
 *               (of a program: after them, a multiple of 16), then its instances: one encoding, many states
 *     instance  u64 window address, context, window content
 *     result    u32 kind, u32 page-fault error code, u64 fault address, context, window content
 *
 * The reply is the results followed by all data pages, low then high: windows are cleared after each instance, so that what
 * is not zero there was written outside its window.
 *
 * A context is the beginning of the state block (src/cpu/state.ts), 192 bytes for instructions that use general registers
 * only, else all of it; in place of the lazy flags (FLAG_RESULT) it holds RFLAGS. A window is the stretch of memory around a
 * page boundary that the instruction's memory operands are aimed at: set before, compared after.
 */
import { CONTEXT_SIZE } from '../../src/cpu/state.ts';

/** No small multiple of the data's address, lest arithmetic on pointers lead here. */
export const CODE_BASE = 0x2a50_0000;
export const CODE_SIZE = 0x4_0000;
/** Encodings of a batch stand in slots of this size, which keeps short jumps inside their own slot. */
export const SLOT_SIZE = 512;
export const SLOTS = 256;
/** From here on the code area holds INT3 only: where far jumps are aimed. */
export const LANDING = CODE_BASE + SLOT_SIZE * SLOTS;

export const LOW_DATA = 0x1000_0000n;
export const HIGH_DATA = 0x7000_5000_0000n;
export const FS_BASE_VALUE = LOW_DATA + 0x800n;
export const GS_BASE_VALUE = HIGH_DATA + 0x800n;
/** Permissions of the data pages, at LOW_DATA and again at HIGH_DATA: w writable, r read-only, - absent. */
export const PAGES = 'www-wr--wrwr-rw-';
/** Page boundaries that windows are centred on: the first is the plain one, both sides writable. */
export const BOUNDARIES = [1, 3, 5, 6, 8, 10, 13] as const;

export const REPLY_OFFSET = 0x200_0000;
export const PAGES_BYTES = 2 * PAGES.length * 4096;
/** Room for the records of one batch, requests or results. */
export const BATCH_LIMIT = REPLY_OFFSET - PAGES_BYTES;
export const RESULT_HEADER = 16;
/** Room for code in a group's header. */
export const CODE_BYTES = 80;
export const GROUP_HEADER = 24 + CODE_BYTES;
export const INT_CONTEXT = 192;
export const FULL_CONTEXT = CONTEXT_SIZE;
/** Where a transmitted context holds RFLAGS. */
export const CONTEXT_RFLAGS = 144;

export const FLAG_FLOAT = 1;
/** The instruction transfers control: it is followed by INT3 instead of a jump out. */
export const FLAG_ENDS = 2;
/** Several instructions: worth translating as one. */
export const FLAG_SEQUENCE = 4;
/** A whole program; its code follows the group's header, the first of whose code bytes seed the budgets it runs by. */
export const FLAG_PROGRAM = 8;
/** Bytes that a program's code takes in a batch. */
export const programBytes = (length: number): number => (length + 15) & ~15;

/** `kind` of a result: the instruction completed, or the processor's exception vector. */
export const enum Kind {
  DivideError = 0,
  SingleStep = 1,
  Breakpoint = 3,
  InvalidOpcode = 6,
  StackFault = 12,
  GeneralProtection = 13,
  PageFault = 14,
  X87 = 16,
  Simd = 19,
  Done = 255,
}
