/**
 * Traps other than system calls: page faults are served or become SIGSEGV and SIGBUS, the rest become the signals that
 * Linux gives them (arch/x86/kernel/traps.c).
 */
import {
  BUS_ADRERR,
  FPE_FLTDIV,
  FPE_FLTINV,
  FPE_FLTOVF,
  FPE_FLTRES,
  FPE_FLTUND,
  FPE_INTDIV,
  ILL_ILLOPN,
  SEGV_ACCERR,
  SEGV_MAPERR,
  TRAP_BRKPT,
  TRAP_TRACE,
} from '../abi/fault-codes.ts';
import { SI_KERNEL, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP } from '../abi/signals.ts';
import { Access, Trap } from '../cpu/engine.ts';
import { FCW, FSW, MXCSR, TRAP_ACCESS, TRAP_ADDRESS } from '../cpu/state.ts';
import { UNINTERRUPTIBLE } from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import type { Refusal } from './page-faults.ts';
import { raiseFault } from './signals.ts';
import type { Thread } from './thread.ts';

/** Processor exception vectors, as a signal frame's trapno has them. */
const VECTOR = { divide: 0, debug: 1, breakpoint: 3, opcode: 6, protection: 13, page: 14, x87: 16, simd: 19 } as const;

/** EFLAGS.TF. */
const TRAP_FLAG = 0x100;

const clamp = (low: number, high: number): number =>
  Math.min((high >>> 0) * 0x1_0000_0000 + (low >>> 0), Number.MAX_SAFE_INTEGER);

/** Which floating-point error (fpu__exception_code): the exceptions that are raised and not masked. */
const floatCode = (raised: number): number => {
  if (raised & 1) return FPE_FLTINV;
  if (raised & 4) return FPE_FLTDIV;
  if (raised & 8) return FPE_FLTOVF;
  if (raised & 0x12) return FPE_FLTUND;
  return FPE_FLTRES;
};

/** Serves a trap. Afterwards the thread runs on, perhaps to a handler, sleeps until a page is there, or is dead. */
export const serveTrap = (kernel: Kernel, thread: Thread, trap: Trap): void => {
  const { registers } = thread;
  const here = registers.instructionPointer;
  const raise = (vector: number, signal: number, code: number, address: number): void => {
    thread.fault = { vector, error: 0, address: thread.fault.address };
    raiseFault(kernel, thread, signal, code, address);
  };
  switch (trap) {
    case Trap.PageFault:
      servePageFault(kernel, thread);
      return;
    case Trap.DivideError:
      raise(VECTOR.divide, SIGFPE, FPE_INTDIV, here);
      return;
    case Trap.InvalidOpcode:
      raise(VECTOR.opcode, SIGILL, ILL_ILLOPN, here);
      return;
    case Trap.Breakpoint:
      raise(VECTOR.breakpoint, SIGTRAP, SI_KERNEL, 0);
      return;
    case Trap.SingleStep:
      // Without TF it is INT1.
      raise(VECTOR.debug, SIGTRAP, registers.flags & TRAP_FLAG ? TRAP_TRACE : TRAP_BRKPT, here);
      return;
    case Trap.X87Exception: {
      const raised = registers.view.getUint16(FSW, true) & ~registers.view.getUint16(FCW, true) & 0x3f;
      raise(VECTOR.x87, SIGFPE, floatCode(raised), here);
      return;
    }
    case Trap.SimdException: {
      const mxcsr = registers.view.getUint32(MXCSR, true);
      raise(VECTOR.simd, SIGFPE, floatCode(mxcsr & ~(mxcsr >>> 7) & 0x3f), here);
      return;
    }
    default:
      raise(VECTOR.protection, SIGSEGV, SI_KERNEL, 0);
  }
};

const servePageFault = (kernel: Kernel, thread: Thread): void => {
  const { process } = thread;
  const words = process.control!;
  const address = clamp(words[TRAP_ADDRESS / 4], words[TRAP_ADDRESS / 4 + 1]);
  const access = words[TRAP_ACCESS / 4] as Access;
  kernel.counters.faults++;
  thread.sleep = UNINTERRUPTIBLE;
  kernel.faults.serve(process, address, access, (refusal) => {
    if (thread.state === 'dead') return;
    thread.sleep = undefined;
    if (refusal !== undefined) refuse(kernel, thread, address, access, refusal);
    kernel.wake(thread);
  });
  if (thread.sleep !== undefined && thread.state === 'running') thread.state = 'sleeping';
};

const refuse = (kernel: Kernel, thread: Thread, address: number, access: Access, refusal: Refusal): void => {
  const { process } = thread;
  if (refusal === 'nomem') {
    kernel.log(`out of memory: process ${process.pid} (${process.identity.name}) is killed`);
    kernel.request(kernel.pm, 'killHost', { target: process.pid, signal: SIGKILL }, () => {});
    return;
  }
  // Error code of #PF (SDM Vol. 3, 4.7): present, write, user, instruction fetch.
  const present = refusal === 'accerr' ? 1 : 0;
  const error = present | (access === Access.Write ? 2 : 0) | 4 | (access === Access.Execute ? 16 : 0);
  thread.fault = { vector: VECTOR.page, error, address };
  if (refusal === 'bus') raiseFault(kernel, thread, SIGBUS, BUS_ADRERR, address);
  else raiseFault(kernel, thread, SIGSEGV, refusal === 'accerr' ? SEGV_ACCERR : SEGV_MAPERR, address);
};
