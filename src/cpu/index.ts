/**
 * The CPU: `createEngine` makes an engine for a window, `CpuState` reads and writes the state block of a window.
 */
import type { Engine, EngineHost } from './engine.ts';
import { Interpreter } from './interpreter/engine.ts';

export { CpuState } from './cpu-state.ts';
export { Access, type Engine, type EngineHost, Trap } from './engine.ts';

/** Creates an engine that executes the program of this window. */
export function createEngine(memory: WebAssembly.Memory, host: EngineHost): Engine {
  return new Interpreter(memory, host);
}
