/**
 * Our side: one window with the pages of layout.ts and the engine under test. `run` executes the groups of a batch and
 * writes the same result records as native.c does, so that the two can be compared word by word.
 */
import { Access, type Engine, type EngineHost, Trap } from '../../src/cpu/engine.ts';
import {
  FDP,
  FIP,
  FLAG_AUX,
  FLAG_RESULT,
  FTW,
  RFLAGS_OTHER,
  RIP,
  TRAP_ACCESS,
  TRAP_ADDRESS,
  X87,
} from '../../src/cpu/state.ts';
import { STATE } from '../../src/memory/layout.ts';
import { Window } from '../../src/memory/window.ts';
import {
  CODE_BASE,
  CODE_SIZE,
  CONTEXT_RFLAGS,
  FLAG_ENDS,
  FLAG_FLOAT,
  FLAG_PROGRAM,
  FLAG_SEQUENCE,
  FULL_CONTEXT,
  GROUP_HEADER,
  HIGH_DATA,
  INT_CONTEXT,
  Kind,
  LOW_DATA,
  PAGES,
  PAGES_BYTES,
  programBytes,
  RESULT_HEADER,
} from './layout.ts';
import { Random } from './random.ts';

/** Makes the engine under test for a window. */
export type EngineFactory = (window: Window, host: EngineHost) => TestedEngine;
export interface TestedEngine extends Engine {
  /** Tells which code will run, so that handlers can be generated together. */
  prepare?(codes: readonly Code[]): void;
}
/** One encoding or sequence; a hot one will run so often that it is worth more effort. */
export interface Code {
  readonly bytes: Uint8Array;
  readonly hot: boolean;
}

const KIND: Partial<Record<Trap, Kind>> = {
  [Trap.InvalidOpcode]: Kind.InvalidOpcode,
  [Trap.DivideError]: Kind.DivideError,
  [Trap.Breakpoint]: Kind.Breakpoint,
  [Trap.GeneralProtection]: Kind.GeneralProtection,
  [Trap.SoftwareInterrupt]: Kind.GeneralProtection,
  [Trap.PageFault]: Kind.PageFault,
  [Trap.X87Exception]: Kind.X87,
  [Trap.SimdException]: Kind.Simd,
  [Trap.SingleStep]: Kind.SingleStep,
};

/** A jump to each sequence stands this far before it, out of reach of short jumps. */
const ENTRY_DISTANCE = 160;

/** Stretches after which a program is taken to run for ever. */
const MAX_TURNS = 5000;
const LONG_STRETCH = 50_000;

const PF_WRITE = 2;
const PF_USER = 4;
const PF_FETCH = 16;

export class EmulatedProcessor {
  readonly window = new Window();
  readonly #engine: TestedEngine;
  readonly #state = new DataView(this.window.memory.buffer, STATE, 8192);
  readonly #words = new Int32Array(this.window.memory.buffer, STATE, 2048);
  readonly #memory = this.window.bytes;
  readonly #codePages = new Set<number>();
  /** Translated pages are protected, for programs that change themselves. */
  #protects = false;
  #batches = 0;

  /** `fuses`: the engine makes a handler of each place where it is stopped, which must not happen too often. */
  constructor(
    factory: EngineFactory,
    private readonly fuses = false,
  ) {
    const map = (address: number, high: number, kind: string): void => {
      if (kind === '-') return;
      this.window.setTags(address >>> 12, ~high, kind === 'w' || kind === 'x' ? ~high : 0, kind === 'x' ? ~high : 0);
    };
    for (let i = 0; i < PAGES.length; i++) {
      map(Number(LOW_DATA) + i * 4096, 0, PAGES[i]!);
      map(Number(BigInt.asUintN(32, HIGH_DATA)) + i * 4096, Number(HIGH_DATA >> 32n), PAGES[i]!);
    }
    for (let i = 0; i < CODE_SIZE; i += 4096) map(CODE_BASE + i, 0, 'x');
    this.#memory.fill(0xcc, CODE_BASE, CODE_BASE + CODE_SIZE);
    this.#engine = factory(this.window, {
      // Code is written from outside only, followed by `invalidate`, but by programs.
      codeTranslated: (page) => {
        this.#codePages.add(page);
        if (this.#protects) this.window.writeTags[page >>> 12] = 0;
      },
      sideRead: () => false,
      sideWrite: () => false,
      timestamp: () => 0n,
    });
  }

  prepare(codes: readonly Code[]): void {
    this.#engine.prepare?.(codes);
  }

  /** Runs all groups of `batch`; returns how many bytes of results were written to `results`. */
  run(batch: ArrayBuffer, results: ArrayBuffer): number {
    const request = new DataView(batch);
    const words = new Int32Array(batch);
    const bytes = new Uint8Array(batch);
    const output = new Int32Array(results);
    const outputBytes = new Uint8Array(results);
    const groups = request.getUint32(0, true);

    // All encodings first: the engine may translate a page as a whole.
    const written: [number, number][] = [];
    let at = 8;
    this.#protects = (request.getUint32(at + 4, true) & FLAG_PROGRAM) !== 0;
    for (let g = 0; g < groups; g++) {
      const code = Number(request.getBigUint64(at + 8, true));
      const length = request.getUint32(at + 16, true);
      const from = at + (this.#protects ? GROUP_HEADER : 24);
      this.#memory.set(bytes.subarray(from, from + length), code);
      written.push([code, length]);
      if ((request.getUint32(at + 4, true) & FLAG_SEQUENCE) !== 0)
        this.#memory.set([0xe9, ENTRY_DISTANCE - 5, 0, 0, 0], code - ENTRY_DISTANCE);
      at +=
        GROUP_HEADER +
        (this.#protects ? programBytes(length) : 0) +
        this.#recordBytes(request, at) * request.getUint32(at, true);
    }
    this.#dropCode();

    at = 8;
    let out = 0;
    for (let g = 0; g < groups; g++) {
      const count = request.getUint32(at, true);
      const flags = request.getUint32(at + 4, true);
      const code = Number(request.getBigUint64(at + 8, true));
      const length = request.getUint32(at + 16, true);
      const windowBytes = request.getUint32(at + 20, true);
      const context = (flags & FLAG_FLOAT) !== 0 ? FULL_CONTEXT : INT_CONTEXT;
      const ends = (flags & FLAG_ENDS) !== 0;
      const sequence = (flags & FLAG_SEQUENCE) !== 0;
      const program = (flags & FLAG_PROGRAM) !== 0;
      const random = program ? new Random(request.getUint32(at + 24, true), 0) : undefined;
      at += GROUP_HEADER + (program ? programBytes(length) : 0);
      for (let i = 0; i < count; i++) {
        if (sequence && i === count >> 2) this.#warmUp(code - ENTRY_DISTANCE);
        // Data addresses are below the code in both areas' low 32 bits.
        const linear = words[at >> 2]! >>> 0;
        at += 8;
        this.#load(words, at >> 2, context >> 2, code);
        this.#memory.set(bytes.subarray(at + context, at + context + windowBytes), linear);
        const trap = random === undefined ? this.#engine.run(1 << 20) : this.#runProgram(random);
        this.#store(output, out >> 2, context >> 2, trap, ends ? -1 : code + length);
        out += RESULT_HEADER + context;
        outputBytes.set(this.#memory.subarray(linear, linear + windowBytes), out);
        this.#memory.fill(0, linear, linear + windowBytes);
        out += windowBytes;
        at += context + windowBytes;
      }
    }
    for (const [code, length] of written) this.#memory.fill(0xcc, code - ENTRY_DISTANCE, code + length);

    // The data pages, and clean again.
    for (const base of [Number(LOW_DATA), Number(BigInt.asUintN(32, HIGH_DATA))]) {
      const end = base + PAGES_BYTES / 2;
      outputBytes.set(this.#memory.subarray(base, end), out);
      this.#memory.fill(0, base, end);
      out += PAGES_BYTES / 2;
    }
    return out;
  }

  /**
   * Runs a program to its end in stretches of random length, the first ones short, so that hot code is found soon. Writes
   * to translated pages are served as the kernel serves them.
   */
  #runProgram(random: Random): Trap {
    const state = this.#words;
    const atOnce = this.fuses && !random.chance(1);
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const stretch = 1 + random.below(turn < 12 ? 60 : 2000);
      const trap = this.#engine.run(atOnce ? LONG_STRETCH : stretch);
      if (trap === Trap.Budget) continue;
      if (trap !== Trap.PageFault || state[TRAP_ACCESS >> 2] !== Access.Write) return trap;
      const page = (state[TRAP_ADDRESS >> 2]! & -4096) >>> 0;
      if (state[(TRAP_ADDRESS >> 2) + 1] !== 0 || !this.#codePages.delete(page)) return trap;
      this.#engine.invalidate(page);
      this.window.writeTags[page >>> 12] = ~0;
    }
    return Trap.Budget;
  }

  /** Stops again and again where the sequence begins, which tells the interpreter that the code there is hot. */
  #warmUp(entry: number): void {
    for (let i = 0; i < 3; i++) {
      this.#words[RIP >> 2] = entry;
      this.#words[(RIP >> 2) + 1] = 0;
      this.#words[RFLAGS_OTHER >> 2] = 0;
      this.#engine.run(1);
    }
  }

  #recordBytes(request: DataView, at: number): number {
    const float = (request.getUint32(at + 4, true) & FLAG_FLOAT) !== 0;
    return 8 + (float ? FULL_CONTEXT : INT_CONTEXT) + request.getUint32(at + 20, true);
  }

  /** Page by page as the kernel does, and now and then all at once, for the engine may keep a memory of dropped code. */
  #dropCode(): void {
    if (this.#batches++ % 8 === 7) this.#engine.reset();
    else for (const page of this.#codePages) this.#engine.invalidate(page);
    for (const page of this.#codePages) this.window.writeTags[page >>> 12] = ~0;
    this.#codePages.clear();
  }

  #load(words: Int32Array, at: number, count: number, code: number): void {
    const state = this.#words;
    for (let w = 0; w < count; w++) state[w] = words[at + w]!;
    const flags = words[at + (CONTEXT_RFLAGS >> 2)]!;
    const carry = flags & 1;
    const overflow = (flags >> 11) & 1;
    const zero = (flags >> 6) & 1;
    const sign = (flags >> 7) & 1;
    const parity = (flags >> 2) & 1;
    const r = FLAG_RESULT >> 2;
    const x = FLAG_AUX >> 2;
    // A result that has these flags by itself, where there is one.
    let inverted = 0;
    if (zero !== 0) {
      state[r] = 0;
      state[r + 1] = 0;
      inverted = sign | ((parity ^ 1) << 1);
    } else {
      state[r] = 2 | parity;
      state[r + 1] = sign << 31;
      if (parity === 0) state[r] = 1;
    }
    state[x] = inverted | (((flags >> 4) & 1) << 3);
    state[x + 1] = (carry << 31) | ((carry ^ overflow) << 30);
    state[RFLAGS_OTHER >> 2] = flags & 0x240500;
    state[RIP >> 2] = code;
    state[(RIP >> 2) + 1] = 0;
  }

  #store(output: Int32Array, at: number, count: number, trap: Trap, next: number): void {
    const state = this.#words;
    let kind = KIND[trap] ?? 1000 + trap;
    let error = 0;
    let rip = state[RIP >> 2]!;
    // INT3 follows the instruction: having stopped there is having completed it.
    if (kind === Kind.Breakpoint && next >= 0 && rip >>> 0 === next + 1 && state[(RIP >> 2) + 1] === 0) {
      kind = Kind.Done;
      rip = next;
    }
    output[at] = kind;
    output[at + 2] = 0;
    output[at + 3] = 0;
    if (trap === Trap.PageFault) {
      const access = state[TRAP_ACCESS >> 2]!;
      error = PF_USER | (access === Access.Write ? PF_WRITE : access === Access.Execute ? PF_FETCH : 0);
      output[at + 2] = state[TRAP_ADDRESS >> 2]!;
      output[at + 3] = state[(TRAP_ADDRESS >> 2) + 1]!;
    }
    output[at + 1] = error;
    const c = at + 4;
    for (let w = 0; w < count; w++) output[c + w] = state[w]!;
    output[c + (RIP >> 2)] = rip;
    output[c + (CONTEXT_RFLAGS >> 2)] = this.flags();
    output[c + (CONTEXT_RFLAGS >> 2) + 1] = 0;
    output[c + (CONTEXT_RFLAGS >> 2) + 2] = 0;
    output[c + (CONTEXT_RFLAGS >> 2) + 3] = 0;
    output[c + (RFLAGS_OTHER >> 2)] = 0;
    if (count > FDP >> 2) {
      // FOP, FIP and FDP follow each vendor's rules and are not compared: native.c leaves them 0.
      output[c + (FTW >> 2)]! &= 0xff;
      for (let w = FIP >> 2; w < X87 >> 2; w++) output[c + w] = 0;
    }
  }

  /** RFLAGS from the lazy representation (cpu/state.ts), with the fixed bits. */
  flags(): number {
    const state = this.#words;
    const low = state[FLAG_RESULT >> 2]!;
    const high = state[(FLAG_RESULT >> 2) + 1]!;
    const aux = state[FLAG_AUX >> 2]!;
    const auxHigh = state[(FLAG_AUX >> 2) + 1]!;
    const carry = auxHigh >>> 31;
    let parity = low & 0xff;
    parity ^= parity >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    const flags =
      carry |
      (((parity & 1) ^ 1 ^ ((aux >> 1) & 1)) << 2) |
      (((aux >> 3) & 1) << 4) |
      ((low | high) === 0 ? 64 : 0) |
      (((high >>> 31) ^ (aux & 1)) << 7) |
      ((carry ^ ((auxHigh >>> 30) & 1)) << 11);
    return flags | 0x202 | (state[RFLAGS_OTHER >> 2]! & 0x240500);
  }

  /** The state block, for reports. */
  get state(): DataView {
    return this.#state;
  }
}
