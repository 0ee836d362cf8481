/**
 * Random encodings of an instruction form: prefixes in any order, REX, registers, every addressing mode, immediates.
 * `encode(form, address, random)` returns the bytes and what the state generator must know to aim the memory operand.
 * Left out on purpose: prefixes that change which instruction it is, and 66 on near branches (vendors differ).
 */
import type { Form } from '../../src/cpu/forms.ts';
import {
  BOUNDARIES,
  CODE_BASE,
  CODE_SIZE,
  FS_BASE_VALUE,
  GS_BASE_VALUE,
  HIGH_DATA,
  LANDING,
  LOW_DATA,
  SLOT_SIZE,
} from './layout.ts';
import { type Notation, operandBytes, readOpcode, readOperand, widthsOf } from './notation.ts';
import type { Random } from './random.ts';

/** A memory operand: `segment base + truncated(base + index * scale + displacement)`. */
export interface MemoryOperand {
  /** Register numbers, −1 for none. */
  readonly base: number;
  readonly index: number;
  /** log2 of the scale. */
  readonly scale: number;
  readonly displacement: bigint;
  readonly segmentBase: bigint;
  readonly address32: boolean;
  /** Bytes accessed, 0 if unknown. */
  readonly bytes: number;
  /** For modes without registers: the target address and its window's boundary, settled when encoded. */
  readonly target: bigint | undefined;
  readonly boundary: bigint;
}

export interface Encoding {
  readonly form: Form;
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly width: number;
  readonly memory: MemoryOperand | undefined;
  readonly segment: '' | 'fs' | 'gs';
  readonly address32: boolean;
  readonly repeat: '' | 'rep' | 'repne';
  readonly locked: boolean;
  /** ModRM.reg and ModRM.rm (or opcode) registers with their REX bits, −1 if absent or memory. */
  readonly reg: number;
  readonly rm: number;
  readonly rex: boolean;
  /** Which windows implied memory operands may use. */
  readonly space: 'low' | 'high' | 'any';
  /** Immediate operand, sign-extended, 0 if none. */
  readonly immediate: number;
  /** The instructions of a sequence (sequence.ts), and the boundary of its window. */
  readonly parts?: readonly Encoding[];
  readonly page?: number;
  /** Some states have TF set. */
  readonly steps?: boolean;
  /** What counts as a variant in the table of coverage. */
  readonly variant: string;
}

/** Memory operands whose size the operand code does not give. */
const MNEMONIC_BYTES: Readonly<Record<string, number>> = {
  fxsave: 512,
  fxsave64: 512,
  fxrstor: 512,
  fxrstor64: 512,
  fnsave: 108,
  fsave: 108,
  frstor: 108,
  fnstenv: 28,
  fstenv: 28,
  fldenv: 28,
  cmpxchg8b: 8,
  cmpxchg16b: 16,
};

/** Instructions with memory operands that no ModRM byte names. */
export const IMPLIED_MEMORY = /^(movs|cmps|scas|lods|stos)[bwdqv]?$|^(xlat|xlatb|maskmovdqu|maskmovq)$/;
export const STACK_USER = /^(push|pop|call|ret|retn|enter|leave|pushf|popf)/;

export const isString = (form: Form): boolean =>
  /^(movs|cmps|scas|lods|stos)/.test(form.mnemonic) && IMPLIED_MEMORY.test(form.mnemonic) && !isSimd(form);
/** Whether the instruction may continue elsewhere: INT3 stands where it can go. */
export const transfers = (form: Form): boolean =>
  form.options.ends === true || form.operands.some((code) => code.startsWith('J')) || form.mnemonic === 'call';
export const isSimd = (form: Form): boolean => form.operands.some((code) => /^[VWUPQN](?!X)/.test(code));

/** How many bytes of memory content around the boundary a form needs. */
export const windowBytes = (form: Form): number => ((MNEMONIC_BYTES[form.mnemonic] ?? 0) > 28 ? 1280 : 256);

/** A boundary's address in the low or high data area. */
export const boundaryAddress = (page: number, high: boolean): bigint =>
  (high ? HIGH_DATA : LOW_DATA) + BigInt(page) * 4096n;

/** A random page boundary: mostly the plain one, else one with a page that is absent or read-only. */
export const pickBoundary = (random: Random): number =>
  random.chance(92) ? BOUNDARIES[0] : BOUNDARIES[1 + random.below(BOUNDARIES.length - 1)]!;

/** An access address near a boundary, all of the access inside the window. */
export function aimOffset(random: Random, bytes: number, half: number, special: boolean): number {
  const size = bytes === 0 ? 16 : bytes;
  const align = size >= 16 ? 16 : Math.min(size, 8);
  const kind = random.below(100);
  const room = half - size - 16;
  if ((kind < 12 || (special && kind < 40)) && size > 1) return -1 - random.below(size - 1);
  const offset = -half + 16 + random.below(half + room);
  return kind < 30 ? offset : offset & -align;
}

/** What an instruction inside a sequence is restricted to. */
export interface Within {
  /** Boundary that fixed addresses are near. */
  readonly page: number;
  /** Registers that may be the base of a memory operand. */
  readonly bases: readonly number[];
  /** Address of the sequence's first instruction: jumps go outside. */
  readonly start: number;
}

/** The choices that the SDM's notation leaves open, drawn at random. */
export function encode(
  form: Form,
  address: number,
  random: Random,
  notation: Notation = readOpcode(form),
  within?: Within,
): Encoding {
  const operands = form.operands.map(readOperand);
  const width = random.pick(widthsOf(form));
  const simd = isSimd(form);
  const ends = transfers(form);
  const rmOperand = operands.find((o) => 'EMWQRUN'.includes(o.kind) && o.kind.length === 1);
  const memoryAllowed = rmOperand === undefined ? notation.modrm !== 'none' : 'EMWQ'.includes(rmOperand.kind);
  const registerAllowed = rmOperand === undefined || rmOperand.kind !== 'M';
  const usesMemory = notation.modrm !== 'none' && memoryAllowed && (!registerAllowed || random.chance(55));
  const moffs = operands.some((o) => o.kind === 'O');
  const implied = IMPLIED_MEMORY.test(form.mnemonic);
  const anyMemory = usesMemory || moffs || implied;

  // Prefixes.
  const prefixes: number[] = [];
  let segment: Encoding['segment'] = '';
  let segmentBase = 0n;
  if (anyMemory && within === undefined && random.chance(22)) {
    segment = random.chance(50) ? 'fs' : 'gs';
    segmentBase = segment === 'fs' ? FS_BASE_VALUE : GS_BASE_VALUE;
    prefixes.push(segment === 'fs' ? 0x64 : 0x65);
  } else if (random.chance(4) && !ends) prefixes.push(random.pick([0x26, 0x2e, 0x36, 0x3e]));
  const counts = /^(loop|j[er]?cxz)/.test(form.mnemonic);
  const address32 = within === undefined && (anyMemory || counts) && random.chance(12);
  if (address32) prefixes.push(0x67);
  let locked = false;
  const destinationInMemory = usesMemory && rmOperand === operands[0];
  if (form.options.lockable && destinationInMemory && random.chance(30)) {
    prefixes.push(0xf0);
    locked = true;
  }
  let repeat: Encoding['repeat'] = '';
  if (form.options.repeat && within === undefined && random.chance(70)) {
    repeat = form.options.repeat === 'repe' && random.chance(50) ? 'repne' : 'rep';
    prefixes.push(repeat === 'rep' ? 0xf3 : 0xf2);
  }
  if (notation.mandatory !== 0) prefixes.push(notation.mandatory);
  const hasWidth = !(
    width === 8 ||
    (form.options.widths !== undefined && form.options.widths.length === 1 && width !== 16)
  );
  if (hasWidth && width === 16 && notation.mandatory !== 0x66) prefixes.push(0x66);
  for (let i = prefixes.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [prefixes[i], prefixes[j]] = [prefixes[j]!, prefixes[i]!];
  }

  // REX and registers.
  let rex = 0;
  const wide = notation.rexW || (width === 64 && !(form.options.default64 && random.chance(80)) && needsRexW(form));
  if (wide) rex |= 0x48;
  const extended = random.chance(45);
  if (extended) rex |= 0x40 | (random.u32() & 7);
  if (notation.modrm === 'none' && notation.adds !== 'register') rex &= ~7;
  if (!extended && rex !== 0 && !wide) rex = 0;
  let reg = notation.modrm === 'register' ? random.below(8) : typeof notation.modrm === 'number' ? notation.modrm : -1;
  const segmentRegister = operands.some((o) => o.kind === 'S');
  if (segmentRegister) {
    reg = random.below(6);
    rex &= ~4;
  }

  const out: number[] = [];
  const opcode = [...notation.bytes];
  let rm = -1;
  let memory: MemoryOperand | undefined;
  let ripDisplacementAt = -1;
  let target: bigint | undefined;
  let boundary = 0n;
  const unnamed = form.mnemonic === 'cmpxchg8b' && width === 64 ? 16 : (MNEMONIC_BYTES[form.mnemonic] ?? 0);
  const accessBytes = rmOperand ? operandBytes(rmOperand.size, width) || unnamed : 0;
  const half = windowBytes(form) / 2;
  const settle = (): bigint => {
    const page = within?.page ?? pickBoundary(random);
    boundary = boundaryAddress(page, segment === 'gs');
    return boundary + BigInt(aimOffset(random, moffs ? width / 8 : accessBytes, half, page !== BOUNDARIES[0]));
  };

  if (notation.adds !== 'none') {
    const number = random.below(8);
    opcode[opcode.length - 1]! |= number;
    if (notation.adds === 'register') rm = number | ((rex & 1) << 3);
  }
  const modrmBytes: number[] = [];
  let mode = '';
  if (notation.modrm !== 'none') {
    const r = reg << 3;
    if (!usesMemory) {
      const number = random.below(8);
      modrmBytes.push(0xc0 | r | number);
      rm = number | ((rex & 1) << 3);
      mode = 'r';
    } else {
      const b = (rex & 1) << 3;
      const x = (rex & 2) << 2;
      const choice = random.below(within === undefined ? 100 : 20);
      let base = -1;
      let index = -1;
      let scale = 0;
      let displacement = 0;
      let displacementBytes = 0;
      if (within !== undefined && choice >= 8) {
        base = random.pick(within.bases);
        rex = (base > 7 ? rex | 0x41 : rex & ~1) & ~2;
        displacement = (random.u32() << 28) >> 28;
        displacementBytes = 1;
        modrmBytes.push(0x40 | r | (base & 7));
        if ((base & 7) === 4) modrmBytes.push(0x24);
        mode = 'base';
      } else if (choice < (within === undefined ? 12 : 6)) {
        // RIP-relative.
        modrmBytes.push(r | 5, 0, 0, 0, 0);
        ripDisplacementAt = 1;
        target = settle();
        mode = 'rip';
      } else if (choice < 20) {
        // SIB without base: disp32 with or without an index.
        const i = within !== undefined || random.chance(40) ? 4 : random.below(8);
        if (within !== undefined) rex &= ~2;
        index = i === 4 && (x === 0 || within !== undefined) ? -1 : i | x;
        scale = random.below(4);
        modrmBytes.push(r | 4, (scale << 6) | (i << 3) | 5);
        displacementBytes = 4;
        if (index === -1) {
          target = settle();
          displacement = Number(BigInt.asIntN(32, target - segmentBase));
        } else displacement = randomDisplacement(random, 4);
        mode = index === -1 ? 'abs' : 'index';
      } else {
        const mod = random.below(3);
        const sib = random.chance(50);
        if (sib) {
          const i = random.below(8);
          let n = random.below(8);
          if (n === 5 && mod === 0) n = 3;
          index = i === 4 && x === 0 ? -1 : i | x;
          scale = random.below(4);
          base = n | b;
          modrmBytes.push((mod << 6) | r | 4, (scale << 6) | (i << 3) | n);
        } else {
          let n = random.below(8);
          if (n === 4 || (n === 5 && mod === 0)) n = 6;
          base = n | b;
          modrmBytes.push((mod << 6) | r | n);
        }
        displacementBytes = mod === 0 ? 0 : mod === 1 ? 1 : 4;
        if (displacementBytes > 0) displacement = randomDisplacement(random, displacementBytes);
        mode = index === -1 ? 'base' : 'sib';
      }
      for (let i = 0; i < displacementBytes; i++) modrmBytes.push((displacement >> (8 * i)) & 0xff);
      memory = {
        base,
        index,
        scale,
        displacement: BigInt(displacement),
        segmentBase,
        address32,
        bytes: accessBytes,
        target,
        boundary,
      };
    }
  }
  if (reg >= 0 && notation.modrm === 'register') reg |= (rex & 4) << 1;

  out.push(...prefixes);
  if (rex !== 0) out.push(rex);
  out.push(...opcode);
  const modrmAt = out.length;
  out.push(...modrmBytes);

  let immediate = 0;
  for (const operand of operands) {
    if (operand.kind === 'I') {
      const bytes =
        operand.size === 'v'
          ? width / 8
          : operand.size === 'z'
            ? Math.min(4, width / 8)
            : operandBytes(operand.size, width);
      const value = new Int32Array(2);
      random.integer(value, 0);
      const halves = [value[0]!, value[1]!];
      for (let i = 0; i < bytes; i++) out.push((halves[i >> 2]! >> (8 * (i & 3))) & 0xff);
      immediate = (halves[0]! << (32 - 8 * Math.min(4, bytes))) >> (32 - 8 * Math.min(4, bytes));
    } else if (operand.kind === 'O') {
      target = settle();
      const offset = BigInt.asUintN(64, target - segmentBase);
      const bytes = address32 ? 4 : 8;
      for (let i = 0; i < bytes; i++) out.push(Number((offset >> BigInt(8 * i)) & 0xffn));
      const size = form.operands.some((code) => code === 'AL') ? 1 : width / 8;
      memory = {
        base: -1,
        index: -1,
        scale: 0,
        displacement: offset,
        segmentBase,
        address32,
        bytes: size,
        target,
        boundary,
      };
      mode = 'moffs';
    } else if (operand.kind === 'J') {
      const bytes = operand.size === 'b' ? 1 : 4;
      const next = address + out.length + bytes;
      const relative = pickTarget(random, within?.start ?? address, next, bytes);
      for (let i = 0; i < bytes; i++) out.push((relative >> (8 * i)) & 0xff);
    }
  }
  if (ripDisplacementAt >= 0) {
    const next = BigInt(address + out.length);
    const displacement = BigInt.asIntN(32, target! - segmentBase - next);
    for (let i = 0; i < 4; i++) out[modrmAt + ripDisplacementAt + i] = Number((displacement >> BigInt(8 * i)) & 0xffn);
  }
  if (out.length > 15) throw new Error(`encoding of ${form.mnemonic} is too long`);
  let oddity = '';
  if (within === undefined && ripDisplacementAt < 0 && !ends) {
    // Now and then what is invalid, or just not: LOCK without a memory destination, 15 bytes and more.
    const odd = random.below(100);
    if (odd === 0 && !locked && !(form.options.lockable && destinationInMemory)) {
      out.unshift(0xf0);
      oddity = ' illegal lock';
    } else if (odd === 1 && segment === '') {
      const length = Math.max(out.length, 12 + random.below(6));
      while (out.length < length) out.unshift(0x3e);
      oddity = ' padded';
    }
  }

  const fixedLow = (address32 || segment === 'fs') && segment !== 'gs';
  return {
    form,
    bytes: Uint8Array.from(out),
    address,
    width,
    memory,
    segment,
    address32,
    repeat,
    locked,
    reg: notation.modrm === 'register' ? reg : -1,
    rm,
    rex: rex !== 0,
    space: fixedLow ? 'low' : segment === 'gs' && address32 ? 'high' : segment === '' && !simd ? 'any' : 'any',
    immediate,
    variant: `${width} ${mode} ${segment}${address32 ? ' a32' : ''}${locked ? ' lock' : ''} ${repeat}${rex !== 0 ? ' rex' : ''}${oddity}`,
    steps: within === undefined && !/^(popf|iret|mov|pop|int1|int3)$/.test(form.mnemonic),
  };
}

/** Whether operand size 64 has to be asked for with REX.W. */
function needsRexW(form: Form): boolean {
  if (form.options.widths?.length === 1) return false;
  return (
    form.options.default64 === true ||
    widthsOf(form).some((width) => width !== 64) ||
    form.operands.some((code) => /[vyz]$|^[er]AX$/.test(code))
  );
}

function randomDisplacement(random: Random, bytes: number): number {
  const value = random.u32();
  if (bytes === 1) return (value << 24) >> 24;
  return (value & 0x300) === 0 ? (value << 8) >> 24 : value;
}

/** A jump distance whose target holds INT3, or is absent or not executable (long jumps only). */
function pickTarget(random: Random, start: number, next: number, bytes: number): number {
  if (bytes === 1 || random.chance(30)) {
    for (;;) {
      const relative = (random.u32() << 24) >> 24;
      if (next + relative < start || next + relative >= next) return relative;
    }
  }
  return pickLanding(random) - next;
}

export function pickLanding(random: Random): number {
  const choice = random.below(100);
  if (choice < 88) return LANDING + 64 + random.below(CODE_BASE + CODE_SIZE - LANDING - 128);
  if (choice < 94) return Number(LOW_DATA) + 0x1000 + random.below(256);
  return Number(LOW_DATA) + 0x3000 + random.below(4096);
}

/** Where the encoding of slot `slot` of a batch stands: in the slot's middle, sometimes across a page's end. */
export function slotAddress(slot: number, random: Random, ends: boolean): number {
  const middle = CODE_BASE + slot * SLOT_SIZE + SLOT_SIZE / 2;
  if (ends || slot % 8 !== 7 || !random.chance(50)) return middle + random.below(16) - 8;
  return CODE_BASE + (slot + 1) * SLOT_SIZE - 1 - random.below(14);
}
