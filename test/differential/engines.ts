/** The engine under test. */
import { Interpreter } from '../../src/cpu/interpreter/engine.ts';
import type { EngineFactory } from './emulated.ts';

export const createEngine: EngineFactory = (window, host) => new Interpreter(window.memory, host);
