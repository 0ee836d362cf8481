/**
 * `npm run test:cpu`: random instruction instances over every form, on the host processor and on the engine.
 *
 *     --count N      instances (default 20 million)      --seed S   random seed (default 1)
 *     --form REGEX   only forms whose "opcode mnemonic operands" matches
 *     --group G      only this group, as a mismatch report says; with --count, from this group on
 *     --details N    mismatches described in full (default 10)
 *
 * Ends with the table of forms covered and a line `N passed, M failed`; the exit status says whether M is 0.
 */
import { parseArgs } from 'node:util';
import { disassembleBytes } from '../../src/cpu/disassembler.ts';
import { FORMS } from '../../src/cpu/forms/index.ts';
import { runDifferential } from './driver.ts';
import { createEngine } from './engines.ts';
import { HostProcessor } from './native.ts';

/** Runs the command; `root` is the repository's folder. Returns the exit status. */
export function main(root: string, args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string' },
      seed: { type: 'string', default: '1' },
      form: { type: 'string' },
      group: { type: 'string' },
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
  const started = performance.now();
  let shown = started;
  try {
    const result = runDifferential({
      forms,
      factory: createEngine,
      host,
      count: Number(values.count ?? (values.group === undefined ? 20_000_000 : 1)),
      seed: Number(values.seed),
      ...(values.group === undefined ? {} : { group: Number(values.group) }),
      ...(values.form === undefined ? {} : { filter: values.form }),
      details: Number(values.details),
      disassemble: disassembleBytes,
      progress: (done) => {
        const now = performance.now();
        if (now - shown < 5000) return;
        shown = now;
        console.error(`${(done / 1e6).toFixed(1)} million instances, ${Math.round((now - started) / 1000)} s`);
      },
    });
    for (const report of result.reports) console.log(`\nMISMATCH ${report}`);
    console.log('\nform                                                     instances  variants    failed');
    for (const { form, instances, variants, failed } of result.forms) {
      const name = `${form.opcode.padEnd(20)} ${form.mnemonic} ${form.operands.join(',')}`;
      console.log(
        `${name.padEnd(56)} ${String(instances).padStart(9)} ${String(variants.size).padStart(9)} ${String(failed === 0 ? '' : failed).padStart(9)}`,
      );
    }
    const left = matching.filter((form) => form.options.untested !== undefined);
    if (left.length > 0) console.log('\nnot compared with the host:');
    for (const form of left)
      console.log(
        `${form.opcode.padEnd(20)} ${`${form.mnemonic} ${form.operands.join(',')}`.padEnd(35)} ${form.options.untested}`,
      );
    console.log(
      `\n${result.forms.length} forms, ${Math.round((performance.now() - started) / 1000)} s, seed ${values.seed}`,
    );
    console.log(`${result.passed} passed, ${result.failed} failed`);
    return result.failed === 0 ? 0 : 1;
  } finally {
    host.close();
  }
}
