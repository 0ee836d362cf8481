/** The user and group id calls (credentials(7)); the rules are in ../ids.ts. */
import { CAP_SETGID, NGROUPS_MAX } from '../../../abi/credentials.ts';
import { EFAULT, EINVAL, EPERM, Errno, type Result } from '../../../abi/errno.ts';
import { idsOf, publish } from '../identity.ts';
import { currentIds, followFileCapabilities, type IdKind, KEEP, mayTakeAny, setOne, setThree, setTwo } from '../ids.ts';
import { capable } from '../permission.ts';
import { NONE } from '../rows.ts';
import {
  editSelf,
  encodeInt,
  type ProcessHandlers,
  type ProcessServer,
  readStruct,
  self,
  writeStruct,
} from '../server.ts';

type Names =
  | 'getuid'
  | 'geteuid'
  | 'getgid'
  | 'getegid'
  | 'setuid'
  | 'setgid'
  | 'setreuid'
  | 'setregid'
  | 'setresuid'
  | 'setresgid'
  | 'getresuid'
  | 'getresgid'
  | 'setfsuid'
  | 'setfsgid'
  | 'getgroups'
  | 'setgroups';

const answer = (failed: Errno | undefined): Result<{ result: number }> => failed ?? { result: 0 };

export const decodeIds = (bytes: Uint8Array): readonly number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true));
};

const encodeIds = (ids: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(ids.length * 4);
  const view = new DataView(bytes.buffer);
  ids.forEach((id, index) => {
    view.setUint32(index * 4, id, true);
  });
  return bytes;
};

export const idCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => {
  /** setfsuid and setfsgid have no way to fail but to change nothing. */
  const setFileSystemId = (pid: number, kind: IdKind, id: number): number => {
    const process = editSelf(s, pid);
    const key = kind === 'user' ? 'fsuid' : 'fsgid';
    const before = process[key];
    const { real, effective, saved } = currentIds(process, kind);
    const allowed = id === real || id === effective || id === saved || id === before || mayTakeAny(process, kind);
    if (id !== KEEP && allowed && id !== before) {
      process[key] = id;
      if (kind === 'user') followFileCapabilities(process, before);
      publish(s, pid, idsOf(process));
    }
    return before;
  };

  return {
    getuid: (_, { caller }) => ({ result: self(s, caller.pid).uid }),
    geteuid: (_, { caller }) => ({ result: self(s, caller.pid).euid }),
    getgid: (_, { caller }) => ({ result: self(s, caller.pid).gid }),
    getegid: (_, { caller }) => ({ result: self(s, caller.pid).egid }),

    setuid: ({ uid }, { caller }) => answer(setOne(s, editSelf(s, caller.pid), 'user', uid)),
    setgid: ({ gid }, { caller }) => answer(setOne(s, editSelf(s, caller.pid), 'group', gid)),
    setreuid: ({ ruid, euid }, { caller }) => answer(setTwo(s, editSelf(s, caller.pid), 'user', ruid, euid)),
    setregid: ({ rgid, egid }, { caller }) => answer(setTwo(s, editSelf(s, caller.pid), 'group', rgid, egid)),
    setresuid: ({ ruid, euid, suid }, { caller }) =>
      answer(setThree(s, editSelf(s, caller.pid), 'user', { real: ruid, effective: euid, saved: suid })),
    setresgid: ({ rgid, egid, sgid }, { caller }) =>
      answer(setThree(s, editSelf(s, caller.pid), 'group', { real: rgid, effective: egid, saved: sgid })),

    getresuid({ ruid, euid, suid }, { caller }) {
      const process = self(s, caller.pid);
      return answer(
        writeStruct(s, ruid, encodeInt(process.uid)) ??
          writeStruct(s, euid, encodeInt(process.euid)) ??
          writeStruct(s, suid, encodeInt(process.suid)),
      );
    },

    getresgid({ rgid, egid, sgid }, { caller }) {
      const process = self(s, caller.pid);
      return answer(
        writeStruct(s, rgid, encodeInt(process.gid)) ??
          writeStruct(s, egid, encodeInt(process.egid)) ??
          writeStruct(s, sgid, encodeInt(process.sgid)),
      );
    },

    setfsuid: ({ uid }, { caller }) => ({ result: setFileSystemId(caller.pid, 'user', uid) }),
    setfsgid: ({ gid }, { caller }) => ({ result: setFileSystemId(caller.pid, 'group', gid) }),

    getgroups({ count, list }, { caller }) {
      const { groups } = self(s, caller.pid);
      if (count < 0 || (count !== 0 && count < groups.length)) return EINVAL;
      if (count === 0 || groups.length === 0) return { result: groups.length };
      return writeStruct(s, list, encodeIds(groups)) ?? { result: groups.length };
    },

    setgroups({ count, list }, { caller }) {
      const process = editSelf(s, caller.pid);
      if (!capable(process, CAP_SETGID)) return EPERM;
      if (count < 0 || count > NGROUPS_MAX) return EINVAL;
      const bytes = count === 0 ? new Uint8Array(0) : readStruct(s, list, count * 4);
      if (bytes instanceof Errno) return EFAULT;
      const groups = [...decodeIds(bytes)].sort((a, b) => a - b);
      if (groups.includes(KEEP)) return EINVAL;
      process.groups = groups.length === 0 ? NONE : groups;
      publish(s, caller.pid, { groups: process.groups });
      return { result: 0 };
    },
  };
};
