/** prctl(2), capget(2), capset(2), personality(2). What prctl does not list here is EINVAL, as an unknown option is. */
import {
  CAP_DATA_BYTES,
  CAP_HEADER_BYTES,
  CAP_LAST,
  CAP_SETPCAP,
  CAPABILITY_VERSION_1,
  CAPABILITY_VERSION_2,
  CAPABILITY_VERSION_3,
  capabilityBit,
  decodeCapabilities,
  encodeCapabilities,
  SECBIT_KEEP_CAPS_LOCKED,
} from '../../../abi/credentials.ts';
import { EFAULT, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import * as option from '../../../abi/prctl.ts';
import { isSignal } from '../../../abi/signals.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { changeAmbient, dropBounding, secureBits, setCapabilities, setSecureBits } from '../capabilities.ts';
import { publish } from '../identity.ts';
import { capable } from '../permission.ts';
import { Flag } from '../rows.ts';
import {
  editSelf,
  encodeInt,
  type ProcessHandlers,
  type ProcessServer,
  readStruct,
  self,
  threadOf,
  writeStruct,
} from '../server.ts';

type Names = 'prctl' | 'capget' | 'capset' | 'personality';

const DEFAULT_SLACK = 50_000;

/** The string before its NUL, at most 15 bytes, one char a byte. */
const nameOf = (bytes: Uint8Array): string => {
  let name = '';
  for (const byte of bytes.subarray(0, option.COMM_BYTES - 1)) {
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  return name;
};

export const prctlCalls = (s: ProcessServer): Pick<ProcessHandlers, Names> => {
  const setFlag = (pid: number, flag: Flag, on: boolean): { result: number } => {
    const process = editSelf(s, pid);
    process.flags = on ? process.flags | flag : process.flags & ~flag;
    return { result: 0 };
  };
  const flagOf = (pid: number, flag: Flag): number => ((self(s, pid).flags & flag) === 0 ? 0 : 1);
  const answer = (failed: Errno | undefined): Result<{ result: number }> => failed ?? { result: 0 };

  /** PR_SET_NAME reads as far as the NUL only, so the buffer may end before its 16 bytes. */
  const setName = (pid: number, tid: number, buf: Grant | null): Result<{ result: number }> => {
    if (buf === null) return EFAULT;
    let bytes = s.context.copyIn(buf, 0, option.COMM_BYTES - 1);
    for (let length = 1; bytes instanceof Errno && length < option.COMM_BYTES; length++) {
      const start = s.context.copyIn(buf, 0, length);
      if (start instanceof Errno) return start;
      if (start[length - 1] === 0) bytes = start;
    }
    if (bytes instanceof Errno) return bytes;
    const name = nameOf(bytes);
    threadOf(s, tid).name = name;
    s.context.kernel.nameThread(pid, tid, name);
    if (tid === pid) {
      editSelf(s, pid).name = name;
      publish(s, pid, { name });
    }
    return { result: 0 };
  };

  const halvesOf = (version: number): number | undefined => {
    if (version === CAPABILITY_VERSION_1) return 1;
    return version === CAPABILITY_VERSION_2 || version === CAPABILITY_VERSION_3 ? 2 : undefined;
  };

  /** Reads the header; one of an unknown version is answered with the version to use (capget(2)). */
  const headerOf = (grant: Grant | null, dataless: boolean): Result<{ halves: number; pid: number } | undefined> => {
    const bytes = readStruct(s, grant, CAP_HEADER_BYTES);
    if (bytes instanceof Errno) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const halves = halvesOf(view.getUint32(0, true));
    if (halves !== undefined) return { halves, pid: view.getInt32(4, true) };
    const failed = writeStruct(s, grant, encodeInt(CAPABILITY_VERSION_3));
    return failed ?? (dataless ? undefined : EINVAL);
  };

  return {
    prctl({ option: what, buf, arg3, arg4, arg5, value }, { caller: { pid, tid } }) {
      const number = Number(BigInt.asIntN(53, value));
      switch (what) {
        case option.PR_SET_PDEATHSIG:
          if (number !== 0 && !isSignal(number)) return EINVAL;
          editSelf(s, pid).deathSignal = number;
          return { result: 0 };
        case option.PR_GET_PDEATHSIG:
          return answer(writeStruct(s, buf, encodeInt(self(s, pid).deathSignal)));
        case option.PR_GET_DUMPABLE:
          return { result: flagOf(pid, Flag.dumpable) };
        case option.PR_SET_DUMPABLE:
          return number === 0 || number === 1 ? setFlag(pid, Flag.dumpable, number === 1) : EINVAL;
        case option.PR_GET_KEEPCAPS:
          return { result: flagOf(pid, Flag.keepCapabilities) };
        case option.PR_SET_KEEPCAPS:
          if (number !== 0 && number !== 1) return EINVAL;
          if ((self(s, pid).securebits & SECBIT_KEEP_CAPS_LOCKED) !== 0) return EPERM;
          return setFlag(pid, Flag.keepCapabilities, number === 1);
        case option.PR_GET_TIMING:
          return { result: 0 };
        case option.PR_SET_TIMING:
          return number === 0 ? { result: 0 } : EINVAL;
        case option.PR_SET_NAME:
          return setName(pid, tid, buf);
        case option.PR_GET_NAME: {
          const bytes = new Uint8Array(option.COMM_BYTES);
          [...threadOf(s, tid).name].forEach((char, index) => {
            bytes[index] = char.charCodeAt(0);
          });
          return answer(writeStruct(s, buf, bytes));
        }
        case option.PR_GET_SECUREBITS:
          return { result: secureBits(self(s, pid)) };
        case option.PR_SET_SECUREBITS:
          return answer(setSecureBits(s, pid, number));
        case option.PR_CAPBSET_READ:
          if (number < 0 || number > CAP_LAST) return EINVAL;
          return { result: (self(s, pid).capabilities.bounding & capabilityBit(number)) === 0n ? 0 : 1 };
        case option.PR_CAPBSET_DROP:
          return answer(dropBounding(s, pid, number));
        case option.PR_CAP_AMBIENT:
          if (arg4 !== 0n || arg5 !== 0n) return EINVAL;
          return changeAmbient(s, pid, number, Number(BigInt.asIntN(53, arg3)));
        case option.PR_SET_TIMERSLACK:
          editSelf(s, pid).timerSlack = number <= 0 ? DEFAULT_SLACK : Math.min(number, 0x7fff_ffff);
          return { result: 0 };
        case option.PR_GET_TIMERSLACK:
          return { result: self(s, pid).timerSlack };
        case option.PR_SET_CHILD_SUBREAPER:
          return setFlag(pid, Flag.subreaper, value !== 0n);
        case option.PR_GET_CHILD_SUBREAPER:
          return answer(writeStruct(s, buf, encodeInt(flagOf(pid, Flag.subreaper))));
        case option.PR_SET_NO_NEW_PRIVS:
          if (value !== 1n || arg3 !== 0n || arg4 !== 0n || arg5 !== 0n) return EINVAL;
          publish(s, pid, { noNewPrivileges: true });
          return setFlag(pid, Flag.noNewPrivileges, true);
        case option.PR_GET_NO_NEW_PRIVS:
          if (value !== 0n || arg3 !== 0n || arg4 !== 0n || arg5 !== 0n) return EINVAL;
          return { result: flagOf(pid, Flag.noNewPrivileges) };
        case option.PR_GET_THP_DISABLE:
          return value === 0n && arg3 === 0n && arg4 === 0n && arg5 === 0n ? { result: 0 } : EINVAL;
        default:
          return EINVAL;
      }
    },

    capget({ header, data }, { caller }) {
      const asked = headerOf(header, data === null);
      if (asked instanceof Errno) return asked;
      if (asked === undefined) return { result: 0 };
      if (asked.pid < 0) return EINVAL;
      const process = s.table.processes.get(asked.pid === 0 ? caller.pid : asked.pid);
      if (process === undefined) return ESRCH;
      if (data === null) return { result: 0 };
      return answer(writeStruct(s, data, encodeCapabilities(process.capabilities, asked.halves)));
    },

    capset({ header, data }, { caller }) {
      const asked = headerOf(header, false);
      if (asked instanceof Errno) return asked;
      if (asked === undefined) return EINVAL;
      if (asked.pid !== 0 && asked.pid !== caller.pid) return EPERM;
      const bytes = readStruct(s, data, CAP_DATA_BYTES * asked.halves);
      if (bytes instanceof Errno) return bytes;
      const process = editSelf(s, caller.pid);
      const old = process.capabilities;
      const next = decodeCapabilities(bytes, asked.halves);
      const within = (set: bigint, bound: bigint): boolean => (set & ~bound) === 0n;
      const inheritable =
        within(next.inheritable, old.inheritable | old.bounding) &&
        (capable(process, CAP_SETPCAP) || within(next.inheritable, old.inheritable | old.permitted));
      if (!within(next.permitted, old.permitted) || !within(next.effective, next.permitted) || !inheritable)
        return EPERM;
      setCapabilities(s, process, { ...next, ambient: old.ambient & next.permitted & next.inheritable });
      return { result: 0 };
    },

    personality({ persona }, { caller }) {
      const before = self(s, caller.pid).personality;
      if (persona === option.PERSONALITY_QUERY) return { result: before };
      // PER_LINUX32 differs only in what uname says the machine is; the habits of other systems we do not have.
      const kind = persona & option.PER_MASK;
      if (kind !== option.PER_LINUX && kind !== option.PER_LINUX32) return EINVAL;
      editSelf(s, caller.pid).personality = persona;
      return { result: before };
    },
  };
};
