/**
 * The process manager, PID 3: who exists, who may do what, and which signal goes where (README.md). It decides; the kernel
 * makes, stops and ends threads and builds signal frames. All its state is in the store.
 */
import { processProtocol } from '../../ipc/protocols/process.ts';
import type { ServerDefinition } from '../../ipc/server.ts';
import { execCalls } from './calls/exec.ts';
import { exitCalls } from './calls/exit.ts';
import { forkCalls } from './calls/fork.ts';
import { groupCalls } from './calls/groups.ts';
import { hostCalls } from './calls/host.ts';
import { idCalls } from './calls/ids.ts';
import { killCalls } from './calls/kill.ts';
import { limitCalls } from './calls/limits.ts';
import { posixTimerCalls } from './calls/posix-timers.ts';
import { prctlCalls } from './calls/prctl.ts';
import { sigactionCalls } from './calls/sigaction.ts';
import { sigmaskCalls } from './calls/sigmask.ts';
import { sigwaitCalls } from './calls/sigwait.ts';
import { sleepCalls } from './calls/sleep.ts';
import { timerCalls } from './calls/timers.ts';
import { usageCalls } from './calls/usage.ts';
import { waitCalls } from './calls/wait.ts';
import { createProcessTable } from './process-table.ts';
import type { ProcessServer } from './server.ts';

export const processServer: ServerDefinition<typeof processProtocol> = {
  name: 'process',
  pid: 3,
  protocol: processProtocol,
  create(context) {
    const s: ProcessServer = { context, table: createProcessTable(context.store) };
    return {
      ...forkCalls(s),
      ...execCalls(s),
      ...exitCalls(s),
      ...waitCalls(s),
      ...killCalls(s),
      ...sigactionCalls(s),
      ...sigmaskCalls(s),
      ...sigwaitCalls(s),
      ...groupCalls(s),
      ...idCalls(s),
      ...limitCalls(s),
      ...usageCalls(s),
      ...timerCalls(s),
      ...posixTimerCalls(s),
      ...sleepCalls(s),
      ...prctlCalls(s),
      ...hostCalls(s),
    };
  },
};
