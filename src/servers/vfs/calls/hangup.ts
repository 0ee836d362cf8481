/** vhangup(2). */
import { CAP_SYS_TTY_CONFIG, capabilityBit } from '../../../abi/credentials.ts';
import { EPERM, Errno } from '../../../abi/errno.ts';
import { done } from '../outcome.ts';
import type { Vfs } from '../state.ts';
import { controlling } from '../terminal/job-control.ts';
import { hangUpForNow } from '../terminal/pty.ts';
import type { CallsOf } from './calls-of.ts';

export const hangup = (vfs: Vfs): CallsOf<'vhangup'> => ({
  vhangup: (_request, call) => {
    const view = vfs.kernel.process(call.caller.pid);
    if (view instanceof Errno) return view;
    if ((view.capabilities.effective & capabilityBit(CAP_SYS_TTY_CONFIG)) === 0n) return EPERM;
    const terminal = controlling(view);
    if (terminal >= 0) hangUpForNow(vfs, terminal);
    return done;
  },
});
