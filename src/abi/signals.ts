/**
 * Signals of Linux x86-64: numbers, default actions, flags of sigaction, sets, and the layouts of `struct sigaction` and
 * `siginfo_t` (signal(7), sigaction(2), asm-generic/siginfo.h).
 *
 * A set of signals is a bigint with signal n at bit n−1, as the kernel's `sigset_t` of 8 bytes.
 *
 *     siginfo_t (128 bytes)      0 si_signo   4 si_errno   8 si_code   12 padding, then by kind
 *       kill, tkill   16 pid   20 uid
 *       rt queue      16 pid   20 uid   24 sigval (8)
 *       SIGCHLD       16 pid   20 uid   24 status   32 utime   40 stime (clock ticks)
 *       fault         16 addr  24 addr_lsb
 *       seccomp       16 call address   24 call   28 arch
 *       timer         16 tid   20 overrun   24 sigval (8)
 *
 *     struct sigaction (32 bytes)   0 handler   8 flags   16 restorer   24 mask
 */

import { AUDIT_ARCH_X86_64, SYS_SECCOMP } from './seccomp.ts';

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
/** The first and last signal that queue (the C library keeps 32 and 33 for itself). */
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;

const NAMES = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT ' +
  'CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');

/** `SIGINT`, `SIGRT_3`, or the number for what is not a signal. */
export const signalName = (signal: number): string => {
  if (signal >= 1 && signal < SIGRTMIN) return `SIG${NAMES[signal - 1]}`;
  return signal >= SIGRTMIN && signal <= SIGRTMAX ? `SIGRT_${signal - SIGRTMIN}` : String(signal);
};

export const isSignal = (signal: number): boolean => signal >= 1 && signal <= SIGRTMAX;

/** The set that holds one signal. */
export const bit = (signal: number): bigint => BITS[signal];
const BITS: readonly bigint[] = Array.from({ length: 65 }, (_, n) => (n === 0 ? 0n : 1n << BigInt(n - 1)));

export const setOf = (...signals: readonly number[]): bigint => signals.reduce((set, signal) => set | bit(signal), 0n);
export const has = (set: bigint, signal: number): boolean => (set & bit(signal)) !== 0n;

/** The lowest signal of a set, 0 if it is empty. */
export const lowest = (set: bigint): number => {
  if (set === 0n) return 0;
  const low = Number(BigInt.asUintN(32, set));
  if (low !== 0) return 32 - Math.clz32(low & -low);
  const high = Number(set >> 32n);
  return 64 - Math.clz32(high & -high);
};

export const EMPTY_SET = 0n;
export const FULL_SET = 0xffff_ffff_ffff_ffffn;
/** Signals that can be neither caught, blocked nor ignored. */
export const UNBLOCKABLE = setOf(SIGKILL, SIGSTOP);
export const STOP_SIGNALS = setOf(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);
/** Signals that a processor fault raises: taken before all others. */
export const SYNCHRONOUS = setOf(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);

export type DefaultAction = 'terminate' | 'core' | 'ignore' | 'stop' | 'continue';

const CORE = setOf(SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS);
const DEFAULT_IGNORED = setOf(SIGCHLD, SIGURG, SIGWINCH);

/** What a signal does to a process that has not said otherwise (signal(7)). */
export const defaultAction = (signal: number): DefaultAction => {
  if (has(DEFAULT_IGNORED, signal)) return 'ignore';
  if (has(STOP_SIGNALS, signal)) return 'stop';
  if (signal === SIGCONT) return 'continue';
  return has(CORE, signal) ? 'core' : 'terminate';
};

/** Handler addresses that are not addresses. */
export const SIG_DFL = 0;
export const SIG_IGN = 1;

export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;

export const SA_NOCLDSTOP = 0x1;
export const SA_NOCLDWAIT = 0x2;
export const SA_SIGINFO = 0x4;
export const SA_EXPOSE_TAGBITS = 0x800;
export const SA_RESTORER = 0x0400_0000;
export const SA_ONSTACK = 0x0800_0000;
export const SA_RESTART = 0x1000_0000;
export const SA_NODEFER = 0x4000_0000;
export const SA_RESETHAND = 0x8000_0000;
/** The flags that Linux knows; rt_sigaction drops others, so that programs can probe. */
export const SA_KNOWN =
  (SA_NOCLDSTOP |
    SA_NOCLDWAIT |
    SA_SIGINFO |
    SA_EXPOSE_TAGBITS |
    SA_RESTORER |
    SA_ONSTACK |
    SA_RESTART |
    SA_NODEFER |
    SA_RESETHAND) >>>
  0;

export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_TKILL = -6;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

export interface SigAction {
  readonly signal: number;
  /** Address, `SIG_DFL` or `SIG_IGN`. */
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  readonly mask: bigint;
}

export const SIGACTION_BYTES = 32;
export const SIGINFO_BYTES = 128;
export const SIGSET_BYTES = 8;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const decodeSigset = (bytes: Uint8Array): bigint => viewOf(bytes).getBigUint64(0, true);

export const encodeSigset = (set: bigint): Uint8Array => {
  const bytes = new Uint8Array(SIGSET_BYTES);
  viewOf(bytes).setBigUint64(0, set, true);
  return bytes;
};

export const decodeSigAction = (signal: number, bytes: Uint8Array): SigAction => {
  const view = viewOf(bytes);
  return {
    signal,
    handler: Number(view.getBigUint64(0, true)),
    flags: (view.getUint32(8, true) & SA_KNOWN) >>> 0,
    restorer: Number(view.getBigUint64(16, true)),
    mask: view.getBigUint64(24, true) & ~UNBLOCKABLE,
  };
};

/** The structure, all zeros for a signal that has its default action. */
export const encodeSigAction = (action: SigAction | undefined): Uint8Array => {
  const bytes = new Uint8Array(SIGACTION_BYTES);
  if (action === undefined) return bytes;
  const view = viewOf(bytes);
  view.setBigUint64(0, BigInt(action.handler), true);
  view.setBigUint64(8, BigInt(action.flags), true);
  view.setBigUint64(16, BigInt(action.restorer), true);
  view.setBigUint64(24, action.mask, true);
  return bytes;
};

const header = (signal: number, code: number): { readonly bytes: Uint8Array; readonly view: DataView } => {
  const bytes = new Uint8Array(SIGINFO_BYTES);
  const view = viewOf(bytes);
  view.setInt32(0, signal, true);
  view.setInt32(8, code, true);
  return { bytes, view };
};

/** siginfo of kill (SI_USER), tkill (SI_TKILL) and the kernel's own signals (SI_KERNEL, ids 0). */
export const userInfo = (signal: number, code: number, pid = 0, uid = 0): Uint8Array => {
  const { bytes, view } = header(signal, code);
  view.setInt32(16, pid, true);
  view.setUint32(20, uid, true);
  return bytes;
};

/** What SIGCHLD and waitid tell of a child; times in clock ticks. */
export const childInfo = (
  signal: number,
  child: {
    readonly code: number;
    readonly pid: number;
    readonly uid: number;
    readonly status: number;
    readonly userTicks?: number;
    readonly systemTicks?: number;
  },
): Uint8Array => {
  const { bytes, view } = header(signal, child.code);
  view.setInt32(16, child.pid, true);
  view.setUint32(20, child.uid, true);
  view.setInt32(24, child.status, true);
  view.setBigInt64(32, BigInt(child.userTicks ?? 0), true);
  view.setBigInt64(40, BigInt(child.systemTicks ?? 0), true);
  return bytes;
};

/** siginfo of a processor fault. */
export const faultInfo = (signal: number, code: number, address: number): Uint8Array => {
  const { bytes, view } = header(signal, code);
  view.setBigInt64(16, BigInt(address), true);
  return bytes;
};

/** siginfo of a SIGSYS that a seccomp filter raised. */
export const seccompInfo = (errno: number, address: number, call: number): Uint8Array => {
  const { bytes, view } = header(SIGSYS, SYS_SECCOMP);
  view.setInt32(4, errno, true);
  view.setBigInt64(16, BigInt(address), true);
  view.setInt32(24, call, true);
  view.setUint32(28, AUDIT_ARCH_X86_64, true);
  return bytes;
};

/** siginfo of an expired POSIX timer. */
export const timerInfo = (signal: number, timer: number, overrun: number, value: bigint): Uint8Array => {
  const { bytes, view } = header(signal, SI_TIMER);
  view.setInt32(16, timer, true);
  view.setInt32(20, overrun, true);
  view.setBigUint64(24, value, true);
  return bytes;
};

export const POLL_IN = 1;
export const POLL_OUT = 2;

/** siginfo of signal-driven I/O. */
export const ioInfo = (signal: number, code: number, band: number, fd: number): Uint8Array => {
  const { bytes, view } = header(signal, code);
  view.setBigInt64(16, BigInt(band), true);
  view.setInt32(24, fd, true);
  return bytes;
};

/** `si_code` of a siginfo that a program made itself. */
export const infoCode = (info: Uint8Array): number => viewOf(info).getInt32(8, true);
