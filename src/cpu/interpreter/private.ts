/**
 * The engine's own part of the state block (offsets relative to STATE), and the codes by which generated code leaves
 * `run` besides the traps of engine.ts.
 */
import { ENGINE_PRIVATE } from '../state.ts';

/** i32: budget left at the exit, in bytes of records. */
export const BUDGET_LEFT = ENGINE_PRIVATE;
/** i32: trap number that a slow memory access raises; 0 for none. */
export const FAULT = ENGINE_PRIVATE + 4;
/** u32: record whose link is to be patched when the code at RIP has been decoded; 0 for none. */
export const LINK_SOURCE = ENGINE_PRIVATE + 8;
/** i32: not zero if the budget ended in translated code; cleared by whoever looks. */
export const ENDED_TRANSLATED = ENGINE_PRIVATE + 12;
/** 64 bytes where helpers leave vectors and second results. */
export const HELPER_SCRATCH = ENGINE_PRIVATE + 64;

/**
 * Hash table from instruction address to record: u32 record addresses, open addressing, triangular probing. 256 consecutive
 * addresses fall on consecutive entries, so that little memory is touched.
 */
export const HASH_TABLE = 0x20_0000;
const HASH_BITS = 19;
export const HASH_MASK = (1 << HASH_BITS) - 1;
export const HASH_GROUP_BITS = 8;
export const HASH_GROUP_MASK = (1 << HASH_GROUP_BITS) - 1;
/** The group of an address is the upper bits of its product with this. */
export const HASH_MULTIPLIER = 0x9e37_79b1;
export const HASH_SHIFT = 32 - (HASH_BITS - HASH_GROUP_BITS);

/** Code at RIP is not decoded yet. */
export const EXIT_UNRESOLVED = 64;
/** Go on at RIP under another mode (TF was set). */
export const EXIT_RESUME = 65;
