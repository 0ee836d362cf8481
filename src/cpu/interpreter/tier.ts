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
  /** A function that generated code imports, by name. */
  // biome-ignore lint/complexity/noBannedTypes: signatures are given by the declaration of the helper.
  importNamed(name: string): Function;
}

export interface Tier {
  /** Budget after which the next sample is wanted, in instructions. */
  readonly slice: number;
  /** Execution stopped here because a slice was spent. */
  sample(low: number, high: number): void;
  /** `decoded` must be called for every run, so none may be taken over from other engines. */
  readonly seesEach?: boolean;
  /** Code was decoded here, its first record being this. */
  decoded(low: number, high: number): void;
  /** Bytes of this page (by number) change. */
  invalidate(page: number): void;
  /** All records are about to be dropped. */
  clear(): void;
  /** The records were copied from the engine that `parent` belongs to. */
  inherit(parent: Tier): void;
  readonly statistics: TierStatistics;
}

export interface TierStatistics {
  /** Regions that are linked now. */
  readonly regions: number;
  /** Regions translated, and taken over from another process of the same program. */
  readonly translated: number;
  readonly reused: number;
  /** Guest instructions in them and bytes of WebAssembly. */
  readonly instructions: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

export type TierFactory = (parts: TierParts) => Tier;
