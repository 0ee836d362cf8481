/**
 * Writes docs/generated from the declarations: `npm run docs`. With `--check` it writes nothing and fails if a file is not
 * what it would write (part of `npm run check`).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syscalls } from '../src/abi/syscalls.ts';
import { FORMS } from '../src/cpu/forms/index.ts';
import { protocolMarkdown } from '../src/ipc/docs.ts';
import { memoryProtocol } from '../src/ipc/protocols/memory.ts';
import { processProtocol } from '../src/ipc/protocols/process.ts';
import { vfsProtocol } from '../src/ipc/protocols/vfs.ts';
import { syscallMarkdown } from '../src/trace/docs.ts';

/** docs/generated/instructions.md: the forms by feature. */
const instructionMarkdown = (): string => {
  const features = new Map<string, Map<string, string[]>>();
  for (const { mnemonic, opcode, operands, options } of FORMS) {
    const feature = options.feature ?? 'base';
    let mnemonics = features.get(feature);
    if (mnemonics === undefined) features.set(feature, (mnemonics = new Map()));
    const encodings = mnemonics.get(mnemonic) ?? [];
    encodings.push(`\`${opcode}\`${operands.length > 0 ? ` ${operands.join(', ')}` : ''}`);
    mnemonics.set(mnemonic, encodings);
  }
  const sections = [...features].map(([feature, mnemonics]) => {
    const rows = [...mnemonics]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([mnemonic, encodings]) => `| ${mnemonic} | ${encodings.join('<br>')} |`);
    return `## ${feature}\n\n| Instruction | Encodings |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  return `# Instructions\n\nGenerated from the instruction forms (\`src/cpu/forms\`): ${FORMS.length} forms. The notation is that of \`src/cpu/forms.ts\`.\n\n${sections.join('\n')}`;
};

const files: Readonly<Record<string, string>> = {
  'syscalls.md': syscallMarkdown(syscalls),
  'instructions.md': instructionMarkdown(),
  'ipc.md': `# Messages\n\nGenerated from the protocols (\`src/ipc/protocols\`).\n\n${[
    protocolMarkdown(vfsProtocol, 2),
    protocolMarkdown(processProtocol, 3),
    protocolMarkdown(memoryProtocol, 4),
  ].join('\n')}`,
};

const folder = join(import.meta.dirname, '../docs/generated');
const check = process.argv.includes('--check');
mkdirSync(folder, { recursive: true });
let stale = 0;
for (const [name, content] of Object.entries(files)) {
  const path = join(folder, name);
  const text = `${content.trimEnd()}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    console.error(`docs/generated/${name} is not up to date: npm run docs`);
    stale++;
  } else {
    writeFileSync(path, text);
    console.log(`wrote docs/generated/${name}`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
