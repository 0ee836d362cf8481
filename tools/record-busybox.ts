/** Records what the applets of BusyBox do natively, in a chroot of the default root. Linux on x86-64, root. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLET_TESTS } from '../test/busybox/applets.ts';
import { makeNativeRoot, removeNativeRoot, runThere } from '../test/busybox/harness.ts';
import { isOracle, type Outcome } from '../test/support/programs.ts';

if (!isOracle || process.getuid?.() !== 0) {
  console.error('record:busybox needs Linux on x86-64, and root');
  process.exit(1);
}
const folder = join(import.meta.dirname, '../test/busybox');
const file = join(folder, 'recorded.json');
const scripts: Record<string, string> = { '(script)': readFileSync(join(folder, 'script.sh'), 'utf8') };
for (const [name, test] of Object.entries(APPLET_TESTS)) if ('compare' in test) scripts[name] = test.compare;
const root = makeNativeRoot();
const recorded: Record<string, Outcome> = {};
try {
  for (const [name, script] of Object.entries(scripts)) {
    recorded[name] = runThere(root, script);
    const again = runThere(root, script);
    if (JSON.stringify(again) !== JSON.stringify(recorded[name]))
      console.log(`${name} is not deterministic`, recorded[name], again);
  }
} finally {
  removeNativeRoot(root);
}
writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
console.log(`recorded ${Object.keys(recorded).length} scripts`);
