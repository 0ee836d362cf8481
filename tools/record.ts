/**
 * Records what programs do natively, as fixtures that tests compare with: `npm run record [-- NAME…]`. Only for Linux on
 * x86-64 and as root (some programs change ids); what is recorded is committed. `terminal` stands for the programs that are typed
 * at on a pseudo-terminal, which needs Python.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scripts } from '../test/conformance/terminal/scripts.ts';
import { compile, isOracle, runNative } from '../test/support/programs.ts';

if (!isOracle || process.getuid?.() !== 0) {
  console.error('record needs Linux on x86-64, and root');
  process.exit(1);
}
const folder = join(import.meta.dirname, '../test/conformance');
const chosen = process.argv.slice(2);
mkdirSync(join(folder, 'expected'), { recursive: true });
for (const file of readdirSync(join(folder, 'programs'))) {
  const name = file.replace(/\.c$/, '');
  if (!file.endsWith('.c') || (chosen.length > 0 && !chosen.includes(name))) continue;
  const { stdout, stderr, code } = runNative(compile(join(folder, 'programs', file)), { env: {}, cwd: '/' });
  writeFileSync(join(folder, 'expected', `${name}.txt`), `${stdout}${stderr}status ${code}\n`, 'latin1');
  console.log(`${name}: status ${code}`);
}
for (const [name, script] of Object.entries(scripts)) {
  if (chosen.length > 0 && !chosen.includes('terminal') && !chosen.includes(`terminal-${name}`)) continue;
  const program = compile(join(folder, 'terminal', `${name}.c`));
  const seen = execFileSync('python3', [join(folder, 'terminal/drive.py'), program, JSON.stringify(script)]);
  writeFileSync(join(folder, 'expected', `terminal-${name}.txt`), seen);
  console.log(`terminal-${name}`);
}
