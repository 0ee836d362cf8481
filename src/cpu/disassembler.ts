/**
 * Disassembler: Intel syntax as `objdump -M intel` prints it, from the instruction forms and the decoder that the engines
 * use, so that what is printed is what is executed. Differences in spelling to objdump are harmless; differences in meaning
 * are bugs (test/differential checks both on random encodings).
 *
 * Entry points: `disassemble` (an instruction that was decoded), `disassembleBytes` (one instruction of raw bytes).
 */
import { decode, Instruction, NO_REGISTER, Status } from './decode/decoder.ts';
import { File, type Operand, operandWidth, Place } from './decode/operands.ts';
import { SHAPES, type Shape } from './decode/table.ts';
import type { Width } from './uops.ts';

const LEGACY = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const LOW_BYTES = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const HIGH_BYTES = ['ah', 'ch', 'dh', 'bh'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', '?', '?'];
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
const POINTERS: Readonly<Record<number, string>> = {
  8: 'BYTE PTR ',
  16: 'WORD PTR ',
  32: 'DWORD PTR ',
  64: 'QWORD PTR ',
  80: 'TBYTE PTR ',
  128: 'XMMWORD PTR ',
};

/** Name of a general register. Without REX, byte registers 4–7 are AH–BH. */
export function registerName(number: number, width: number, rex = true): string {
  if (width === 8) {
    if (number >= 8) return `r${number}b`;
    return number >= 4 && !rex ? HIGH_BYTES[number - 4] : LOW_BYTES[number];
  }
  if (number >= 8) return `r${number}${width === 16 ? 'w' : width === 32 ? 'd' : ''}`;
  return (width === 64 ? 'r' : width === 32 ? 'e' : '') + LEGACY[number];
}

const hex = (value: bigint): string => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

/** The text of a decoded instruction that stands at `address`. */
export function disassemble(d: Instruction, address: bigint): string {
  const shape = SHAPES[d.form];
  const operands = shape.operands
    .map((operand) => showOperand(d, shape, operand, address))
    .filter((text) => text !== '');
  const prefix = d.lock ? 'lock ' : d.repeat === 0 ? '' : repeatPrefix(d, shape);
  operands.push(...(UNNAMED[shape.form.opcode] ?? []));
  if (/^cmp[ps][sd]$/.test(shape.form.mnemonic) && d.immediate >= 0 && d.immediate < 8 && operands.length === 3)
    operands.pop();
  const text = `${mnemonicOf(d, shape)} ${operands.join(',')}`.trimEnd();
  const note = d.ripRelative && d.memory ? `        # ${hex(ripTarget(d, address))}` : '';
  return prefix + text + note;
}

/** Disassembles the first instruction of `bytes`; `(bad)` if there is none. */
export function disassembleBytes(bytes: Uint8Array, address: number | bigint): string {
  const instruction = new Instruction();
  const padded = new Uint8Array(bytes.length + 16);
  padded.set(bytes);
  return decode(padded, 0, bytes.length, instruction) === Status.Ok
    ? disassemble(instruction, BigInt(address))
    : '(bad)';
}

const repeatPrefix = (d: Instruction, shape: Shape): string =>
  shape.form.options.repeat === 'rep' ? 'rep ' : d.repeat === 1 ? 'repz ' : 'repnz ';

/** Operands that a form's meaning implies and objdump shows. */
const UNNAMED: Readonly<Record<string, readonly string[]>> = {
  'DF E0': ['ax'],
  '66 0F 38 10 /r': ['xmm0'],
  '66 0F 38 14 /r': ['xmm0'],
  '66 0F 38 15 /r': ['xmm0'],
};
const PREDICATES = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'];
const PREFETCHES = ['prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2', 'nop', 'nop', 'nop', 'nop'];

/** Mnemonics that the operand size is part of, and those that objdump spells otherwise than the SDM. */
const BY_WIDTH: Readonly<Record<string, readonly [string, string, string]>> = {
  cbw: ['cbw', 'cwde', 'cdqe'],
  cwde: ['cbw', 'cwde', 'cdqe'],
  cdqe: ['cbw', 'cwde', 'cdqe'],
  cwd: ['cwd', 'cdq', 'cqo'],
  cdq: ['cwd', 'cdq', 'cqo'],
  cqo: ['cwd', 'cdq', 'cqo'],
  pushf: ['pushfw', 'pushf', 'pushf'],
  popf: ['popfw', 'popf', 'popf'],
  iret: ['iretw', 'iret', 'iretq'],
};
const SPELLING: Readonly<Record<string, string>> = { sal: 'shl', xlat: 'xlat', retn: 'ret', wait: 'fwait' };

function mnemonicOf(d: Instruction, shape: Shape): string {
  const { mnemonic } = shape.form;
  const sized = BY_WIDTH[mnemonic];
  if (sized !== undefined) return sized[d.width === 16 ? 0 : d.width === 64 ? 2 : 1];
  const places = shape.operands.map((operand) => operand.place);
  if (mnemonic === 'mov' && (places.includes(Place.Moffs) || (shape.form.operands[1] === 'Iv' && d.width === 64)))
    return 'movabs';
  if (mnemonic === 'movd' && d.width === 64 && shape.form.operands.some((code) => code === 'Ey')) return 'movq';
  if (d.width === 16 && /^(fldenv|fnstenv|fnsave|frstor)$/.test(mnemonic)) return `${mnemonic}w`;
  if (mnemonic === 'jrcxz' && d.address32) return 'jecxz';
  if ((mnemonic === 'pinsrd' || mnemonic === 'pextrd') && d.width === 64) return `${mnemonic.slice(0, -1)}q`;
  const compared = /^cmp([ps][sd])$/.exec(mnemonic);
  if (compared !== null && d.immediate >= 0 && d.immediate < 8 && shape.map === 1)
    return `cmp${PREDICATES[d.immediate]}${compared[1]}`;
  if (shape.form.opcode === '0F 18 /r') return d.memory ? PREFETCHES[d.reg & 7] : 'nop';
  if (mnemonic === 'cmpxchg8b' && d.width === 64) return 'cmpxchg16b';
  if ((d.rex & 8) !== 0 && /^fx(save|rstor)$/.test(mnemonic)) return `${mnemonic}64`;
  const conditional = /^(j|set|cmov)cc$/.exec(mnemonic);
  if (conditional !== null) return conditional[1] + CONDITIONS[shape.opcode & 15];
  return SPELLING[mnemonic] ?? mnemonic;
}

function showOperand(d: Instruction, shape: Shape, operand: Operand, address: bigint): string {
  const width = operandWidth(operand, d.width as Width) || d.width;
  switch (operand.place) {
    case Place.Rm:
      if (d.memory && shape.operands.some((other) => other.file === File.Segment && other.place === Place.Reg))
        return `WORD PTR ${memoryText(d)}`;
      if (d.memory) return pointer(operand, d, width) + memoryText(d);
      return fileRegister(operand, d.rm, width, d);
    case Place.Reg:
      if (/^0F 2[0-3] /.test(shape.form.opcode)) return `${(shape.opcode & 1) === 0 ? 'cr' : 'dr'}${d.reg}`;
      return fileRegister(operand, operand.file === File.Segment ? d.reg & 7 : d.reg, width, d);
    case Place.Opcode:
      return registerName(d.opcodeRegister, width, d.rex !== 0);
    case Place.Fixed:
      if (operand.file === File.Vector) return `xmm${operand.number}`;
      return operand.high ? HIGH_BYTES[operand.number] : registerName(operand.number, width);
    case Place.One:
      return '1';
    case Place.Immediate:
      if (shape.operands.find((other) => other.place === Place.Immediate) !== operand) return hex(BigInt(d.immediate2));
      return immediateText(d, shape, operand, width);
    case Place.Immediate2:
      return hex(BigInt(d.immediate2));
    case Place.Relative:
      return hex(BigInt.asUintN(64, address + BigInt(d.length) + BigInt(d.immediate)));
    case Place.Moffs: {
      const offset = (BigInt(d.immediateHigh >>> 0) << 32n) | BigInt(d.immediate >>> 0);
      return `${d.segment === 0 ? 'ds' : SEGMENTS[d.segment]}:${hex(offset)}`;
    }
    case Place.Source:
      return `${POINTERS[width]}${d.segment === 0 ? 'ds' : SEGMENTS[d.segment]}:[${registerName(6, d.address32 ? 32 : 64)}]`;
    case Place.Destination:
      return `${POINTERS[width]}es:[${registerName(7, d.address32 ? 32 : 64)}]`;
    case Place.Implied:
      return impliedText(d, shape, operand);
  }
}

/** Registers of which only the low word counts are written as 32 bits. */
const shownWidth = (operand: Operand, width: number, d: Instruction): number => {
  const { mnemonic, opcode } = SHAPES[d.form].form;
  if (mnemonic === 'pinsrw' || mnemonic === 'pinsrb' || opcode === '8E /r' || opcode.startsWith('8E /')) return 32;
  return mnemonic === 'crc32' && operand.place === Place.Reg && d.width === 64 ? 64 : width;
};

function fileRegister(operand: Operand, number: number, width: number, d: Instruction): string {
  switch (operand.file) {
    case File.Vector:
      return `xmm${number}`;
    case File.Mmx:
      return `mm${number & 7}`;
    case File.Segment:
      return SEGMENTS[number];
    default:
      return registerName(number, shownWidth(operand, width, d), d.rex !== 0);
  }
}

/** Immediates are shown as they are used: sign-extended to the operation's width, shift counts and selectors as bytes. */
function immediateText(d: Instruction, shape: Shape, operand: Operand, width: number): string {
  const value = (BigInt(d.immediateHigh) << 32n) | BigInt(d.immediate >>> 0);
  const v = shape.operands.some((other) => other.place !== Place.Immediate && /^[vyz]$/.test(other.size));
  const signed = operand.size === 'z' || (operand.size === 'b' && /^(83|6A|6B)/.test(shape.form.opcode));
  const bits = signed ? (v || shape.form.options.default64 === true ? d.width : 64) : operand.size === 'b' ? 8 : width;
  return hex(BigInt.asUintN(bits, value));
}

function pointer(operand: Operand, d: Instruction, width: number): string {
  switch (operand.size) {
    case '':
      if (/^cmpxchg8b$/.test(SHAPES[d.form].form.mnemonic)) return POINTERS[d.width === 64 ? 128 : 64];
      return SHAPES[d.form].form.mnemonic === 'clflush' ? POINTERS[8] : '';
    case 'dq':
    case 'ps':
    case 'pd':
      return POINTERS[128];
    case 't':
      return POINTERS[80];
    case 'ss':
      return POINTERS[32];
    case 'sd':
      return POINTERS[64];
    case 'y':
    case 'v':
      return POINTERS[d.width];
    default:
      return POINTERS[width] ?? '';
  }
}

const ripTarget = (d: Instruction, address: bigint): bigint =>
  BigInt.asUintN(d.address32 ? 32 : 64, address + BigInt(d.length) + BigInt(d.displacement));

function memoryText(d: Instruction): string {
  const width = d.address32 ? 32 : 64;
  const segment = d.segment === 0 ? '' : `${SEGMENTS[d.segment]}:`;
  const displacement = BigInt(d.displacement);
  if (d.ripRelative) return `${segment}[${d.address32 ? 'eip' : 'rip'}+${hex(BigInt.asUintN(64, displacement))}]`;
  if (d.base === NO_REGISTER && d.index === NO_REGISTER)
    return `${segment === '' ? 'ds:' : segment}${hex(BigInt.asUintN(width, displacement))}`;
  const base = d.base === NO_REGISTER ? '' : registerName(d.base, width);
  const index = d.index === NO_REGISTER ? '' : `${registerName(d.index, width)}*${1 << d.scale}`;
  const sum = [base, index].filter((text) => text !== '').join('+');
  return `${segment}[${sum}${displacement === 0n ? '' : signedText(displacement)}]`;
}

const signedText = (value: bigint): string => (value < 0n ? hex(value) : `+${hex(value)}`);

/** x87 operands: which of ST(0) and ST(i) comes first is part of the encoding. */
function impliedText(d: Instruction, shape: Shape, operand: Operand): string {
  if (operand.file === File.Segment) return operand.code.toLowerCase();
  const number = `st(${d.modrm & 7})`;
  const { mnemonic } = shape.form;
  if (/^f(add|sub|mul|div)/.test(mnemonic)) return shape.opcode === 0xd8 ? `st,${number}` : `${number},st`;
  if (/^f(cmov|u?comi)/.test(mnemonic)) return `st,${number}`;
  return number;
}
