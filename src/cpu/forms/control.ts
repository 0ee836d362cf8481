/** Jumps, calls, returns, loops, and instructions that trap always (SDM Vol. 1, 5.1.7). */
import { Trap } from '../engine.ts';
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import { Reg, TRAP_CODE } from '../state.ts';
import type { Condition, Uops, Value } from '../uops.ts';
import { CONDITIONS } from './moves.ts';

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

const NEAR: FormOptions = { widths: [64] };
const LAST: FormOptions = { widths: [64], ends: true };

/** #GP at the transfer itself if the target is not canonical. */
const requireCanonical = (u: Uops, target: Value): void =>
  u.trapIf(
    u.toBool(u.integer('shr_u', u.integer('add', target, u.constant(1n << 47n)), u.constant(48))),
    Trap.GeneralProtection,
  );

const jumpIndirect: Lift = (u) => {
  const target = u.read(0);
  requireCanonical(u, target);
  u.jump(target, 'jump');
};

/** Pushes the return address. */
const pushReturn = (u: Uops): void => {
  const pointer = u.integer('sub', u.register(Reg.RSP, 64), u.constant(8));
  u.store(pointer, 64, u.nextPointer());
  u.setRegister(Reg.RSP, 64, pointer);
};

const jumpOn =
  (code: Condition): Lift =>
  (u) =>
    u.branchRelative(0, u.condition(code));

const callRelative: Lift = (u) => {
  pushReturn(u);
  u.jumpRelative(0, 'call');
};

const callIndirect: Lift = (u) => {
  const target = u.read(0);
  requireCanonical(u, target);
  pushReturn(u);
  u.jump(target, 'call');
};

const returnNear =
  (releases: boolean): Lift =>
  (u) => {
    const pointer = u.register(Reg.RSP, 64);
    const target = u.load(pointer, 64);
    requireCanonical(u, target);
    let after = u.integer('add', pointer, u.constant(8));
    if (releases) after = u.integer('add', after, u.read(0));
    u.setRegister(Reg.RSP, 64, after);
    u.jump(target, 'return');
  };

/** LOOP, LOOPE, LOOPNE: counts rCX (ECX with prefix 67) down. */
const loop =
  (zero: 'any' | 'set' | 'clear'): Lift =>
  (u) => {
    const width = u.addressWidth;
    const count = u.truncate(u.integer('sub', u.register(Reg.RCX, width), u.constant(1)), width);
    u.setRegister(Reg.RCX, width, count);
    let taken: Value = u.toBool(count);
    if (zero !== 'any') {
      const flag = u.flag('zf');
      taken = u.wasm('i32.and', taken, zero === 'set' ? flag : u.not(flag));
    }
    u.branchRelative(0, taken);
  };

const jumpIfCountZero: Lift = (u) => {
  u.branchRelative(0, u.compare('eq', u.register(Reg.RCX, u.addressWidth), u.constant(0)));
};

/** User mode may only return to its own code segment; any other selector is #GP. */
const CODE_SELECTOR = 0x33;

const returnFar =
  (releases: boolean): Lift =>
  (u) => {
    const { width } = u;
    const bytes = width / 8;
    const pointer = u.register(Reg.RSP, 64);
    const target = u.load(pointer, width);
    const selector = u.load(u.integer('add', pointer, u.constant(bytes)), width);
    u.trapIf(u.compare('ne', u.truncate(selector, 16), u.constant(CODE_SELECTOR)), Trap.GeneralProtection);
    requireCanonical(u, target);
    let after = u.integer('add', pointer, u.constant(2 * bytes));
    if (releases) after = u.integer('add', after, u.read(0));
    u.setRegister(Reg.RSP, 64, after);
    u.jump(target, 'return');
  };

/** IRETQ to the same privilege level: RIP, CS, RFLAGS, RSP, SS. */
const returnFromInterrupt: Lift = (u) => {
  const { width } = u;
  const pointer = u.register(Reg.RSP, 64);
  const [target, selector, flags, stack] = [0, 1, 2, 3, 4].map((i) =>
    u.load(u.integer('add', pointer, u.constant((i * width) / 8)), width),
  );
  u.trapIf(u.compare('ne', u.truncate(selector, 16), u.constant(CODE_SELECTOR)), Trap.GeneralProtection);
  requireCanonical(u, target);
  u.setRflags(flags);
  u.setRegister(Reg.RSP, 64, stack);
  u.jump(target, 'return');
};

const raise =
  (kind: Trap): Lift =>
  (u) =>
    u.trap(kind);

const protection = raise(Trap.GeneralProtection);
const invalid = raise(Trap.InvalidOpcode);
const TRAPS = { ends: true };
const FAR = { ends: true, untested: 'may load a selector of the host' };

export const forms: readonly Form[] = [
  ...CONDITIONS.flatMap((suffix, code) => [
    form(hex(0x70 + code), `j${suffix}`, 'Jb', jumpOn(code as Condition), NEAR),
    form(`0F ${hex(0x80 + code)}`, `j${suffix}`, 'Jz', jumpOn(code as Condition), NEAR),
  ]),
  form('E9', 'jmp', 'Jz', (u) => u.jumpRelative(0, 'jump'), LAST),
  form('EB', 'jmp', 'Jb', (u) => u.jumpRelative(0, 'jump'), LAST),
  form('FF /4', 'jmp', 'Eq', jumpIndirect, LAST),
  form('E8', 'call', 'Jz', callRelative, NEAR),
  form('FF /2', 'call', 'Eq', callIndirect, NEAR),
  form('C3', 'ret', '', returnNear(false), LAST),
  form('C2', 'ret', 'Iw', returnNear(true), LAST),
  form('E0', 'loopne', 'Jb', loop('clear'), NEAR),
  form('E1', 'loope', 'Jb', loop('set'), NEAR),
  form('E2', 'loop', 'Jb', loop('any'), NEAR),
  form('E3', 'jrcxz', 'Jb', jumpIfCountZero, NEAR),
  form('CB', 'retf', '', returnFar(false), { widths: [16, 32, 64], ends: true }),
  form('CA', 'retf', 'Iw', returnFar(true), { widths: [16, 32, 64], ends: true }),
  form('CF', 'iret', '', returnFromInterrupt, { widths: [16, 32, 64], ends: true }),
  form('FF /3', 'callf', 'M', protection, FAR),
  form('FF /5', 'jmpf', 'M', protection, FAR),
  form('CC', 'int3', '', (u) => u.trap(Trap.Breakpoint, { retire: true }), TRAPS),
  form('F1', 'int1', '', (u) => u.trap(Trap.SingleStep, { retire: true }), TRAPS),
  form(
    'CD',
    'int',
    'Ib',
    (u) => {
      u.setState(TRAP_CODE, 32, u.read(0));
      u.trap(Trap.SoftwareInterrupt);
    },
    { ends: true, untested: 'enters the host’s kernel' },
  ),
  form('0F 0B', 'ud2', '', invalid, TRAPS),
  form('0F B9 /r', 'ud1', 'Gv,Ev', invalid, TRAPS),
  form('0F FF /r', 'ud0', 'Gv,Ev', invalid, TRAPS),
  form(
    '0F 05',
    'syscall',
    '',
    (u) => {
      u.setRegister(Reg.RCX, 64, u.nextPointer());
      u.setRegister(Reg.R11, 64, u.rflags());
      u.trap(Trap.Syscall, { retire: true });
    },
    { untested: 'enters the kernel' },
  ),
];
