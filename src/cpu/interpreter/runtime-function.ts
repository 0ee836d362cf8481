/** What a runtime function of generated code is: its signature and how its body is emitted. */
import type { ValueType } from '../../wasm/module.ts';
import type { Signature, SymbolicBody } from './body.ts';

export interface RuntimeFunction extends Signature {
  emit(f: SymbolicBody): void;
}

export const fn = (
  params: readonly ValueType[],
  results: readonly ValueType[],
  emit: (f: SymbolicBody) => void,
): RuntimeFunction => ({ params, results, emit });

export type NamedFunction = readonly [name: string, implementation: RuntimeFunction];
