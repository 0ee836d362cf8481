/**
 * What the interpreter offers to a second tier, which puts handlers of its own into the function table and points records
 * of hot code to them, and what it asks of one (cpu/jit).
 */
import type { EngineHost } from '../engine.ts';
import type { Translator } from './translator.ts';

export interface TierParts {
  readonly memory: WebAssembly.Memory;
  readonly host: EngineHost;
  readonly translator: Translator;
  readonly table: WebAssembly.Table;
  /** Puts these handlers into the table, if they are not there yet. */
  install(handlers: readonly number[]): void;
  /** A function that generated code imports, by name. */
  // biome-ignore lint/complexity/noBannedTypes: signatures are given by the declaration of the helper.
  importNamed(name: string): Function;
}

export interface Tier {
  /** Budget after which the next sample is wanted, in instructions. */
  readonly slice: number;
  /** Execution stopped here because a slice or the whole budget was spent, after this many instructions. */
  sample(low: number, high: number, instructions: number): void;
  /** Handlers are about to be put into the table below this position. */
  makeRoom(end: number): void;
  /** `decoded` must be called for every run, so none may be taken over from other engines. */
  readonly seesEach?: boolean;
  /** Code was decoded here, its first record being this. */
  decoded(low: number, high: number): void;
  /** Bytes of this page (by number) change. */
  invalidate(page: number): void;
  /** Records go to the interpreter's handlers until `resume`; in between nothing is translated. */
  suspend(): void;
  resume(): void;
  /** All records are about to be dropped. */
  clear(): void;
  /** The records were copied from the engine that `parent` belongs to. */
  inherit(parent: Tier): void;
}

export type TierFactory = (parts: TierParts) => Tier;
