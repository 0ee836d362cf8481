/**
 * The x87 instructions as operations on a unit. Each returns a trap number or −1. Register operands are ST indices; memory
 * operands arrive as bits. The lifts (forms/x87.ts) load and store memory.
 */
import { X87_DELIVER, X87_RESULT } from '../state.ts';
import {
  add,
  type Comparison,
  type Control,
  compare,
  divide,
  extract,
  multiply,
  remainder,
  roundToInteger,
  scale,
  squareRoot,
  subtract,
  UNORDERED,
} from './arithmetic.ts';
import { C1, DEFAULT_NAN, type Float80, IE, isNan, packExact, type Rounded, SF, unpack, ZE } from './float80.ts';
import { indefinite, loadFormat, MemoryFormat, storeFormat } from './memory-formats.ts';
import { arcTangent, exponential, logarithm, logarithmPlusOne, trigonometric } from './transcendental.ts';
import { NO_TRAP, type X87Unit } from './unit.ts';

/** Arithmetic in the order of the opcode extension: 2 and 3 are the comparisons. */
const apply = (operation: number, a: Float80, b: Float80, c: Control): Rounded => {
  switch (operation) {
    case 0:
      return add(a, b, c);
    case 1:
      return multiply(a, b, c);
    case 4:
      return subtract(a, b, c);
    case 5:
      return subtract(b, a, c);
    case 6:
      return divide(a, b, c);
    default:
      return divide(b, a, c);
  }
};

/** ST(destination) ← ST(destination) op ST(source). */
export const arithmetic = (
  u: X87Unit,
  operation: number,
  destination: number,
  source: number,
  pops: number,
): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  if (u.isEmpty(destination) || u.isEmpty(source)) {
    if (u.stackFault(false)) {
      u.set(destination, DEFAULT_NAN);
      u.pop(pops);
    }
    return NO_TRAP;
  }
  const r = apply(operation, u.get(destination), u.get(source), u.control());
  if (u.accept(r.flags)) {
    u.set(destination, r.value);
    u.pop(pops);
  }
  return NO_TRAP;
};

/** ST(0) ← ST(0) op memory. */
export const arithmeticMemory = (u: X87Unit, operation: number, format: number, bits: bigint): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  if (u.isEmpty(0)) {
    if (u.stackFault(false)) u.set(0, DEFAULT_NAN);
    return NO_TRAP;
  }
  const operand = loadFormat(format, bits, 0n);
  const st0 = u.get(0);
  const r = apply(operation, st0, operand.value, u.control());
  const denormal = (r.flags & (IE | ZE)) !== 0 ? 0 : memoryDenormal(operand.flags, st0);
  if (u.accept(r.flags | denormal)) u.set(0, r.value);
  return NO_TRAP;
};

/** A denormal memory operand is normal once widened: its DE counts unless the other operand is a NaN. */
const memoryDenormal = (flags: number, other: Float80): number => {
  const { kind } = unpack(other);
  return isNan(kind) || kind === 'unsupported' ? 0 : flags;
};

export const load = (u: X87Unit, format: number, bits: bigint, high: bigint): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  const { value, flags } = loadFormat(format, bits, high);
  // A denormal is loaded even if its exception is unmasked.
  if (format > MemoryFormat.Double || unpack(value).kind !== 'signalling') u.deliver(value, flags);
  else u.deliver({ se: value.se, sig: value.sig | (1n << 62n) }, flags | IE);
  return NO_TRAP;
};

/** Converts ST(0) into X87_RESULT; X87_DELIVER says whether the lift may store it. */
export const store = (u: X87Unit, format: number, pops: number, truncate: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  const { state } = u.machine;
  const empty = u.isEmpty(0);
  const r = empty ? indefinite(format) : storeFormat(format, u.get(0), truncate !== 0 ? 3 : u.rounding, u.masks);
  const delivered = empty ? u.stackFault(false) : u.accept(r.flags, true);
  state.setInt32(X87_DELIVER, delivered ? 1 : 0, true);
  if (delivered) {
    state.setBigUint64(X87_RESULT, BigInt.asUintN(64, r.bits), true);
    state.setBigUint64(X87_RESULT + 8, BigInt.asUintN(64, r.high), true);
    u.pop(pops);
  }
  return NO_TRAP;
};

/** The condition codes are set even if an unmasked exception keeps the stack as it was. */
const finishComparison = (u: X87Unit, c: Comparison, pops: number): void => {
  const delivered = u.accept(c.flags);
  u.codes(c.codes);
  if (delivered) u.pop(pops);
};

const EMPTY_COMPARISON: Comparison = { codes: UNORDERED, flags: IE | SF };

export const compareRegister = (u: X87Unit, source: number, quietNan: number, pops: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  const empty = u.isEmpty(0) || u.isEmpty(source);
  finishComparison(u, empty ? EMPTY_COMPARISON : compare(u.get(0), u.get(source), quietNan !== 0), pops);
  return NO_TRAP;
};

export const compareMemory = (u: X87Unit, format: number, bits: bigint, pops: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  if (u.isEmpty(0)) {
    finishComparison(u, EMPTY_COMPARISON, pops);
    return NO_TRAP;
  }
  const operand = loadFormat(format, bits, 0n);
  const c = compare(u.get(0), operand.value, false);
  const flags = c.codes === UNORDERED ? c.flags : c.flags | operand.flags;
  finishComparison(u, { codes: c.codes, flags }, pops);
  return NO_TRAP;
};

/** FCOMI family: leaves CF, PF and ZF (bits 0, 2, 6) in X87_RESULT, even if an unmasked exception keeps the stack as it was. */
export const compareFlags = (u: X87Unit, source: number, quietNan: number, pops: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  const empty = u.isEmpty(0) || u.isEmpty(source);
  const c = empty ? EMPTY_COMPARISON : compare(u.get(0), u.get(source), quietNan !== 0);
  if (u.accept(c.flags)) u.pop(pops);
  u.machine.state.setInt32(X87_RESULT, (c.codes >> 8) & 0x45, true);
  return NO_TRAP;
};

export const copy = (u: X87Unit, source: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  if (u.isEmpty(source)) {
    if (u.stackFault(false)) u.push(DEFAULT_NAN);
  } else u.deliver(u.get(source));
  return NO_TRAP;
};

export const storeRegister = (u: X87Unit, destination: number, pops: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  const empty = u.isEmpty(0);
  if (empty ? u.stackFault(false) : u.accept(0)) {
    u.set(destination, empty ? DEFAULT_NAN : u.get(0));
    u.pop(pops);
  }
  return NO_TRAP;
};

export const exchange = (u: X87Unit, other: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  const empties = [0, other].filter((i) => u.isEmpty(i));
  if (empties.length > 0) {
    if (!u.stackFault(false)) return NO_TRAP;
    for (const i of empties) u.set(i, DEFAULT_NAN);
  } else u.accept(0);
  const [a, b] = [u.get(0), u.get(other)];
  u.set(0, b);
  u.set(other, a);
  return NO_TRAP;
};

/** FCMOVcc: the condition was evaluated by the lift. */
export const conditionalMove = (u: X87Unit, condition: number, source: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  if (u.isEmpty(0) || u.isEmpty(source)) {
    if (u.stackFault(false)) u.set(0, DEFAULT_NAN);
    return NO_TRAP;
  }
  if (condition !== 0) u.set(0, u.get(source));
  return NO_TRAP;
};

/** FPTAN, FPREM1, FPREM, FSINCOS, FSIN, FCOS. */
const REDUCING = [0x12, 0x15, 0x18, 0x1b, 0x1e, 0x1f];

/** Instructions of the D9 E0–FF rows without operands, by the low 5 bits of their second byte. */
export const unary = (u: X87Unit, code: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  switch (code) {
    case 0x05: // FXAM never faults
      examine(u);
      return NO_TRAP;
    case 0x16: // FDECSTP
      u.accept(0);
      u.top--;
      return NO_TRAP;
    case 0x17: // FINCSTP
      u.accept(0);
      u.top++;
      return NO_TRAP;
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0b:
    case 0x0c:
    case 0x0d:
    case 0x0e:
      u.deliver(constantValue(u, code - 8));
      return NO_TRAP;
  }
  // C2 tells whether the reduction is incomplete, whatever else happens.
  if (REDUCING.includes(code)) u.codes(0, 0x400);
  const two = [0x11, 0x13, 0x15, 0x18, 0x19, 0x1d].includes(code);
  if (u.isEmpty(0) || (two && u.isEmpty(1))) return underflow(u, code);
  const st0 = u.get(0);
  const full = u.control(true);
  const replace = (r: Rounded): number => {
    if (u.accept(r.flags)) u.set(0, r.value);
    return NO_TRAP;
  };
  const replaceAndPop = (r: Rounded): number => {
    if (u.accept(r.flags)) {
      u.set(1, r.value);
      u.pop();
    }
    return NO_TRAP;
  };
  switch (code) {
    case 0x00: // FCHS
      return replace({ value: { se: st0.se ^ 0x8000, sig: st0.sig }, flags: 0 });
    case 0x01: // FABS
      return replace({ value: { se: st0.se & 0x7fff, sig: st0.sig }, flags: 0 });
    case 0x04: // FTST
      finishComparison(u, compare(st0, { se: 0, sig: 0n }, false), 0);
      return NO_TRAP;
    case 0x10: // F2XM1
      return replace(exponential(st0, full));
    case 0x11: // FYL2X
      return replaceAndPop(logarithm(st0, u.get(1), full));
    case 0x12: // FPTAN
      return trigonometricPush(u, 'tan');
    case 0x13: // FPATAN
      return replaceAndPop(arcTangent(u.get(1), st0, full));
    case 0x14: // FXTRACT
      return extractPush(u);
    case 0x15: // FPREM1
    case 0x18: {
      // FPREM
      const r = remainder(st0, u.get(1), code === 0x15, full);
      if (u.accept(r.flags)) {
        u.set(0, r.value);
        if (r.codes !== undefined) u.codes(r.codes, 0x4700);
      }
      return NO_TRAP;
    }
    case 0x19: // FYL2XP1
      return replaceAndPop(logarithmPlusOne(st0, u.get(1), full));
    case 0x1a: // FSQRT
      return replace(squareRoot(st0, u.control()));
    case 0x1b: // FSINCOS
      return trigonometricPush(u, 'sincos');
    case 0x1c: // FRNDINT
      return replace(roundToInteger(st0, u.rounding));
    case 0x1d: // FSCALE
      return replace(scale(st0, u.get(1), full));
    default: {
      // FSIN, FCOS
      const r = trigonometric(st0, full);
      if (!r.outOfRange) replace(code === 0x1e ? r.sin : r.cos);
      else u.accept(0);
      u.codes(r.outOfRange ? 0x400 : 0, 0x400);
      return NO_TRAP;
    }
  }
};

/** Stack underflow of an instruction without operands: what its masked response does to the stack. */
const underflow = (u: X87Unit, code: number): number => {
  const masked = u.stackFault(false);
  if (code === 0x04) u.codes(UNORDERED);
  if (!masked || code === 0x04) return NO_TRAP;
  if (code === 0x11 || code === 0x13 || code === 0x19) {
    u.set(1, DEFAULT_NAN);
    u.pop();
    return NO_TRAP;
  }
  u.set(0, DEFAULT_NAN);
  if (code === 0x12 || code === 0x14 || code === 0x1b) u.push(DEFAULT_NAN);
  return NO_TRAP;
};

const pushFault = (u: X87Unit): boolean => {
  if (u.isEmpty(7)) return false;
  if (u.stackFault(true)) {
    u.set(0, DEFAULT_NAN);
    u.push(DEFAULT_NAN);
  }
  return true;
};

const trigonometricPush = (u: X87Unit, kind: 'tan' | 'sincos'): number => {
  if (pushFault(u)) return NO_TRAP;
  const st0 = u.get(0);
  const r = trigonometric(st0, u.control(true));
  if (r.outOfRange) {
    u.accept(0);
    u.codes(0x400, 0x400);
    return NO_TRAP;
  }
  const first = kind === 'tan' ? r.tan : r.sin;
  const nan = isNan(unpack(first.value).kind);
  const second = kind === 'sincos' ? r.cos : nan ? first : { value: packExact(0, 1n, 0), flags: 0 };
  if (u.accept(first.flags | second.flags)) {
    u.set(0, first.value);
    u.push(second.value);
  }
  u.codes(0, 0x400);
  return NO_TRAP;
};

const extractPush = (u: X87Unit): number => {
  if (pushFault(u)) return NO_TRAP;
  const r = extract(u.get(0));
  if (u.accept(r.flags)) {
    u.set(0, r.exponent);
    u.push(r.significand);
  }
  return NO_TRAP;
};

const examine = (u: X87Unit): void => {
  const raw = u.get(0);
  const sign = raw.se >= 0x8000 ? C1 : 0;
  if (u.isEmpty(0)) {
    u.codes(0x4100 | sign, 0x4700);
    return;
  }
  const a = unpack(raw);
  let code = 0x400;
  if (a.kind === 'unsupported') code = 0;
  else if (isNan(a.kind)) code = 0x100;
  else if (a.kind === 'infinity') code = 0x500;
  else if (a.kind === 'zero') code = 0x4000;
  else if (a.denormal) code = 0x4400;
  u.codes(code | sign, 0x4700);
};

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: 66 bits of each, rounded in the current direction. */
const CONSTANTS: readonly { readonly exponent: number; readonly digits: bigint }[] = [
  { exponent: 16383, digits: 0x8000_0000_0000_0000n << 2n },
  { exponent: 16384, digits: (0xd49a_784b_cd1b_8afen << 2n) | 1n },
  { exponent: 16383, digits: (0xb8aa_3b29_5c17_f0bbn << 2n) | 2n },
  { exponent: 16384, digits: (0xc90f_daa2_2168_c234n << 2n) | 3n },
  { exponent: 16381, digits: (0x9a20_9a84_fbcf_f798n << 2n) | 2n },
  { exponent: 16382, digits: (0xb172_17f7_d1cf_79abn << 2n) | 3n },
  { exponent: 0, digits: 0n },
];

const constantValue = (u: X87Unit, index: number): Float80 => {
  const { exponent, digits } = CONSTANTS[index];
  const low = digits & 3n;
  const nearestUp = u.rounding === 0 && low >= 2n;
  const up = u.rounding === 2 && low !== 0n;
  return { se: exponent, sig: (digits >> 2n) + (nearestUp || up ? 1n : 0n) };
};

export const free = (u: X87Unit, i: number, pops: number): number => {
  const trap = u.begin();
  if (trap !== NO_TRAP) return trap;
  u.accept(0);
  u.free(i);
  u.pop(pops);
  return NO_TRAP;
};
