/** ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, multiplication and division (SDM Vol. 1, 5.1.2). */
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import { Reg } from '../state.ts';
import type { Uops, Value } from '../uops.ts';

const LOCK: FormOptions = { lockable: true };

const add =
  (carry: boolean): Lift =>
  (u) => {
    const a = u.readForWrite(0);
    const b = u.read(1);
    let sum = u.integer('add', a, b);
    if (carry) sum = u.integer('add', sum, u.fromBool(u.flag('cf')));
    const r = u.truncate(sum, u.width);
    u.write(0, r);
    u.setFlags('add', u.width, a, b, r);
  };

const subtract =
  (borrow: boolean): Lift =>
  (u) => {
    const a = u.readForWrite(0);
    const b = u.read(1);
    let difference = u.integer('sub', a, b);
    if (borrow) difference = u.integer('sub', difference, u.fromBool(u.flag('cf')));
    const r = u.truncate(difference, u.width);
    u.write(0, r);
    u.setFlags(borrow ? 'borrow' : 'sub', u.width, a, b, r);
  };

const compare: Lift = (u) => {
  const a = u.read(0);
  const b = u.read(1);
  u.setFlags('sub', u.width, a, b, u.truncate(u.integer('sub', a, b), u.width));
};

const logic =
  (op: 'and' | 'or' | 'xor'): Lift =>
  (u) => {
    const a = u.readForWrite(0);
    const b = u.read(1);
    const r = u.integer(op, a, b);
    u.write(0, r);
    u.setFlags('logic', u.width, a, b, r);
  };

const test: Lift = (u) => {
  const a = u.read(0);
  const b = u.read(1);
  u.setFlags('logic', u.width, a, b, u.integer('and', a, b));
};

/** The eight operations of opcodes 00–3F in order, with their six encodings and group 1. */
const BINARY: readonly [string, Lift, string][] = [
  ['add', add(false), ''],
  ['or', logic('or'), 'a'],
  ['adc', add(true), ''],
  ['sbb', subtract(true), ''],
  ['and', logic('and'), 'a'],
  ['sub', subtract(false), ''],
  ['xor', logic('xor'), 'a'],
  ['cmp', compare, ''],
];

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

const binary = BINARY.flatMap(([name, lift, undefinedFlags], i): Form[] => {
  const lock: FormOptions = { lockable: name !== 'cmp', undefinedFlags };
  const plain: FormOptions = { undefinedFlags };
  const op = i * 8;
  return [
    form(`${hex(op)} /r`, name, 'Eb,Gb', lift, lock),
    form(`${hex(op + 1)} /r`, name, 'Ev,Gv', lift, lock),
    form(`${hex(op + 2)} /r`, name, 'Gb,Eb', lift, plain),
    form(`${hex(op + 3)} /r`, name, 'Gv,Ev', lift, plain),
    form(hex(op + 4), name, 'AL,Ib', lift, plain),
    form(hex(op + 5), name, 'rAX,Iz', lift, plain),
    form(`80 /${i}`, name, 'Eb,Ib', lift, lock),
    form(`81 /${i}`, name, 'Ev,Iz', lift, lock),
    form(`83 /${i}`, name, 'Ev,Ib', lift, lock),
  ];
});

const step =
  (rule: 'inc' | 'dec'): Lift =>
  (u) => {
    const a = u.readForWrite(0);
    const one = u.constant(1);
    const r = u.truncate(u.integer(rule === 'inc' ? 'add' : 'sub', a, one), u.width);
    u.write(0, r);
    u.setFlags(rule, u.width, a, one, r);
  };

const negate: Lift = (u) => {
  const a = u.readForWrite(0);
  const zero = u.constant(0);
  const r = u.truncate(u.integer('sub', zero, a), u.width);
  u.write(0, r);
  u.setFlags('sub', u.width, zero, a, r);
};

const not: Lift = (u) => {
  u.write(0, u.truncate(u.not(u.readForWrite(0)), u.width));
};

/** CF and OF as multiplications set them; the rest is undefined and follows the low half. */
const productFlags = (u: Uops, low: Value, overflow: Value): void => {
  u.setFlagsExplicit(u.width, low, overflow, overflow);
};

/** MUL and one-operand IMUL: rDX:rAX, or AX for bytes. */
const multiply =
  (signed: boolean): Lift =>
  (u) => {
    const { width } = u;
    const a = u.register(Reg.RAX, width);
    const b = u.read(0);
    if (width === 64) {
      const low = u.integer('mul', a, b);
      const high = u.multiplyHigh(signed, a, b);
      u.setRegister(Reg.RAX, 64, low);
      u.setRegister(Reg.RDX, 64, high);
      const expected = signed ? u.integer('shr_s', low, u.constant(63)) : u.constant(0);
      productFlags(u, low, u.compare('ne', high, expected));
      return;
    }
    const product = signed ? u.integer('mul', u.signExtend(a, width), u.signExtend(b, width)) : u.integer('mul', a, b);
    const low = u.truncate(product, width);
    const fits = signed ? u.signExtend(product, width) : low;
    if (width === 8) u.setRegister(Reg.RAX, 16, product);
    else {
      u.setRegister(Reg.RAX, width, low);
      u.setRegister(Reg.RDX, width, u.truncate(u.integer('shr_u', product, u.constant(width)), width));
    }
    productFlags(u, low, u.compare('ne', product, fits));
  };

/** Two- and three-operand IMUL: destination operand 0, factors `a` and `b`. */
const multiplyInto =
  (a: number, b: number): Lift =>
  (u) => {
    const { width } = u;
    const x = u.signExtend(u.read(a), width);
    const y = u.signExtend(u.read(b), width);
    const product = u.integer('mul', x, y);
    const low = u.truncate(product, width);
    const overflow =
      width === 64
        ? u.compare('ne', u.multiplyHigh(true, x, y), u.integer('shr_s', product, u.constant(63)))
        : u.compare('ne', product, u.signExtend(product, width));
    u.write(0, low);
    productFlags(u, low, overflow);
  };

const divide =
  (signed: boolean): Lift =>
  (u) => {
    const { width } = u;
    const divisor = u.read(0);
    if (width === 8) {
      const ax = u.register(Reg.RAX, 16);
      const high = u.integer('shr_u', ax, u.constant(8));
      const { quotient, remainder } = u.divide(signed, 8, high, u.truncate(ax, 8), divisor);
      u.setRegister(Reg.RAX, 16, u.integer('or', u.integer('shl', remainder, u.constant(8)), quotient));
      return;
    }
    const high = u.register(Reg.RDX, width);
    const { quotient, remainder } = u.divide(signed, width, high, u.register(Reg.RAX, width), divisor);
    u.setRegister(Reg.RAX, width, quotient);
    u.setRegister(Reg.RDX, width, remainder);
  };

const PRODUCT: FormOptions = { undefinedFlags: 'szap' };
const QUOTIENT: FormOptions = { undefinedFlags: 'cozsap' };

export const forms: readonly Form[] = [
  ...binary,
  form('84 /r', 'test', 'Eb,Gb', test, { undefinedFlags: 'a' }),
  form('85 /r', 'test', 'Ev,Gv', test, { undefinedFlags: 'a' }),
  form('A8', 'test', 'AL,Ib', test, { undefinedFlags: 'a' }),
  form('A9', 'test', 'rAX,Iz', test, { undefinedFlags: 'a' }),
  form('F6 /0', 'test', 'Eb,Ib', test, { undefinedFlags: 'a' }),
  form('F7 /0', 'test', 'Ev,Iz', test, { undefinedFlags: 'a' }),
  form('F6 /1', 'test', 'Eb,Ib', test, { undefinedFlags: 'a' }),
  form('F7 /1', 'test', 'Ev,Iz', test, { undefinedFlags: 'a' }),
  form('FE /0', 'inc', 'Eb', step('inc'), LOCK),
  form('FF /0', 'inc', 'Ev', step('inc'), LOCK),
  form('FE /1', 'dec', 'Eb', step('dec'), LOCK),
  form('FF /1', 'dec', 'Ev', step('dec'), LOCK),
  form('F6 /2', 'not', 'Eb', not, LOCK),
  form('F7 /2', 'not', 'Ev', not, LOCK),
  form('F6 /3', 'neg', 'Eb', negate, LOCK),
  form('F7 /3', 'neg', 'Ev', negate, LOCK),
  form('F6 /4', 'mul', 'Eb', multiply(false), PRODUCT),
  form('F7 /4', 'mul', 'Ev', multiply(false), PRODUCT),
  form('F6 /5', 'imul', 'Eb', multiply(true), PRODUCT),
  form('F7 /5', 'imul', 'Ev', multiply(true), PRODUCT),
  form('F6 /6', 'div', 'Eb', divide(false), QUOTIENT),
  form('F7 /6', 'div', 'Ev', divide(false), QUOTIENT),
  form('F6 /7', 'idiv', 'Eb', divide(true), QUOTIENT),
  form('F7 /7', 'idiv', 'Ev', divide(true), QUOTIENT),
  form('0F AF /r', 'imul', 'Gv,Ev', multiplyInto(0, 1), PRODUCT),
  form('69 /r', 'imul', 'Gv,Ev,Iz', multiplyInto(1, 2), PRODUCT),
  form('6B /r', 'imul', 'Gv,Ev,Ib', multiplyInto(1, 2), PRODUCT),
];
