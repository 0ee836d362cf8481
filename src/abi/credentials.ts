/**
 * Capabilities (capabilities(7)) as far as the process manager asks for them, and the layouts of capget(2) and capset(2).
 *
 *     header (8)    0 version   4 pid
 *     data (12)     0 effective   4 permitted   8 inheritable; two of them (low, high half) from version 2 on
 */

export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_SYS_TTY_CONFIG = 26;
export const CAP_MKNOD = 27;
export const CAP_LEASE = 28;
export const CAP_WAKE_ALARM = 35;
/** The last capability that exists (CAP_CHECKPOINT_RESTORE). */
export const CAP_LAST = 40;

/** Every capability: what root has. */
export const ALL_CAPABILITIES = (1n << BigInt(CAP_LAST + 1)) - 1n;

/** Those that override file permissions: chown, dac_override, dac_read_search, fowner, fsetid, linux_immutable, mknod, mac_override. */
export const FILE_CAPABILITIES = [0, 1, 2, 3, 4, 9, 27, 32].reduce((set, n) => set | (1n << BigInt(n)), 0n);

export const capabilityBit = (capability: number): bigint => 1n << BigInt(capability);

export const CAPABILITY_VERSION_1 = 0x1998_0330;
export const CAPABILITY_VERSION_2 = 0x2007_1026;
export const CAPABILITY_VERSION_3 = 0x2008_0522;

export const CAP_HEADER_BYTES = 8;
export const CAP_DATA_BYTES = 12;

export interface Capabilities {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  /** What execve may give (PR_CAPBSET_DROP takes out of it). */
  readonly bounding: bigint;
  /** What execve of a program without privilege keeps. */
  readonly ambient: bigint;
}

export const ROOT_CAPABILITIES: Capabilities = Object.freeze({
  effective: ALL_CAPABILITIES,
  permitted: ALL_CAPABILITIES,
  inheritable: 0n,
  bounding: ALL_CAPABILITIES,
  ambient: 0n,
});
export const NO_CAPABILITIES: Capabilities = Object.freeze({ ...ROOT_CAPABILITIES, effective: 0n, permitted: 0n });

/** The sets that capget(2) and capset(2) carry. */
export type CapabilityData = Pick<Capabilities, 'effective' | 'permitted' | 'inheritable'>;

/** Secure bits (capabilities(7)); the bit above each locks it. KEEP_CAPS is kept as a flag of its own. */
export const SECBIT_NOROOT = 1;
export const SECBIT_NO_SETUID_FIXUP = 4;
export const SECBIT_KEEP_CAPS = 16;
export const SECBIT_KEEP_CAPS_LOCKED = 32;
export const SECBIT_NO_CAP_AMBIENT_RAISE = 64;
export const SECBITS = 0xff;
export const SECBIT_LOCKS = 0xaa;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `halves` structures of 32 bits each: 1 for version 1, else 2. */
export const encodeCapabilities = (sets: CapabilityData, halves: number): Uint8Array => {
  const bytes = new Uint8Array(CAP_DATA_BYTES * halves);
  const view = viewOf(bytes);
  for (let half = 0; half < halves; half++) {
    const shift = BigInt(half * 32);
    const word = (set: bigint): number => Number(BigInt.asUintN(32, set >> shift));
    view.setUint32(half * 12, word(sets.effective), true);
    view.setUint32(half * 12 + 4, word(sets.permitted), true);
    view.setUint32(half * 12 + 8, word(sets.inheritable), true);
  }
  return bytes;
};

export const decodeCapabilities = (bytes: Uint8Array, halves: number): CapabilityData => {
  const view = viewOf(bytes);
  const take = (offset: number): bigint => {
    let set = 0n;
    for (let half = 0; half < halves; half++)
      set |= BigInt(view.getUint32(half * 12 + offset, true)) << BigInt(half * 32);
    return set & ALL_CAPABILITIES;
  };
  return { effective: take(0), permitted: take(4), inheritable: take(8) };
};

/** setgroups(2) takes no more. */
export const NGROUPS_MAX = 65_536;
