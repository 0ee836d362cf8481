// Builds dist/: the library and the command. Run by `npm ci` (prepare), `npm start` and `npm run build`.
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

const quiet = process.argv.includes('--quiet');
const started = performance.now();

rmSync(join(root, 'dist'), { recursive: true, force: true });
await bundle({ cli: 'src/cli/main.ts', index: 'src/index.ts' }, 'dist');
chmodSync(join(root, 'dist/cli.js'), 0o755);
if (!quiet) console.log(`built dist/ in ${Math.round(performance.now() - started)} ms`);
