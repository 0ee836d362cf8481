/**
 * The kernel calls: what a server may ask of the kernel. Each call checks the policy (ipc/policy.ts): only the memory
 * manager maps, only the process manager creates, destroys and signals, only the VFS touches descriptors. A call that is
 * not allowed answers EPERM and is logged; it never throws. What a call changes in the kernel is undone if the server's
 * transaction rolls back.
 *
 * Names follow the reference (kernel_create_process, kernel_deliver_signal, kernel_map_page, kernel_alloc_fd, …).
 */
import type { Capabilities } from '../abi/credentials.ts';
import type { Result } from '../abi/errno.ts';

/** A signal that waits for a process (tid 0) or one of its threads, with the 128 bytes of its siginfo_t. */
export interface PendingSignal {
  readonly tid: number;
  readonly signal: number;
  readonly info: Uint8Array;
}

/** Who a process is. The process manager owns it; the kernel keeps the copy that the other servers read. */
export interface Identity {
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  readonly capabilities: Capabilities;
  /** PR_SET_NO_NEW_PRIVS: execve gives no privileges, and filters need none. */
  readonly noNewPrivileges: boolean;
  /** Soft and hard limits by RLIMIT number; Infinity for RLIM_INFINITY. */
  readonly limits: readonly (readonly [soft: number, hard: number])[];
  /** Command name, at most 15 bytes. */
  readonly name: string;
  readonly nice: number;
  /** Process state letter as in /proc/PID/stat: R, S, T, Z. The kernel refines R into R or S by what the threads do. */
  readonly state: 'R' | 'S' | 'T' | 'Z';
  /** Signals that are blocked and ignored: the VFS needs them for SIGTTIN and SIGTTOU. */
  readonly blocked: bigint;
  readonly ignored: bigint;
  readonly caught: bigint;
  readonly pending: bigint;
  /** All that is pending, oldest first: what signalfd(2) reads from. */
  readonly queue: readonly PendingSignal[];
  /** Controlling terminal's device number, 0 if none (kept by the VFS through setTerminal). */
  readonly terminal: number;
}

/** What the kernel knows of a process besides. */
export interface ProcessView extends Identity {
  readonly pid: number;
  /** CPU time in nanoseconds. */
  readonly userTime: number;
  readonly systemTime: number;
  /** Monotonic nanoseconds at creation. */
  readonly startTime: number;
  readonly virtualBytes: number;
  readonly residentPages: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Number of threads, and their numbers. */
  readonly threads: number;
  readonly threadIds: readonly number[];
  /** Path of the program file, as execve resolved it. */
  readonly executable: string;
  /** Addresses of argument and environment strings on the initial stack. */
  readonly argumentsStart: number;
  readonly argumentsEnd: number;
  readonly environmentStart: number;
  readonly environmentEnd: number;
  readonly stackStart: number;
  /** The auxiliary vector's bytes. */
  readonly auxiliary: Uint8Array;
  readonly heapStart: number;
  readonly heapEnd: number;
  readonly kernel: boolean;
  /** Mode of seccomp(2) of the first thread: 0 none, 1 strict, 2 filters. */
  readonly seccomp: number;
}

/** What the kernel knows of a thread. */
export interface ThreadView {
  readonly pid: number;
  readonly tid: number;
  /** As in /proc/PID/task/TID/comm. */
  readonly name: string;
  readonly nice: number;
  /** Whether it runs or could (R), or sleeps (S). */
  readonly state: 'R' | 'S';
  /** CPU time in nanoseconds. */
  readonly userTime: number;
  readonly systemTime: number;
}

/** What lies behind a mapping: `zero`, a file or shared-memory object, or nothing but a reservation. */
export type Backing =
  | { readonly kind: 'zero' }
  /** Private copy of a file, page by page on demand: `object` as the VFS numbers it, byte `offset` of the mapping's start. */
  | { readonly kind: 'file'; readonly object: number; readonly offset: number }
  /** Pages shared by all mappings of the object: System V segments, shared anonymous memory, shared file mappings. */
  | { readonly kind: 'shared'; readonly object: number; readonly offset: number; readonly file: boolean };

export interface MappingView {
  readonly start: number;
  readonly end: number;
  readonly protection: number;
  readonly backing: Backing;
  /** Path, `[heap]`, `[stack]`, … as /proc/PID/maps shows it. */
  readonly name: string;
}

export interface SignalFrame {
  readonly signal: number;
  readonly handler: number;
  readonly flags: bigint;
  readonly restorer: number;
  /** Mask to be restored by rt_sigreturn. */
  readonly savedMask: bigint;
  /** The 128 bytes of siginfo_t. */
  readonly info: Uint8Array;
}

/** Signal-driven I/O: whom to tell of which descriptor, by which signal (0: SIGIO without siginfo), on whose authority. */
export interface IoNotice {
  /** A process, a thread with `thread`, or, negative, a group. */
  readonly owner: number;
  readonly thread: boolean;
  readonly signal: number;
  readonly fd: number;
  /** Else it is writable. */
  readonly readable: boolean;
  readonly uid: number;
  readonly euid: number;
}

export interface SystemView {
  readonly bootTime: { readonly seconds: number; readonly nanoseconds: number };
  readonly uptime: number;
  readonly idleTime: number;
  readonly userTime: number;
  readonly systemTime: number;
  /** Guest memory limit and use in bytes. */
  readonly memoryTotal: number;
  readonly memoryFree: number;
  readonly contextSwitches: number;
  readonly forks: number;
  readonly load: readonly [number, number, number];
  readonly running: number;
  readonly lastPid: number;
  readonly hostname: string;
  /** Programs are placed at random addresses. */
  readonly randomised: boolean;
}

/** A server and how it is doing. */
export interface ServerView {
  readonly name: string;
  readonly pid: number;
  /** `failing`: it crashes again and again; `down`: no instance could be made. */
  readonly health: 'up' | 'failing' | 'down';
  readonly requests: number;
  /** Requests that have not been answered. */
  readonly pending: number;
  readonly restarts: number;
  /** Frames that were refused, and that did not arrive. */
  readonly rejected: number;
  readonly lost: number;
  /** Nanoseconds from death to new instance: the median and what 99 of 100 did not exceed. */
  readonly recovery: { readonly median: number; readonly p99: number };
  /** The last restarts, oldest first. `at` is nanoseconds since boot, `duration` from death to new instance. */
  readonly history: readonly {
    readonly at: number;
    readonly call: string;
    readonly reason: string;
    readonly duration: number;
  }[];
}

export interface KernelCalls {
  // ── Anyone ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** ESRCH if there is no such process. */
  process(pid: number): Result<ProcessView>;
  processes(): readonly number[];
  /** The living threads of a process, oldest first. */
  threads(pid: number): readonly ThreadView[];
  system(): SystemView;
  servers(): readonly ServerView[];
  /** One line in the system log. */
  log(line: string): void;

  // ── Process manager ─────────────────────────────────────────────────────────────────────────────────────────────
  /** Makes the kernel's side of a process: no memory, no descriptors and no runnable thread yet. EAGAIN when the limit is reached. */
  createProcess(pid: number, identity: Identity): Result<void>;
  /** Changes who a process is. */
  setIdentity(pid: number, change: Partial<Identity>): Result<void>;
  /** Ends all threads; descriptors and memory are released by the kernel's messages to the VFS and memory manager. The view stays until `forgetProcess`. `status` as wait4 reports it, for whoever watches. */
  destroyProcess(pid: number, status?: number): Result<void>;
  /** A process dies of a signal with a core dump: its threads stand still, the kernel writes the file and then reports `exit`. */
  dumpCore(pid: number, tid: number, signal: number, info: Uint8Array): Result<void>;
  /** The zombie is reaped: the PID may be used again. */
  forgetProcess(pid: number): Result<void>;
  /** Queues a signal frame for a thread: it is interrupted if it sleeps, and enters the handler when it next runs. */
  deliverSignal(pid: number, tid: number, frame: SignalFrame): Result<void>;
  /** Interrupts a sleeping call of the thread without a handler (a stop, or a signal that ends the process). */
  interrupt(pid: number, tid: number): Result<void>;
  stopProcess(pid: number): Result<void>;
  continueProcess(pid: number): Result<void>;
  /** Names a thread besides the first, whose name is the process's. */
  nameThread(pid: number, tid: number, name: string): Result<void>;
  /** Sets the nice value of a thread. */
  setPriority(pid: number, tid: number, nice: number): Result<void>;

  /** The process that a pidfd of `pid` stands for: EBADF if the descriptor is none, ESRCH if the process has been reaped. */
  pidfd(pid: number, fd: number): Result<{ readonly target: number; readonly nonblocking: boolean }>;

  // ── Memory manager ──────────────────────────────────────────────────────────────────────────────────────────────
  /** Maps a page-aligned range lazily (kernel_map_page for ranges). ENOMEM past the system's memory limit. */
  mapPages(
    pid: number,
    start: number,
    length: number,
    protection: number,
    backing: Backing,
    name: string,
  ): Result<void>;
  unmapPages(pid: number, start: number, length: number): Result<void>;
  changeProtection(pid: number, start: number, length: number, protection: number): Result<void>;
  /** Moves mapped pages (mremap). The destination range is free. */
  movePages(pid: number, from: number, to: number, length: number): Result<void>;
  /** Drops the contents of private pages: the next touch sees the backing again (MADV_DONTNEED). */
  discardPages(pid: number, start: number, length: number): Result<void>;
  /** Brings the accessible pages of a range in, as far as memory lasts (MAP_POPULATE, mlock). */
  populatePages(pid: number, start: number, length: number): Result<void>;
  /** One byte a page: 1 if resident (mincore). */
  residentPages(pid: number, start: number, length: number): Result<Uint8Array>;
  /** Writes modified pages of shared file mappings back (msync); the kernel sends the data to the VFS. */
  syncPages(pid: number, start: number, length: number): Result<void>;
  /** Makes the child's address space a lazy copy of the parent's (fork). */
  forkMemory(parent: number, child: number): Result<void>;
  /** Makes the child use the parent's address space (CLONE_VM). */
  shareMemory(parent: number, child: number): Result<void>;
  /** Empties the address space of a process that gets a new image; if others use it, leaves it to them. */
  leaveMemory(pid: number): Result<void>;
  /** Where the heap lies, for /proc and accounting. */
  setHeap(pid: number, start: number, end: number): Result<void>;
  /** A fresh shared object of this many bytes, zero-filled; freed when unmapped everywhere and released. */
  createShared(bytes: number): Result<number>;
  releaseShared(object: number): Result<void>;

  // ── VFS ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Lowest free descriptor ≥ `minimum`, bound to an open file. EMFILE at RLIMIT_NOFILE. */
  allocFd(pid: number, file: number, minimum: number, closeOnExec: boolean): Result<number>;
  /** EBADF if it is not open; else the open file it named. */
  freeFd(pid: number, fd: number): Result<number>;
  /** Makes `newFd` name what `oldFd` does; returns the open file that `newFd` named before, or 0. EBADF. */
  dupFd(pid: number, oldFd: number, newFd: number, closeOnExec: boolean): Result<number>;
  /** The open file a descriptor names. EBADF. */
  fd(pid: number, fd: number): Result<{ readonly file: number; readonly closeOnExec: boolean }>;
  setCloseOnExec(pid: number, fd: number, on: boolean): Result<void>;
  /** All descriptors of a process, ascending. */
  fds(pid: number): readonly { readonly fd: number; readonly file: number; readonly closeOnExec: boolean }[];
  /** Makes the child's table a copy of the parent's (fork). */
  copyFds(parent: number, child: number): Result<void>;
  /** From now on the kernel sends `signalsPending` when signals come to wait for the process. */
  watchSignals(pid: number): void;
  /** Takes a signal off the queue of a process: out of the kernel's copy at once, the process manager is told after the transaction. */
  takeSignal(pid: number, signal: PendingSignal): void;
  /** Makes an open file stand for a process as it is now, whatever gets its number later. ESRCH. */
  bindPidfd(file: number, target: number, nonblocking: boolean): Result<void>;
  releasePidfd(file: number): void;
  /** The process that an open file stands for. ESRCH if it has been reaped. */
  pidfdTarget(file: number): Result<ProcessView>;
  /** Sends a signal to a process group or, with `toProcess`, to one process, on behalf of a terminal or a broken pipe. Delivered after the transaction. */
  raiseSignal(target: number, signal: number, toProcess?: boolean): void;
  /** Tells the owner of a file with O_ASYNC that it can be read or written. Delivered after the transaction. */
  raiseIo(notice: IoNotice): void;
  /** Records the controlling terminal of a session's processes, or of one of them. */
  setTerminal(sid: number, terminal: number, pid?: number): Result<void>;
  /** Copies from another process's memory (/proc/PID/cmdline, environ). EFAULT. */
  readMemory(pid: number, address: number, length: number): Result<Uint8Array>;
  mappings(pid: number): readonly MappingView[];
  /** A thread by its number, whichever process it belongs to. ESRCH. */
  thread(tid: number): Result<ThreadView>;
  /** Bytes of a range that the process has in memory; 0 if it has no memory. */
  residentBytes(pid: number, start: number, end: number): number;
  /** Pages of a shared file mapping are brought up to date before the VFS reads the file, and dropped after it was written. */
  pullPages(object: number, offset: number, length: number): Result<void>;
  /** `gone`: the file ends at `offset` from now on. */
  invalidatePages(object: number, offset: number, length: number, gone?: boolean): Result<void>;
  /** Bytes typed and written: the console's other end. `consoleWrite` returns how many bytes the host took. */
  consoleWrite(terminal: number, bytes: Uint8Array): number;
}
