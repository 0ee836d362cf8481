/**
 * Random straight pieces of a program: an instruction or a few that belong together, as bytes that may stand anywhere.
 *
 * Registers: RAX RCX RDX RSI RDI RBP R8–R11 are free. RBX and R12 count loops, R13 recursion, R14 is the middle of the data
 * window, R15 walks through it; these are read here but never written. What the manual leaves undefined must not be seen:
 * an operation that leaves flags undefined is followed by one that defines them, in the same piece, unless the
 * program's `Style` says that the flag is not looked at.
 *
 * Entry point: `operation`.
 */
import type { Random } from '../random.ts';
import { type MemoryOperand, modrm } from './assembler.ts';

export interface Style {
  /** AF is left undefined by logic and not compared in the end. */
  readonly looseAuxiliary: boolean;
  /** OF is left undefined by shifts: conditions on it come with a comparison of their own. */
  readonly looseOverflow: boolean;
  /** Instructions of vectors and floating point. */
  readonly vectors: boolean;
  readonly x87: boolean;
}

const FREE = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11] as const;
const READABLE = [...FREE, 3, 12, 13, 4, 14, 15] as const;
const R14 = 14;
const R15 = 15;
export const RCX = 1;
const RSI = 6;
const RDI = 7;
/** Offsets from R14 that operations may touch: the stack lies above. */
export const DATA_FROM = -896;
export const DATA_TO = 560;

const WIDTHS = [8, 16, 32, 64] as const;
type Width = (typeof WIDTHS)[number];
/** O and NO, L, GE, LE and G read OF. */
const READS_OVERFLOW = [true, true, ...Array<boolean>(10).fill(false), true, true, true, true];

const prefix = (width: Width): readonly number[] => (width === 16 ? [0x66] : []);
const sized = (opcode: number, width: Width): number => (width === 8 ? opcode : opcode | 1);

/** An instruction of the general kind `op reg, r/m` in one of the widths. */
const general = (
  opcode: readonly number[],
  reg: number,
  rm: number | MemoryOperand,
  width: Width,
  before: readonly number[] = [],
): number[] =>
  modrm(opcode, reg, rm, { wide: width === 64, byte: width === 8, prefixes: [...before, ...prefix(width)] });

const immediate = (random: Random, width: Width): number[] => {
  const value = random.chance(50) ? random.u32() : random.below(512) - 256;
  if (width === 8) return [value & 255];
  if (width === 16) return [value & 255, (value >> 8) & 255];
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
};

/** A place in the data, with the instructions that must come before to make it valid. */
function place(random: Random, bytes: number): { before: number[]; at: MemoryOperand } {
  const aligned = random.chance(60);
  const offset = (from: number, to: number): number => {
    const value = from + random.below(to - from - bytes);
    return aligned ? Math.max(from, value & -Math.min(bytes, 8)) : value;
  };
  switch (random.below(10)) {
    case 0:
    case 1: {
      // A byte as index; MOVZX, which leaves flags alone.
      const index = random.pick(FREE);
      const scale = random.below(3);
      const before = modrm([0x0f, 0xb6], index, random.pick([0, 1, 2, 8, 9, 10]));
      return { before, at: { base: R14, index, scale, displacement: offset(DATA_FROM, DATA_TO - (255 << scale)) } };
    }
    case 2: {
      const base = random.pick(FREE);
      const displacement = random.below(64) - 32;
      const at = { base: R14, index: -1, scale: 0, displacement: offset(DATA_FROM + 32, DATA_TO - 32) };
      return {
        before: modrm([0x8d], base, at, { wide: true }),
        at: { base, index: -1, scale: 0, displacement },
      };
    }
    case 3:
    case 4:
    case 5:
      return { before: [], at: { base: R15, index: -1, scale: 0, displacement: random.below(17) - 8 } };
    case 6:
      // Close to the page boundary, across it now and then.
      return { before: [], at: { base: R14, index: -1, scale: 0, displacement: random.below(24) - 20 } };
    default:
      return { before: [], at: { base: R14, index: -1, scale: 0, displacement: offset(DATA_FROM, DATA_TO) } };
  }
}

/** A comparison: defines all flags. */
export function define(random: Random): number[] {
  const width = random.pick(WIDTHS);
  return random.chance(50)
    ? general([sized(0x38, width)], random.pick(READABLE), random.pick(FREE), width)
    : general([width === 8 ? 0x80 : 0x83], 7, random.pick(FREE), width).concat(random.below(256));
}

/** A condition to branch on, and what must come before it. */
export function condition(random: Random, style: Style): { before: number[]; code: number } {
  const code = random.below(16);
  return { code, before: style.looseOverflow && READS_OVERFLOW[code] ? define(random) : [] };
}

function arithmetic(random: Random, style: Style): number[] {
  const operation = random.below(8);
  const width = random.pick(WIDTHS);
  const logic = operation === 1 || operation === 4 || operation === 6;
  const fix = logic && !style.looseAuxiliary ? define(random) : [];
  const opcode = operation << 3;
  switch (random.below(5)) {
    case 0:
    case 1:
      return [...general([sized(opcode, width)], random.pick(READABLE), random.pick(FREE), width), ...fix];
    case 2: {
      const { before, at } = place(random, width / 8);
      return [...before, ...general([sized(opcode | 2, width)], random.pick(FREE), at, width), ...fix];
    }
    case 3: {
      const { before, at } = place(random, width / 8);
      const lock = operation !== 7 && random.chance(10) ? [0xf0] : [];
      return [...before, ...general([sized(opcode, width)], random.pick(READABLE), at, width, lock), ...fix];
    }
    default: {
      const short = random.chance(60);
      const value = short ? [random.below(256)] : immediate(random, width);
      const op = width === 8 ? 0x80 : short ? 0x83 : 0x81;
      if (width === 8) value.length = 1;
      if (random.chance(30)) {
        const { before, at } = place(random, width / 8);
        return [...before, ...general([op], operation, at, width), ...value, ...fix];
      }
      return [...general([op], operation, random.pick(FREE), width), ...value, ...fix];
    }
  }
}

function move(random: Random): number[] {
  const width = random.pick(WIDTHS);
  switch (random.below(8)) {
    case 0:
      return general([sized(0x88, width)], random.pick(READABLE), random.pick(FREE), width);
    case 1: {
      const { before, at } = place(random, width / 8);
      return [...before, ...general([sized(0x8a, width)], random.pick(FREE), at, width)];
    }
    case 2: {
      const { before, at } = place(random, width / 8);
      return [...before, ...general([sized(0x88, width)], random.pick(READABLE), at, width)];
    }
    case 3:
      return [...general([width === 8 ? 0xc6 : 0xc7], 0, random.pick(FREE), width), ...immediate(random, width)];
    case 4: {
      // MOVZX, MOVSX.
      const opcode = random.pick([0xb6, 0xb7, 0xbe, 0xbf]);
      const to = random.pick([16, 32, 64] as const);
      const byte = (opcode & 1) === 0;
      if (random.chance(50)) {
        const { before, at } = place(random, 2);
        return [...before, ...general([0x0f, opcode], random.pick(FREE), at, to)];
      }
      const from = random.pick(FREE);
      return modrm([0x0f, opcode], random.pick(FREE), byte ? from & ~4 : from, {
        wide: to === 64,
        prefixes: prefix(to),
      });
    }
    case 5:
      return modrm([0x63], random.pick(FREE), random.pick(READABLE), { wide: true });
    case 6: {
      const { at } = place(random, 8);
      const index = random.pick(READABLE);
      return modrm(
        [0x8d],
        random.pick(FREE),
        { ...at, index: index === 4 ? -1 : index, scale: random.below(4) },
        {
          wide: random.chance(70),
        },
      );
    }
    default:
      // High bytes: MOV AH…BH from the low ones and back, without REX.
      return [0x88, 0xc0 | (random.pick([0, 1, 2]) << 3) | random.pick([4, 5, 6])];
  }
}

function unary(random: Random): number[] {
  const width = random.pick(WIDTHS);
  const [opcode, extension] = random.pick([
    [0xfe, 0],
    [0xfe, 1],
    [0xf6, 2],
    [0xf6, 3],
  ] as const);
  if (random.chance(30)) {
    const { before, at } = place(random, width / 8);
    return [...before, ...general([sized(opcode, width)], extension, at, width)];
  }
  return general([sized(opcode, width)], extension, random.pick(FREE), width);
}

function shift(random: Random, style: Style): number[] {
  const width = random.pick(WIDTHS);
  const extension = random.pick([0, 1, 2, 3, 4, 5, 7]);
  const target = random.pick(FREE);
  const rotates = extension < 4;
  const kind = random.below(4);
  if (kind === 0) {
    const byOne = general([sized(0xd0, width)], extension, target, width);
    return rotates || style.looseAuxiliary ? byOne : [...byOne, ...define(random)];
  }
  if (kind === 1) return [...general([sized(0xd2, width)], extension, target, width), ...define(random)];
  if (kind === 2 && width >= 32) {
    const double = general([0x0f, random.pick([0xa4, 0xac])], random.pick(READABLE), target, width);
    return [...double, 1 + random.below(width - 1), ...define(random)];
  }
  const count = 1 + random.below(width - 1);
  const plain = [...general([sized(0xc0, width)], extension, target, width), count];
  const undefinedFlags = (count !== 1 && !style.looseOverflow) || (!rotates && !style.looseAuxiliary);
  return undefinedFlags ? [...plain, ...define(random)] : plain;
}

function multiply(random: Random): number[] {
  const width = random.pick([16, 32, 64] as const);
  switch (random.below(5)) {
    case 0:
      return [...general([0x0f, 0xaf], random.pick(FREE), random.pick(READABLE), width), ...define(random)];
    case 1: {
      const { before, at } = place(random, width / 8);
      return [...before, ...general([0x0f, 0xaf], random.pick(FREE), at, width), ...define(random)];
    }
    case 2:
      return [
        ...general([0x6b], random.pick(FREE), random.pick(READABLE), width),
        random.below(256),
        ...define(random),
      ];
    case 3:
      return [...general([0xf7], random.pick([4, 5]), random.pick(READABLE), width), ...define(random)];
    default: {
      // RDX = 0 or the sign, and a divisor that is not small: XOR EDX, EDX; OR reg, 64; DIV.
      const divisor = random.pick([1, 6, 7, 8, 9]);
      const before = [0x31, 0xd2, ...general([0x83], 1, divisor, width), 0x40];
      if (random.chance(50)) return [...before, ...general([0xf7], 6, divisor, width), ...define(random)];
      // SHR RAX, 1 first, lest the lowest number is divided by −1.
      return [...before, 0x48, 0xd1, 0xe8, ...general([0xf7], 7, divisor, width).slice(), ...define(random)];
    }
  }
}

function conditional(random: Random, style: Style): number[] {
  const { before, code } = condition(random, style);
  if (random.chance(50)) {
    if (random.chance(20)) {
      const p = place(random, 1);
      // What makes the place valid may change flags: first that, then the comparison.
      return [...p.before, ...define(random), ...general([0x0f, 0x90 | code], 0, p.at, 8)];
    }
    return [...before, ...general([0x0f, 0x90 | code], 0, random.pick(FREE), 8)];
  }
  const width = random.pick([16, 32, 64] as const);
  return [...before, ...general([0x0f, 0x40 | code], random.pick(FREE), random.pick(READABLE), width)];
}

function bits(random: Random): number[] {
  const width = random.pick([16, 32, 64] as const);
  const target = random.pick(FREE);
  switch (random.below(7)) {
    case 0:
      return [
        ...general([0x0f, 0xba], random.pick([4, 5, 6, 7]), target, width),
        random.below(width),
        ...define(random),
      ];
    case 1:
      return [
        ...general([0x0f, random.pick([0xa3, 0xab, 0xb3, 0xbb])], random.pick(READABLE), target, width),
        ...define(random),
      ];
    case 2:
      return [
        ...general([0x83], 1, target, width),
        0x40,
        ...general([0x0f, random.pick([0xbc, 0xbd])], random.pick(FREE), target, width),
        ...define(random),
      ];
    case 3:
      return general([0x0f, 0xb8], random.pick(FREE), target, width, [0xf3]);
    case 4: {
      const wide = random.chance(50);
      return [0x40 | (wide ? 8 : 0) | (target >> 3), 0x0f, 0xc8 | (target & 7)];
    }
    case 5: {
      const { before, at } = place(random, width / 8);
      const opcode = random.pick([[0x0f, 0xc1], [0x0f, 0xb1], [0x87]] as const);
      const lock = random.chance(40) ? [0xf0] : [];
      return [...before, ...general(opcode, target, at, width, lock)];
    }
    default:
      return general(random.pick([[0x0f, 0xc1], [0x0f, 0xb1], [0x87]] as const), target, random.pick(FREE), width);
  }
}

function small(random: Random, style: Style): number[] {
  switch (random.below(8)) {
    case 0:
      return [0x99];
    case 1:
      return [0x48, 0x99];
    case 2:
      return [0x48, 0x98];
    case 3:
      return [random.pick([0xf5, 0xf8, 0xf9])];
    case 4: {
      // PUSH a; POP b.
      const a = random.pick(READABLE);
      const b = random.pick(FREE);
      return [0x40 | (a >> 3), 0x50 | (a & 7), ...arithmetic(random, style), 0x40 | (b >> 3), 0x58 | (b & 7)];
    }
    case 5:
      // SAHF defines all but OF.
      return [0x9e];
    case 6:
      // PUSHFQ; POP: only what is defined.
      return [...define(random), 0x9c, 0x58 | random.pick([0, 1, 2])];
    default:
      return define(random);
  }
}

/** String instructions over a stretch of the data. */
function strings(random: Random): number[] {
  const pointer = (register: number): number[] =>
    modrm(
      [0x8d],
      register,
      { base: R14, index: -1, scale: 0, displacement: DATA_FROM + random.below(1100) },
      { wide: true },
    );
  const opcode = random.pick([0xa4, 0xa5, 0xaa, 0xab, 0xa6, 0xae, 0xac]);
  const repeat = random.chance(70) ? [opcode === 0xa6 || opcode === 0xae ? random.pick([0xf2, 0xf3]) : 0xf3] : [];
  const size = (opcode & 1) === 0 ? 1 : 8;
  const code = size === 8 ? [0x48, opcode] : [opcode];
  return [
    ...pointer(RSI),
    ...pointer(RDI),
    // MOV ECX, count
    0xb9,
    1 + random.below(40),
    0,
    0,
    0,
    ...repeat,
    ...code,
  ];
}

const VECTOR_INTEGER = [
  0xef, 0xeb, 0xdb, 0xdf, 0xfc, 0xfd, 0xfe, 0xd4, 0xf8, 0xf9, 0xfa, 0xfb, 0x74, 0x75, 0x76, 0x64, 0x65, 0x66, 0x60,
  0x61, 0x62, 0x6c, 0x68, 0x69, 0x6a, 0x6d, 0xda, 0xde, 0xea, 0xee, 0xd5, 0xe5, 0xf4, 0xf5, 0xf6, 0xe0, 0x63, 0x67,
  0x6b,
] as const;

function vector(random: Random): number[] {
  const x = random.below(16);
  const y = random.below(16);
  switch (random.below(10)) {
    case 0: {
      const { before, at } = place(random, 16);
      return [...before, ...modrm([0x0f, random.pick([0x6f, 0x7f])], x, at, { prefixes: [0xf3] })];
    }
    case 1: {
      const { before, at } = place(random, 16);
      return [...before, ...modrm([0x0f, random.pick([0x10, 0x11])], x, at)];
    }
    case 2:
    case 3:
      return modrm([0x0f, random.pick(VECTOR_INTEGER)], x, y, { prefixes: [0x66] });
    case 4:
      return [...modrm([0x0f, 0x70], x, y, { prefixes: [random.pick([0x66, 0xf2, 0xf3])] }), random.below(256)];
    case 5: {
      const wide = random.chance(50);
      return random.chance(50)
        ? modrm([0x0f, 0x6e], x, random.pick(READABLE), { wide, prefixes: [0x66] })
        : modrm([0x0f, 0x7e], x, random.pick(FREE), { wide, prefixes: [0x66] });
    }
    case 6: {
      const [opcode, extension] = random.pick([
        [0x71, 2],
        [0x71, 6],
        [0x72, 2],
        [0x72, 4],
        [0x73, 2],
        [0x73, 3],
        [0x73, 7],
      ] as const);
      return [...modrm([0x0f, opcode], extension, x, { prefixes: [0x66] }), random.below(20)];
    }
    case 7: {
      const { before, at } = place(random, 8);
      return [...before, ...modrm([0x0f, random.pick([0x10, 0x11])], x, at, { prefixes: [random.pick([0xf2, 0xf3])] })];
    }
    case 8: {
      const { before, at } = place(random, 8);
      return [...before, ...modrm([0x0f, random.pick([0x12, 0x13, 0x16, 0x17])], x, at, { prefixes: [0x66] })];
    }
    default:
      return modrm([0x0f, random.pick([0x28, 0x14, 0x15])], x, y, { prefixes: random.pick([[], [0x66]]) });
  }
}

const FLOAT = [0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51] as const;

function float(random: Random): number[] {
  const x = random.below(16);
  const y = random.below(16);
  switch (random.below(6)) {
    case 0:
    case 1:
      return modrm([0x0f, random.pick(FLOAT)], x, y, { prefixes: random.pick([[], [0x66], [0xf2], [0xf3]]) });
    case 2: {
      const { before, at } = place(random, 8);
      return [...before, ...modrm([0x0f, random.pick(FLOAT)], x, at, { prefixes: [random.pick([0xf2, 0xf3])] })];
    }
    case 3:
      // CVTSI2SD, CVTTSD2SI and the like.
      return random.chance(50)
        ? modrm([0x0f, 0x2a], x, random.pick(READABLE), {
            wide: random.chance(50),
            prefixes: [random.pick([0xf2, 0xf3])],
          })
        : modrm([0x0f, random.pick([0x2c, 0x2d])], random.pick(FREE), x, {
            wide: random.chance(50),
            prefixes: [random.pick([0xf2, 0xf3])],
          });
    case 4:
      return modrm([0x0f, random.pick([0x2e, 0x2f])], x, y, { prefixes: random.pick([[], [0x66]]) });
    default:
      return modrm([0x0f, random.pick([0x5a, 0x5b, 0xe6])], x, y, { prefixes: [0xf3] });
  }
}

/** FLD; an operation; FSTP. */
function x87(random: Random): number[] {
  const at = (): MemoryOperand => ({ base: R14, index: -1, scale: 0, displacement: DATA_FROM + random.below(1300) });
  return [
    ...modrm([random.pick([0xdd, 0xd9, 0xdb])], 0, at()),
    ...modrm([0xdc], random.pick([0, 1, 4, 5]), at()),
    ...modrm([random.pick([0xdd, 0xd9])], 3, at()),
  ];
}

/** A random piece of straight code. */
export function operation(random: Random, style: Style): number[] {
  const choice = random.below(100);
  if (style.x87 && choice < 6) return x87(random);
  if (style.vectors && choice < 32) return choice < 20 ? vector(random) : float(random);
  switch (random.below(20)) {
    case 0:
      return multiply(random);
    case 1:
    case 2:
      return shift(random, style);
    case 3:
      return bits(random);
    case 4:
    case 5:
      return conditional(random, style);
    case 6:
      return random.chance(30) ? strings(random) : small(random, style);
    case 7:
      return unary(random);
    case 8:
    case 9:
    case 10:
    case 11:
      return move(random);
    case 12:
      return small(random, style);
    default:
      return arithmetic(random, style);
  }
}
