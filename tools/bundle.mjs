// How sources become files that Node.js runs: one place, so that what is measured (tools/bench.mjs) is built as what is shipped.
//
// WebAssembly that every start needs is generated here and put into the bundle as finished modules: the interpreter's common
// handlers (src/cpu/interpreter/prebuilt.ts; generating them takes longer than all the rest of a boot) and the sealing kernel
// (src/ipc/prebuilt.ts).
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
};

/** Exports of a source file, bundled and run here. */
const load = async (contents) => {
  const { outputFiles } = await build({
    ...common,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    write: false,
    packages: 'external',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
};

const base64 = (bytes) => Buffer.from(bytes).toString('base64');

/** What stands for the value of a prebuilt.ts, by its folder below src. */
const GENERATED = {
  'cpu/interpreter': async () => {
    const { LIBRARY } = await load(`export { LIBRARY } from './src/cpu/interpreter/library.ts';`);
    const { bytes, ...facts } = LIBRARY.prebuild();
    return { module: base64(bytes), ...facts };
  },
  ipc: async () => {
    const { FrameArena, buildSealingKernel } = await load(`
      export { FrameArena } from './src/ipc/frame.ts';
      export { buildSealingKernel } from './src/ipc/seal/kernel-wasm.ts';`);
    const pages = new FrameArena().memory.buffer.byteLength / 65536;
    return { kernel: base64(buildSealingKernel(pages)), pages };
  },
};

const made = {};

const prebuiltModules = {
  name: 'prebuilt-modules',
  setup(builder) {
    builder.onLoad({ filter: /src[\\/](cpu[\\/]interpreter|ipc)[\\/]prebuilt\.ts$/ }, async ({ path }) => {
      const folder = path.includes('interpreter') ? 'cpu/interpreter' : 'ipc';
      made[folder] ??= GENERATED[folder]();
      const source = readFileSync(path, 'utf8');
      const value = /^export const PREBUILT.*$/m;
      if (!value.test(source)) throw new Error(`${path} declares no PREBUILT`);
      const text = JSON.stringify(await made[folder]);
      return { contents: source.replace(value, () => `export const PREBUILT = ${text};`), loader: 'ts' };
    });
  },
};

/** Bundles entry points ({name: file}) into a folder below the root. */
export const bundle = (entryPoints, outdir) =>
  build({
    ...common,
    entryPoints,
    outdir,
    splitting: true,
    external: ['commander', 'busybox-static'],
    legalComments: 'linked',
    sourcemap: true,
    plugins: [prebuiltModules],
  });
