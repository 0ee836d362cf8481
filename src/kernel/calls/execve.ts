/** execve(2), execveat(2): reads path, arguments and environment, then runs the exec flow. */
import { E2BIG, EFAULT, EINVAL, Errno, type Result } from '../../abi/errno.ts';
import { UNINTERRUPTIBLE } from '../dispatch.ts';
import { argumentLimit, MAX_STRING } from '../exec/arguments.ts';
import { exec } from '../exec/exec.ts';
import { runFlow } from '../flow.ts';
import type { Process } from '../process.ts';
import { KEEP, type KernelCall, LATER } from './call.ts';

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;

/** The strings of a NULL-terminated vector; a null pointer is an empty one. */
const readStrings = (process: Process, address: number, room: { left: number }): Result<string[]> => {
  const found: string[] = [];
  if (address === 0) return found;
  for (let at = address; ; at += 8) {
    const pointer = process.memory.word(at);
    if (pointer instanceof Errno) return EFAULT;
    if (pointer === 0) return found;
    const text = process.memory.string(pointer, MAX_STRING, E2BIG);
    if (text instanceof Errno) return text;
    room.left -= text.length + 1 + 8;
    if (room.left < 0) return E2BIG;
    found.push(text);
  }
};

export const execveat: KernelCall = (
  kernel,
  thread,
  args: { dirfd: number; path: string; argv: number; envp: number; flags: number },
) => {
  const { dirfd, path, flags } = args;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return EINVAL;
  const { process } = thread;
  const room = { left: argumentLimit(process) };
  const argv = readStrings(process, args.argv, room);
  if (argv instanceof Errno) return argv;
  const envp = readStrings(process, args.envp, room);
  if (envp instanceof Errno) return envp;
  // A program always finds at least one argument (Linux since 5.18).
  if (argv.length === 0) argv.push('');
  thread.sleep = UNINTERRUPTIBLE;
  runFlow(exec(kernel, process, thread, { dirfd, path, argv, envp, flags }), (failure) =>
    kernel.dispatch.complete(thread, failure ?? KEEP),
  );
  return LATER;
};

export const execve: KernelCall = (kernel, thread, args: { path: string; argv: number; envp: number }) =>
  execveat(kernel, thread, { ...args, dirfd: -100, flags: 0 });
