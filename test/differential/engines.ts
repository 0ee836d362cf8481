/** The engine under test. */
import { decode, Instruction, Status } from '../../src/cpu/decode/decoder.ts';
import type { EngineHost } from '../../src/cpu/engine.ts';
import { Interpreter } from '../../src/cpu/interpreter/engine.ts';
import { Ending } from '../../src/cpu/interpreter/handler.ts';
import { LIBRARY } from '../../src/cpu/interpreter/library.ts';
import type { TierFactory } from '../../src/cpu/interpreter/tier.ts';
import { jitTier } from '../../src/cpu/jit/tier.ts';
import type { Window } from '../../src/memory/window.ts';
import type { Code, EngineFactory, TestedEngine } from './emulated.ts';

const INT3 = 0xcc;

class TestedInterpreter extends Interpreter implements TestedEngine {
  readonly #instruction = new Instruction();

  /** Generates handlers, fused ones of hot code too, together: a module for each would take most of the test's time. */
  prepare(codes: readonly Code[]): void {
    const d = this.#instruction;
    for (const { bytes, hot } of codes) {
      const padded = new Uint8Array(bytes.length + 16);
      padded.set(bytes);
      padded[bytes.length] = INT3;
      const handlers: number[] = [];
      for (let at = 0; at <= bytes.length; at += d.length) {
        if (decode(padded, at, padded.length, d) !== Status.Ok) break;
        handlers.push(LIBRARY.index(d.form, d.width, d.memory, d.addressKind, d.repeat));
      }
      if (hot) this.#fuseAhead(handlers);
    }
  }

  /** Divides straight code as the translator does. */
  #fuseAhead(handlers: readonly number[]): void {
    let parts: number[] = [];
    for (const handler of handlers) {
      const ending = LIBRARY.ending(handler);
      if (ending === Ending.Alone && parts.length > 0) {
        LIBRARY.sequence(parts);
        parts = [];
      }
      parts.push(handler);
      if (ending !== Ending.Straight) {
        LIBRARY.sequence(parts);
        parts = [];
      }
    }
  }
}

const withTier =
  (tier?: TierFactory): EngineFactory =>
  (window: Window, host: EngineHost) =>
    new TestedInterpreter(window.memory, host, tier);

/** `jit` translates what runs twice, `eager` each instruction on its own when it is met. */
const FACTORIES: Record<string, EngineFactory> = {
  interpreter: withTier(),
  jit: withTier(jitTier({ hot: 2 })),
  eager: withTier(jitTier({ eager: true })),
};

export const createEngine: EngineFactory = FACTORIES['interpreter']!;

/** The engines for single instructions, and the share of a run's instances that each gets. */
export const SINGLE: readonly { readonly name: string; readonly factory: EngineFactory; readonly share: number }[] = [
  { name: 'interpreter', factory: createEngine, share: 1 },
  { name: 'eager', factory: FACTORIES['eager']!, share: 0.25 },
];

/** The engines for whole programs. */
export const ENGINES: Readonly<Record<string, { readonly factory: EngineFactory; readonly fuses: boolean }>> = {
  interpreter: { factory: FACTORIES['interpreter']!, fuses: true },
  jit: { factory: FACTORIES['jit']!, fuses: false },
};
