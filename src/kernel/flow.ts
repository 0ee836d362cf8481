/**
 * Flows: what the kernel does in many steps across servers, written as a generator that yields requests and gets outcomes
 * (exec, spawn, boot). The hot paths (fork, exit, faults) use callbacks instead. A flow runs through at once as long as no
 * server makes it wait.
 */
import type { Errno } from '../abi/errno.ts';
import type { Kernel } from './kernel.ts';
import type { Server } from './server-slot.ts';

/** A step: calls its argument once, now or later. */
export type Step = (resume: (outcome: unknown) => void) => void;
// biome-ignore lint/suspicious/noExplicitAny: each step yields what it asked for
export type Flow<T> = Generator<Step, T, any>;

/** Sends a request; the outcome is the reply or an error. */
export function* ask<Reply extends object>(
  kernel: Kernel,
  server: Server,
  call: string,
  values: Readonly<Record<string, unknown>>,
): Flow<Reply | Errno> {
  return (yield (resume) => kernel.request(server, call, values, resume)) as Reply | Errno;
}

/** Runs a flow to its end; `outcome` is that of the step it stands at. */
export const runFlow = <T>(flow: Flow<T>, done: (result: T) => void, outcome?: unknown): void => {
  for (;;) {
    const step = flow.next(outcome);
    if (step.done) {
      done(step.value);
      return;
    }
    let now = true;
    let answered = false;
    step.value((result) => {
      if (now) {
        outcome = result;
        answered = true;
      } else runFlow(flow, done, result);
    });
    now = false;
    if (!answered) return;
  }
};
