/**
 * seccomp(2): operations, actions, and the data that a filter sees; classic BPF as filters use it (filter.h, bpf_common.h).
 *
 *     struct seccomp_data (64)   0 nr   4 arch   8 instruction pointer   16 … six arguments of 8 bytes
 *     struct sock_filter (8)     0 code (16 bit)   2 jt   3 jf   4 k (32 bit)
 *     struct sock_fprog (16)     0 number of instructions (16 bit)   8 pointer
 */
export const SECCOMP_SET_MODE_STRICT = 0;
export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_GET_ACTION_AVAIL = 2;
export const SECCOMP_GET_NOTIF_SIZES = 3;

/** Name by number, as strace prints them. */
export const SECCOMP_OPERATIONS: Readonly<Record<string, number>> = {
  SECCOMP_SET_MODE_STRICT,
  SECCOMP_SET_MODE_FILTER,
  SECCOMP_GET_ACTION_AVAIL,
  SECCOMP_GET_NOTIF_SIZES,
};

export const SECCOMP_MODE_DISABLED = 0;
export const SECCOMP_MODE_STRICT = 1;
export const SECCOMP_MODE_FILTER = 2;

export const SECCOMP_FILTER_FLAG_TSYNC = 1;
export const SECCOMP_FILTER_FLAG_LOG = 2;
export const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
export const SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 16;

/** Actions, by falling precedence; the lower 16 bits of a filter's answer are data of the action. */
export const SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
export const SECCOMP_RET_KILL_THREAD = 0;
export const SECCOMP_RET_TRAP = 0x0003_0000;
export const SECCOMP_RET_ERRNO = 0x0005_0000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
export const SECCOMP_RET_TRACE = 0x7ff0_0000;
export const SECCOMP_RET_LOG = 0x7ffc_0000;
export const SECCOMP_RET_ALLOW = 0x7fff_0000;

export const SECCOMP_DATA_BYTES = 64;
export const SOCK_FILTER_BYTES = 8;
/** Instructions of one filter, and of all filters of a thread, each counting four more (seccomp(2), ENOMEM). */
export const BPF_MAXINSNS = 4096;
export const MAX_INSTRUCTIONS = 32_768;
export const FILTER_OVERHEAD = 4;

/** `arch` of a 64-bit x86 call: EM_X86_64, 64-bit, little endian. */
export const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** `si_code` of a SIGSYS that a filter raised. */
export const SYS_SECCOMP = 1;
/** The largest errno that SECCOMP_RET_ERRNO gives. */
export const MAX_ERRNO = 4095;
