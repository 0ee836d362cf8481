/**
 * Function bodies that can be linked into any module: calls name a symbol and leave a relocation. `intern` gives symbols
 * their numbers, so that code which expects a function index (cpu/simd/float.ts) can be handed one.
 */
import { ByteWriter, FunctionBody, type ValueType } from '../../wasm/module.ts';

const NAMES: string[] = [];
const NUMBERS = new Map<string, number>();

/** The number of a symbol: a runtime function or an imported helper. */
export function intern(name: string): number {
  let number = NUMBERS.get(name);
  if (number === undefined) {
    number = NAMES.length;
    NAMES.push(name);
    NUMBERS.set(name, number);
  }
  return number;
}

export const symbolName = (symbol: number): string => NAMES[symbol];

export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** An encoded body with the places where function indices go (five bytes each). */
export interface LinkableBody extends Signature {
  readonly bytes: Uint8Array;
  readonly relocations: readonly { readonly at: number; readonly symbol: number }[];
  /** Positions of branches that are seldom taken. */
  readonly unlikely: readonly number[];
}

/** Bytes of an unsigned LEB128 that is patched later. */
const PLACEHOLDER = [0x80, 0x80, 0x80, 0x80, 0x00];

export class SymbolicBody extends FunctionBody {
  readonly #relocations: { at: number; symbol: number }[] = [];

  constructor(params: readonly ValueType[], results: readonly ValueType[]) {
    super(-1, params, results);
  }

  /** Calls the function of this symbol number. */
  override call(symbol: number): this {
    return this.#transfer(0x10, symbol);
  }

  override returnCall(symbol: number): this {
    return this.#transfer(0x12, symbol);
  }

  callNamed(name: string): this {
    return this.call(intern(name));
  }

  link(): LinkableBody {
    const bytes = this.encode();
    const shift = bytes.length - 1 - this.code.length;
    return {
      params: this.params,
      results: this.results,
      bytes,
      relocations: this.#relocations.map(({ at, symbol }) => ({ at: at + shift, symbol })),
      unlikely: this.unlikely.map((at) => at + shift),
    };
  }

  #transfer(opcode: number, symbol: number): this {
    this.code.byte(opcode);
    this.#relocations.push({ at: this.code.length, symbol });
    this.code.bytes(PLACEHOLDER);
    return this;
  }
}

/** Writes a function index over a placeholder. */
export function patchIndex(bytes: Uint8Array, at: number, index: number): void {
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = (index & 0x7f) | 0x80;
    index >>>= 7;
  }
  bytes[at + 4] = index;
}

export { ByteWriter };
