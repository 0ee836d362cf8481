/**
 * Compares the disassembler with objdump: on random encodings of every form and on the code of the bundled BusyBox. What is
 * compared is a normal form of the text (spacing, spelling of prefixes and synonyms that mean the same left out).
 *
 *     node tools/test-cpu.mjs --disassembler [--count N] [--seed S] [--show N]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { disassembleBytes } from '../../src/cpu/disassembler.ts';
import { FORMS } from '../../src/cpu/forms/index.ts';
import { encode } from './encode.ts';
import { CODE_BASE } from './layout.ts';
import { Random } from './random.ts';

interface Line {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface Agreement {
  readonly compared: number;
  readonly agreed: number;
  /** First instruction of each kind of disagreement. */
  readonly samples: readonly string[];
}

/** Lines of `objdump -w`: address, bytes, text. */
function parse(output: string): Line[] {
  const lines: Line[] = [];
  for (const line of output.split('\n')) {
    const match = /^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(.*)$/.exec(line);
    if (match === null) continue;
    const bytes = Uint8Array.from(match[2]!.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16));
    lines.push({ address: Number.parseInt(match[1]!, 16), bytes, text: match[3]! });
  }
  return lines;
}

// biome-ignore format: a table
const SYNONYMS: readonly (readonly [RegExp, string])[] = [
  [/\s*#.*$/, ''], [/<[^>]*>/g, ''], [/\b(notrack|bnd|xacquire|xrelease|data16|addr32|rex(\.[WRXB]+)?|[cdes]s) (?=\S)/g, ''],
  [/\s+/g, ' '], [/, /g, ','], [/\b[cdes]s:(?=\[|0x)/g, ''], [/\*1\b/g, ''], [/[+-]0x0\b/g, ''], [/\[[re]iz(?:\*\d)?\+(0x[0-9a-f]+)\]/, '$1'], [/\+[re]iz(\*\d)?/g, ''], [/,1$/, ''],
  [/^ret[nq]$/, 'ret'], [/^repz ret/, 'ret'], [/^j(mp|[a-z]+),p[nt]/, 'j$1'], [/^movabs /, 'mov '], [/^(nop).*/, '$1'], [/^xchg ax,ax$/, 'nop'],
  [/^((?:rep[nz]*|lock) )?[fg]s (?=\S)/, '$1'], [/OWORD/, 'XMMWORD'], [/^(push|pop)w /, '$1 '], [/^xlat .*/, 'xlat'], [/^(pcmpestr[im])q/, '$1'], [/^retfq$/, 'retf'],
  [/^sysretd$/, 'sysret'], [/^(call|jmp) FWORD PTR /, '$1f '],
];

/** Text without what does not change the meaning. */
export function normal(text: string): string {
  let out = text.trim();
  for (const [pattern, replacement] of SYNONYMS) out = out.replace(pattern, replacement);
  return out.trim();
}

function compare(lines: readonly Line[], show: number): Agreement {
  let agreed = 0;
  const samples = new Map<string, string>();
  for (const line of lines) {
    const ours = disassembleBytes(line.bytes, line.address);
    if (normal(ours) === normal(line.text)) {
      agreed++;
      continue;
    }
    const kind = `${line.text.split(' ')[0]} ${ours.split(' ')[0]}`;
    const bytes = [...line.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    if (samples.size < show && !samples.has(kind))
      samples.set(kind, `${bytes.padEnd(34)} objdump ${line.text.padEnd(40)} ours ${ours}`);
  }
  return { compared: lines.length, agreed, samples: [...samples.values()] };
}

/** Random encodings of all forms, one after the other. */
export function compareRandom(folder: string, count: number, seed: number, show: number): Agreement {
  mkdirSync(folder, { recursive: true });
  const starts: number[] = [];
  const code: number[] = [];
  for (let i = 0; i < count; i++) {
    const form = FORMS[i % FORMS.length]!;
    const random = new Random(seed, i);
    const { bytes } = encode(form, CODE_BASE + code.length, random);
    starts.push(CODE_BASE + code.length);
    code.push(...bytes);
    // NOPs keep a misread instruction from swallowing the next one.
    for (let n = 0; n < 16; n++) code.push(0x90);
  }
  const file = join(folder, 'random.bin');
  writeFileSync(file, Uint8Array.from(code));
  const args = [
    '-D',
    '-w',
    '-b',
    'binary',
    '-m',
    'i386:x86-64',
    '-M',
    'intel',
    '-z',
    `--adjust-vma=${CODE_BASE}`,
    file,
  ];
  const wanted = new Set(starts);
  const lines = parse(run(args)).filter((line) => wanted.has(line.address));
  return compare(lines, show);
}

/** All of a program's code. Instructions that no form declares (AVX paths) are counted as disagreement. */
export function compareProgram(program: string, show: number): Agreement {
  return compare(parse(run(['-d', '-w', '-M', 'intel', '-z', program])), show);
}

function run(args: readonly string[]): string {
  const result = spawnSync('objdump', args, { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`objdump failed: ${result.stderr || result.error?.message}`);
  return result.stdout;
}

export function main(root: string, args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      show: { type: 'string', default: '40' },
    },
  });
  if (spawnSync('objdump', ['--version']).status !== 0) {
    console.log('skipped: disassembler: objdump is not installed');
    return 0;
  }
  const show = Number(values.show);
  const report = (name: string, { compared, agreed, samples }: Agreement): void => {
    for (const sample of samples) console.log(sample);
    console.log(`${name}: ${agreed} of ${compared} agree with objdump (${((100 * agreed) / compared).toFixed(2)} %)`);
  };
  report(
    'random encodings',
    compareRandom(join(root, 'build/differential'), Number(values.count), Number(values.seed), show),
  );
  const busybox = join(root, 'node_modules/busybox-static/bin/busybox');
  if (existsSync(busybox) && readFileSync(busybox).length > 0) report('busybox', compareProgram(busybox, show));
  return 0;
}
