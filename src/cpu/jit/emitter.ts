/**
 * The translator's `Uops`: operands of one decoded instruction, guest memory with inline checks, traps and helpers.
 *
 * Whatever is irregular leaves the region before anything of the instruction has happened (`bail`): the interpreter
 * executes it, raises the fault or serves the access. So each access needs only the way in which nothing special happens.
 *
 * Checks: for each base register a local holds the page that was checked last (`cache`); an access inside that page costs
 * a subtraction and a comparison. Another page is looked up in the tags inline (memory/layout.ts). Tags do not change
 * while a region runs.
 */
import { READ_TAGS, WRITE_TAGS } from '../../memory/layout.ts';
import { AddressKind, type Instruction, NO_REGISTER } from '../decode/decoder.ts';
import { File, type Operand, operandWidth, Place } from '../decode/operands.ts';
import { SHAPES, type Shape } from '../decode/table.ts';
import { HELPERS } from '../helpers.ts';
import { loadName, storeName } from '../interpreter/memory.ts';
import { RECORD_SIZE } from '../interpreter/record.ts';
import { FLOAT_FUNCTIONS, RUNTIME } from '../interpreter/runtime.ts';
import { FLOAT_TRAP, FS_BASE, GS_BASE, MXCSR, Reg, RFLAGS_OTHER } from '../state.ts';
import type { FloatOp, FloatShape, Uops, Value, Width } from '../uops.ts';
import type { GuestInstruction } from './discover.ts';
import { ALL_FLAGS, FlagLayer } from './emitter-flags.ts';
import { Temp, Unsupported } from './emitter-values.ts';

/** Labels of a region's exits. */
export const INTERPRET = Symbol('interpret');
export const GO = Symbol('go');

const HELPER_GROUPS = /^(simd\.(float|crc32|compareStrings)|multiply\.|divide\.)/;
/** Bytes that accesses checked together may span. */
const MAX_RANGE = 512;
/** DF. */
const DIRECTION = 0x400;
const TAG_OFFSET = 0x3f_fffc;
/** A cached page that no address is in. */
const NO_PAGE = 1n << 62n;
const VALUE_BITS: Record<number, number> = { 8: 8, 16: 16, 32: 32, 64: 64 };

/** How an instruction ends a block, as its lift says. */
export interface Transfer {
  readonly kind: 'branch' | 'jump' | 'indirect';
  readonly value: Temp | undefined;
}

export class Emitter extends FlagLayer implements Uops {
  #d!: Instruction;
  #at!: GuestInstruction;
  #position = 0;
  #shape!: Shape;
  #operands: readonly Operand[] = [];
  readonly #checked = new Set<number>();
  readonly #caches = new Map<string, number>();
  readonly target = this.f.local('i64');
  /** MXCSR lets arithmetic go the short way. */
  readonly precise = this.f.local('i32');
  /** The instruction may leave the region before it is executed. */
  bails = false;
  /** What the lift of the instruction did about control. */
  transfer: Transfer | undefined;

  /** Forgets the code so far: for emitters whose code nobody wants. */
  reset(): void {
    this.f.code.length = 0;
    this.seen.ranges.clear();
    this.bails = false;
    this.startBlock();
  }

  // ── One instruction ─────────────────────────────────────────────────────────────────────────────────────────────
  /** Translates the instruction that is `position` instructions into its block. `live`: flags read after it. */
  instruction(at: GuestInstruction, position: number, live: number = ALL_FLAGS): void {
    this.recycle();
    this.beginFlags();
    this.#at = at;
    this.#d = at.decoded;
    this.#position = position;
    this.#shape = SHAPES[at.decoded.form];
    this.#operands = this.#shape.operands;
    this.#checked.clear();
    this.live = live;
    const { mnemonic } = this.#shape.form;
    this.chained = mnemonic === 'adc' || mnemonic === 'sbb';
    this.transfer = undefined;
    if (at.decoded.repeat === 1 && /^(movs|stos)$/.test(mnemonic) && at.decoded.addressKind === AddressKind.None) {
      this.#repeat(mnemonic === 'movs');
    } else this.#shape.form.lift(this);
  }

  /** REP MOVS and STOS: as much of a page as goes at once by the runtime; anything else element by element elsewhere. */
  #repeat(move: boolean): void {
    const { f } = this;
    const log2 = { 8: 0, 16: 1, 32: 2, 64: 3 }[this.width];
    const rcx = (): Value => this.register(Reg.RCX, 64);
    const done = this.temporary('i64');
    this.stateAddress(RFLAGS_OTHER);
    f.mem('i32.load', 0, 2).i32(DIRECTION).op('i32.and');
    this.#bailIf();
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
    this.#bailIf();
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

  get width(): Width {
    return this.#d.width as Width;
  }

  get locked(): boolean {
    return false;
  }

  get repeat(): 'none' | 'repe' | 'repne' {
    return this.#d.repeat === 0 ? 'none' : this.#d.repeat === 1 ? 'repe' : 'repne';
  }

  get addressWidth(): 32 | 64 {
    return this.#d.addressKind === AddressKind.Short ? 32 : 64;
  }

  isMemory(index: number): boolean {
    const operand = this.#operands[index];
    return operand.place === Place.Rm ? this.#d.memory : operand.memory;
  }

  // ── Leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Leaves the region, so that the interpreter executes this instruction. */
  bail(): void {
    const { f } = this;
    this.bails = true;
    this.materialise();
    f.i64(this.#at.rip).set(this.exitRip);
    f.i32(this.#at.handler).set(this.exitHandler);
    if (this.#position > 0) {
      f.get(this.left)
        .i32(this.#position * RECORD_SIZE)
        .op('i32.sub')
        .set(this.left);
    }
    f.br(this.depthOf(INTERPRET));
  }

  /** Bails if the i32 on the stack is not zero. */
  #bailIf(): void {
    this.open('if');
    this.bail();
    this.close();
  }

  // ── Integer operands ────────────────────────────────────────────────────────────────────────────────────────────
  read(index: number): Value {
    const operand = this.#operands[index];
    const width = this.#widthOf(operand);
    switch (operand.place) {
      case Place.Immediate: {
        const widened = this.#operands.some((o) => o.place !== Place.Immediate && ['v', 'y', 'z'].includes(o.size));
        const own = widened || width === 0 ? this.width : width;
        return this.constant(BigInt.asUintN(own, this.#immediate()));
      }
      case Place.Immediate2:
        return this.constant(0);
      case Place.One:
        return this.constant(1);
    }
    if (this.isMemory(index)) return this.load(this.address(index), width as Width);
    return this.#readGeneral(operand, width as Width);
  }

  #immediate(): bigint {
    return (BigInt(this.#d.immediateHigh) << 32n) | BigInt(this.#d.immediate >>> 0);
  }

  #number(operand: Operand): number {
    const d = this.#d;
    switch (operand.place) {
      case Place.Fixed:
        return operand.number;
      case Place.Rm:
        return d.rm;
      case Place.Opcode:
        return d.opcodeRegister;
      default:
        return d.reg;
    }
  }

  /** Whether a byte operand is AH, CH, DH or BH. */
  #isHigh(operand: Operand, number: number): boolean {
    if (operand.place === Place.Fixed) return operand.high;
    return operand.size === 'b' && this.#d.rex === 0 && number >= 4 && number < 8;
  }

  #readGeneral(operand: Operand, width: Width): Value {
    if (operand.file !== File.General) throw new Unsupported();
    const number = this.#number(operand);
    if (width === 8 && this.#isHigh(operand, number)) return this.highByte(number & 3);
    return this.register(number, width);
  }

  readForWrite(index: number): Value {
    if (!this.isMemory(index)) return this.read(index);
    const width = this.#widthOf(this.#operands[index]) as Width;
    this.#checked.add(index);
    return this.loadForWrite(this.#addressOnce(index), width);
  }

  readonly #addresses = new Map<number, Value>();

  /** The address, for an operand that is read and then written. */
  #addressOnce(index: number): Value {
    const address = this.address(index) as Temp;
    // The destination may use a register that is written before the store (XADD, XCHG).
    if (address.register >= 0) {
      this.push(address);
      const copy = this.define('i64');
      copy.key = address.key;
      this.#addresses.set(index, copy);
      return copy;
    }
    this.#addresses.set(index, address);
    return address;
  }

  write(index: number, value: Value): void {
    const operand = this.#operands[index];
    const width = this.#widthOf(operand) as Width;
    if (this.isMemory(index)) {
      if (this.#checked.has(index)) this.#storePlain(this.#addresses.get(index)!, width, value);
      else this.store(this.address(index), width, value);
      return;
    }
    if (operand.file !== File.General) throw new Unsupported();
    const number = this.#number(operand);
    if (width === 8 && this.#isHigh(operand, number)) this.setHighByte(number & 3, value);
    else this.setRegister(number, width, value);
  }

  // ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────────
  address(index: number): Value {
    const operand = this.#operands[index];
    let offset: Value;
    if (operand.place === Place.Moffs) offset = this.constant(this.#immediate());
    else if (operand.place === Place.Source || operand.place === Place.Destination) {
      offset = this.register(operand.place === Place.Source ? 6 : 7, this.addressWidth);
    } else offset = this.effectiveAddress(index);
    if (this.#d.addressKind < AddressKind.Segment || operand.place === Place.Destination) return offset;
    return this.integer('add', offset, this.segmentBase());
  }

  effectiveAddress(_index: number): Value {
    const d = this.#d;
    let displacement = BigInt(d.displacement);
    if (d.ripRelative) displacement += BigInt(this.#at.rip + d.length);
    const terms: Value[] = [];
    if (d.base !== NO_REGISTER) terms.push(this.register(d.base, 64));
    if (d.index !== NO_REGISTER) {
      terms.push(this.integer('shl', this.register(d.index, 64), this.constant(d.scale)));
    }
    let sum: Value | undefined;
    for (const term of terms) sum = sum === undefined ? term : this.integer('add', sum, term);
    let result: Value;
    if (sum === undefined) result = this.constant(displacement);
    else result = displacement === 0n ? sum : this.integer('add', sum, this.constant(displacement));
    if (d.base === NO_REGISTER && d.index !== NO_REGISTER && (result as Temp).register < 0) {
      (result as Temp).key = d.index;
    }
    return d.addressKind === AddressKind.Short ? this.truncate(result, 32) : result;
  }

  segmentBase(): Value {
    if (this.#d.segment === 0) return this.constant(0);
    return this.#loadState(this.#d.segment === 4 ? FS_BASE : GS_BASE, 64);
  }

  immediate(index: number): Value {
    const second = this.#operands.findIndex((o) => o.place === Place.Immediate) !== index;
    return this.constant(second ? this.#d.immediate2 : this.#immediate());
  }

  instructionPointer(): Value {
    return this.constant(this.#at.rip);
  }

  nextPointer(): Value {
    return this.constant(this.#at.rip + this.#d.length);
  }

  // ── State block ─────────────────────────────────────────────────────────────────────────────────────────────────
  state(offset: number, width: Width): Value {
    if (offset < RFLAGS_OTHER) throw new Unsupported();
    return this.#loadState(offset, width);
  }

  #loadState(offset: number, width: Width): Value {
    this.stateAddress(offset);
    this.f.mem(loadName(width));
    return this.define('i64', VALUE_BITS[width]);
  }

  setState(offset: number, width: Width, value: Value): void {
    if (offset < RFLAGS_OTHER) throw new Unsupported();
    this.stateAddress(offset);
    this.push(value).mem(storeName(width));
    if (offset === MXCSR) this.loadPrecise();
  }

  // ── Vector operands ─────────────────────────────────────────────────────────────────────────────────────────────
  #vectorNumber(index: number): number {
    const operand = this.#operands[index];
    if (operand.file !== File.Vector) throw new Unsupported();
    return this.#number(operand);
  }

  readVector(index: number, aligned = false): Value {
    if (!this.isMemory(index)) return this.xmm(this.#vectorNumber(index));
    const address = this.address(index);
    if (aligned) this.#requireAligned(address);
    return this.loadVector(address);
  }

  readVectorLow(index: number, bits: 8 | 16 | 32 | 64): Value {
    const { f } = this;
    if (this.isMemory(index)) {
      const address = this.address(index);
      if (bits >= 32) {
        this.#check(address, bits / 8, false);
        this.push(address).op('i32.wrap_i64').mem(`v128.load${bits}_zero`);
        return this.define('v128');
      }
      const low = this.load(address, bits);
      f.v128(new Uint8Array(16));
      this.push(low).lane('i64x2.replace_lane', 0);
      return this.define('v128');
    }
    f.v128(new Uint8Array(16));
    this.push(this.xmm(this.#vectorNumber(index)));
    if (bits === 64) f.lane('i64x2.extract_lane', 0).lane('i64x2.replace_lane', 0);
    else {
      f.lane('i32x4.extract_lane', 0);
      if (bits < 32) f.i32(bits === 8 ? 0xff : 0xffff).op('i32.and');
      f.lane('i32x4.replace_lane', 0);
    }
    return this.define('v128');
  }

  writeVector(index: number, value: Value, aligned = false): void {
    if (this.isMemory(index)) {
      const address = this.address(index);
      if (aligned) this.#requireAligned(address);
      this.storeVector(address, value);
    } else this.setXmm(this.#vectorNumber(index), value);
  }

  writeVectorLow(index: number, value: Value, bits: 32 | 64): void {
    const { f } = this;
    const shape = bits === 64 ? 'i64x2' : 'i32x4';
    if (this.isMemory(index)) {
      const address = this.address(index);
      this.#check(address, bits / 8, true);
      this.push(address).op('i32.wrap_i64');
      this.push(value)
        .lane(`${shape}.extract_lane`, 0)
        .mem(bits === 64 ? 'i64.store' : 'i32.store');
      return;
    }
    const number = this.#vectorNumber(index);
    this.push(this.xmm(number));
    const merge = [...Array(16).keys()].map((i) => (i < bits / 8 ? i + 16 : i));
    this.push(value);
    f.shuffle(merge);
    this.setXmm(number, this.define('v128'));
  }

  readMmx(_index: number): Value {
    throw new Unsupported();
  }

  writeMmx(_index: number, _value: Value): void {
    throw new Unsupported();
  }

  // ── Memory ──────────────────────────────────────────────────────────────────────────────────────────────────────
  load(address: Value, width: Width): Value {
    this.#check(address, width / 8, false);
    return this.#loadPlain(address, width);
  }

  loadForWrite(address: Value, width: Width): Value {
    this.#check(address, width / 8, true);
    return this.#loadPlain(address, width);
  }

  #loadPlain(address: Value, width: Width): Value {
    this.push(address).op('i32.wrap_i64').mem(loadName(width));
    return this.define('i64', width);
  }

  #storePlain(address: Value, width: Width, value: Value): void {
    this.push(address).op('i32.wrap_i64');
    this.push(value).mem(storeName(width));
  }

  store(address: Value, width: Width, value: Value): void {
    this.#check(address, width / 8, true);
    this.#storePlain(address, width, value);
  }

  loadVector(address: Value): Value {
    this.#check(address, 16, false);
    this.push(address).op('i32.wrap_i64').mem('v128.load');
    return this.define('v128');
  }

  storeVector(address: Value, value: Value): void {
    this.#check(address, 16, true);
    this.push(address).op('i32.wrap_i64');
    this.push(value).mem('v128.store');
  }

  prepareStore(address: Value, bytes: number): void {
    this.#check(address, bytes, true);
  }

  #requireAligned(address: Value): void {
    this.push(address).op('i32.wrap_i64').i32(15).op('i32.and');
    this.#bailIf();
  }

  /**
   * Checks an access. Accesses relative to the same value are checked together at the first of them, as the first pass saw
   * them.
   */
  #check(address: Value, bytes: number, write: boolean): void {
    const { root, offset } = address as Temp;
    if (root === undefined || this.conditional > 0) {
      this.#checkAlone(address, bytes, write);
      return;
    }
    const seen = this.seen.ranges.get(root.number);
    if (seen === undefined) this.seen.ranges.set(root.number, { from: offset, to: offset + bytes, write, count: 1 });
    else if (Math.max(seen.to, offset + bytes) - Math.min(seen.from, offset) <= MAX_RANGE) {
      seen.from = Math.min(seen.from, offset);
      seen.to = Math.max(seen.to, offset + bytes);
      seen.write ||= write;
      seen.count++;
    }
    const range = this.use?.ranges.get(root.number);
    if (range === undefined || range.count < 2 || offset < range.from || offset + bytes > range.to) {
      this.#checkAlone(address, bytes, write);
      return;
    }
    if (this.checkedRoots.has(root.number) && (!write || range.write)) return;
    this.checkedRoots.add(root.number);
    let start = address as Temp;
    if (range.from !== offset) {
      this.push(address)
        .i64(range.from - offset)
        .op('i64.add');
      start = this.define('i64');
      start.key = (address as Temp).key;
    }
    this.#checkAlone(start, range.to - range.from, range.write);
  }

  #checkAlone(address: Value, bytes: number, write: boolean): void {
    const { f } = this;
    const { key, constant } = address as Temp;
    const tags = (write ? WRITE_TAGS : READ_TAGS) | 0;
    const cache = this.#cache(write, constant === undefined ? key : Number(BigInt.asUintN(52, constant >> 12n)) + 100);
    this.push(address)
      .get(cache)
      .op('i64.sub')
      .i64(4096 - bytes)
      .op('i64.gt_u');
    this.open('if');
    this.push(address).i64(-4096).op('i64.and').set(cache);
    this.push(address).i64(10).op('i64.shr_u').op('i32.wrap_i64').i32(TAG_OFFSET).op('i32.and');
    f.i32(tags).op('i32.or').mem('i64.load32_s', 0, 2);
    this.push(address).i64(32).op('i64.shr_u').op('i64.xor').i64(-1).op('i64.ne');
    if (bytes === 1) {
      this.#bailIf();
      this.close();
      return;
    }
    this.push(address)
      .op('i32.wrap_i64')
      .i32(0xfff)
      .op('i32.and')
      .i32(4096 - bytes)
      .op('i32.gt_u')
      .op('i32.or');
    this.open('if');
    // Into the next page: a page's neighbour lies behind it in the window too.
    this.push(address).i32(bytes).i32(tags).callNamed('jit.denied');
    this.#bailIf();
    this.close();
    this.close();
  }

  #cache(write: boolean, key: number): number {
    const name = `${write ? 'w' : 'r'}${key}`;
    let local = this.#caches.get(name);
    if (local === undefined) {
      local = this.f.local('i64');
      this.#caches.set(name, local);
    }
    this.seen.caches.add(name);
    return local;
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
    this.#bailIf();
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
    this.#bailIf();
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
    this.#bailIf();
    let dividend = this.integer('or', this.integer('shl', high, this.constant(width)), low);
    if (!signed) {
      const quotient = this.integer('div_u', dividend, divisor);
      this.push(quotient).i64(width).op('i64.shr_u').i64(0).op('i64.ne');
      this.#bailIf();
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
      this.#bailIf();
    }
    const quotient = this.integer('div_s', dividend, by);
    this.push(this.signExtend(quotient, width));
    this.push(quotient).op('i64.ne');
    this.#bailIf();
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
    this.#bailIf();
    this.push(high);
    this.push(low);
    this.push(divisor);
    f.callNamed(signed ? 'divide.signed128' : 'divide.unsigned128')
      .set(fits)
      .set(remainder)
      .set(quotient);
    f.get(fits).op('i32.eqz');
    this.#bailIf();
    this.close();
    return {
      quotient: new Temp('i64', quotient, undefined, 64),
      remainder: new Temp('i64', remainder, undefined, 64),
    };
  }

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

  /** Sets `precise` from MXCSR. */
  loadPrecise(): void {
    this.stateAddress(MXCSR);
    this.f.mem('i32.load', 0, 2).i32(0x7020).op('i32.and').i32(0x1020).op('i32.eq').set(this.precise);
  }

  // ── Region ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Loads what the region uses from the state block. */
  enter(): void {
    const { f } = this;
    f.get(1).get(0).op('i32.sub').set(this.left);
    this.loadRegisters();
    this.loadFlags();
    if (this.use?.precise) this.loadPrecise();
    for (const name of this.use?.caches ?? []) {
      const key = name.slice(1);
      f.i64(NO_PAGE).set(this.#cache(name[0] === 'w', Number(key)));
    }
  }

  leave(): void {
    this.storeRegisters();
    this.storeFlags();
  }

  /** Counts the instructions of a block that is complete. */
  retire(count: number): void {
    if (count === 0) return;
    this.f
      .get(this.left)
      .i32(count * RECORD_SIZE)
      .op('i32.sub')
      .set(this.left);
  }

  /** Leaves the region for a constant address; all instructions so far are retired. */
  exit(rip: number): void {
    this.materialise();
    this.f.i64(rip).set(this.exitRip).br(this.depthOf(GO));
  }

  /** Leaves the region for the address in `target`; notes it in the cell, if one is given. */
  exitIndirect(cell?: number): void {
    this.materialise();
    if (cell !== undefined) {
      this.stateAddress(cell);
      this.f.get(this.target).mem('i64.store', 0, 3);
    }
    this.f.get(this.target).set(this.exitRip).br(this.depthOf(GO));
  }

  /** Leaves the region, so that the interpreter executes this instruction, which is not part of it. */
  interpret({ rip, handler }: GuestInstruction): void {
    this.materialise();
    this.f.i64(rip).set(this.exitRip).i32(handler).set(this.exitHandler).br(this.depthOf(INTERPRET));
  }

  /** RET: to the block after the call it belongs to, if that is known. */
  returnInstruction(
    at: GuestInstruction,
    position: number,
    sites: readonly number[],
    go: (site: number) => void,
  ): void {
    const { f } = this;
    this.recycle();
    this.#at = at;
    this.#d = at.decoded;
    this.#position = position;
    const pointer = this.register(Reg.RSP, 64);
    f.get((this.load(pointer, 64) as Temp).local).set(this.target);
    const released = SHAPES[at.decoded.form].operands.length > 0 ? at.decoded.immediate & 0xffff : 0;
    this.setRegister(Reg.RSP, 64, this.integer('add', pointer, this.constant(8 + released)));
    for (const site of sites) {
      const restore = this.snapshot();
      f.get(this.target).i64(site).op('i64.eq');
      this.open('if');
      this.retire(position + 1);
      go(site);
      this.close();
      restore();
    }
    f.get(this.target)
      .i64(1n << 47n)
      .op('i64.add')
      .i64(48)
      .op('i64.shr_u')
      .i64(0)
      .op('i64.ne');
    this.open('if');
    const now = this.register(Reg.RSP, 64);
    this.setRegister(Reg.RSP, 64, this.integer('sub', now, this.constant(8 + released)));
    this.bail();
    this.close();
    this.retire(position + 1);
    this.exitIndirect();
  }

  startBlock(): void {
    this.pending = undefined;
    this.knowledge = undefined;
  }

  /** What is known where the code now stands, to be restored on another way out of the block. */
  snapshot(): () => void {
    const { pending, knowledge } = this;
    return () => {
      this.pending = pending;
      this.knowledge = knowledge;
    };
  }

  computeFlags(): void {
    this.materialise();
    this.pending = undefined;
  }

  #widthOf(operand: Operand): Width | 0 {
    return operandWidth(operand, this.width);
  }
}
