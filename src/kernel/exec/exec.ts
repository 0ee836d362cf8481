/**
 * execve, as the reference's third example has it:
 *
 *     process.exec ─► vfs.openExecutable (again for each #! interpreter, and for the dynamic loader) ─► headers through the
 *     page cache ─► plan ─► memory.exec                                     the point of no return
 *     ─► process.execCommit ─► vfs.execProcess ─► bss tails, initial stack, registers
 *
 * Before memory.exec is asked, any failure leaves the caller as it was. From then on there is no image to return to: a
 * failure, its own included, kills the process.
 */
import { Errno } from '../../abi/errno.ts';
import { ADDR_NO_RANDOMIZE } from '../../abi/prctl.ts';
import { SIGKILL } from '../../abi/signals.ts';
import { CONTEXT_SIZE, Reg } from '../../cpu/state.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import { releaseVforkParent } from '../exit.ts';
import { ask, type Flow } from '../flow.ts';
import { resetFloatingPoint } from '../fxsave.ts';
import type { Kernel } from '../kernel.ts';
import type { Places } from '../placement.ts';
import type { Process } from '../process.ts';
import { NO_STACK, type Thread } from '../thread.ts';
import { endOthers } from '../threads.ts';
import { VDSO_OBJECT, vdsoMappings } from '../vdso/vdso.ts';
import type { ExecRequest } from './arguments.ts';
import { auxiliaryVector } from './auxiliary.ts';
import { writeMemory } from './file.ts';
import { findProgram, type Loadable, type Program, release } from './program.ts';
import { argumentBytes, buildStack } from './stack.ts';

/** Room below the initial stack that is mapped with it; the rest grows. */
const STACK_ROOM = 128 * 1024;
/** Replaces the image of a process. An error means that nothing has changed; undefined that the thread is in the new image, or dead. */
export function* exec(kernel: Kernel, process: Process, thread: Thread, request: ExecRequest): Flow<Errno | undefined> {
  const { pid } = process;
  const allowed = yield* ask<{ personality: number }>(kernel, kernel.pm, 'exec', { pid, tid: thread.tid });
  if (allowed instanceof Errno) return allowed;
  const places = kernel.placement.choose((allowed.personality & ADDR_NO_RANDOMIZE) !== 0);
  const program = yield* findProgram(kernel, process, request, { program: places.program, loader: places.zone });
  if (program instanceof Errno) return program;
  // Another thread may have been faster.
  if (process.dying || thread.state === 'dead') {
    release(kernel, program);
    return undefined;
  }
  endOthers(kernel, process, thread);

  const { argv, image, loader } = program;
  const laidOut = yield* ask<{ heapStart: number }>(kernel, kernel.mm, 'exec', {
    pid,
    ...segmentFields(loader === undefined ? [program] : [program, loader], places.vdso),
    stackSize: Math.ceil((argumentBytes(argv, request.envp) + STACK_ROOM) / PAGE_SIZE) * PAGE_SIZE,
    stackExecutable: image.stackExecutable,
    imageEnd: image.end,
    heapFollows: loader !== undefined && image.bias !== 0,
    stackTop: places.stackTop,
    zoneStart: places.zone,
    heapGap: places.heapGap,
  });
  release(kernel, program);
  const loaded =
    !(laidOut instanceof Errno) && (yield* enter(kernel, process, thread, request, program, { ...places, ...laidOut }));
  if (!loaded && !process.dying) {
    kernel.log(`process ${pid}: ${program.file.path} could not be loaded`);
    yield* ask(kernel, kernel.pm, 'killHost', { target: pid, signal: SIGKILL });
  }
  return undefined;
}

interface Layout extends Places {
  readonly heapStart: number;
}

/** The segments of all files, and the vDSO, as the memory manager takes them. */
const segmentFields = (files: readonly Loadable[], vdso: number): { segments: number[]; names: string[] } => {
  const segments: number[] = [];
  const names: string[] = [];
  for (const { file, image } of files)
    for (const { start, length, protection, file: backed, offset } of image.segments) {
      segments.push(start, length, protection, backed ? file.object : -1, offset);
      names.push(backed ? file.path : '');
    }
  for (const [start, length, protection, offset, name] of vdsoMappings(vdso)) {
    segments.push(start, length, protection, VDSO_OBJECT, offset);
    names.push(name);
  }
  return { segments, names };
};

/** Past the point of no return: ids, descriptors, memory, registers. False if the new image cannot be completed. */
function* enter(
  kernel: Kernel,
  process: Process,
  thread: Thread,
  request: ExecRequest,
  { file, argv, image, loader, name: path }: Program,
  { stackTop, heapStart, vdso }: Layout,
): Flow<boolean> {
  const { pid } = process;
  const name = path.slice(path.lastIndexOf('/') + 1).slice(0, 15);
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
  thread.lead();
  // Handlers of the old image are gone with it.
  thread.frames = [];
  const closed = yield* ask(kernel, kernel.vfs, 'execProcess', { pid, path: file.path });
  if (closed instanceof Errno) return false;

  process.stackTop = stackTop;
  process.growing = false;
  if (process.heapStart === 0) process.heapStart = process.heapEnd = heapStart;
  const tails = loader === undefined ? image.tails : [...image.tails, ...loader.image.tails];
  for (const { start, length, writable } of tails)
    if (writable && !(yield* writeMemory(kernel, process, start, new Uint8Array(length)))) return false;
  const { identity } = process;
  const stack = buildStack(stackTop, {
    argv,
    envp: request.envp,
    execfn: path,
    random: kernel.platform.entropy(16),
    auxv: auxiliaryVector({ image, loader: loader?.image, identity, secure: committed.secure, vdso: vdso + PAGE_SIZE }),
  });
  if (!(yield* writeMemory(kernel, process, stack.pointer, stack.bytes))) return false;
  process.image = {
    executable: file.path,
    argumentsStart: stack.argumentsStart,
    argumentsEnd: stack.argumentsEnd,
    environmentStart: stack.environmentStart,
    environmentEnd: stack.environmentEnd,
    stackStart: stack.pointer,
    auxiliary: stack.auxiliary,
  };

  const { registers } = thread;
  registers.bytes.fill(0, 0, CONTEXT_SIZE);
  resetFloatingPoint(registers);
  registers.flags = 0;
  registers.set(Reg.RSP, stack.pointer);
  registers.instructionPointer = (loader?.image ?? image).entry;
  thread.altStack = NO_STACK;
  thread.clearTid = 0;
  thread.robustList = thread.robustLength = 0;
  releaseVforkParent(kernel, process);
  return true;
}
