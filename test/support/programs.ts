/** Builds guest programs from C with the compilers of the host, and runs programs natively and in XINIM. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Xinim } from '../../src/index.ts';

/** Compilers a test may ask for; each makes a static program. */
export const COMPILERS = {
  gcc: ['gcc', '-static'],
  'g++': ['g++', '-static', '-std=c++20'],
  musl: ['musl-gcc', '-static'],
  diet: ['diet', 'gcc'],
} as const;
export type Compiler = keyof typeof COMPILERS;

const found = new Map<string, boolean>();

/** Whether a command can be run here. */
export const hasCommand = (name: string): boolean => {
  let known = found.get(name);
  if (known === undefined) {
    known = spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
    found.set(name, known);
  }
  return known;
};

export const hasCompiler = (compiler: Compiler): boolean => hasCommand('gcc') && hasCommand(COMPILERS[compiler][0]);

/** Whether programs of the guest run on this host as they are: it is a Linux on x86-64. */
export const isOracle = process.platform === 'linux' && process.arch === 'x64';

const cache = join(tmpdir(), `xinim-programs-${process.getuid?.() ?? 0}`);

/** Compiles a C file (or returns what was compiled before from the same sources); the path of the program. */
export const compile = (source: string, compiler: Compiler = 'gcc', flags: readonly string[] = ['-O1']): string =>
  build([...COMPILERS[compiler], ...flags], source);

/** As `compile`, with a whole command and what comes behind the source. */
export const build = (start: readonly string[], source: string, libraries: readonly string[] = []): string => {
  const command = [...start, '-w', '-o'];
  const hash = createHash('sha256').update([...command, ...libraries].join(' '));
  for (const file of [source, ...headers(dirname(source))]) hash.update(readFileSync(file));
  const out = join(cache, `${basename(source, '.c')}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(out)) return out;
  mkdirSync(cache, { recursive: true });
  // Made under another name first: tests that run at the same time see all of it or nothing.
  const fresh = `${out}.${process.pid}`;
  execFileSync(command[0], [...command.slice(1), fresh, source, ...libraries], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(fresh, out);
  return out;
};

const headers = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.h'))
    .sort()
    .map((name) => join(folder, name));

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code, 128 + signal if it was killed. */
  readonly code: number;
}

/** Bytes as a string, one char a byte, so that nothing is lost in comparing. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const collect = async (stream: ReadableStream<Uint8Array> | null): Promise<string> => {
  if (stream === null) return '';
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return latin1(Buffer.concat(chunks));
};

export interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly input?: string;
}

/** Runs a program of the guest to its end. */
export const runGuest = async (os: Xinim, path: string, options: RunOptions = {}): Promise<Outcome> => {
  const { args = [], input = '', ...rest } = options;
  const child = await os.spawn(path, args, rest);
  const writer = child.stdin!.getWriter();
  const wrote = writer
    .write(Buffer.from(input, 'latin1'))
    .then(() => writer.close())
    .catch(() => {});
  const [stdout, stderr, { code }] = await Promise.all([collect(child.stdout), collect(child.stderr), child.exited]);
  await wrote;
  return { stdout, stderr, code };
};

/** Runs a program of the host as it is. */
export const runNative = (path: string, options: RunOptions = {}): Outcome => {
  const { args = [], input = '', env = {}, cwd } = options;
  const result = spawnSync(path, args, {
    env,
    cwd,
    input: Buffer.from(input, 'latin1'),
    maxBuffer: 1 << 28,
    encoding: 'latin1',
  });
  if (result.error !== undefined) throw result.error;
  const signal = result.signal === null ? 0 : Number(spawnSync('kill', ['-l', result.signal.slice(3)]).stdout);
  return { stdout: result.stdout, stderr: result.stderr, code: result.status ?? 128 + signal };
};
