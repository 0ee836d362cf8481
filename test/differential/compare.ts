/**
 * Compares one instance's result with the host's. The fast path is word by word; only where that fails are the rules
 * applied: flags and results that the manual leaves undefined, x87 pointers, reserved RFLAGS bits, the kinds of stack and
 * general protection faults that this system does not tell apart.
 */
import { FOP, GPR, MXCSR, RIP, X87, XMM } from '../../src/cpu/state.ts';
import type { Encoding } from './encode.ts';
import { CONTEXT_RFLAGS, Kind, RESULT_HEADER } from './layout.ts';
import { FAULTS_ANYWHERE, ignoredParts, SWITCHES_BEFORE_FAULT } from './undefined.ts';

/** CF PF AF ZF SF DF OF AC ID: what is compared of RFLAGS. */
const FLAGS_COMPARED = 0x240cd5;
const PF_WRITE_FETCH = 2 | 16;
export interface Difference {
  readonly field: string;
  readonly host: string;
  readonly ours: string;
}

/** Whether the records are the same, word by word. RFLAGS and RIP bits that need rules simply fail here. */
export function identical(host: Int32Array, ours: Int32Array, at: number, count: number): boolean {
  for (let w = at + count - 1; w >= at; w--) if (host[w] !== ours[w]) return false;
  return true;
}

const GPR_NAMES = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
];
const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, '0');
const bytesHex = (view: DataView, at: number, length: number): string => {
  let text = '';
  for (let i = length - 1; i >= 0; i--) text += hex(view.getUint8(at + i), 2);
  return text;
};

const KIND_NAMES: Partial<Record<number, string>> = {
  [Kind.DivideError]: '#DE',
  [Kind.SingleStep]: '#DB',
  [Kind.Breakpoint]: '#BP',
  [Kind.InvalidOpcode]: '#UD',
  [Kind.StackFault]: '#SS',
  [Kind.GeneralProtection]: '#GP',
  [Kind.PageFault]: '#PF',
  [Kind.X87]: '#MF',
  [Kind.Simd]: '#XM',
  [Kind.Done]: 'done',
};

/**
 * The differences that count. `before`, `host` and `ours` view the record's context; `header` is 16 bytes before it in the
 * latter two, the window's content after it. `target` is the memory operand's address less the window's, NaN if none.
 */
export function differences(
  encoding: Encoding,
  before: DataView,
  host: DataView,
  ours: DataView,
  contextBytes: number,
  windowBytes: number,
  target: number,
): Difference[] {
  const found: Difference[] = [];
  const base = RESULT_HEADER;
  let hostKind = host.getUint32(0, true);
  const ourKind = ours.getUint32(0, true);
  if (hostKind === Kind.StackFault) hostKind = Kind.GeneralProtection;
  const kindName = (kind: number): string => KIND_NAMES[kind] ?? `trap ${kind}`;
  // Whether the offset alone must be canonical where a segment has a base differs between vendors.
  const offsetOnly = encoding.segment !== '' && hostKind === Kind.GeneralProtection && ourKind === Kind.PageFault;
  if (hostKind !== ourKind && !offsetOnly)
    found.push({ field: 'outcome', host: kindName(hostKind), ours: kindName(ourKind) });
  else if (hostKind === Kind.PageFault) {
    const hostAddress = host.getBigUint64(8, true);
    const ourAddress = ours.getBigUint64(8, true);
    if (hostAddress !== ourAddress && !FAULTS_ANYWHERE.test(encoding.form.mnemonic))
      found.push({ field: 'fault address', host: hex(hostAddress, 16), ours: hex(ourAddress, 16) });
    const hostError = host.getUint32(4, true) & PF_WRITE_FETCH;
    const ourError = ours.getUint32(4, true) & PF_WRITE_FETCH;
    const access = (error: number): string => (error === 0 ? 'read' : error === 2 ? 'write' : 'execute');
    if (hostError !== ourError) found.push({ field: 'fault access', host: access(hostError), ours: access(ourError) });
  }
  const completed =
    hostKind === Kind.Done ||
    hostKind === Kind.Breakpoint ||
    hostKind === Kind.SingleStep ||
    encoding.parts !== undefined;
  const ignored = completed ? ignoredParts(encoding, before) : { flags: 0, status: 0, all: false, memory: [] };
  if (ignored.all) return found;

  for (let r = 0; r < 16; r++) {
    const h = host.getBigUint64(base + GPR + 8 * r, true);
    const o = ours.getBigUint64(base + GPR + 8 * r, true);
    if (h !== o) found.push({ field: GPR_NAMES[r]!, host: hex(h, 16), ours: hex(o, 16) });
  }
  const hostRip = host.getBigUint64(base + RIP, true);
  const ourRip = ours.getBigUint64(base + RIP, true);
  if (hostRip !== ourRip) found.push({ field: 'rip', host: hex(hostRip, 16), ours: hex(ourRip, 16) });
  const compared = FLAGS_COMPARED & ~ignored.flags;
  const hostFlags = host.getUint32(base + CONTEXT_RFLAGS, true) & compared;
  const ourFlags = ours.getUint32(base + CONTEXT_RFLAGS, true) & compared;
  if (hostFlags !== ourFlags) found.push({ field: 'flags', host: flagNames(hostFlags), ours: flagNames(ourFlags) });
  const field = (name: string, offset: number, bytes: number): void => {
    for (let i = base + offset; i < base + offset + bytes; i++) {
      if (host.getUint8(i) === ours.getUint8(i)) continue;
      found.push({
        field: name,
        host: bytesHex(host, base + offset, bytes),
        ours: bytesHex(ours, base + offset, bytes),
      });
      return;
    }
  };
  const { approximate } = encoding.form.options;
  field('mxcsr', MXCSR, 4);
  if (contextBytes > FOP) {
    field('fcw', 192, 2);
    if (completed || !SWITCHES_BEFORE_FAULT.test(encoding.form.mnemonic)) {
      const status = host.getUint16(base + 194, true) ^ ours.getUint16(base + 194, true);
      if ((status & ~ignored.status) !== 0) field('fsw', 194, 2);
      field('ftw', 196, 1);
    }
    for (let i = 0; i < 8; i++) {
      const at = base + X87 + 16 * i;
      if (approximate !== 'extended' || !nextTo(host, ours, at)) field(`R${i}`, X87 + 16 * i, 10);
    }
    for (let i = 0; i < 16; i++) {
      const at = base + XMM + 16 * i;
      if (approximate !== 'single' || !nearSingles(host, ours, at)) field(`xmm${i}`, XMM + 16 * i, 16);
    }
  }
  const window = base + contextBytes;
  let run = -1;
  for (let i = 0; i <= windowBytes; i++) {
    const differs =
      i < windowBytes &&
      host.getUint8(window + i) !== ours.getUint8(window + i) &&
      !ignored.memory.some(([from, to]) => i - target >= from && i - target < to);
    if (differs && run < 0) run = i;
    if (!differs && run >= 0) {
      const length = i - run;
      found.push({
        field: `window+0x${run.toString(16)} (${length} bytes)`,
        host: bytesHex(host, window + run, Math.min(16, length)),
        ours: bytesHex(ours, window + run, Math.min(16, length)),
      });
      run = -1;
    }
  }
  return found;
}

/** Whether two extended doubles are at most one unit in the last place apart. */
function nextTo(a: DataView, b: DataView, at: number): boolean {
  const value = (view: DataView): bigint =>
    (BigInt(view.getUint16(at + 8, true) & 0x7fff) << 63n) + (view.getBigUint64(at, true) & 0x7fffffffffffffffn);
  const apart = value(a) - value(b);
  return (a.getUint16(at + 8, true) ^ b.getUint16(at + 8, true)) >> 15 === 0 && apart >= -1n && apart <= 1n;
}

/** Whether four singles are pairwise within the error that RCPPS and RSQRTPS may have. */
function nearSingles(a: DataView, b: DataView, at: number): boolean {
  for (let i = at; i < at + 16; i += 4) {
    if (a.getUint32(i, true) === b.getUint32(i, true)) continue;
    const x = a.getFloat32(i, true);
    const y = b.getFloat32(i, true);
    if (!(Math.abs(x - y) <= Math.abs(x) * 1.5 * 2 ** -11)) return false;
  }
  return true;
}

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [1, 'CF'],
  [4, 'PF'],
  [16, 'AF'],
  [64, 'ZF'],
  [128, 'SF'],
  [0x400, 'DF'],
  [0x800, 'OF'],
  [0x40000, 'AC'],
  [0x200000, 'ID'],
];
export const flagNames = (flags: number): string =>
  FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(' ') || 'none';

/** A state as text: registers and flags, and the vector registers that the instruction names. */
export function showState(view: DataView, contextBytes: number): string {
  const lines: string[] = [];
  for (let r = 0; r < 16; r += 4) {
    lines.push(
      [0, 1, 2, 3]
        .map((i) => `${GPR_NAMES[r + i]!.padStart(3)} ${hex(view.getBigUint64(8 * (r + i), true), 16)}`)
        .join('  '),
    );
  }
  lines.push(`flags ${flagNames(view.getUint32(CONTEXT_RFLAGS, true))}`);
  if (contextBytes > FOP) {
    lines.push(
      `mxcsr ${bytesHex(view, MXCSR, 4)}  fcw ${bytesHex(view, 192, 2)}  fsw ${bytesHex(view, 194, 2)}  ftw ${bytesHex(view, 196, 1)}`,
    );
    for (let i = 0; i < 8; i += 4)
      lines.push([0, 1, 2, 3].map((j) => `R${i + j} ${bytesHex(view, X87 + 16 * (i + j), 10)}`).join('  '));
    for (let i = 0; i < 16; i += 2)
      lines.push(
        [0, 1].map((j) => `${`xmm${i + j}`.padStart(5)} ${bytesHex(view, XMM + 16 * (i + j), 16)}`).join('  '),
      );
  }
  return lines.map((line) => `    ${line}`).join('\n');
}
