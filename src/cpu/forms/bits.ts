/** Bit tests, bit scans and population count (SDM Vol. 1, 5.1.6). */
import { type Form, form, type Lift } from '../forms.ts';
import type { Uops, Value } from '../uops.ts';

type Change = 'none' | 'set' | 'reset' | 'complement';

const changed = (u: Uops, value: Value, mask: Value, change: Change): Value => {
  if (change === 'set') return u.integer('or', value, mask);
  if (change === 'reset') return u.integer('and', value, u.not(mask));
  return u.integer('xor', value, mask);
};

/**
 * BT and its kin. With a register offset and a memory operand the bit string is unbounded: the signed offset divided by
 * the operand's width moves the address.
 */
const bitTest =
  (change: Change): Lift =>
  (u) => {
    const { width } = u;
    const offset = u.read(1);
    const position = u.integer('and', offset, u.constant(width - 1));
    const mask = u.integer('shl', u.constant(1), position);
    const carryOf = (value: Value): Value =>
      u.toBool(u.integer('and', u.integer('shr_u', value, position), u.constant(1)));
    if (u.isMemory(0)) {
      const shift = width === 16 ? 4 : width === 32 ? 5 : 6;
      const elements = u.integer('shr_s', u.signExtend(offset, width), u.constant(shift));
      const moved = u.integer('shl', elements, u.constant(shift - 3));
      // With 32-bit addresses the moved offset wraps before the segment base is added.
      const address =
        u.addressWidth === 64
          ? u.integer('add', u.address(0), moved)
          : u.integer('add', u.truncate(u.integer('add', u.effectiveAddress(0), moved), 32), u.segmentBase());
      const value = change === 'none' ? u.load(address, width) : u.loadForWrite(address, width);
      if (change !== 'none') u.store(address, width, changed(u, value, mask, change));
      u.changeFlags({ cf: carryOf(value) });
      return;
    }
    const value = u.read(0);
    if (change !== 'none') u.write(0, u.truncate(changed(u, value, mask, change), width));
    u.changeFlags({ cf: carryOf(value) });
  };

/** With an immediate offset the bit lies inside the operand. */
const bitTestImmediate =
  (change: Change): Lift =>
  (u) => {
    const { width } = u;
    const value = change === 'none' ? u.read(0) : u.readForWrite(0);
    const position = u.integer('and', u.read(1), u.constant(width - 1));
    const mask = u.integer('shl', u.constant(1), position);
    if (change !== 'none') u.write(0, u.truncate(changed(u, value, mask, change), width));
    u.changeFlags({ cf: u.toBool(u.integer('and', u.integer('shr_u', value, position), u.constant(1))) });
  };

/** BSF and BSR: a zero source sets ZF and leaves the destination. */
const bitScan =
  (forward: boolean): Lift =>
  (u) => {
    const source = u.read(1);
    const zero = u.compare('eq', source, u.constant(0));
    const found = forward ? u.count('ctz', source) : u.integer('sub', u.constant(63), u.count('clz', source));
    u.if(u.not(zero), () => u.write(0, found));
    u.changeFlags({ zf: zero });
  };

const population: Lift = (u) => {
  const source = u.read(1);
  const count = u.count('popcnt', source);
  u.write(0, count);
  // All flags are cleared but ZF, which tells that the source was zero.
  const none = u.toBool(u.constant(0));
  u.changeFlags({ cf: none, of: none, sf: none, pf: none, af: none, zf: u.compare('eq', source, u.constant(0)) });
};

const CHANGES: readonly [string, Change, string, number][] = [
  ['bt', 'none', 'A3', 4],
  ['bts', 'set', 'AB', 5],
  ['btr', 'reset', 'B3', 6],
  ['btc', 'complement', 'BB', 7],
];
const UNDEFINED = 'osap';

export const forms: readonly Form[] = [
  ...CHANGES.flatMap(([name, change, opcode, extension]) => [
    form(`0F ${opcode} /r`, name, 'Ev,Gv', bitTest(change), { lockable: change !== 'none', undefinedFlags: UNDEFINED }),
    form(`0F BA /${extension}`, name, 'Ev,Ib', bitTestImmediate(change), {
      lockable: change !== 'none',
      undefinedFlags: UNDEFINED,
    }),
  ]),
  form('0F BC /r', 'bsf', 'Gv,Ev', bitScan(true), { undefinedFlags: 'cosap' }),
  form('0F BD /r', 'bsr', 'Gv,Ev', bitScan(false), { undefinedFlags: 'cosap' }),
  form('F3 0F B8 /r', 'popcnt', 'Gv,Ev', population, { feature: 'popcnt' }),
];
