/**
 * MMX operands as vectors: a 64-bit register goes into the low half of a v128, so that the operations of SSE serve. An
 * instruction that touches MMX registers first reports a pending x87 exception (SDM Vol. 1, 9.5.1, 11.6.3).
 */
import { Trap } from '../engine.ts';
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';
import { FSW, FTW } from '../state.ts';
import type { Uops, Value } from '../uops.ts';
import { low64, splat64 } from './lift.ts';

/** ES of the x87 status word. */
const ERROR_SUMMARY = 0x80;
const TOP = 0x3800;

/** Raises #MF if an unmasked x87 exception is pending. */
export function checkX87(u: Uops): void {
  const pending = u.integer('and', u.state(FSW, 16), u.constant(ERROR_SUMMARY));
  u.trapIf(u.compare('ne', pending, u.constant(0)), Trap.X87Exception);
}

/** MMX operand in both halves of a vector. */
export const mmxVector = (u: Uops, index: number): Value => splat64(u, u.readMmx(index));

/**
 * Switches the x87 unit to MMX state now (TOP = 0, all registers valid): for instructions that do so even if they then
 * raise an exception. All others do it when they complete.
 */
export function enterMmx(u: Uops): void {
  u.setState(FTW, 8, u.constant(0xff));
  resetTop(u);
}

export function resetTop(u: Uops): void {
  u.setState(FSW, 16, u.integer('and', u.state(FSW, 16), u.constant(0xffff & ~TOP)));
}

/** Writes the low half of a vector. */
export const writeMmxLow = (u: Uops, index: number, v: Value): void => u.writeMmx(index, low64(u, v));

/** A form that touches MMX registers. */
export const mmxForm = (
  opcode: string,
  mnemonic: string,
  operands: string,
  lift: Lift,
  options: FormOptions = { feature: 'mmx' },
): Form =>
  form(
    opcode,
    mnemonic,
    operands,
    (u) => {
      checkX87(u);
      lift(u);
    },
    options,
  );
