// Bundles the differential test of the processor and runs it: the options of `npm run test:cpu` stand
// in test/differential/main.ts. With `--disassembler` first: compares the disassembler with objdump instead.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const args = process.argv.slice(2);
const disassembler = args[0] === '--disassembler';
const entry = disassembler ? 'objdump' : 'main';
const outfile = join(root, `build/differential/${entry}.${process.pid}.mjs`);
await build({
  absWorkingDir: root,
  entryPoints: [`test/differential/${entry}.ts`],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { main } = await import(pathToFileURL(outfile).href);
const { rmSync } = await import('node:fs');
rmSync(outfile);
process.exitCode = main(root, disassembler ? args.slice(1) : args);
