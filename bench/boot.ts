/**
 * A child of the benchmarks: boots to the shell's first prompt in a fresh Node.js and prints one JSON line, in ms.
 *
 *     boot.js LIBRARY        LIBRARY: the bundle to load, as a user's program would
 *
 * It imports nothing itself, so that all of the loading is measured.
 */
import { pathToFileURL } from 'node:url';

const measureBoot = async (library: string): Promise<object> => {
  const started = performance.now();
  const loaded = (await import(pathToFileURL(library).href)) as typeof import('../src/index.ts');
  const modules = performance.now();
  let prompted = 0;
  let shown = '';
  let seen: () => void;
  const prompt = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const os = await loaded.boot({
    console: (_terminal, bytes) => {
      shown += Buffer.from(bytes).toString('latin1');
      if (prompted !== 0 || !/[#$] /.test(shown)) return;
      prompted = performance.now();
      seen();
    },
  });
  const booted = performance.now();
  await os.spawn('/bin/sh', [], { argv0: '-sh', stdin: 'console', stdout: 'console', stderr: 'console' });
  await prompt;
  await os.shutdown();
  return {
    node: started,
    modules: modules - started,
    boot: booted - modules,
    shell: prompted - booted,
    total: prompted,
  };
};

process.stdout.write(`${JSON.stringify(await measureBoot(process.argv[2]))}\n`, () => process.exit(0));
