/**
 * How translated code leaves its region, and what it counts. Whatever is irregular leaves before anything of the instruction
 * has happened (`bail`): the interpreter executes it, raises the fault or serves the access.
 *
 * Budget: `left` counts down, in bytes of records. Instructions that were passed since it was last brought up to date are
 * `owed`; they are paid where ways meet and at exits, and loops look at it where they go back.
 */
import type { Instruction } from '../decode/decoder.ts';
import { RECORD_SIZE } from '../interpreter/record.ts';
import type { GuestInstruction } from './discover.ts';
import type { Pending } from './emitter-flag-values.ts';
import { FlagLayer } from './emitter-flags.ts';

/** Labels of a region's exits. */
export const INTERPRET = Symbol('interpret');
export const GO = Symbol('go');

/** Registers whose upper halves are zero, as a mask; by XMM register, shapes it is regular in (emitter-float.ts). */
export interface Known {
  readonly low: number;
  readonly regular: readonly number[];
}

export const NOTHING: Known = { low: 0, regular: new Array<number>(16).fill(0) };

export class ExitLayer extends FlagLayer {
  protected d!: Instruction;
  protected at!: GuestInstruction;
  readonly target = this.f.local('i64');
  /** Instructions before the present one that `left` does not know of. */
  #owed = 0;
  /** The instruction may leave the region before it is executed. */
  bails = false;

  /** Leaves the region, so that the interpreter executes this instruction. */
  bail(): void {
    const { f } = this;
    this.bails = true;
    this.defer();
    f.i64(this.at.rip).set(this.exitRip);
    f.i32(this.at.handler).set(this.exitHandler);
    this.#pay(this.#owed);
    f.br(this.depthOf(INTERPRET));
  }

  /** Bails if the i32 on the stack is not zero. */
  protected bailIf(): void {
    this.f.rarely();
    this.open('if');
    this.bail();
    this.close();
  }

  #pay(count: number): void {
    if (count === 0) return;
    this.f
      .get(this.left)
      .i32(count * RECORD_SIZE)
      .op('i32.sub')
      .set(this.left);
  }

  /** One more instruction is complete. */
  retire(): void {
    this.#owed++;
  }

  /** Brings `left` up to date, before ways meet. */
  settleBudget(): void {
    this.#pay(this.#owed);
    this.#owed = 0;
  }

  /** Leaves the region for a constant address. */
  exit(rip: number): void {
    this.defer();
    this.#pay(this.#owed);
    this.f.i64(rip).set(this.exitRip).br(this.depthOf(GO));
  }

  /** Leaves the region for the address in `target`; notes it in the cell, if one is given. */
  exitIndirect(cell?: number): void {
    this.defer();
    this.#pay(this.#owed);
    if (cell !== undefined) {
      this.stateAddress(cell);
      this.f.get(this.target).mem('i64.store', 0, 3);
    }
    this.f.get(this.target).set(this.exitRip).br(this.depthOf(GO));
  }

  /** Leaves the region, so that the interpreter executes this instruction, which is not part of it. */
  interpret({ rip, handler }: GuestInstruction): void {
    this.defer();
    this.#pay(this.#owed);
    this.f.i64(rip).set(this.exitRip).i32(handler).set(this.exitHandler).br(this.depthOf(INTERPRET));
  }

  /** A place where ways may have met: what is known on all of them. */
  startBlock(known: Known): void {
    this.pending = undefined;
    this.knowNothing(known.low);
    this.#owed = 0;
  }

  /** What is known where the code now stands, to be restored on another way out of the block. */
  snapshot(): () => void {
    const { knowledge } = this;
    const pending: Pending | undefined = this.pending;
    const owed = this.#owed;
    return () => {
      this.pending = pending;
      this.knowledge = knowledge;
      this.#owed = owed;
    };
  }
}
