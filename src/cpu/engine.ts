/**
 * The boundary between a CPU engine and whoever drives it. An engine executes guest instructions inside one window
 * (memory/layout.ts) until something happens that it cannot decide; it knows nothing of an operating system.
 *
 * State is precise at every trap: RIP and all registers are as the architecture says they are when the event is taken.
 * For `Syscall` RIP is past the SYSCALL instruction and RCX and R11 are set; for faults RIP is the faulting instruction
 * and nothing of it has been retired; for `Breakpoint` RIP is past INT3.
 */
export const enum Trap {
  /** The budget of instructions is spent, or `interrupt()` was called; nothing else happened. */
  Budget = 0,
  Syscall = 1,
  /** TRAP_ADDRESS and TRAP_ACCESS say what was denied. */
  PageFault = 2,
  InvalidOpcode = 3,
  DivideError = 4,
  Breakpoint = 5,
  /** Non-canonical address, privileged instruction, misaligned SSE operand: #GP(0). */
  GeneralProtection = 6,
  /** Unmasked x87 exception (#MF). */
  X87Exception = 7,
  /** Unmasked SIMD floating-point exception (#XM). */
  SimdException = 8,
  /** TF was set when an instruction retired (#DB). */
  SingleStep = 9,
  /** INT n other than 3 (TRAP_CODE = n); Linux raises SIGSEGV. */
  SoftwareInterrupt = 10,
}

export const enum Access {
  Read = 0,
  Write = 1,
  Execute = 2,
}

/** What an engine needs of the address space whose window it runs in. */
export interface EngineHost {
  /**
   * Guest code on this page (its 64-bit page address) has been translated: the page must stay write-protected, by its tag,
   * until `Engine.invalidate` is called for it.
   */
  codeTranslated(page: number): void;
  /**
   * Serves an access to a page that lives outside its slot because another page holds it (DESIGN §3). Returns false if
   * there is no such page or the access is not allowed: the engine then raises a page fault.
   */
  sideRead(address: number, into: Uint8Array): boolean;
  sideWrite(address: number, from: Uint8Array): boolean;
  /** Time-stamp counter, for RDTSC. */
  timestamp(): bigint;
}

export interface Engine {
  /** Executes at most about `budget` instructions (checked at control transfers) from the state block's RIP. */
  run(budget: number): Trap;
  /** Drops translations that include bytes of this page (64-bit page address). */
  invalidate(page: number): void;
  /** Drops all translations: the window gets another program. */
  reset(): void;
  /** Copies the translations of `parent`, whose address space this one is an identical copy of (fork). */
  inherit(parent: Engine): void;
  readonly statistics: { readonly decoded: number; readonly flushes: number };
}
