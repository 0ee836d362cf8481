/**
 * Micro-operations on the status flags of translated code, over what emitter-flag-values.ts knows of them. Flags that nothing
 * can see before they are overwritten are not even described. `live` are flags that an instruction of the region reads
 * later; `wanted` are these and those that a fault or an exit would show.
 */
import { RFLAGS_FIXED, RFLAGS_OTHER } from '../state.ts';
import type { Condition, FlagRule, Value, Width } from '../uops.ts';
import { type FlagName, FlagValueLayer, FLAG_NAMES as NAMES } from './emitter-flag-values.ts';
import { Temp, Unsupported } from './emitter-values.ts';

/** Liveness is kept for CF and for the other flags together. */
export const CARRY = 1;
export const OTHERS = 2;
export const ALL_FLAGS = 3;

export class FlagLayer extends FlagValueLayer {
  readonly #operands = [this.f.local('i64'), this.f.local('i64'), this.f.local('i64')];
  readonly #truths = Object.fromEntries(NAMES.map((name) => [name, this.f.local('i32')])) as Record<FlagName, number>;
  /** Flags that are read after the present instruction, and flags that are read or could be seen. */
  protected live = ALL_FLAGS;
  protected wanted = ALL_FLAGS;
  /** ADC and SBB. */
  protected chained = false;
  /** Depth of `if` inside the lift: writes there are not certain. */
  protected conditional = 0;
  /** Of the present instruction: flags it reads, those it reads only to keep them, and those it certainly overwrites. */
  flagsRead = 0;
  flagsKept = 0;
  flagsWritten = 0;

  protected beginFlags(): void {
    this.flagsRead = 0;
    this.flagsKept = 0;
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
      if ((this.wanted & OTHERS) === 0) return;
      if ((this.wanted & CARRY) !== 0) {
        this.#step(rule, width, r);
        return;
      }
    } else if (this.wanted === 0) {
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
    const cf = this.#flagAside('cf');
    const top = 1n << BigInt(width - 1);
    const of = this.compare('eq', r, this.constant(rule === 'inc' ? top : top - 1n));
    const af = this.compare('eq', this.integer('and', r, this.constant(15)), this.constant(rule === 'inc' ? 0 : 15));
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
    if (this.wanted === 0) {
      this.pending = undefined;
      return;
    }
    this.#explicit(width, r, { cf, of, af: af ?? this.truth(0) });
  }

  changeFlags(flags: { cf?: Value; of?: Value; zf?: Value; sf?: Value; pf?: Value; af?: Value }): void {
    const others = (['of', 'zf', 'sf', 'pf', 'af'] as const).filter((name) => flags[name] !== undefined).length;
    const written = (flags.cf !== undefined ? CARRY : 0) | (others === 5 ? OTHERS : 0);
    const touched = written | (others > 0 ? OTHERS : 0);
    if ((this.wanted & touched) === 0) {
      this.#writes(written);
      return;
    }
    // Of the group that is changed in part, the rest is read; a group that is dead needs no value.
    const now = (name: FlagName): Value => {
      const given = flags[name];
      if (given !== undefined) return given;
      const group = name === 'cf' ? CARRY : OTHERS;
      return (this.wanted & group) === 0 ? this.truth(0) : this.#flagAside(name);
    };
    const values = Object.fromEntries(NAMES.map((name) => [name, now(name)]));
    this.#writes(written);
    this.#explicit(64, undefined, values);
  }

  /** A flag that passes through the instruction: not a read of its own. */
  #flagAside(name: FlagName): Value {
    this.seen.flags = true;
    this.flagsKept |= (name === 'cf' ? CARRY : OTHERS) & ~this.flagsWritten;
    this.pushFlag(name);
    return this.define('i32', 1);
  }

  flag(name: FlagName): Value {
    this.#reads(name === 'cf' ? CARRY : OTHERS);
    this.pushFlag(name);
    return this.define('i32', 1);
  }

  condition(code: Condition): Value {
    this.#reads([OTHERS, CARRY, OTHERS, ALL_FLAGS, OTHERS, OTHERS, OTHERS, OTHERS][code >> 1]);
    this.pushCondition(code >> 1);
    if ((code & 1) !== 0) this.f.op('i32.eqz');
    return this.define('i32', 1);
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
      this.pushFlag(name);
      f.op('i64.extend_i32_u').i64(bit).op('i64.shl').op('i64.or');
    }
    return this.define('i64');
  }

  /** Brings the flags into the locals where ways meet; `live` are read after, `wanted` read or seen. */
  settleFlags(live = this.live, wanted = this.wanted): void {
    if (live !== 0) this.materialise();
    else if (wanted !== 0) this.defer();
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
    this.settleFlags();
    const before = this.pending;
    const knowledge = this.knowledge;
    let changed = false;
    const arm = (body: () => void): void => {
      this.pending = before;
      body();
      this.saveAllAliases();
      if (this.pending !== before) {
        changed = true;
        this.settleFlags();
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
}
