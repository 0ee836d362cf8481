/**
 * Helpers: rare instructions, or parts of them, written in TypeScript and called by lifts with `Uops.helper` and
 * `Uops.helperTrap`. A helper is created once per window over that window's `Machine`; it reads and writes registers
 * through the state block and guest memory through the checked accessors.
 *
 * Types: i32 arrives as number, i64 as BigInt, f64 as number; v128 cannot cross (use the state block).
 */
import type { ValueType } from '../wasm/module.ts';
import { helpers as simdHelpers } from './simd/helpers.ts';
import { helpers as systemHelpers } from './system-helpers.ts';
import { helpers as x87Helpers } from './x87/helpers.ts';

/** What `readBytes` and `writeBytes` answer on success; otherwise a trap number to hand back from the helper. */
export const NO_TRAP = -1;

/** One window as helpers see it. */
export interface Machine {
  /** The state block: byte 0 is `STATE`, so offsets of cpu/state.ts apply. */
  readonly state: DataView;
  readonly stateBytes: Uint8Array;
  /**
   * Reads guest memory into `into`. Answers `NO_TRAP`, or the trap number after recording address and access; then the
   * helper must return it (declared with `helperTrap`) without having changed anything.
   */
  readBytes(address: bigint, into: Uint8Array): number;
  writeBytes(address: bigint, from: Uint8Array): number;
  /** Whether all these bytes could be written: as `writeBytes`, writing nothing. */
  probeWrite(address: bigint, length: number): number;
  /** Time-stamp counter of the host. */
  timestamp(): bigint;
}

export interface Helper {
  /** The name lifts use. */
  readonly name: string;
  readonly params: readonly ValueType[];
  /** `i32` with `helperTrap`: −1 or a trap number. */
  readonly result?: ValueType;
  // biome-ignore lint/complexity/noBannedTypes: the signature is given by `params` and `result`.
  create(machine: Machine): Function;
}

export const HELPERS: ReadonlyMap<string, Helper> = new Map(
  [...systemHelpers, ...x87Helpers, ...simdHelpers].map((helper) => [helper.name, helper]),
);
