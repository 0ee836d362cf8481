/**
 * A thread's seccomp state and what it says of a call (seccomp(2)).
 *
 * Filters form a chain that only grows; fork, clone and execve pass it on. Every filter of the chain is asked; of their answers
 * the one of highest precedence counts. `guard` is called before dispatch for a thread that has a state at all.
 */
import { ENOSYS, Errno } from '../../abi/errno.ts';
import * as abi from '../../abi/seccomp.ts';
import { SIGKILL, SIGSYS } from '../../abi/signals.ts';
import { Reg } from '../../cpu/state.ts';
import type { Kernel } from '../kernel.ts';
import type { Thread } from '../thread.ts';
import { evaluate, type Instruction } from './bpf.ts';

/** One filter and those set before it. */
export interface Filter {
  readonly program: readonly Instruction[];
  readonly before: Filter | undefined;
  /** Instructions of the chain with what each filter costs besides. */
  readonly total: number;
  readonly log: boolean;
}

/** 'strict': read, write, exit, rt_sigreturn and nothing else. */
export type Seccomp = 'strict' | Filter;

/** read, write, rt_sigreturn, exit (kernel/seccomp.c, mode1_syscalls). */
const STRICT_CALLS: ReadonlySet<number> = new Set([0, 1, 15, 60]);

const ARGUMENTS = [Reg.RDI, Reg.RSI, Reg.RDX, Reg.R10, Reg.R8, Reg.R9];

const dataOf = (thread: Thread, number: number): DataView => {
  const { registers } = thread;
  const data = new DataView(new ArrayBuffer(abi.SECCOMP_DATA_BYTES));
  data.setInt32(0, number, true);
  data.setUint32(4, abi.AUDIT_ARCH_X86_64, true);
  data.setBigUint64(8, BigInt(registers.instructionPointer), true);
  ARGUMENTS.forEach((register, index) => {
    data.setBigUint64(16 + index * 8, registers.view.getBigUint64(register * 8, true), true);
  });
  return data;
};

/** Precedence of an action: KILL_PROCESS is −1, the others by value. */
const rank = (answer: number): number => ((answer & 0xffff_0000) >>> 0) | 0;

/** The answer of a chain. Of equal actions the filter set last is heard. */
export const ask = (filter: Filter, data: DataView): { readonly answer: number; readonly by: Filter } => {
  let by = filter;
  let answer = evaluate(filter.program, data);
  for (let next = filter.before; next !== undefined; next = next.before) {
    const other = evaluate(next.program, data);
    if (rank(other) < rank(answer)) {
      answer = other;
      by = next;
    }
  }
  return { answer, by };
};

const die = (kernel: Kernel, thread: Thread, signal: number): false => {
  kernel.request(kernel.pm, 'exit', { pid: thread.process.pid, status: signal }, () => {});
  return false;
};

/** A call number that a guest can pass, as the filter and siginfo see it: the low 32 bits of RAX. */
export const callNumber = (thread: Thread): number => thread.registers.low(Reg.RAX) | 0;

/**
 * Asks a thread's seccomp state about the call it has trapped with. False: the call is not to be made, and everything is done (RAX set, a
 * signal raised, the process ended).
 */
export const guard = (kernel: Kernel, thread: Thread, seccomp: Seccomp): boolean => {
  const number = callNumber(thread);
  if (seccomp === 'strict') {
    if (STRICT_CALLS.has(number)) return true;
    kernel.log(`process ${thread.process.pid}: call ${number} is refused in strict mode`);
    return die(kernel, thread, SIGKILL);
  }
  const { answer, by } = ask(seccomp, dataOf(thread, number));
  const data = answer & 0xffff;
  const action = (answer & 0xffff_0000) >>> 0;
  const note = (verb: string): void => kernel.log(`process ${thread.process.pid}: seccomp ${verb} call ${number}`);
  switch (action) {
    case abi.SECCOMP_RET_ALLOW:
      return true;
    case abi.SECCOMP_RET_LOG:
      note('logs');
      return true;
    case abi.SECCOMP_RET_ERRNO:
      if (by.log) note('refuses');
      thread.registers.set(Reg.RAX, -Math.min(data, abi.MAX_ERRNO));
      return false;
    // Nobody traces and nobody listens: the call fails as if it did not exist.
    case abi.SECCOMP_RET_TRACE:
    case abi.SECCOMP_RET_USER_NOTIF:
      thread.registers.set(Reg.RAX, -ENOSYS.number);
      return false;
    case abi.SECCOMP_RET_TRAP:
      if (by.log) note('traps');
      raise(kernel, thread, number, data);
      return false;
    default:
      note('kills for');
      return die(kernel, thread, SIGSYS);
  }
};

/** SIGSYS with what was called; RAX keeps the number, so that a handler may make the call itself. */
const raise = (kernel: Kernel, thread: Thread, number: number, data: number): void => {
  const { process, tid, registers } = thread;
  const fault = { pid: process.pid, tid, signal: SIGSYS, code: abi.SYS_SECCOMP, address: registers.instructionPointer };
  kernel.request(kernel.pm, 'fault', { ...fault, errno: data, syscall: number }, (reply) => {
    if (reply instanceof Errno) die(kernel, thread, SIGSYS);
  });
};
