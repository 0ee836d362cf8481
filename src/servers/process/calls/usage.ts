/** What processes have used: times(2), getrusage(2). */
import { EINVAL } from '../../../abi/errno.ts';
import { encodeRusage, encodeTms, RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD } from '../../../abi/resource.ts';
import { ticks } from '../../../abi/time.ts';
import { usageOf } from '../identity.ts';
import { type ProcessHandlers, type ProcessServer, self, writeOptional, writeStruct } from '../server.ts';

export const usageCalls = (s: ProcessServer): Pick<ProcessHandlers, 'times' | 'getrusage'> => ({
  times({ buf }, { caller }) {
    const process = self(s, caller.pid);
    const tms = encodeTms(usageOf(s, process), process.childUsage);
    return writeOptional(s, buf, tms) ?? { result: ticks(s.context.now()) };
  },

  getrusage({ who, usage }, { caller }) {
    const process = self(s, caller.pid);
    if (who !== RUSAGE_SELF && who !== RUSAGE_CHILDREN && who !== RUSAGE_THREAD) return EINVAL;
    const used = who === RUSAGE_CHILDREN ? process.childUsage : usageOf(s, process);
    if (who === RUSAGE_THREAD && process.threads.length > 1) {
      const thread = s.context.kernel.threads(caller.pid).find(({ tid }) => tid === caller.tid);
      const { userTime = 0, systemTime = 0 } = thread ?? {};
      return writeStruct(s, usage, encodeRusage({ ...used, userTime, systemTime })) ?? { result: 0 };
    }
    return writeStruct(s, usage, encodeRusage(used)) ?? { result: 0 };
  },
});
