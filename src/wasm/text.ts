/**
 * WebAssembly code as text: the instructions that this project's writer emits (module.ts, opcodes.ts), one a line, indented by
 * nesting, with the numbers of locals and functions. For listings; it validates nothing.
 *
 * Entry points: `functionText`, `codeSection`.
 */
import { LANES, MEMORY, PLAIN } from './opcodes.ts';

export interface TextLine {
  /** Offset of the instruction in the body behind its locals. */
  readonly at: number;
  readonly text: string;
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
};

/** By the opcode's bytes, joined. */
const NAMES = new Map<string, { name: string; kind: 'plain' | 'memory' | 'lane' }>();
for (const [name, bytes] of PLAIN) NAMES.set([...bytes].join(), { name, kind: 'plain' });
for (const [name, { bytes }] of MEMORY) NAMES.set([...bytes].join(), { name, kind: 'memory' });
for (const [name, bytes] of LANES) NAMES.set([...bytes].join(), { name, kind: 'lane' });

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    return this.bytes[this.at++];
  }

  u(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  s(bits: number): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Math.min(bits, Number(shift) + 7), value);
    }
  }

  skip(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

/** The bodies of a module's own functions, and the names of those it imports. */
export function codeSection(module: Uint8Array): { imports: string[]; bodies: Uint8Array[] } {
  const r = new Reader(module);
  r.at = 8;
  const imports: string[] = [];
  const bodies: Uint8Array[] = [];
  while (r.at < module.length) {
    const id = r.byte();
    const end = r.u() + r.at;
    if (id === 2) {
      for (let n = r.u(); n > 0; n--) {
        r.skip(r.u());
        const name = String.fromCharCode(...r.skip(r.u()));
        const kind = r.byte();
        if (kind === 0) {
          r.u();
          imports.push(name);
          continue;
        }
        if (kind === 3) {
          r.skip(2);
          continue;
        }
        // A table has a type before its limits; 1 and 3 are limits with a maximum.
        if (kind === 1) r.byte();
        const maximum = (r.byte() & 1) !== 0;
        r.u();
        if (maximum) r.u();
      }
    } else if (id === 10) {
      for (let n = r.u(); n > 0; n--) bodies.push(r.skip(r.u()));
    }
    r.at = end;
  }
  return { imports, bodies };
}

const memoryArgument = (r: Reader): string => {
  r.u();
  const offset = r.u();
  return offset === 0 ? '' : ` offset=${offset}`;
};

const CONTROL: Readonly<Record<number, string>> = { 2: 'block', 3: 'loop', 4: 'if' };

/** The text of an instruction, read from behind its first byte. */
function instruction(r: Reader, opcode: number, nameOf: (index: number) => string): string {
  if (opcode in CONTROL) {
    const type = r.byte();
    return `${CONTROL[opcode]}${type === 0x40 ? '' : ` (result ${TYPE_NAMES[type]})`}`;
  }
  switch (opcode) {
    case 0x0c:
      return `br ${r.u()}`;
    case 0x0d:
      return `br_if ${r.u()}`;
    case 0x0e: {
      const depths = Array.from({ length: r.u() + 1 }, () => 0).map(() => r.u());
      return `br_table ${depths.join(' ')}`;
    }
    case 0x10:
      return `call ${nameOf(r.u())}`;
    case 0x12:
      return `return_call ${nameOf(r.u())}`;
    case 0x11:
    case 0x13:
      return `${opcode === 0x11 ? 'call_indirect' : 'return_call_indirect'} (type ${r.u()}) ${r.u()}`;
    case 0x20:
      return `local.get ${r.u()}`;
    case 0x21:
      return `local.set ${r.u()}`;
    case 0x22:
      return `local.tee ${r.u()}`;
    case 0x23:
      return `global.get ${r.u()}`;
    case 0x24:
      return `global.set ${r.u()}`;
    case 0x41:
      return `i32.const ${r.s(32)}`;
    case 0x42: {
      const value = r.s(64);
      return `i64.const ${value > 0xffffn ? `0x${value.toString(16)}` : value}`;
    }
    case 0x43:
      return `f32.const ${new DataView(r.skip(4).slice().buffer).getFloat32(0, true)}`;
    case 0x44:
      return `f64.const ${new DataView(r.skip(8).slice().buffer).getFloat64(0, true)}`;
  }
  const key = opcode >= 0xfc ? prefixed(r, opcode) : String(opcode);
  if (key === '252,10') return `memory.copy ${r.u()} ${r.u()}`;
  if (key === '252,11') return `memory.fill ${r.u()}`;
  if (key === '253,12') return `v128.const ${hex(r.skip(16))}`;
  if (key === '253,13') return `i8x16.shuffle ${[...r.skip(16)].join(' ')}`;
  const known = NAMES.get(key);
  if (known === undefined) return `;; opcode ${key}`;
  if (known.kind === 'memory') return `${known.name}${memoryArgument(r)}`;
  return known.kind === 'lane' ? `${known.name} ${r.byte()}` : known.name;
}

/** The bytes of an opcode with a prefix, as NAMES has them. */
function prefixed(r: Reader, prefix: number): string {
  const start = r.at;
  r.u();
  return [prefix, ...r.bytes.subarray(start, r.at)].join();
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** A function body (locals, code) as lines. `nameOf` names functions by index. */
export function functionText(body: Uint8Array, nameOf: (index: number) => string): TextLine[] {
  const r = new Reader(body);
  for (let runs = r.u(); runs > 0; runs--) {
    r.u();
    r.byte();
  }
  const start = r.at;
  const lines: TextLine[] = [];
  let depth = 0;
  while (r.at < body.length) {
    const at = r.at - start;
    const opcode = r.byte();
    const text = instruction(r, opcode, nameOf);
    if (opcode === 0x0b) depth--;
    const indent = opcode === 0x05 ? depth - 1 : depth;
    lines.push({ at, text: `${'  '.repeat(Math.max(0, indent))}${text}` });
    if (opcode in CONTROL) depth++;
  }
  return lines;
}
