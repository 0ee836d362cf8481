/**
 * Micro-operations on the status flags in their lazy representation (state.ts). The carry vectors are computed without
 * the type of operation: bit i of the vector is the carry or borrow out of bit i.
 *
 * Flags that were set last are stored only when something may look at them: before they are read, at every way out of the
 * handler, and around `if`. In a handler of several instructions most are overwritten before.
 */
import { AUX_PARITY, FLAG_AUX, FLAG_RESULT, RFLAGS_FIXED, RFLAGS_OTHER, RFLAGS_WRITABLE } from '../state.ts';
import type { Condition, FlagRule, Value, Width } from '../uops.ts';
import { type Local, ValueEmitter } from './values.ts';

type FlagName = 'cf' | 'of' | 'zf' | 'sf' | 'pf' | 'af';

const SIGN = -(1n << 63n);

/** What the flags were last computed from, if that is known where the code now stands. */
interface Origin {
  readonly rule: FlagRule;
  readonly width: Width;
  readonly a: Value;
  readonly b: Value;
  readonly r: Value;
}

export class FlagEmitter extends ValueEmitter {
  #origin: Origin | undefined;
  /** `#origin` has not been stored yet. */
  #pending = false;

  setFlags(rule: FlagRule, width: Width, a: Value, b: Value, r: Value): void {
    // INC and DEC keep CF, so they read what was before them.
    const partial = rule === 'inc' || rule === 'dec';
    if (partial) this.flushFlags();
    this.#origin = { rule, width, a, b, r };
    this.#pending = true;
    if (partial) this.flushFlags();
  }

  /** Stores flags that were set and not stored, where execution goes on. */
  protected flushFlags(): void {
    if (!this.#pending) return;
    this.#pending = false;
    this.#store(this.#origin!);
  }

  /** Stores them on a way out of the handler that is not taken as a rule. */
  protected storeFlagsForExit(): void {
    if (this.#pending) this.#store(this.#origin!);
  }

  #store({ rule, width, a, b, r }: Origin): void {
    this.#storeResult(width, r);
    const { f } = this;
    if (rule === 'logic') {
      this.stateAddress(FLAG_AUX);
      f.i64(0).mem('i64.store', 0, 3);
      return;
    }
    if (rule === 'add' || rule === 'inc') {
      // Carry out is a where a and b agree, else not r.
      this.push(a);
      this.push(a);
      this.push(b).op('i64.xor');
      this.push(a);
      this.push(r).op('i64.xor').i64(-1).op('i64.xor').op('i64.and').op('i64.xor');
    } else {
      // Borrow out is r where a and b agree, else b.
      this.push(r);
      this.push(a);
      this.push(b).op('i64.xor');
      this.push(r);
      this.push(b).op('i64.xor').op('i64.and').op('i64.xor');
    }
    const carries = this.define('i64');
    if (rule === 'add' || rule === 'sub' || rule === 'borrow') {
      this.stateAddress(FLAG_AUX);
      if (width === 64) f.get(carries.local).i64(-4).op('i64.and');
      else {
        f.get(carries.local)
          .i64(64 - width)
          .op('i64.shl');
        f.get(carries.local).i64(8).op('i64.and').op('i64.or');
      }
      f.mem('i64.store', 0, 3);
      return;
    }
    // CF stays: bit 63 is the old one, bit 62 differs from it if there was overflow.
    this.stateAddress(FLAG_AUX);
    f.mem('i64.load', 0, 3).i64(SIGN).op('i64.and');
    const old = this.define('i64');
    f.get(carries.local)
      .i64(64 - width)
      .op('i64.shl');
    const top = this.define('i64');
    f.get(top.local).i64(1).op('i64.shl').get(top.local).op('i64.xor').i64(SIGN).op('i64.and');
    f.get(old.local).op('i64.xor').i64(1).op('i64.shr_u');
    f.get(old.local).op('i64.or');
    f.get(carries.local).i64(8).op('i64.and').op('i64.or');
    this.#storeAux();
  }

  setFlagsExplicit(width: Width, r: Value, cf: Value, of: Value, af?: Value): void {
    this.#forget();
    this.#storeResult(width, r);
    this.push(cf).op('i64.extend_i32_u').i64(63).op('i64.shl');
    this.push(cf);
    this.push(of).op('i32.xor').op('i64.extend_i32_u').i64(62).op('i64.shl').op('i64.or');
    if (af !== undefined) this.push(af).op('i64.extend_i32_u').i64(3).op('i64.shl').op('i64.or');
    this.#storeAux();
  }

  changeFlags(flags: { cf?: Value; of?: Value; zf?: Value; sf?: Value; pf?: Value; af?: Value }): void {
    this.flushFlags();
    this.#origin = undefined;
    const now = (name: FlagName): Value => flags[name] ?? this.flag(name);
    if (flags.zf === undefined && flags.sf === undefined && flags.pf === undefined) {
      const cf = now('cf');
      const of = now('of');
      this.push(cf).op('i64.extend_i32_u').i64(63).op('i64.shl');
      this.push(cf);
      this.push(of).op('i32.xor').op('i64.extend_i32_u').i64(62).op('i64.shl').op('i64.or');
      if (flags.af === undefined) this.#aux().i64(0xb).op('i64.and').op('i64.or');
      else {
        this.#aux().i64(3).op('i64.and').op('i64.or');
        this.push(flags.af).op('i64.extend_i32_u').i64(3).op('i64.shl').op('i64.or');
      }
      this.#storeAux();
      return;
    }
    const [cf, of, zf, sf, pf, af] = (['cf', 'of', 'zf', 'sf', 'pf', 'af'] as const).map(now);
    // A result of 0 or 256: SF clear and PF set by themselves, so the bits of AUX invert what differs.
    this.stateAddress(FLAG_RESULT);
    this.push(zf).op('i32.eqz').op('i64.extend_i32_u').i64(8).op('i64.shl').mem('i64.store', 0, 3);
    this.push(cf).op('i64.extend_i32_u').i64(63).op('i64.shl');
    this.push(cf);
    this.push(of).op('i32.xor').op('i64.extend_i32_u').i64(62).op('i64.shl').op('i64.or');
    this.push(af).op('i64.extend_i32_u').i64(3).op('i64.shl').op('i64.or');
    this.push(pf).op('i32.eqz').op('i64.extend_i32_u').i64(1).op('i64.shl').op('i64.or');
    this.push(sf).op('i64.extend_i32_u').op('i64.or');
    this.#storeAux();
  }

  flag(name: FlagName): Value {
    switch (name) {
      case 'cf':
        this.#aux().i64(63).op('i64.shr_u').op('i32.wrap_i64');
        break;
      case 'of':
        this.#overflow().i64(63).op('i64.shr_u').op('i32.wrap_i64');
        break;
      case 'zf':
        this.#result().op('i64.eqz');
        break;
      case 'sf':
        this.#sign().i64(63).op('i64.shr_u').op('i32.wrap_i64');
        break;
      case 'pf':
        this.#result().i64(0xff).op('i64.and').op('i64.popcnt').i64(1).op('i64.and').op('i32.wrap_i64');
        this.#aux().i64(AUX_PARITY).op('i64.and').i64(1).op('i64.shr_u').op('i32.wrap_i64');
        this.f.op('i32.xor').op('i32.eqz');
        break;
      case 'af':
        this.#aux().i64(3).op('i64.shr_u').op('i32.wrap_i64').i32(1).op('i32.and');
        break;
    }
    return this.define('i32');
  }

  condition(code: Condition): Value {
    const { f } = this;
    if (this.#direct(code)) {
      if ((code & 1) !== 0) f.op('i32.eqz');
      return this.define('i32');
    }
    switch (code >> 1) {
      case 0:
        this.#overflow().i64(0).op('i64.lt_s');
        break;
      case 1:
        this.#aux().i64(0).op('i64.lt_s');
        break;
      case 2:
        this.#result().op('i64.eqz');
        break;
      case 3:
        this.#aux().i64(0).op('i64.lt_s');
        this.#result().op('i64.eqz').op('i32.or');
        break;
      case 4:
        this.#sign().i64(0).op('i64.lt_s');
        break;
      case 5:
        return (code & 1) !== 0 ? this.not(this.flag('pf')) : this.flag('pf');
      case 6:
        this.#less();
        break;
      case 7:
        this.#less();
        this.#result().op('i64.eqz').op('i32.or');
        break;
    }
    if ((code & 1) !== 0) f.op('i32.eqz');
    return this.define('i32');
  }

  rflags(): Value {
    const { f } = this;
    const bits: [FlagName, number][] = [
      ['cf', 0],
      ['pf', 2],
      ['af', 4],
      ['zf', 6],
      ['sf', 7],
      ['of', 11],
    ];
    const values = bits.map(([name, bit]): [Value, number] => [this.flag(name), bit]);
    this.stateAddress(RFLAGS_OTHER);
    f.mem('i64.load32_u', 0, 2).i64(RFLAGS_FIXED).op('i64.or');
    for (const [value, bit] of values) {
      this.push(value).op('i64.extend_i32_u').i64(bit).op('i64.shl').op('i64.or');
    }
    return this.define('i64');
  }

  setRflags(value: Value): void {
    const bit = (n: number): Value => {
      this.push(value).i64(n).op('i64.shr_u').op('i32.wrap_i64').i32(1).op('i32.and');
      return this.define('i32');
    };
    this.changeFlags({ cf: bit(0), pf: bit(2), af: bit(4), zf: bit(6), sf: bit(7), of: bit(11) });
    this.stateAddress(RFLAGS_OTHER);
    this.push(value).op('i32.wrap_i64').i32(RFLAGS_WRITABLE).op('i32.and').mem('i32.store', 0, 2);
    this.trapFlagMayBeSet = true;
  }

  /** The lift wrote RFLAGS: the handler looks whether single-stepping was switched on. */
  trapFlagMayBeSet = false;

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.flushFlags();
    const before = this.#origin;
    const flushed = (body: () => void) => (): void => {
      this.#origin = before;
      body();
      this.flushFlags();
      changed ||= this.#origin !== before;
    };
    let changed = false;
    super.if(condition, flushed(then), otherwise === undefined ? undefined : flushed(otherwise));
    this.#origin = changed ? undefined : before;
  }

  /**
   * Pushes the even condition of a pair straight from the operands of a comparison in the same handler. False if that is
   * not possible: then nothing was pushed.
   */
  #direct(code: Condition): boolean {
    if (this.#origin === undefined) return false;
    const { rule, width, a, b, r } = this.#origin;
    const { f } = this;
    const compareSigned = (op: string): boolean => {
      this.push(this.signExtend(a, width));
      this.push(this.signExtend(b, width)).op(op);
      return true;
    };
    const negative = (): boolean => {
      this.push(this.signExtend(r, width)).i64(0).op('i64.lt_s');
      return true;
    };
    const zero = (): boolean => {
      this.push(r).op('i64.eqz');
      return true;
    };
    const compareUnsigned = (op: string): boolean => {
      this.push(a);
      this.push(b).op(op);
      return true;
    };
    switch (code >> 1) {
      case 2:
        return zero();
      case 4:
        return negative();
      case 1:
        return rule === 'sub' && compareUnsigned('i64.lt_u');
      case 3:
        if (rule === 'logic') return zero();
        return rule === 'sub' && compareUnsigned('i64.le_u');
      case 6:
        if (rule === 'logic') return negative();
        return rule === 'sub' && compareSigned('i64.lt_s');
      case 7:
        if (rule === 'logic') {
          negative();
          zero();
          f.op('i32.or');
          return true;
        }
        return rule === 'sub' && compareSigned('i64.le_s');
      default:
        return false;
    }
  }

  /** All flags are about to be overwritten. */
  #forget(): void {
    this.#origin = undefined;
    this.#pending = false;
  }

  #storeResult(width: Width, r: Value): void {
    this.stateAddress(FLAG_RESULT);
    this.push(r);
    if (width !== 64) this.f.op(`i64.extend${width}_s`);
    this.f.mem('i64.store', 0, 3);
  }

  /** Stores the top of the stack. */
  #storeAux(): void {
    const value: Local = this.define('i64');
    this.stateAddress(FLAG_AUX);
    this.f.get(value.local).mem('i64.store', 0, 3);
  }

  #aux(): this['f'] {
    this.flushFlags();
    this.stateAddress(FLAG_AUX);
    return this.f.mem('i64.load', 0, 3);
  }

  #result(): this['f'] {
    this.flushFlags();
    this.stateAddress(FLAG_RESULT);
    return this.f.mem('i64.load', 0, 3);
  }

  /** A word whose sign is OF. */
  #overflow(): this['f'] {
    this.#aux();
    const aux = this.define('i64');
    return this.f.get(aux.local).get(aux.local).i64(1).op('i64.shl').op('i64.xor');
  }

  /** A word whose sign is SF. */
  #sign(): this['f'] {
    this.#result();
    this.#aux().i64(63).op('i64.shl');
    return this.f.op('i64.xor');
  }

  /** SF ≠ OF as an i32. */
  #less(): void {
    this.#overflow();
    this.#sign().op('i64.xor').i64(0).op('i64.lt_s');
  }
}
