/**
 * The capability sets of a process that prctl(2) changes: bounding and ambient set, secure bits (capabilities(7)). Whoever changes a set
 * does it by `setCapabilities`, so that the kernel's copy follows.
 */
import {
  CAP_LAST,
  CAP_SETPCAP,
  type Capabilities,
  capabilityBit,
  SECBIT_KEEP_CAPS,
  SECBIT_LOCKS,
  SECBIT_NO_CAP_AMBIENT_RAISE,
  SECBITS,
} from '../../abi/credentials.ts';
import { EINVAL, EPERM, type Errno, type Result } from '../../abi/errno.ts';
import * as option from '../../abi/prctl.ts';
import { publish } from './identity.ts';
import { capable } from './permission.ts';
import { Flag, type ProcessControlBlock } from './rows.ts';
import { editSelf, type ProcessServer, self } from './server.ts';

export const setCapabilities = (
  s: ProcessServer,
  process: ProcessControlBlock,
  change: Partial<Capabilities>,
): void => {
  process.capabilities = { ...process.capabilities, ...change };
  publish(s, process.pid, { capabilities: process.capabilities });
};

const isCapability = (number: number): boolean => Number.isInteger(number) && number >= 0 && number <= CAP_LAST;

/** PR_CAPBSET_DROP. */
export const dropBounding = (s: ProcessServer, pid: number, capability: number): Errno | undefined => {
  const process = self(s, pid);
  if (!capable(process, CAP_SETPCAP)) return EPERM;
  if (!isCapability(capability)) return EINVAL;
  setCapabilities(s, editSelf(s, pid), { bounding: process.capabilities.bounding & ~capabilityBit(capability) });
  return undefined;
};

/** PR_CAP_AMBIENT: what is raised must be permitted and inheritable. */
export const changeAmbient = (
  s: ProcessServer,
  pid: number,
  operation: number,
  capability: number,
): Result<{ result: number }> => {
  const process = self(s, pid);
  const { ambient, permitted, inheritable } = process.capabilities;
  const done = { result: 0 };
  if (operation === option.PR_CAP_AMBIENT_CLEAR_ALL) {
    if (capability !== 0) return EINVAL;
    setCapabilities(s, editSelf(s, pid), { ambient: 0n });
    return done;
  }
  if (!isCapability(capability)) return EINVAL;
  const bit = capabilityBit(capability);
  switch (operation) {
    case option.PR_CAP_AMBIENT_IS_SET:
      return { result: (ambient & bit) === 0n ? 0 : 1 };
    case option.PR_CAP_AMBIENT_RAISE:
      if ((permitted & inheritable & bit) === 0n || (process.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0)
        return EPERM;
      setCapabilities(s, editSelf(s, pid), { ambient: ambient | bit });
      return done;
    case option.PR_CAP_AMBIENT_LOWER:
      setCapabilities(s, editSelf(s, pid), { ambient: ambient & ~bit });
      return done;
    default:
      return EINVAL;
  }
};

/** The secure bits, KEEP_CAPS among them. */
export const secureBits = (process: Readonly<ProcessControlBlock>): number =>
  process.securebits | ((process.flags & Flag.keepCapabilities) === 0 ? 0 : SECBIT_KEEP_CAPS);

/** PR_SET_SECUREBITS: locked bits stay, and locks are for ever. */
export const setSecureBits = (s: ProcessServer, pid: number, bits: number): Errno | undefined => {
  const process = self(s, pid);
  const old = secureBits(process);
  const locked = (old & SECBIT_LOCKS) >> 1;
  if ((locked & (old ^ bits)) !== 0 || (old & SECBIT_LOCKS & ~bits) !== 0) return EPERM;
  if (!Number.isInteger(bits) || bits < 0 || bits > SECBITS || !capable(process, CAP_SETPCAP)) return EPERM;
  const changed = editSelf(s, pid);
  changed.securebits = bits & ~SECBIT_KEEP_CAPS;
  changed.flags =
    (bits & SECBIT_KEEP_CAPS) === 0 ? changed.flags & ~Flag.keepCapabilities : changed.flags | Flag.keepCapabilities;
  return undefined;
};
