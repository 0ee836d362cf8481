/**
 * What translated code knows of the status flags. What they were last computed from is kept as a description (`Pending`) over
 * locals; comparisons test the operands directly. Where ways with different descriptions meet, and at exits, the flags
 * are in three locals:
 *
 *     kind = 0        the two words of the state block (cpu/state.ts)
 *     kind > 0        the operands of an operation, `flagKind`; the exit computes the words from them (runtime.ts)
 *
 * The second form costs nothing but keeping the operands; it serves ways out of the region and flags that only a fault could
 * show. Whoever reads flags with no description in force needs the first (`materialise` before the ways meet).
 */
import { AUX_PARITY, FLAG_AUX, FLAG_RESULT } from '../state.ts';
import type { Width } from '../uops.ts';
import { RegisterLayer } from './emitter-registers.ts';
import type { Temp } from './emitter-values.ts';

export type FlagName = 'cf' | 'of' | 'zf' | 'sf' | 'pf' | 'af';
export const FLAG_NAMES: readonly FlagName[] = ['cf', 'of', 'zf', 'sf', 'pf', 'af'];

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

/** Number of a rule and a width as the local `kind` holds it. */
export const flagKind = (rule: 'add' | 'sub' | 'logic', width: Width): number =>
  ({ logic: 1, add: 2, sub: 3 })[rule] | (width << 8);

export class FlagValueLayer extends RegisterLayer {
  readonly #result = this.f.local('i64');
  readonly #aux = this.f.local('i64');
  readonly #kind = this.f.local('i32');
  /** Undefined: the flags are in the locals, or dead. */
  pending: Pending | undefined;

  /** Pushes the even condition of a pair. */
  protected pushCondition(kind: number): void {
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
        this.pushFlag('of');
        return;
      case 1:
        this.pushFlag('cf');
        return;
      case 2:
        this.pushFlag('zf');
        return;
      case 3:
        this.pushFlag('cf');
        this.pushFlag('zf');
        f.op('i32.or');
        return;
      case 4:
        this.pushFlag('sf');
        return;
      case 5:
        this.pushFlag('pf');
        return;
      default:
        this.pushFlag('sf');
        if (pending?.rule !== 'logic') {
          this.pushFlag('of');
          f.op('i32.xor');
        }
        if (kind === 7) {
          this.pushFlag('zf');
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
  protected pushFlag(name: FlagName): void {
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
    f.i32(0).set(this.#kind);
    if (pending.rule === 'explicit') {
      const { flags } = pending;
      const bit = (name: FlagName, at: number): void => {
        this.pushFlag(name);
        f.op('i64.extend_i32_u').i64(at).op('i64.shl');
      };
      bit('cf', 63);
      this.pushFlag('cf');
      this.pushFlag('of');
      f.op('i32.xor').op('i64.extend_i32_u').i64(62).op('i64.shl').op('i64.or');
      bit('af', 3);
      f.op('i64.or');
      if (r === undefined || flags.zf !== undefined) {
        // A result of 0 or 256: SF clear and PF set by themselves, so the bits of the second word invert what differs.
        this.pushFlag('pf');
        f.op('i32.eqz').op('i64.extend_i32_u').i64(1).op('i64.shl').op('i64.or');
        this.pushFlag('sf');
        f.op('i64.extend_i32_u').op('i64.or').set(this.#aux);
        this.pushFlag('zf');
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

  /** As `materialise`, but leaves the computation to the exit if it can: nothing in the region may read the flags after. */
  protected defer(): void {
    const { f, pending } = this;
    if (pending === undefined) return;
    if (pending.rule === 'explicit' || pending.chained) {
      this.materialise();
      return;
    }
    const { rule, width, a, b, r } = pending;
    this.push(rule === 'logic' ? r : a).set(this.#result);
    if (rule !== 'logic') this.push(b).set(this.#aux);
    f.i32(flagKind(rule, width)).set(this.#kind);
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
    this.f.get(this.#kind).rarely().if();
    this.f.get(this.#result).get(this.#aux).get(this.#kind).callNamed('jit.flags').end();
  }
}
