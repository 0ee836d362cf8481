/** The x87 operations as helpers that lifts call; one unit a window. */
import type { Helper, Machine } from '../helpers.ts';
import { loadEnvironment, storeEnvironment } from './environment.ts';
import * as operations from './operations.ts';
import { NO_TRAP, X87Unit } from './unit.ts';

const units = new WeakMap<Machine, X87Unit>();
const unitOf = (machine: Machine): X87Unit => {
  let unit = units.get(machine);
  if (unit === undefined) {
    unit = new X87Unit(machine);
    units.set(machine, unit);
  }
  return unit;
};

type Operand = 'i32' | 'i64';

const helper = (
  name: string,
  params: readonly Operand[],
  // biome-ignore lint/suspicious/noExplicitAny: i32 operands are numbers, i64 ones BigInts, as `params` says
  run: (unit: X87Unit, ...operands: any[]) => number,
): Helper => ({
  name: `x87.${name}`,
  params,
  result: 'i32',
  create(machine) {
    const unit = unitOf(machine);
    return (...operands: unknown[]) => run(unit, ...operands);
  },
});

const done = (action: (unit: X87Unit) => void) => (unit: X87Unit) => {
  action(unit);
  return NO_TRAP;
};

export const helpers: Helper[] = [
  helper('arithmetic', ['i32', 'i32', 'i32', 'i32'], operations.arithmetic),
  helper('arithmeticMemory', ['i32', 'i32', 'i64'], operations.arithmeticMemory),
  helper('load', ['i32', 'i64', 'i64'], operations.load),
  helper('store', ['i32', 'i32', 'i32'], operations.store),
  helper('compare', ['i32', 'i32', 'i32'], operations.compareRegister),
  helper('compareMemory', ['i32', 'i64', 'i32'], operations.compareMemory),
  helper('compareFlags', ['i32', 'i32', 'i32'], operations.compareFlags),
  helper('copy', ['i32'], operations.copy),
  helper('storeRegister', ['i32', 'i32'], operations.storeRegister),
  helper('exchange', ['i32'], operations.exchange),
  helper('conditionalMove', ['i32', 'i32'], operations.conditionalMove),
  helper('unary', ['i32'], operations.unary),
  helper('free', ['i32', 'i32'], operations.free),
  helper('begin', [], (unit) => unit.begin()),
  helper(
    'initialize',
    [],
    done((unit) => unit.initialize()),
  ),
  helper(
    'clear',
    [],
    done((unit) => {
      unit.statusWord &= 0x7f00;
    }),
  ),
  helper('loadControl', ['i32'], (unit, word: number) => {
    const trap = unit.begin();
    if (trap !== NO_TRAP) return trap;
    unit.controlWord = word & 0xffff;
    return NO_TRAP;
  }),
  helper('storeEnvironment', ['i64', 'i32', 'i32'], (unit, address: bigint, wide: number, save: number) =>
    storeEnvironment(unit, address, wide !== 0, save !== 0),
  ),
  helper('loadEnvironment', ['i64', 'i32', 'i32'], (unit, address: bigint, wide: number, restore: number) => {
    const trap = unit.begin();
    return trap !== NO_TRAP ? trap : loadEnvironment(unit, address, wide !== 0, restore !== 0);
  }),
];
