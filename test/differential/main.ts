/**
 * `npm run test:cpu`: random programs, then random instruction instances over every form, on the host processor and on
 * the engines: the interpreter, and translated code (programs as they get hot, single instructions one by one).
 *
 *     --programs N   random programs (default 200,000; programs/program.ts), on both engines
 *     --program P    the first program, as a mismatch report says
 *     --count N      instances (default 20 million; translated a quarter of that)
 *     --seed S       random seed (default 1)
 *     --form REGEX   only forms whose "opcode mnemonic operands" matches
 *     --group G      only this group, as a mismatch report says; with --count, from this group on
 *     --details N    mismatches described in full (default 10)
 *     --engine E     only on this engine: interpreter, eager (instructions), jit (programs)
 *
 * Ends with the tables of forms covered and a line `N passed, M failed`; the exit status says whether M is 0.
 */
import { parseArgs } from 'node:util';
import { decode, Instruction, Status } from '../../src/cpu/decode/decoder.ts';
import { disassembleBytes } from '../../src/cpu/disassembler.ts';
import { FORMS } from '../../src/cpu/forms/index.ts';
import type { Form } from '../../src/cpu/forms.ts';
import { runDifferential } from './driver.ts';
import { ENGINES, SINGLE } from './engines.ts';
import { HostProcessor } from './native.ts';
import { runPrograms } from './programs/driver.ts';

interface Options {
  readonly host: HostProcessor;
  readonly seed: number;
  readonly details: number;
  readonly progress: (what: string) => (done: number) => void;
}

/** Says now and then how far a run is. */
function progress(): Options['progress'] {
  const started = performance.now();
  let shown = started;
  return (what) => (done) => {
    const now = performance.now();
    if (now - shown < 5000) return;
    shown = now;
    console.error(`${done.toLocaleString('en')} ${what}, ${Math.round((now - started) / 1000)} s`);
  };
}

/** Runs random programs; returns how many passed and failed. */
function programs(options: Options, count: number, first: number, engine: string | undefined): [number, number] {
  const started = performance.now();
  const { host, seed, details } = options;
  const engines = Object.fromEntries(
    Object.entries(ENGINES).filter(([name]) => engine === undefined || name === engine),
  );
  if (count === 0 || Object.keys(engines).length === 0) return [0, 0];
  const result = runPrograms({
    host,
    engines,
    count,
    first,
    seed,
    details,
    disassemble: list,
    progress: options.progress('programs'),
  });
  for (const report of result.reports) console.log(`\nMISMATCH ${report}`);
  console.log(
    `programs on ${Object.keys(engines).join(' and ')}: ${result.passed} passed, ${result.failed} failed, ` +
      `${result.faults} runs ended in a fault, ${result.codeBytes} bytes of code, ` +
      `${Math.round((performance.now() - started) / 1000)} s, seed ${seed}`,
  );
  return [result.passed, result.failed];
}

/** Code as lines of assembly. */
function list(bytes: Uint8Array, address: number): string {
  const d = new Instruction();
  const padded = new Uint8Array(bytes.length + 16);
  padded.set(bytes);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = decode(padded, at, padded.length, d) === Status.Ok ? d.length : 1;
    const text = disassembleBytes(bytes.subarray(at, at + length), address + at);
    lines.push(`    ${(address + at).toString(16)}  ${text}`);
    at += length;
  }
  return lines.join('\n');
}

/** Runs single instructions on one engine and prints the table of forms. */
function instructions(
  options: Options,
  forms: readonly Form[],
  { name, factory }: (typeof SINGLE)[number],
  count: number,
  group: number | undefined,
  filter: string | undefined,
): [number, number] {
  const started = performance.now();
  const { host, seed, details } = options;
  const result = runDifferential({
    forms,
    factory,
    host,
    count,
    seed,
    ...(group === undefined ? {} : { group }),
    ...(filter === undefined ? {} : { filter }),
    details,
    disassemble: disassembleBytes,
    progress: options.progress(`instances on ${name}`),
  });
  for (const report of result.reports) console.log(`\nMISMATCH on ${name}: ${report}`);
  console.log(`\n${`form (${name})`.padEnd(56)} instances  variants    failed`);
  for (const { form, instances, variants, failed } of result.forms) {
    const title = `${form.opcode.padEnd(20)} ${form.mnemonic} ${form.operands.join(',')}`;
    console.log(
      `${title.padEnd(56)} ${String(instances).padStart(9)} ${String(variants.size).padStart(9)} ${String(failed === 0 ? '' : failed).padStart(9)}`,
    );
  }
  console.log(
    `\n${result.forms.length} forms on ${name}: ${result.passed} passed, ${result.failed} failed, ` +
      `${Math.round((performance.now() - started) / 1000)} s, seed ${seed}`,
  );
  return [result.passed, result.failed];
}

/** Runs the command; `root` is the repository's folder. Returns the exit status. */
export function main(root: string, args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string' },
      programs: { type: 'string' },
      program: { type: 'string' },
      seed: { type: 'string', default: '1' },
      form: { type: 'string' },
      group: { type: 'string' },
      engine: { type: 'string' },
      details: { type: 'string', default: '10' },
    },
  });
  const reason = HostProcessor.unavailable();
  if (reason !== undefined) {
    console.log(`skipped: differential test of the processor: ${reason}`);
    console.log('0 passed, 0 failed');
    return 0;
  }
  const wanted = values.form === undefined ? undefined : new RegExp(values.form);
  const matching = FORMS.filter(
    (form) => wanted?.test(`${form.opcode} ${form.mnemonic} ${form.operands.join(',')}`) ?? true,
  );
  const forms = matching.filter((form) => form.options.untested === undefined);
  if (forms.length === 0) {
    console.log('no form matches');
    return 2;
  }
  const host = new HostProcessor(root);
  const options: Options = {
    host,
    seed: Number(values.seed),
    details: Number(values.details),
    progress: progress(),
  };
  // Whoever names single instructions or programs wants only those.
  const single = values.form !== undefined || values.group !== undefined || values.count !== undefined;
  const only = values.program !== undefined || values.programs !== undefined;
  let passed = 0;
  let failed = 0;
  const add = ([good, bad]: [number, number]): void => {
    passed += good;
    failed += bad;
  };
  try {
    if (!single || only) {
      const count = Number(values.programs ?? (values.program === undefined ? 200_000 : 1));
      add(programs(options, count, Number(values.program ?? 0), values.engine));
    }
    if (single || !only) {
      const count = Number(values.count ?? (values.group === undefined ? 20_000_000 : 1));
      const group = values.group === undefined ? undefined : Number(values.group);
      for (const engine of SINGLE) {
        if (values.engine !== undefined && values.engine !== engine.name) continue;
        add(instructions(options, forms, engine, Math.ceil(count * engine.share), group, values.form));
      }
      const left = matching.filter((form) => form.options.untested !== undefined);
      if (left.length > 0) console.log('\nnot compared with the host:');
      for (const form of left)
        console.log(
          `${form.opcode.padEnd(20)} ${`${form.mnemonic} ${form.operands.join(',')}`.padEnd(35)} ${form.options.untested}`,
        );
    }
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    host.close();
  }
}
