/**
 * Guest memory from generated code (memory/layout.ts): the tag of the page is compared inline; what crosses a page or is
 * denied goes to a runtime function that works through SCRATCH or records a fault. A faulting handler leaves before it has
 * changed anything.
 */

import { READ_TAGS, WRITE_TAGS } from '../../memory/layout.ts';
import { Trap } from '../engine.ts';
import { SCRATCH } from '../state.ts';
import type { Value, Width } from '../uops.ts';
import { FlagEmitter } from './flags.ts';
import { FAULT } from './private.ts';
import { HORIZON, type Local } from './values.ts';

const PAGE_OFFSET = 0xfff;
/** Byte offset of an address's tag inside a tag table, from the address shifted right by 10. */
const TAG_OFFSET = 0x3f_fffc;

const LOADS: Record<Width, string> = { 8: 'i64.load8_u', 16: 'i64.load16_u', 32: 'i64.load32_u', 64: 'i64.load' };
const STORES: Record<Width, string> = { 8: 'i64.store8', 16: 'i64.store16', 32: 'i64.store32', 64: 'i64.store' };

export const loadName = (width: Width): string => LOADS[width];
export const storeName = (width: Width): string => STORES[width];

/** A checked destination: its address and, as an i32, whether writing it needs the slow path. */
export interface CheckedAddress {
  readonly address: Value;
  readonly slow: Local;
}

export class MemoryEmitter extends FlagEmitter {
  load(address: Value, width: Width): Value {
    return this.#load(address, width / 8, 'i64', LOADS[width], READ_TAGS, 'memory.read');
  }

  loadForWrite(address: Value, width: Width): Value {
    return this.#load(address, width / 8, 'i64', LOADS[width], WRITE_TAGS, 'memory.readForWrite');
  }

  loadVector(address: Value): Value {
    return this.#load(address, 16, 'v128', 'v128.load', READ_TAGS, 'memory.read');
  }

  /** Low 32 or 64 bits of memory as a v128 with zeros above. */
  loadVectorLow(address: Value, bits: 32 | 64): Value {
    return this.#load(address, bits / 8, 'v128', `v128.load${bits}_zero`, READ_TAGS, 'memory.read');
  }

  store(address: Value, width: Width, value: Value): void {
    this.#store(address, width / 8, STORES[width], value);
  }

  storeVector(address: Value, value: Value): void {
    this.#store(address, 16, 'v128.store', value);
  }

  prepareStore(address: Value, bytes: number): void {
    this.#denied(address, bytes, WRITE_TAGS);
    this.f.if();
    this.push(address);
    this.f.i32(bytes).callNamed('memory.probeWrite');
    this.leaveOnFault();
    this.f.end();
  }

  /** Reads a destination that `storeChecked` will write, so that its permission is looked up once. */
  loadChecked(address: Value, width: Width): { value: Value; checked: CheckedAddress } {
    const { f } = this;
    this.#denied(address, width / 8, WRITE_TAGS);
    const slow = this.define('i32');
    f.get(slow.local).if('i64');
    this.#slowRead(address, width / 8, 'memory.readForWrite');
    this.stateAddress(SCRATCH);
    f.mem(LOADS[width]);
    f.else();
    this.push(address).op('i32.wrap_i64').mem(LOADS[width]).end();
    return { value: this.define('i64'), checked: { address, slow } };
  }

  storeChecked({ address, slow }: CheckedAddress, width: Width, value: Value): void {
    const { f } = this;
    f.get(slow.local).if();
    this.#slowWrite(address, width / 8, STORES[width], value);
    f.else();
    this.push(address).op('i32.wrap_i64');
    this.push(value).mem(STORES[width]).end();
  }

  /** #GP if an address is not a multiple of 16. */
  requireAligned(address: Value): void {
    this.push(address).op('i32.wrap_i64').i32(15).op('i32.and').if();
    this.leave('exit.fault', Trap.GeneralProtection);
    this.f.end();
  }

  /** Leaves the handler by an exit function; nothing of the instruction is retired unless that function says so. */
  leave(exit: 'exit.fault' | 'exit.retire', trap: number): void {
    this.storeFlagsForExit();
    this.pushRecord().get(HORIZON).i32(trap).callNamed(exit).return();
  }

  protected leaveOnFault(): void {
    const { f } = this;
    this.stateAddress(FAULT);
    f.mem('i32.load', 0, 2).if();
    this.storeFlagsForExit();
    this.pushRecord().get(HORIZON).callNamed('exit.memory').return();
    f.end();
  }

  /**
   * Pushes whether an access cannot go the fast way: page not allowed, or crossing into the next. Tags are compared with 64
   * bits, for the sign of a valid one tells it from 0, which upper bits of all ones would match in 32.
   */
  #denied(address: Value, bytes: number, tags: number): void {
    const { f } = this;
    this.push(address).i64(10).op('i64.shr_u').op('i32.wrap_i64').i32(TAG_OFFSET).op('i32.and');
    f.i32(tags | 0)
      .op('i32.or')
      .mem('i64.load32_s', 0, 2);
    this.push(address).i64(32).op('i64.shr_u').op('i64.xor').i64(-1).op('i64.ne');
    if (bytes > 1) {
      this.push(address)
        .op('i32.wrap_i64')
        .i32(PAGE_OFFSET)
        .op('i32.and')
        .i32(4096 - bytes)
        .op('i32.gt_u')
        .op('i32.or');
    }
  }

  #slowRead(address: Value, bytes: number, reader: string): void {
    this.push(address);
    this.f.i32(bytes).callNamed(reader);
    this.leaveOnFault();
  }

  #slowWrite(address: Value, bytes: number, instruction: string, value: Value): void {
    this.stateAddress(SCRATCH);
    this.push(value).mem(instruction);
    this.push(address).i32(bytes).callNamed('memory.write');
    this.leaveOnFault();
  }

  #load(address: Value, bytes: number, type: 'i64' | 'v128', instruction: string, tags: number, slow: string): Value {
    const { f } = this;
    this.#denied(address, bytes, tags);
    f.if(type);
    this.#slowRead(address, bytes, slow);
    this.stateAddress(SCRATCH);
    f.mem(instruction).else();
    this.push(address).op('i32.wrap_i64').mem(instruction).end();
    return this.define(type);
  }

  #store(address: Value, bytes: number, instruction: string, value: Value): void {
    const { f } = this;
    this.#denied(address, bytes, WRITE_TAGS);
    f.if();
    this.#slowWrite(address, bytes, instruction, value);
    f.else();
    this.push(address).op('i32.wrap_i64');
    this.push(value).mem(instruction).end();
  }
}
