// How sources become files that Node.js runs: one place, so that what is measured (tools/bench.mjs) is built as what is shipped.
//
// The interpreter's common handlers are generated here and put into the bundle as a finished WebAssembly module
// (src/cpu/interpreter/prebuilt.ts): generating them takes longer than all the rest of a boot.
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

let prebuilt;

/** The contents of prebuilt.ts with the module in it, made once. */
const prebuild = async () => {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ['src/cpu/interpreter/library.ts'],
    write: false,
    packages: 'external',
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`;
  const { LIBRARY } = await import(url);
  const { bytes, imports, endings } = LIBRARY.prebuild();
  const value = { module: Buffer.from(bytes).toString('base64'), imports, endings };
  return `export const PREBUILT = ${JSON.stringify(value)};`;
};

const prebuiltHandlers = {
  name: 'prebuilt-handlers',
  setup(builder) {
    builder.onLoad({ filter: /src[\\/]cpu[\\/]interpreter[\\/]prebuilt\.ts$/ }, async () => {
      prebuilt ??= prebuild();
      return { contents: await prebuilt, loader: 'js' };
    });
  },
};

/**
 * Bundles entry points ({name: file}) into a folder below the root. The cryptographic libraries come along: they are a
 * dozen files that every start would have to find and read.
 */
export const bundle = (entryPoints, outdir) =>
  build({
    ...common,
    entryPoints,
    outdir,
    splitting: true,
    external: ['commander', 'busybox-static'],
    legalComments: 'linked',
    sourcemap: true,
    plugins: [prebuiltHandlers],
  });
