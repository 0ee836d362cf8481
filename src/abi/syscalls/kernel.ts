/**
 * System calls that the kernel answers from its own state, and those that cross servers (fork, execve, exit, mmap). Each
 * has a file in kernel/calls/; the table there is checked against the keys here by the compiler.
 */
import {
  type ArgumentKind,
  address,
  choice,
  fd,
  flags,
  type GuestReader,
  int,
  path,
  raw64,
  size,
  uint,
} from '../arguments.ts';
import { Errno } from '../errno.ts';
import { SECCOMP_OPERATIONS } from '../seccomp.ts';
import { syscall } from '../syscall.ts';

const seccompOperation = choice('seccomp operation', SECCOMP_OPERATIONS);

const cloneFlags: ArgumentKind<number> = {
  name: 'clone flags',
  when: 'enter',
  load: (a, i) => a.u53(i),
  show: (v) => {
    const shown = flags('', CLONE_FLAGS).show(v & ~0xff, {} as GuestReader, 0);
    return (v & 0xff) === 0 ? shown : `${shown === '0' ? '' : `${shown}|`}${v & 0xff}`;
  },
};

export const CLONE_FLAGS = {
  CLONE_VM: 0x100,
  CLONE_FS: 0x200,
  CLONE_FILES: 0x400,
  CLONE_SIGHAND: 0x800,
  CLONE_PIDFD: 0x1000,
  CLONE_PTRACE: 0x2000,
  CLONE_VFORK: 0x4000,
  CLONE_PARENT: 0x8000,
  CLONE_THREAD: 0x1_0000,
  CLONE_NEWNS: 0x2_0000,
  CLONE_SYSVSEM: 0x4_0000,
  CLONE_SETTLS: 0x8_0000,
  CLONE_PARENT_SETTID: 0x10_0000,
  CLONE_CHILD_CLEARTID: 0x20_0000,
  CLONE_DETACHED: 0x40_0000,
  CLONE_UNTRACED: 0x80_0000,
  CLONE_CHILD_SETTID: 0x100_0000,
  CLONE_NEWCGROUP: 0x200_0000,
  CLONE_NEWUTS: 0x400_0000,
  CLONE_NEWIPC: 0x800_0000,
  CLONE_NEWUSER: 0x1000_0000,
  CLONE_NEWPID: 0x2000_0000,
  CLONE_NEWNET: 0x4000_0000,
  CLONE_IO: 0x8000_0000,
} as const;

/** A flag of unshare(2) and setns(2) only: in clone it is a part of the exit signal. */
export const CLONE_NEWTIME = 0x80;

const protection = flags('protection', { PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 }, 'PROT_NONE');

export const MAP_FLAGS = {
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_GROWSDOWN: 0x100,
  MAP_DENYWRITE: 0x800,
  MAP_LOCKED: 0x2000,
  MAP_NORESERVE: 0x4000,
  MAP_POPULATE: 0x8000,
  MAP_NONBLOCK: 0x1_0000,
  MAP_STACK: 0x2_0000,
  MAP_HUGETLB: 0x4_0000,
  MAP_SYNC: 0x8_0000,
  MAP_FIXED_NOREPLACE: 0x10_0000,
} as const;

const clock = choice('clockid_t', {
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  CLOCK_PROCESS_CPUTIME_ID: 2,
  CLOCK_THREAD_CPUTIME_ID: 3,
  CLOCK_MONOTONIC_RAW: 4,
  CLOCK_REALTIME_COARSE: 5,
  CLOCK_MONOTONIC_COARSE: 6,
  CLOCK_BOOTTIME: 7,
});

/** `char *const argv[]`, shown as strings; loaded as the address, for execve reads it under its own limits. */
const stringVector: ArgumentKind<number> = {
  name: 'string[]',
  when: 'enter',
  load: (a, i) => a.u53(i),
  show: (v, guest) => {
    const shown: string[] = [];
    for (let k = 0; v !== 0 && k < 32; k++) {
      const word = guest.read(v + k * 8, 8);
      if (word instanceof Errno) return `0x${v.toString(16)}`;
      const pointer = Number(new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true));
      if (pointer === 0) return `[${shown.join(', ')}]`;
      const text = guest.string(pointer, 4096, Errno.of(7));
      shown.push(text instanceof Errno ? `0x${pointer.toString(16)}` : JSON.stringify(text));
    }
    return v === 0 ? 'NULL' : `[${shown.join(', ')}, ...]`;
  },
};

const futexOperation: ArgumentKind<number> = {
  name: 'futex operation',
  when: 'enter',
  load: (a, i) => a.i32(i),
  show: (v) => {
    const names = [
      'WAIT',
      'WAKE',
      'FD',
      'REQUEUE',
      'CMP_REQUEUE',
      'WAKE_OP',
      'LOCK_PI',
      'UNLOCK_PI',
      'TRYLOCK_PI',
      'WAIT_BITSET',
      'WAKE_BITSET',
    ];
    const suffix = `${v & 128 ? '_PRIVATE' : ''}${v & 256 ? '|FUTEX_CLOCK_REALTIME' : ''}`;
    return `FUTEX_${names[v & 127] ?? v & 127}${suffix}`;
  },
};

const archCode = choice('arch_prctl code', {
  ARCH_SET_GS: 0x1001,
  ARCH_SET_FS: 0x1002,
  ARCH_GET_FS: 0x1003,
  ARCH_GET_GS: 0x1004,
});

const kernel = (
  number: number,
  name: string,
  args: Parameters<typeof syscall>[3],
  options: Parameters<typeof syscall>[4] = {},
) => syscall(number, 'kernel', name, args, options);

const remoteVectors = { pid: int, local: address, localCount: size, remote: address, remoteCount: size, flags: size };

export const kernelSyscalls = {
  process_vm_readv: syscall(310, 'kernel', 'process_vm_readv', remoteVectors),
  process_vm_writev: syscall(311, 'kernel', 'process_vm_writev', remoteVectors),
  mmap: kernel(
    9,
    'mmap',
    {
      addr: address,
      length: size,
      prot: protection,
      flags: flags('map flags', MAP_FLAGS),
      fd,
      offset: size,
    },
    { address: true },
  ),
  rt_sigreturn: kernel(15, 'rt_sigreturn', {}),
  sched_yield: kernel(24, 'sched_yield', {}),
  clone: kernel(
    56,
    'clone',
    { flags: cloneFlags, stack: address, parentTid: address, childTid: address, tls: address },
    {
      partial: 'threads and processes; namespaces, and what Linux lets two processes share, are refused',
    },
  ),
  fork: kernel(57, 'fork', {}),
  vfork: kernel(58, 'vfork', {}),
  execve: kernel(59, 'execve', { path, argv: stringVector, envp: stringVector }),
  exit: kernel(60, 'exit', { status: int }),
  uname: kernel(63, 'uname', { buf: address }),
  gettimeofday: kernel(96, 'gettimeofday', { tv: address, tz: address }),
  sysinfo: kernel(99, 'sysinfo', { info: address }),
  sigaltstack: kernel(131, 'sigaltstack', { ss: address, old: address }),
  sched_setparam: kernel(142, 'sched_setparam', { pid: int, param: address }),
  sched_getparam: kernel(143, 'sched_getparam', { pid: int, param: address }),
  sched_setscheduler: kernel(144, 'sched_setscheduler', { pid: int, policy: int, param: address }),
  sched_getscheduler: kernel(145, 'sched_getscheduler', { pid: int }),
  sched_get_priority_max: kernel(146, 'sched_get_priority_max', { policy: int }),
  sched_get_priority_min: kernel(147, 'sched_get_priority_min', { policy: int }),
  sched_rr_get_interval: kernel(148, 'sched_rr_get_interval', { pid: int, interval: address }),
  arch_prctl: kernel(158, 'arch_prctl', { code: archCode, address }),
  settimeofday: kernel(164, 'settimeofday', { tv: address, tz: address }),
  sethostname: kernel(170, 'sethostname', { name: address, length: int }),
  setdomainname: kernel(171, 'setdomainname', { name: address, length: int }),
  gettid: kernel(186, 'gettid', {}),
  time: kernel(201, 'time', { tloc: address }),
  futex: kernel(
    202,
    'futex',
    { uaddr: address, operation: futexOperation, value: uint, timeout: address, uaddr2: address, value3: uint },
    {
      restart: 'restart',
      partial: 'all but FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI',
    },
  ),
  sched_setaffinity: kernel(203, 'sched_setaffinity', { pid: int, size: uint, mask: address }),
  sched_getaffinity: kernel(204, 'sched_getaffinity', { pid: int, size: uint, mask: address }),
  set_tid_address: kernel(218, 'set_tid_address', { address }),
  restart_syscall: kernel(219, 'restart_syscall', {}),
  clock_settime: kernel(227, 'clock_settime', { clock, tp: address }),
  clock_gettime: kernel(228, 'clock_gettime', { clock, tp: address }),
  clock_getres: kernel(229, 'clock_getres', { clock, tp: address }),
  exit_group: kernel(231, 'exit_group', { status: int }),
  set_robust_list: kernel(273, 'set_robust_list', { head: address, length: size }),
  get_robust_list: kernel(274, 'get_robust_list', { pid: int, head: address, length: address }),
  getcpu: kernel(309, 'getcpu', { cpu: address, node: address }),
  seccomp: kernel(
    317,
    'seccomp',
    { operation: seccompOperation, flags: uint, args: address },
    { partial: 'listeners for notifications are refused; a tracer never answers' },
  ),
  getrandom: kernel(318, 'getrandom', { buf: address, count: size, flags: uint }),
  execveat: kernel(322, 'execveat', { dirfd: fd, path, argv: stringVector, envp: stringVector, flags: int }),
  clone3: kernel(435, 'clone3', { args: address, size }, { partial: 'as clone; set_tid and cgroups are refused' }),
  futex_waitv: kernel(
    449,
    'futex_waitv',
    { waiters: address, count: uint, flags: uint, timeout: address, clock },
    { restart: 'restart' },
  ),
  futex_wake: kernel(454, 'futex_wake', { uaddr: address, mask: raw64, count: int, flags: uint }),
  futex_wait: kernel(
    455,
    'futex_wait',
    { uaddr: address, value: raw64, mask: raw64, flags: uint, timeout: address, clock },
    { restart: 'restart' },
  ),
  futex_requeue: kernel(456, 'futex_requeue', { waiters: address, flags: uint, woken: int, moved: int }),
  unshare: kernel(
    272,
    'unshare',
    { flags: cloneFlags },
    {
      partial: 'namespaces are refused as by a kernel built without them; threads of a process do not part (ENOSYS)',
    },
  ),
  membarrier: kernel(324, 'membarrier', { command: int, flags: uint, cpu: int }),
} as const;
