/**
 * Instruction forms: one declaration carries encoding, mnemonic, operands and meaning. The decoder, the interpreter
 * generator, the disassembler, the table of covered forms and the random instruction streams of test/differential derive
 * from it. The forms themselves stand in forms/*.ts, one file an instruction group, collected in forms/index.ts.
 *
 * `opcode` is written as in the SDM: mandatory prefix, escape bytes, opcode byte, then `/r` (ModRM), `/0`–`/7` (ModRM with
 * an opcode extension), and for fixed ModRM bytes (x87, 0F 01 group) the byte itself: `D8 C0+i`, `0F 01 D0`. `+r` adds the
 * low bits of a register number to the opcode byte. `NP` before `0F` means: not with 66, F3 or F2 (needed where other forms
 * with these prefixes exist).
 *
 * `operands` uses the SDM's codes, comma-separated (Vol. 2, appendix A.2):
 *
 *     E  ModRM r/m, general register or memory    G  ModRM reg, general register     M  ModRM r/m, memory only
 *     R  ModRM r/m, general register only         Z  register in the opcode's low bits (extended by REX.B)
 *     I  immediate     J  relative target         O  absolute moffs address
 *     V  ModRM reg, XMM     W  ModRM r/m, XMM or memory     U  ModRM r/m, XMM only
 *     P  ModRM reg, MMX     Q  ModRM r/m, MMX or memory     N  ModRM r/m, MMX only
 *     AL CL eAX rAX DX …  a fixed register (eAX, rAX follow the operand size), `1` the constant one
 *     S  ModRM reg, segment register    STi  x87 register ST(i) of the opcode (`immediate` gives i)
 *
 * and their sizes
 *
 *     b 8 bits   w 16   d 32   q 64   dq 128   v 16, 32 or 64 by operand size   y 32 or 64 by REX.W   z 16 or 32 (imm: sign-extended to v)
 *     ss sd ps pd: as d, q, dq, dq in registers and memory     t 80 bits (memory only)   a size left out: memory operand whose size the lift knows
 *
 * An immediate `Ib` of a v-sized instruction is sign-extended (83 /0); `Ib` of a shift or of a SIMD form is read through
 * `immediate` or `read`. By default a form takes 16-, 32- and 64-bit operand sizes if it has a `v`, `y` or `z` operand.
 */
import type { Uops, Width } from './uops.ts';

export type Lift = (u: Uops) => void;

export interface FormOptions {
  /** Operand size is 64 bits without REX.W (PUSH, POP, CALL, JMP near; 66 gives 16). */
  readonly default64?: boolean;
  /** LOCK is allowed with a memory destination. */
  readonly lockable?: boolean;
  /** String instruction: F3 and F2 are repeat prefixes with this meaning. */
  readonly repeat?: 'rep' | 'repe';
  /** The instruction ends a block: it transfers control or traps always. */
  readonly ends?: boolean;
  /** Status flags that the manual leaves undefined, and registers (`rax` …) whose result is undefined; differential tests skip them. */
  readonly undefinedFlags?: string;
  /** Widths this form takes, when they are not what the operands say. */
  readonly widths?: readonly Width[];
  /** CPUID feature the form belongs to: base, x87, mmx, sse … popcnt, cx16. */
  readonly feature?: string;
  /**
   * The result is an approximation whose last bits are the processor's own: differential tests accept another value within
   * the documented error. `single`: 1.5 · 2^−12 relative; `extended`: one unit in the last place, C1 not compared.
   */
  readonly approximate?: 'single' | 'extended';
  /** Left out of random streams, with the reason (CPUID, RDTSC, SYSCALL …). */
  readonly untested?: string;
}

export interface Form {
  readonly opcode: string;
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly lift: Lift;
  readonly options: FormOptions;
}

/** Declares one form. `mnemonic` is the SDM's, in lower case. */
export const form = (
  opcode: string,
  mnemonic: string,
  operands: string,
  lift: Lift,
  options: FormOptions = {},
): Form => ({
  opcode,
  mnemonic,
  operands: operands === '' ? [] : operands.split(','),
  lift,
  options,
});
