/**
 * Drives the differential test: draws encodings over all forms in turn, runs batches on the host and on the engine, and
 * collects coverage and mismatches. A group (one encoding, `states` random states) depends on the seed and its number
 * only, so that a report can be reproduced by running that group alone.
 *
 * Entry point: `runDifferential`.
 */
import { type Form, form } from '../../src/cpu/forms.ts';
import { type Difference, differences, identical, showState } from './compare.ts';
import { type Code, EmulatedProcessor, type EngineFactory } from './emulated.ts';
import { type Encoding, encode, slotAddress, transfers, windowBytes } from './encode.ts';
import {
  BATCH_LIMIT,
  CODE_BASE,
  CODE_BYTES,
  CODE_SIZE,
  CONTEXT_RFLAGS,
  FLAG_ENDS,
  FLAG_FLOAT,
  FLAG_SEQUENCE,
  FULL_CONTEXT,
  GROUP_HEADER,
  INT_CONTEXT,
  PAGES_BYTES,
  REPLY_OFFSET,
  RESULT_HEADER,
  SLOTS,
} from './layout.ts';
import type { HostProcessor } from './native.ts';
import { type Notation, readOpcode } from './notation.ts';
import { Random } from './random.ts';
import { sequences } from './sequence.ts';
import { StateWriter, usesFloat } from './states.ts';

export interface DifferentialOptions {
  readonly forms: readonly Form[];
  readonly factory: EngineFactory;
  readonly host: HostProcessor;
  readonly count: number;
  readonly seed: number;
  /** First group to run; 0 if left out. */
  readonly group?: number;
  /** States per encoding. */
  readonly states?: number;
  /** Mismatches described in full; of each form at most one. */
  readonly details?: number;
  /** Wanted for the command that reproduces a mismatch. */
  readonly filter?: string;
  readonly disassemble?: (bytes: Uint8Array, address: number) => string;
  readonly progress?: (done: number) => void;
}

export interface FormResult {
  readonly form: Form;
  instances: number;
  failed: number;
  readonly variants: Set<string>;
}

export interface DifferentialResult {
  readonly passed: number;
  readonly failed: number;
  readonly forms: readonly FormResult[];
  readonly reports: readonly string[];
}

interface Group {
  readonly number: number;
  readonly encoding: Encoding;
  readonly result: FormResult;
  readonly count: number;
  readonly float: boolean;
}

const DEFAULT_STATES = 32;
/** The slot of the encoding that is cut off. */
const CUT_SLOT = 100;
const HOT_SEQUENCES = 2000;
/** Groups whose code the engine is told of at once. */
const SURVEY = 1 << 16;
const FLAGS_COMPARED = 0x240cd5;

export function runDifferential(options: DifferentialOptions): DifferentialResult {
  const { forms, host, seed } = options;
  const states = options.states ?? DEFAULT_STATES;
  const notations: Notation[] = forms.map(readOpcode);
  const results: FormResult[] = forms.map((form) => ({ form, instances: 0, failed: 0, variants: new Set() }));
  const groupsWanted = Math.max(1, Math.ceil(options.count / states));
  const generator = sequences(forms, notations);
  const sequenceResult: FormResult = {
    form: form('—', 'sequences of 2 to 5 of these', '', () => {}),
    instances: 0,
    failed: 0,
    variants: new Set(),
  };
  // Each hot sequence costs the engine a handler of its own: a long run has a bounded number of them.
  const hotSequences = Math.min(HOT_SEQUENCES, options.count / 256);
  const hot = (number: number): boolean =>
    number % 8 === 7 && (options.group !== undefined || number >> 3 < hotSequences);
  /** The encoding of a group, and the random stream from which its states follow. */
  const draw = (number: number): { encoding: Encoding; which: number; cut: boolean; random: Random } => {
    const random = new Random(seed, number);
    // Every eighth group is a sequence; the others take the forms in turn. The slot depends on the number alone, so that
    // a group run by itself is the same.
    const sequence = number % 8 === 7;
    const which = (number - (number >> 3)) % forms.length;
    const slot = number % SLOTS;
    const encoding = sequence
      ? generator.encode(slotAddress(slot, random, true), random)
      : encode(forms[which]!, slotAddress(slot, random, transfers(forms[which]!)), random, notations[which]);
    // One encoding a batch is cut off by the end of the code area.
    const cut = slot === CUT_SLOT && encoding.bytes.length > 1 && !encoding.form.mnemonic.startsWith('ud');
    if (cut) cutOff(encoding, random);
    return { encoding, which, cut, random };
  };
  const emulated = new EmulatedProcessor(options.factory);
  const batch = new ArrayBuffer(BATCH_LIMIT);
  const ours = new ArrayBuffer(REPLY_OFFSET);
  const theirs = new ArrayBuffer(REPLY_OFFSET);
  const writer = new StateWriter(batch, new Random(seed, -1));
  const header = new DataView(batch);
  const reports: string[] = [];
  const reported = new Set<Form>();
  let passed = 0;
  let failed = 0;
  let next = options.group ?? 0;
  let groupsDone = 0;
  let surveyed = next;

  while (groupsDone < groupsWanted) {
    if (next >= surveyed) {
      const until = Math.min(next + SURVEY, next + groupsWanted - groupsDone);
      const codes: Code[] = [];
      for (; surveyed < until; surveyed++) codes.push({ bytes: draw(surveyed).encoding.bytes, hot: hot(surveyed) });
      emulated.prepare(codes);
    }
    // Write the batch.
    const groups: Group[] = [];
    let at = 8;
    const largest = GROUP_HEADER + states * (8 + FULL_CONTEXT + 1280);
    while (groups.length < SLOTS && groupsDone < groupsWanted && at + largest + states * RESULT_HEADER < BATCH_LIMIT) {
      const number = next++;
      groupsDone++;
      const { encoding, which, cut, random } = draw(number);
      const { form } = encoding;
      const float = usesFloat(encoding);
      writer.begin(encoding, random);
      header.setUint32(at, states, true);
      header.setUint32(
        at + 4,
        (float ? FLAG_FLOAT : 0) | (cut || transfers(form) ? FLAG_ENDS : 0) | (hot(number) ? FLAG_SEQUENCE : 0),
        true,
      );
      header.setBigUint64(at + 8, BigInt(encoding.address), true);
      header.setUint32(at + 16, encoding.bytes.length, true);
      header.setUint32(at + 20, windowBytes(form), true);
      new Uint8Array(batch, at + 24, CODE_BYTES).set(encoding.bytes);
      at += GROUP_HEADER;
      for (let i = 0; i < states; i++) at = writer.write(at);
      const result = number % 8 === 7 ? sequenceResult : results[which]!;
      result.variants.add(encoding.variant);
      groups.push({ number, encoding, result, count: states, float });
    }
    header.setUint32(0, groups.length, true);

    // Both sides at once.
    host.send(new Uint8Array(batch, 0, at));
    const bytes = emulated.run(batch, ours);
    try {
      host.receive(new Uint8Array(theirs, 0, bytes));
    } catch (error) {
      throw new Error(`the host failed in groups ${groups[0]!.number} to ${groups.at(-1)!.number}`, { cause: error });
    }

    // Compare.
    const hostWords = new Int32Array(theirs);
    const ourWords = new Int32Array(ours);
    let record = 0;
    let request = 8;
    for (const group of groups) {
      const { encoding } = group;
      const context = group.float ? FULL_CONTEXT : INT_CONTEXT;
      const window = windowBytes(encoding.form);
      const recordBytes = RESULT_HEADER + context + window;
      request += GROUP_HEADER;
      for (let i = 0; i < group.count; i++) {
        const flagsAt = (record + RESULT_HEADER + CONTEXT_RFLAGS) >> 2;
        hostWords[flagsAt]! &= FLAGS_COMPARED;
        ourWords[flagsAt]! &= FLAGS_COMPARED;
        group.result.instances++;
        let found: Difference[] = [];
        const before = new DataView(batch, request + 8, context);
        if (!identical(hostWords, ourWords, record >> 2, recordBytes >> 2)) {
          const target = memoryTarget(encoding, before, header.getBigUint64(request, true));
          found = differences(
            encoding,
            before,
            new DataView(theirs, record, recordBytes),
            new DataView(ours, record, recordBytes),
            context,
            window,
            target,
          );
        }
        if (found.length === 0) passed++;
        else {
          failed++;
          group.result.failed++;
          if (!reported.has(group.result.form) && reports.length < (options.details ?? 10)) {
            reported.add(group.result.form);
            const views = [
              new DataView(theirs, record + RESULT_HEADER, context),
              new DataView(ours, record + RESULT_HEADER, context),
            ] as const;
            reports.push(describe(options, group, before, views, context, found, header.getBigUint64(request, true)));
          }
        }
        record += recordBytes;
        request += 8 + context + window;
      }
    }
    if (!identical(hostWords, ourWords, record >> 2, PAGES_BYTES >> 2)) {
      failed++;
      let w = record >> 2;
      while (hostWords[w] === ourWords[w]) w++;
      const offset = w * 4 - record;
      reports.push(
        `memory outside the windows differs after groups ${groups[0]!.number} to ${groups.at(-1)!.number}: ` +
          `offset 0x${offset.toString(16)} of the data pages, host ${hostWords[w]! >>> 0} ours ${ourWords[w]! >>> 0}`,
      );
    }
    options.progress?.(passed + failed);
  }
  return { passed, failed, forms: [...results, sequenceResult], reports };
}

/** Moves an encoding so that its last bytes would lie beyond the code area, which is absent. */
function cutOff(encoding: { address: number; bytes: Uint8Array; variant: string }, random: Random): void {
  const kept = 1 + random.below(encoding.bytes.length - 1);
  encoding.address = CODE_BASE + CODE_SIZE - kept;
  encoding.bytes = encoding.bytes.subarray(0, kept);
  encoding.variant = 'cut off';
}

/** Offset of the memory operand in its window, from the registers before. */
function memoryTarget(encoding: Encoding, before: DataView, window: bigint): number {
  const memory = encoding.memory;
  if (memory === undefined) return Number.NaN;
  if (memory.target !== undefined) return Number(memory.target - window);
  const register = (n: number): bigint => (n < 0 ? 0n : before.getBigUint64(8 * n, true));
  const offset = register(memory.base) + (register(memory.index) << BigInt(memory.scale)) + memory.displacement;
  const address = BigInt.asUintN(memory.address32 ? 32 : 64, offset) + memory.segmentBase;
  return Number(BigInt.asIntN(64, address - window));
}

function describe(
  options: DifferentialOptions,
  group: Group,
  before: DataView,
  after: readonly [DataView, DataView],
  context: number,
  found: readonly Difference[],
  window: bigint,
): string {
  const { encoding } = group;
  const { form } = encoding;
  const bytes = [...encoding.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = (encoding.parts ?? [encoding])
    .map((part) => options.disassemble?.(part.bytes, part.address) ?? part.form.mnemonic)
    .join('; ');
  const filter = options.filter === undefined ? '' : ` --form '${options.filter}'`;
  return [
    `${bytes}    ${text}    (form ${form.opcode} ${form.mnemonic} ${form.operands.join(',')}, at ${encoding.address.toString(16)}, window ${window.toString(16)})`,
    '  before:',
    showState(before, context),
    '  host after:',
    showState(after[0], context),
    '  ours after:',
    showState(after[1], context),
    '  differing:',
    ...found.map((d) => `    ${d.field}: host ${d.host}, ours ${d.ours}`),
    `  again: npm run test:cpu -- --seed ${options.seed}${filter} --group ${group.number}`,
  ].join('\n');
}
