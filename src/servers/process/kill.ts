/** Death by a signal: at once, or after a core dump if the signal, the limit and the process's dumpable flag ask for one (core(5)). */
import { Errno } from '../../abi/errno.ts';
import { RLIMIT_CORE } from '../../abi/resource.ts';
import { defaultAction } from '../../abi/signals.ts';
import { killedStatus } from '../../abi/wait.ts';
import { Flag, type ProcessControlBlock } from './rows.ts';
import type { ProcessServer } from './server.ts';
import { terminate } from './terminate.ts';

/** A core file below this is not worth the trouble: a page, as for Linux. */
const SMALLEST = 4096;

const leavesCore = (process: Readonly<ProcessControlBlock>, signal: number): boolean =>
  defaultAction(signal) === 'core' &&
  (process.flags & (Flag.dumpable | Flag.dumping)) === Flag.dumpable &&
  (process.limits[RLIMIT_CORE]?.[0] ?? 0) >= SMALLEST;

/** Ends a process whose thread `tid` has got a signal with this siginfo_t. */
export const killBySignal = (
  s: ProcessServer,
  process: ProcessControlBlock,
  tid: number,
  signal: number,
  info: Uint8Array,
): void => {
  if (leavesCore(process, signal)) {
    const asked = s.context.kernel.dumpCore(process.pid, tid, signal, info);
    if (!(asked instanceof Errno)) {
      process.flags |= Flag.dumping;
      return;
    }
  }
  terminate(s, process.pid, killedStatus(signal));
};
