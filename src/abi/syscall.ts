/**
 * How a system call is declared. The tables stand in syscalls/*.ts, one file a server, and are joined in syscalls.ts.
 *
 *     read: syscall(0, 'vfs', 'read', { fd, buf: bufferOut(2), count: size }),
 *     open: syscall(2, 'vfs', 'open', { path, flags: openFlags, mode: octal }, { with: { dirfd: AT_FDCWD } }),
 *
 * The key is the call's name; the arguments are in register order. Dispatch loads every argument and, for a call of a
 * server, sends the message `message` whose request fields are the arguments of the same names plus the constants of
 * `with`; an argument that the message does not have (a count that went into its buffer) is dropped. The call's result is
 * the reply's field `result`, 0 if it has none.
 *
 * `server: 'kernel'` names a function of kernel/calls/ instead of a message: calls that the kernel answers from its own
 * state, and those that cross servers (fork, execve, exit, mmap).
 */
import type { ArgumentKind } from './arguments.ts';

export type ServerName = 'vfs' | 'process' | 'memory';

/** What happens to a sleeping call when a signal handler has run: signal(7), "Interruption of system calls". */
export type Restart =
  /** Restarted if the handler has SA_RESTART; always if no handler ran. */
  | 'restart'
  /** EINTR after any handler; restarted only if no handler ran (poll, select, nanosleep, pause, sigsuspend …). */
  | 'interrupt'
  /** Restarted after any handler too. Only decided call by call, by the kernel (FUTEX_LOCK_PI). */
  | 'always';

export interface SyscallOptions {
  /** Constant request fields. */
  readonly with?: Readonly<Record<string, unknown>>;
  readonly restart?: Restart;
  /**
   * The call runs with another signal mask: argument `argument` points at the mask, or at a pointer to it and its size
   * (`indirect`); `size` is the argument with its size. The kernel asks the process manager round the call.
   * `patient`: a call that need not sleep and finds nothing says so, whatever signals wait (epoll_pwait).
   */
  readonly mask?: {
    readonly argument: number;
    readonly size?: number;
    readonly indirect?: boolean;
    readonly patient?: boolean;
  };
  /** The result is an address: how the trace shows it. */
  readonly address?: boolean;
  /** What is missing, for docs; a call without it is complete. */
  readonly partial?: string;
}

export interface Syscall {
  readonly number: number;
  readonly server: ServerName | 'kernel';
  readonly message: string;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of any kinds
  readonly args: Readonly<Record<string, ArgumentKind<any>>>;
  readonly options: SyscallOptions;
}

export const syscall = (
  number: number,
  server: ServerName | 'kernel',
  message: string,
  // biome-ignore lint/suspicious/noExplicitAny: arguments of any kinds
  args: Readonly<Record<string, ArgumentKind<any>>>,
  options: SyscallOptions = {},
): Syscall => ({ number, server, message, args, options });
