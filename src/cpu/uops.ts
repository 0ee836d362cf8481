/**
 * Micro-operations: the vocabulary in which every instruction's meaning is written exactly once, as a *lift* (see
 * forms.ts). An engine implements this interface: the interpreter generator emits a WebAssembly handler for each form and
 * variant, a translator emits straight code with the operands known. A lift must behave the same under both, so it may
 * only look at the static facts below and must not keep state of its own.
 *
 * Values are SSA temporaries. General-purpose integers of every width travel as i64, *zero-extended* from their width
 * unless a method says otherwise. Truth values are i32 0 or 1. XMM and MMX data travel as v128 and i64.
 *
 * Precision: a memory access may fault, and then nothing of the instruction may have happened. A lift therefore does all
 * its loads and checks (`prepareStore`, traps) before its first architectural write, and a read-modify-write destination is
 * read with `readForWrite`. An engine may end the instruction inside any load or store.
 */
import type { ValueType } from '../wasm/module.ts';

/** An SSA value; its type is known statically. */
export interface Value {
  readonly type: ValueType;
}

/** A mutable variable of a lift, for values that differ by path. */
export interface Variable {
  readonly type: ValueType;
}

/** Operand width in bits of an integer operation. */
export type Width = 8 | 16 | 32 | 64;

/** The condition codes of Jcc, SETcc and CMOVcc in encoding order (the low four bits of the opcode). */
export type Condition = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

/** What the status flags are computed from. `a` and `b` are the zero-extended operands, `r` the zero-extended result. */
export type FlagRule =
  /** CF, OF, AF from a + b (+ carry in) = r. */
  | 'add'
  /** CF, OF, AF from a − b = r. */
  | 'sub'
  /** CF, OF, AF from a − b − borrow in = r: unlike with `sub`, comparing a and b does not tell the flags. */
  | 'borrow'
  /** CF = OF = AF = 0; a and b are ignored. */
  | 'logic'
  /** As add and sub, CF unchanged (INC, DEC). */
  | 'inc'
  | 'dec';

/** Binary operations on i64. `add`–`rotr` work on all 64 bits: use `truncate` for narrower results. Shift counts are taken modulo 64. */
export type IntegerOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr_u'
  | 'shr_s'
  | 'rotl'
  | 'rotr'
  | 'div_s'
  | 'div_u'
  | 'rem_s'
  | 'rem_u';
export type CompareOp = 'eq' | 'ne' | 'lt_s' | 'lt_u' | 'gt_s' | 'gt_u' | 'le_s' | 'le_u' | 'ge_s' | 'ge_u';

/** Floating-point arithmetic under MXCSR: rounding, DAZ, FTZ, the NaN rules of SSE and the sticky exception flags. */
export type FloatOp = 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'min' | 'max';
/** Element type and count: scalars leave the upper elements of `a` as they are. */
export type FloatShape = 'ss' | 'ps' | 'sd' | 'pd';

export interface Uops {
  // ── Static facts of this variant ────────────────────────────────────────────────────────────────────────────────
  /** Width of `v`-sized operands in this variant: 16, 32 or 64 (8 for byte forms). */
  readonly width: Width;
  /** Whether operand `index` is in memory in this variant. */
  isMemory(index: number): boolean;
  /** Whether the instruction has a LOCK prefix or is XCHG with memory. */
  readonly locked: boolean;
  /** Repeat prefix of a string instruction: none, F3 (REP, REPE) or F2 (REPNE). */
  readonly repeat: 'none' | 'repe' | 'repne';
  /** Address size of the variant: 64, or 32 with prefix 67. */
  readonly addressWidth: 32 | 64;

  // ── Operands, by their position in the form's operand list ──────────────────────────────────────────────────────
  /** Integer operand `index`, zero-extended from its own width. Immediates arrive sign-extended to 64 bits and truncated to the operand's width. */
  read(index: number): Value;
  /** As `read`, for an operand that `write` will store to afterwards: checks the write permission of memory first. */
  readForWrite(index: number): Value;
  /** Writes an integer operand. A 32-bit register write clears the upper half; 8- and 16-bit ones keep the rest. */
  write(index: number, value: Value): void;
  /** Address of memory operand `index` with segment base, truncated to the address width. */
  address(index: number): Value;
  /** Offset part only, without segment base (LEA). */
  effectiveAddress(index: number): Value;
  /** Base of the data segment in force: the FS or GS base under an override, else 0 (string instructions, XLAT, MASKMOV). */
  segmentBase(): Value;
  /** Immediate operand `index`, sign-extended to 64 bits; for an STi operand its number. */
  immediate(index: number): Value;
  /** 128-bit operand (XMM register or 16-byte memory). `aligned` raises #GP on misaligned memory. */
  readVector(index: number, aligned?: boolean): Value;
  /** Low `bits` of an XMM register or of memory, zero-extended to v128 (memory is read `bits` wide only). */
  readVectorLow(index: number, bits: 8 | 16 | 32 | 64): Value;
  writeVector(index: number, value: Value, aligned?: boolean): void;
  /** Stores the low `bits` of a v128 to memory, or merges them into the low end of an XMM register. */
  writeVectorLow(index: number, value: Value, bits: 32 | 64): void;
  /** 64-bit MMX operand (register or memory) as i64. Reading or writing one switches x87 to MMX state (TOP = 0, tags valid). */
  readMmx(index: number): Value;
  writeMmx(index: number, value: Value): void;

  // ── Registers that are implied by the instruction ───────────────────────────────────────────────────────────────
  register(number: number, width: Width): Value;
  setRegister(number: number, width: Width, value: Value): void;
  xmm(number: number): Value;
  setXmm(number: number, value: Value): void;
  /** A field of the state block (cpu/state.ts), 8 to 64 bits, zero-extended. */
  state(offset: number, width: Width): Value;
  setState(offset: number, width: Width, value: Value): void;
  /** Address of this instruction and of the next one. */
  instructionPointer(): Value;
  nextPointer(): Value;

  // ── Memory at computed addresses ────────────────────────────────────────────────────────────────────────────────
  load(address: Value, width: Width): Value;
  /** As `load`, checking the write permission too. */
  loadForWrite(address: Value, width: Width): Value;
  store(address: Value, width: Width, value: Value): void;
  loadVector(address: Value): Value;
  storeVector(address: Value, value: Value): void;
  /** Faults now if `bytes` at the address could not be written; a later store to it will not fault. */
  prepareStore(address: Value, bytes: number): void;

  // ── Integer arithmetic ──────────────────────────────────────────────────────────────────────────────────────────
  constant(value: bigint | number): Value;
  integer(op: IntegerOp, a: Value, b: Value): Value;
  /** Comparison of two i64 values as i32 0 or 1. */
  compare(op: CompareOp, a: Value, b: Value): Value;
  /** Leading or trailing zeros or population of the 64-bit value, as i64. */
  count(op: 'clz' | 'ctz' | 'popcnt', a: Value): Value;
  /** The low `width` bits, zero-extended or sign-extended to i64. */
  truncate(a: Value, width: Width): Value;
  signExtend(a: Value, width: Width): Value;
  /** Upper 64 bits of the 128-bit product. */
  multiplyHigh(signed: boolean, a: Value, b: Value): Value;
  /** Quotient and remainder of a 2·width-bit dividend; raises #DE on zero or overflow. */
  divide(signed: boolean, width: Width, high: Value, low: Value, divisor: Value): { quotient: Value; remainder: Value };
  /** i32 truth value to i64, and back (non-zero is true). */
  fromBool(a: Value): Value;
  toBool(a: Value): Value;
  not(a: Value): Value;
  select(condition: Value, a: Value, b: Value): Value;

  // ── Flags ───────────────────────────────────────────────────────────────────────────────────────────────────────
  setFlags(rule: FlagRule, width: Width, a: Value, b: Value, r: Value): void;
  /** SF, ZF, PF from `r`; CF, OF and AF (default 0) from i32 truth values. */
  setFlagsExplicit(width: Width, r: Value, cf: Value, of: Value, af?: Value): void;
  /** Changes only the flags given (i32 truth values). */
  changeFlags(flags: { cf?: Value; of?: Value; zf?: Value; sf?: Value; pf?: Value; af?: Value }): void;
  flag(name: 'cf' | 'of' | 'zf' | 'sf' | 'pf' | 'af'): Value;
  condition(code: Condition): Value;
  /** The whole RFLAGS as PUSHF shows them, and the bits POPF may change. */
  rflags(): Value;
  setRflags(value: Value): void;

  // ── Vectors and floating point ──────────────────────────────────────────────────────────────────────────────────
  /** Any WebAssembly instruction without immediates, by name, on values: `wasm('i16x8.add_sat_s', a, b)`. */
  wasm(name: string, ...operands: Value[]): Value;
  lane(name: string, lane: number, ...operands: Value[]): Value;
  shuffle(a: Value, b: Value, lanes: readonly number[]): Value;
  vectorConstant(bytes: readonly number[]): Value;
  /** `a op b` per element under MXCSR, as a v128; raises #XM for an unmasked exception. For `sqrt` the operand is `b`. */
  float(op: FloatOp, shape: FloatShape, a: Value, b: Value): Value;

  // ── Control inside a lift ───────────────────────────────────────────────────────────────────────────────────────
  variable(initial: Value): Variable;
  get(variable: Variable): Value;
  set(variable: Variable, value: Value): void;
  if(condition: Value, then: () => void, otherwise?: () => void): void;

  // ── Control transfer: the last thing a lift does ────────────────────────────────────────────────────────────────
  /** Continues at the address; a constant target is given by the relative operand (`jumpRelative`). */
  jump(target: Value, kind: 'jump' | 'call' | 'return'): void;
  jumpRelative(index: number, kind: 'jump' | 'call'): void;
  branchRelative(index: number, condition: Value): void;
  /** Executes this same instruction again (one round of a REP string instruction), as a new instruction for budget and interrupts. */
  again(): void;
  /** Ends with a trap (engine.ts). `retire`: RIP is past the instruction. */
  trap(kind: number, options?: { retire?: boolean; code?: number }): void;
  /** Raises the trap if the condition holds, else goes on. */
  trapIf(condition: Value, kind: number, code?: number): void;

  // ── Rare instructions ───────────────────────────────────────────────────────────────────────────────────────────
  /**
   * Calls a helper of the runtime by name (cpu/helpers.ts): i32, i64, f64 and v128 arguments and at most one result.
   * WebAssembly-internal helpers take any type; helpers written in TypeScript only i32, i64 (as BigInt) and f64: they
   * read and write registers and vectors through the state block. A TypeScript helper may return a trap number, see `helperTrap`.
   */
  helper(name: string, ...operands: Value[]): Value;
  /** Calls a helper whose i32 result is −1 for success or a trap number to raise. */
  helperTrap(name: string, ...operands: Value[]): void;
}
