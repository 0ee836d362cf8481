/**
 * What the manual leaves undefined, and processors differ in: flags and results of an instance that must not be compared.
 * Asked only when something differs. Where it depends on the state (shift counts) the rule is here, else in the form's
 * `undefinedFlags`.
 */
import { FSW, Reg, X87 } from '../../src/cpu/state.ts';
import type { Encoding } from './encode.ts';

export const FLAG_BITS: Readonly<Record<string, number>> = { cf: 1, pf: 4, af: 16, zf: 64, sf: 128, of: 2048 };
const ALL = 0x8d5;
/** Bits of the x87 status word: rounded up, precision, underflow. */
const C1 = 0x200;
const PE = 0x20;
const UE = 0x10;
const SUMMARY = 0x8080;

export interface Ignored {
  /** RFLAGS bits. */
  flags: number;
  /** Bits of the x87 status word. */
  status: number;
  /** Everything: the destination is undefined. */
  all: boolean;
  /** Stretches [from, to) of memory relative to the operand's address. */
  memory: readonly (readonly [number, number])[];
}

/** FIP, FDP and FOP are kept by each vendor's rules; MXCSR_MASK and reserved bytes are the processor's own. */
const IMAGES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  fxsave: [
    [6, 24],
    [28, 32],
    [42, 48],
    [58, 64],
    [74, 80],
    [90, 96],
    [106, 112],
    [122, 128],
    [138, 144],
    [154, 160],
  ],
  fnstenv16: [[6, 14]],
  fnstenv32: [
    [2, 4],
    [6, 8],
    [10, 28],
  ],
};

export function ignoredParts(encoding: Encoding, context: DataView): Ignored {
  const { form, width } = encoding;
  const { mnemonic } = form;
  const result: Ignored = { flags: 0, status: 0, all: false, memory: [] };
  const shift = /^(sh[lr]d?|sa[lr]|ro[lr]|rc[lr])$/.exec(mnemonic);
  if (shift) {
    const operand = form.operands.at(-1);
    const raw = operand === 'CL' ? context.getUint8(8 * Reg.RCX) : operand === 'Ib' ? encoding.immediate : 1;
    const count = raw & (width === 64 ? 63 : 31);
    if (count === 0) return result;
    const double = mnemonic === 'shld' || mnemonic === 'shrd';
    if (double && count > width) {
      result.all = true;
      return result;
    }
    if (count !== 1) result.flags |= FLAG_BITS['of']!;
    if (!/^r/.test(mnemonic)) result.flags |= FLAG_BITS['af']!;
    if (/^(shl|sal|shr)$/.test(mnemonic) && count >= width) result.flags |= FLAG_BITS['cf']!;
    return result;
  }
  for (const letter of form.options.undefinedFlags ?? '') result.flags |= FLAG_BITS[`${letter}f`]!;
  if (/^i?div$/.test(mnemonic)) result.flags = ALL;
  // The manual clears C1 here; the host leaves it.
  if (/^fu?comip?$/.test(mnemonic)) result.status = C1;
  // Always inexact on the host, even if the result happens to be exact.
  if (form.options.approximate === 'extended') result.status = C1 | PE | UE | SUMMARY;
  if (mnemonic === 'fyl2xp1' && outsideLogarithm(context)) result.all = true;
  if (mnemonic.startsWith('fxsave')) result.memory = IMAGES['fxsave']!;
  else if (/^fn?(stenv|save)$/.test(mnemonic)) result.memory = IMAGES[width === 16 ? 'fnstenv16' : 'fnstenv32']!;
  return result;
}

/** FYL2XP1 is defined for |ST(0)| up to 1 − √2/2 only. */
function outsideLogarithm(context: DataView): boolean {
  const at = X87 + 16 * ((context.getUint16(FSW, true) >> 11) & 7);
  const exponent = context.getUint16(at + 8, true) & 0x7fff;
  return exponent > 0x3ffd || (exponent === 0x3ffd && context.getBigUint64(at, true) > 0x95f61998_0c4336f7n);
}

/** Several accesses in one instruction: which of them faults first is the processor's choice. */
export const FAULTS_ANYWHERE =
  /^(fn?save|fn?stenv|fldenv|frstor|fxsave|fxrstor|fxsave64|fxrstor64|maskmov(q|dqu)|cmps|retf|iret)$/;
/** MMX instructions that may have switched the x87 state to MMX before they fault. */
export const SWITCHES_BEFORE_FAULT = /^(maskmovq|cvt[a-z]+2pi|cvtpi2[a-z]+)$/;
