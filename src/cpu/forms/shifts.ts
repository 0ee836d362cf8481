/** Shifts and rotates (SDM Vol. 1, 5.1.5). Counts are masked to 5 bits, to 6 with 64-bit operands; a masked count of 0 leaves all flags. */
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import type { Uops, Value } from '../uops.ts';

type Shift = (u: Uops, a: Value, count: Value) => { r: Value; flags: () => void };

const bit = (u: Uops, value: Value, at: Value): Value =>
  u.toBool(u.integer('and', u.integer('shr_u', value, at), u.constant(1)));

const top = (u: Uops, value: Value): Value => bit(u, value, u.constant(u.width - 1));

const minus = (u: Uops, a: Value | number, b: Value | number): Value => {
  const value = (x: Value | number): Value => (typeof x === 'number' ? u.constant(x) : x);
  return u.integer('sub', value(a), value(b));
};

const differs = (u: Uops, a: Value, b: Value): Value => u.wasm('i32.xor', a, b);

const shiftLeft: Shift = (u, a, count) => {
  const wide = u.integer('shl', a, count);
  const r = u.truncate(wide, u.width);
  return {
    r,
    flags: () => {
      const cf = u.width === 64 ? bit(u, a, minus(u, 64, count)) : bit(u, wide, u.constant(u.width));
      u.setFlagsExplicit(u.width, r, cf, differs(u, top(u, r), cf));
    },
  };
};

const shiftRight: Shift = (u, a, count) => {
  const r = u.integer('shr_u', a, count);
  return {
    r,
    flags: () => u.setFlagsExplicit(u.width, r, bit(u, a, minus(u, count, 1)), top(u, a)),
  };
};

const shiftArithmetic: Shift = (u, a, count) => {
  const extended = u.signExtend(a, u.width);
  const r = u.truncate(u.integer('shr_s', extended, count), u.width);
  return {
    r,
    flags: () => {
      const cf = u.toBool(u.integer('and', u.integer('shr_s', extended, minus(u, count, 1)), u.constant(1)));
      u.setFlagsExplicit(u.width, r, cf, u.toBool(u.constant(0)));
    },
  };
};

/** Rotation by the count modulo the width. */
const rotated = (u: Uops, a: Value, count: Value, left: boolean): Value => {
  if (u.width === 64) return u.integer(left ? 'rotl' : 'rotr', a, count);
  const by = u.integer('and', count, u.constant(u.width - 1));
  const back = minus(u, u.width, by);
  const shifted = u.integer('or', u.integer('shl', a, left ? by : back), u.integer('shr_u', a, left ? back : by));
  return u.truncate(shifted, u.width);
};

const rotateLeft: Shift = (u, a, count) => {
  const r = rotated(u, a, count, true);
  return {
    r,
    flags: () => {
      const cf = bit(u, r, u.constant(0));
      u.changeFlags({ cf, of: differs(u, top(u, r), cf) });
    },
  };
};

const rotateRight: Shift = (u, a, count) => {
  const r = rotated(u, a, count, false);
  return {
    r,
    flags: () => {
      const cf = top(u, r);
      u.changeFlags({ cf, of: differs(u, cf, bit(u, r, u.constant(u.width - 2))) });
    },
  };
};

/** Rotation of width + 1 bits with CF on top. `count` may be 0 after reduction modulo width + 1: then nothing changes. */
const rotateCarry =
  (left: boolean): Shift =>
  (u, a, count) => {
    const { width } = u;
    const carry = u.fromBool(u.flag('cf'));
    if (width === 64) {
      const rest = minus(u, 64, count);
      const one = u.constant(1);
      const moved = left
        ? u.integer('or', u.integer('shl', a, count), u.integer('shl', carry, minus(u, count, 1)))
        : u.integer('or', u.integer('shr_u', a, count), u.integer('shl', carry, rest));
      const wrapped = left
        ? u.integer('shr_u', u.integer('shr_u', a, one), rest)
        : u.integer('shl', u.integer('shl', a, one), rest);
      const zero = u.compare('eq', count, u.constant(0));
      const r = u.select(zero, a, u.integer('or', moved, wrapped));
      return {
        r,
        flags: () => {
          const cf = bit(u, a, left ? rest : minus(u, count, 1));
          const of = left ? differs(u, top(u, r), cf) : differs(u, top(u, r), bit(u, r, u.constant(62)));
          u.changeFlags({ cf, of });
        },
      };
    }
    const all = u.integer('or', u.integer('shl', carry, u.constant(width)), a);
    const by = u.integer('rem_u', count, u.constant(width + 1));
    const back = minus(u, width + 1, by);
    const turned = u.integer('or', u.integer('shl', all, left ? by : back), u.integer('shr_u', all, left ? back : by));
    const r = u.truncate(turned, width);
    return {
      r,
      flags: () => {
        const cf = bit(u, turned, u.constant(width));
        const of = left ? differs(u, top(u, r), cf) : differs(u, top(u, r), bit(u, r, u.constant(width - 2)));
        u.changeFlags({ cf, of });
      },
    };
  };

const lift =
  (shift: Shift): Lift =>
  (u) => {
    const a = u.readForWrite(0);
    const count = u.integer('and', u.read(1), u.constant(u.width === 64 ? 63 : 31));
    const { r, flags } = shift(u, a, count);
    u.if(u.toBool(count), flags);
    u.write(0, r);
  };

/** SHLD and SHRD: bits come in from operand 1. Counts above the width (16-bit only) are undefined. */
const doubleShift =
  (left: boolean): Lift =>
  (u) => {
    const { width } = u;
    const a = u.readForWrite(0);
    const b = u.read(1);
    const count = u.integer('and', u.read(2), u.constant(width === 64 ? 63 : 31));
    const rest = minus(u, width, count);
    const one = u.constant(1);
    let r: Value;
    if (width === 16) {
      // Both operands as one number, so that counts up to 31 rotate in b's bits again as processors do.
      const joined = u.integer(
        'or',
        u.integer('shl', a, u.constant(32)),
        u.integer('or', u.integer('shl', b, u.constant(16)), a),
      );
      r = u.truncate(u.integer('shr_u', joined, left ? minus(u, 32, count) : count), 16);
    } else {
      const incoming = left
        ? u.integer('shr_u', u.integer('shr_u', b, one), minus(u, width - 1, count))
        : u.integer('shl', u.integer('shl', b, one), minus(u, width - 1, count));
      r = u.truncate(u.integer('or', u.integer(left ? 'shl' : 'shr_u', a, count), incoming), width);
    }
    u.if(u.toBool(count), () => {
      const cf = left ? bit(u, a, rest) : bit(u, a, minus(u, count, 1));
      u.setFlagsExplicit(width, r, cf, differs(u, top(u, r), top(u, a)));
    });
    u.write(0, r);
  };

const GROUP: readonly [string, Shift, string][] = [
  ['rol', rotateLeft, ''],
  ['ror', rotateRight, ''],
  ['rcl', rotateCarry(true), ''],
  ['rcr', rotateCarry(false), ''],
  ['shl', shiftLeft, 'a'],
  ['shr', shiftRight, 'a'],
  ['sal', shiftLeft, 'a'],
  ['sar', shiftArithmetic, 'a'],
];

const DOUBLE: FormOptions = { undefinedFlags: 'oa' };

export const forms: readonly Form[] = [
  ...GROUP.flatMap(([name, shift, flags], i): Form[] => {
    const one: FormOptions = { undefinedFlags: flags };
    const many: FormOptions = { undefinedFlags: `o${flags}` };
    return [
      form(`C0 /${i}`, name, 'Eb,Ib', lift(shift), many),
      form(`C1 /${i}`, name, 'Ev,Ib', lift(shift), many),
      form(`D0 /${i}`, name, 'Eb,1', lift(shift), one),
      form(`D1 /${i}`, name, 'Ev,1', lift(shift), one),
      form(`D2 /${i}`, name, 'Eb,CL', lift(shift), many),
      form(`D3 /${i}`, name, 'Ev,CL', lift(shift), many),
    ];
  }),
  form('0F A4 /r', 'shld', 'Ev,Gv,Ib', doubleShift(true), DOUBLE),
  form('0F A5 /r', 'shld', 'Ev,Gv,CL', doubleShift(true), DOUBLE),
  form('0F AC /r', 'shrd', 'Ev,Gv,Ib', doubleShift(false), DOUBLE),
  form('0F AD /r', 'shrd', 'Ev,Gv,CL', doubleShift(false), DOUBLE),
];
