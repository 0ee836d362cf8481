/**
 * The interpreter as an `Engine`: it owns one window's function table and module instances, calls generated code, and
 * serves what that code leaves to TypeScript: decoding, helpers, accesses outside the tags, single steps.
 */
import { type Engine, type EngineHost, Trap } from '../engine.ts';
import { HELPERS } from '../helpers.ts';
import { at, RFLAGS_OTHER, RIP } from '../state.ts';
import { type HandlerModule, LIBRARY } from './library.ts';
import { GuestMachine } from './machine.ts';
import { BUDGET_LEFT, EXIT_RESUME, EXIT_UNRESOLVED, LINK_SOURCE } from './private.ts';
import { RECORD_SIZE } from './record.ts';
import type { Tier, TierFactory } from './tier.ts';
import { Translator } from './translator.ts';

interface Exports {
  run(budget: number): number;
  runRecord(record: number, budget: number): number;
  insert(first: number, end: number): void;
  clear(first: number, end: number): void;
}

/** Keeps budgets in bytes of records inside 31 bits. */
const MAX_BUDGET = 40_000_000;
/** Budget after which a hot spot is looked for, in bytes of records. */
const SLICE = 100_000 * RECORD_SIZE;
const TABLE_SIZE = 1024;
const TRAP_FLAG = 0x100;
/** Bytes an instruction takes at most. */
const LONGEST = 15;
/** Elements that a string instruction may do while it changes its own page. */
const ALONE = 4096;

export class Interpreter implements Engine {
  readonly #translator: Translator;
  readonly #machine: GuestMachine;
  readonly #state: Int32Array;
  readonly #exports: Exports;
  readonly #table = new WebAssembly.Table({ initial: TABLE_SIZE, element: 'anyfunc' });
  // biome-ignore lint/complexity/noBannedTypes: signatures are given by the helper's declaration.
  readonly #functions = new Map<string, Function>();
  /** Handlers in the table, by index: 1 if so. */
  #installed = new Uint8Array(TABLE_SIZE);

  /** The tier that takes over hot code, if there is one. */
  readonly #tier: Tier | undefined;
  /** The tier's code is linked. */
  #translates = true;
  /** Budget until the tier wants the next sample, in bytes of records: it counts on from one `run` to the next. */
  #untilSample = 0;
  /** What that was after the last sample. */
  #sampleFrom = 0;
  /** The last `run` ended in a page fault. */
  #faulted = false;
  /** The next instruction lies on a page that it is about to change. */
  #changesItself = false;

  constructor(
    private readonly memory: WebAssembly.Memory,
    host: EngineHost,
    tier?: TierFactory,
  ) {
    this.#translator = new Translator(memory, host);
    this.#machine = new GuestMachine(memory, host);
    this.#state = new Int32Array(memory.buffer, at(0), 2048);
    for (const [name, f] of this.#machine.imports()) this.#functions.set(name, f);
    const base = LIBRARY.base();
    this.#exports = this.#instantiate(base) as unknown as Exports;
    this.#translator.clearWith = () => this.#clear();
    this.#translator.insertWith = (from, to) => this.#exports.insert(from, to);
    this.#tier = tier?.({
      memory,
      host,
      translator: this.#translator,
      table: this.#table,
      install: (handlers) => {
        for (const handler of handlers) this.#ensure(handler);
      },
      importNamed: (name) => this.#function(name),
    });
    // A tier that is to see every instruction decoded gets them one by one.
    this.#translator.shares = !this.#tier?.seesEach;
  }

  get statistics(): { decoded: number; flushes: number } {
    return this.#translator;
  }

  run(budget: number): Trap {
    let left = Math.min(budget, MAX_BUDGET) * RECORD_SIZE;
    const state = this.#state;
    const tier = this.#tier;
    for (;;) {
      if ((state[RFLAGS_OTHER >> 2] & TRAP_FLAG) !== 0) return this.#singleStep();
      if (this.#changesItself) {
        const trap = this.#stepAlone();
        if (trap >= 0) return trap;
      }
      const slice = Math.min(left, tier === undefined ? SLICE : Math.max(this.#untilSample, RECORD_SIZE));
      const code = this.#exports.run(slice);
      const used = slice - state[BUDGET_LEFT >> 2];
      this.#untilSample -= used;
      if (code !== Trap.Budget && code < EXIT_UNRESOLVED) {
        this.#faulted = code === Trap.PageFault;
        return code;
      }
      left -= used;
      if (code === Trap.Budget) {
        if (tier === undefined) this.#fuse();
        else if (this.#translates) this.#sample(tier);
        else this.#untilSample = this.#sampleFrom;
      }
      if (left <= 0) return Trap.Budget;
      if (code === EXIT_RESUME || code === Trap.Budget) continue;
      const trap = this.#resolve();
      if (trap >= 0) return trap;
    }
  }

  invalidate(page: number): void {
    this.#tier?.invalidate(Math.floor(page / 4096));
    this.#translator.invalidate(Math.floor(page / 4096));
    if (!this.#faulted) return;
    // Decoded as usual, the instruction that writes to its own page would have the page protected again, for ever.
    const low = this.#state[RIP >> 2] >>> 0;
    const rip = this.#state[(RIP >> 2) + 1] * 0x1_0000_0000 + low;
    if (rip < page + 4096 && rip + LONGEST > page) this.#changesItself = true;
  }

  reset(): void {
    this.#clear();
  }

  inherit(parent: Engine): void {
    if (!(parent instanceof Interpreter)) return;
    this.#clear();
    if (this.#translator.shares) {
      this.#translator.inherit(parent.#translator);
      return;
    }
    this.#translator.copyFrom(parent.#translator);
    if (parent.#tier !== undefined) this.#tier?.inherit(parent.#tier);
    this.#install();
    this.#exports.insert(this.#translator.first, this.#translator.top);
  }

  /** Turns translated code off and on again, for comparisons (cpu/lockstep.ts). Not for single steps. */
  translating(on: boolean): void {
    if (this.#tier === undefined || on === this.#translates) return;
    this.#translates = on;
    if (on) this.#tier.resume();
    else this.#tier.suspend();
  }

  /** Executes one instruction, or one element of a repeated one. `Budget` if it did nothing else. */
  step(): Trap {
    const trap = this.#stepAlone(1);
    return trap < 0 ? Trap.Budget : trap;
  }

  /** Decodes at RIP and links the branch that led there. Returns a trap, or −1. */
  #resolve(): number {
    const translator = this.#translator;
    const state = this.#state;
    const low = state[RIP >> 2];
    const high = state[(RIP >> 2) + 1];
    const flushes = translator.flushes;
    const source = state[LINK_SOURCE >> 2];
    let record = translator.find(low, high);
    if (record === 0) {
      record = translator.translate(low, high);
      if (record < 0) return -1 - record;
      this.#install();
      this.#tier?.decoded(low, high);
    }
    if (source !== 0 && flushes === translator.flushes) translator.patchLink(source, record);
    return -1;
  }

  /** Tells the tier where execution stopped. */
  #sample(tier: Tier): void {
    const state = this.#state;
    const instructions = (this.#sampleFrom - this.#untilSample) / RECORD_SIZE;
    tier.sample(state[RIP >> 2], state[(RIP >> 2) + 1], instructions);
    this.#untilSample = this.#sampleFrom = tier.slice * RECORD_SIZE;
  }

  /** Execution stopped here by chance, so this code is likely to be hot. */
  #fuse(): void {
    const state = this.#state;
    const record = this.#translator.find(state[RIP >> 2], state[(RIP >> 2) + 1]);
    if (record === 0) return;
    this.#translator.fuse(record);
    this.#install();
  }

  /** Executes one instruction from a record that belongs to no page. Returns a trap, or −1. */
  #stepAlone(elements = ALONE): number {
    this.#changesItself = false;
    const state = this.#state;
    const record = this.#translator.translateOne(state[RIP >> 2], state[(RIP >> 2) + 1]);
    if (record < 0) return -1 - record;
    this.#install();
    const code = this.#exports.runRecord(record, elements * RECORD_SIZE);
    return code === Trap.Budget || code === EXIT_RESUME || code === EXIT_UNRESOLVED ? -1 : code;
  }

  #singleStep(): Trap {
    this.#changesItself = false;
    const state = this.#state;
    const record = this.#translator.translateOne(state[RIP >> 2], state[(RIP >> 2) + 1]);
    if (record < 0) return (-1 - record) as Trap;
    this.#install();
    const code = this.#exports.runRecord(record, RECORD_SIZE);
    return code === Trap.Budget || code === EXIT_RESUME || code === EXIT_UNRESOLVED ? Trap.SingleStep : code;
  }

  #clear(): void {
    this.#tier?.clear();
    this.#exports.clear(this.#translator.first, this.#translator.top);
    this.#translator.forget();
  }

  /** Puts the handlers that new records want into the table. */
  #install(): void {
    const { wanted } = this.#translator;
    if (wanted.length === 0) return;
    for (const handler of wanted) this.#ensure(handler);
    wanted.length = 0;
  }

  #ensure(handler: number): void {
    if (this.#installed[handler] !== 1) this.#instantiate(LIBRARY.moduleOf(handler));
  }

  #instantiate({ module, imports, first, end }: HandlerModule): WebAssembly.Exports {
    this.#tier?.makeRoom(end);
    if (this.#table.length < end) this.#table.grow(Math.max(end - this.#table.length, TABLE_SIZE));
    if (this.#installed.length < end) {
      const larger = new Uint8Array(this.#table.length);
      larger.set(this.#installed);
      this.#installed = larger;
    }
    // biome-ignore lint/complexity/noBannedTypes: as above.
    const h: Record<string, Function> = {};
    for (const name of imports) h[name] = this.#function(name);
    const instance = new WebAssembly.Instance(module, {
      e: { memory: this.memory, table: this.#table },
      h: h as WebAssembly.ModuleImports,
    });
    this.#installed.fill(1, first, end);
    return instance.exports;
  }

  // biome-ignore lint/complexity/noBannedTypes: as above.
  #function(name: string): Function {
    let f = this.#functions.get(name);
    if (f === undefined) {
      f = HELPERS.get(name)!.create(this.#machine);
      this.#functions.set(name, f);
    }
    return f;
  }
}
