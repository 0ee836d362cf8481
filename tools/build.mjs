// Builds dist/: the library and the command, with --types the library's declarations too (`npm ci` does, by prepare; `npm start` does not).
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

const quiet = process.argv.includes('--quiet');
const started = performance.now();

const dist = join(root, 'dist');
const types = process.argv.includes('--types');
for (const name of readdirSync(root).includes('dist') ? readdirSync(dist) : [])
  if (types || name !== 'types') rmSync(join(dist, name), { recursive: true });
await bundle({ cli: 'src/cli/main.ts', index: 'src/index.ts' }, 'dist');
chmodSync(join(dist, 'cli.js'), 0o755);
if (types)
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.types.json'], {
    cwd: root,
    stdio: 'inherit',
  });
if (!quiet) console.log(`built dist/ in ${Math.round(performance.now() - started)} ms`);
