/**
 * The kernel calls of one server (ipc/kernel-calls.ts): those that the policy allows it, and refusals for the rest. The
 * check is made once, when the server's context is made, so a call costs nothing for it.
 *
 * How each kind is undone: tables and identities at once, with an undo record; address spaces, threads and messages not
 * before the transaction commits, so that there is nothing to undo.
 */
import { EPERM } from '../../abi/errno.ts';
import type { KernelCalls } from '../../ipc/kernel-calls.ts';
import { mayCall } from '../../ipc/policy.ts';
import type { Kernel } from '../kernel.ts';
import { pidfdCalls } from '../pidfds.ts';
import type { Server } from '../server-slot.ts';
import { fileCalls } from './files.ts';
import { memoryCalls } from './memory.ts';
import { processCalls } from './process.ts';
import { viewCalls } from './views.ts';

type AnyCall = (...args: never[]) => unknown;

/** What a refused call answers, where it is not EPERM. */
const REFUSED: Partial<Record<keyof KernelCalls, unknown>> = {
  processes: [],
  threads: [],
  fds: [],
  mappings: [],
  consoleWrite: 0,
  raiseSignal: undefined,
  raiseIo: undefined,
  watchSignals: undefined,
  takeSignal: undefined,
  releasePidfd: undefined,
};

export const kernelCallsFor = (kernel: Kernel, server: Server): KernelCalls => {
  const all: KernelCalls = {
    ...viewCalls(kernel, server),
    ...processCalls(kernel),
    ...memoryCalls(kernel),
    ...fileCalls(kernel),
    ...pidfdCalls(kernel),
  };
  const allowed: Record<string, AnyCall> = {};
  for (const [name, call] of Object.entries(all))
    allowed[name] = mayCall(server.pid, name as keyof KernelCalls)
      ? call
      : () => {
          kernel.log(`${server.name} server may not call ${name}`);
          return name in REFUSED ? REFUSED[name as keyof KernelCalls] : EPERM;
        };
  return allowed as unknown as KernelCalls;
};
