/**
 * Drives random programs: the host processor and every engine run the same batches, and what they end in must agree
 * (registers, flags that are defined, vectors, memory, the fault if there is one). A program depends on the seed and its
 * number alone. One that fails is made smaller before it is shown.
 *
 * Entry point: `runPrograms`.
 */
import { form } from '../../../src/cpu/forms.ts';
import { FCW, FS_BASE, FTW, GPR, GS_BASE, MXCSR, Reg, XMM } from '../../../src/cpu/state.ts';
import { type Difference, differences, identical, showState } from '../compare.ts';
import { EmulatedProcessor, type EngineFactory } from '../emulated.ts';
import type { Encoding } from '../encode.ts';
import { buildPool, POOL_VECTORS } from '../floats.ts';
import {
  BATCH_LIMIT,
  BOUNDARIES,
  CODE_BASE,
  CODE_SIZE,
  CONTEXT_RFLAGS,
  FLAG_FLOAT,
  FLAG_PROGRAM,
  FS_BASE_VALUE,
  FULL_CONTEXT,
  GROUP_HEADER,
  GS_BASE_VALUE,
  HIGH_DATA,
  Kind,
  LOW_DATA,
  PAGES_BYTES,
  programBytes,
  REPLY_OFFSET,
  RESULT_HEADER,
} from '../layout.ts';
import type { HostProcessor } from '../native.ts';
import { Random } from '../random.ts';
import { assemble, type Program, randomProgram } from './program.ts';

export interface ProgramOptions {
  readonly host: HostProcessor;
  /** The engines, by name; whether they fuse, see `EmulatedProcessor`. */
  readonly engines: Readonly<Record<string, { readonly factory: EngineFactory; readonly fuses: boolean }>>;
  readonly count: number;
  readonly seed: number;
  /** First program. */
  readonly first?: number;
  /** Mismatches described. */
  readonly details?: number;
  readonly disassemble?: (bytes: Uint8Array, address: number) => string;
  readonly progress?: (done: number) => void;
}

export interface ProgramResult {
  readonly passed: number;
  readonly failed: number;
  /** Programs that ended in a fault. */
  readonly faults: number;
  readonly codeBytes: number;
  readonly reports: readonly string[];
}

/** States a program runs from; in the later ones it is likely to be translated already. */
const STATES = 3;
const HALF = 2048;
const WINDOW = 2 * HALF;
const STACK = 2000;
const RECORD = 8 + FULL_CONTEXT + WINDOW;
const RESULT = RESULT_HEADER + FULL_CONTEXT + WINDOW;
const MAX_CODE = 16384;
const CF_PF_ZF_SF_DF = 0x4c5;
const AF = 0x10;
const OF = 0x800;
/** What comparing takes for the encoding: nothing of it is left out. */
const WHOLE = { form: form('—', 'program', '', () => {}), parts: [], segment: '' } as unknown as Encoding;

interface Case {
  readonly number: number;
  readonly program: Program;
  readonly dropped: ReadonlySet<number>;
  readonly base: number;
  readonly code: Uint8Array;
}

interface Outcome {
  readonly engine: string;
  readonly state: number;
  readonly found: readonly Difference[];
  readonly host: DataView;
  readonly ours: DataView;
  readonly before: DataView;
}

class Bench {
  readonly #batch = new ArrayBuffer(BATCH_LIMIT);
  readonly #view = new DataView(this.#batch);
  readonly #bytes = new Uint8Array(this.#batch);
  readonly #words = new Int32Array(this.#batch);
  readonly #theirs = new ArrayBuffer(REPLY_OFFSET);
  readonly #ours = new ArrayBuffer(REPLY_OFFSET);
  readonly #processors: readonly { name: string; processor: EmulatedProcessor }[];
  readonly #pools: readonly Int32Array[];
  faults = 0;
  codeBytes = 0;
  #at = 8;
  #address = CODE_BASE + 256;

  constructor(private readonly options: ProgramOptions) {
    this.#processors = Object.entries(options.engines).map(([name, { factory, fuses }]) => ({
      name,
      processor: new EmulatedProcessor(factory, fuses),
    }));
    const random = new Random(options.seed, -2);
    this.#pools = (['integer', 'double', 'single'] as const).map((kind) => buildPool(kind, random));
  }

  draw(number: number): Program {
    return randomProgram(new Random(this.options.seed, number));
  }

  /** A program's code at the next free place of the batch, or undefined if the batch is full. */
  #placed(number: number, program: Program, dropped: ReadonlySet<number>): Case | undefined {
    const shift = new Random(this.options.seed ^ 0x5a5a, number).below(64);
    const base = ((this.#address + 200) & ~7) + shift;
    const code = assemble(program, base, dropped);
    const bytes = GROUP_HEADER + programBytes(code.length) + STATES * Math.max(RECORD, RESULT);
    if (base + code.length + 64 > CODE_BASE + CODE_SIZE || this.#at + bytes > BATCH_LIMIT) return undefined;
    if (code.length > MAX_CODE) throw new Error(`program ${number} has ${code.length} bytes`);
    this.#address = base + code.length;
    return { number, program, dropped, base, code };
  }

  #write(c: Case): void {
    let at = this.#at;
    const view = this.#view;
    view.setUint32(at, STATES, true);
    view.setUint32(at + 4, FLAG_FLOAT | FLAG_PROGRAM, true);
    view.setBigUint64(at + 8, BigInt(c.base), true);
    view.setUint32(at + 16, c.code.length, true);
    view.setUint32(at + 20, WINDOW, true);
    view.setUint32(at + 24, this.options.seed ^ Math.imul(c.number, 0x9e3779b9), true);
    at += GROUP_HEADER;
    this.#bytes.set(c.code, at);
    at += programBytes(c.code.length);
    const random = new Random(this.options.seed ^ 0x1234567, c.number);
    for (let i = 0; i < STATES; i++) at = this.#writeState(at, random);
    this.#at = at;
  }

  #writeState(at: number, random: Random): number {
    const context = at + 8;
    const words = this.#words;
    words.fill(0, context >> 2, (context + FULL_CONTEXT) >> 2);
    const base = random.chance(50) ? LOW_DATA : HIGH_DATA;
    const boundary = base + BigInt(4096 * BOUNDARIES[0]);
    this.#view.setBigUint64(at, boundary - BigInt(HALF), true);
    for (let i = 0; i < 32; i += 2) random.integer(words, (context >> 2) + i);
    this.#view.setBigUint64(context + GPR + 8 * Reg.RSP, boundary + BigInt(STACK), true);
    for (const register of [14, 15]) this.#view.setBigUint64(context + GPR + 8 * register, boundary, true);
    words[(context + CONTEXT_RFLAGS) >> 2] = (random.u32() & 0x8d5) | 0x202;
    this.#view.setBigUint64(context + FS_BASE, FS_BASE_VALUE, true);
    this.#view.setBigUint64(context + GS_BASE, GS_BASE_VALUE, true);
    words[(context + MXCSR) >> 2] = random.chance(70) ? 0x1fa0 : 0x1f80 | (random.u32() & 0x6020);
    this.#view.setUint16(context + FCW, 0x37f, true);
    this.#view.setUint16(context + FTW, 0, true);
    for (let i = 0; i < 16; i++) this.#vector((context + XMM + 16 * i) >> 2, random);
    const memory = (context + FULL_CONTEXT) >> 2;
    for (let w = 0; w < WINDOW >> 2; w += 4) this.#vector(memory + w, random);
    return context + FULL_CONTEXT + WINDOW;
  }

  #vector(word: number, random: Random): void {
    const pool = random.pick(this.#pools);
    const v = (random.u32() & (POOL_VECTORS - 1)) * 4;
    for (let i = 0; i < 4; i++) this.#words[word + i] = pool[v + i];
  }

  /** Runs as many of the programs as fit; returns how many that were. */
  run(
    wanted: readonly { number: number; program: Program; dropped: ReadonlySet<number> }[],
    failure: (c: Case, o: Outcome) => void,
  ): number {
    this.#at = 8;
    this.#address = CODE_BASE + 256;
    const cases: Case[] = [];
    for (const { number, program, dropped } of wanted) {
      const c = this.#placed(number, program, dropped);
      if (c === undefined) break;
      this.#write(c);
      this.codeBytes += c.code.length;
      cases.push(c);
    }
    this.#view.setUint32(0, cases.length, true);
    const { host } = this.options;
    host.send(new Uint8Array(this.#batch, 0, this.#at));
    let received = false;
    for (const { name, processor } of this.#processors) {
      const bytes = processor.run(this.#batch, this.#ours);
      if (!received) {
        try {
          host.receive(new Uint8Array(this.#theirs, 0, bytes));
        } catch (error) {
          throw new Error(`the host failed in programs ${cases[0].number} to ${cases.at(-1)!.number}`, {
            cause: error,
          });
        }
        received = true;
        this.#maskAll(cases);
      }
      this.#compare(name, cases, failure);
    }
    return cases.length;
  }

  /** Which flags of a result are defined. */
  #defined({ program }: Case, kind: number): number {
    if (kind === Kind.Done && program.ending.length > 0) return CF_PF_ZF_SF_DF | AF | OF;
    const auxiliary = program.style.looseAuxiliary || kind !== Kind.Done ? 0 : AF;
    return CF_PF_ZF_SF_DF | auxiliary | (program.style.looseOverflow ? 0 : OF);
  }

  #maskAll(cases: readonly Case[]): void {
    const words = new Int32Array(this.#theirs);
    let at = 0;
    for (const c of cases) {
      for (let i = 0; i < STATES; i++, at += RESULT) {
        if (words[at >> 2] !== Kind.Done) this.faults++;
        words[(at + RESULT_HEADER + CONTEXT_RFLAGS) >> 2] &= this.#defined(c, words[at >> 2]);
      }
    }
  }

  #compare(engine: string, cases: readonly Case[], failure: (c: Case, o: Outcome) => void): void {
    const theirs = new Int32Array(this.#theirs);
    const ours = new Int32Array(this.#ours);
    let at = 0;
    let request = 8;
    let failed = false;
    for (const c of cases) {
      request += GROUP_HEADER + programBytes(c.code.length);
      for (let state = 0; state < STATES; state++, at += RESULT, request += RECORD) {
        ours[(at + RESULT_HEADER + CONTEXT_RFLAGS) >> 2] &= this.#defined(c, theirs[at >> 2]);
        if (identical(theirs, ours, at >> 2, RESULT >> 2)) continue;
        const before = new DataView(this.#batch, request + 8, FULL_CONTEXT);
        const host = new DataView(this.#theirs, at, RESULT);
        const mine = new DataView(this.#ours, at, RESULT);
        const found = differences(WHOLE, before, host, mine, FULL_CONTEXT, WINDOW, Number.NaN);
        if (found.length === 0) continue;
        failed = true;
        failure(c, { engine, state, found, host, ours: mine, before });
        request += RECORD * (STATES - state);
        at += RESULT * (STATES - state);
        break;
      }
    }
    if (failed || identical(theirs, ours, at >> 2, PAGES_BYTES >> 2)) return;
    const found = [{ field: 'memory outside the windows', host: 'differs', ours: `after ${cases.length} programs` }];
    const view = new DataView(this.#ours, 0, RESULT);
    failure(cases.at(-1)!, { engine, state: 0, found, host: view, ours: view, before: view });
  }
}

/** Drops nodes as long as the program still fails. */
function shrink(bench: Bench, c: Case): ReadonlySet<number> {
  const dropped = new Set<number>();
  const fails = (set: ReadonlySet<number>): boolean => {
    let failed = false;
    bench.run([{ number: c.number, program: c.program, dropped: set }], () => {
      failed = true;
    });
    return failed;
  };
  if (!fails(dropped)) return dropped;
  for (let again = true, round = 0; again && round < 4; round++) {
    again = false;
    for (let id = 0; id < c.program.nodes; id++) {
      if (dropped.has(id)) continue;
      dropped.add(id);
      if (fails(dropped)) again = true;
      else dropped.delete(id);
    }
  }
  return dropped;
}

function describe(options: ProgramOptions, c: Case, o: Outcome): string {
  const lines = [
    `program ${c.number}, state ${o.state}, on ${o.engine}: ${c.code.length} bytes at ${c.base.toString(16)}`,
  ];
  lines.push(`  bytes: ${[...c.code].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`);
  if (options.disassemble !== undefined) lines.push(options.disassemble(c.code, c.base));
  lines.push('  before:', showState(o.before, FULL_CONTEXT));
  lines.push('  host after:', showState(new DataView(o.host.buffer, o.host.byteOffset + RESULT_HEADER), FULL_CONTEXT));
  lines.push('  differing:', ...o.found.map((d) => `    ${d.field}: host ${d.host}, ours ${d.ours}`));
  lines.push(`  again: npm run test:cpu -- --programs 1 --seed ${options.seed} --program ${c.number}`);
  return lines.join('\n');
}

export function runPrograms(options: ProgramOptions): ProgramResult {
  const bench = new Bench(options);
  const reports: string[] = [];
  const first = options.first ?? 0;
  const failed = new Set<number>();
  let next = first;
  let pending: { number: number; program: Program; dropped: ReadonlySet<number> }[] = [];
  while (next < first + options.count) {
    while (pending.length < 400 && next + pending.length < first + options.count) {
      const number = next + pending.length;
      pending.push({ number, program: bench.draw(number), dropped: new Set() });
    }
    const failures: Case[] = [];
    const done = bench.run(pending, (c, o) => {
      if (!failed.has(c.number)) failures.push(c);
      failed.add(c.number);
      if (o.found[0]?.field === 'memory outside the windows') reports.push(describe(options, c, o));
    });
    for (const c of failures) {
      if (reports.length >= (options.details ?? 5)) break;
      const dropped = shrink(bench, c);
      let text: string | undefined;
      bench.run([{ number: c.number, program: c.program, dropped }], (small, o) => {
        text ??= describe(options, small, o);
      });
      reports.push(text ?? `program ${c.number} failed among others, not alone`);
    }
    next += done;
    pending = pending.slice(done);
    options.progress?.(next - first);
  }
  const { faults, codeBytes } = bench;
  return { passed: options.count - failed.size, failed: failed.size, faults, codeBytes, reports };
}
