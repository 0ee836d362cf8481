/**
 * The instruction decoder: bytes to form, variant and operands (SDM Vol. 2, chapter 2). It fills one reused `Instruction`
 * and allocates nothing. It knows neither pages nor permissions: callers give it the bytes that can be fetched.
 *
 * Entry point: `decode`.
 */
import {
  EXCHANGE_FORM,
  FORM_IMMEDIATE,
  FORM_LOCKABLE,
  FORM_MANDATORY_66,
  FORM_MODRM,
  FORM_REPEAT,
  FORM_SIZE_CLASS,
  FORM_WIDTH,
  Immediate,
  MODRM_TABLES,
  resolveSlot,
  SizeClass,
  SLOTS,
  slotOf,
  UNRESOLVED,
} from './table.ts';

export const enum Status {
  Ok = 0,
  /** The instruction is longer than the bytes given. */
  Short = 1,
  /** #UD. */
  Invalid = 2,
  /** Longer than 15 bytes: #GP. */
  TooLong = 3,
}

/** How the memory operand's address is formed. */
export const enum AddressKind {
  /** No memory operand by ModRM, no segment override and no prefix 67. */
  None = 0,
  /** base + displacement. */
  Base = 1,
  /** Displacement alone, absolute or relative to RIP. */
  Absolute = 2,
  /** base + index · scale + displacement. */
  Full = 3,
  /** As `Full`, plus the base of FS or GS. */
  Segment = 4,
  /** As `Segment`, offset truncated to 32 bits (prefix 67). */
  Short = 5,
}

/** Number of "no register" for base and index. */
export const NO_REGISTER = 16;

export class Instruction {
  form = 0;
  /** Operand width in bits. */
  width = 0;
  length = 0;
  /** Whether ModRM names memory. */
  memory = false;
  modrm = 0;
  /** ModRM.reg and ModRM.rm (or the opcode's register) with REX bits; `reg` also without (`regLow`) for MMX. */
  reg = 0;
  rm = 0;
  opcodeRegister = 0;
  rex = 0;
  base = NO_REGISTER;
  index = NO_REGISTER;
  /** log2 of the scale. */
  scale = 0;
  /** Displacement, signed; RIP-relative ones still relative to the next instruction. */
  displacement = 0;
  ripRelative = false;
  addressKind = AddressKind.None;
  /** 0 none, 4 FS, 5 GS. */
  segment = 0;
  address32 = false;
  lock = false;
  /** 0 none, 1 F3, 2 F2, for string instructions. */
  repeat = 0;
  /** Immediate as two 32-bit halves, sign-extended; relative targets as displacement. */
  immediate = 0;
  immediateHigh = 0;
  immediate2 = 0;
  prefix66 = false;
}

/** 1: 66, 2: F3, 3: F2, 4: 67, 5: LOCK, 6: ignored segment, 7: FS, 8: GS, 9: REX. */
const PREFIX = new Uint8Array(256);
PREFIX[0x66] = 1;
PREFIX[0xf3] = 2;
PREFIX[0xf2] = 3;
PREFIX[0x67] = 4;
PREFIX[0xf0] = 5;
PREFIX[0x26] = PREFIX[0x2e] = PREFIX[0x36] = PREFIX[0x3e] = 6;
PREFIX[0x64] = 7;
PREFIX[0x65] = 8;
PREFIX.fill(9, 0x40, 0x50);

const MAX_LENGTH = 15;

/** Decodes the instruction at `bytes[start]`, of which bytes before `end` can be fetched. */
export function decode(bytes: Uint8Array, start: number, end: number, d: Instruction): Status {
  let at = start;
  let prefix66 = 0;
  let repeat = 0;
  let rex = 0;
  let segment = 0;
  let address32 = false;
  let lock = false;
  let byte = bytes[at++];
  for (let kind = PREFIX[byte]; kind !== 0; kind = PREFIX[byte]) {
    if (kind === 9) rex = byte;
    else {
      rex = 0;
      if (kind === 1) prefix66 = 1;
      else if (kind < 4) repeat = kind;
      else if (kind === 4) address32 = true;
      else if (kind === 5) lock = true;
      else if (kind > 6) segment = kind - 3;
    }
    if (at - start > MAX_LENGTH - 1) return Status.TooLong;
    if (at >= end) return Status.Short;
    byte = bytes[at++];
  }
  let map = 0;
  if (byte === 0x0f) {
    if (at >= end) return at - start >= MAX_LENGTH ? Status.TooLong : Status.Short;
    byte = bytes[at++];
    map = 1;
    if (byte === 0x38 || byte === 0x3a) {
      if (at >= end) return at - start >= MAX_LENGTH ? Status.TooLong : Status.Short;
      map = byte === 0x38 ? 2 : 3;
      byte = bytes[at++];
    }
  }
  const rexW = (rex >> 3) & 1;
  const prefixClass = repeat !== 0 ? repeat : prefix66;
  let form = SLOTS[slotOf(prefixClass, rexW, map, byte)];
  if (form === UNRESOLVED) form = resolveSlot(prefixClass, rexW, map, byte);
  if (form < -1) {
    if (at >= end) return at - start >= MAX_LENGTH ? Status.TooLong : Status.Short;
    form = MODRM_TABLES[-2 - form][bytes[at]];
  }
  if (form < 0) return Status.Invalid;
  form--;
  if (map === 0 && byte === 0x90 && (rex & 1) !== 0) form = EXCHANGE_FORM;
  d.form = form;
  d.rex = rex;
  d.opcodeRegister = (byte & 7) | ((rex & 1) << 3);
  d.segment = segment;
  d.address32 = address32;
  d.lock = lock;
  d.prefix66 = prefix66 !== 0;
  const repeatable = FORM_REPEAT[form];
  d.repeat = repeatable === 0 || repeat === 0 ? 0 : repeatable === 1 ? 1 : repeat - 1;
  const mandatory66 = FORM_MANDATORY_66[form] !== 0;
  let width = FORM_WIDTH[form];
  switch (FORM_SIZE_CLASS[form]) {
    case SizeClass.V:
      width = rexW !== 0 ? 64 : prefix66 !== 0 && !mandatory66 ? 16 : 32;
      break;
    case SizeClass.Default64:
      width = prefix66 !== 0 && rexW === 0 ? 16 : 64;
      break;
    case SizeClass.Y:
      width = rexW !== 0 ? 64 : 32;
      break;
  }
  d.width = width;
  let kind = segment !== 0 ? AddressKind.Segment : AddressKind.None;
  if (address32) kind = AddressKind.Short;
  d.memory = false;
  d.ripRelative = false;
  d.base = NO_REGISTER;
  d.index = NO_REGISTER;
  d.scale = 0;
  d.displacement = 0;
  if (FORM_MODRM[form] !== 0) {
    const modrm = bytes[at++];
    const mod = modrm >> 6;
    d.modrm = modrm;
    d.reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
    let rm = modrm & 7;
    if (mod === 3) {
      d.rm = rm | ((rex & 1) << 3);
    } else {
      d.memory = true;
      let absolute = false;
      let displacementBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
      if (rm === 4) {
        const sib = bytes[at++];
        const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
        rm = sib & 7;
        d.scale = sib >> 6;
        if (index !== 4) d.index = index;
        if (rm === 5 && mod === 0) {
          displacementBytes = 4;
          absolute = true;
        } else d.base = rm | ((rex & 1) << 3);
      } else if (rm === 5 && mod === 0) {
        displacementBytes = 4;
        absolute = true;
        d.ripRelative = true;
      } else d.base = rm | ((rex & 1) << 3);
      if (displacementBytes === 1) d.displacement = (bytes[at++] << 24) >> 24;
      else if (displacementBytes === 4) {
        d.displacement = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
        at += 4;
      }
      if (kind === AddressKind.None) {
        kind = d.index !== NO_REGISTER ? AddressKind.Full : absolute ? AddressKind.Absolute : AddressKind.Base;
      }
    }
  }
  d.addressKind = kind;
  d.immediateHigh = 0;
  d.immediate = 0;
  // The number of an STi operand; immediates below overwrite it.
  d.immediate2 = d.modrm & 7;
  switch (FORM_IMMEDIATE[form]) {
    case Immediate.None:
      break;
    case Immediate.Byte:
    case Immediate.RelativeByte:
      d.immediate = (bytes[at++] << 24) >> 24;
      d.immediateHigh = d.immediate >> 31;
      break;
    case Immediate.Word:
      d.immediate = ((bytes[at] | (bytes[at + 1] << 8)) << 16) >> 16;
      d.immediateHigh = d.immediate >> 31;
      at += 2;
      break;
    case Immediate.Z:
    case Immediate.V:
      if (width === 16) {
        d.immediate = ((bytes[at] | (bytes[at + 1] << 8)) << 16) >> 16;
        d.immediateHigh = d.immediate >> 31;
        at += 2;
        break;
      }
      d.immediate = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      at += 4;
      if (width === 64 && FORM_IMMEDIATE[form] === Immediate.V) {
        d.immediateHigh = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
        at += 4;
      } else d.immediateHigh = d.immediate >> 31;
      break;
    case Immediate.RelativeZ:
      d.immediate = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      d.immediateHigh = d.immediate >> 31;
      at += 4;
      break;
    case Immediate.Moffs:
      d.immediate = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      at += 4;
      if (!address32) {
        d.immediateHigh = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
        at += 4;
      }
      break;
    case Immediate.WordByte:
      d.immediate = bytes[at] | (bytes[at + 1] << 8);
      d.immediate2 = bytes[at + 2];
      at += 3;
      break;
    case Immediate.ByteByte:
      d.immediate = bytes[at];
      d.immediate2 = bytes[at + 1];
      at += 2;
      break;
  }
  d.length = at - start;
  if (d.length > MAX_LENGTH) return Status.TooLong;
  if (at > end) return Status.Short;
  if (lock && (!d.memory || FORM_LOCKABLE[form] === 0)) return Status.Invalid;
  return Status.Ok;
}
