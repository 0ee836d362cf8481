/**
 * Floating-point arithmetic in translated code: inline while that gives what MXCSR asks for and raises nothing, else by the
 * functions of cpu/simd/float.ts.
 */
import { FLOAT_TRAP } from '../state.ts';
import type { FloatOp, FloatShape, Value } from '../uops.ts';
import { DOUBLE, OperandLayer, SINGLE } from './emitter-operands.ts';
import { Temp } from './emitter-values.ts';

const isSingle = (shape: FloatShape): boolean => shape === 'ss' || shape === 'ps';

/** Bits of `Temp.regular` that arithmetic of a shape wants, and those that its result has. */
const WANTED: Record<FloatShape, number> = { ss: SINGLE, sd: DOUBLE, ps: 4, pd: 8 };
const GIVEN: Record<FloatShape, number> = { ss: SINGLE, sd: DOUBLE, ps: 4 | SINGLE, pd: 8 | DOUBLE };

export class FloatLayer extends OperandLayer {
  /**
   * Inline while MXCSR rounds to nearest with PE masked and sticky (`mode`), and operands and result are neither zero,
   * denormal, infinite nor NaN: then nothing is raised. Else by the function that knows all cases.
   *
   * Operands that are known to be `regular`, zero or normal, are not tested: whatever would matter shows in the result. If
   * the function meets an irregular number, that knowledge is not `honest` from there on, so `precise` sends all
   * arithmetic through the function until nothing is known again.
   */
  float(op: FloatOp, shape: FloatShape, a: Value, b: Value): Value {
    const { f } = this;
    if (op === 'min' || op === 'max') return this.#floatCall(op, shape, a, b, this.temporary('v128'));
    const scalar = shape === 'ss' || shape === 'sd';
    const vector = isSingle(shape) ? 'f32x4' : 'f64x2';
    const result = this.temporary('v128');
    if (scalar) {
      const type = isSingle(shape) ? 'f32' : 'f64';
      this.push(a);
      if (op !== 'sqrt') this.push(a).lane(`${vector}.extract_lane`, 0);
      this.push(b).lane(`${vector}.extract_lane`, 0).op(`${type}.${op}`).lane(`${vector}.replace_lane`, 0);
    } else {
      if (op !== 'sqrt') this.push(a);
      this.push(b).op(`${vector}.${op}`);
    }
    f.set(result);
    this.seen.precise = true;
    const value = new Temp('v128', result, undefined, 64);
    const operands = (op === 'sqrt' ? [b] : [a, b]).filter((operand) => !this.#isRegular(operand, shape));
    const tested = [...operands, value];
    this.#pushIrregular(shape, tested);
    f.get(this.precise).op('i32.eqz').op('i32.or').rarely();
    this.open('if');
    this.#floatCall(op, shape, a, b, result);
    f.get(this.honest);
    for (const number of tested) this.push(number).callNamed(`jit.regular.${shape}`).op('i32.and');
    f.set(this.honest);
    this.loadMode();
    this.close();
    for (const operand of operands) this.#know(operand, GIVEN[shape]);
    value.regular = GIVEN[shape];
    return value;
  }

  #isRegular(value: Value, shape: FloatShape): boolean {
    return ((value as Temp).regular & WANTED[shape]) !== 0;
  }

  /** The value was tested, and with it the register that holds it. */
  #know(value: Value, shapes: number): void {
    const { register } = value as Temp;
    (value as Temp).regular |= shapes;
    if (register >= 16) this.regular[register - 16] |= shapes;
  }

  /** Pushes whether any of the numbers is not clearly normal, by the exponents. */
  #pushIrregular(shape: FloatShape, numbers: readonly Value[]): void {
    const { f } = this;
    if (numbers.length === 1 && (shape === 'sd' || shape === 'ss')) {
      // Without its sign, the exponent is neither 0 or 1, which may have underflowed, nor the largest.
      this.push(numbers[0]);
      if (shape === 'sd') {
        f.lane('i64x2.extract_lane', 0)
          .i64(1)
          .op('i64.shl')
          .i64(2n << 53n)
          .op('i64.sub');
        f.i64(0x7fdn << 53n).op('i64.ge_u');
      } else {
        f.lane('i32x4.extract_lane', 0)
          .i32(1)
          .op('i32.shl')
          .i32(2 << 24)
          .op('i32.sub');
        f.i32((0xfd << 24) | 0).op('i32.ge_u');
      }
      return;
    }
    const words = (x: Value, y: Value, first: readonly number[], second: readonly number[]): void => {
      this.push(x);
      this.push(y);
      const bytes = [...first, ...second.map((lane) => lane + 4)];
      f.shuffle(bytes.flatMap((lane) => [0, 1, 2, 3].map((i) => lane * 4 + i)));
    };
    if (shape === 'ps') {
      numbers.forEach((number, i) => {
        this.push(number);
        this.#testExponents(true);
        if (i > 0) f.op('v128.or');
      });
    } else if (shape === 'pd') {
      for (let i = 0; i < numbers.length; i += 2) {
        words(numbers[i], numbers[i + 1] ?? numbers[i], [1, 3], [1, 3]);
        this.#testExponents(false);
        if (i > 0) f.op('v128.or');
      }
    } else {
      const low = shape === 'ss' ? 0 : 1;
      words(numbers[0], numbers[1], [low, low], [low, low]);
      if (numbers.length === 3) {
        const pair = this.define('v128');
        words(pair, numbers[2], [0, 2], [low, low]);
      }
      this.#testExponents(shape === 'ss');
    }
    f.op('v128.any_true');
  }

  /** Turns words with exponents into masks of those that are not of normal numbers. */
  #testExponents(single: boolean): void {
    const { f } = this;
    const constant = (word: number): void => {
      f.v128(new Uint8Array(new Int32Array(4).fill(word).buffer));
    };
    constant(single ? 0x7f80_0000 : 0x7ff0_0000);
    f.op('v128.and');
    constant(single ? 0x7f00_0000 : 0x7fe0_0000);
    f.op('i32x4.add');
    constant(single ? 0xfe00_0000 : 0xffc0_0000);
    f.op('i32x4.gt_s');
  }

  #floatCall(op: FloatOp, shape: FloatShape, a: Value, b: Value, result: number): Value {
    const { f } = this;
    this.push(a);
    this.push(b);
    f.callNamed(`float.${op}.${shape}`).set(result);
    this.stateAddress(FLOAT_TRAP);
    f.mem('i32.load', 0, 2).rarely();
    this.open('if');
    this.stateAddress(FLOAT_TRAP);
    f.i32(0).mem('i32.store', 0, 2);
    this.bail();
    this.close();
    return new Temp('v128', result, undefined, 64);
  }
}
