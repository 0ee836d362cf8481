/**
 * Random straight sequences of two to five instructions, perhaps ended by a jump: engines may translate several
 * instructions as one, drop flags that the next one overwrites and share checks, and a fault in the middle must still show
 * the state as the architecture says it is.
 *
 * Memory operands have fixed addresses or a base register of `BASES`, which the state generator aims into the window. An
 * instruction never reads a flag that one before it left undefined; flags that any of them leaves undefined are not
 * compared at the end.
 */
import { type Form, form } from '../../src/cpu/forms.ts';
import { type Encoding, encode, IMPLIED_MEMORY, isString, transfers } from './encode.ts';
import { BOUNDARIES } from './layout.ts';
import type { Notation } from './notation.ts';
import type { Random } from './random.ts';
import { FAULTS_ANYWHERE } from './undefined.ts';

/** Registers that memory operands of sequences use as base. */
export const BASES: readonly number[] = [5, 12, 13, 14, 15];

/** Instructions that need a prepared state, or whose results are not determined. */
const LEFT_OUT =
  /^(ldmxcsr|fldcw|fldenv|frstor|fxrstor|fxsave|fn?save|fn?stenv|popf|pushf|lahf|enter|leave|xlat|maskmov.*|sh[lr]d|call|ret|retn|loop.*|cmpxchg(8|16)b|fu?comip?|f2xm1|fyl2x.*|int3?)$/;

const CONDITIONS: Readonly<Record<string, string>> = {
  o: 'o',
  no: 'o',
  b: 'c',
  ae: 'c',
  e: 'z',
  ne: 'z',
  be: 'cz',
  a: 'cz',
  s: 's',
  ns: 's',
  p: 'p',
  np: 'p',
  l: 'so',
  ge: 'so',
  le: 'zso',
  g: 'zso',
};

/** Status flags an instruction reads. */
function reads(mnemonic: string): string {
  const conditional = /^(?:j|set|cmov)(n?[ospe]|ae|be|[abgl]e?)$/.exec(mnemonic)?.[1];
  if (conditional !== undefined) return CONDITIONS[conditional] ?? 'cozsap';
  if (/^(adc|sbb|rc[lr]|cmc)$/.test(mnemonic)) return 'c';
  if (/^fcmov/.test(mnemonic)) return 'czp';
  return '';
}

const DEFINES_ALL = /^(add|adc|sub|sbb|cmp|neg|xadd|cmpxchg|scas|cmps|popcnt|u?comis[sd]|ptest|pcmp[ei]str[im])$/;

/** Flags that an instruction may leave undefined. */
function leavesUndefined({ mnemonic, options, operands }: Form): string {
  if (/^(sh[lr]|sa[lr])$/.test(mnemonic)) return operands.at(-1) === '1' ? 'a' : 'oac';
  if (/^(ro[lr]|rc[lr])$/.test(mnemonic)) return operands.at(-1) === '1' ? '' : 'o';
  return options.undefinedFlags ?? '';
}

export interface Sequences {
  encode(address: number, random: Random): Encoding;
}

/** A generator of sequences over these forms. */
export function sequences(forms: readonly Form[], notations: readonly Notation[]): Sequences {
  const usable = forms
    .map((f, i) => ({ form: f, notation: notations[i]! }))
    .filter(
      ({ form: f }) =>
        !LEFT_OUT.test(f.mnemonic) &&
        !FAULTS_ANYWHERE.test(f.mnemonic) &&
        f.options.approximate === undefined &&
        (!IMPLIED_MEMORY.test(f.mnemonic) || isString(f)),
    );
  const inner = usable.filter(({ form: f }) => !transfers(f));
  const jumps = usable.filter(({ form: f }) => f.operands[0]?.startsWith('J'));
  // Half of the instructions are of the integer set, whatever share of the forms that is.
  const integer = inner.filter(
    ({ form: f }) => f.options.feature === undefined && !/^(66 |F2 |F3 |NP )?0F/.test(f.opcode),
  );

  return {
    encode(address, random) {
      const length = 2 + random.below(4);
      const parts: Encoding[] = [];
      const bytes: number[] = [];
      let undefinedNow = '';
      let undefinedEver = '';
      const page = random.chance(80) ? BOUNDARIES[0] : random.pick(BOUNDARIES);
      for (let tries = 0; parts.length < length && tries < 50; tries++) {
        const last = parts.length === length - 1 && jumps.length > 0 && random.chance(40);
        const from = last ? jumps : integer.length > 0 && random.chance(50) ? integer : inner;
        if (from.length === 0) break;
        const { form: f, notation } = random.pick(from);
        const { mnemonic } = f;
        if ([...reads(mnemonic)].some((flag) => undefinedNow.includes(flag))) continue;
        const part = encode(f, address + bytes.length, random, notation, { page, bases: BASES, start: address });
        parts.push(part);
        bytes.push(...part.bytes);
        if (DEFINES_ALL.test(mnemonic)) undefinedNow = '';
        undefinedNow += leavesUndefined(f);
        undefinedEver += leavesUndefined(f);
        if (last) break;
      }
      const name = parts.map((part) => part.form.mnemonic).join('; ');
      const first = parts[0]!;
      return {
        ...first,
        form: form(first.form.opcode, name, '', () => {}, {
          undefinedFlags: undefinedEver,
          ends: transfers(parts.at(-1)!.form),
        }),
        bytes: Uint8Array.from(bytes),
        memory: undefined,
        repeat: '',
        address32: false,
        segment: '',
        rm: -1,
        reg: -1,
        space: 'low',
        parts,
        page,
        variant: name,
      };
    },
  };
}
