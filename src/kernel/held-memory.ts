/**
 * An address space with the engine of its window: what the threads of a process have in common, and the processes that
 * clone(2) has made with CLONE_VM. It is released with its last user.
 *
 * Invariant: `loaded` is the thread, of any user, whose registers are in the window.
 */
import type { Engine } from '../cpu/engine.ts';
import { RETIRED } from '../cpu/state.ts';
import type { AddressSpace } from '../memory/space.ts';
import type { Registers } from './registers.ts';
import type { Thread } from './thread.ts';
import type { BoundWindow } from './windows.ts';

let last = 0;

export class HeldMemory {
  /** Names the memory for as long as it exists (futexes). */
  readonly id = ++last;
  readonly engine: Engine;
  /** The state block of the window. */
  readonly window: Registers;
  /** Words of the state block: trap details, instructions retired. */
  readonly control: Int32Array;
  loaded: Thread | undefined;
  users = 1;
  readonly #retiredBefore: number;

  constructor(
    readonly space: AddressSpace,
    { engine, registers, control }: BoundWindow,
  ) {
    this.engine = engine;
    this.window = registers;
    this.control = control;
    this.#retiredBefore = this.#retiredNow();
  }

  /** Instructions retired in the window since it was taken. */
  get retired(): number {
    return this.#retiredNow() - this.#retiredBefore;
  }

  #retiredNow(): number {
    const words = this.control;
    return (words[RETIRED / 4 + 1] >>> 0) * 0x1_0000_0000 + (words[RETIRED / 4] >>> 0);
  }
}
