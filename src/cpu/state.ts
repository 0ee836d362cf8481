/**
 * The state block: the architectural state of the thread that runs in a window, at the fixed linear address `STATE`, so
 * that generated code reaches every register with a constant offset. The first `CONTEXT_SIZE` bytes are the thread's
 * context: switching threads copies them out and in. Offsets below are relative to `STATE`.
 *
 * Flags are kept lazily in two 64-bit words and one mask (no operation code, so no switch when they are read):
 *
 *     FLAG_RESULT   the last result, sign-extended to 64 bits
 *     FLAG_AUX      bit 63  CF                       (carry or borrow out of the most significant bit)
 *                   bit 62  carry into the most significant bit; OF = bit 63 xor bit 62
 *                   bit 3   AF                       (carry or borrow out of bit 3)
 *                   bit 1   inverts PF, bit 0  inverts SF: set only by POPF, SAHF and the like
 *     ZF = FLAG_RESULT == 0      SF = sign of FLAG_RESULT xor bit 0 of FLAG_AUX
 *     PF = even parity of the low byte of FLAG_RESULT, xor bit 1 of FLAG_AUX
 *
 * DF and the system bits that user code may see (ID, AC, TF) are kept in RFLAGS_OTHER in their architectural positions.
 */
import { STATE } from '../memory/layout.ts';

/** RAX RCX RDX RBX RSP RBP RSI RDI R8–R15, 8 bytes each. */
export const GPR = 0;
/** Always zero: the base or index of an address that has none. Index 16 of the register file. */
export const ZERO_REGISTER = 128;
export const RIP = 136;
export const FLAG_RESULT = 144;
export const FLAG_AUX = 152;
/** Bits of FLAG_AUX that invert PF and SF. */
export const AUX_PARITY = 2;
export const AUX_SIGN = 1;
/** Bits that PUSHF always shows: bit 1, and IF. */
export const RFLAGS_FIXED = 0x202;
/** Bits kept in RFLAGS_OTHER: TF, DF, NT, AC, ID. */
export const RFLAGS_WRITABLE = 0x24_4500;
/** i32: bits of RFLAGS that are neither status flags nor fixed: TF 8, DF 10, AC 18, ID 21. */
export const RFLAGS_OTHER = 160;
export const MXCSR = 164;
export const FS_BASE = 168;
export const GS_BASE = 176;

/** x87: control word u16, status word u16 (TOP in bits 11–13), abridged tag byte (1 = valid, by physical register). */
export const FCW = 192;
export const FSW = 194;
export const FTW = 196;
/** Last x87 instruction's opcode u16, instruction pointer u64, data pointer u64. */
export const FOP = 198;
export const FIP = 200;
export const FDP = 208;
/** Physical x87 registers R0–R7, 16 bytes each, the low 10 used (little-endian: 8 significand, 2 sign and exponent). MMX registers alias the low 8 bytes. */
export const X87 = 224;
/** XMM0–XMM15, 16 bytes each. */
export const XMM = 384;
/** End of what belongs to a thread. */
export const CONTEXT_SIZE = 640;

/** Why `run` returned, details: i64 address, i32 access (see engine.ts), i32 error or vector. */
export const TRAP_ADDRESS = 640;
export const TRAP_ACCESS = 648;
export const TRAP_CODE = 652;
/** i64: instructions retired since the window was created. */
export const RETIRED = 656;
/** 64 bytes for accesses that cross a page. */
export const SCRATCH = 704;
/**
 * Operands and result of the floating-point helpers that are written in TypeScript, 16 bytes each, and the i32 they leave:
 * 0, or one more than the trap to raise. Whoever calls a `float.*` function must test it, and clear it when raising.
 */
export const FLOAT_A = 768;
export const FLOAT_B = 784;
export const FLOAT_R = 800;
export const FLOAT_TRAP = 816;
/** 16 bytes an x87 store hands to its lift, and an i32: whether it may be delivered. */
export const X87_RESULT = 832;
export const X87_DELIVER = 848;
/** First offset the engine may use as it likes (lookup tables, decode bookkeeping). */
export const ENGINE_PRIVATE = 4096;

/** Linear address of an offset of the state block, as an unsigned number. */
export const at = (offset: number): number => STATE + offset;

export const enum Reg {
  RAX = 0,
  RCX = 1,
  RDX = 2,
  RBX = 3,
  RSP = 4,
  RBP = 5,
  RSI = 6,
  RDI = 7,
  R8 = 8,
  R9 = 9,
  R10 = 10,
  R11 = 11,
  R12 = 12,
  R13 = 13,
  R14 = 14,
  R15 = 15,
}
