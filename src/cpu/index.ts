/**
 * The CPU: `createEngine` makes an engine for a window, `CpuState` reads and writes the state block of a window.
 */
import type { Engine, EngineHost } from './engine.ts';
import { Interpreter } from './interpreter/engine.ts';
import { type JitOptions, jitTier } from './jit/tier.ts';

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
