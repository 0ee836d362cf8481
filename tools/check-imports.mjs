// Checks the direction of imports (who may import whom) and that only host, cli and web touch platform APIs.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../src');

/** What each folder may import besides itself. A server is a folder of its own: `servers/vfs` may not see `servers/process`. */
const ALLOWED = {
  abi: [],
  wasm: [],
  cpu: ['wasm', 'memory/layout.ts'],
  memory: ['abi', 'cpu/engine.ts'],
  ipc: ['abi', 'wasm'],
  fs: ['abi', 'ipc'],
  'servers/vfs': ['abi', 'ipc', 'fs'],
  'servers/process': ['abi', 'ipc', 'fs'],
  'servers/memory': ['abi', 'ipc', 'fs', 'memory/layout.ts'],
  'servers/network': ['abi', 'ipc', 'fs'],
  'servers/resurrection': ['abi', 'ipc', 'fs'],
  trace: ['abi', 'ipc'],
  kernel: ['abi', 'wasm', 'cpu', 'memory', 'ipc', 'trace'],
  system: ['abi', 'ipc', 'fs', 'kernel', 'memory', 'servers', 'trace'],
  'host/node': ['abi', 'cpu', 'ipc', 'fs', 'kernel', 'system', 'trace'],
  'host/browser': ['abi', 'cpu', 'ipc', 'fs', 'kernel', 'system', 'trace'],
  cli: ['abi', 'system', 'host/node', 'trace', 'index.ts'],
  web: ['abi', 'system', 'host/browser', 'trace'],
  'index.ts': ['abi', 'ipc/kernel-calls.ts', 'system', 'host/node'],
};
const PLATFORM_FOLDERS = ['host/', 'cli/', 'web/', 'index.ts'];
/** Packages that folders other than the platform's may use. */
const PACKAGES = { ipc: ['@noble/'], kernel: [] };

const folders = Object.keys(ALLOWED).sort((a, b) => b.length - a.length);
const folderOf = (path) => folders.find((f) => path === f || path.startsWith(`${f}/`));
const within = (path, prefix) => path === prefix || path.startsWith(`${prefix}/`);

const problems = [];
for (const file of walk(source)) {
  const path = relative(source, file);
  // Tests may look anywhere.
  if (/\.test\.ts$|\/testing\//.test(path)) continue;
  const folder = folderOf(path);
  if (folder === undefined) {
    problems.push(`${path}: stands in no declared folder`);
    continue;
  }
  const platform = PLATFORM_FOLDERS.some((p) => path.startsWith(p));
  const text = readFileSync(file, 'utf8');
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (specifier.startsWith('.')) {
      const target = relative(source, join(dirname(file), specifier));
      if (within(target, folder)) continue;
      if (!ALLOWED[folder].some((allowed) => within(target, allowed)))
        problems.push(`${path}: ${folder} may not import ${target}`);
    } else if (!platform && !(PACKAGES[folder.split('/')[0]] ?? []).some((p) => specifier.startsWith(p))) {
      problems.push(`${path}: ${folder} may not import the package ${specifier}`);
    }
  }
  if (!platform) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''");
    for (const [name] of code.matchAll(
      /\b(process\.(?:env|argv|stdout|stdin|exit|cwd|hrtime)\b|Buffer\.|setTimeout|setInterval|setImmediate|queueMicrotask|require\(|performance\.now|Date\.now|Math\.random|document\.|window\.(?:location|document))/g,
    ))
      problems.push(`${path}: ${folder} may not use the platform's ${name}`);
  }
}

function* walk(folder) {
  for (const name of readdirSync(folder, { recursive: true })) if (name.endsWith('.ts')) yield join(folder, name);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} import problems`);
  process.exit(1);
}
console.log('imports: fine');
