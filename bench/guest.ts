/**
 * A child of the benchmarks: runs one thing in a fresh XINIM in a fresh Node.js and prints one JSON line.
 *
 *     guest.js program sealed|direct PROGRAM ARGUMENTS…      runs a host program; its output, time and instructions
 *     guest.js many PROGRAM COUNT        COUNT live processes at once
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { statistics } from '../src/host/node/statistics.ts';
import { boot, type Xinim } from '../src/index.ts';
import { storeBytes } from './metadata.ts';

const collect = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
};

/** A system with host programs in /tmp. */
const bootWith = (ipc: 'sealed' | 'direct', programs: readonly string[]): Promise<Xinim> =>
  boot({
    ipc,
    memory: 4 * 2 ** 30,
    files: programs.map((path) => ({
      type: 'file',
      path: `/tmp/${basename(path)}`,
      mode: 0o755,
      data: readFileSync(path),
    })),
  });

const runProgram = async (ipc: 'sealed' | 'direct', path: string, args: readonly string[]): Promise<object> => {
  const others = args.filter((arg) => arg.startsWith('@')).map((arg) => arg.slice(1));
  const os = await bootWith(ipc, [path, ...others]);
  const passed = args.map((arg) => (arg.startsWith('@') ? `/tmp/${basename(arg)}` : arg));
  const before = statistics(os, 0).instructions;
  const started = performance.now();
  const child = await os.spawn(`/tmp/${basename(path)}`, passed, { stdin: 'null', stderr: 'null' });
  const [output, { code }] = await Promise.all([collect(child.stdout!), child.exited]);
  const ms = performance.now() - started;
  const instructions = statistics(os, 0).instructions - before;
  await os.shutdown();
  return { output, code, ms, instructions };
};

const runMany = async (path: string, count: string): Promise<object> => {
  const os = await bootWith('sealed', [path]);
  const sizes = (): Record<string, number> =>
    Object.fromEntries(os.system.kernel.servers.map(({ name, store }) => [name, storeBytes(store)]));
  const child = await os.spawn(`/tmp/${basename(path)}`, [count], { stderr: 'null' });
  const reader = child.stdout!.getReader();
  let text = '';
  const line = async (): Promise<string> => {
    while (!text.includes('\n')) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the program ended early: ${text}`);
      text += Buffer.from(value).toString('latin1');
    }
    const end = text.indexOf('\n');
    const found = text.slice(0, end);
    text = text.slice(end + 1);
    return found;
  };
  if ((await line()) !== 'start') throw new Error('the program did not start');
  const writer = child.stdin!.getWriter();
  const go = (): Promise<void> => writer.write('g');
  const memoryBefore = process.memoryUsage().rss;
  const before = sizes();
  const started = performance.now();
  await go();
  const alive = Number(await line());
  const forkMs = performance.now() - started;
  const rss = process.memoryUsage().rss;
  const after = sizes();
  const live = os.system.kernel.processes.size;
  const released = performance.now();
  await go();
  const ended = Number(await line());
  const endMs = performance.now() - released;
  await child.exited;
  await os.shutdown();
  const metadata = Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) / alive]));
  return { alive, ended, live, forkMs, endMs, bytesPerProcess: (rss - memoryBefore) / alive, rss, metadata };
};

const [task, ...args] = process.argv.slice(2);
const result =
  task === 'program'
    ? await runProgram(args[0] as 'sealed' | 'direct', args[1], args.slice(2))
    : await runMany(args[0], args[1]);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
