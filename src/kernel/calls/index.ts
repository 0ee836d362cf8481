/** The calls that the kernel answers itself, by name: the compiler checks that every declared one is here. */
import type { kernelSyscalls } from '../../abi/syscalls/kernel.ts';
import type { KernelCall } from './call.ts';
import * as clock from './clock.ts';
import * as execve from './execve.ts';
import * as exit from './exit.ts';
import * as fork from './fork.ts';
import * as futex from './futex.ts';
import * as mmap from './mmap.ts';
import * as processMemory from './process-memory.ts';
import * as schedule from './schedule.ts';
import { seccomp } from './seccomp.ts';
import * as signals from './signals.ts';
import * as system from './system.ts';
import * as thread from './thread.ts';
import { unshare } from './unshare.ts';

export const kernelCallTable: Readonly<Record<keyof typeof kernelSyscalls, KernelCall>> = {
  ...clock,
  ...execve,
  ...exit,
  ...fork,
  ...futex,
  ...mmap,
  ...processMemory,
  ...schedule,
  seccomp,
  ...signals,
  ...system,
  unshare,
  ...thread,
};
