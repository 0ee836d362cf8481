/**
 * Decoder tables derived from the forms: for each opcode map, mandatory prefix, REX.W and opcode byte either one form or a
 * table of 256 forms by ModRM byte. Slots are resolved when they are first met, so that loading costs next to nothing.
 *
 * Entry points: `SHAPES` (per form: what the decoder and the engines must know of its encoding), `resolveSlot`.
 */
import { FORMS } from '../forms/index.ts';
import type { Form } from '../forms.ts';
import type { Width } from '../uops.ts';
import { type Operand, Place, parseOperand } from './operands.ts';

/** How a form's operand width follows from prefixes. */
export const enum SizeClass {
  Fixed,
  /** 16, 32 or 64 by prefix 66 and REX.W. */
  V,
  /** 64, or 16 with prefix 66. */
  Default64,
  /** 32, or 64 with REX.W. */
  Y,
}

export const enum Immediate {
  None,
  Byte,
  Word,
  /** 16 or 32 bits by operand size. */
  Z,
  /** 16, 32 or 64 bits by operand size. */
  V,
  RelativeByte,
  RelativeZ,
  Moffs,
  /** 16 bits and then 8 (ENTER). */
  WordByte,
  /** Two bytes (EXTRQ of other processors; kept for completeness of the notation). */
  ByteByte,
}

export interface Shape {
  readonly form: Form;
  readonly index: number;
  readonly operands: readonly Operand[];
  readonly map: number;
  /** First opcode byte and how many consecutive ones (8 for `+r`). */
  readonly opcode: number;
  readonly opcodeCount: number;
  /** Mandatory prefix: 0 none demanded, 0x66, 0xf3, 0xf2, or −1 for NP. */
  readonly prefix: number;
  /** REX.W demanded: undefined when both do. */
  readonly rexW: boolean | undefined;
  readonly modrm: boolean;
  /** Extension in ModRM.reg, or −1. */
  readonly extension: number;
  /** First fixed ModRM byte and count, or count 0. */
  readonly fixedModrm: number;
  readonly fixedCount: number;
  /** −1 any, 0 memory only, 3 register only. */
  readonly mod: number;
  readonly sizeClass: SizeClass;
  readonly width: Width;
  readonly immediate: Immediate;
}

const hex = (token: string): number => Number.parseInt(token, 16);

function immediateOf(operands: readonly Operand[]): Immediate {
  const sizes = operands.filter((o) => o.place === Place.Immediate).map((o) => o.size);
  const relative = operands.find((o) => o.place === Place.Relative);
  if (relative !== undefined) return relative.size === 'b' ? Immediate.RelativeByte : Immediate.RelativeZ;
  if (operands.some((o) => o.place === Place.Moffs)) return Immediate.Moffs;
  if (sizes.length === 2) return sizes[0] === 'w' ? Immediate.WordByte : Immediate.ByteByte;
  switch (sizes[0]) {
    case undefined:
      return Immediate.None;
    case 'b':
      return Immediate.Byte;
    case 'w':
      return Immediate.Word;
    case 'v':
      return Immediate.V;
    default:
      return Immediate.Z;
  }
}

function sizeOf(form: Form, operands: readonly Operand[]): { sizeClass: SizeClass; width: Width } {
  const { widths, default64 } = form.options;
  if (widths !== undefined) {
    if (widths.length === 1) return { sizeClass: SizeClass.Fixed, width: widths[0] };
    if (widths.includes(16)) return { sizeClass: widths.includes(32) ? SizeClass.V : SizeClass.Default64, width: 32 };
    return { sizeClass: SizeClass.Y, width: 32 };
  }
  if (default64) return { sizeClass: SizeClass.Default64, width: 64 };
  const sizes = operands.map((o) => o.size);
  if (sizes.includes('v') || sizes.includes('z')) return { sizeClass: SizeClass.V, width: 32 };
  if (sizes.includes('y')) return { sizeClass: SizeClass.Y, width: 32 };
  const first = operands.find((o) => ['b', 'w', 'd', 'q', 'ss', 'sd'].includes(o.size))?.size;
  const width = first === 'b' ? 8 : first === 'w' ? 16 : first === 'q' || first === 'sd' ? 64 : 32;
  return { sizeClass: SizeClass.Fixed, width };
}

function shapeOf(form: Form, index: number): Shape {
  let prefix = 0;
  let rexW: boolean | undefined;
  let extension = -1;
  let hasModrm = false;
  let opcodeCount = 1;
  const bytes: number[] = [];
  let fixedCount = 0;
  for (const token of form.opcode.split(' ')) {
    if (token === 'NP') prefix = -1;
    else if (token === 'REX.W' || token === 'W1') rexW = true;
    else if (token === 'W0') rexW = false;
    else if (token === '/r') hasModrm = true;
    else if (/^\/[0-7]$/.test(token)) {
      hasModrm = true;
      extension = Number(token[1]);
    } else if (/^[0-9A-F]{2}\+r$/i.test(token)) {
      bytes.push(hex(token));
      opcodeCount = 8;
    } else if (/^[0-9A-F]{2}\+i$/i.test(token)) {
      bytes.push(hex(token));
      fixedCount = 8;
    } else if (/^[0-9A-F]{2}$/i.test(token)) bytes.push(hex(token));
  }
  if (bytes.length > 1 && (bytes[0] === 0x66 || bytes[0] === 0xf3 || bytes[0] === 0xf2)) prefix = bytes.shift()!;
  let map = 0;
  if (bytes[0] === 0x0f && bytes.length > 1) {
    bytes.shift();
    const second: number = bytes[0];
    map = bytes.length === 1 ? 1 : second === 0x38 ? 2 : second === 0x3a ? 3 : 1;
    if (map > 1) bytes.shift();
  }
  const opcode = bytes[0];
  let fixedModrm = 0;
  if (bytes.length > 1) {
    fixedModrm = bytes[1];
    if (fixedCount === 0) fixedCount = 1;
    hasModrm = true;
  }
  const operands = form.operands.map(parseOperand);
  const rm = operands.filter((o) => o.place === Place.Rm);
  if (rm.length > 0 || operands.some((o) => o.place === Place.Reg)) hasModrm = true;
  let mod = -1;
  if (rm.length > 0 && !rm.some((o) => o.register)) mod = 0;
  else if (rm.length > 0 && !rm.some((o) => o.memory)) mod = 3;
  return {
    form,
    index,
    operands,
    map,
    opcode,
    opcodeCount,
    prefix,
    rexW,
    modrm: hasModrm,
    extension,
    fixedModrm,
    fixedCount,
    mod,
    ...sizeOf(form, operands),
    immediate: immediateOf(operands),
  };
}

/** What the decoder must know of each form, by form index. */
export const SHAPES: readonly Shape[] = FORMS.map(shapeOf);

const GROUPS = new Map<number, Shape[]>();
for (const shape of SHAPES) {
  for (let i = 0; i < shape.opcodeCount; i++) {
    const key = (shape.map << 8) | (shape.opcode + i);
    const group = GROUPS.get(key);
    if (group === undefined) GROUPS.set(key, [shape]);
    else group.push(shape);
  }
}

/** Prefix classes: none, 66, F3, F2. */
const PREFIX_BYTES = [0, 0x66, 0xf3, 0xf2];

/** A slot's value before it was resolved, and when no form takes it. */
export const UNRESOLVED = 0;
export const NO_FORM = -1;
/** Slots hold 1 + form index, `NO_FORM`, or −2 − number of a ModRM table. */
export const SLOTS = new Int16Array(4 * 2 * 4 * 256);
/** ModRM tables: 256 entries each, 1 + form index or `NO_FORM`. */
export const MODRM_TABLES: Int16Array[] = [];

/** Slot number of an opcode. */
export const slotOf = (prefixClass: number, rexW: number, map: number, opcode: number): number =>
  (((prefixClass << 1) | rexW) << 10) | (map << 8) | opcode;

const specificity = (shape: Shape): number =>
  (shape.fixedCount === 1 ? 64 : shape.fixedCount > 1 ? 32 : 0) +
  (shape.extension >= 0 ? 8 : 0) +
  (shape.mod >= 0 ? 4 : 0) +
  (shape.prefix > 0 ? 128 : shape.prefix < 0 ? 2 : 0) +
  (shape.rexW !== undefined ? 1 : 0) +
  (shape.opcodeCount === 1 ? 16 : 0);

function accepts(shape: Shape, modrm: number): boolean {
  if (shape.fixedCount > 0 && (modrm < shape.fixedModrm || modrm >= shape.fixedModrm + shape.fixedCount)) return false;
  if (shape.extension >= 0 && ((modrm >> 3) & 7) !== shape.extension) return false;
  if (shape.fixedCount === 0 && shape.mod === 0 && modrm >= 0xc0) return false;
  if (shape.fixedCount === 0 && shape.mod === 3 && modrm < 0xc0) return false;
  return true;
}

/** Resolves a slot that holds `UNRESOLVED` and returns its value. */
export function resolveSlot(prefixClass: number, rexW: number, map: number, opcode: number): number {
  const slot = slotOf(prefixClass, rexW, map, opcode);
  const mandatory = PREFIX_BYTES[prefixClass];
  const candidates = (GROUPS.get((map << 8) | opcode) ?? [])
    .filter((shape) => {
      if (shape.prefix === -1 && prefixClass !== 0) return false;
      if (shape.prefix > 0 && shape.prefix !== mandatory) return false;
      return shape.rexW === undefined || shape.rexW === (rexW === 1);
    })
    .sort((a, b) => specificity(b) - specificity(a));
  let value = NO_FORM;
  if (candidates.length > 0) {
    const first = candidates[0];
    if (!first.modrm || (first.extension < 0 && first.mod < 0 && first.fixedCount === 0)) value = first.index + 1;
    else {
      const table = new Int16Array(256);
      for (let modrm = 0; modrm < 256; modrm++) {
        const found = candidates.find((shape) => accepts(shape, modrm));
        table[modrm] = found === undefined ? NO_FORM : found.index + 1;
      }
      MODRM_TABLES.push(table);
      value = -1 - MODRM_TABLES.length;
    }
  }
  SLOTS[slot] = value;
  return value;
}

/** The form of `90+r` (XCHG) for an opcode byte 90 with REX.B, which is not NOP. */
export const EXCHANGE_FORM = SHAPES.findIndex((s) => s.map === 0 && s.opcode === 0x90 && s.opcodeCount === 8);

const perForm = (value: (shape: Shape) => number): Int8Array => Int8Array.from(SHAPES, value);
export const FORM_MODRM = perForm((s) => (s.modrm ? 1 : 0));
export const FORM_SIZE_CLASS = perForm((s) => s.sizeClass);
export const FORM_WIDTH = perForm((s) => s.width);
export const FORM_IMMEDIATE = perForm((s) => s.immediate);
export const FORM_LOCKABLE = perForm((s) => (s.form.options.lockable ? 1 : 0));
/** 0 none, 1 REP, 2 REPE/REPNE. */
export const FORM_REPEAT = perForm((s) =>
  s.form.options.repeat === undefined ? 0 : s.form.options.repeat === 'rep' ? 1 : 2,
);
export const FORM_ENDS = perForm((s) => (s.form.options.ends ? 1 : 0));
/** Whether prefix 66 is mandatory, so that it does not change the operand size. */
export const FORM_MANDATORY_66 = perForm((s) => (s.prefix === 0x66 ? 1 : 0));
