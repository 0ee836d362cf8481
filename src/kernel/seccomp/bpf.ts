/**
 * Classic BPF over the 64 bytes of a system call (seccomp(2)): `compile` checks a program as Linux does (bpf_check_classic and
 * seccomp_check_filter), `evaluate` runs a checked one.
 *
 * A checked program ends: jumps go forward only, inside the program, and its last instruction returns. It reads aligned
 * words of the data and words of scratch memory that were stored before, and never divides by a constant zero.
 */
import { BPF_MAXINSNS, SECCOMP_DATA_BYTES, SOCK_FILTER_BYTES } from '../../abi/seccomp.ts';

/** Instruction classes, sizes, modes, operations (bpf_common.h). */
const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const MISC = 0x07;
const IMM = 0x00;
const ABS = 0x20;
const MEM = 0x60;
const LEN = 0x80;
const X = 0x08;
const A = 0x10;
const ADD = 0x00;
const SUB = 0x10;
const MUL = 0x20;
const DIV = 0x30;
const OR = 0x40;
const AND = 0x50;
const LSH = 0x60;
const RSH = 0x70;
const NEG = 0x80;
const XOR = 0xa0;
const JA = 0x00;
const JEQ = 0x10;
const JGT = 0x20;
const JGE = 0x30;
const JSET = 0x40;
const TAX = 0x00;
const TXA = 0x80;
const SCRATCH_WORDS = 16;

export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

/** What seccomp lets a filter do: no packet loads but aligned words, no byte or half loads, no modulus. */
const ALLOWED: ReadonlySet<number> = new Set([
  LD | ABS,
  LD | LEN,
  LDX | LEN,
  LD | IMM,
  LDX | IMM,
  LD | MEM,
  LDX | MEM,
  ST,
  STX,
  MISC | TAX,
  MISC | TXA,
  RET,
  RET | A,
  ALU | NEG,
  JMP | JA,
  ...[ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, XOR].flatMap((operation) => [ALU | operation, ALU | operation | X]),
  ...[JEQ, JGT, JGE, JSET].flatMap((operation) => [JMP | operation, JMP | operation | X]),
]);

const decode = (bytes: Uint8Array): Instruction[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / SOCK_FILTER_BYTES }, (_, index) => {
    const at = index * SOCK_FILTER_BYTES;
    return {
      code: view.getUint16(at, true),
      jumpTrue: view.getUint8(at + 2),
      jumpFalse: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    };
  });
};

const isMemory = (code: number): boolean => code === ST || code === STX || code === (LD | MEM) || code === (LDX | MEM);

/** Whether an instruction is one a filter may have at its place. */
const acceptable = ({ code, jumpTrue, jumpFalse, k }: Instruction, after: number): boolean => {
  if (!ALLOWED.has(code)) return false;
  if (code === (LD | ABS)) return k < SECCOMP_DATA_BYTES && (k & 3) === 0;
  if (isMemory(code)) return k < SCRATCH_WORDS;
  if (code === (ALU | DIV)) return k !== 0;
  if (code === (ALU | LSH) || code === (ALU | RSH)) return k < 32;
  if (code === (JMP | JA)) return k < after;
  return (code & 7) !== JMP || (jumpTrue < after && jumpFalse < after);
};

/** Whether every load from scratch memory comes after a store on all ways to it. */
const storesFirst = (program: readonly Instruction[]): boolean => {
  const known = new Array<number>(program.length).fill(0xffff);
  let stored = 0;
  for (const [index, { code, jumpTrue, jumpFalse, k }] of program.entries()) {
    stored &= known[index];
    if (code === ST || code === STX) stored |= 1 << k;
    else if ((code === (LD | MEM) || code === (LDX | MEM)) && (stored & (1 << k)) === 0) return false;
    else if (code === (JMP | JA)) {
      known[index + 1 + k] &= stored;
      stored = 0xffff;
    } else if ((code & 7) === JMP) {
      known[index + 1 + jumpTrue] &= stored;
      known[index + 1 + jumpFalse] &= stored;
      stored = 0xffff;
    }
  }
  return true;
};

/** A program from its bytes; undefined if it may not be run. */
export const compile = (bytes: Uint8Array): readonly Instruction[] | undefined => {
  const program = decode(bytes);
  if (program.length === 0 || program.length > BPF_MAXINSNS) return undefined;
  if (!program.every((instruction, index) => acceptable(instruction, program.length - index - 1))) return undefined;
  if ((program[program.length - 1].code & 7) !== RET) return undefined;
  return storesFirst(program) ? program : undefined;
};

const arithmetic = (operation: number, a: number, b: number): number => {
  switch (operation) {
    case ADD:
      return a + b;
    case SUB:
      return a - b;
    case MUL:
      return Math.imul(a, b);
    case DIV:
      return Math.floor(a / b);
    case OR:
      return a | b;
    case AND:
      return a & b;
    case LSH:
      return b > 31 ? 0 : a << b;
    case RSH:
      return b > 31 ? 0 : a >>> b;
    case XOR:
      return a ^ b;
    default:
      return -a;
  }
};

const compares = (operation: number, a: number, b: number): boolean => {
  switch (operation) {
    case JEQ:
      return a === b;
    case JGT:
      return a > b;
    case JGE:
      return a >= b;
    default:
      return (a & b) !== 0;
  }
};

/** Runs a checked program over the data of a call. Division by a zero X returns 0, which kills (bpf(4)). */
export const evaluate = (program: readonly Instruction[], data: DataView): number => {
  let a = 0;
  let x = 0;
  const scratch = new Uint32Array(SCRATCH_WORDS);
  for (let index = 0; ; index++) {
    const { code, jumpTrue, jumpFalse, k } = program[index];
    const operand = (code & X) !== 0 ? x : k;
    switch (code & 7) {
      case LD:
        a = load(code, k, data, scratch);
        break;
      case LDX:
        x = load(code, k, data, scratch);
        break;
      case ST:
        scratch[k] = a;
        break;
      case STX:
        scratch[k] = x;
        break;
      case ALU:
        if ((code & 0xf0) === DIV && operand === 0) return 0;
        a = arithmetic(code & 0xf0, a, operand) >>> 0;
        break;
      case JMP:
        if ((code & 0xf0) === JA) index += k;
        else index += compares(code & 0xf0, a, operand) ? jumpTrue : jumpFalse;
        break;
      case RET:
        return (code & A) !== 0 ? a : k;
      default:
        if ((code & 0xf8) === TXA) a = x;
        else x = a;
    }
  }
};

const load = (code: number, k: number, data: DataView, scratch: Uint32Array): number => {
  switch (code & 0xe0) {
    case ABS:
      return data.getUint32(k, true);
    case MEM:
      return scratch[k];
    case LEN:
      return SECCOMP_DATA_BYTES;
    default:
      return k;
  }
};
