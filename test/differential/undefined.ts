/**
 * What the manual leaves undefined, and processors differ in: flags and results of an instance that must not be compared.
 * Asked only when something differs. Where it depends on the state (shift counts) the rule is here, else in the form's
 * `undefinedFlags`.
 */
import { Reg } from '../../src/cpu/state.ts';
import type { Encoding } from './encode.ts';

export const FLAG_BITS: Readonly<Record<string, number>> = { cf: 1, pf: 4, af: 16, zf: 64, sf: 128, of: 2048 };
const ALL = 0x8d5;

export interface Ignored {
  /** RFLAGS bits. */
  flags: number;
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
  const result: Ignored = { flags: 0, all: false, memory: [] };
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
  if (mnemonic.startsWith('fxsave')) result.memory = IMAGES['fxsave']!;
  else if (/^fn?(stenv|save)$/.test(mnemonic)) result.memory = IMAGES[width === 16 ? 'fnstenv16' : 'fnstenv32']!;
  return result;
}

/** Several accesses in one instruction: which of them faults first is the processor's choice. */
export const FAULTS_ANYWHERE =
  /^(fn?save|fn?stenv|fldenv|frstor|fxsave|fxrstor|fxsave64|fxrstor64|maskmov(q|dqu)|cmps)$/;
/** MMX instructions that may have switched the x87 state to MMX before they fault. */
export const SWITCHES_BEFORE_FAULT = /^(maskmovq|cvt[a-z]+2pi|cvtpi2[a-z]+)$/;
