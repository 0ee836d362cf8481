/**
 * System calls as strace prints them, one line a call, rendered from the declarations of the system call table: this file
 * knows no call by name.
 *
 *     [pid 5] openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3
 *     [pid 5] wait4(-1,  <unfinished ...>
 *     [pid 6] +++ exited with 0 +++
 *     [pid 5] <... wait4 resumed>NULL, 0, NULL) = 6
 *     [pid 5] --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0, si_status=0} ---
 *
 * Arguments that the call fills are shown when it is left. Invariant: at most one line is open, the one that was begun last.
 */
import type { ArgumentKind, GuestReader, RawArguments } from '../abi/arguments.ts';
import { EINTR, Errno } from '../abi/errno.ts';
import { signalName } from '../abi/signals.ts';
import type { Syscall } from '../abi/syscall.ts';
import { syscallName } from '../abi/syscall-names.ts';
import { describeSignal } from './siginfo.ts';

/** What the tracer needs of a thread. */
export interface TracedThread {
  readonly tid: number;
  readonly registers: RawArguments & { signed(register: number): number };
  readonly process: { readonly pid: number; readonly memory: GuestReader };
  /** The call was cancelled by a signal and may be made again. */
  readonly interrupted: boolean;
}

interface Call {
  readonly name: string;
  readonly address: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of any kinds
  readonly kinds: readonly ArgumentKind<any>[];
  readonly values: readonly unknown[];
  /** Shown on entry; the number of arguments it holds. */
  readonly prefix: string;
  readonly shown: number;
}

export interface TracerOptions {
  /** Names of the calls to show; with `!` in front, of those not to show. All by default. */
  readonly filter?: string;
}

const RAX = 0;

export class Tracer {
  readonly #sink: (line: string) => void;
  readonly #names: ReadonlySet<string> | undefined;
  readonly #inverted: boolean;
  readonly #calls = new Map<number, Call>();
  /** The thread whose line is begun and not ended. */
  #open: TracedThread | undefined;

  constructor(sink: (line: string) => void, options: TracerOptions = {}) {
    this.#sink = sink;
    const filter = options.filter ?? '';
    this.#inverted = filter.startsWith('!');
    const names = filter.replace(/^!/, '').split(',').filter(Boolean);
    this.#names = names.length === 0 ? undefined : new Set(names);
  }

  /** A thread has trapped. May be called again for the same call before it is left. */
  enter(thread: TracedThread, number: number, declared: (Syscall & { readonly name: string }) | undefined): void {
    const name = declared?.name ?? syscallName(number);
    if (this.#names !== undefined && this.#names.has(name) === this.#inverted) return;
    if (this.#calls.has(thread.tid)) return;
    const { memory } = thread.process;
    const kinds = Object.values(declared?.args ?? {});
    const values = kinds.map((kind, index) => kind.load(thread.registers, index, memory));
    const parts: string[] = [];
    while (parts.length < kinds.length) {
      const index = parts.length;
      if (kinds[index].when === 'leave' && !(values[index] instanceof Errno)) break;
      parts.push(this.#show(kinds[index], values[index], thread, index, 0));
    }
    const rest = parts.length < kinds.length && parts.length > 0 ? ', ' : '';
    this.#suspend();
    this.#open = thread;
    this.#calls.set(thread.tid, {
      name,
      address: declared?.options.address ?? false,
      kinds,
      values,
      prefix: `${name}(${parts.join(', ')}${rest}`,
      shown: parts.length,
    });
  }

  /** The call has its result; a symbol means that RAX has it already. */
  leave(thread: TracedThread, result: number | Errno | symbol): void {
    const call = this.#calls.get(thread.tid);
    if (call === undefined) return;
    const number =
      typeof result === 'number' ? result : result instanceof Errno ? -result.number : thread.registers.signed(RAX);
    const rest = call.kinds
      .slice(call.shown)
      .map((kind, index) => this.#show(kind, call.values[call.shown + index], thread, call.shown + index, number));
    this.#end(thread, call, `${rest.join(', ')}) = ${this.#result(thread, call, number)}`);
  }

  /** The call ends the thread: it will not be left. */
  last(thread: TracedThread): void {
    const call = this.#calls.get(thread.tid);
    if (call !== undefined) this.#end(thread, call, ') = ?');
  }

  /** A handler is entered. */
  signalled(thread: TracedThread, { signal, info }: { readonly signal: number; readonly info: Uint8Array }): void {
    this.#suspend();
    this.#line(thread.tid, `--- ${signalName(signal)} ${describeSignal(info)} ---`);
  }

  /** A process has ended, with a status as wait4 reports it. */
  exited(
    process: { readonly pid: number; readonly threads: readonly TracedThread[] },
    status: number | undefined,
  ): void {
    for (const thread of process.threads) {
      const call = this.#calls.get(thread.tid);
      if (call !== undefined) this.#end(thread, call, ') = ?');
    }
    this.#suspend();
    if (status === undefined) return;
    const signal = status & 0x7f;
    this.#line(
      process.pid,
      signal === 0
        ? `+++ exited with ${(status >> 8) & 0xff} +++`
        : `+++ killed by ${signalName(signal)}${status & 0x80 ? ' (core dumped)' : ''} +++`,
    );
  }

  /** Ends the line that is open, if any: the watcher wants to see it now. */
  flush(): void {
    this.#suspend();
  }

  // biome-ignore lint/suspicious/noExplicitAny: an argument of any kind
  #show(kind: ArgumentKind<any>, value: unknown, thread: TracedThread, index: number, result: number): string {
    if (!(value instanceof Errno)) return kind.show(value, thread.process.memory, result);
    const raw = thread.registers.u53(index);
    return raw === 0 ? 'NULL' : `0x${raw.toString(16)}`;
  }

  #result(thread: TracedThread, call: Call, number: number): string {
    if (number < 0 && number > -4096) {
      const error = Errno.of(-number);
      if (error === EINTR && thread.interrupted) return '? ERESTARTSYS (To be restarted if SA_RESTART is set)';
      return `-1 ${error.name} (${error.text})`;
    }
    return call.address ? `0x${number.toString(16)}` : String(number);
  }

  #end(thread: TracedThread, call: Call, rest: string): void {
    this.#calls.delete(thread.tid);
    const { tid } = thread;
    if (this.#open?.tid === thread.tid) {
      this.#open = undefined;
      this.#line(tid, call.prefix + rest);
      return;
    }
    this.#suspend();
    this.#line(tid, `<... ${call.name} resumed>${rest}`);
  }

  /** Another event interrupts the open line. */
  #suspend(): void {
    const thread = this.#open;
    if (thread === undefined) return;
    this.#open = undefined;
    const call = this.#calls.get(thread.tid);
    if (call === undefined) return;
    this.#line(thread.tid, `${call.prefix} <unfinished ...>`);
  }

  #line(pid: number, text: string): void {
    this.#sink(`[pid ${pid}] ${text}`);
  }
}
