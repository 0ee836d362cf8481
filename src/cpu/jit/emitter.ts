/**
 * The translator's `Uops`, last layer: whole instructions, control transfer, division, helpers; and what stands at the
 * beginning and end of a region.
 */
import { AddressKind } from '../decode/decoder.ts';
import { SHAPES } from '../decode/table.ts';
import { HELPERS } from '../helpers.ts';
import { FLOAT_FUNCTIONS, RUNTIME } from '../interpreter/runtime.ts';
import { Reg, RFLAGS_OTHER } from '../state.ts';
import type { Uops, Value, Width } from '../uops.ts';
import type { GuestInstruction } from './discover.ts';
import { type Known, NOTHING } from './emitter-exits.ts';
import { ALL_FLAGS } from './emitter-flags.ts';
import { FloatLayer } from './emitter-float.ts';
import { DOUBLE, SINGLE } from './emitter-operands.ts';
import { Temp, Unsupported } from './emitter-values.ts';

const HELPER_GROUPS = /^(simd\.(float|crc32|compareStrings)|multiply\.|divide\.)/;
/** DF. */
const DIRECTION = 0x400;

/** How an instruction ends a block, as its lift says. */
export interface Transfer {
  readonly kind: 'branch' | 'jump' | 'indirect';
  readonly value: Temp | undefined;
}

export class Emitter extends FloatLayer implements Uops {
  /** What the lift of the instruction did about control. */
  transfer: Transfer | undefined;

  /** Forgets the code so far: for emitters whose code nobody wants. */
  reset(): void {
    this.f.code.length = 0;
    this.f.unlikely.length = 0;
    this.seen.ranges.clear();
    this.seen.written.clear();
    this.seen.vectorsWritten.clear();
    this.bails = false;
    this.startBlock();
  }

  /** A place where ways may have met: what is known on all of them. */
  override startBlock(known: Known = NOTHING): void {
    super.startBlock(known);
    if (known.regular.some((shapes) => shapes !== 0)) this.regular = known.regular.slice();
    else this.forgetRegular();
  }

  // ── One instruction ─────────────────────────────────────────────────────────────────────────────────────────────
  /** Translates an instruction. Flags after it: `live` are read in the region, `visible` could be seen from outside. */
  instruction(at: GuestInstruction, live: number = ALL_FLAGS, visible: number = ALL_FLAGS): void {
    this.recycle();
    this.beginFlags();
    this.at = at;
    this.d = at.decoded;
    const { operands, form } = SHAPES[at.decoded.form];
    this.beginOperands(operands);
    this.live = live;
    this.wanted = live | visible;
    const { mnemonic } = form;
    this.chained = mnemonic === 'adc' || mnemonic === 'sbb';
    this.transfer = undefined;
    if (at.decoded.repeat === 1 && /^(movs|stos)$/.test(mnemonic) && at.decoded.addressKind === AddressKind.None) {
      this.#repeat(mnemonic === 'movs');
    } else form.lift(this);
    // An integer is zero or a normal number.
    if (mnemonic === 'cvtsi2sd') this.regular[at.decoded.reg] |= DOUBLE;
    if (mnemonic === 'cvtsi2ss') this.regular[at.decoded.reg] |= SINGLE;
  }

  /** REP MOVS and STOS: as much of a page as goes at once by the runtime; anything else element by element elsewhere. */
  #repeat(move: boolean): void {
    const { f } = this;
    const log2 = { 8: 0, 16: 1, 32: 2, 64: 3 }[this.width];
    const rcx = (): Value => this.register(Reg.RCX, 64);
    const done = this.temporary('i64');
    this.stateAddress(RFLAGS_OTHER);
    f.mem('i32.load', 0, 2).i32(DIRECTION).op('i32.and');
    this.bailIf();
    this.knowledge = undefined;
    this.open('block', done);
    this.push(rcx()).op('i64.eqz').brIf(this.depthOf(done));
    this.open('loop');
    this.push(this.register(Reg.RDI, 64));
    this.push(this.register(move ? Reg.RSI : Reg.RAX, move ? 64 : this.width));
    this.push(rcx())
      .i64(log2)
      .callNamed(move ? 'string.move' : 'string.fill')
      .set(done);
    f.get(done).op('i64.eqz');
    this.bailIf();
    const advance = (register: Reg): void => {
      this.push(this.register(register, 64)).get(done).i64(log2).op('i64.shl').op('i64.add');
      this.setRegister(register, 64, this.define('i64'));
    };
    advance(Reg.RDI);
    if (move) advance(Reg.RSI);
    this.push(rcx()).get(done).op('i64.sub');
    this.setRegister(Reg.RCX, 64, this.define('i64'));
    this.push(rcx()).i64(0).op('i64.ne').brIf(0);
    this.close();
    this.close();
  }

  // ── Control ─────────────────────────────────────────────────────────────────────────────────────────────────────
  jump(target: Value, _kind: 'jump' | 'call' | 'return'): void {
    this.push(target).set(this.target);
    this.transfer = { kind: 'indirect', value: undefined };
  }

  jumpRelative(_index: number, _kind: 'jump' | 'call'): void {
    this.transfer = { kind: 'jump', value: undefined };
  }

  branchRelative(_index: number, condition: Value): void {
    this.transfer = { kind: 'branch', value: condition as Temp };
  }

  again(): void {
    throw new Unsupported();
  }

  trap(_kind: number, _options?: { retire?: boolean; code?: number }): void {
    if (this.conditional === 0) throw new Unsupported();
    this.bail();
  }

  trapIf(condition: Value, _kind: number, _code?: number): void {
    const { constant } = condition as Temp;
    if (constant === 0n) return;
    this.push(condition);
    this.bailIf();
  }

  helper(name: string, ...operands: Value[]): Value {
    if (!HELPER_GROUPS.test(name)) throw new Unsupported();
    for (const operand of operands) this.push(operand);
    const runtime = RUNTIME.get(name) ?? FLOAT_FUNCTIONS.get(name);
    const result = runtime !== undefined ? runtime.results[0] : HELPERS.get(name)?.result;
    this.f.callNamed(name);
    return result === undefined ? this.constant(0) : this.define(result);
  }

  /** A helper that refuses has changed nothing: the interpreter calls it again and raises the trap. */
  helperTrap(name: string, ...operands: Value[]): void {
    this.push(this.helper(name, ...operands))
      .i32(-1)
      .op('i32.ne');
    this.bailIf();
  }

  divide(
    signed: boolean,
    width: Width,
    high: Value,
    low: Value,
    divisor: Value,
  ): { quotient: Value; remainder: Value } {
    const { f } = this;
    if (width === 64) return this.#divideWide(signed, high, low, divisor);
    this.push(divisor).op('i64.eqz');
    this.bailIf();
    let dividend = this.integer('or', this.integer('shl', high, this.constant(width)), low);
    if (!signed) {
      const quotient = this.integer('div_u', dividend, divisor);
      this.push(quotient).i64(width).op('i64.shr_u').i64(0).op('i64.ne');
      this.bailIf();
      const product = this.integer('mul', quotient, divisor);
      const remainder = this.truncate(this.integer('sub', dividend, product), width);
      return { quotient: this.truncate(quotient, width), remainder };
    }
    if (width < 32) dividend = this.signExtend(dividend, (width * 2) as Width);
    const by = this.signExtend(divisor, width);
    if (width === 32) {
      this.push(dividend)
        .i64(-(1n << 63n))
        .op('i64.eq');
      this.push(by).i64(-1).op('i64.eq').op('i32.and');
      this.bailIf();
    }
    const quotient = this.integer('div_s', dividend, by);
    this.push(this.signExtend(quotient, width));
    this.push(quotient).op('i64.ne');
    this.bailIf();
    void f;
    const product = this.integer('mul', quotient, by);
    const remainder = this.integer('sub', dividend, product);
    return { quotient: this.truncate(quotient, width), remainder: this.truncate(remainder, width) };
  }

  /** 128 by 64 bits; nearly always the upper half is only the sign of the lower. */
  #divideWide(signed: boolean, high: Value, low: Value, divisor: Value): { quotient: Value; remainder: Value } {
    const { f } = this;
    const quotient = this.temporary('i64');
    const remainder = this.temporary('i64');
    const fits = this.temporary('i32');
    this.push(high);
    if (signed) {
      this.push(low).i64(63).op('i64.shr_s').op('i64.eq');
      this.push(divisor).i64(1).op('i64.add').i64(1).op('i64.gt_u').op('i32.and');
    } else {
      f.op('i64.eqz');
      this.push(divisor).i64(0).op('i64.ne').op('i32.and');
    }
    this.open('if');
    this.push(low);
    this.push(divisor)
      .op(signed ? 'i64.div_s' : 'i64.div_u')
      .set(quotient);
    this.push(low).get(quotient);
    this.push(divisor).op('i64.mul').op('i64.sub').set(remainder);
    f.else();
    this.push(divisor).op('i64.eqz');
    this.bailIf();
    this.push(high);
    this.push(low);
    this.push(divisor);
    f.callNamed(signed ? 'divide.signed128' : 'divide.unsigned128')
      .set(fits)
      .set(remainder)
      .set(quotient);
    f.get(fits).op('i32.eqz');
    this.bailIf();
    this.close();
    return {
      quotient: new Temp('i64', quotient, undefined, 64),
      remainder: new Temp('i64', remainder, undefined, 64),
    };
  }

  // ── Region ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Loads what the region uses from the state block. */
  enter(): void {
    const { f } = this;
    f.get(1).get(0).op('i32.sub').set(this.left);
    this.loadRegisters();
    this.loadFlags();
    if (this.use?.precise) {
      this.loadMode();
      this.forgetRegular();
    }
    this.emptyCaches();
  }

  leave(): void {
    this.storeRegisters();
    this.storeFlags();
  }

  /** RET. `select` goes to the block after the call it belongs to, if that is known, by the address in `target`. */
  returnInstruction(at: GuestInstruction, select: () => void): void {
    const { f } = this;
    this.recycle();
    this.at = at;
    this.d = at.decoded;
    const pointer = this.register(Reg.RSP, 64);
    f.get((this.load(pointer, 64) as Temp).local).set(this.target);
    const released = SHAPES[at.decoded.form].operands.length > 0 ? at.decoded.immediate & 0xffff : 0;
    this.setRegister(Reg.RSP, 64, this.integer('add', pointer, this.constant(8 + released)));
    const restore = this.snapshot();
    this.retire();
    select();
    restore();
    f.get(this.target)
      .i64(1n << 47n)
      .op('i64.add')
      .i64(48)
      .op('i64.shr_u')
      .i64(0)
      .op('i64.ne')
      .rarely();
    this.open('if');
    const now = this.register(Reg.RSP, 64);
    this.setRegister(Reg.RSP, 64, this.integer('sub', now, this.constant(8 + released)));
    this.bail();
    this.close();
    this.retire();
    this.exitIndirect();
  }
}
