// Bundles bench/soak.ts as dist/ is bundled and runs it; its options stand there.
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

await bundle({ soak: 'bench/soak.ts' }, 'build/soak-runner');
const { main } = await import(join(root, 'build/soak-runner/soak.js'));
process.exit(await main(root, process.argv.slice(2)));
