/**
 * Both tiers side by side: an engine that executes every stretch translated, takes it back, executes it again instruction by
 * instruction in the interpreter, and stops at the first difference with both states and the code in between. For
 * development: a hundred times slower than either.
 *
 * How: all pages are closed to writing for a stretch; the first write to each faults, its bytes are kept, and it is opened.
 * Stretches that write code and execute it are not compared: the page would be protected at another time. The time-stamp
 * counter and pages beside the window are recorded the first time and replayed the second.
 *
 * Entry points: `Lockstep`, `LockstepDifference`.
 */
import { WRITE_TAGS } from '../memory/layout.ts';
import { CpuState } from './cpu-state.ts';
import { disassembleBytes } from './disassembler.ts';
import { Access, type Engine, type EngineHost, Trap } from './engine.ts';
import { Interpreter } from './interpreter/engine.ts';
import { type JitOptions, jitTier } from './jit/tier.ts';
import { CONTEXT_SIZE, FIP, MXCSR, RETIRED, TRAP_ACCESS, TRAP_ADDRESS, X87 } from './state.ts';

const PAGE = 4096;
const SLOTS = 1 << 20;
const TWO_32 = 0x1_0000_0000;
/** Instructions in a stretch. */
const STRETCH = 20_000;
/** Before the end of a stretch the interpreter goes step by step: it looks at its budget at transfers of control only. */
const MARGIN = 400;
/** Steps beyond the expected number: repeated string instructions count differently. */
const PATIENCE = 300_000;
const LONGEST = 15;
/** Instructions before the difference that are shown. */
const SHOWN = 40;
/** AF is left undefined by too much. */
const FLAGS = 0x24_0cc5;
const STATE_BYTES = 1024;

/** Instead of a difference: the interpreter needs a page of code. */
const ABSENT = 'absent';

/** Thrown where the two tiers part; the message tells both states. */
export class LockstepDifference extends Error {}

interface Snapshot {
  readonly registers: readonly bigint[];
  readonly rip: number;
  readonly flags: number;
  readonly rest: Uint8Array;
}

/** What the first pass saw of the outside, for the second. */
class Recorder implements EngineHost {
  replaying = false;
  readonly #times: bigint[] = [];
  readonly #reads: (Uint8Array | undefined)[] = [];
  /** Writes beside the window that were done, and what was there. */
  readonly #writes: { address: number; from: Uint8Array; done: boolean }[] = [];
  #time = 0;
  #read = 0;
  #write = 0;
  translated: (page: number) => void = () => {};

  constructor(private readonly host: EngineHost) {}

  begin(): void {
    this.replaying = false;
    this.#times.length = this.#reads.length = this.#writes.length = 0;
  }

  replay(): void {
    this.replaying = true;
    this.#time = this.#read = this.#write = 0;
  }

  codeTranslated(page: number): void {
    this.host.codeTranslated(page);
    this.translated(page);
  }

  timestamp(): bigint {
    if (this.replaying) return this.#times[this.#time++] ?? 0n;
    const time = this.host.timestamp();
    this.#times.push(time);
    return time;
  }

  sideRead(address: number, into: Uint8Array): boolean {
    if (this.replaying) {
      const read = this.#reads[this.#read++];
      if (read !== undefined) into.set(read.subarray(0, into.length));
      return read !== undefined;
    }
    const done = this.host.sideRead(address, into);
    this.#reads.push(done ? into.slice() : undefined);
    return done;
  }

  sideWrite(address: number, from: Uint8Array): boolean {
    if (this.replaying) return this.#writes[this.#write++]?.done ?? false;
    const done = this.host.sideWrite(address, from);
    this.#writes.push({ address, from: from.slice(), done });
    return done;
  }
}

export class Lockstep implements Engine {
  readonly #host: Recorder;
  readonly #engine: Interpreter;
  readonly #cpu: CpuState;
  readonly #bytes: Uint8Array;
  readonly #tags: Int32Array;
  /** The tags that the kernel gave. */
  readonly #given = new Int32Array(SLOTS);
  /** Pages opened in this stretch: their bytes before, by slot. */
  readonly #before = new Map<number, Uint8Array>();
  /** Code was written and executed in this stretch. */
  #codeWritten = false;

  constructor(
    readonly memory: WebAssembly.Memory,
    host: EngineHost,
    options: JitOptions = {},
  ) {
    this.#host = new Recorder(host);
    this.#engine = new Interpreter(memory, this.#host, jitTier(options));
    this.#cpu = new CpuState(memory);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#tags = new Int32Array(memory.buffer, WRITE_TAGS, SLOTS);
  }

  get statistics(): Engine['statistics'] {
    return this.#engine.statistics;
  }

  invalidate(page: number): void {
    this.#engine.invalidate(page);
  }

  reset(): void {
    this.#engine.reset();
  }

  inherit(parent: Engine): void {
    if (parent instanceof Lockstep) this.#engine.inherit(parent.#engine);
  }

  run(budget: number): Trap {
    this.#given.set(this.#tags);
    this.#tags.fill(0);
    this.#host.translated = (page) => {
      const slot = (page / PAGE) % SLOTS;
      this.#given[slot] = this.#tags[slot];
      if (this.#before.has(slot)) this.#codeWritten = true;
      else this.#tags[slot] = 0;
    };
    try {
      for (let left = budget; ; ) {
        const { trap, instructions } = this.#stretch(Math.min(left, STRETCH));
        left -= Math.max(1, instructions);
        if (trap !== Trap.Budget || left <= 0) return trap;
      }
    } finally {
      this.#tags.set(this.#given);
      this.#host.translated = () => {};
    }
  }

  get #retired(): bigint {
    return this.#cpu.view.getBigInt64(RETIRED, true);
  }

  /** One stretch by both tiers; where they differ, again in the smallest stretches, so that the first difference shows. */
  #stretch(budget: number): { trap: Trap; instructions: number } {
    const { state, retired } = this.#begin();
    const trap = this.#pass(budget);
    const instructions = Number(this.#retired - retired);
    if (this.#codeWritten) return { trap, instructions };
    const difference = this.#check(state, retired, trap, instructions);
    if (difference === undefined) return { trap, instructions };
    // Decoded code runs though its page is not in the window yet (fork); single steps need it there.
    if (difference === ABSENT) return { trap: Trap.PageFault, instructions: 0 };
    this.#undo(state);
    for (let done = 0; budget > 1 && done <= instructions; ) {
      const part = this.#begin();
      const partTrap = this.#pass(1);
      const count = Number(this.#retired - part.retired);
      const first = this.#check(part.state, part.retired, partTrap, count);
      if (first === ABSENT) return { trap: Trap.PageFault, instructions: done };
      if (first !== undefined) throw new LockstepDifference(first);
      done += Math.max(1, count);
      if (partTrap !== Trap.Budget) break;
    }
    throw new LockstepDifference(`${difference}\n(it does not happen in smaller stretches)`);
  }

  #begin(): { state: Uint8Array; retired: bigint } {
    for (const slot of this.#before.keys()) this.#tags[slot] = 0;
    this.#before.clear();
    this.#codeWritten = false;
    this.#host.begin();
    return { state: this.#cpu.bytes.slice(0, STATE_BYTES), retired: this.#retired };
  }

  /** Runs; opens pages at the first write to each. */
  #pass(budget: number): Trap {
    for (;;) {
      const trap = this.#engine.run(budget);
      if (trap !== Trap.PageFault || !this.#open()) return trap;
    }
  }

  /** Whether the write that faulted was to a page that only this closed; opens it. */
  #open(): boolean {
    const { view } = this.#cpu;
    if (view.getInt32(TRAP_ACCESS, true) !== Access.Write) return false;
    const page = Math.floor(Number(view.getBigUint64(TRAP_ADDRESS, true)) / PAGE);
    const slot = page % SLOTS;
    if (this.#tags[slot] === this.#given[slot] || this.#given[slot] !== ~Math.floor(page / SLOTS)) return false;
    if (!this.#before.has(slot)) this.#before.set(slot, this.#bytes.slice(slot * PAGE, slot * PAGE + PAGE));
    this.#tags[slot] = this.#given[slot];
    return true;
  }

  #snapshot(): Snapshot {
    const cpu = this.#cpu;
    const rest = cpu.bytes.slice(MXCSR, CONTEXT_SIZE);
    // Where the last x87 instruction stood is not compared.
    rest.fill(0, FIP - 2 - MXCSR, X87 - MXCSR);
    return {
      registers: Array.from({ length: 16 }, (_, i) => cpu.gpr(i)),
      rip: cpu.rip,
      flags: cpu.rflags & FLAGS,
      rest,
    };
  }

  /** Takes back what was executed since `state`. */
  #undo(state: Uint8Array): void {
    this.#cpu.bytes.set(state);
    for (const [slot, bytes] of this.#before) this.#bytes.set(bytes, slot * PAGE);
  }

  /** Executes the same in the interpreter and compares. What differs, or undefined. */
  #check(state: Uint8Array, retired: bigint, trap: Trap, instructions: number): string | undefined {
    const theirs = this.#snapshot();
    const after = new Map(
      [...this.#before.keys()].map((slot) => [slot, this.#bytes.slice(slot * PAGE, (slot + 1) * PAGE)]),
    );
    const traps = this.#cpu.bytes.slice(CONTEXT_SIZE, STATE_BYTES);
    this.#undo(state);
    const start = this.#snapshot();
    this.#host.replay();
    this.#engine.translating(false);
    const trail: string[] = [];
    let reached: Trap;
    try {
      reached = this.#reference(retired, trap, instructions, theirs, trail);
    } finally {
      this.#engine.translating(true);
    }
    const ours = this.#snapshot();
    const { view } = this.#cpu;
    if (reached === Trap.PageFault && view.getInt32(TRAP_ACCESS, true) === Access.Execute && theirs.rip !== ours.rip)
      return ABSENT;
    const found = compare(theirs, ours);
    if (reached !== trap) found.push(`trap: translated ${trap}, interpreted ${reached}`);
    for (const [slot, before] of this.#before) {
      const one = after.get(slot) ?? before;
      const other = this.#bytes.subarray(slot * PAGE, (slot + 1) * PAGE);
      const at = one.findIndex((byte, i) => byte !== other[i]);
      const where = ((~this.#given[slot] >>> 0) * TWO_32 + slot * PAGE + at).toString(16);
      if (at >= 0)
        found.push(`memory at ${where}: translated ${one[at].toString(16)}, interpreted ${other[at].toString(16)}`);
    }
    if (found.length === 0) {
      // The count of the first pass, lest budgets drift.
      this.#cpu.view.setBigInt64(RETIRED, retired + BigInt(instructions), true);
      if (trap !== Trap.Budget) this.#cpu.bytes.set(traps.subarray(0, RETIRED - CONTEXT_SIZE), CONTEXT_SIZE);
      return undefined;
    }
    return [
      'the tiers differ:',
      ...found.map((line) => `  ${line}`),
      `before, at ${start.rip.toString(16)}:`,
      show(start),
      `translated, ${instructions} instructions later:`,
      show(theirs),
      `interpreted, ${this.#retired - retired} instructions later:`,
      show(ours),
      'the last instructions interpreted:',
      ...trail.map((line) => `  ${line}`),
    ].join('\n');
  }

  /** The interpreter's way to where the first pass ended. */
  #reference(retired: bigint, trap: Trap, instructions: number, theirs: Snapshot, trail: string[]): Trap {
    const done = (): number => Number(this.#retired - retired);
    while (instructions - done() > MARGIN) {
      const reached = this.#pass(instructions - done() - MARGIN);
      if (reached !== Trap.Budget) return reached;
    }
    const limit = instructions + PATIENCE;
    for (let steps = 0; steps <= limit; steps++) {
      const there = trap === Trap.Budget && done() >= instructions && this.#cpu.rip === theirs.rip;
      if (there && (done() === instructions || compare(theirs, this.#snapshot()).length === 0)) return Trap.Budget;
      trail.push(this.#instruction());
      if (trail.length > SHOWN) trail.shift();
      const reached = this.#step();
      if (reached !== Trap.Budget) return reached;
      // Further on it would only get worse: the tiers have parted.
      if (trap === Trap.Budget && done() > instructions + MARGIN && this.#cpu.gpr(1) === 0n) return Trap.Budget;
    }
    return Trap.Budget;
  }

  #step(): Trap {
    for (;;) {
      const trap = this.#engine.step();
      if (trap !== Trap.PageFault || !this.#open()) return trap;
    }
  }

  #instruction(): string {
    const { rip } = this.#cpu;
    const at = rip % TWO_32;
    return `${rip.toString(16)}  ${disassembleBytes(this.#bytes.slice(at, at + LONGEST), rip)}`;
  }
}

const NAMES = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');

function compare(theirs: Snapshot, ours: Snapshot): string[] {
  const found: string[] = [];
  const add = (name: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) found.push(`${name}: translated ${a.toString(16)}, interpreted ${b.toString(16)}`);
  };
  add('rip', theirs.rip, ours.rip);
  for (const [i, value] of theirs.registers.entries()) add(NAMES[i], value, ours.registers[i]);
  add('flags', theirs.flags, ours.flags);
  const at = theirs.rest.findIndex((byte, i) => byte !== ours.rest[i]);
  if (at >= 0) add(`byte ${at + MXCSR} of the state`, theirs.rest[at], ours.rest[at]);
  return found;
}

function show({ registers, rip, flags }: Snapshot): string {
  const all = registers.map((value, i) => `${NAMES[i].padStart(3)} ${value.toString(16).padStart(16, '0')}`);
  const rows = [0, 4, 8, 12].map((i) => `  ${all.slice(i, i + 4).join('  ')}`);
  return [...rows, `  rip ${rip.toString(16)}  flags ${flags.toString(16)}`].join('\n');
}
