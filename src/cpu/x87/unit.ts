/**
 * The x87 register stack, status and exceptions over a window's state block (SDM Vol. 1, 8.1 and 8.5–8.7).
 *
 * Every operation first calls `begin`: a pending unmasked exception is raised by the *next* waiting instruction. It then
 * computes the masked response and calls `accept` with the exceptions raised: invalid, denormal and zero-divide exceptions
 * that are unmasked keep the result back and the stack as it was; overflow, underflow and precision do so for stores only.
 */

import type { Machine } from '../helpers.ts';
import { FCW, FSW, FTW, X87 } from '../state.ts';
import type { Control } from './arithmetic.ts';
import { C1, DE, DEFAULT_NAN, type Float80, IE, OE, PE, type Rounding, SF, UE, ZE } from './float80.ts';

/** Trap.X87Exception of engine.ts. */
export const X87_TRAP = 7;
export const NO_TRAP = -1;

const SUMMARY = 0x8080;
const PRECISIONS = [24, 24, 53, 64];
const BEFORE = IE | DE | ZE;

export class X87Unit {
  readonly #state: DataView;

  constructor(readonly machine: Machine) {
    this.#state = machine.state;
  }

  get controlWord(): number {
    return this.#state.getUint16(FCW, true);
  }

  /** Loading a control word may unmask an exception that is already flagged: the summary bit follows. */
  set controlWord(value: number) {
    this.#state.setUint16(FCW, value | 0x40, true);
    this.summarize();
  }

  get statusWord(): number {
    return this.#state.getUint16(FSW, true);
  }

  set statusWord(value: number) {
    this.#state.setUint16(FSW, value, true);
  }

  /** One bit a physical register: set if it is in use. */
  get tags(): number {
    return this.#state.getUint8(FTW);
  }

  set tags(value: number) {
    this.#state.setUint8(FTW, value);
  }

  get top(): number {
    return (this.statusWord >> 11) & 7;
  }

  set top(value: number) {
    this.statusWord = (this.statusWord & ~0x3800) | ((value & 7) << 11);
  }

  get rounding(): Rounding {
    return ((this.controlWord >> 10) & 3) as Rounding;
  }

  get masks(): number {
    return this.controlWord & 0x3f;
  }

  /** How arithmetic rounds; `full` ignores precision control. */
  control(full = false): Control {
    const cw = this.controlWord;
    return {
      precision: full ? 64 : PRECISIONS[(cw >> 8) & 3],
      rounding: ((cw >> 10) & 3) as Rounding,
      masks: cw & 0x3f,
    };
  }

  /** Trap number if an unmasked exception is pending. */
  begin(): number {
    return (this.statusWord & 0x80) !== 0 ? X87_TRAP : NO_TRAP;
  }

  summarize(): void {
    const pending = (this.statusWord & ~this.controlWord & 0x3f) !== 0;
    this.statusWord = pending ? this.statusWord | SUMMARY : this.statusWord & ~SUMMARY;
  }

  isEmpty(i: number): boolean {
    return (this.tags & (1 << ((this.top + i) & 7))) === 0;
  }

  get(i: number): Float80 {
    const offset = X87 + ((this.top + i) & 7) * 16;
    return { sig: this.#state.getBigUint64(offset, true), se: this.#state.getUint16(offset + 8, true) };
  }

  set(i: number, value: Float80): void {
    const physical = (this.top + i) & 7;
    const offset = X87 + physical * 16;
    this.#state.setBigUint64(offset, value.sig, true);
    this.#state.setUint16(offset + 8, value.se, true);
    this.tags |= 1 << physical;
  }

  free(i: number): void {
    this.tags &= ~(1 << ((this.top + i) & 7));
  }

  pop(count = 1): void {
    for (let k = 0; k < count; k++) {
      this.free(0);
      this.top++;
    }
  }

  /** Puts a value on the stack; the caller has checked for room. */
  push(value: Float80): void {
    this.top--;
    this.set(0, value);
  }

  /**
   * Records exceptions and C1. Returns whether the result may be delivered; with `store`, unmasked overflow and underflow
   * keep it back too.
   */
  accept(flags: number, store = false): boolean {
    const unmasked = flags & ~this.controlWord;
    const held = (unmasked & (store ? BEFORE | OE | UE : BEFORE)) !== 0;
    const early = (unmasked & BEFORE) !== 0;
    let recorded = flags;
    // What kept the result back also kept it from being rounded: C1 then only tells the direction of a stack fault.
    if (early) recorded &= BEFORE | SF | ((flags & SF) !== 0 ? C1 : 0);
    else if (held) recorded &= ~(PE | C1);
    this.statusWord = (this.statusWord & ~C1) | (recorded & 0x7f) | (recorded & C1);
    this.summarize();
    return !held;
  }

  /** Stack underflow or overflow. Returns whether the masked response (a default NaN) is to be delivered. */
  stackFault(overflow: boolean): boolean {
    return this.accept(IE | SF | (overflow ? C1 : 0));
  }

  /** Sets C0, C2, C3 (and C1 with `mask` 0x4700). */
  codes(value: number, mask = 0x4500): void {
    this.statusWord = (this.statusWord & ~mask) | (value & mask);
  }

  /** Pushes a result with the exceptions of making it. */
  deliver(value: Float80, flags = 0): void {
    if (!this.isEmpty(7)) {
      if (this.stackFault(true)) this.push(DEFAULT_NAN);
      return;
    }
    if (this.accept(flags) || flags === DE) this.push(value);
  }

  initialize(): void {
    this.#state.setUint16(FCW, 0x37f, true);
    this.statusWord = 0;
    this.tags = 0;
  }
}
