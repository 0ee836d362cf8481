/**
 * Operands of one decoded instruction: registers, memory, immediates, addresses, fields of the state block.
 */
import { AddressKind, NO_REGISTER } from '../decode/decoder.ts';
import { File, type Operand, operandWidth, Place } from '../decode/operands.ts';
import { loadName, storeName } from '../interpreter/memory.ts';
import { FS_BASE, GS_BASE, MXCSR, RFLAGS_OTHER } from '../state.ts';
import type { Value, Width } from '../uops.ts';
import { MemoryLayer } from './emitter-memory.ts';
import { type Temp, Unsupported } from './emitter-values.ts';

/** Bits of `Temp.regular` for the lowest element. */
export const SINGLE = 1;
export const DOUBLE = 2;

const VALUE_BITS: Record<number, number> = { 8: 8, 16: 16, 32: 32, 64: 64 };

export class OperandLayer extends MemoryLayer {
  protected operands: readonly Operand[] = [];
  readonly #checked = new Set<number>();
  /** MXCSR lets arithmetic go the short way. */
  readonly #mode = this.f.local('i32');
  /** What is known to be `regular` is so. */
  protected readonly honest = this.f.local('i32');
  /** Both: else arithmetic goes the long way, which needs no knowledge. */
  protected readonly precise = this.f.local('i32');

  protected beginOperands(operands: readonly Operand[]): void {
    this.operands = operands;
    this.#checked.clear();
  }

  get width(): Width {
    return this.d.width as Width;
  }

  get locked(): boolean {
    return false;
  }

  get repeat(): 'none' | 'repe' | 'repne' {
    return this.d.repeat === 0 ? 'none' : this.d.repeat === 1 ? 'repe' : 'repne';
  }

  get addressWidth(): 32 | 64 {
    return this.d.addressKind === AddressKind.Short ? 32 : 64;
  }

  isMemory(index: number): boolean {
    const operand = this.operands[index];
    return operand.place === Place.Rm ? this.d.memory : operand.memory;
  }

  /** Nothing is known of the vectors, so that `precise` need not say anything of them. */
  protected forgetRegular(): void {
    this.regular.fill(0);
    if (this.use !== undefined && !this.use.precise) return;
    this.f.i32(1).set(this.honest).get(this.#mode).set(this.precise);
  }

  protected widthOf(operand: Operand): Width | 0 {
    return operandWidth(operand, this.width);
  }

  /** Looks at MXCSR. */
  protected loadMode(): void {
    this.stateAddress(MXCSR);
    this.f.mem('i32.load', 0, 2).i32(0x7020).op('i32.and').i32(0x1020).op('i32.eq');
    this.f.tee(this.#mode).get(this.honest).op('i32.and').set(this.precise);
  }

  // ── Integer operands ────────────────────────────────────────────────────────────────────────────────────────────
  read(index: number): Value {
    const operand = this.operands[index];
    const width = this.widthOf(operand);
    switch (operand.place) {
      case Place.Immediate: {
        const widened = this.operands.some((o) => o.place !== Place.Immediate && ['v', 'y', 'z'].includes(o.size));
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
    return (BigInt(this.d.immediateHigh) << 32n) | BigInt(this.d.immediate >>> 0);
  }

  #number(operand: Operand): number {
    const d = this.d;
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
    return operand.size === 'b' && this.d.rex === 0 && number >= 4 && number < 8;
  }

  #readGeneral(operand: Operand, width: Width): Value {
    if (operand.file !== File.General) throw new Unsupported();
    const number = this.#number(operand);
    if (width === 8 && this.#isHigh(operand, number)) return this.highByte(number & 3);
    return this.register(number, width);
  }

  readForWrite(index: number): Value {
    if (!this.isMemory(index)) return this.read(index);
    const width = this.widthOf(this.operands[index]) as Width;
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
    const operand = this.operands[index];
    const width = this.widthOf(operand) as Width;
    if (this.isMemory(index)) {
      if (this.#checked.has(index)) this.storePlain(this.#addresses.get(index)!, width, value);
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
    const operand = this.operands[index];
    let offset: Value;
    if (operand.place === Place.Moffs) offset = this.constant(this.#immediate());
    else if (operand.place === Place.Source || operand.place === Place.Destination) {
      offset = this.register(operand.place === Place.Source ? 6 : 7, this.addressWidth);
    } else offset = this.effectiveAddress(index);
    if (this.d.addressKind < AddressKind.Segment || operand.place === Place.Destination) return offset;
    return this.integer('add', offset, this.segmentBase());
  }

  effectiveAddress(_index: number): Value {
    const d = this.d;
    let displacement = BigInt(d.displacement);
    if (d.ripRelative) displacement += BigInt(this.at.rip + d.length);
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
    if (this.d.segment === 0) return this.constant(0);
    return this.loadState(this.d.segment === 4 ? FS_BASE : GS_BASE, 64);
  }

  immediate(index: number): Value {
    const second = this.operands.findIndex((o) => o.place === Place.Immediate) !== index;
    return this.constant(second ? this.d.immediate2 : this.#immediate());
  }

  instructionPointer(): Value {
    return this.constant(this.at.rip);
  }

  nextPointer(): Value {
    return this.constant(this.at.rip + this.d.length);
  }

  // ── State block ─────────────────────────────────────────────────────────────────────────────────────────────────
  state(offset: number, width: Width): Value {
    if (offset < RFLAGS_OTHER) throw new Unsupported();
    return this.loadState(offset, width);
  }

  protected loadState(offset: number, width: Width): Value {
    this.stateAddress(offset);
    this.f.mem(loadName(width));
    return this.define('i64', VALUE_BITS[width]);
  }

  setState(offset: number, width: Width, value: Value): void {
    if (offset < RFLAGS_OTHER) throw new Unsupported();
    this.stateAddress(offset);
    this.push(value).mem(storeName(width));
    if (offset === MXCSR) this.loadMode();
  }

  // ── Vector operands ─────────────────────────────────────────────────────────────────────────────────────────────
  #vectorNumber(index: number): number {
    const operand = this.operands[index];
    if (operand.file !== File.Vector) throw new Unsupported();
    return this.#number(operand);
  }

  readVector(index: number, aligned = false): Value {
    if (!this.isMemory(index)) return this.xmm(this.#vectorNumber(index));
    const address = this.address(index);
    if (aligned) this.requireAligned(address);
    return this.loadVector(address);
  }

  readVectorLow(index: number, bits: 8 | 16 | 32 | 64): Value {
    const { f } = this;
    if (this.isMemory(index)) {
      const address = this.address(index);
      if (bits >= 32) {
        this.check(address, bits / 8, false);
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
      if (aligned) this.requireAligned(address);
      this.storeVector(address, value);
    } else this.setXmm(this.#vectorNumber(index), value);
  }

  writeVectorLow(index: number, value: Value, bits: 32 | 64): void {
    const { f } = this;
    const shape = bits === 64 ? 'i64x2' : 'i32x4';
    if (this.isMemory(index)) {
      const address = this.address(index);
      this.check(address, bits / 8, true);
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
    const merged = this.define('v128');
    merged.regular = (value as Temp).regular & (bits === 64 ? DOUBLE : SINGLE);
    this.setXmm(number, merged);
  }

  readMmx(_index: number): Value {
    throw new Unsupported();
  }

  writeMmx(_index: number, _value: Value): void {
    throw new Unsupported();
  }
}
