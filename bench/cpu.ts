/**
 * `node tools/bench-cpu.mjs [--runs N] [--only REGEX] [--without WAY,…]`: user-mode programs (bench/cpu) natively, under
 * `qemu-x86_64`, on the interpreter and translated. Whole-process time, start of the system included; the ways take
 * turns, so that a busy machine is busy for all; median of N runs. Prints a table with the geometric mean of the ratios to
 * native, and writes bench/cpu-results.json.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const WAYS = ['native', 'qemu', 'interpreter', 'jit'] as const;
type Way = (typeof WAYS)[number];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

const geometric = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Compiles a program; returns its path. */
function compile(root: string, file: string): string {
  const folder = join(root, 'build/bench-cpu');
  mkdirSync(folder, { recursive: true });
  const out = join(folder, file.replace(/\.\w+$/, ''));
  const compiler = file.endsWith('.cc') ? 'g++' : 'gcc';
  execFileSync(compiler, ['-O2', '-static', '-o', out, join(root, 'bench/cpu', file), '-lm']);
  return out;
}

/** Runs once; seconds of wall and processor time, and what was printed. */
function time(way: Way, cli: string, program: string): { wall: number; output: string } {
  const command: Record<Way, readonly string[]> = {
    native: [program],
    qemu: ['qemu-x86_64', program],
    interpreter: [process.execPath, cli, '--engine', 'interpreter', 'run', program],
    jit: [process.execPath, cli, '--engine', 'jit', 'run', program],
  };
  const [file, ...args] = command[way];
  const start = performance.now();
  const result = spawnSync(file, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${program} (${way}) ended with ${result.status ?? result.signal}`);
  return { wall: (performance.now() - start) / 1000, output: result.stdout };
}

/** Measures and prints; `cli` is the built command. */
export function main(root: string, cli: string, argv: readonly string[]): void {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string', default: '5' },
      only: { type: 'string', default: '' },
      without: { type: 'string', default: '' },
    },
  });
  const ways = WAYS.filter((way) => !values.without.split(',').includes(way));
  const rows: { name: string; seconds: Partial<Record<Way, number>> }[] = [];
  console.log(['program'.padEnd(12), ...ways.map((way) => way.padStart(12)), '   jit/native     jit/qemu'].join(''));
  const show = (name: string, seconds: Partial<Record<Way, number>>): void => {
    const ratio = (of: Way): string => (seconds[of] === undefined ? '—' : (seconds.jit! / seconds[of]).toFixed(2));
    const times = ways.map((way) => (seconds[way] ?? 0).toFixed(2).padStart(12));
    console.log([name.padEnd(12), ...times, ratio('native').padStart(13), ratio('qemu').padStart(13)].join(''));
  };
  for (const file of readdirSync(join(root, 'bench/cpu')).sort()) {
    const name = file.replace(/\.\w+$/, '');
    if (!/\.(c|cc)$/.test(file) || !new RegExp(values.only).test(name)) continue;
    const program = compile(root, file);
    const runs: Record<Way, number[]> = { native: [], qemu: [], interpreter: [], jit: [] };
    const expected = time('native', cli, program).output;
    for (let i = 0; i < Number(values.runs); i++) {
      for (const way of ways) {
        const { wall, output } = time(way, cli, program);
        if (output !== expected) throw new Error(`${name} (${way}) printed ${output.trim()}, not ${expected.trim()}`);
        runs[way].push(wall);
      }
    }
    const seconds = Object.fromEntries(ways.map((way) => [way, median(runs[way])])) as Partial<Record<Way, number>>;
    rows.push({ name, seconds });
    show(name, seconds);
  }
  const mean = (of: Way): number => geometric(rows.map(({ seconds }) => seconds.jit! / seconds[of]!));
  for (const of of ways) if (of !== 'jit') console.log(`geometric mean, jit / ${of}: ${mean(of).toFixed(2)}`);
  writeFileSync(join(root, 'bench/cpu-results.json'), `${JSON.stringify(rows, undefined, 2)}\n`);
}
