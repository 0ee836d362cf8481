/**
 * Changing the ids of a process (credentials(7), capabilities(7), "Effect of user ID changes on capabilities").
 *
 * Whoever has CAP_SETUID (CAP_SETGID) may take any id; others exchange the real, effective and saved ones. The file system
 * id follows the effective one. A change that leaves no user id at 0 drops the capabilities.
 */
import { CAP_SETGID, CAP_SETUID, FILE_CAPABILITIES, SECBIT_NO_SETUID_FIXUP } from '../../abi/credentials.ts';
import { EINVAL, EPERM, type Errno } from '../../abi/errno.ts';
import { idsOf, publish } from './identity.ts';
import { capable } from './permission.ts';
import { Flag, type ProcessControlBlock } from './rows.ts';
import type { ProcessServer } from './server.ts';

/** The id that leaves an id as it is, and that no one can have. */
export const KEEP = 0xffff_ffff;

export type IdKind = 'user' | 'group';

interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
}

export const currentIds = (process: Readonly<ProcessControlBlock>, kind: IdKind): Ids =>
  kind === 'user'
    ? { real: process.uid, effective: process.euid, saved: process.suid }
    : { real: process.gid, effective: process.egid, saved: process.sgid };

export const mayTakeAny = (process: Readonly<ProcessControlBlock>, kind: IdKind): boolean =>
  capable(process, kind === 'user' ? CAP_SETUID : CAP_SETGID);

/** Capabilities go when the last user id of root does, and come back into effect when root does. */
const followCapabilities = (process: ProcessControlBlock, before: Ids): void => {
  const wasRoot = before.real === 0 || before.effective === 0 || before.saved === 0;
  const isRoot = process.uid === 0 || process.euid === 0 || process.suid === 0;
  if ((process.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return;
  let { effective, permitted, ambient } = process.capabilities;
  if (wasRoot && !isRoot) {
    if ((process.flags & Flag.keepCapabilities) === 0) permitted = effective = 0n;
    ambient = 0n;
  }
  if (before.effective === 0 && process.euid !== 0) effective = 0n;
  if (before.effective !== 0 && process.euid === 0) effective = permitted;
  process.capabilities = { ...process.capabilities, effective, permitted, ambient };
};

/** setfsuid to and from root: what overrides file permissions comes into effect, or goes out of it. */
export const followFileCapabilities = (process: ProcessControlBlock, before: number): void => {
  if ((process.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return;
  const { effective, permitted } = process.capabilities;
  if (before === 0 && process.fsuid !== 0)
    process.capabilities = { ...process.capabilities, effective: effective & ~FILE_CAPABILITIES };
  if (before !== 0 && process.fsuid === 0)
    process.capabilities = { ...process.capabilities, effective: effective | (permitted & FILE_CAPABILITIES) };
};

/** Sets the ids that are given; those who hold no right must have checked. */
const assign = (s: ProcessServer, process: ProcessControlBlock, kind: IdKind, ids: Ids): void => {
  if (kind === 'group') {
    process.gid = ids.real;
    process.egid = process.fsgid = ids.effective;
    process.sgid = ids.saved;
  } else {
    const before = currentIds(process, 'user');
    if (ids.real !== before.real) {
      s.table.account(before.real, 'processes', -s.table.weight(process));
      s.table.account(ids.real, 'processes', s.table.weight(process));
    }
    process.uid = ids.real;
    process.euid = process.fsuid = ids.effective;
    process.suid = ids.saved;
    followCapabilities(process, before);
    if (before.effective !== process.euid) process.flags &= ~Flag.dumpable;
  }
  publish(s, process.pid, idsOf(process));
};

/** setuid, setgid: root sets all three, others the effective one. */
export const setOne = (s: ProcessServer, process: ProcessControlBlock, kind: IdKind, id: number): Errno | undefined => {
  if (id === KEEP) return EINVAL;
  const ids = currentIds(process, kind);
  if (mayTakeAny(process, kind)) assign(s, process, kind, { real: id, effective: id, saved: id });
  else if (id === ids.real || id === ids.saved) assign(s, process, kind, { ...ids, effective: id });
  else return EPERM;
  return undefined;
};

/** setreuid, setregid: the saved id follows if the real one was set, or the effective one to something else. */
export const setTwo = (
  s: ProcessServer,
  process: ProcessControlBlock,
  kind: IdKind,
  real: number,
  effective: number,
): Errno | undefined => {
  const ids = currentIds(process, kind);
  if (!mayTakeAny(process, kind)) {
    if (real !== KEEP && real !== ids.real && real !== ids.effective) return EPERM;
    if (effective !== KEEP && effective !== ids.real && effective !== ids.effective && effective !== ids.saved)
      return EPERM;
  }
  const next = { real: real === KEEP ? ids.real : real, effective: effective === KEEP ? ids.effective : effective };
  const follows = real !== KEEP || (effective !== KEEP && effective !== ids.real);
  assign(s, process, kind, { ...next, saved: follows ? next.effective : ids.saved });
  return undefined;
};

/** setresuid, setresgid: each to any of the three. */
export const setThree = (
  s: ProcessServer,
  process: ProcessControlBlock,
  kind: IdKind,
  wanted: Ids,
): Errno | undefined => {
  const ids = currentIds(process, kind);
  const own = (id: number): boolean => id === KEEP || id === ids.real || id === ids.effective || id === ids.saved;
  if (!mayTakeAny(process, kind) && !(own(wanted.real) && own(wanted.effective) && own(wanted.saved))) return EPERM;
  const choose = (id: number, old: number): number => (id === KEEP ? old : id);
  assign(s, process, kind, {
    real: choose(wanted.real, ids.real),
    effective: choose(wanted.effective, ids.effective),
    saved: choose(wanted.saved, ids.saved),
  });
  return undefined;
};
