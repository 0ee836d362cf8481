/**
 * The last layer of the interpreter's `Uops`: control transfer, traps, helpers, division, floating point; and
 * `emitHandler`, which turns one variant of a form into a handler `(record, horizon) → exit code`.
 *
 * Budget: a handler knows how many records lie between its own and the horizon, so falling through costs nothing; a
 * transfer moves the horizon along with the record, one record nearer.
 */
import { Trap } from '../engine.ts';
import { HELPERS } from '../helpers.ts';
import { FLOAT_TRAP, RFLAGS_OTHER, TRAP_CODE } from '../state.ts';
import type { CompareOp, FloatOp, FloatShape, Uops, Value, Width } from '../uops.ts';
import { intern, type LinkableBody } from './body.ts';
import { OperandEmitter, type Variant } from './operands.ts';
import { EXIT_RESUME } from './private.ts';
import { ADDRESS, HANDLER, IMMEDIATE, LINK, RECORD_SIZE } from './record.ts';
import { entryAddress, FLOAT_FUNCTIONS, hash, RUNTIME } from './runtime.ts';
import { HORIZON, type Local, RECORD } from './values.ts';

/** The handlers' type has number 0 in every module. */
const HANDLER_TYPE_INDEX = 0;
const TRAP_FLAG = 0x100;

/** How a handler may stand in a sequence of fused ones. */
export const enum Ending {
  /** Always goes on with the next record. */
  Straight,
  /** May transfer control: last only. */
  Transfer,
  /** Executes itself again, or changes how execution goes on: never fused. */
  Alone,
}

export class HandlerEmitter extends OperandEmitter implements Uops {
  #ended = false;
  ending = Ending.Straight;

  // ── Control transfer ────────────────────────────────────────────────────────────────────────────────────────────
  jump(target: Value, _kind: 'jump' | 'call' | 'return'): void {
    this.finishMmx();
    this.flushFlags();
    this.ending = Ending.Transfer;
    // The first entry of the table inline; anything but a hit with budget left goes to the runtime.
    const { f } = this;
    this.push(target);
    const address = this.define('i64');
    hash(f, address.local);
    const index = this.define('i32');
    entryAddress(f, index.local);
    f.mem('i32.load', 0, 2);
    const found = this.define('i32');
    f.get(HORIZON)
      .get(RECORD)
      .op('i32.sub')
      .i32(RECORD_SIZE + this.base)
      .op('i32.sub');
    const left = this.define('i32');
    f.get(found.local).if();
    f.get(found.local).mem('i64.load', ADDRESS, 3).get(address.local).op('i64.eq');
    f.get(left.local).i32(0).op('i32.gt_s').op('i32.and').if();
    f.get(found.local).get(left.local).get(found.local).op('i32.add');
    f.get(found.local).mem('i32.load', HANDLER, 2).returnCallIndirect(HANDLER_TYPE_INDEX);
    f.end().end();
    this.pushRecord().get(HORIZON).get(address.local).returnCall(intern('jump.indirect'));
    this.#ended = true;
  }

  jumpRelative(_index: number, _kind: 'jump' | 'call'): void {
    const { f } = this;
    this.flushFlags();
    this.ending = Ending.Transfer;
    this.field('i32.load', LINK, 2);
    const link = this.define('i32');
    f.get(link.local).op('i32.eqz').if();
    this.pushRecord().get(HORIZON).returnCall(intern('jump.resolve'));
    f.end();
    // Budget left after this instruction, in bytes of records.
    f.get(HORIZON)
      .get(RECORD)
      .op('i32.sub')
      .i32(RECORD_SIZE + this.base)
      .op('i32.sub');
    const left = this.define('i32');
    f.get(left.local).i32(0).op('i32.le_s').if();
    this.field('i64.load', IMMEDIATE, 3).get(left.local).i32(Trap.Budget);
    f.returnCall(intern('exit.at'));
    f.end();
    f.get(link.local).get(left.local).get(link.local).op('i32.add');
    f.get(link.local).mem('i32.load', HANDLER, 2).returnCallIndirect(HANDLER_TYPE_INDEX);
    this.#ended = true;
  }

  branchRelative(index: number, condition: Value): void {
    this.if(condition, () => this.jumpRelative(index, 'jump'));
    this.#ended = false;
  }

  again(): void {
    const { f } = this;
    this.flushFlags();
    this.ending = Ending.Alone;
    f.get(HORIZON).i32(RECORD_SIZE).op('i32.sub').set(HORIZON);
    f.get(HORIZON).get(RECORD).op('i32.sub').i32(0).op('i32.le_s').if();
    f.get(RECORD).mem('i64.load', ADDRESS, 3).get(HORIZON).get(RECORD).op('i32.sub').i32(Trap.Budget);
    f.returnCall(intern('exit.at'));
    f.end();
    f.get(RECORD).get(HORIZON).get(RECORD).mem('i32.load', HANDLER, 2).returnCallIndirect(HANDLER_TYPE_INDEX);
  }

  trap(kind: number, options: { retire?: boolean; code?: number } = {}): void {
    this.#trapCode(options.code);
    if (options.retire) this.finishMmx();
    this.leave(options.retire ? 'exit.retire' : 'exit.fault', kind);
    if (options.retire) this.ending = Ending.Alone;
    this.#ended = true;
  }

  trapIf(condition: Value, kind: number, code?: number): void {
    const ended = this.#ended;
    this.if(condition, () => this.trap(kind, { code }));
    this.#ended = ended;
  }

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    const before = this.#ended;
    super.if(condition, then, otherwise);
    this.#ended = before;
  }

  // ── Helpers ─────────────────────────────────────────────────────────────────────────────────────────────────────
  helper(name: string, ...operands: Value[]): Value {
    this.flushFlags();
    for (const operand of operands) this.push(operand);
    const runtime = RUNTIME.get(name) ?? FLOAT_FUNCTIONS.get(name);
    const helper = HELPERS.get(name);
    const result = runtime !== undefined ? runtime.results[0] : helper?.result;
    if (runtime === undefined && helper === undefined) throw new Error(`no helper ${name}`);
    this.f.callNamed(name);
    return result === undefined ? this.constant(0) : this.define(result);
  }

  helperTrap(name: string, ...operands: Value[]): void {
    const code = this.helper(name, ...operands) as Local;
    const { f } = this;
    f.get(code.local).i32(-1).op('i32.ne').if();
    this.pushRecord().get(HORIZON).get(code.local).callNamed('exit.fault').return();
    f.end();
  }

  divide(
    signed: boolean,
    width: Width,
    high: Value,
    low: Value,
    divisor: Value,
  ): { quotient: Value; remainder: Value } {
    const overflow = (condition: Value): void => this.trapIf(condition, Trap.DivideError);
    const test = (op: CompareOp, a: Value, b: Value | bigint | number): Value =>
      this.compare(op, a, typeof b === 'object' ? b : this.constant(b));
    overflow(test('eq', divisor, 0));
    if (width === 64) {
      this.push(high);
      this.push(low);
      this.push(divisor);
      this.f.callNamed(signed ? 'divide.signed128' : 'divide.unsigned128');
      const fits = this.define('i32');
      const remainder = this.define('i64');
      const quotient = this.define('i64');
      overflow(this.not(fits));
      return { quotient, remainder };
    }
    let dividend = this.integer('or', this.integer('shl', high, this.constant(width)), low);
    if (!signed) {
      const quotient = this.integer('div_u', dividend, divisor);
      overflow(test('ne', this.integer('shr_u', quotient, this.constant(width)), 0));
      return { quotient, remainder: this.integer('rem_u', dividend, divisor) };
    }
    if (width < 32) dividend = this.signExtend(dividend, (width * 2) as Width);
    const by = this.signExtend(divisor, width);
    if (width === 32) {
      const minimum = test('eq', dividend, -(1n << 63n));
      const minusOne = test('eq', by, -1);
      this.push(minimum);
      this.push(minusOne).op('i32.and');
      overflow(this.define('i32'));
    }
    const quotient = this.integer('div_s', dividend, by);
    overflow(test('ne', this.signExtend(quotient, width), quotient));
    const remainder = this.integer('rem_s', dividend, by);
    return { quotient: this.truncate(quotient, width), remainder: this.truncate(remainder, width) };
  }

  float(op: FloatOp, shape: FloatShape, a: Value, b: Value): Value {
    this.push(a);
    this.push(b);
    this.f.callNamed(`float.${op}.${shape}`);
    const result = this.define('v128');
    this.stateAddress(FLOAT_TRAP);
    this.f.mem('i32.load', 0, 2).if();
    this.storeFlagsForExit();
    this.pushRecord().get(HORIZON).callNamed('exit.float').return();
    this.f.end();
    return result;
  }

  /** Emits what follows the lift: the next record. */
  finish(): void {
    if (this.#ended) return;
    const { f } = this;
    this.flushFlags();
    this.finishMmx();
    if (this.trapFlagMayBeSet) {
      this.stateAddress(RFLAGS_OTHER);
      f.mem('i32.load', 0, 2).i32(TRAP_FLAG).op('i32.and').if();
      this.ending = Ending.Alone;
      this.leave('exit.retire', EXIT_RESUME);
      f.end();
    }
    const next = this.base + RECORD_SIZE;
    f.get(RECORD).i32(next).op('i32.add').get(HORIZON);
    f.get(RECORD)
      .mem('i32.load', next + HANDLER, 2)
      .returnCallIndirect(HANDLER_TYPE_INDEX);
  }

  #trapCode(code: number | undefined): void {
    if (code === undefined) return;
    this.stateAddress(TRAP_CODE);
    this.f.i32(code).mem('i32.store', 0, 2);
  }
}

/** Emits the handler of one variant, or of several that follow each other; only the last may transfer control. */
export function emitHandler(variants: readonly Variant[]): { body: LinkableBody; ending: Ending } {
  const emitter = new HandlerEmitter();
  variants.forEach((variant, i) => {
    emitter.begin(variant, i * RECORD_SIZE);
    variant.shape.form.lift(emitter);
    if (i < variants.length - 1) emitter.finishMmx();
  });
  emitter.finish();
  return { body: emitter.f.link(), ending: emitter.ending };
}
