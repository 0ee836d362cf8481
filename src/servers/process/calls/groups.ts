/** Process groups and sessions: setpgid, getpgid, setsid, getsid (POSIX; credentials(7)). */
import { EACCES, EINVAL, EPERM, ESRCH } from '../../../abi/errno.ts';
import { publish } from '../identity.ts';
import { Flag } from '../rows.ts';
import { editSelf, type ProcessHandlers, type ProcessServer, self } from '../server.ts';

type Names = 'getpid' | 'getppid' | 'setpgid' | 'getpgid' | 'setsid' | 'getsid';

export const groupCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => ({
  getpid: (_, { caller }) => ({ result: caller.pid }),

  getppid: (_, { caller }) => ({ result: self(s, caller.pid).ppid }),

  setpgid({ pid, pgid }, { caller }) {
    const target = pid === 0 ? caller.pid : pid;
    const group = pgid === 0 ? target : pgid;
    if (group < 0) return EINVAL;
    const process = s.table.processes.edit(target);
    if (process === undefined) return ESRCH;
    const own = self(s, caller.pid);
    if (process.ppid === caller.pid) {
      if (process.sid !== own.sid) return EPERM;
      if ((process.flags & Flag.execed) !== 0) return EACCES;
    } else if (target !== caller.pid) {
      return ESRCH;
    }
    if (process.sid === target) return EPERM;
    if (group !== target && s.table.groups.get(group)?.sid !== own.sid) return EPERM;
    if (process.pgid !== group) {
      s.table.setGroup(process, group, process.sid);
      publish(s, target, { pgid: group });
    }
    return { result: 0 };
  },

  getpgid({ pid }, { caller }) {
    const process = s.table.processes.get(pid === 0 ? caller.pid : pid);
    return process === undefined ? ESRCH : { result: process.pgid };
  },

  setsid(_, { caller }) {
    const process = editSelf(s, caller.pid);
    if (process.sid === process.pid || s.table.groups.has(process.pid)) return EPERM;
    s.table.setGroup(process, process.pid, process.pid);
    publish(s, process.pid, { pgid: process.pid, sid: process.pid, terminal: 0 });
    return { result: process.pid };
  },

  getsid({ pid }, { caller }) {
    const process = s.table.processes.get(pid === 0 ? caller.pid : pid);
    return process === undefined ? ESRCH : { result: process.sid };
  },
});
