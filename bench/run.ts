/**
 * `npm run bench [-- ipc|calls|boot|cpu|process] [-- --quick]`: measures what XINIM costs, side by side with the host itself,
 * qemu-x86_64 and figures published for others, in one run. Prints tables; writes bench/results.json.
 *
 * Every figure is the median of several runs, each in a fresh process, and runs of what is compared take turns, so that a
 * machine that is busy for a while is busy for all of them. What the machine lacks (gcc, qemu-x86_64) is named and left out.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBusybox } from '../src/host/node/busybox.ts';
import { measureIpc } from './ipc.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const arguments_ = process.argv.slice(2);
const quick = arguments_.includes('--quick');
const SUITES = ['boot', 'cpu', 'ipc', 'calls', 'process'] as const;
type Suite = (typeof SUITES)[number];
const unknown = arguments_.filter((name) => name !== '--quick' && !SUITES.includes(name as Suite));
if (unknown.length > 0) {
  console.error(`usage: npm run bench [-- ${SUITES.join('|')}] [-- --quick]   (not: ${unknown.join(' ')})`);
  process.exit(2);
}
const selected = SUITES.filter((name) => arguments_.includes(name));
const wanted = (suite: Suite): boolean => selected.length === 0 || selected.includes(suite);

/** µs: what v86 takes for the same calls, measured on such a machine. */
const V86: Readonly<Record<string, number>> = {
  getppid: 1.9,
  read1: 3.4,
  'pipe-pingpong': 101,
  'open+close': 32,
  stat: 12.5,
  'fork+exit+wait': 1800,
  'fork+exec+wait': 7200,
};
/** Cycles of a round trip at 2.4 GHz in the reference. */
const REFERENCE_CYCLES = '3,900–8,400';
/** Bytes of metadata a process in the reference. */
const REFERENCE_METADATA = 2000;

const results: Record<string, unknown> = {
  date: new Date().toISOString(),
  node: process.version,
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  quick,
};

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
const native = process.platform === 'linux' && process.arch === 'x64';
const tools = { gcc: native && has('gcc'), qemu: native && has('qemu-x86_64') };
const skipped: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'xinim-bench-'));

const compile = (name: string): string | undefined => {
  if (!tools.gcc) return undefined;
  const out = join(folder, name);
  execFileSync('gcc', ['-static', '-O2', '-w', '-o', out, join(root, 'bench/programs', `${name}.c`)]);
  return out;
};

const child = <T>(script: string, ...args: string[]): T => {
  const text = execFileSync(process.execPath, [join(here, script), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  });
  return JSON.parse(text) as T;
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
};

/** Column-aligned text; the first column is a name, the others figures. */
const table = (title: string, rows: readonly (readonly string[])[]): void => {
  console.log(`\n${title}`);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  for (const row of rows)
    console.log(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('   ')}`,
    );
};

const decimal = (value: number | undefined, digits = 1): string =>
  value === undefined || Number.isNaN(value)
    ? '–'
    : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
/** µs with three significant figures. */
const micros = (ns: number | undefined): string => {
  if (ns === undefined) return '–';
  const us = ns / 1000;
  return decimal(us, us < 10 ? 2 : us < 100 ? 1 : 0);
};

/** What the shell alone takes elsewhere: no kernel is started there. */
const benchShell = (): void => {
  const shell = native ? findBusybox() : undefined;
  if (shell === undefined) return;
  const path = join(folder, 'busybox');
  writeFileSync(path, shell, { mode: 0o755 });
  const time = (command: string, args: string[]): number => {
    const started = performance.now();
    execFileSync(command, args);
    return performance.now() - started;
  };
  const ways: [string, () => number][] = [['native', () => time(path, ['sh', '-c', ':'])]];
  if (tools.qemu) ways.push(['qemu-x86_64', () => time('qemu-x86_64', [path, 'sh', '-c', ':'])]);
  const runs = ways.map((): number[] => []);
  for (let i = 0; i < (quick ? 3 : 9); i++) for (const [k, [, way]] of ways.entries()) runs[k].push(way());
  const figures = ways.map(([name], k) => ({ name, median: median(runs[k]), best: Math.min(...runs[k]) }));
  results['shell'] = figures;
  table('`busybox sh -c :` as a program of the host (ms)', [
    ['', 'median', 'best'],
    ...figures.map(({ name, median: middle, best }) => [name, decimal(middle), decimal(best)]),
  ]);
};

const benchBoot = (): void => {
  interface Boot {
    readonly node: number;
    readonly modules: number;
    readonly boot: number;
    readonly shell: number;
    readonly total: number;
  }
  const runs: Boot[] = [];
  for (let i = 0; i < (quick ? 3 : 9); i++) runs.push(child<Boot>('boot.js', join(here, 'library/library.js')));
  const of = (take: (run: Boot) => number): { median: number; best: number } => ({
    median: median(runs.map(take)),
    best: Math.min(...runs.map(take)),
  });
  const figures = {
    node: of((run) => run.node),
    modules: of((run) => run.modules),
    boot: of((run) => run.boot),
    shell: of((run) => run.shell),
    afterModules: of((run) => run.boot + run.shell),
    total: of((run) => run.total),
  };
  results['boot'] = figures;
  const row = (name: string, figure: { median: number; best: number }): string[] => [
    name,
    decimal(figure.median),
    decimal(figure.best),
  ];
  table('Boot to the first prompt (ms)', [
    ['', 'median', 'best'],
    row('Node.js starts', figures.node),
    row('modules are loaded', figures.modules),
    row('kernel, servers, root, init', figures.boot),
    row('shell to its prompt', figures.shell),
    row('after module load', figures.afterModules),
    row('in all', figures.total),
  ]);
  benchShell();
};

const benchCpu = (): void => {
  const program = compile('loops');
  if (program === undefined) return;
  const rounds = quick ? 10 : 40;
  const runs: { mips: number; ms: number }[] = [];
  const nativeMs: number[] = [];
  const qemuMs: number[] = [];
  const time = (command: string, args: string[]): number => {
    const started = performance.now();
    execFileSync(command, args);
    return performance.now() - started;
  };
  let instructions = 0;
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    nativeMs.push(time(program, [String(rounds)]));
    if (tools.qemu) qemuMs.push(time('qemu-x86_64', [program, String(rounds)]));
    const run = child<{ ms: number; instructions: number; code: number }>(
      'guest.js',
      'program',
      'sealed',
      program,
      String(rounds),
    );
    if (run.code !== 0) throw new Error(`loops ended with ${run.code}`);
    instructions = run.instructions;
    runs.push({ mips: run.instructions / run.ms / 1000, ms: run.ms });
  }
  const mips = median(runs.map((run) => run.mips));
  const figures = {
    mips,
    instructions,
    ms: median(runs.map((run) => run.ms)),
    nativeMs: median(nativeMs),
    qemuMs: tools.qemu ? median(qemuMs) : undefined,
  };
  results['cpu'] = figures;
  table('Processor (bench/programs/loops.c, start and output included)', [
    ['', 'million instructions/s', 'ms'],
    ['native', decimal(instructions / figures.nativeMs / 1000, 0), decimal(figures.nativeMs)],
    [
      'qemu-x86_64',
      figures.qemuMs === undefined ? '–' : decimal(instructions / figures.qemuMs / 1000, 0),
      decimal(figures.qemuMs),
    ],
    ['XINIM', decimal(mips, 0), decimal(figures.ms)],
  ]);
};

const benchIpc = (): void => {
  const figures = measureIpc(quick ? 30_000 : 200_000);
  results['ipc'] = figures;
  table(`IPC round trip (a call and its answer; cycles at 2.4 GHz, the reference has ${REFERENCE_CYCLES})`, [
    ['', 'p50 ns', 'p99 ns', 'mean ns', 'p50 cycles', 'p99 cycles'],
    ...figures.map((figure) => [
      figure.ipc,
      decimal(figure.p50Ns, 0),
      decimal(figure.p99Ns, 0),
      decimal(figure.meanNs, 0),
      decimal(figure.p50Cycles, 0),
      decimal(figure.p99Cycles, 0),
    ]),
  ]);
};

/** ns of a call by its name. */
type Lines = Record<string, number>;
interface Rounds {
  readonly median: Lines;
  readonly best: Lines;
}
const parse = (text: string): Rounds => {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const column = (index: number): Lines => Object.fromEntries(lines.map((cells) => [cells[0], Number(cells[index])]));
  return { median: column(1), best: column(2) };
};

/** What of calls.c has to do with processes. */
const PROCESS_CALLS = ['fork+exit+wait', 'fork+exec+wait'];

/** Times the calls, or only those of processes, in turns natively, under qemu-x86_64 and here. */
const benchCalls = (only?: 'process'): void => {
  const program = compile('calls');
  const small = compile('true');
  if (program === undefined || small === undefined) return;
  const more = only === undefined ? [] : [only];
  const names = only === undefined ? Object.keys(V86) : PROCESS_CALLS;
  const run = (command: string, args: string[]): Rounds =>
    parse(execFileSync(command, [...args, ...more], { encoding: 'utf8' }));
  const inside = (ipc: string): Rounds => {
    const { output, code } = child<{ output: string; code: number }>(
      'guest.js',
      'program',
      ipc,
      program,
      '1',
      `@${small}`,
      ...more,
    );
    if (code !== 0) throw new Error(`calls ended with ${code}`);
    return parse(output);
  };
  const ways: Record<string, () => Rounds> = {
    native: () => run(program, ['1', small]),
    ...(tools.qemu ? { 'qemu-x86_64': () => run('qemu-x86_64', [program, '1', small]) } : {}),
    sealed: () => inside('sealed'),
    direct: () => inside('direct'),
  };
  const all: Record<string, Rounds[]> = {};
  for (let i = 0; i < (quick ? 1 : 3); i++)
    for (const [name, way] of Object.entries(ways)) {
      all[name] ??= [];
      all[name].push(way());
    }
  const over = (take: (call: string, runs: Rounds[]) => number): Record<string, Lines> =>
    Object.fromEntries(
      Object.entries(all).map(([name, runs]) => [
        name,
        Object.fromEntries(names.map((call) => [call, take(call, runs)])),
      ]),
    );
  const figures = {
    best: over((call, runs) => Math.min(...runs.map(({ best }) => best[call]))),
    median: over((call, runs) => median(runs.map((lines) => lines.median[call]))),
  };
  results[only === undefined ? 'calls' : 'processCalls'] = figures;
  for (const [kind, by] of Object.entries(figures))
    table(`System calls (µs, ${kind} of the rounds)`, [
      ['', 'native', 'qemu-x86_64', 'XINIM sealed', 'XINIM direct', 'v86 (published)'],
      ...names.map((call) => [
        call,
        micros(by['native'][call]),
        micros(by['qemu-x86_64']?.[call]),
        micros(by['sealed'][call]),
        micros(by['direct'][call]),
        micros(V86[call] * 1000),
      ]),
    ]);
};

const benchProcesses = (): void => {
  const program = compile('many');
  if (program === undefined) return;
  interface Many {
    readonly alive: number;
    readonly ended: number;
    readonly live: number;
    readonly forkMs: number;
    readonly endMs: number;
    readonly bytesPerProcess: number;
    readonly rss: number;
    readonly metadata: Record<string, number>;
  }
  const count = 1000;
  const many = child<Many>('guest.js', 'many', program, String(count));
  if (many.alive !== count || many.ended !== count)
    throw new Error(`of ${count} processes ${many.alive} lived and ${many.ended} ended well`);
  results['processes'] = many;
  table(`${count} live processes at once`, [
    ['live at once, with init and the servers', decimal(many.live, 0)],
    ['forked until all have reported (ms)', decimal(many.forkMs, 0)],
    ['woken, ended and reaped (ms)', decimal(many.endMs, 0)],
    ['host memory a process (KiB)', decimal(many.bytesPerProcess / 1024, 0)],
    ['host memory in all (MiB)', decimal(many.rss / 2 ** 20, 0)],
  ]);
  table(
    `Metadata a process (bytes, rows of the store by their layout on the heap; the reference has ${REFERENCE_METADATA})`,
    [...Object.entries(many.metadata).map(([name, bytes]) => [name, decimal(bytes, 0)])],
  );
};

try {
  if (!tools.gcc) skipped.push('calls, cpu, process: no gcc on a Linux x86-64 host');
  else if (!tools.qemu) skipped.push('the qemu-x86_64 column: not installed');
  console.log(`${results['machine']}, Node.js ${process.version}${quick ? ', --quick' : ''}`);
  if (wanted('boot') || wanted('process')) benchBoot();
  if (wanted('cpu')) benchCpu();
  if (wanted('ipc')) benchIpc();
  if (wanted('calls')) benchCalls();
  else if (wanted('process')) benchCalls('process');
  if (wanted('process')) benchProcesses();
  for (const reason of skipped) console.log(`\nskipped: ${reason}`);
  writeFileSync(join(root, 'bench/results.json'), `${JSON.stringify({ ...results, skipped }, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
