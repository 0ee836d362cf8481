/**
 * Operands of the instruction in its record: registers through the slot addresses stored there, memory through the
 * address kind that is part of the variant, immediates. Third layer of the interpreter's `Uops`.
 */
import { AddressKind } from '../decode/decoder.ts';
import { File, type Operand, operandWidth, Place } from '../decode/operands.ts';
import type { Shape } from '../decode/table.ts';
import { at, FSW, FTW, GPR, X87, XMM } from '../state.ts';
import type { Value, Width } from '../uops.ts';
import { type CheckedAddress, loadName, MemoryEmitter, storeName } from './memory.ts';
import { ADDRESS, DISPLACEMENT, IMMEDIATE, IMMEDIATE2, INDEX, LENGTH, REG, RM, SCALE, SEGMENT } from './record.ts';

/** The static facts that select a handler of a form. */
export interface Variant {
  readonly shape: Shape;
  readonly width: Width;
  readonly memory: boolean;
  readonly addressKind: AddressKind;
  /** 0 none, 1 F3, 2 F2. */
  readonly repeat: number;
}

/** FSW without TOP. */
const TOP_MASK = 0x3800;

export class OperandEmitter extends MemoryEmitter {
  protected variant!: Variant;
  #operands: readonly Operand[] = [];
  #immediateWidened = false;
  readonly #checked = new Map<number, CheckedAddress>();
  #usesMmx = false;

  /** Turns to the instruction whose record lies `base` bytes after the handler's. */
  begin(variant: Variant, base: number): void {
    this.variant = variant;
    this.base = base;
    this.#checked.clear();
    this.#operands = variant.shape.operands;
    this.#immediateWidened = this.#operands.some(
      (o) => o.place !== Place.Immediate && ['v', 'y', 'z'].includes(o.size),
    );
  }

  get width(): Width {
    return this.variant.width;
  }

  get locked(): boolean {
    return false;
  }

  get repeat(): 'none' | 'repe' | 'repne' {
    return this.variant.repeat === 0 ? 'none' : this.variant.repeat === 1 ? 'repe' : 'repne';
  }

  get addressWidth(): 32 | 64 {
    return this.variant.addressKind === AddressKind.Short ? 32 : 64;
  }

  isMemory(index: number): boolean {
    const operand = this.#operands[index];
    if (operand.place === Place.Rm) return this.variant.memory;
    return operand.memory;
  }

  // ── Integer operands ────────────────────────────────────────────────────────────────────────────────────────────
  read(index: number): Value {
    const operand = this.#operands[index];
    const width = this.#widthOf(operand);
    switch (operand.place) {
      case Place.Immediate: {
        const own = this.#immediateWidened || width === 0 ? this.width : width;
        this.field(loadName(own), IMMEDIATE, 3);
        return this.define('i64');
      }
      case Place.Immediate2:
        return this.constant(0);
      case Place.One:
        return this.constant(1);
      case Place.Fixed:
        this.f.i32(this.#fixedAddress(operand)).mem(loadName(width as Width));
        return this.define('i64');
    }
    if (this.isMemory(index)) return this.load(this.address(index), width as Width);
    this.#pushSlot(index);
    this.f.mem(loadName(width as Width));
    return this.define('i64');
  }

  readForWrite(index: number): Value {
    if (!this.isMemory(index)) return this.read(index);
    const { value, checked } = this.loadChecked(this.address(index), this.#widthOf(this.#operands[index]) as Width);
    this.#checked.set(index, checked);
    return value;
  }

  write(index: number, value: Value): void {
    const operand = this.#operands[index];
    const width = this.#widthOf(operand) as Width;
    if (this.isMemory(index)) {
      const checked = this.#checked.get(index);
      if (checked !== undefined) this.storeChecked(checked, width, value);
      else this.store(this.address(index), width, value);
      return;
    }
    if (operand.place === Place.Fixed) this.f.i32(this.#fixedAddress(operand));
    else this.#pushSlot(index);
    this.push(value).mem(width === 32 ? 'i64.store' : storeName(width));
  }

  address(index: number): Value {
    const { addressKind } = this.variant;
    const operand = this.#operands[index];
    if (operand.place === Place.Moffs) this.field('i64.load', IMMEDIATE, 3);
    else if (operand.place === Place.Source || operand.place === Place.Destination) {
      this.push(this.register(operand.place === Place.Source ? 6 : 7, this.addressWidth));
    } else this.push(this.effectiveAddress(index));
    if (addressKind >= AddressKind.Segment && operand.place !== Place.Destination) {
      this.push(this.segmentBase()).op('i64.add');
    }
    return this.define('i64');
  }

  effectiveAddress(_index: number): Value {
    const { f } = this;
    const { addressKind } = this.variant;
    this.field('i64.load', DISPLACEMENT, 3);
    if (addressKind !== AddressKind.Absolute) {
      this.field('i32.load', RM, 2).mem('i64.load', 0, 3).op('i64.add');
    }
    if (addressKind >= AddressKind.Full) {
      this.field('i32.load', INDEX, 2).mem('i64.load', 0, 3);
      this.field('i64.load8_u', SCALE, 0).op('i64.shl').op('i64.add');
    }
    if (addressKind === AddressKind.Short) f.op('i32.wrap_i64').op('i64.extend_i32_u');
    return this.define('i64');
  }

  segmentBase(): Value {
    if (this.variant.addressKind < AddressKind.Segment) return this.constant(0);
    this.field('i32.load', SEGMENT, 2).mem('i64.load', 0, 3);
    return this.define('i64');
  }

  immediate(index: number): Value {
    const second = this.#operands.findIndex((o) => o.place === Place.Immediate) !== index;
    if (second) this.field('i64.load16_u', IMMEDIATE2, 1);
    else this.field('i64.load', IMMEDIATE, 3);
    return this.define('i64');
  }

  instructionPointer(): Value {
    this.field('i64.load', ADDRESS, 3);
    return this.define('i64');
  }

  nextPointer(): Value {
    this.field('i64.load', ADDRESS, 3);
    this.field('i64.load8_u', LENGTH, 0).op('i64.add');
    return this.define('i64');
  }

  // ── Implied registers and fields of the state block ─────────────────────────────────────────────────────────────
  register(number: number, width: Width): Value {
    return this.state(GPR + number * 8, width);
  }

  setRegister(number: number, width: Width, value: Value): void {
    this.stateAddress(GPR + number * 8);
    this.push(value).mem(width === 32 ? 'i64.store' : storeName(width));
  }

  xmm(number: number): Value {
    this.stateAddress(XMM + number * 16);
    this.f.mem('v128.load', 0, 4);
    return this.define('v128');
  }

  setXmm(number: number, value: Value): void {
    this.stateAddress(XMM + number * 16);
    this.push(value).mem('v128.store', 0, 4);
  }

  state(offset: number, width: Width): Value {
    this.stateAddress(offset);
    this.f.mem(loadName(width));
    return this.define('i64');
  }

  setState(offset: number, width: Width, value: Value): void {
    this.stateAddress(offset);
    this.push(value).mem(storeName(width));
  }

  // ── Vector operands ─────────────────────────────────────────────────────────────────────────────────────────────
  readVector(index: number, aligned = false): Value {
    if (this.isMemory(index)) {
      const address = this.address(index);
      if (aligned) this.requireAligned(address);
      return this.loadVector(address);
    }
    this.#pushSlot(index);
    this.f.mem('v128.load', 0, 4);
    return this.define('v128');
  }

  readVectorLow(index: number, bits: 8 | 16 | 32 | 64): Value {
    const { f } = this;
    if (bits < 32) {
      let low: Value;
      if (this.isMemory(index)) low = this.load(this.address(index), bits);
      else {
        this.#pushSlot(index);
        f.mem(loadName(bits));
        low = this.define('i64');
      }
      f.v128(new Uint8Array(16));
      this.push(low).lane('i64x2.replace_lane', 0);
      return this.define('v128');
    }
    if (this.isMemory(index)) return this.loadVectorLow(this.address(index), bits as 32 | 64);
    this.#pushSlot(index);
    f.mem(`v128.load${bits}_zero`);
    return this.define('v128');
  }

  writeVector(index: number, value: Value, aligned = false): void {
    if (this.isMemory(index)) {
      const address = this.address(index);
      if (aligned) this.requireAligned(address);
      this.storeVector(address, value);
      return;
    }
    this.#pushSlot(index);
    this.push(value).mem('v128.store', 0, 4);
  }

  writeVectorLow(index: number, value: Value, bits: 32 | 64): void {
    this.push(value).lane('i64x2.extract_lane', 0);
    const low = this.define('i64');
    if (this.isMemory(index)) {
      this.store(this.address(index), bits, low);
      return;
    }
    this.#pushSlot(index);
    this.push(low).mem(storeName(bits));
  }

  readMmx(index: number): Value {
    this.#usesMmx = true;
    if (this.isMemory(index)) {
      const bits = operandWidth(this.#operands[index], this.width);
      return this.load(this.address(index), bits === 32 ? 32 : 64);
    }
    this.#pushSlot(index);
    this.f.mem('i64.load', 0, 3);
    return this.define('i64');
  }

  writeMmx(index: number, value: Value): void {
    this.#usesMmx = true;
    if (this.isMemory(index)) {
      this.store(this.address(index), 64, value);
      return;
    }
    this.#pushSlot(index);
    this.push(value).mem('i64.store', 0, 3);
    this.#pushSlot(index);
    this.f.i32(0xffff).mem('i32.store16', 8, 1);
  }

  /** Switches x87 to MMX state, if the lift used MMX registers; at the end, when nothing can fault any more. */
  finishMmx(): void {
    if (!this.#usesMmx) return;
    this.#usesMmx = false;
    const { f } = this;
    this.stateAddress(FSW);
    this.stateAddress(FSW);
    f.mem('i32.load16_u', 0, 1).i32(~TOP_MASK).op('i32.and').mem('i32.store16', 0, 1);
    this.stateAddress(FTW);
    f.i32(0xff).mem('i32.store8');
  }

  #widthOf(operand: Operand): Width | 0 {
    return operandWidth(operand, this.width);
  }

  #fixedAddress(operand: Operand): number {
    if (operand.file === File.Vector) return at(XMM + operand.number * 16) | 0;
    return at(GPR + operand.number * 8 + (operand.high ? 1 : 0)) | 0;
  }

  /** Pushes the linear address of a register operand's slot. */
  #pushSlot(index: number): void {
    const operand = this.#operands[index];
    if (operand.place === Place.Fixed) {
      this.f.i32(this.#fixedAddress(operand));
      return;
    }
    const field = operand.place === Place.Rm ? RM : REG;
    this.field('i32.load', field, 2);
  }
}

/** First byte of MMX register n in the state block. */
export const mmxOffset = (n: number): number => X87 + n * 16;
