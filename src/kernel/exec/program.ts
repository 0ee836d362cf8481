/**
 * Which files an execve runs, and what they become in memory: the program (or the interpreter that its first line names,
 * again and again), and the dynamic loader that it names (PT_INTERP). Nothing is changed here: a failure leaves the
 * caller as it was, with the errno of Linux's fs/exec.c and fs/binfmt_elf.c.
 */
import {
  ELF_HEADER_BYTES,
  type ElfHeader,
  isElf,
  type ProgramHeader,
  PT_INTERP,
  parseElfHeader,
  parseProgramHeaders,
} from '../../abi/elf.ts';
import { E2BIG, EIO, ELIBBAD, ELOOP, ENOENT, ENOEXEC, Errno, type Result } from '../../abi/errno.ts';
import { ask, type Flow } from '../flow.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import { argumentLimit, type ExecRequest } from './arguments.ts';
import { readObject } from './file.ts';
import { type Image, planImage, tableBytes } from './image.ts';
import { HEAD_BYTES, isScript, parseScript } from './script.ts';
import { argumentBytes } from './stack.ts';

/** What openExecutable answers. The VFS holds the object until it is released. */
export interface Executable {
  readonly object: number;
  readonly size: number;
  readonly setuid: number;
  readonly setgid: number;
  readonly path: string;
  readonly version: number;
  /** Whether the caller may read it too. */
  readonly readable: boolean;
}

/** A file and what it becomes. */
export interface Loadable {
  readonly file: Executable;
  readonly image: Image;
}

export interface Program extends Loadable {
  /** Name the program was started by: AT_EXECFN, and what scripts are told. */
  readonly name: string;
  /** Arguments, with those of `#!` lines. */
  readonly argv: readonly string[];
  /** The dynamic loader, which is entered instead of the program. */
  readonly loader: Loadable | undefined;
}

/** Where position-independent images go. */
export interface Bases {
  /** Programs with a dynamic loader; their heap follows them. */
  readonly program: number;
  /** The loader, or a position-independent program that needs none. */
  readonly loader: number;
}

interface Opened {
  readonly file: Executable;
  readonly argv: readonly string[];
  readonly elf: ElfHeader;
}

const AT_FDCWD = -100;
/** Interpreters of interpreters, as Linux counts them. */
const MAX_INTERPRETERS = 5;
/** Longest name of a loader, with its zero byte (PATH_MAX). */
const MAX_LOADER_NAME = 4096;

/** Finds a program with all it needs. Its objects are held until `release`. */
export function* findProgram(
  kernel: Kernel,
  process: Process,
  request: ExecRequest,
  bases: Bases,
): Flow<Result<Program>> {
  const opened = yield* open(kernel, process, request);
  if (opened instanceof Errno) return opened;
  const { file, argv } = opened;
  const program = yield* plan(kernel, process, opened, bases);
  if (program instanceof Errno) {
    kernel.faults.release(file.object);
    return program;
  }
  return { file, argv, name: nameOf(request), ...program };
}

/** The files are mapped, or will not be. */
export const release = (kernel: Kernel, { file, loader }: Program): void => {
  kernel.faults.release(file.object);
  if (loader !== undefined) kernel.faults.release(loader.file.object);
};

/** Whether the path starts at a descriptor. */
const byDescriptor = ({ dirfd, path }: ExecRequest): boolean => dirfd !== AT_FDCWD && !path.startsWith('/');

/** What a program that a descriptor names is called (execveat(2)). */
const nameOf = (request: ExecRequest): string => {
  const { dirfd, path } = request;
  if (!byDescriptor(request)) return path;
  return path === '' ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${path}`;
};

const closes = (process: Process, request: ExecRequest): boolean => {
  if (!byDescriptor(request)) return false;
  const entry = process.files.get(request.dirfd);
  return entry?.closeOnExec ?? false;
};

/** Opens the program, or the interpreter its first line names, and checks that it is one. */
function* open(kernel: Kernel, process: Process, request: ExecRequest): Flow<Result<Opened>> {
  let { dirfd, path, argv, flags } = request;
  const limit = argumentLimit(process);
  for (let depth = 0; ; depth++) {
    if (argumentBytes(argv, request.envp) > limit) return E2BIG;
    if (depth > MAX_INTERPRETERS) return ELOOP;
    const file = yield* openFile(kernel, process, { dirfd, path, flags });
    if (file instanceof Errno) return file;
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
    // The interpreter could not open it: the descriptor it was named by will be closed.
    if (depth === 0 && closes(process, request)) return ENOENT;
    const extra = script.argument === undefined ? [] : [script.argument];
    argv = [script.path, ...extra, depth === 0 ? nameOf(request) : path, ...argv.slice(1)];
    dirfd = AT_FDCWD;
    path = script.path;
    flags = 0;
  }
}

function* openFile(
  kernel: Kernel,
  process: Process,
  where: { readonly dirfd: number; readonly path: string; readonly flags: number },
): Flow<Result<Executable>> {
  const file = yield* ask<Executable>(kernel, kernel.vfs, 'openExecutable', { pid: process.pid, ...where });
  if (!(file instanceof Errno)) kernel.faults.cache.validate(file.object, file.version);
  return file;
}

function* headersOf(kernel: Kernel, file: Executable, elf: ElfHeader): Flow<Result<ProgramHeader[]>> {
  const table = yield* readObject(kernel, file.object, elf.tableOffset, tableBytes(elf));
  return parseProgramHeaders(table, elf.tableCount);
}

function* plan(
  kernel: Kernel,
  process: Process,
  { file, elf }: Opened,
  bases: Bases,
): Flow<Result<{ readonly image: Image; readonly loader: Loadable | undefined }>> {
  const headers = yield* headersOf(kernel, file, elf);
  if (headers instanceof Errno) return headers;
  const named = headers.find((header) => header.type === PT_INTERP);
  if (named === undefined) {
    const image = planImage(elf, headers, bases.loader);
    return image instanceof Errno ? image : { image, loader: undefined };
  }
  const loader = yield* findLoader(kernel, process, file, named, bases.loader);
  if (loader instanceof Errno) return loader;
  const image = planImage(elf, headers, bases.program);
  if (!(image instanceof Errno)) return { image, loader };
  kernel.faults.release(loader.file.object);
  return image;
}

function* findLoader(
  kernel: Kernel,
  process: Process,
  program: Executable,
  { offset, fileSize }: ProgramHeader,
  base: number,
): Flow<Result<Loadable>> {
  if (!(fileSize >= 2 && fileSize <= MAX_LOADER_NAME)) return ENOEXEC;
  const name = yield* readObject(kernel, program.object, offset, fileSize);
  if (name.length < fileSize) return EIO;
  if (name[fileSize - 1] !== 0) return ENOEXEC;
  const path = String.fromCharCode(...name.subarray(0, name.indexOf(0)));
  const file = yield* openFile(kernel, process, { dirfd: AT_FDCWD, path, flags: 0 });
  if (file instanceof Errno) return file;
  const image = yield* loaderImage(kernel, file, base);
  if (!(image instanceof Errno)) return { file, image };
  kernel.faults.release(file.object);
  return image;
}

function* loaderImage(kernel: Kernel, file: Executable, base: number): Flow<Result<Image>> {
  const head = yield* readObject(kernel, file.object, 0, ELF_HEADER_BYTES);
  if (head.length < ELF_HEADER_BYTES) return EIO;
  const elf = parseElfHeader(head);
  if (elf instanceof Errno) return ELIBBAD;
  const headers = yield* headersOf(kernel, file, elf);
  if (headers instanceof Errno) return ELIBBAD;
  const image = planImage(elf, headers, base);
  return image instanceof Errno ? ELIBBAD : image;
}
