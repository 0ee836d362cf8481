// `npm run bench`: bundles the benchmarks as dist/ is bundled, then runs them. Arguments go to bench/run.ts.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

const folder = join(root, 'build/bench');
rmSync(folder, { recursive: true, force: true });
await bundle({ library: 'src/index.ts' }, 'build/bench/library');
await bundle({ run: 'bench/run.ts', guest: 'bench/guest.ts', boot: 'bench/boot.ts' }, 'build/bench');
await import(join(folder, 'run.js'));
