/**
 * The CPU: `createEngine` makes an engine for a window, `CpuState` reads and writes the state block of a window.
 */
import type { Engine, EngineHost } from './engine.ts';
import { Interpreter } from './interpreter/engine.ts';
import { UNITS, type UnitStatistics } from './jit/store.ts';
import { type JitOptions, jitTier } from './jit/tier.ts';
import { Lockstep } from './lockstep.ts';

export { CpuState } from './cpu-state.ts';
export { Access, type Engine, type EngineHost, Trap } from './engine.ts';

/** Creates an engine that executes the program of this window. */
export function createEngine(memory: WebAssembly.Memory, host: EngineHost): Engine {
  return new Interpreter(memory, host);
}

/** As `createEngine`; code that is executed often is translated as a whole. */
export function createJit(memory: WebAssembly.Memory, host: EngineHost, options?: JitOptions): Engine {
  return new Interpreter(memory, host, jitTier(options));
}

/** As `createJit`, every stretch executed by both tiers: throws at the first difference. */
export function createLockstep(memory: WebAssembly.Memory, host: EngineHost, options?: JitOptions): Engine {
  return new Lockstep(memory, host, options);
}

export { saveUnits as saveTranslations, type TranslationCache, useCache as useTranslationCache } from './jit/cache.ts';
export { hottest } from './jit/listing.ts';

/** Figures about translated code in this realm, for `--stats`. */
export interface JitFigures extends UnitStatistics {
  /** Translations that are kept, and the bytes of memory they take, roughly. */
  readonly units: number;
  readonly memory: number;
}

export const jitFigures = (): JitFigures => ({
  units: [...UNITS.units()].length,
  memory: UNITS.memory,
  ...UNITS.counters,
});
