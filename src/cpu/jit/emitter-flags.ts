/**
 * Status flags of translated code. What they were last computed from is kept as a description (`Pending`) over locals;
 * comparisons test the operands directly. Flags in the representation of the state block (cpu/state.ts), here two locals,
 * are computed only where the description is lost: at exits, and where ways with different descriptions meet. Flags
 * that nothing reads before they are overwritten are not computed at all (`live`).
 */
import { AUX_PARITY, FLAG_AUX, FLAG_RESULT, RFLAGS_FIXED, RFLAGS_OTHER } from '../state.ts';
import type { Condition, FlagRule, Value, Width } from '../uops.ts';
import { RegisterLayer } from './emitter-registers.ts';
import { Temp, Unsupported } from './emitter-values.ts';

export type FlagName = 'cf' | 'of' | 'zf' | 'sf' | 'pf' | 'af';
const NAMES: readonly FlagName[] = ['cf', 'of', 'zf', 'sf', 'pf', 'af'];

/** Liveness is kept for CF and for the other flags together. */
export const CARRY = 1;
export const OTHERS = 2;
export const ALL_FLAGS = 3;

export type Pending =
  | {
      readonly rule: 'add' | 'sub' | 'logic';
      readonly width: Width;
      /** A carry or borrow went in, so that CF does not follow from comparing two of the operands. */
      readonly chained: boolean;
      readonly a: Temp;
      readonly b: Temp;
      readonly r: Temp;
    }
  | {
      readonly rule: 'explicit';
      readonly width: Width;
      readonly r: Temp | undefined;
      readonly flags: Partial<Record<FlagName, Temp>>;
    };

export class FlagLayer extends RegisterLayer {
  readonly #result = this.f.local('i64');
  readonly #aux = this.f.local('i64');
  readonly #operands = [this.f.local('i64'), this.f.local('i64'), this.f.local('i64')];
  readonly #truths = Object.fromEntries(NAMES.map((name) => [name, this.f.local('i32')])) as Record<FlagName, number>;
  /** Undefined: the flags are in the two locals, or dead. */
  pending: Pending | undefined;
  /** Flags that are read after the present instruction. */
  protected live = ALL_FLAGS;
  /** ADC and SBB. */
  protected chained = false;
  /** Depth of `if` inside the lift: writes there are not certain. */
  protected conditional = 0;
  /** Of the present instruction: flags it reads, and flags it certainly overwrites. */
  flagsRead = 0;
  flagsWritten = 0;

  protected beginFlags(): void {
    this.flagsRead = 0;
    this.flagsWritten = 0;
  }

  #reads(mask: number): void {
    this.flagsRead |= mask & ~this.flagsWritten;
    this.seen.flags = true;
  }

  #writes(mask: number): void {
    if (this.conditional === 0) this.flagsWritten |= mask;
    this.seen.flags = true;
  }

  #keep(value: Value, local: number): Temp {
    const { constant, type, bits } = value as Temp;
    if (constant !== undefined) return value as Temp;
    this.push(value).set(local);
    return new Temp(type, local, undefined, bits);
  }

  setFlags(rule: FlagRule, width: Width, a: Value, b: Value, r: Value): void {
    const step = rule === 'inc' || rule === 'dec';
    this.#writes(step ? OTHERS : ALL_FLAGS);
    if (step) {
      if ((this.live & OTHERS) === 0) return;
      if ((this.live & CARRY) !== 0) {
        this.#step(rule, width, r);
        return;
      }
    } else if (this.live === 0) {
      this.pending = undefined;
      return;
    }
    const [first, second, third] = this.#operands;
    const logic = rule === 'logic';
    this.pending = {
      rule: rule === 'inc' ? 'add' : rule === 'dec' || rule === 'borrow' ? 'sub' : rule,
      width,
      chained: this.chained,
      a: logic ? this.constant(0) : this.#keep(a, first),
      b: logic ? this.constant(0) : this.#keep(b, second),
      r: this.#keep(r, third),
    };
  }

  /** INC and DEC while CF is needed later. */
  #step(rule: 'inc' | 'dec', width: Width, r: Value): void {
    const cf = this.flag('cf');
    const top = 1n << BigInt(width - 1);
    const of = this.compare('eq', r, this.constant(rule === 'inc' ? top : top - 1n));
    const af = this.compare('eq', this.integer('and', r, this.constant(15)), this.constant(rule === 'inc' ? 0 : 15));
    this.flagsRead &= ~CARRY;
    this.#explicit(width, r, { cf, of, af });
  }

  #explicit(width: Width, r: Value | undefined, flags: Partial<Record<FlagName, Value>>): void {
    const kept: Partial<Record<FlagName, Temp>> = {};
    for (const name of NAMES) {
      const value = flags[name];
      if (value !== undefined) kept[name] = this.#keep(value, this.#truths[name]);
    }
    this.pending = {
      rule: 'explicit',
      width,
      r: r === undefined ? undefined : this.#keep(r, this.#operands[2]),
      flags: kept,
    };
  }

  setFlagsExplicit(width: Width, r: Value, cf: Value, of: Value, af?: Value): void {
    this.#writes(ALL_FLAGS);
    if (this.live === 0) {
      this.pending = undefined;
      return;
    }
    this.#explicit(width, r, { cf, of, af: af ?? this.truth(0) });
  }

  changeFlags(flags: { cf?: Value; of?: Value; zf?: Value; sf?: Value; pf?: Value; af?: Value }): void {
    const others = (['of', 'zf', 'sf', 'pf', 'af'] as const).filter((name) => flags[name] !== undefined).length;
    const written = (flags.cf !== undefined ? CARRY : 0) | (others === 5 ? OTHERS : 0);
    const touched = written | (others > 0 ? OTHERS : 0);
    if ((this.live & touched) === 0) {
      this.#writes(written);
      return;
    }
    // Of the group that is changed in part, the rest is read; a group that is dead needs no value.
    const now = (name: FlagName): Value => {
      const given = flags[name];
      if (given !== undefined) return given;
      const group = name === 'cf' ? CARRY : OTHERS;
      return (this.live & group) === 0 ? this.truth(0) : this.#flagAside(name);
    };
    const values = Object.fromEntries(NAMES.map((name) => [name, now(name)]));
    if (others > 0 && others < 5) this.#reads(OTHERS);
    this.#writes(written);
    this.#explicit(64, undefined, values);
  }

  /** A flag that passes through the instruction: not a read of its own. */
  #flagAside(name: FlagName): Value {
    this.seen.flags = true;
    this.#pushFlag(name);
    return this.define('i32', 1);
  }

  flag(name: FlagName): Value {
    this.#reads(name === 'cf' ? CARRY : OTHERS);
    return this.#flagAside(name);
  }

  condition(code: Condition): Value {
    this.#reads([OTHERS, CARRY, OTHERS, ALL_FLAGS, OTHERS, OTHERS, OTHERS, OTHERS][code >> 1]);
    this.#pushCondition(code >> 1);
    if ((code & 1) !== 0) this.f.op('i32.eqz');
    return this.define('i32', 1);
  }

  #pushCondition(kind: number): void {
    const { f, pending } = this;
    if (pending?.rule === 'sub' && !pending.chained) {
      if (kind === 2) {
        this.#compare('eq', false);
        return;
      }
      if (kind === 1) {
        this.#compare('lt_u', false);
        return;
      }
      if (kind === 3) {
        this.#compare('le_u', false);
        return;
      }
      if (kind === 6) {
        this.#compare('lt_s', true);
        return;
      }
      if (kind === 7) {
        this.#compare('le_s', true);
        return;
      }
    }
    switch (kind) {
      case 0:
        this.#pushFlag('of');
        return;
      case 1:
        this.#pushFlag('cf');
        return;
      case 2:
        this.#pushFlag('zf');
        return;
      case 3:
        this.#pushFlag('cf');
        this.#pushFlag('zf');
        f.op('i32.or');
        return;
      case 4:
        this.#pushFlag('sf');
        return;
      case 5:
        this.#pushFlag('pf');
        return;
      default:
        this.#pushFlag('sf');
        if (pending?.rule !== 'logic') {
          this.#pushFlag('of');
          f.op('i32.xor');
        }
        if (kind === 7) {
          this.#pushFlag('zf');
          f.op('i32.or');
        }
    }
  }

  /** Pushes a comparison of the operands of a subtraction. */
  #compare(op: string, signed: boolean): void {
    const { f } = this;
    const { a, b, width } = this.pending as Extract<Pending, { rule: 'add' | 'sub' | 'logic' }>;
    if (width === 64) {
      this.push(a);
      this.push(b).op(`i64.${op}`);
      return;
    }
    for (const value of [a, b]) {
      if (value.constant !== undefined) {
        const { constant } = value;
        f.i32(Number(signed ? BigInt.asIntN(width, constant) : BigInt.asIntN(32, constant)));
        continue;
      }
      this.push(value).op('i32.wrap_i64');
      if (signed && width < 32) f.op(`i32.extend${width}_s`);
    }
    f.op(`i32.${op}`);
  }

  /** Pushes whether bit `width − 1` of the i64 on the stack is set. */
  #top(width: Width): void {
    const { f } = this;
    if (width === 32) f.op('i32.wrap_i64').i32(31).op('i32.shr_u');
    else {
      f.i64(width - 1)
        .op('i64.shr_u')
        .op('i32.wrap_i64');
      if (width < 32) f.i32(1).op('i32.and');
    }
  }

  #parity(r: Temp): void {
    this.push(r).op('i32.wrap_i64').i32(0xff).op('i32.and').op('i32.popcnt').i32(1).op('i32.and').op('i32.eqz');
  }

  /** Pushes a flag as an i32 truth value. */
  #pushFlag(name: FlagName): void {
    const { f, pending } = this;
    if (pending === undefined) {
      this.#pushStored(name);
      return;
    }
    const { r, width } = pending;
    if (pending.rule === 'explicit') {
      const given = pending.flags[name];
      if (given !== undefined) {
        this.push(given);
        return;
      }
    }
    switch (name) {
      case 'zf':
        this.push(r!).op('i64.eqz');
        return;
      case 'sf':
        this.push(r!);
        this.#top(width);
        return;
      case 'pf':
        this.#parity(r!);
        return;
    }
    if (pending.rule === 'explicit' || pending.rule === 'logic') {
      f.i32(0);
      return;
    }
    const { a, b, rule, chained } = pending;
    if (name === 'af') {
      this.push(a);
      this.push(b).op('i64.xor');
      this.push(pending.r).op('i64.xor').i64(4).op('i64.shr_u').op('i32.wrap_i64').i32(1).op('i32.and');
    } else if (name === 'of') {
      this.push(a);
      this.push(rule === 'add' ? pending.r : b).op('i64.xor');
      this.push(rule === 'add' ? b : a);
      this.push(pending.r).op('i64.xor').op('i64.and');
      this.#top(width);
    } else if (chained) {
      this.#carries(pending);
      this.#top(width);
    } else if (rule === 'sub') this.#compare('lt_u', false);
    else {
      this.push(pending.r);
      this.push(a).op('i64.lt_u');
    }
  }

  /** Pushes the vector of carries or borrows. */
  #carries({ rule, a, b, r }: Extract<Pending, { rule: 'add' | 'sub' | 'logic' }>): void {
    const { f } = this;
    if (rule === 'add') {
      this.push(a);
      this.push(a);
      this.push(b).op('i64.xor');
      this.push(a);
      this.push(r).op('i64.xor').i64(-1).op('i64.xor').op('i64.and').op('i64.xor');
    } else {
      this.push(r);
      this.push(a);
      this.push(b).op('i64.xor');
      this.push(r);
      this.push(b).op('i64.xor').op('i64.and').op('i64.xor');
    }
    return void f;
  }

  /** Pushes a flag from the two words. */
  #pushStored(name: FlagName): void {
    const { f } = this;
    switch (name) {
      case 'cf':
        f.get(this.#aux).i64(63).op('i64.shr_u').op('i32.wrap_i64');
        return;
      case 'of':
        f.get(this.#aux).get(this.#aux).i64(1).op('i64.shl').op('i64.xor').i64(63).op('i64.shr_u').op('i32.wrap_i64');
        return;
      case 'zf':
        f.get(this.#result).op('i64.eqz');
        return;
      case 'sf':
        f.get(this.#result)
          .get(this.#aux)
          .i64(63)
          .op('i64.shl')
          .op('i64.xor')
          .i64(63)
          .op('i64.shr_u')
          .op('i32.wrap_i64');
        return;
      case 'pf':
        f.get(this.#result).op('i32.wrap_i64').i32(0xff).op('i32.and').op('i32.popcnt').i32(1).op('i32.and');
        f.get(this.#aux).op('i32.wrap_i64').i32(AUX_PARITY).op('i32.and').i32(1).op('i32.shr_u');
        f.op('i32.xor').op('i32.eqz');
        return;
      case 'af':
        f.get(this.#aux).i64(3).op('i64.shr_u').op('i32.wrap_i64').i32(1).op('i32.and');
    }
  }

  /** Computes the two words from the description, which stays in force. */
  protected materialise(): void {
    const { f, pending } = this;
    if (pending === undefined) return;
    const { r, width } = pending;
    if (pending.rule === 'explicit') {
      const { flags } = pending;
      const bit = (name: FlagName, at: number): void => {
        this.#pushFlag(name);
        f.op('i64.extend_i32_u').i64(at).op('i64.shl');
      };
      bit('cf', 63);
      this.#pushFlag('cf');
      this.#pushFlag('of');
      f.op('i32.xor').op('i64.extend_i32_u').i64(62).op('i64.shl').op('i64.or');
      bit('af', 3);
      f.op('i64.or');
      if (r === undefined || flags.zf !== undefined) {
        // A result of 0 or 256: SF clear and PF set by themselves, so the bits of the second word invert what differs.
        this.#pushFlag('pf');
        f.op('i32.eqz').op('i64.extend_i32_u').i64(1).op('i64.shl').op('i64.or');
        this.#pushFlag('sf');
        f.op('i64.extend_i32_u').op('i64.or').set(this.#aux);
        this.#pushFlag('zf');
        f.op('i32.eqz').op('i64.extend_i32_u').i64(8).op('i64.shl').set(this.#result);
        return;
      }
      f.set(this.#aux);
    } else if (pending.rule === 'logic') f.i64(0).set(this.#aux);
    else {
      this.#carries(pending);
      if (width === 64) f.i64(-4).op('i64.and').set(this.#aux);
      else {
        f.set(this.#aux);
        f.get(this.#aux)
          .i64(64 - width)
          .op('i64.shl');
        f.get(this.#aux).i64(8).op('i64.and').op('i64.or').set(this.#aux);
      }
    }
    this.push(r!);
    if (width !== 64) f.op(`i64.extend${width}_s`);
    f.set(this.#result);
  }

  rflags(): Value {
    this.#reads(ALL_FLAGS);
    const { f } = this;
    const bits: [FlagName, number][] = [
      ['cf', 0],
      ['pf', 2],
      ['af', 4],
      ['zf', 6],
      ['sf', 7],
      ['of', 11],
    ];
    this.stateAddress(RFLAGS_OTHER);
    f.mem('i64.load32_u', 0, 2).i64(RFLAGS_FIXED).op('i64.or');
    for (const [name, bit] of bits) {
      this.#pushFlag(name);
      f.op('i64.extend_i32_u').i64(bit).op('i64.shl').op('i64.or');
    }
    return this.define('i64');
  }

  setRflags(_value: Value): void {
    throw new Unsupported();
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    const { constant } = condition as Temp;
    if (constant !== undefined) {
      if (constant !== 0n) then();
      else otherwise?.();
      return;
    }
    this.saveAllAliases();
    // Nothing of this instruction's flags is wanted: what an arm sets is dropped.
    if (this.live !== 0) this.materialise();
    const before = this.pending;
    const knowledge = this.knowledge;
    let changed = false;
    const arm = (body: () => void): void => {
      this.pending = before;
      body();
      this.saveAllAliases();
      if (this.pending !== before) {
        changed = true;
        this.materialise();
      }
      this.forgetWritten(knowledge);
    };
    this.conditional++;
    this.push(condition);
    if (condition.type === 'i64') this.f.i64(0).op('i64.ne');
    this.open('if');
    arm(then);
    if (otherwise !== undefined) {
      this.f.else();
      arm(otherwise);
    }
    this.close();
    this.conditional--;
    this.pending = changed ? undefined : before;
  }

  protected loadFlags(): void {
    if (this.use?.flags !== true) return;
    this.stateAddress(FLAG_RESULT);
    this.f.mem('i64.load', 0, 3).set(this.#result);
    this.stateAddress(FLAG_AUX);
    this.f.mem('i64.load', 0, 3).set(this.#aux);
  }

  protected storeFlags(): void {
    if (this.use?.flags !== true) return;
    this.stateAddress(FLAG_RESULT);
    this.f.get(this.#result).mem('i64.store', 0, 3);
    this.stateAddress(FLAG_AUX);
    this.f.get(this.#aux).mem('i64.store', 0, 3);
  }
}
