/**
 * Guest registers in locals. A read of a whole register is the local itself; a write first saves the values of the present
 * instruction that still refer to it. Which registers a region touches is learned in a first pass over it, so that
 * its entry loads and its exits store just those.
 */

import { loadName } from '../interpreter/memory.ts';
import { GPR, XMM } from '../state.ts';
import type { Value, Width } from '../uops.ts';
import { type Root, Temp, ValueLayer } from './emitter-values.ts';

/** What a region was seen to use: the result of the first pass, the input of the second. */
export class RegionUse {
  readonly read = new Set<number>();
  readonly written = new Set<number>();
  readonly vectorsRead = new Set<number>();
  readonly vectorsWritten = new Set<number>();
  flags = false;
  /** It does floating-point arithmetic. */
  precise = false;
  readonly caches = new Set<string>();
  /** By number of a root: what is accessed relative to it. */
  readonly ranges = new Map<number, Range>();
}

export interface Range {
  from: number;
  to: number;
  write: boolean;
  count: number;
}

interface Knowledge {
  readonly bits: readonly number[];
  readonly roots: readonly (Root | undefined)[];
  readonly offsets: readonly number[];
  readonly checked: ReadonlySet<number>;
  readonly regular: readonly number[];
}

export class RegisterLayer extends ValueLayer {
  readonly left = this.f.local('i32');
  readonly entryState = this.f.local('i32');
  readonly exitRip = this.f.local('i64');
  readonly exitHandler = this.f.local('i32');
  readonly #gpr: number[] = [];
  readonly #xmm: number[] = [];
  /** Bits that may be set in each register. */
  #bits: number[] = new Array(16).fill(64);
  readonly seen = new RegionUse();

  constructor(protected readonly use: RegionUse | undefined) {
    super();
    for (let i = 0; i < 16; i++) this.#gpr.push(this.f.local('i64'));
    for (let i = 0; i < 16; i++) this.#xmm.push(this.f.local('v128'));
  }

  #roots: (Root | undefined)[] = new Array(16).fill(undefined);
  #offsets: number[] = new Array(16).fill(0);
  #nextRoot = 0;
  /** Shapes in which each XMM register holds zeros and normal numbers, if `precise` says so. */
  protected regular: number[] = new Array(16).fill(0);
  /** Roots whose range was checked. */
  protected checkedRoots = new Set<number>();

  /** What is known of the registers where the code now stands. */
  protected get knowledge(): Knowledge | undefined {
    return {
      bits: this.#bits.slice(),
      roots: this.#roots.slice(),
      offsets: this.#offsets.slice(),
      checked: new Set(this.checkedRoots),
      regular: this.regular.slice(),
    };
  }

  protected set knowledge(known: Knowledge | undefined) {
    this.#bits = known === undefined ? new Array(16).fill(64) : known.bits.slice();
    this.#roots = known === undefined ? new Array(16).fill(undefined) : known.roots.slice();
    this.#offsets = known === undefined ? new Array(16).fill(0) : known.offsets.slice();
    this.checkedRoots = new Set(known?.checked);
    this.regular = known === undefined ? new Array(16).fill(0) : known.regular.slice();
  }

  /** Where ways meet. `low`: registers whose upper halves are zero on all of them. */
  protected knowNothing(low: number): void {
    this.knowledge = undefined;
    if (low !== 0) this.#bits = this.#bits.map((bits, i) => (((low >> i) & 1) !== 0 ? 32 : bits));
  }

  /** Registers whose upper halves are known to be zero, as a mask. */
  get lowRegisters(): number {
    return this.#bits.reduce((mask, bits, i) => (bits <= 32 ? mask | (1 << i) : mask), 0);
  }

  get regularRegisters(): readonly number[] {
    return this.regular.slice();
  }

  /** After code that may or may not have run. */
  protected forgetWritten(before: Knowledge | undefined): void {
    this.#bits = this.#bits.map((bits, i) => Math.max(bits, before!.bits[i]));
    this.#roots = this.#roots.map((root, i) =>
      root === before!.roots[i] && this.#offsets[i] === before!.offsets[i] ? root : undefined,
    );
    this.checkedRoots = new Set(before!.checked);
    this.regular = this.regular.map((shapes, i) => shapes & before!.regular[i]);
  }

  register(number: number, width: Width): Value {
    this.seen.read.add(number);
    const local = this.#gpr[number];
    const bits = this.#bits[number];
    if (bits <= width) {
      const value = new Temp('i64', local, undefined, bits);
      value.register = number;
      value.key = number;
      if (width === 64) {
        let root = this.#roots[number];
        if (root === undefined) {
          root = { number: this.#nextRoot++ };
          this.#roots[number] = root;
          this.#offsets[number] = 0;
        }
        value.root = root;
        value.offset = this.#offsets[number];
      }
      this.aliases.push(value);
      return value;
    }
    this.f.get(local);
    if (width === 32) this.f.op('i32.wrap_i64').op('i64.extend_i32_u');
    else this.f.i64(width === 8 ? 0xff : 0xffff).op('i64.and');
    return this.define('i64', width);
  }

  /** AH, CH, DH, BH by the number of the register they are part of. */
  protected highByte(number: number): Value {
    this.seen.read.add(number);
    this.f.get(this.#gpr[number]).i64(8).op('i64.shr_u').i64(0xff).op('i64.and');
    return this.define('i64', 8);
  }

  protected setHighByte(number: number, value: Value): void {
    this.#saveAliases(number);
    this.seen.read.add(number);
    this.seen.written.add(number);
    const local = this.#gpr[number];
    this.#roots[number] = undefined;
    this.f.get(local).i64(~0xff00).op('i64.and');
    this.push(this.truncate(value, 8)).i64(8).op('i64.shl').op('i64.or').set(local);
    this.#bits[number] = Math.max(this.#bits[number], 16);
  }

  setRegister(number: number, width: Width, value: Value): void {
    this.#saveAliases(number);
    this.seen.written.add(number);
    const local = this.#gpr[number];
    const { bits, root, offset } = value as Temp;
    this.#roots[number] = width === 64 ? root : undefined;
    this.#offsets[number] = offset;
    if (width >= 32) {
      this.push(value).set(local);
      this.#bits[number] = Math.min(bits, width);
      return;
    }
    this.seen.read.add(number);
    const narrow = this.truncate(value, width);
    this.f
      .get(local)
      .i64(width === 8 ? ~0xff : ~0xffff)
      .op('i64.and');
    this.push(narrow).op('i64.or').set(local);
    this.#bits[number] = Math.max(this.#bits[number], width);
  }

  xmm(number: number): Value {
    this.seen.vectorsRead.add(number);
    const value = new Temp('v128', this.#xmm[number], undefined, 64);
    value.register = 16 + number;
    value.regular = this.regular[number];
    this.aliases.push(value);
    return value;
  }

  setXmm(number: number, value: Value): void {
    this.#saveAliases(16 + number);
    this.seen.vectorsWritten.add(number);
    this.regular[number] = (value as Temp).regular;
    this.push(value).set(this.#xmm[number]);
  }

  /** Copies all values that stand for registers, before code that may or may not run. */
  protected saveAllAliases(): void {
    for (const value of this.aliases) this.#save(value);
    this.aliases.length = 0;
  }

  #saveAliases(register: number): void {
    if (this.aliases.length === 0) return;
    this.aliases = this.aliases.filter((value) => {
      if (value.register !== register) return true;
      this.#save(value);
      return false;
    });
  }

  #save(value: Temp): void {
    const local = this.temporary(value.type);
    this.f.get(value.local).set(local);
    value.local = local;
    value.register = -1;
  }

  /** Loads the registers that the region uses. */
  protected loadRegisters(): void {
    const { use, f } = this;
    if (use === undefined) return;
    for (let i = 0; i < 16; i++) {
      // What is written on one way only must be right on the other.
      if (use.read.has(i) || use.written.has(i)) {
        this.stateAddress(GPR + i * 8);
        f.mem(loadName(64), 0, 3).set(this.#gpr[i]);
      }
      if (use.vectorsRead.has(i) || use.vectorsWritten.has(i)) {
        this.stateAddress(XMM + i * 16);
        f.mem('v128.load', 0, 4).set(this.#xmm[i]);
      }
    }
  }

  protected storeRegisters(): void {
    const { use, f } = this;
    if (use === undefined) return;
    for (let i = 0; i < 16; i++) {
      if (use.written.has(i)) {
        this.stateAddress(GPR + i * 8);
        f.get(this.#gpr[i]).mem('i64.store', 0, 3);
      }
      if (use.vectorsWritten.has(i)) {
        this.stateAddress(XMM + i * 16);
        f.get(this.#xmm[i]).mem('v128.store', 0, 4);
      }
    }
  }
}
