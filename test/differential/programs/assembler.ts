/**
 * Just enough of an assembler for random programs: bytes, labels, relative and absolute references to them, and operands.
 * Entry points: `Assembler`, `modrm`.
 */

export type Label = number;

interface Fixup {
  readonly at: number;
  readonly label: Label;
  readonly kind: 'rel32' | 'rel8' | 'abs32' | 'abs64';
}

export class Assembler {
  readonly code: number[] = [];
  readonly #labels: number[] = [];
  readonly #fixups: Fixup[] = [];

  /** `base`: address of the first byte. */
  constructor(readonly base: number) {}

  label(): Label {
    return this.#labels.push(-1) - 1;
  }

  place(label: Label): void {
    this.#labels[label] = this.code.length;
  }

  bytes(...bytes: readonly number[]): this {
    for (const byte of bytes) this.code.push(byte & 0xff);
    return this;
  }

  reference(label: Label, kind: Fixup['kind']): this {
    this.#fixups.push({ at: this.code.length, label, kind });
    const size = kind === 'rel8' ? 1 : kind === 'abs64' ? 8 : 4;
    for (let i = 0; i < size; i++) this.code.push(0);
    return this;
  }

  /** `jcc`, by the short form if the label stands close behind. */
  branch(condition: number, label: Label): this {
    return this.#relative([0x70 | condition], [0x0f, 0x80 | condition], label);
  }

  jump(label: Label): this {
    return this.#relative([0xeb], [0xe9], label);
  }

  call(label: Label): this {
    return this.bytes(0xe8).reference(label, 'rel32');
  }

  #relative(short: readonly number[], near: readonly number[], label: Label): this {
    const placed = this.#labels[label];
    if (placed >= 0 && this.code.length + 2 - placed <= 128)
      return this.bytes(...short, placed - (this.code.length + 2));
    return this.bytes(...near).reference(label, 'rel32');
  }

  finish(): Uint8Array {
    const out = Uint8Array.from(this.code);
    const view = new DataView(out.buffer);
    for (const { at, label, kind } of this.#fixups) {
      const target = this.#labels[label];
      if (target < 0) throw new Error('a label was not placed');
      if (kind === 'abs64') view.setBigUint64(at, BigInt(this.base + target), true);
      else if (kind === 'abs32') view.setUint32(at, this.base + target, true);
      else if (kind === 'rel32') view.setInt32(at, target - (at + 4), true);
      else view.setInt8(at, target - (at + 1));
    }
    return out;
  }
}

/** `[base + index << scale + displacement]`; without an index −1. The index is not RSP. */
export interface MemoryOperand {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
}

/**
 * An instruction with ModRM: prefixes, REX where needed (W = `wide`), opcode, operand. `rm` is a register or memory; with
 * `byte`, registers 4–7 get a REX so that they are SPL–DIL.
 */
export function modrm(
  opcode: readonly number[],
  reg: number,
  rm: number | MemoryOperand,
  options: { readonly wide?: boolean; readonly byte?: boolean; readonly prefixes?: readonly number[] } = {},
): number[] {
  const { wide = false, byte = false, prefixes = [] } = options;
  const memory = typeof rm === 'number' ? undefined : rm;
  const base = memory === undefined ? (rm as number) : memory.base;
  const index = memory === undefined || memory.index < 0 ? 0 : memory.index;
  let rex = (wide ? 8 : 0) | ((reg & 8) >> 1) | ((index & 8) >> 2) | ((base & 8) >> 3);
  if (byte && ((reg > 3 && reg < 8) || (memory === undefined && base > 3 && base < 8))) rex |= 0x40;
  const out = [...prefixes];
  if (rex !== 0) out.push(0x40 | rex);
  out.push(...opcode);
  if (memory === undefined) {
    out.push(0xc0 | ((reg & 7) << 3) | (base & 7));
    return out;
  }
  const { displacement, scale } = memory;
  const short = displacement >= -128 && displacement < 128;
  const mod = displacement === 0 && (base & 7) !== 5 ? 0 : short ? 1 : 2;
  if (memory.index >= 0 || (base & 7) === 4) {
    out.push((mod << 6) | ((reg & 7) << 3) | 4);
    out.push((scale << 6) | ((memory.index < 0 ? 4 : memory.index & 7) << 3) | (base & 7));
  } else out.push((mod << 6) | ((reg & 7) << 3) | (base & 7));
  if (mod === 1) out.push(displacement & 0xff);
  else if (mod === 2)
    out.push(displacement & 255, (displacement >> 8) & 255, (displacement >> 16) & 255, displacement >>> 24);
  return out;
}
