/**
 * The kernel's side of signals. Which signal does what is the process manager's decision; here threads are interrupted,
 * handlers entered and left.
 *
 *     deliverSignal ─► queueFrame ─► interrupt (a sleeping call ends with EINTR)
 *     on the way to user mode: prepareReturn ─► restart the interrupted call or not ─► pushFrame for each handler
 *     rt_sigreturn ─► popFrame ─► process.signalReturn
 *
 * Restart (signal(7)): without a handler the interrupted call is always made again; with one, if the handler has SA_RESTART
 * and the call is of the kind 'restart'. Making it again is RIP back on the SYSCALL instruction and its number in RAX.
 */
import { Errno } from '../abi/errno.ts';
import {
  CONTEXT_FLAGS,
  CONTEXT_MASK,
  CONTEXT_ORDER,
  CONTEXT_REGISTERS,
  CONTEXT_STACK,
  FRAME_BYTES,
  FRAME_CONTEXT,
  FRAME_INFO,
  FXSAVE_BYTES,
  placeFrame,
  RED_ZONE,
  SC_CR2,
  SC_ERROR,
  SC_FLAGS,
  SC_FPSTATE,
  SC_OLD_MASK,
  SC_RIP,
  SC_SELECTORS,
  SC_VECTOR,
  USER_CS,
  USER_SS,
} from '../abi/signal-frame.ts';
import { SA_ONSTACK, SA_RESTART, SIGSEGV } from '../abi/signals.ts';
import { Reg } from '../cpu/state.ts';
import type { SignalFrame } from '../ipc/kernel-calls.ts';
import { resetFloatingPoint, restoreFloatingPoint, saveFloatingPoint } from './fxsave.ts';
import type { Kernel } from './kernel.ts';
import { type AlternateStack, NO_STACK, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK, type Thread } from './thread.ts';

/** Flags that a signal frame may change: the status flags, TF, DF, AC. RF is not ours to keep. */
const RESTORED_FLAGS = 0x0004_0dd5;
/** Cleared when a handler is entered: TF, DF. */
const HANDLER_FLAGS = 0x500;

/** A handler is to be entered: the thread's sleeping call, if any, is asked to end. */
export const queueFrame = (kernel: Kernel, thread: Thread, frame: SignalFrame): void => {
  if (thread.state === 'dead') return;
  thread.frames.push(frame);
  thread.attention = true;
  interrupt(kernel, thread);
};

/** Asks the sleeping call of a thread to end with EINTR. */
export const interrupt = (kernel: Kernel, thread: Thread): void => {
  const { sleep } = thread;
  if (sleep === undefined || thread.cancelled || thread.state === 'dead') return;
  if (sleep.server !== undefined) {
    thread.cancelled = true;
    kernel.later(() => {
      if (thread.sleep === sleep) sleep.server!.port.cancel(sleep.token);
    });
  } else if (sleep.interrupt !== undefined) {
    thread.cancelled = true;
    kernel.later(() => {
      if (thread.sleep === sleep) sleep.interrupt!();
    });
  }
};

/**
 * Settles what is to be done before a thread goes back to user mode. False if it does not go back now. May throw
 * PageNeeded; then it is to be called again when the page is there.
 */
export const prepareReturn = (kernel: Kernel, thread: Thread): boolean => {
  if (thread.state !== 'running') return false;
  if (thread.process.stopped) return false;
  if (thread.interrupted) restartOrNot(kernel, thread);
  while (thread.frames.length > 0) {
    const frame = thread.frames[0];
    if (!pushFrame(kernel, thread, frame)) {
      // No room for the frame: SIGSEGV instead, and if that was the signal, the end (force_sigsegv).
      thread.frames = [];
      kernel.log(`process ${thread.process.pid}: no stack for the handler of signal ${frame.signal}`);
      if (frame.signal === SIGSEGV)
        kernel.request(kernel.pm, 'exit', { pid: thread.process.pid, status: SIGSEGV }, () => {});
      else raiseFault(kernel, thread, SIGSEGV, 0x80, 0);
      kernel.drain();
      if ((thread.state as string) === 'dead') return false;
      continue;
    }
    thread.frames.shift();
  }
  thread.attention = false;
  return true;
};

const restartOrNot = (kernel: Kernel, thread: Thread): void => {
  thread.interrupted = false;
  const [frame] = thread.frames;
  if (frame !== undefined) {
    const restart = thread.restart ?? kernel.dispatch.call(thread.call)?.options.restart ?? 'restart';
    if (restart === 'interrupt' || (restart === 'restart' && (frame.flags & BigInt(SA_RESTART)) === 0n)) return;
  }
  thread.resumed = frame === undefined;
  const { registers } = thread;
  registers.instructionPointer -= 2;
  registers.set(Reg.RAX, thread.call);
};

/** Whether an address lies on the alternate stack. */
const onStack = ({ pointer, size, flags }: AlternateStack, address: number): boolean =>
  (flags & SS_DISABLE) === 0 && address > pointer && address <= pointer + size;

/** The stack's flags as sigaltstack(2) tells them. */
export const stackFlags = (thread: Thread): number => {
  const { altStack } = thread;
  if ((altStack.flags & SS_DISABLE) !== 0) return SS_DISABLE;
  const used = onStack(altStack, thread.registers.get(Reg.RSP)) && (altStack.flags & SS_AUTODISARM) === 0;
  return (used ? SS_ONSTACK : 0) | (altStack.flags & SS_AUTODISARM);
};

const pushFrame = (kernel: Kernel, thread: Thread, signal: SignalFrame): boolean => {
  const { registers, altStack, process } = thread;
  const stackPointer = registers.get(Reg.RSP);
  const switches =
    (signal.flags & BigInt(SA_ONSTACK)) !== 0n &&
    (altStack.flags & SS_DISABLE) === 0 &&
    !(onStack(altStack, stackPointer) && (altStack.flags & SS_AUTODISARM) === 0);
  const { frame, fpstate } = placeFrame(switches ? altStack.pointer + altStack.size : stackPointer - RED_ZONE);
  if (frame < 0 || (switches && frame < altStack.pointer)) return false;
  // A handler that runs on the alternate stack already must not run out of it at its lower end.
  if (!switches && onStack(altStack, stackPointer) && frame <= altStack.pointer) return false;

  const bytes = new Uint8Array(fpstate + FXSAVE_BYTES - frame);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(signal.restorer), true);
  view.setBigUint64(FRAME_CONTEXT, CONTEXT_FLAGS, true);
  writeStack(view, FRAME_CONTEXT + CONTEXT_STACK, altStack, stackFlags(thread));
  const sc = FRAME_CONTEXT + CONTEXT_REGISTERS;
  CONTEXT_ORDER.forEach((register, index) => {
    view.setBigUint64(sc + index * 8, registers.view.getBigUint64(register * 8, true), true);
  });
  view.setBigUint64(sc + SC_RIP, BigInt(registers.instructionPointer), true);
  view.setBigUint64(sc + SC_FLAGS, BigInt(registers.flags), true);
  view.setUint16(sc + SC_SELECTORS, USER_CS, true);
  view.setUint16(sc + SC_SELECTORS + 6, USER_SS, true);
  view.setBigUint64(sc + SC_ERROR, BigInt(thread.fault.error), true);
  view.setBigUint64(sc + SC_VECTOR, BigInt(thread.fault.vector), true);
  view.setBigUint64(sc + SC_OLD_MASK, signal.savedMask, true);
  view.setBigUint64(sc + SC_CR2, BigInt(thread.fault.address), true);
  view.setBigUint64(sc + SC_FPSTATE, BigInt(fpstate), true);
  view.setBigUint64(FRAME_CONTEXT + CONTEXT_MASK, signal.savedMask, true);
  bytes.set(signal.info, FRAME_INFO);
  saveFloatingPoint(registers, new DataView(bytes.buffer, fpstate - frame, FXSAVE_BYTES));
  if (process.memory.write(frame, bytes) instanceof Errno) return false;

  kernel.tracer?.signalled(thread, signal);
  if (switches && (altStack.flags & SS_AUTODISARM) !== 0) thread.altStack = NO_STACK;
  registers.set(Reg.RDI, signal.signal);
  registers.set(Reg.RSI, frame + FRAME_INFO);
  registers.set(Reg.RDX, frame + FRAME_CONTEXT);
  registers.set(Reg.RAX, 0);
  registers.set(Reg.RSP, frame);
  registers.instructionPointer = signal.handler;
  registers.flags &= ~HANDLER_FLAGS;
  return true;
};

/** struct sigaltstack: pointer, flags, size. */
export const writeStack = (view: DataView, at: number, stack: AlternateStack, flags: number): void => {
  view.setBigUint64(at, BigInt(stack.pointer), true);
  view.setInt32(at + 8, flags, true);
  view.setBigUint64(at + 16, BigInt(stack.size), true);
};

/** Takes the frame that RSP stands on off the stack and restores everything from it. False if it is no frame. */
export const popFrame = (thread: Thread): { readonly mask: bigint } | undefined => {
  const { registers, process } = thread;
  // The handler's RET has taken pretcode off.
  const frame = registers.get(Reg.RSP) - 8;
  const bytes = process.memory.read(frame, FRAME_BYTES);
  if (bytes instanceof Errno) return undefined;
  const view = new DataView(bytes.buffer);
  const sc = FRAME_CONTEXT + CONTEXT_REGISTERS;
  const fpstate = Number(view.getBigUint64(sc + SC_FPSTATE, true));
  const instructionPointer = view.getBigUint64(sc + SC_RIP, true);
  if (instructionPointer >= 1n << 47n) return undefined;
  let image: Uint8Array | Errno | undefined;
  if (fpstate !== 0) {
    image = process.memory.read(fpstate, FXSAVE_BYTES);
    if (image instanceof Errno) return undefined;
    if (!restoreFloatingPoint(registers, new DataView(image.buffer))) return undefined;
  } else resetFloatingPoint(registers);
  CONTEXT_ORDER.forEach((register, index) => {
    registers.view.setBigUint64(register * 8, view.getBigUint64(sc + index * 8, true), true);
  });
  registers.instructionPointer = Number(instructionPointer);
  const flags = Number(view.getBigUint64(sc + SC_FLAGS, true) & 0xffff_ffffn);
  registers.flags = (registers.flags & ~RESTORED_FLAGS) | (flags & RESTORED_FLAGS);
  const stack = FRAME_CONTEXT + CONTEXT_STACK;
  thread.altStack = {
    pointer: Number(view.getBigUint64(stack, true)),
    flags: view.getInt32(stack + 8, true) & ~SS_ONSTACK,
    size: Number(view.getBigUint64(stack + 16, true)),
  };
  return { mask: view.getBigUint64(FRAME_CONTEXT + CONTEXT_MASK, true) };
};

/** A fault of the processor becomes a signal that the process cannot but take. */
export const raiseFault = (kernel: Kernel, thread: Thread, signal: number, code: number, address: number): void => {
  const { process, tid } = thread;
  kernel.request(
    kernel.pm,
    'fault',
    { pid: process.pid, tid, signal, code, address, errno: 0, syscall: -1 },
    (reply) => {
      if (!(reply instanceof Errno)) return;
      kernel.log(`process ${process.pid}: signal ${signal} could not be raised (${reply.name})`);
      kernel.request(kernel.pm, 'exit', { pid: process.pid, status: signal }, () => {});
    },
  );
};
