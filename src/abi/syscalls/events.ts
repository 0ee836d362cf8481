/** System calls round descriptors for events, pipes' splicing and openat2; the VFS answers them (ipc/protocols/vfs-events.ts). */
import {
  type ArgumentKind,
  type BufferRequest,
  bufferIn,
  choice,
  fd,
  flags,
  int,
  long,
  path,
  size,
  structIn,
  structInOut,
  structOut,
  uint,
  vectorBoth,
} from '../arguments.ts';
import { EFAULT, EINVAL } from '../errno.ts';
import * as e from '../events.ts';
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_NOEXEC_SEAL, O_CLOEXEC, O_EXCL, O_NONBLOCK } from '../fcntl.ts';
import { syscall } from '../syscall.ts';
import * as time from '../time.ts';

const eventfdFlags = flags('eventfd flags', {
  EFD_SEMAPHORE: e.EFD_SEMAPHORE,
  EFD_CLOEXEC: O_CLOEXEC,
  EFD_NONBLOCK: O_NONBLOCK,
});
const epollFlags = flags('epoll flags', { EPOLL_CLOEXEC: O_CLOEXEC });
const operation = choice('epoll operation', {
  EPOLL_CTL_ADD: e.EPOLL_CTL_ADD,
  EPOLL_CTL_DEL: e.EPOLL_CTL_DEL,
  EPOLL_CTL_MOD: e.EPOLL_CTL_MOD,
});
const event = structIn('epoll_event', e.EPOLL_EVENT_BYTES);

/** End of the addresses that a process can have. */
const ADDRESS_END = 0x7fff_ffff_f000;

/** `struct epoll_event[]` with its count in argument 2. EINVAL for a count that cannot be, EFAULT for addresses that cannot. */
const events: ArgumentKind<BufferRequest | null> = {
  name: 'epoll_event[]',
  when: 'leave',
  load: (a, i) => {
    const count = a.i32(2);
    if (count <= 0 || count > e.EPOLL_MAX_EVENTS) return EINVAL;
    const start = a.u53(i);
    const length = count * e.EPOLL_EVENT_BYTES;
    if (start + length > ADDRESS_END) return EFAULT;
    return start === 0 ? null : { direction: 'out', segments: [{ address: start, length }], length };
  },
  show: (value) => (value === null ? 'NULL' : `0x${value.segments[0].address.toString(16)}`),
};

const clock = choice('clockid_t', {
  CLOCK_REALTIME: time.CLOCK_REALTIME,
  CLOCK_MONOTONIC: time.CLOCK_MONOTONIC,
  CLOCK_BOOTTIME: time.CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM: time.CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM: time.CLOCK_BOOTTIME_ALARM,
});
const timerFlags = flags('timerfd flags', { TFD_CLOEXEC: O_CLOEXEC, TFD_NONBLOCK: O_NONBLOCK });
const settingFlags = flags('timer flags', {
  TFD_TIMER_ABSTIME: e.TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET: e.TFD_TIMER_CANCEL_ON_SET,
});
const itimerspecIn = structIn('itimerspec', e.ITIMERSPEC_BYTES);
const itimerspecOut = structOut('itimerspec', e.ITIMERSPEC_BYTES);

const set = structIn('sigset', 8);
const pidfdFlags = flags('pidfd flags', { PIDFD_NONBLOCK: O_NONBLOCK, PIDFD_THREAD: O_EXCL });
const MEMORY_NAME_MAX = 249;
const memoryName: ArgumentKind<string> = {
  ...path,
  name: 'name',
  load: (a, i, guest) => guest.string(a.u53(i), MEMORY_NAME_MAX + 1, EINVAL),
};
const memoryFlags = flags('memfd flags', { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC });
const inotifyFlags = flags('inotify flags', { IN_CLOEXEC: O_CLOEXEC, IN_NONBLOCK: O_NONBLOCK });
const inotifyMask: ArgumentKind<number> = { ...uint, show: (value) => `0x${value.toString(16)}` };
const offset = structInOut('loff_t*', 8);
const spliceFlags: ArgumentKind<number> = {
  ...flags('splice flags', {
    SPLICE_F_MOVE: e.SPLICE_F_MOVE,
    SPLICE_F_NONBLOCK: e.SPLICE_F_NONBLOCK,
    SPLICE_F_MORE: e.SPLICE_F_MORE,
    SPLICE_F_GIFT: e.SPLICE_F_GIFT,
  }),
  load: (a, i) => a.u32(i),
};
const interrupt = { restart: 'interrupt' } as const;

export const eventSyscalls = {
  epoll_create: syscall(213, 'vfs', 'epollCreate', { size: int }, { with: { flags: 0 } }),
  epoll_wait: syscall(
    232,
    'vfs',
    'epollWait',
    { epfd: fd, events, maximum: int, timeout: int },
    { ...interrupt, with: { mask: null } },
  ),
  epoll_ctl: syscall(233, 'vfs', 'epollControl', { epfd: fd, operation, fd, event }),
  inotify_init: syscall(253, 'vfs', 'inotifyInit', {}, { with: { flags: 0 } }),
  inotify_add_watch: syscall(254, 'vfs', 'inotifyAdd', { fd, path, mask: inotifyMask }),
  inotify_rm_watch: syscall(255, 'vfs', 'inotifyRemove', { fd, watch: int }),
  inotify_init1: syscall(294, 'vfs', 'inotifyInit', { flags: inotifyFlags }),
  epoll_pwait: syscall(
    281,
    'vfs',
    'epollWait',
    { epfd: fd, events, maximum: int, timeout: int, mask: set, size: uint },
    { ...interrupt, mask: { argument: 4, size: 5, patient: true } },
  ),
  signalfd: syscall(282, 'vfs', 'signalfd', { fd, mask: set, size }, { with: { flags: 0 } }),
  timerfd_create: syscall(283, 'vfs', 'timerCreate', { clock, flags: timerFlags }),
  eventfd: syscall(284, 'vfs', 'eventfd', { initial: uint }, { with: { flags: 0 } }),
  timerfd_settime: syscall(286, 'vfs', 'timerSet', {
    fd,
    flags: settingFlags,
    value: itimerspecIn,
    old: itimerspecOut,
  }),
  timerfd_gettime: syscall(287, 'vfs', 'timerGet', { fd, value: itimerspecOut }),
  signalfd4: syscall(289, 'vfs', 'signalfd', { fd, mask: set, size, flags: timerFlags }),
  eventfd2: syscall(290, 'vfs', 'eventfd', { initial: uint, flags: eventfdFlags }),
  epoll_create1: syscall(291, 'vfs', 'epollCreate', { flags: epollFlags }, { with: { size: 1 } }),
  memfd_create: syscall(319, 'vfs', 'memfd', { name: memoryName, flags: memoryFlags }),
  splice: syscall(275, 'vfs', 'splice', {
    infd: fd,
    inoffset: offset,
    outfd: fd,
    outoffset: offset,
    length: size,
    flags: spliceFlags,
  }),
  tee: syscall(276, 'vfs', 'tee', { infd: fd, outfd: fd, length: size, flags: spliceFlags }),
  sync_file_range: syscall(277, 'vfs', 'syncRange', { fd, offset: long, length: long, flags: uint }),
  vmsplice: syscall(278, 'vfs', 'vmsplice', { fd, buf: vectorBoth(2), count: size, flags: spliceFlags }),
  openat2: syscall(437, 'vfs', 'openHow', { dirfd: fd, path, how: bufferIn(3), size }),
  pidfd_open: syscall(434, 'vfs', 'pidfdOpen', { target: int, flags: pidfdFlags }),
  pidfd_getfd: syscall(438, 'vfs', 'pidfdGet', { pidfd: fd, fd, flags: uint }),
  epoll_pwait2: syscall(
    441,
    'vfs',
    'epollWait2',
    { epfd: fd, events, maximum: int, timeout: structIn('timespec', 16), mask: set, size: uint },
    { ...interrupt, mask: { argument: 4, size: 5, patient: true } },
  ),
};
