#!/usr/bin/env node
/** The `xinim` command: boots a system, starts one program in it, connects it to this process's streams, and ends as it ends. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { boot, XinimError } from '../host/node/boot.ts';
import { BUSYBOX_MISSING, findBusybox } from '../host/node/busybox.ts';
import { attachTerminal, ConsoleOutput, pumpInput, pumpOutput } from '../host/node/console.ts';
import { hotRegions, statistics } from '../host/node/statistics.ts';
import { Tracer } from '../trace/tracer.ts';
import { broughtFile, launchOf } from './launch.ts';
import { type Invocation, parseArguments } from './options.ts';

/** What cannot be started: as shells do. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
/** Regions that `--hot` lists. */
const HOT_REGIONS = 20;

const version = (): string => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
};

/** A sink of lines on standard error or into a file, and how to close it. */
const lineSink = (target: true | string): { line: (text: string) => void; close: () => void } => {
  if (target === true) return { line: (text) => writeSync(2, `${text}\n`), close: () => {} };
  const fd = openSync(target, 'w');
  return { line: (text) => writeSync(fd, `${text}\n`), close: () => closeSync(fd) };
};

const main = async (invocation: Invocation): Promise<number> => {
  const started = performance.now();
  const brought = broughtFile(invocation);
  if (invocation.kind === 'shell' && invocation.root === undefined && findBusybox() === undefined) {
    process.stderr.write(`${BUSYBOX_MISSING}\n`);
    return NOT_FOUND;
  }
  // What the kernel had to say explains why a program could not be started.
  let lastLog: string | undefined;
  const ipcLog = invocation.ipcLog === undefined ? undefined : lineSink(invocation.ipcLog);
  const output = new ConsoleOutput(() => {
    os.system.drained(0);
    os.driver.poke();
  });
  const os = await boot({
    root: invocation.root,
    mounts: invocation.mount,
    memory: invocation.memory,
    ipc: invocation.ipc,
    aslr: invocation.aslr,
    engine: invocation.engine,
    chaos: invocation.chaos,
    console: output.write,
    tracer:
      invocation.trace === undefined
        ? undefined
        : new Tracer((line) => writeSync(2, `${line}\n`), { filter: invocation.trace }),
    ipcLog: ipcLog?.line,
    log: (line) => {
      lastLog = line;
      if (process.env['XINIM_LOG'] !== undefined) writeSync(2, `xinim: ${line}\n`);
    },
    files: brought === undefined ? [] : [{ type: 'file', mode: 0o755, ...brought }],
  });
  const bootMs = performance.now() - started;

  const { stdin, stdout, stderr } = process;
  const detach = stdin.isTTY ? attachTerminal(os) : () => {};
  try {
    const { path, args, options } = await launchOf(os, invocation);
    lastLog = undefined;
    const child = await os.spawn(path, args, options).catch((error: unknown) => {
      if (lastLog !== undefined) process.stderr.write(`xinim: ${lastLog}\n`);
      throw error;
    });
    const stopInput = pumpInput(child);
    const forward = (signal: NodeJS.Signals): void => {
      // The process may just have ended.
      try {
        child.kill(signal);
      } catch {}
    };
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    const copies = [pumpOutput(child.stdout, stdout), pumpOutput(child.stderr, stderr)];
    const { code } = await child.exited;
    stopInput();
    // What its children still write is not waited for, what it has written itself is.
    await Promise.race([Promise.all(copies), new Promise((resolve) => setTimeout(resolve, 200).unref())]);
    if (invocation.stats !== undefined) {
      const text = `${JSON.stringify(statistics(os, bootMs))}\n`;
      if (invocation.stats === true) stderr.write(text);
      else writeFileSync(invocation.stats, text);
    }
    if (invocation.hot !== undefined) {
      const text = hotRegions(HOT_REGIONS);
      if (invocation.hot === true) stderr.write(text);
      else writeFileSync(invocation.hot, text);
    }
    return code;
  } finally {
    detach();
    await os.shutdown();
    ipcLog?.close();
  }
};

/** What went wrong, for a person. */
const explain = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const statusOf = (error: unknown): number => {
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT') return NOT_FOUND;
  return error instanceof XinimError || code === 'EACCES' ? NOT_EXECUTABLE : 1;
};

const finish = (code: number): void => {
  // Output that is still on its way to a pipe is written before the process ends.
  process.exitCode = code;
  const pending = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  if (pending.length === 0) process.exit(code);
  let left = pending.length;
  for (const stream of pending) stream.write('', () => --left === 0 && process.exit(code));
};

const asked = parseArguments(process.argv.slice(2), version());
(asked.kind === 'image' ? asked.run() : main(asked)).then(finish, (error: unknown) => {
  process.stderr.write(`xinim: ${explain(error)}\n`);
  finish(statusOf(error));
});
