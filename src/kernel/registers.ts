/**
 * Registers of a thread as the kernel reads and writes them: a view of a state block (cpu/state.ts), in the window while
 * the thread is loaded there, in the thread's own buffer otherwise.
 *
 * 64-bit values are read as two 32-bit halves, not as BigInt: this is on the path of every system call.
 */
import type { RawArguments } from '../abi/arguments.ts';
import { CONTEXT_SIZE, FLAG_AUX, FLAG_RESULT, Reg, RFLAGS_OTHER, RIP } from '../cpu/state.ts';

/** Register numbers of the six arguments of a system call. */
const ARGUMENTS = [Reg.RDI, Reg.RSI, Reg.RDX, Reg.R10, Reg.R8, Reg.R9] as const;

const HIGH = 0x1_0000_0000;

/** Flags that are neither status flags nor fixed: TF, DF, AC, ID. */
const OTHER_FLAGS = 0x0024_0500;

const evenParity = (byte: number): boolean => {
  let value = byte ^ (byte >>> 4);
  value ^= value >>> 2;
  return ((value ^ (value >>> 1)) & 1) === 0;
};

export class Registers implements RawArguments {
  readonly #words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(buffer: ArrayBufferLike, offset = 0) {
    this.#words = new Uint32Array(buffer, offset, CONTEXT_SIZE / 4);
    this.bytes = new Uint8Array(buffer, offset, CONTEXT_SIZE);
    this.view = new DataView(buffer, offset, CONTEXT_SIZE);
  }

  // ── Arguments of a system call ──────────────────────────────────────────────────────────────────────────────────

  i32(index: number): number {
    return this.#words[ARGUMENTS[index] * 2] | 0;
  }

  u32(index: number): number {
    return this.#words[ARGUMENTS[index] * 2];
  }

  i53(index: number): number {
    return this.signed(ARGUMENTS[index]);
  }

  u53(index: number): number {
    return this.get(ARGUMENTS[index]);
  }

  u64(index: number): bigint {
    return this.view.getBigUint64(ARGUMENTS[index] * 8, true);
  }

  // ── Registers ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** An unsigned value, clamped to the safe integers: no user address is beyond them. */
  get(register: number): number {
    const at = register * 2;
    const value = this.#words[at + 1] * HIGH + this.#words[at];
    return Math.min(value, Number.MAX_SAFE_INTEGER);
  }

  /** A signed value, clamped to the safe integers. */
  signed(register: number): number {
    const at = register * 2;
    const value = (this.#words[at + 1] | 0) * HIGH + this.#words[at];
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
  }

  /** Low 32 bits. */
  low(register: number): number {
    return this.#words[register * 2];
  }

  high(register: number): number {
    return this.#words[register * 2 + 1];
  }

  /** Stores a safe integer, sign-extended. */
  set(register: number, value: number): void {
    const at = register * 2;
    this.#words[at] = value;
    this.#words[at + 1] = Math.floor(value / HIGH);
  }

  get instructionPointer(): number {
    return this.#words[RIP / 4 + 1] * HIGH + this.#words[RIP / 4];
  }

  set instructionPointer(value: number) {
    this.#words[RIP / 4] = value;
    this.#words[RIP / 4 + 1] = Math.floor(value / HIGH);
  }

  /** RFLAGS as PUSHF shows it, made from the lazy flags (cpu/state.ts). */
  get flags(): number {
    const low = this.#words[FLAG_RESULT / 4];
    const high = this.#words[FLAG_RESULT / 4 + 1];
    const aux = this.#words[FLAG_AUX / 4];
    const auxHigh = this.#words[FLAG_AUX / 4 + 1];
    const carry = auxHigh >>> 31;
    const overflow = carry ^ ((auxHigh >>> 30) & 1);
    const sign = (high >>> 31) ^ (aux & 1);
    const parity = (evenParity(low & 0xff) ? 1 : 0) ^ ((aux >>> 1) & 1);
    const zero = low === 0 && high === 0 ? 1 : 0;
    const adjust = (aux >>> 3) & 1;
    const status = carry | (parity << 2) | (adjust << 4) | (zero << 6) | (sign << 7) | (overflow << 11);
    return status | (this.#words[RFLAGS_OTHER / 4] & OTHER_FLAGS) | 0x202;
  }

  set flags(value: number) {
    const zero = (value >>> 6) & 1;
    const sign = (value >>> 7) & 1;
    const parity = (value >>> 2) & 1;
    const carry = value & 1;
    const overflow = (value >>> 11) & 1;
    // The result is 0 (even parity) or 1 (odd), neither negative: SF and PF come from the inverting bits.
    this.#words[FLAG_RESULT / 4] = zero ^ 1;
    this.#words[FLAG_RESULT / 4 + 1] = 0;
    this.#words[FLAG_AUX / 4] = (((value >>> 4) & 1) << 3) | ((parity ^ zero) << 1) | sign;
    this.#words[FLAG_AUX / 4 + 1] = ((carry << 31) | ((carry ^ overflow) << 30)) >>> 0;
    this.#words[RFLAGS_OTHER / 4] = value & OTHER_FLAGS;
  }
}
