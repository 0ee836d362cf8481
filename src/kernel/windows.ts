/**
 * Binds a window (memory/window.ts) to its engine and to views of its state block. A window keeps them through the pool;
 * only the address space behind the engine's host changes with each process.
 */
import type { Engine, EngineHost } from '../cpu/engine.ts';
import { CONTEXT_SIZE } from '../cpu/state.ts';
import { STATE } from '../memory/layout.ts';
import type { AddressSpace } from '../memory/space.ts';
import type { Window } from '../memory/window.ts';
import { Registers } from './registers.ts';

export type EngineFactory = (memory: WebAssembly.Memory, host: EngineHost) => Engine;

/** The address space at present behind a window's engine. */
class SpaceHost implements EngineHost {
  space: AddressSpace | undefined;
  readonly #timestamp: () => bigint;

  constructor(timestamp: () => bigint) {
    this.#timestamp = timestamp;
  }

  codeTranslated(page: number): void {
    this.space?.codeTranslated(page);
  }

  sideRead(address: number, into: Uint8Array): boolean {
    return this.space?.sideRead(address, into) ?? false;
  }

  sideWrite(address: number, from: Uint8Array): boolean {
    return this.space?.sideWrite(address, from) ?? false;
  }

  timestamp(): bigint {
    return this.#timestamp();
  }
}

export interface BoundWindow {
  readonly engine: Engine;
  readonly registers: Registers;
  readonly control: Int32Array;
}

export class Windows {
  readonly #create: EngineFactory;
  readonly #timestamp: () => bigint;
  readonly #bound = new WeakMap<Window, BoundWindow & { readonly host: SpaceHost }>();

  constructor(create: EngineFactory, timestamp: () => bigint) {
    this.#create = create;
    this.#timestamp = timestamp;
  }

  /** The engine and views for a space's window, with no translations left from the window's last user. */
  bind(space: AddressSpace): BoundWindow {
    const { window } = space;
    let bound = this.#bound.get(window);
    if (bound === undefined) {
      const host = new SpaceHost(this.#timestamp);
      host.space = space;
      const engine = this.#create(window.memory, host);
      window.engine = engine;
      bound = {
        host,
        engine,
        registers: new Registers(window.memory.buffer, STATE),
        control: new Int32Array(window.memory.buffer, STATE, 256),
      };
      this.#bound.set(window, bound);
    } else {
      bound.host.space = space;
      bound.engine.reset();
      bound.registers.bytes.fill(0, 0, CONTEXT_SIZE);
    }
    return bound;
  }
}
