/**
 * Where the parts of a program go: fixed places, or random ones (personality(2), ADDR_NO_RANDOMIZE; proc(5),
 * randomize_va_space). Random ones keep the slots apart that memory/layout.ts keeps apart, so nothing gets slower.
 *
 *     program   upper half and slot below the heap's      once a boot
 *     mappings  upper half and start of the zone's slots  once a boot
 *     stack     its top                                   every execve
 *     heap      what lies between it and the image        every execve
 *
 * Files keep their addresses from program to program while the system runs, as in systems that relocate an image once: what was
 * translated for one process then serves the next.
 */
import { PAGE_SIZE, PIE_BASE, STACK_TOP, WINDOW_SIZE, ZONE_START } from '../memory/layout.ts';
import { VDSO_BYTES } from './vdso/vdso.ts';

export interface Places {
  /** A position-independent program with a loader. */
  readonly program: number;
  /** Start of the mmap zone: the loader is the first thing in it. */
  readonly zone: number;
  /** First address past the stack; the vDSO is above. */
  readonly stackTop: number;
  readonly vdso: number;
  readonly heapGap: number;
}

const STACK_LIMIT = STACK_TOP - VDSO_BYTES;
const FIXED: Places = { program: PIE_BASE, zone: ZONE_START, stackTop: STACK_LIMIT, vdso: STACK_LIMIT, heapGap: 0 };

/** How many places there are: stretches of 4 GiB, and pages. */
const PROGRAM_WINDOWS = 0x800;
const PROGRAM_PAGES = 0x8000;
const ZONE_WINDOWS = 0x800;
const ZONE_PAGES = 0x8000;
const STACK_PAGES = 0x1000;
const HEAP_PAGES = 0x2000;

export class Placement {
  /** Below a limit, which is a power of two. */
  readonly #random: ((limit: number) => number) | undefined;
  readonly #program: number = PIE_BASE;
  readonly #zone: number = ZONE_START;

  /** `aslr`: off, on, or on with this seed. */
  constructor(aslr: boolean | number, entropy: (length: number) => Uint8Array) {
    if (aslr === false) return;
    const random = typeof aslr === 'number' ? seeded(aslr) : unseeded(entropy);
    this.#random = random;
    this.#program += random(PROGRAM_WINDOWS) * WINDOW_SIZE + random(PROGRAM_PAGES) * PAGE_SIZE;
    this.#zone += random(ZONE_WINDOWS) * WINDOW_SIZE + random(ZONE_PAGES) * PAGE_SIZE;
  }

  get isRandom(): boolean {
    return this.#random !== undefined;
  }

  /** Places for one execve; `fixed` if the process has asked for that. */
  choose(fixed: boolean): Places {
    const random = this.#random;
    if (fixed || random === undefined) return FIXED;
    const stackTop = STACK_LIMIT - random(STACK_PAGES) * PAGE_SIZE;
    const heapGap = random(HEAP_PAGES) * PAGE_SIZE;
    return { program: this.#program, zone: this.#zone, stackTop, vdso: stackTop, heapGap };
  }
}

const unseeded =
  (entropy: (length: number) => Uint8Array) =>
  (limit: number): number => {
    const [a, b] = entropy(2);
    return (a | (b << 8)) & (limit - 1);
  };

/** A small generator (xorshift32): the same seed gives the same places. */
const seeded = (seed: number): ((limit: number) => number) => {
  let state = Math.imul((seed | 0) ^ 0x9e37_79b9, 0x85eb_ca6b) || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) & (limit - 1);
  };
};
