/**
 * Random machine states for an encoding: general registers, flags, MXCSR, x87 and XMM registers and the memory window,
 * with the registers of memory operands solved so that the operand lands where the test wants it: inside the window,
 * across its page boundary, on an absent or read-only page, or at a non-canonical address. What single instructions need
 * beyond that (counts, jump targets, equal comparands, legal control words) is in special.ts.
 *
 * `StateWriter.write` puts one instance's record (layout.ts) into the batch and returns the word after it.
 */
import { FCW, FS_BASE, FSW, FTW, GPR, GS_BASE, MXCSR, Reg, X87, XMM } from '../../src/cpu/state.ts';
import { aimOffset, boundaryAddress, type Encoding, pickBoundary, windowBytes } from './encode.ts';
import { buildPool, type DataKind, POOL_VECTORS } from './floats.ts';
import { BOUNDARIES, CONTEXT_RFLAGS, FS_BASE_VALUE, FULL_CONTEXT, GS_BASE_VALUE, INT_CONTEXT } from './layout.ts';
import type { Random } from './random.ts';
import { aimImplied, finish } from './special.ts';

const U64 = (1n << 64n) - 1n;
/** Inverses of 1, 3, 5 and 9 modulo 2^64: for [r + r * scale]. */
const INVERSE: Readonly<Record<number, bigint>> = {
  3: 0xaaaaaaaaaaaaaaabn,
  5: 0xcccccccccccccccdn,
  9: 0x8e38e38e38e38e39n,
};

/** The instance being written, as special.ts sees it. */
export interface Instance {
  readonly encoding: Encoding;
  readonly random: Random;
  /** Address of the window's first byte, and the boundary in its middle. */
  window: bigint;
  boundary: bigint;
  readonly half: number;
  /** Whether the window's two pages are both writable. */
  plain: boolean;
  /** Where the ModRM or moffs operand lies, if there is one. */
  target: bigint | undefined;
  register(number: number): bigint;
  setRegister(number: number, value: bigint): void;
  flags(): number;
  setFlags(value: number): void;
  /** Bytes of the window at a guest address; false or 0 if outside. */
  peek(address: bigint, bytes: number): bigint;
  poke(address: bigint, bytes: number, value: bigint): void;
}

/** Whether the form sees or changes vector or x87 state; others travel with the short context. */
export function usesFloat(encoding: Encoding): boolean {
  const { form, parts } = encoding;
  if (parts !== undefined) return parts.some(usesFloat);
  if (form.operands.some((code) => /^[VWUPQN](?!X)/.test(code) || /^ST/i.test(code))) return true;
  if (/^(x87|mmx|sse|fxsr)/.test(form.options.feature ?? '')) return true;
  return /^(f|emms|ldmxcsr|stmxcsr|maskmov)/.test(form.mnemonic);
}

/** What kind of data the form's vector and memory operands hold. */
export function dataKind(encoding: Encoding): DataKind {
  const { mnemonic, operands, options } = encoding.form;
  if (/^fbld/.test(mnemonic)) return 'bcd';
  if (options.feature === 'x87' || /^f[a-z]/.test(mnemonic)) {
    const memory = operands.find((code) => /^[ME]/.test(code));
    if (memory === undefined || /t$/.test(memory)) return 'extended';
    if (/^fi/.test(mnemonic)) return 'integer';
    return /q$/.test(memory) ? 'double' : /d$/.test(memory) ? 'single' : 'extended';
  }
  const source = /^cvtt?(pd|ps|sd|ss|dq|si|pi)2/.exec(mnemonic)?.[1];
  const shape = source ?? /(ss|ps|sd|pd)$/.exec(mnemonic)?.[1] ?? /(ss|ps|sd|pd)$/.exec(operands.join())?.[1];
  if (shape === 'ss' || shape === 'ps') return 'single';
  if (shape === 'sd' || shape === 'pd') return 'double';
  return 'integer';
}

export class StateWriter implements Instance {
  encoding!: Encoding;
  random!: Random;
  window = 0n;
  boundary = 0n;
  half = 0;
  plain = true;
  target: bigint | undefined;
  readonly #words: Int32Array;
  readonly #quads: BigUint64Array;
  readonly #bytes: Uint8Array;
  #context = 0;
  #memory = 0;
  #kind: DataKind = 'integer';
  #float = false;
  readonly #pools: Record<DataKind, Int32Array>;

  /** `buffer` is the batch under construction; the pools are rebuilt from `random`, which must not depend on the group. */
  constructor(buffer: ArrayBuffer, random: Random) {
    this.#words = new Int32Array(buffer);
    this.#quads = new BigUint64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#pools = {
      integer: buildPool('integer', random),
      single: buildPool('single', random),
      double: buildPool('double', random),
      extended: buildPool('extended', random),
      bcd: buildPool('bcd', random),
    };
  }

  /** Starts a group. */
  begin(encoding: Encoding, random: Random): void {
    this.encoding = encoding;
    this.random = random;
    this.half = windowBytes(encoding.form) / 2;
    this.#kind = dataKind(encoding.parts === undefined ? encoding : random.pick(encoding.parts));
    this.#float = usesFloat(encoding);
  }

  /** Writes one instance at byte offset `at` (a multiple of 8); returns the offset after it. */
  write(at: number): number {
    const { random, encoding } = this;
    const context = at + 8;
    const contextBytes = this.#float ? FULL_CONTEXT : INT_CONTEXT;
    this.#context = context;
    this.#memory = context + contextBytes;
    const words = this.#words;
    words.fill(0, context >> 2, this.#memory >> 2);

    // Registers and flags.
    for (let i = 0; i < 32; i += 2) random.integer(words, (context >> 2) + i);
    const flags = random.u32();
    let rflags = (flags & 0x8d5) | 0x202;
    if ((flags & 0xf0000000) === 0) rflags |= 0x200000;
    if ((flags >>> 24) % 4 === 0) rflags |= 0x400;
    if (encoding.steps && random.chance(10)) rflags |= 0x100;
    words[(context + CONTEXT_RFLAGS) >> 2] = rflags;
    this.#quads[(context + FS_BASE) >> 3] = FS_BASE_VALUE;
    this.#quads[(context + GS_BASE) >> 3] = GS_BASE_VALUE;
    words[(context + MXCSR) >> 2] = 0x1f80;
    if (this.#float) this.#writeFloat(context);

    // The window and its content.
    const memory = encoding.memory;
    const fixed = memory?.target;
    let page = encoding.page ?? BOUNDARIES[0];
    if (encoding.parts !== undefined) this.boundary = boundaryAddress(page, false);
    else if (fixed !== undefined) this.boundary = memory!.boundary;
    else {
      page = pickBoundary(random);
      const high = encoding.space === 'high' || (encoding.space === 'any' && random.chance(30) && !encoding.address32);
      this.boundary = boundaryAddress(page, high);
    }
    this.plain = (Number(this.boundary >> 12n) & 15) === BOUNDARIES[0];
    this.window = this.boundary - BigInt(this.half);
    this.#quads[at >> 3] = this.window;
    const pool = this.#pools[random.chance(85) ? this.#kind : 'integer'];
    const end = this.#memory + 2 * this.half;
    for (let w = this.#memory >> 2; w < end >> 2; w += 4) {
      const v = (random.u32() & (POOL_VECTORS - 1)) * 4;
      words[w] = pool[v]!;
      words[w + 1] = pool[v + 1]!;
      words[w + 2] = pool[v + 2]!;
      words[w + 3] = pool[v + 3]!;
    }

    // Addresses.
    aimImplied(this);
    this.target = fixed;
    if (memory !== undefined && fixed === undefined) {
      const offset = aimOffset(random, memory.bytes, this.half, !this.plain);
      let target = this.boundary + BigInt(offset);
      // Not with FS and GS: whether the offset alone must be canonical too differs between vendors.
      if (this.plain && !encoding.address32 && encoding.segment === '' && random.chance(2)) {
        target = BigInt.asUintN(
          64,
          random.chance(50) ? target ^ (1n << BigInt(47 + random.below(17))) : target | 0xffff800000000000n,
        );
      }
      this.target = this.#aim(target);
    }
    if (this.target !== undefined && this.#kind === 'extended' && memory!.bytes === 10) {
      const v = (random.u32() & (POOL_VECTORS - 1)) * 4;
      const low = BigInt(this.#pools.extended[v]! >>> 0) | (BigInt(this.#pools.extended[v + 1]! >>> 0) << 32n);
      this.poke(this.target, 8, low);
      this.poke(this.target + 8n, 2, BigInt(this.#pools.extended[v + 2]!));
    }
    finish(this);
    return end;
  }

  /** Sets base and index so that the operand's address is `target`; returns the address reached. */
  #aim(target: bigint): bigint {
    const { base, index, scale, displacement, segmentBase, address32 } = this.encoding.memory!;
    const mask = address32 ? 0xffffffffn : U64;
    let offset = (target - segmentBase - displacement) & mask;
    if (base === -1) {
      // index * scale alone: only multiples of the scale can be reached.
      offset &= ~((1n << BigInt(scale)) - 1n);
      let value = offset >> BigInt(scale);
      if (scale > 0 && this.random.chance(50))
        value |= BigInt.asUintN(64, BigInt(this.random.u32())) << BigInt(address32 ? 32 : 64 - scale);
      this.setRegister(index, this.#garbage(value & U64, address32));
    } else if (base === index) {
      const factor = 1 + (1 << scale);
      const value = factor === 2 ? offset >> 1n : offset * INVERSE[factor]!;
      if (factor === 2) offset &= ~1n;
      this.setRegister(base, this.#garbage(value & mask, address32));
    } else {
      let scaled = 0n;
      if (index !== -1) {
        if (this.random.chance(50)) this.setRegister(index, BigInt(this.random.below(64)));
        scaled = this.register(index) << BigInt(scale);
      }
      this.setRegister(base, this.#garbage((offset - scaled) & mask, address32));
    }
    return (((offset + displacement) & mask) + segmentBase) & U64;
  }

  /** With 32-bit addresses the upper halves of registers must not matter. */
  #garbage(value: bigint, address32: boolean): bigint {
    return address32 && this.random.chance(60) ? value | (BigInt(this.random.u32() >>> 0) << 32n) : value;
  }

  #writeFloat(context: number): void {
    const { random } = this;
    const words = this.#words;
    let mxcsr = 0x1f80;
    const choice = random.u32();
    if ((choice & 3) === 0) mxcsr |= (choice >>> 8) & 0x6000;
    if ((choice & 0x70) === 0) mxcsr |= 0x40;
    if ((choice & 0x380000) === 0) mxcsr |= 0x8000;
    if ((choice & 4) !== 0) mxcsr |= random.u32() & 0x3f;
    if ((choice & 0x78) === 8) mxcsr &= ~(random.u32() & 0x1f80);
    words[(context + MXCSR) >> 2] = mxcsr;

    const x87 = random.u32();
    let fcw = 0x7f | ((x87 & 3) === 0 ? (x87 >>> 8) & 0xc00 : 0);
    fcw |= (x87 & 0x30) === 0 ? random.pick([0, 0x200, 0x300]) : 0x300;
    if ((x87 & 0x1c0000) === 0) fcw &= ~(random.u32() & 0x3f);
    let fsw = random.u32() & 0x7f7f;
    if (random.chance(50)) fsw &= ~0x3f;
    if (random.chance(85)) fsw &= ~(~fcw & 0x3f);
    if ((fsw & ~fcw & 0x3f) !== 0) fsw |= 0x8080;
    const bytes = this.#bytes;
    bytes[context + FCW] = fcw;
    bytes[context + FCW + 1] = fcw >> 8;
    bytes[context + FSW] = fsw;
    bytes[context + FSW + 1] = fsw >> 8;
    bytes[context + FTW] = random.chance(70) ? 0xff : random.u32();

    const mmx = (this.encoding.parts?.[0] ?? this.encoding).form.operands.some((code) => /^[PQN]/.test(code));
    const stack = this.#pools[mmx ? 'integer' : 'extended'];
    for (let i = 0; i < 8; i++) {
      const v = (random.u32() & (POOL_VECTORS - 1)) * 4;
      const w = (context + X87 + 16 * i) >> 2;
      words[w] = stack[v]!;
      words[w + 1] = stack[v + 1]!;
      words[w + 2] = stack[v + 2]! & 0xffff;
    }
    const kinds: DataKind[] = [
      this.#kind,
      this.#kind,
      this.#kind,
      this.#kind,
      this.#kind,
      'integer',
      'single',
      'double',
    ];
    for (let i = 0; i < 16; i++) {
      const choices = random.u32();
      const kind = kinds[(choices >>> 11) & 7]!;
      const pool = this.#pools[kind === 'extended' || kind === 'bcd' ? 'double' : kind];
      const v = (choices & (POOL_VECTORS - 1)) * 4;
      const w = (context + XMM + 16 * i) >> 2;
      words[w] = pool[v]!;
      words[w + 1] = pool[v + 1]!;
      words[w + 2] = pool[v + 2]!;
      words[w + 3] = pool[v + 3]!;
    }
  }

  register(number: number): bigint {
    return this.#quads[(this.#context + GPR + 8 * number) >> 3]!;
  }

  setRegister(number: number, value: bigint): void {
    this.#quads[(this.#context + GPR + 8 * number) >> 3] = value;
  }

  flags(): number {
    return this.#words[(this.#context + CONTEXT_RFLAGS) >> 2]!;
  }

  setFlags(value: number): void {
    this.#words[(this.#context + CONTEXT_RFLAGS) >> 2] = value;
  }

  peek(address: bigint, bytes: number): bigint {
    const at = Number(BigInt.asIntN(64, address - this.window));
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      const inside = at + i >= 0 && at + i < 2 * this.half;
      value = (value << 8n) | BigInt(inside ? this.#bytes[this.#memory + at + i]! : 0);
    }
    return value;
  }

  poke(address: bigint, bytes: number, value: bigint): void {
    const at = Number(BigInt.asIntN(64, address - this.window));
    for (let i = 0; i < bytes; i++) {
      if (at + i >= 0 && at + i < 2 * this.half)
        this.#bytes[this.#memory + at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }
}

/** The stack pointer, for special.ts. */
export const RSP = Reg.RSP;
