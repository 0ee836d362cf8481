/**
 * Floating-point arithmetic in translated code: inline while that gives what MXCSR asks for and raises nothing, else by the
 * functions of cpu/simd/float.ts.
 */
import { FLOAT_TRAP } from '../state.ts';
import type { FloatOp, FloatShape, Value } from '../uops.ts';
import { OperandLayer } from './emitter-operands.ts';
import { Temp } from './emitter-values.ts';

export class FloatLayer extends OperandLayer {
  /**
   * Inline while MXCSR rounds to nearest with PE masked and sticky (`precise`), and operands and result are neither zero,
   * denormal, infinite nor NaN: then nothing is raised. Else by the function that knows all cases.
   */
  float(op: FloatOp, shape: FloatShape, a: Value, b: Value): Value {
    const { f } = this;
    if (op === 'min' || op === 'max') return this.#floatCall(op, shape, a, b, this.temporary('v128'));
    const scalar = shape === 'ss' || shape === 'sd';
    const single = shape === 'ss' || shape === 'ps';
    const vector = single ? 'f32x4' : 'f64x2';
    const result = this.temporary('v128');
    if (scalar) {
      const type = single ? 'f32' : 'f64';
      this.push(a);
      if (op !== 'sqrt') this.push(a).lane(`${vector}.extract_lane`, 0);
      this.push(b).lane(`${vector}.extract_lane`, 0).op(`${type}.${op}`).lane(`${vector}.replace_lane`, 0);
    } else {
      if (op !== 'sqrt') this.push(a);
      this.push(b).op(`${vector}.${op}`);
    }
    f.set(result);
    this.seen.precise = true;
    const operands = op === 'sqrt' ? [b] : [a, b];
    const value = new Temp('v128', result, undefined, 64);
    this.#irregular(shape, operands, value);
    f.get(this.precise).op('i32.eqz').op('i32.or');
    this.open('if');
    this.#floatCall(op, shape, a, b, result);
    this.loadPrecise();
    this.close();
    return value;
  }

  /** Pushes whether any of the numbers is not clearly normal, by the exponents. */
  #irregular(shape: FloatShape, operands: readonly Value[], result: Value): void {
    const { f } = this;
    const single = shape === 'ss' || shape === 'ps';
    const constant = (word: number): void => {
      f.v128(new Uint8Array(new Int32Array(4).fill(word).buffer));
    };
    const test = (): void => {
      constant(single ? 0x7f80_0000 : 0x7ff0_0000);
      f.op('v128.and');
      constant(single ? 0x7f00_0000 : 0x7fe0_0000);
      f.op('i32x4.add');
      constant(single ? 0xfe00_0000 : 0xffc0_0000);
      f.op('i32x4.gt_s');
    };
    const words = (x: Value, y: Value, first: readonly number[], second: readonly number[]): void => {
      this.push(x);
      this.push(y);
      const bytes = [...first, ...second.map((lane) => lane + 4)];
      f.shuffle(bytes.flatMap((lane) => [0, 1, 2, 3].map((i) => lane * 4 + i)));
    };
    const all = operands.length === 1 ? [operands[0], operands[0], result] : [...operands, result];
    if (shape === 'ps') {
      for (const [i, number] of all.entries()) {
        if (i === 1 && operands.length === 1) continue;
        this.push(number);
        test();
        if (i > 0) f.op('v128.or');
      }
    } else if (shape === 'pd') {
      words(all[0], all[1], [1, 3], [1, 3]);
      test();
      this.push(result);
      this.push(result).shuffle([4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15]);
      test();
      f.op('v128.or');
    } else {
      const low = single ? 0 : 1;
      words(all[0], all[1], [low, low], [low, low]);
      const pair = this.define('v128');
      words(pair, result, [0, 2], [low, low]);
      test();
    }
    f.op('v128.any_true');
  }

  #floatCall(op: FloatOp, shape: FloatShape, a: Value, b: Value, result: number): Value {
    const { f } = this;
    this.push(a);
    this.push(b);
    f.callNamed(`float.${op}.${shape}`).set(result);
    this.stateAddress(FLOAT_TRAP);
    f.mem('i32.load', 0, 2);
    this.open('if');
    this.stateAddress(FLOAT_TRAP);
    f.i32(0).mem('i32.store', 0, 2);
    this.bail();
    this.close();
    return new Temp('v128', result, undefined, 64);
  }
}
