/**
 * Operand codes of forms.ts, parsed once: where an operand lives in the encoding and how wide it is.
 * Entry point: `parseOperand`.
 */
import type { Width } from '../uops.ts';

export const enum Place {
  /** ModRM r/m: register or memory. */
  Rm,
  /** ModRM reg. */
  Reg,
  /** Low bits of the opcode byte. */
  Opcode,
  Immediate,
  /** Second immediate (ENTER). */
  Immediate2,
  Relative,
  /** Absolute address in the instruction. */
  Moffs,
  /** A register that the form names. */
  Fixed,
  /** The constant 1. */
  One,
  /** DS:rSI and ES:rDI of string instructions. */
  Source,
  Destination,
  /** Shown by the disassembler only; the lift reaches it by itself. */
  Implied,
}

export const enum File {
  General,
  Vector,
  Mmx,
  Segment,
  X87,
}

export interface Operand {
  readonly code: string;
  readonly place: Place;
  readonly file: File;
  /** Size code after the letter: b w d q v y z dq ss … or empty. */
  readonly size: string;
  /** May be memory, may be a register (for `Place.Rm`). */
  readonly memory: boolean;
  readonly register: boolean;
  /** Register number of `Place.Fixed`; 4–7 with `high` are AH–BH minus 4. */
  readonly number: number;
  readonly high: boolean;
}

const GENERAL = ['AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI'];
const BYTES = ['AL', 'CL', 'DL', 'BL'];
const HIGH_BYTES = ['AH', 'CH', 'DH', 'BH'];

const fixed = (code: string): { number: number; size: string; high: boolean } | undefined => {
  if (BYTES.includes(code)) return { number: BYTES.indexOf(code), size: 'b', high: false };
  if (HIGH_BYTES.includes(code)) return { number: HIGH_BYTES.indexOf(code), size: 'b', high: true };
  if (GENERAL.includes(code)) return { number: GENERAL.indexOf(code), size: 'w', high: false };
  const prefixed = /^([erER])([A-D]X|[SB]P|[SD]I)$/.exec(code);
  if (prefixed === null) return undefined;
  const size = prefixed[1] === 'E' ? 'd' : prefixed[1] === 'R' ? 'q' : 'v';
  return { number: GENERAL.indexOf(prefixed[2]), size, high: false };
};

const PARSED = new Map<string, Operand>();

/** The meaning of one operand code. */
export function parseOperand(code: string): Operand {
  let operand = PARSED.get(code);
  if (operand === undefined) {
    operand = parse(code);
    PARSED.set(code, operand);
  }
  return operand;
}

function parse(code: string): Operand {
  const base = { code, size: '', memory: false, register: false, number: 0, high: false, file: File.General };
  if (code === '1') return { ...base, place: Place.One };
  const named = fixed(code);
  if (named !== undefined) return { ...base, ...named, place: Place.Fixed, register: true };
  if (/^XMM\d+$/.test(code)) {
    return {
      ...base,
      place: Place.Fixed,
      file: File.Vector,
      size: 'dq',
      number: Number(code.slice(3)),
      register: true,
    };
  }
  if (/^ST/.test(code)) return { ...base, place: Place.Implied, file: File.X87 };
  if (/^[CDEFGS]S$/.test(code)) return { ...base, place: Place.Implied, file: File.Segment };
  const size = code.slice(1);
  const at = (place: Place, file: File, memory: boolean, register: boolean): Operand => ({
    ...base,
    place,
    file,
    size,
    memory,
    register,
  });
  switch (code[0]) {
    case 'E':
      return at(Place.Rm, File.General, true, true);
    case 'M':
      return at(Place.Rm, File.General, true, false);
    case 'R':
      return at(Place.Rm, File.General, false, true);
    case 'G':
      return at(Place.Reg, File.General, false, true);
    case 'Z':
      return at(Place.Opcode, File.General, false, true);
    case 'I':
      return at(Place.Immediate, File.General, false, false);
    case 'J':
      return at(Place.Relative, File.General, false, false);
    case 'O':
      return at(Place.Moffs, File.General, true, false);
    case 'V':
      return at(Place.Reg, File.Vector, false, true);
    case 'W':
      return at(Place.Rm, File.Vector, true, true);
    case 'U':
      return at(Place.Rm, File.Vector, false, true);
    case 'P':
      return at(Place.Reg, File.Mmx, false, true);
    case 'Q':
      return at(Place.Rm, File.Mmx, true, true);
    case 'N':
      return at(Place.Rm, File.Mmx, false, true);
    case 'S':
      return at(Place.Reg, File.Segment, false, true);
    case 'X':
      return at(Place.Source, File.General, true, false);
    case 'Y':
      return at(Place.Destination, File.General, true, false);
  }
  throw new Error(`unknown operand code ${code}`);
}

const WIDTHS: Record<string, Width> = { b: 8, w: 16, d: 32, q: 64, ss: 32, sd: 64 };

/** Width in bits of an integer operand in a variant of operand size `width`; 0 if its code does not say. */
export function operandWidth(operand: Operand, width: Width): Width | 0 {
  switch (operand.size) {
    case 'v':
    case 'y':
      return width;
    case 'z':
      return width === 16 ? 16 : 32;
    default:
      return WIDTHS[operand.size] ?? 0;
  }
}
