/**
 * execve, as the reference's third example has it:
 *
 *     process.exec ─► vfs.openExecutable (again for each #! interpreter) ─► headers through the page cache ─► plan
 *     ─► memory.exec                                                        the point of no return
 *     ─► process.execCommit ─► vfs.execProcess ─► bss tails, initial stack, registers
 *
 * Before memory.exec is asked, any failure leaves the caller as it was. From then on there is no image to return to: a
 * failure, its own included, kills the process.
 */
import * as at from '../../abi/auxv.ts';
import { type ElfHeader, isElf, PT_INTERP, parseElfHeader, parseProgramHeaders } from '../../abi/elf.ts';
import { E2BIG, EIO, ELOOP, ENOEXEC, Errno, type Result } from '../../abi/errno.ts';
import { SIGKILL } from '../../abi/signals.ts';
import { CONTEXT_SIZE, Reg } from '../../cpu/state.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import { releaseVforkParent, takeLender } from '../exit.ts';
import { ask, type Flow } from '../flow.ts';
import { resetFloatingPoint } from '../fxsave.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import { NO_STACK, type Thread } from '../thread.ts';
import { readObject, writeMemory } from './file.ts';
import { type Image, planImage, tableBytes } from './image.ts';
import { HEAD_BYTES, isScript, parseScript } from './script.ts';
import { argumentBytes, buildStack } from './stack.ts';

export interface ExecRequest {
  readonly dirfd: number;
  readonly path: string;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  /** AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
  readonly flags: number;
}

/** What openExecutable answers. */
interface Executable {
  readonly object: number;
  readonly size: number;
  readonly setuid: number;
  readonly setgid: number;
  readonly path: string;
  readonly version: number;
  /** Whether the caller may read it too. */
  readonly readable: boolean;
}

const AT_FDCWD = -100;
/** Interpreters of interpreters, as Linux counts them. */
const MAX_INTERPRETERS = 5;
/** Longest single string of arguments or environment (MAX_ARG_STRLEN). */
export const MAX_STRING = 131_072;
/** Room below the initial stack that is mapped with it; the rest grows. */
const STACK_ROOM = 128 * 1024;
const CPUID_LEAF1_EDX = 0x0781_abfd;

/** Arguments and environment may take a quarter of the stack limit, at least 128 KiB, at most 6 MiB (execve(2)). */
export const argumentLimit = (process: Process): number =>
  Math.max(Math.min((process.identity.limits[3]?.[0] ?? 8 << 20) / 4, 6 << 20), 128 * 1024);

/** Replaces the image of a process. An error means that nothing has changed; undefined that the thread is in the new image, or dead. */
export function* exec(kernel: Kernel, process: Process, thread: Thread, request: ExecRequest): Flow<Errno | undefined> {
  const { pid } = process;
  const allowed = yield* ask(kernel, kernel.pm, 'exec', { pid, tid: thread.tid });
  if (allowed instanceof Errno) return allowed;
  const found = yield* findProgram(kernel, process, request);
  if (found instanceof Errno) return found;
  const { file, argv, elf } = found;
  const image = yield* loadHeaders(kernel, file, elf);
  if (image instanceof Errno || process.dying) {
    kernel.faults.release(file.object);
    return image instanceof Errno ? image : undefined;
  }

  const lender = takeLender(process);
  if (lender !== undefined) {
    const returned = yield* ask(kernel, kernel.mm, 'exchange', { parent: lender.pid, child: pid });
    if (returned instanceof Errno) kernel.log(`process ${lender.pid} did not get its memory back: ${returned.text}`);
  }
  const laidOut = yield* ask<{ stackTop: number; heapStart: number }>(kernel, kernel.mm, 'exec', {
    pid,
    segments: image.segments.flatMap(({ start, length, protection, file: backed, offset }) => [
      start,
      length,
      protection,
      backed ? file.object : -1,
      offset,
    ]),
    names: image.segments.map((segment) => (segment.file ? file.path : '')),
    stackSize: Math.ceil((argumentBytes(argv, request.envp) + STACK_ROOM) / PAGE_SIZE) * PAGE_SIZE,
    imageEnd: image.end,
  });
  kernel.faults.release(file.object);
  const loaded =
    !(laidOut instanceof Errno) && (yield* enter(kernel, process, thread, request, { ...found, image, ...laidOut }));
  if (!loaded && !process.dying) {
    kernel.log(`process ${pid}: ${file.path} could not be loaded`);
    yield* ask(kernel, kernel.pm, 'killHost', { target: pid, signal: SIGKILL });
  }
  return undefined;
}

interface Program {
  readonly file: Executable;
  readonly argv: readonly string[];
  readonly elf: ElfHeader;
}

/** Opens the program, or the interpreter its first line names, and checks that it is one. */
function* findProgram(kernel: Kernel, process: Process, request: ExecRequest): Flow<Result<Program>> {
  let { dirfd, path, argv, flags } = request;
  const limit = argumentLimit(process);
  for (let depth = 0; ; depth++) {
    if (argumentBytes(argv, request.envp) > limit) return E2BIG;
    if (depth > MAX_INTERPRETERS) return ELOOP;
    const file = yield* ask<Executable>(kernel, kernel.vfs, 'openExecutable', { pid: process.pid, dirfd, path, flags });
    if (file instanceof Errno) return file;
    kernel.faults.cache.validate(file.object, file.version);
    const head = yield* readObject(kernel, file.object, 0, HEAD_BYTES);
    if (isElf(head)) {
      const elf = parseElfHeader(head);
      if (!(elf instanceof Errno)) return { file, argv, elf };
      kernel.faults.release(file.object);
      return elf;
    }
    kernel.faults.release(file.object);
    const script = isScript(head) ? parseScript(head) : undefined;
    if (script === undefined) return ENOEXEC;
    const extra = script.argument === undefined ? [] : [script.argument];
    argv = [script.path, ...extra, path, ...argv.slice(1)];
    dirfd = AT_FDCWD;
    path = script.path;
    flags = 0;
  }
}

function* loadHeaders(kernel: Kernel, file: Executable, elf: ElfHeader): Flow<Result<Image>> {
  const table = yield* readObject(kernel, file.object, elf.tableOffset, tableBytes(elf));
  const headers = parseProgramHeaders(table, elf.tableCount);
  if (headers instanceof Errno) return headers;
  const interpreter = headers.find((header) => header.type === PT_INTERP);
  if (interpreter !== undefined) {
    if (!(interpreter.fileSize >= 2 && interpreter.fileSize <= 4096)) return ENOEXEC;
    const name = yield* readObject(kernel, file.object, interpreter.offset, interpreter.fileSize - 1);
    if (name.length < interpreter.fileSize - 1) return EIO;
    kernel.log(
      `${file.path} needs the dynamic loader ${String.fromCharCode(...name)}: only static programs run so far`,
    );
    return ENOEXEC;
  }
  return planImage(elf, headers);
}

interface Loaded extends Program {
  readonly image: Image;
  readonly stackTop: number;
  readonly heapStart: number;
}

/** Past the point of no return: ids, descriptors, memory, registers. False if the new image cannot be completed. */
function* enter(
  kernel: Kernel,
  process: Process,
  thread: Thread,
  request: ExecRequest,
  { file, argv, image, stackTop, heapStart }: Loaded,
): Flow<boolean> {
  const { pid } = process;
  const name = request.path.slice(request.path.lastIndexOf('/') + 1).slice(0, 15);
  const { setuid, setgid, readable } = file;
  const committed = yield* ask<{ secure: boolean }>(kernel, kernel.pm, 'execCommit', {
    pid,
    tid: thread.tid,
    name,
    setuid,
    setgid,
    readable,
  });
  if (committed instanceof Errno) return false;
  const closed = yield* ask(kernel, kernel.vfs, 'execProcess', { pid, path: file.path });
  if (closed instanceof Errno) return false;

  process.stackTop = stackTop;
  if (process.heapStart === 0) process.heapStart = process.heapEnd = heapStart;
  for (const { start, length, writable } of image.tails)
    if (writable && !(yield* writeMemory(kernel, process, start, new Uint8Array(length)))) return false;
  const { identity } = process;
  const stack = buildStack(stackTop, {
    argv,
    envp: request.envp,
    execfn: request.path,
    random: kernel.platform.entropy(16),
    auxv: (places) => [
      [at.AT_MINSIGSTKSZ, at.MINIMUM_SIGNAL_STACK],
      [at.AT_HWCAP, CPUID_LEAF1_EDX],
      [at.AT_PAGESZ, PAGE_SIZE],
      [at.AT_CLKTCK, at.CLOCK_TICKS],
      [at.AT_PHDR, image.headers],
      [at.AT_PHENT, 56],
      [at.AT_PHNUM, image.headerCount],
      [at.AT_BASE, 0],
      [at.AT_FLAGS, 0],
      [at.AT_ENTRY, image.entry],
      [at.AT_UID, identity.uid],
      [at.AT_EUID, identity.euid],
      [at.AT_GID, identity.gid],
      [at.AT_EGID, identity.egid],
      [at.AT_SECURE, committed.secure ? 1 : 0],
      [at.AT_RANDOM, places.random],
      [at.AT_HWCAP2, 0],
      [at.AT_EXECFN, places.execfn],
      [at.AT_PLATFORM, places.platform],
    ],
  });
  if (!(yield* writeMemory(kernel, process, stack.pointer, stack.bytes))) return false;
  process.image = {
    executable: file.path,
    argumentsStart: stack.argumentsStart,
    argumentsEnd: stack.argumentsEnd,
    environmentStart: stack.environmentStart,
    environmentEnd: stack.environmentEnd,
    stackStart: stack.pointer,
  };

  const { registers } = thread;
  registers.bytes.fill(0, 0, CONTEXT_SIZE);
  resetFloatingPoint(registers);
  registers.flags = 0;
  registers.set(Reg.RSP, stack.pointer);
  registers.instructionPointer = image.entry;
  thread.altStack = NO_STACK;
  thread.clearTid = 0;
  thread.robustList = thread.robustLength = 0;
  releaseVforkParent(kernel, process);
  return true;
}
