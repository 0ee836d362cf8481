/**
 * x87 instructions. The arithmetic is in cpu/x87; a lift loads or stores the memory operand and names the operation.
 * A store checks its destination first, then converts, then delivers unless an unmasked exception keeps the result back.
 */

import { Trap } from '../engine.ts';
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import { FCW, FDP, FIP, FSW, X87_DELIVER, X87_RESULT } from '../state.ts';
import type { Uops, Value, Width } from '../uops.ts';
import { MemoryFormat } from '../x87/memory-formats.ts';

const X87: FormOptions = { feature: 'x87' };

const number = (u: Uops, value: number): Value => u.wasm('i32.wrap_i64', u.constant(value));
/** The number of the form's STi operand as i32. */
const st = (u: Uops, index: number): Value => u.wasm('i32.wrap_i64', u.immediate(index));

/** A pending unmasked exception is raised before the memory operand is looked at. */
const raisePending = (u: Uops): void =>
  u.trapIf(u.toBool(u.integer('and', u.state(FSW, 16), u.constant(0x80))), Trap.X87Exception);

/** Last instruction and data pointers, which FNSTENV and FXSAVE show. */
const notePointer = (u: Uops): void => u.setState(FIP, 64, u.instructionPointer());
const noteData = (u: Uops, address: Value): void => u.setState(FDP, 64, address);

const FORMAT_BYTES: Record<MemoryFormat, number> = {
  [MemoryFormat.Single]: 4,
  [MemoryFormat.Double]: 8,
  [MemoryFormat.Int32]: 4,
  [MemoryFormat.Int16]: 2,
  [MemoryFormat.Int64]: 8,
  [MemoryFormat.Extended]: 10,
  [MemoryFormat.Decimal]: 10,
};

const widthOf = (format: MemoryFormat): Width => Math.min(FORMAT_BYTES[format] * 8, 64) as Width;

const operandOf = (format: MemoryFormat): string => ({ 2: 'Mw', 4: 'Md', 8: 'Mq', 10: 'Mt' })[FORMAT_BYTES[format]]!;

const arithmeticMemory =
  (operation: number, format: MemoryFormat): Lift =>
  (u) => {
    raisePending(u);
    const address = u.address(0);
    const bits = u.load(address, widthOf(format));
    if (operation === 2 || operation === 3)
      u.helperTrap('x87.compareMemory', number(u, format), bits, number(u, operation - 2));
    else u.helperTrap('x87.arithmeticMemory', number(u, operation), number(u, format), bits);
    notePointer(u);
    noteData(u, address);
  };

const loadMemory =
  (format: MemoryFormat): Lift =>
  (u) => {
    raisePending(u);
    const address = u.address(0);
    const bits = u.load(address, widthOf(format));
    const high = FORMAT_BYTES[format] === 10 ? u.load(u.integer('add', address, u.constant(8)), 16) : u.constant(0);
    u.helperTrap('x87.load', number(u, format), bits, high);
    notePointer(u);
    noteData(u, address);
  };

const storeMemory =
  (format: MemoryFormat, pops: number, truncate = false): Lift =>
  (u) => {
    raisePending(u);
    const address = u.address(0);
    u.prepareStore(address, FORMAT_BYTES[format]);
    u.helperTrap('x87.store', number(u, format), number(u, pops), number(u, truncate ? 1 : 0));
    u.if(u.wasm('i32.wrap_i64', u.state(X87_DELIVER, 32)), () => {
      const width = widthOf(format);
      u.store(address, width, u.state(X87_RESULT, width));
      if (FORMAT_BYTES[format] === 10)
        u.store(u.integer('add', address, u.constant(8)), 16, u.state(X87_RESULT + 8, 16));
    });
    notePointer(u);
    noteData(u, address);
  };

const operation =
  (name: string, ...operands: (number | 'sti')[]): Lift =>
  (u) => {
    u.helperTrap(`x87.${name}`, ...operands.map((o) => (o === 'sti' ? st(u, 0) : number(u, o))));
    notePointer(u);
  };

const compareFlags =
  (quietNan: number, pops: number): Lift =>
  (u) => {
    u.helperTrap('x87.compareFlags', st(u, 0), number(u, quietNan), number(u, pops));
    const bits = u.state(X87_RESULT, 32);
    const bit = (n: number): Value => u.toBool(u.integer('and', bits, u.constant(1 << n)));
    const off = number(u, 0);
    u.changeFlags({ cf: bit(0), pf: bit(2), zf: bit(6), of: off, sf: off, af: off });
    notePointer(u);
  };

const conditionalMove =
  (code: 2 | 4 | 6 | 10 | 3 | 5 | 7 | 11): Lift =>
  (u) => {
    u.helperTrap('x87.conditionalMove', u.condition(code), st(u, 0));
    notePointer(u);
  };

const NAMES = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'];
const INTEGER_NAMES = NAMES.map((name) => `fi${name.slice(1)}`);

/** The eight arithmetic operations on one memory format. */
const memoryRow = (opcode: string, names: readonly string[], format: MemoryFormat): Form[] =>
  names.map((name, op) => form(`${opcode} /${op}`, name, operandOf(format), arithmeticMemory(op, format), X87));

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

/** D8: ST(0) op ST(i). */
const registerRow: Form[] = NAMES.map((name, op) =>
  form(
    `D8 ${hex(0xc0 + op * 8)}+i`,
    name,
    'STi',
    op === 2 || op === 3 ? operation('compare', 'sti', 0, op - 2) : operation('arithmetic', op, 0, 'sti', 0),
    X87,
  ),
);

/** DC and DE: ST(i) op ST(0); their encodings of the subtractions and divisions are swapped against D8. */
const reverseRow = (opcode: string, pops: number): Form[] =>
  [0, 1, 4, 5, 6, 7].map((column) => {
    const op = column < 4 ? column : column ^ 1;
    return form(
      `${opcode} ${hex(0xc0 + column * 8)}+i`,
      NAMES[op] + (pops === 1 ? 'p' : ''),
      'STi',
      operation('arithmetic', op, 'sti', 0, pops),
      X87,
    );
  });

const UNARY: readonly [number, string][] = [
  [0x00, 'fchs'],
  [0x01, 'fabs'],
  [0x04, 'ftst'],
  [0x05, 'fxam'],
  [0x08, 'fld1'],
  [0x09, 'fldl2t'],
  [0x0a, 'fldl2e'],
  [0x0b, 'fldpi'],
  [0x0c, 'fldlg2'],
  [0x0d, 'fldln2'],
  [0x0e, 'fldz'],
  [0x10, 'f2xm1'],
  [0x11, 'fyl2x'],
  [0x12, 'fptan'],
  [0x13, 'fpatan'],
  [0x14, 'fxtract'],
  [0x15, 'fprem1'],
  [0x16, 'fdecstp'],
  [0x17, 'fincstp'],
  [0x18, 'fprem'],
  [0x19, 'fyl2xp1'],
  [0x1a, 'fsqrt'],
  [0x1b, 'fsincos'],
  [0x1c, 'frndint'],
  [0x1d, 'fscale'],
  [0x1e, 'fsin'],
  [0x1f, 'fcos'],
];

/** Their last bit is the processor's own; ours is the correctly rounded one. */
const TRANSCENDENTAL = new Set(['f2xm1', 'fyl2x', 'fptan', 'fpatan', 'fyl2xp1', 'fsincos', 'fsin', 'fcos']);

const unary: Form[] = UNARY.map(([code, name]) =>
  form(
    `D9 ${hex(0xe0 + code)}`,
    name,
    '',
    operation('unary', code),
    TRANSCENDENTAL.has(name) ? { feature: 'x87', approximate: 'extended' } : X87,
  ),
);

const environment =
  (name: 'storeEnvironment' | 'loadEnvironment', registers: number): Lift =>
  (u) =>
    u.helperTrap(`x87.${name}`, u.address(0), number(u, u.width === 16 ? 0 : 1), number(u, registers));

const widths: FormOptions = { feature: 'x87', widths: [16, 32, 64] };

const loadControl: Lift = (u) => {
  raisePending(u);
  u.helperTrap('x87.loadControl', u.wasm('i32.wrap_i64', u.read(0)));
};

const control: Form[] = [
  form('D9 /4', 'fldenv', 'M', environment('loadEnvironment', 0), widths),
  form('D9 /5', 'fldcw', 'Mw', loadControl, X87),
  form('D9 /6', 'fnstenv', 'M', environment('storeEnvironment', 0), widths),
  form('D9 /7', 'fnstcw', 'Mw', (u) => u.write(0, u.state(FCW, 16)), X87),
  form('DD /4', 'frstor', 'M', environment('loadEnvironment', 1), widths),
  form('DD /6', 'fnsave', 'M', environment('storeEnvironment', 1), widths),
  form('DD /7', 'fnstsw', 'Mw', (u) => u.write(0, u.state(FSW, 16)), X87),
  form('DF E0', 'fnstsw', '', (u) => u.setRegister(0, 16, u.state(FSW, 16)), X87),
  form('DB E2', 'fnclex', '', (u) => u.helperTrap('x87.clear'), X87),
  form('DB E3', 'fninit', '', (u) => u.helperTrap('x87.initialize'), X87),
  // FENI, FDISI and FSETPM of older processors: no operation.
  form('DB E0', 'fnop', '', () => {}, X87),
  form('DB E1', 'fnop', '', () => {}, X87),
  form('DB E4', 'fnop', '', () => {}, X87),
  form('D9 D0', 'fnop', '', (u) => u.helperTrap('x87.begin'), X87),
  form('9B', 'fwait', '', (u) => u.helperTrap('x87.begin'), X87),
];

export const forms: readonly Form[] = [
  ...memoryRow('D8', NAMES, MemoryFormat.Single),
  ...memoryRow('DC', NAMES, MemoryFormat.Double),
  ...memoryRow('DA', INTEGER_NAMES, MemoryFormat.Int32),
  ...memoryRow('DE', INTEGER_NAMES, MemoryFormat.Int16),
  ...registerRow,
  ...reverseRow('DC', 0),
  ...reverseRow('DE', 1),
  form('DC D0+i', 'fcom', 'STi', operation('compare', 'sti', 0, 0), X87),
  form('DC D8+i', 'fcomp', 'STi', operation('compare', 'sti', 0, 1), X87),
  form('DE D0+i', 'fcomp', 'STi', operation('compare', 'sti', 0, 1), X87),
  form('DE D9', 'fcompp', '', operation('compare', 1, 0, 2), X87),
  form('DA E9', 'fucompp', '', operation('compare', 1, 1, 2), X87),
  form('DD E0+i', 'fucom', 'STi', operation('compare', 'sti', 1, 0), X87),
  form('DD E8+i', 'fucomp', 'STi', operation('compare', 'sti', 1, 1), X87),
  form('DB E8+i', 'fucomi', 'STi', compareFlags(1, 0), X87),
  form('DB F0+i', 'fcomi', 'STi', compareFlags(0, 0), X87),
  form('DF E8+i', 'fucomip', 'STi', compareFlags(1, 1), X87),
  form('DF F0+i', 'fcomip', 'STi', compareFlags(0, 1), X87),
  form('D9 /0', 'fld', 'Md', loadMemory(MemoryFormat.Single), X87),
  form('DD /0', 'fld', 'Mq', loadMemory(MemoryFormat.Double), X87),
  form('DB /5', 'fld', 'Mt', loadMemory(MemoryFormat.Extended), X87),
  form('DF /0', 'fild', 'Mw', loadMemory(MemoryFormat.Int16), X87),
  form('DB /0', 'fild', 'Md', loadMemory(MemoryFormat.Int32), X87),
  form('DF /5', 'fild', 'Mq', loadMemory(MemoryFormat.Int64), X87),
  form('DF /4', 'fbld', 'Mt', loadMemory(MemoryFormat.Decimal), X87),
  form('D9 /2', 'fst', 'Md', storeMemory(MemoryFormat.Single, 0), X87),
  form('D9 /3', 'fstp', 'Md', storeMemory(MemoryFormat.Single, 1), X87),
  form('DD /2', 'fst', 'Mq', storeMemory(MemoryFormat.Double, 0), X87),
  form('DD /3', 'fstp', 'Mq', storeMemory(MemoryFormat.Double, 1), X87),
  form('DB /7', 'fstp', 'Mt', storeMemory(MemoryFormat.Extended, 1), X87),
  form('DF /2', 'fist', 'Mw', storeMemory(MemoryFormat.Int16, 0), X87),
  form('DF /3', 'fistp', 'Mw', storeMemory(MemoryFormat.Int16, 1), X87),
  form('DB /2', 'fist', 'Md', storeMemory(MemoryFormat.Int32, 0), X87),
  form('DB /3', 'fistp', 'Md', storeMemory(MemoryFormat.Int32, 1), X87),
  form('DF /7', 'fistp', 'Mq', storeMemory(MemoryFormat.Int64, 1), X87),
  form('DF /1', 'fisttp', 'Mw', storeMemory(MemoryFormat.Int16, 1, true), X87),
  form('DB /1', 'fisttp', 'Md', storeMemory(MemoryFormat.Int32, 1, true), X87),
  form('DD /1', 'fisttp', 'Mq', storeMemory(MemoryFormat.Int64, 1, true), X87),
  form('DF /6', 'fbstp', 'Mt', storeMemory(MemoryFormat.Decimal, 1), X87),
  form('D9 C0+i', 'fld', 'STi', operation('copy', 'sti'), X87),
  form('D9 C8+i', 'fxch', 'STi', operation('exchange', 'sti'), X87),
  form('DD D0+i', 'fst', 'STi', operation('storeRegister', 'sti', 0), X87),
  form('DD D8+i', 'fstp', 'STi', operation('storeRegister', 'sti', 1), X87),
  form('DD C0+i', 'ffree', 'STi', operation('free', 'sti', 0), X87),
  form('DF C0+i', 'ffreep', 'STi', operation('free', 'sti', 1), X87),
  form('DA C0+i', 'fcmovb', 'STi', conditionalMove(2), X87),
  form('DA C8+i', 'fcmove', 'STi', conditionalMove(4), X87),
  form('DA D0+i', 'fcmovbe', 'STi', conditionalMove(6), X87),
  form('DA D8+i', 'fcmovu', 'STi', conditionalMove(10), X87),
  form('DB C0+i', 'fcmovnb', 'STi', conditionalMove(3), X87),
  form('DB C8+i', 'fcmovne', 'STi', conditionalMove(5), X87),
  form('DB D0+i', 'fcmovnbe', 'STi', conditionalMove(7), X87),
  form('DB D8+i', 'fcmovnu', 'STi', conditionalMove(11), X87),
  ...unary,
  ...control,
];
