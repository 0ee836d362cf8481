// Bundles the command and bench/cpu.ts and runs the measurement; its options stand there.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, root } from './bundle.mjs';

await bundle({ cli: 'src/cli/main.ts' }, 'build/bench-cli');
await bundle({ cpu: 'bench/cpu.ts' }, 'build/bench-cpu-runner');
// The command reads its version from the folder above it.
copyFileSync(join(root, 'package.json'), join(root, 'build/package.json'));
const { main } = await import(join(root, 'build/bench-cpu-runner/cpu.js'));
main(root, join(root, 'build/bench-cli/cli.js'), process.argv.slice(2));
