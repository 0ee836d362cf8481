/** PUSH, POP, ENTER, LEAVE and the flag instructions that use the stack or AH (SDM Vol. 1, 5.1.1 and 5.1.12). */
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import { Reg, RFLAGS_OTHER } from '../state.ts';
import type { Uops, Value } from '../uops.ts';

const STACK: FormOptions = { default64: true };
const WORDS: FormOptions = { widths: [16, 64] };

const below = (u: Uops, pointer: Value, bytes: number): Value => u.integer('sub', pointer, u.constant(bytes));
const above = (u: Uops, pointer: Value, bytes: number): Value => u.integer('add', pointer, u.constant(bytes));

const pushValue = (u: Uops, value: Value): void => {
  const pointer = below(u, u.register(Reg.RSP, 64), u.width / 8);
  u.store(pointer, u.width, value);
  u.setRegister(Reg.RSP, 64, pointer);
};

const push: Lift = (u) => pushValue(u, u.read(0));
const pushImmediate: Lift = (u) => pushValue(u, u.truncate(u.immediate(0), u.width));

/** The address of a memory destination is computed with RSP already incremented. */
const pop: Lift = (u) => {
  const pointer = u.register(Reg.RSP, 64);
  const value = u.load(pointer, u.width);
  const after = above(u, pointer, u.width / 8);
  u.setRegister(Reg.RSP, 64, after);
  if (!u.isMemory(0)) {
    u.write(0, value);
    return;
  }
  const address = u.address(0);
  u.setRegister(Reg.RSP, 64, pointer);
  u.store(address, u.width, value);
  u.setRegister(Reg.RSP, 64, after);
};

const leave: Lift = (u) => {
  const frame = u.register(Reg.RBP, 64);
  const saved = u.load(frame, u.width);
  u.setRegister(Reg.RBP, u.width, saved);
  u.setRegister(Reg.RSP, 64, above(u, frame, u.width / 8));
};

/** ENTER size, level: copies up to 31 frame pointers of the enclosing frames. */
const enter: Lift = (u) => {
  const { width } = u;
  const bytes = width / 8;
  const start = u.register(Reg.RSP, 64);
  const frame = u.register(Reg.RBP, 64);
  const level = u.integer('and', u.immediate(1), u.constant(31));
  const pushed = below(u, start, bytes);
  u.store(pushed, width, u.truncate(frame, width));
  const pointer = u.variable(pushed);
  for (let i = 1; i < 31; i++) {
    u.if(u.compare('gt_u', level, u.constant(i)), () => {
      const value = u.load(below(u, frame, i * bytes), width);
      const next = below(u, u.get(pointer), bytes);
      u.store(next, width, value);
      u.set(pointer, next);
    });
  }
  u.if(u.toBool(level), () => {
    const next = below(u, u.get(pointer), bytes);
    u.store(next, width, u.truncate(pushed, width));
    u.set(pointer, next);
  });
  const top = u.integer('sub', u.get(pointer), u.integer('and', u.immediate(0), u.constant(0xffff)));
  u.prepareStore(top, bytes);
  u.setRegister(Reg.RBP, width, u.truncate(pushed, width));
  u.setRegister(Reg.RSP, 64, top);
};

const pushFlags: Lift = (u) => pushValue(u, u.truncate(u.rflags(), u.width));

const popFlags: Lift = (u) => {
  const pointer = u.register(Reg.RSP, 64);
  let value = u.load(pointer, u.width);
  u.setRegister(Reg.RSP, 64, above(u, pointer, u.width / 8));
  if (u.width === 16) {
    const upper = u.integer('and', u.state(RFLAGS_OTHER, 32), u.constant(0xffff_0000));
    value = u.integer('or', value, upper);
  }
  u.setRflags(value);
};

/** LAHF: SF ZF 0 AF 0 PF 1 CF in AH. */
const loadFlags: Lift = (u) => {
  const flags = u.integer('and', u.rflags(), u.constant(0xd7));
  const rest = u.integer('and', u.register(Reg.RAX, 16), u.constant(0xff));
  u.setRegister(Reg.RAX, 16, u.integer('or', u.integer('shl', flags, u.constant(8)), rest));
};

const storeFlags: Lift = (u) => {
  const ah = u.integer('shr_u', u.register(Reg.RAX, 16), u.constant(8));
  const bit = (n: number): Value => u.toBool(u.integer('and', ah, u.constant(1 << n)));
  u.changeFlags({ cf: bit(0), pf: bit(2), af: bit(4), zf: bit(6), sf: bit(7) });
};

const setCarry: Lift = (u) => u.changeFlags({ cf: u.toBool(u.constant(1)) });
const clearCarry: Lift = (u) => u.changeFlags({ cf: u.toBool(u.constant(0)) });
const complementCarry: Lift = (u) => u.changeFlags({ cf: u.not(u.flag('cf')) });

const DIRECTION = 0x400;
const setDirection: Lift = (u) =>
  u.setState(RFLAGS_OTHER, 32, u.integer('or', u.state(RFLAGS_OTHER, 32), u.constant(DIRECTION)));
const clearDirection: Lift = (u) =>
  u.setState(RFLAGS_OTHER, 32, u.integer('and', u.state(RFLAGS_OTHER, 32), u.constant(~DIRECTION)));

/** FS and GS hold the null selector. */
const pushSegment: Lift = (u) => pushValue(u, u.constant(0));

export const forms: readonly Form[] = [
  form('50+r', 'push', 'Zv', push, STACK),
  form('58+r', 'pop', 'Zv', pop, STACK),
  form('68', 'push', 'Iz', pushImmediate, STACK),
  form('6A', 'push', 'Ib', pushImmediate, STACK),
  form('FF /6', 'push', 'Ev', push, STACK),
  form('8F /0', 'pop', 'Ev', pop, STACK),
  form('0F A0', 'push', 'FS', pushSegment, { widths: [16, 64] }),
  form('0F A8', 'push', 'GS', pushSegment, { widths: [16, 64] }),
  form('C8', 'enter', 'Iw,Ib', enter, STACK),
  form('C9', 'leave', '', leave, STACK),
  form('9C', 'pushf', '', pushFlags, WORDS),
  form('9D', 'popf', '', popFlags, WORDS),
  form('9E', 'sahf', '', storeFlags, { widths: [8] }),
  form('9F', 'lahf', '', loadFlags, { widths: [8] }),
  form('F5', 'cmc', '', complementCarry),
  form('F8', 'clc', '', clearCarry),
  form('F9', 'stc', '', setCarry),
  form('FC', 'cld', '', clearDirection),
  form('FD', 'std', '', setDirection),
];
