/** MOV, MOVZX, MOVSX, LEA, XCHG, CMOVcc, SETcc, BSWAP and conversions (SDM Vol. 1, 5.1.1). */
import { Trap } from '../engine.ts';
import { type Form, form, type Lift } from '../forms.ts';
import { Reg } from '../state.ts';
import type { Condition, Width } from '../uops.ts';

/** Suffixes of Jcc, SETcc and CMOVcc in encoding order. */
export const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

const move: Lift = (u) => u.write(0, u.read(1));

const signExtendFrom =
  (from: Width): Lift =>
  (u) =>
    u.write(0, u.truncate(u.signExtend(u.read(1), from), u.width));

const exchange: Lift = (u) => {
  const a = u.readForWrite(0);
  const b = u.readForWrite(1);
  u.write(0, b);
  u.write(1, a);
};

const lea: Lift = (u) => u.write(0, u.truncate(u.effectiveAddress(1), u.width));

/** 16-bit BSWAP is undefined; processors write zero. */
const byteSwap: Lift = (u) => {
  const value = u.read(0);
  if (u.width === 16) {
    u.write(0, u.constant(0));
    return;
  }
  const shuffle = (mask: bigint, by: number, x = value) =>
    u.integer(
      'or',
      u.integer('shl', u.integer('and', x, u.constant(mask)), u.constant(by)),
      u.integer('and', u.integer('shr_u', x, u.constant(by)), u.constant(mask)),
    );
  const bytes = shuffle(0x00ff_00ff_00ff_00ffn, 8);
  const words = shuffle(0x0000_ffff_0000_ffffn, 16, bytes);
  if (u.width === 32) u.write(0, u.truncate(words, 32));
  else u.write(0, u.integer('rotl', words, u.constant(32)));
};

/** CBW, CWDE, CDQE. */
const extendAccumulator: Lift = (u) => {
  const half = (u.width / 2) as Width;
  u.setRegister(Reg.RAX, u.width, u.truncate(u.signExtend(u.register(Reg.RAX, half), half), u.width));
};

/** CWD, CDQ, CQO. */
const extendIntoData: Lift = (u) => {
  const sign = u.integer('shr_s', u.signExtend(u.register(Reg.RAX, u.width), u.width), u.constant(63));
  u.setRegister(Reg.RDX, u.width, u.truncate(sign, u.width));
};

/** Selectors as 64-bit Linux user mode has them. */
const SELECTORS: Record<number, number> = { 1: 0x33, 2: 0x2b };

/** MOV from a segment register: its number is in ModRM.reg, which is part of the opcode here. */
const fromSegment =
  (segment: number): Lift =>
  (u) => {
    const selector = u.constant(SELECTORS[segment] ?? 0);
    if (u.isMemory(0)) u.store(u.address(0), 16, selector);
    else u.write(0, selector);
  };

/** MOV to a segment register: null into the data segments; anything else but the present selectors is #GP. */
const toSegment =
  (segment: number): Lift =>
  (u) => {
    const selector = u.read(1);
    const present = segment === 2 ? 0x2b : 0;
    const allowed = [u.compare('eq', selector, u.constant(present))];
    if (segment !== 2) allowed.push(u.compare('eq', selector, u.constant(0x2b)));
    const any = allowed.reduce((a, b) => u.wasm('i32.or', a, b));
    u.trapIf(u.not(any), Trap.GeneralProtection);
  };

/** CMOVcc reads its source, and may fault, whatever the condition. */
const conditionalMove =
  (code: Condition): Lift =>
  (u) => {
    const source = u.read(1);
    u.write(0, u.select(u.condition(code), source, u.read(0)));
  };

const setOn =
  (code: Condition): Lift =>
  (u) =>
    u.write(0, u.fromBool(u.condition(code)));

const translate: Lift = (u) => {
  const index = u.register(Reg.RAX, 8);
  let offset = u.integer('add', u.register(Reg.RBX, 64), index);
  if (u.addressWidth === 32) offset = u.truncate(offset, 32);
  u.setRegister(Reg.RAX, 8, u.load(u.integer('add', offset, u.segmentBase()), 8));
};

export const forms: readonly Form[] = [
  form('88 /r', 'mov', 'Eb,Gb', move),
  form('89 /r', 'mov', 'Ev,Gv', move),
  form('8A /r', 'mov', 'Gb,Eb', move),
  form('8B /r', 'mov', 'Gv,Ev', move),
  form('A0', 'mov', 'AL,Ob', move),
  form('A1', 'mov', 'rAX,Ov', move),
  form('A2', 'mov', 'Ob,AL', move),
  form('A3', 'mov', 'Ov,rAX', move),
  form('B0+r', 'mov', 'Zb,Ib', move),
  form('B8+r', 'mov', 'Zv,Iv', move),
  form('C6 /0', 'mov', 'Eb,Ib', move),
  form('C7 /0', 'mov', 'Ev,Iz', move),
  ...[0, 1, 2, 3, 4, 5].map((segment) => form(`8C /${segment}`, 'mov', 'Ev,Sw', fromSegment(segment), {})),
  ...[0, 2, 3, 4, 5].map((segment) =>
    form(`8E /${segment}`, 'mov', 'Sw,Ew', toSegment(segment), { untested: 'loads a selector of the host' }),
  ),
  form('0F B6 /r', 'movzx', 'Gv,Eb', move),
  form('0F B7 /r', 'movzx', 'Gv,Ew', move),
  form('0F BE /r', 'movsx', 'Gv,Eb', signExtendFrom(8)),
  form('0F BF /r', 'movsx', 'Gv,Ew', signExtendFrom(16)),
  form('63 /r', 'movsxd', 'Gv,Ed', signExtendFrom(32)),
  form('0F C3 /r', 'movnti', 'My,Gy', move, { feature: 'sse2' }),
  form('8D /r', 'lea', 'Gv,M', lea),
  form('86 /r', 'xchg', 'Eb,Gb', exchange, { lockable: true }),
  form('87 /r', 'xchg', 'Ev,Gv', exchange, { lockable: true }),
  form('90+r', 'xchg', 'Zv,rAX', exchange),
  form('0F C8+r', 'bswap', 'Zv', byteSwap),
  form('98', 'cbw', '', extendAccumulator, { widths: [16, 32, 64] }),
  form('99', 'cwd', '', extendIntoData, { widths: [16, 32, 64] }),
  form('D7', 'xlat', '', translate, { widths: [8] }),
  ...CONDITIONS.flatMap((suffix, code) => [
    form(`0F ${hex(0x40 + code)} /r`, `cmov${suffix}`, 'Gv,Ev', conditionalMove(code as Condition)),
    form(`0F ${hex(0x90 + code)} /r`, `set${suffix}`, 'Eb', setOn(code as Condition)),
  ]),
];
