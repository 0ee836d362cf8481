/** The engine under test. */
import { decode, Instruction, Status } from '../../src/cpu/decode/decoder.ts';
import type { EngineHost } from '../../src/cpu/engine.ts';
import { Interpreter } from '../../src/cpu/interpreter/engine.ts';
import { LIBRARY } from '../../src/cpu/interpreter/library.ts';
import type { TierFactory } from '../../src/cpu/interpreter/tier.ts';
import { jitTier } from '../../src/cpu/jit/tier.ts';
import type { Window } from '../../src/memory/window.ts';
import type { EngineFactory, TestedEngine } from './emulated.ts';

class TestedInterpreter extends Interpreter implements TestedEngine {
  readonly #instruction = new Instruction();

  /** Generates the handlers of a batch together: a module for each alone would take most of the test's time. */
  prepare(codes: readonly Uint8Array[]): void {
    const d = this.#instruction;
    for (const code of codes) {
      const padded = new Uint8Array(code.length + 16);
      padded.set(code);
      for (let at = 0; at < code.length; at += d.length) {
        if (decode(padded, at, padded.length, d) !== Status.Ok) break;
        LIBRARY.index(d.form, d.width, d.memory, d.addressKind, d.repeat);
      }
    }
  }
}

/** XINIM_ENGINE: `interpreter`, `jit`, or `eager`, which translates each instruction on its own when it is met. */
const TIERS: Record<string, TierFactory | undefined> = { jit: jitTier(), eager: jitTier({ eager: true }) };

export const createEngine: EngineFactory = (window: Window, host: EngineHost) =>
  new TestedInterpreter(window.memory, host, TIERS[process.env['XINIM_ENGINE'] ?? 'interpreter']);
