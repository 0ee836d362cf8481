/**
 * The frame that Linux x86-64 pushes for a signal handler (`struct rt_sigframe`, arch/x86/include/asm/sigframe.h), and the
 * FXSAVE image it points to (SDM Vol. 1, 10.5.1).
 *
 *     frame + 0    pretcode: where the handler returns to
 *           + 8    ucontext   0 flags  8 link  16 stack {pointer, flags, size}  40 sigcontext  296 mask
 *           + 312  siginfo (128)
 *     sigcontext   0 R8–R15  64 RDI RSI RBP RBX RDX RAX RCX RSP  128 RIP  136 RFLAGS  144 CS GS FS SS
 *                152 err  160 trapno  168 oldmask  176 cr2  184 fpstate
 *
 * RSP + 8 is a multiple of 16 at the frame, as if the handler had been called. Nothing here knows where the values live:
 * see kernel/signals.ts.
 */
export const FRAME_BYTES = 440;
export const FXSAVE_BYTES = 512;
/** Bytes below RSP that belong to the interrupted function (System V ABI). */
export const RED_ZONE = 128;

export const FRAME_CONTEXT = 8;
export const FRAME_INFO = 312;
export const CONTEXT_STACK = 16;
export const CONTEXT_REGISTERS = 40;
export const CONTEXT_MASK = 296;

/** ucontext.uc_flags: SS is saved, and is restored strictly (UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS). */
export const CONTEXT_FLAGS = 6n;
export const USER_CS = 0x33;
export const USER_SS = 0x2b;

/** Register numbers (encoding order) in the order in which sigcontext has them. */
export const CONTEXT_ORDER = [8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 3, 2, 0, 1, 4] as const;

export const SC_RIP = 128;
export const SC_FLAGS = 136;
export const SC_SELECTORS = 144;
export const SC_ERROR = 152;
export const SC_VECTOR = 160;
export const SC_OLD_MASK = 168;
export const SC_CR2 = 176;
export const SC_FPSTATE = 184;

/** Where a frame goes. */
export interface FramePlace {
  readonly frame: number;
  readonly fpstate: number;
}

/** Places a frame below `stack`: the FXSAVE image first, 64-byte aligned, then the frame. */
export const placeFrame = (stack: number): FramePlace => {
  const fpstate = Math.floor((stack - FXSAVE_BYTES) / 64) * 64;
  const frame = Math.floor((fpstate - FRAME_BYTES) / 16) * 16 - 8;
  return { frame, fpstate };
};
