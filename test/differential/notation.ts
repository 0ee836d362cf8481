/**
 * Reads the notation of instruction forms (src/cpu/forms.ts) for the generator of random encodings. Written on its own,
 * not shared with the decoder, so that a misreading on one side shows.
 */
import type { Form } from '../../src/cpu/forms.ts';

/** What the opcode string of a form says. */
export interface Notation {
  readonly mandatory: number;
  /** Escape bytes, opcode byte and fixed ModRM bytes. */
  readonly bytes: readonly number[];
  /** ModRM byte: none, with a register operand, or with this opcode extension. */
  readonly modrm: 'none' | 'register' | number;
  /** The last byte of `bytes` takes a register number: general (3 bits and REX.B) or x87. */
  readonly adds: 'none' | 'register' | 'stack';
  readonly rexW: boolean;
}

export function readOpcode(form: Form): Notation {
  let mandatory = 0;
  const bytes: number[] = [];
  let modrm: Notation['modrm'] = 'none';
  let adds: Notation['adds'] = 'none';
  let rexW = false;
  for (const token of form.opcode.trim().split(/\s+/)) {
    const sum = /^([0-9A-F]{2})\+([ri])$/i.exec(token);
    if (token === 'NP' || token === 'W0') continue;
    if (token === 'REX.W' || token === 'W1') rexW = true;
    else if (token === '/r') modrm = 'register';
    else if (/^\/[0-7]$/.test(token)) modrm = Number(token[1]);
    else if (token === '+r' || token === '+rd') adds = 'register';
    else if (token === '+i') adds = 'stack';
    else if (sum) {
      bytes.push(Number.parseInt(sum[1]!, 16));
      adds = sum[2] === 'r' ? 'register' : 'stack';
    } else if (/^[0-9A-F]{2}$/i.test(token)) {
      const byte = Number.parseInt(token, 16);
      if (bytes.length === 0 && mandatory === 0 && (byte === 0x66 || byte === 0xf2 || byte === 0xf3)) mandatory = byte;
      else bytes.push(byte);
    } else throw new Error(`cannot read the opcode "${form.opcode}" of ${form.mnemonic}`);
  }
  return { mandatory, bytes, modrm, adds, rexW };
}

/** One operand code: its kind letter and size suffix, or a fixed register. */
export interface Operand {
  readonly kind: string;
  readonly size: string;
}

const OPERAND = /^([EGMRIJOVWUPQNSZXY])(b|w|dq|d|q|v|y|z|ss|sd|ps|pd|t|s|)$/;

export function readOperand(code: string): Operand {
  if (/^ST/i.test(code)) return { kind: 'stack', size: '' };
  if (/^([CDEFGS]S|XMM\d+)$/.test(code)) return { kind: 'fixed', size: '' };
  const match = OPERAND.exec(code);
  if (match) return { kind: match[1]!, size: match[2]! };
  return { kind: 'fixed', size: /^[er][A-DS][XPI]$/.test(code) ? 'v' : '' };
}

/** Operand widths a form takes; 8 stands for a form without a v-sized operand. */
export function widthsOf(form: Form): readonly number[] {
  const sizes = form.operands.map((code) => readOperand(code).size);
  const ends = form.options.ends === true || form.operands.some((code) => code.startsWith('J'));
  let widths: readonly number[] = [8];
  if (form.options.widths) widths = form.options.widths;
  else if (sizes.some((size) => size === 'v' || size === 'z'))
    widths = form.options.default64 ? [16, 64] : [16, 32, 64];
  else if (sizes.includes('y')) widths = [32, 64];
  // Whether 66 shortens the target of a near branch differs between vendors.
  return ends && widths.length > 1 ? widths.filter((width) => width !== 16) : widths;
}

/** Bytes of memory the operand takes; 0 if its code does not say. */
export function operandBytes(size: string, width: number): number {
  switch (size) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
    case 'ss':
      return 4;
    case 'q':
    case 'sd':
      return 8;
    case 'dq':
    case 'ps':
    case 'pd':
      return 16;
    case 't':
      return 10;
    case 'v':
    case 'y':
      return width / 8;
    case 'z':
      return Math.min(4, width / 8);
    default:
      return 0;
  }
}
