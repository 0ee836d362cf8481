/**
 * String instructions (SDM Vol. 1, 5.1.8). A repeat prefix does one element a round and executes the instruction again, so
 * that it can be interrupted and faults are precise; MOVS and STOS going forward do as much of a page as they can at once.
 */
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import { Reg, RFLAGS_OTHER } from '../state.ts';
import type { Uops, Value } from '../uops.ts';

const DIRECTION = 0x400;
const TRAP = 0x100;
const LOG2: Record<number, number> = { 8: 0, 16: 1, 32: 2, 64: 3 };

const backward = (u: Uops): Value => u.toBool(u.integer('and', u.state(RFLAGS_OTHER, 32), u.constant(DIRECTION)));

/** Moves a pointer register by `elements` elements in the direction of DF (forward if `bulk`). */
const advance = (u: Uops, register: Reg, down: Value): void => {
  const bytes = u.width / 8;
  const step = u.select(down, u.constant(-bytes), u.constant(bytes));
  const moved = u.integer('add', u.register(register, u.addressWidth), step);
  u.setRegister(register, u.addressWidth, u.truncate(moved, u.addressWidth));
};

const source = (u: Uops): Value => u.integer('add', u.register(Reg.RSI, u.addressWidth), u.segmentBase());
const destination = (u: Uops): Value => u.register(Reg.RDI, u.addressWidth);

/** Repeats `element` rCX times; `goOn`, if given, must hold after an element for another one. */
const repeat = (u: Uops, element: () => void, goOn?: () => Value): void => {
  if (u.repeat === 'none') {
    element();
    return;
  }
  const count = u.register(Reg.RCX, u.addressWidth);
  u.if(u.compare('ne', count, u.constant(0)), () => {
    element();
    const rest = u.integer('sub', count, u.constant(1));
    u.setRegister(Reg.RCX, u.addressWidth, rest);
    let more = u.toBool(rest);
    if (goOn !== undefined) more = u.wasm('i32.and', more, goOn());
    u.if(more, () => u.again());
  });
};

/** Tries to do many elements by a runtime function; `single` does one otherwise. */
const bulk = (u: Uops, name: string, operand: () => Value, moves: readonly Reg[], single: () => void): void => {
  if (u.repeat === 'none' || u.addressWidth === 32) {
    repeat(u, single);
    return;
  }
  const count = u.register(Reg.RCX, 64);
  const done = u.variable(u.constant(0));
  // Not while single-stepping, which stops after each element.
  const hindered = u.toBool(u.integer('and', u.state(RFLAGS_OTHER, 32), u.constant(DIRECTION | TRAP)));
  const worth = u.wasm('i32.and', u.compare('gt_u', count, u.constant(1)), u.not(hindered));
  u.if(worth, () => {
    u.set(done, u.helper(name, destination(u), operand(), count, u.constant(LOG2[u.width])));
    const bytes = u.integer('shl', u.get(done), u.constant(LOG2[u.width]));
    for (const register of moves) u.setRegister(register, 64, u.integer('add', u.register(register, 64), bytes));
    const rest = u.integer('sub', count, u.get(done));
    u.setRegister(Reg.RCX, 64, rest);
    u.if(u.wasm('i32.and', u.toBool(u.get(done)), u.toBool(rest)), () => u.again());
  });
  u.if(u.not(u.toBool(u.get(done))), () => repeat(u, single));
};

const move: Lift = (u) =>
  bulk(
    u,
    'string.move',
    () => source(u),
    [Reg.RSI, Reg.RDI],
    () => {
      const value = u.load(source(u), u.width);
      u.store(destination(u), u.width, value);
      const down = backward(u);
      advance(u, Reg.RSI, down);
      advance(u, Reg.RDI, down);
    },
  );

const store: Lift = (u) =>
  bulk(
    u,
    'string.fill',
    () => u.register(Reg.RAX, u.width),
    [Reg.RDI],
    () => {
      u.store(destination(u), u.width, u.register(Reg.RAX, u.width));
      advance(u, Reg.RDI, backward(u));
    },
  );

const loadString: Lift = (u) =>
  repeat(u, () => {
    u.setRegister(Reg.RAX, u.width, u.load(source(u), u.width));
    advance(u, Reg.RSI, backward(u));
  });

const whileEqual = (u: Uops): Value => (u.repeat === 'repe' ? u.flag('zf') : u.not(u.flag('zf')));

const compareStrings: Lift = (u) =>
  repeat(
    u,
    () => {
      const a = u.load(source(u), u.width);
      const b = u.load(destination(u), u.width);
      u.setFlags('sub', u.width, a, b, u.truncate(u.integer('sub', a, b), u.width));
      const down = backward(u);
      advance(u, Reg.RSI, down);
      advance(u, Reg.RDI, down);
    },
    () => whileEqual(u),
  );

const scan: Lift = (u) =>
  repeat(
    u,
    () => {
      const a = u.register(Reg.RAX, u.width);
      const b = u.load(destination(u), u.width);
      u.setFlags('sub', u.width, a, b, u.truncate(u.integer('sub', a, b), u.width));
      advance(u, Reg.RDI, backward(u));
    },
    () => whileEqual(u),
  );

const BYTES: FormOptions = { widths: [8], repeat: 'rep' };
const WIDE: FormOptions = { widths: [16, 32, 64], repeat: 'rep' };
const BYTES_WHILE: FormOptions = { widths: [8], repeat: 'repe' };
const WIDE_WHILE: FormOptions = { widths: [16, 32, 64], repeat: 'repe' };

export const forms: readonly Form[] = [
  form('A4', 'movs', 'Yb,Xb', move, BYTES),
  form('A5', 'movs', 'Yv,Xv', move, WIDE),
  form('A6', 'cmps', 'Xb,Yb', compareStrings, BYTES_WHILE),
  form('A7', 'cmps', 'Xv,Yv', compareStrings, WIDE_WHILE),
  form('AA', 'stos', 'Yb,AL', store, BYTES),
  form('AB', 'stos', 'Yv,rAX', store, WIDE),
  form('AC', 'lods', 'AL,Xb', loadString, BYTES),
  form('AD', 'lods', 'rAX,Xv', loadString, WIDE),
  form('AE', 'scas', 'AL,Yb', scan, BYTES_WHILE),
  form('AF', 'scas', 'rAX,Yv', scan, WIDE_WHILE),
];
