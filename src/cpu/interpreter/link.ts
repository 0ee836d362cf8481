/**
 * Links handler bodies, and the runtime functions and helpers they reach, into a WebAssembly module. Type 0 is the type of
 * handlers in every module, so that bodies can tail-call through the table without relocation.
 *
 * Entry point: `linkModule`. Imports: `e.memory`, `e.table`, and `h.<name>` for helpers written in TypeScript.
 */
import { ByteWriter, type ValueType } from '../../wasm/module.ts';
import { type LinkableBody, patchIndex, type Signature, symbolName } from './body.ts';

const TYPE_CODE: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const PAGES_64K = 65536;

export const HANDLER_TYPE: Signature = { params: ['i32', 'i32'], results: ['i32'] };

/** How the linker resolves a symbol: a function that comes along, or one that is imported. */
export type Definition = { readonly body: LinkableBody } | { readonly imported: Signature };

export interface LinkedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names of the helpers it imports. */
  readonly imports: readonly string[];
}

/**
 * Builds a module with `handlers` at table positions `first`, `first + 1`, … and the exported runtime functions. Without
 * the table, no function may call through it.
 */
export function linkModule(
  first: number,
  handlers: readonly LinkableBody[],
  exported: readonly string[],
  define: (name: string) => Definition,
  internNumber: (name: string) => number,
  withTable = true,
): LinkedModule {
  const imports: { name: string; signature: Signature }[] = [];
  const functions: LinkableBody[] = [...handlers];
  const importIndex = new Map<number, number>();
  const functionIndex = new Map<number, number>();
  const visit = (symbol: number): void => {
    if (importIndex.has(symbol) || functionIndex.has(symbol)) return;
    const definition = define(symbolName(symbol));
    if ('imported' in definition) {
      importIndex.set(symbol, imports.length);
      imports.push({ name: symbolName(symbol), signature: definition.imported });
    } else {
      functionIndex.set(symbol, functions.length);
      functions.push(definition.body);
    }
  };
  for (const name of exported) visit(internNumber(name));
  for (let i = 0; i < functions.length; i++) for (const { symbol } of functions[i].relocations) visit(symbol);
  const indexOf = (symbol: number): number => {
    const imported = importIndex.get(symbol);
    return imported !== undefined ? imported : imports.length + functionIndex.get(symbol)!;
  };

  const types: Signature[] = [];
  const typeKeys = new Map<string, number>();
  const typeOf = (signature: Signature): number => {
    const key = `${signature.params.join()}>${signature.results.join()}`;
    let found = typeKeys.get(key);
    if (found === undefined) {
      found = types.length;
      types.push(signature);
      typeKeys.set(key, found);
    }
    return found;
  };
  typeOf(HANDLER_TYPE);
  const importTypes = imports.map((entry) => typeOf(entry.signature));
  const functionTypes = functions.map(typeOf);

  const out = new ByteWriter();
  out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const section = (id: number, count: number, write: (w: ByteWriter) => void): void => {
    if (count === 0) return;
    const content = new ByteWriter();
    content.u(count);
    write(content);
    out.byte(id);
    out.u(content.length);
    out.bytes(content.take());
  };
  section(1, types.length, (w) => {
    for (const { params, results } of types) {
      w.byte(0x60);
      w.u(params.length);
      for (const type of params) w.byte(TYPE_CODE[type]);
      w.u(results.length);
      for (const type of results) w.byte(TYPE_CODE[type]);
    }
  });
  section(2, imports.length + (withTable ? 2 : 1), (w) => {
    w.text('e');
    w.text('memory');
    w.bytes([2, 3]);
    w.u(PAGES_64K);
    w.u(PAGES_64K);
    if (withTable) {
      w.text('e');
      w.text('table');
      w.bytes([1, 0x70, 0]);
      w.u(0);
    }
    imports.forEach((entry, i) => {
      w.text('h');
      w.text(entry.name);
      w.byte(0);
      w.u(importTypes[i]);
    });
  });
  section(3, functions.length, (w) => {
    for (const type of functionTypes) w.u(type);
  });
  section(7, exported.length, (w) => {
    for (const name of exported) {
      w.text(name);
      w.byte(0);
      w.u(indexOf(internNumber(name)));
    }
  });
  section(9, handlers.length === 0 ? 0 : 1, (w) => {
    w.bytes([0, 0x41]);
    w.s32(first);
    w.byte(0x0b);
    w.u(handlers.length);
    for (let i = 0; i < handlers.length; i++) w.u(imports.length + i);
  });
  const hinted = functions
    .map(({ unlikely }, i) => ({ unlikely, index: imports.length + i }))
    .filter(({ unlikely }) => unlikely.length > 0);
  if (hinted.length > 0) {
    const hints = new ByteWriter();
    hints.text('metadata.code.branch_hint');
    hints.u(hinted.length);
    for (const { unlikely, index } of hinted) {
      hints.u(index);
      hints.u(unlikely.length);
      for (const at of unlikely) {
        hints.u(at);
        // One byte of data: unlikely.
        hints.bytes([1, 0]);
      }
    }
    out.byte(0);
    out.u(hints.length);
    out.bytes(hints.take());
  }
  section(10, functions.length, (w) => {
    for (const body of functions) {
      const bytes = body.relocations.length === 0 ? body.bytes : body.bytes.slice();
      for (const { at, symbol } of body.relocations) patchIndex(bytes, at, indexOf(symbol));
      w.u(bytes.length);
      w.bytes(bytes);
    }
  });
  return { bytes: out.take(), imports: imports.map((entry) => entry.name) };
}
