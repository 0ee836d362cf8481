/**
 * Access to the architectural state in a window's state block (state.ts) for whoever drives an engine: registers without
 * allocation as two 32-bit halves, as BigInt where that is handier, and the whole context as bytes.
 */
import { STATE } from '../memory/layout.ts';
import {
  CONTEXT_SIZE,
  FCW,
  FLAG_AUX,
  FLAG_RESULT,
  FS_BASE,
  FTW,
  GPR,
  GS_BASE,
  MXCSR,
  RETIRED,
  RFLAGS_FIXED,
  RFLAGS_OTHER,
  RFLAGS_WRITABLE,
  RIP,
  TRAP_ACCESS,
  TRAP_ADDRESS,
  TRAP_CODE,
  XMM,
} from './state.ts';

const TWO_32 = 0x1_0000_0000;

/** Parity of a byte: 1 if even. */
const evenParity = (byte: number): number => {
  byte ^= byte >> 4;
  return (0x9669 >> (byte & 15)) & 1;
};

export class CpuState {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;

  constructor(readonly memory: WebAssembly.Memory) {
    this.view = new DataView(memory.buffer, STATE, 4096);
    this.bytes = new Uint8Array(memory.buffer, STATE, 4096);
    this.#words = new Int32Array(memory.buffer, STATE, 1024);
  }

  /** What a thread starts with: registers zero, x87 and MXCSR as the ABI says. */
  reset(): void {
    this.bytes.fill(0, 0, CONTEXT_SIZE);
    this.view.setUint16(FCW, 0x37f, true);
    this.view.setUint8(FTW, 0);
    this.view.setUint32(MXCSR, 0x1f80, true);
    this.setRflags(0);
  }

  gpr(register: number): bigint {
    return this.view.getBigUint64(GPR + register * 8, true);
  }

  setGpr(register: number, value: bigint): void {
    this.view.setBigUint64(GPR + register * 8, BigInt.asUintN(64, value), true);
  }

  /** Low and high half of a register, as signed 32-bit integers. */
  gprLow(register: number): number {
    return this.#words[register * 2];
  }

  gprHigh(register: number): number {
    return this.#words[register * 2 + 1];
  }

  setGprHalves(register: number, low: number, high: number): void {
    this.#words[register * 2] = low;
    this.#words[register * 2 + 1] = high;
  }

  /** A register as a number: exact for unsigned values below 2^53, which all user addresses and sizes are. */
  gprNumber(register: number): number {
    return (this.#words[register * 2 + 1] >>> 0) * TWO_32 + (this.#words[register * 2] >>> 0);
  }

  /** Sets a register from an integer number between −2^53 and 2^53. */
  setGprNumber(register: number, value: number): void {
    this.#words[register * 2] = value | 0;
    this.#words[register * 2 + 1] = Math.floor(value / TWO_32);
  }

  get rip(): number {
    return this.#number(RIP);
  }

  set rip(value: number) {
    this.#words[RIP >> 2] = value | 0;
    this.#words[(RIP >> 2) + 1] = Math.floor(value / TWO_32);
  }

  get fsBase(): bigint {
    return this.view.getBigUint64(FS_BASE, true);
  }

  set fsBase(value: bigint) {
    this.view.setBigUint64(FS_BASE, BigInt.asUintN(64, value), true);
  }

  get gsBase(): bigint {
    return this.view.getBigUint64(GS_BASE, true);
  }

  set gsBase(value: bigint) {
    this.view.setBigUint64(GS_BASE, BigInt.asUintN(64, value), true);
  }

  /** RFLAGS as PUSHF shows them. */
  get rflags(): number {
    const words = this.#words;
    const low = words[FLAG_RESULT >> 2];
    const high = words[(FLAG_RESULT >> 2) + 1];
    const aux = words[FLAG_AUX >> 2];
    const auxHigh = words[(FLAG_AUX >> 2) + 1];
    const cf = auxHigh >>> 31;
    return (
      words[RFLAGS_OTHER >> 2] |
      RFLAGS_FIXED |
      cf |
      ((evenParity(low & 0xff) ^ ((aux >> 1) & 1)) << 2) |
      (((aux >> 3) & 1) << 4) |
      ((low | high) === 0 ? 0x40 : 0) |
      (((high >>> 31) ^ (aux & 1)) << 7) |
      ((cf ^ ((auxHigh >>> 30) & 1)) << 11)
    );
  }

  /** Sets the bits that user code may change. */
  setRflags(value: number): void {
    const words = this.#words;
    const cf = value & 1;
    const of = (value >> 11) & 1;
    words[FLAG_RESULT >> 2] = (value & 0x40) !== 0 ? 0 : 256;
    words[(FLAG_RESULT >> 2) + 1] = 0;
    words[FLAG_AUX >> 2] = (((value >> 4) & 1) << 3) | ((((value >> 2) & 1) ^ 1) << 1) | ((value >> 7) & 1);
    words[(FLAG_AUX >> 2) + 1] = (cf << 31) | ((cf ^ of) << 30);
    words[RFLAGS_OTHER >> 2] = value & RFLAGS_WRITABLE;
  }

  /** The 16 bytes of an XMM register, as a view. */
  xmm(register: number): Uint8Array {
    return this.bytes.subarray(XMM + register * 16, XMM + register * 16 + 16);
  }

  /** Where and how the last page fault was denied. */
  get trapAddress(): bigint {
    return this.view.getBigUint64(TRAP_ADDRESS, true);
  }

  get trapAccess(): number {
    return this.#words[TRAP_ACCESS >> 2];
  }

  get trapCode(): number {
    return this.#words[TRAP_CODE >> 2];
  }

  /** Instructions retired since the window was created. */
  get retired(): number {
    return this.#number(RETIRED);
  }

  save(into: Uint8Array): void {
    into.set(this.bytes.subarray(0, CONTEXT_SIZE));
  }

  load(from: Uint8Array): void {
    this.bytes.set(from.subarray(0, CONTEXT_SIZE));
  }

  #number(offset: number): number {
    return (this.#words[(offset >> 2) + 1] >>> 0) * TWO_32 + (this.#words[offset >> 2] >>> 0);
  }
}
