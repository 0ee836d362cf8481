/** rt_sigaction(2): what a signal does. */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import {
  bit,
  decodeSigAction,
  defaultAction,
  encodeSigAction,
  has,
  isSignal,
  SIG_DFL,
  SIG_IGN,
  SIGACTION_BYTES,
  SIGSET_BYTES,
  UNBLOCKABLE,
} from '../../../abi/signals.ts';
import { publishSignals } from '../identity.ts';
import { editSelf, type ProcessHandlers, type ProcessServer, readStruct, self, writeOptional } from '../server.ts';
import { recordedAction, setAction } from '../signals/actions.ts';
import { discard } from '../signals/queue.ts';

export const sigactionCalls = (s: ProcessServer): Pick<ProcessHandlers, 'sigaction'> => ({
  sigaction({ signal, action, old, setSize }, call) {
    const pid = call.caller.pid;
    if (setSize !== SIGSET_BYTES) return EINVAL;
    const bytes = action === null ? undefined : readStruct(s, action, SIGACTION_BYTES);
    if (bytes instanceof Errno) return bytes;
    if (!isSignal(signal) || (bytes !== undefined && has(UNBLOCKABLE, signal))) return EINVAL;
    const before = encodeSigAction(recordedAction(self(s, pid), signal));
    if (bytes !== undefined) {
      const process = editSelf(s, pid);
      const next = decodeSigAction(signal, bytes);
      setAction(process, next);
      // A signal that is ignored from now on is not pending either, blocked or not (POSIX 2.4.3).
      const dull = defaultAction(signal) === 'ignore' || defaultAction(signal) === 'continue';
      if (next.handler === SIG_IGN || (next.handler === SIG_DFL && dull)) discard(s, process, bit(signal));
      publishSignals(s, pid);
    }
    return writeOptional(s, old, before) ?? { result: 0 };
  },
});
