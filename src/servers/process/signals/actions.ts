/**
 * Signal actions of a process: the list of those that are not the default, with its two summaries. A default action with
 * flags is kept too, for rt_sigaction tells them again and SA_NOCLDWAIT counts without a handler.
 */
import { bit, SIG_DFL, SIG_IGN, type SigAction } from '../../../abi/signals.ts';
import { NONE, type ProcessControlBlock } from '../rows.ts';

/** What rt_sigaction set last, whatever the handler. */
export const recordedAction = (process: Readonly<ProcessControlBlock>, signal: number): SigAction | undefined =>
  process.sigActions.find((action) => action.signal === signal);

/** Sets an action; one that says nothing at all is not kept. */
export const setAction = (process: ProcessControlBlock, action: SigAction): void => {
  const { signal, handler, flags, restorer, mask } = action;
  const others = process.sigActions.filter((other) => other.signal !== signal);
  const kept = handler !== SIG_DFL || flags !== 0 || restorer !== 0 || mask !== 0n;
  process.sigActions = kept ? [...others, action] : others.length === 0 ? NONE : others;
  const ignored = handler === SIG_IGN;
  const caught = handler !== SIG_IGN && handler !== SIG_DFL;
  process.sigIgnored = ignored ? process.sigIgnored | bit(signal) : process.sigIgnored & ~bit(signal);
  process.sigCaught = caught ? process.sigCaught | bit(signal) : process.sigCaught & ~bit(signal);
};

/** Back to the default action, as SA_RESETHAND and a forced signal do; the flags stay. */
export const resetAction = (process: ProcessControlBlock, signal: number): void => {
  const action = recordedAction(process, signal);
  if (action !== undefined) setAction(process, { ...action, handler: SIG_DFL });
};

/** execve: handlers are gone with the image that held them, ignored signals stay ignored (POSIX execve). */
export const resetHandlers = (process: ProcessControlBlock): void => {
  const ignored = process.sigActions.filter((action) => action.handler === SIG_IGN);
  process.sigActions =
    ignored.length === 0
      ? NONE
      : ignored.map(({ signal }) => ({ signal, handler: SIG_IGN, flags: 0, restorer: 0, mask: 0n }));
  process.sigCaught = 0n;
};
