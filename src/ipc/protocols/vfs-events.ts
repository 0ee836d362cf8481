/**
 * Calls of the VFS that concern descriptors made for events: eventfd, epoll, timerfd, and what follows them. Numbers from 600;
 * they are part of the protocol of the VFS (vfs.ts).
 */
import { grant, i32, i53, text, u32 } from '../fields.ts';
import { call } from '../protocol.ts';

const nothing = {};
const result = { result: i32 };

export const eventCalls = {
  alarms: call(
    600,
    'Sent once at boot and never answered: it sleeps until the next timer descriptor is due, wakes who waits for it and sleeps again.',
    nothing,
    nothing,
  ),
  clockSet: call(
    601,
    'The time of day was set: timers of that clock are due at other moments, some are cancelled.',
    nothing,
    nothing,
  ),
  eventfd: call(602, 'eventfd(2), eventfd2(2).', { initial: u32, flags: i32 }, result),
  epollCreate: call(603, 'epoll_create(2), epoll_create1(2).', { size: i32, flags: i32 }, result),
  epollControl: call(604, 'epoll_ctl(2).', { epfd: i32, operation: i32, fd: i32, event: grant }, result),
  epollWait: call(
    605,
    'epoll_wait(2), epoll_pwait(2): timeout in milliseconds, negative for none; signal mask or null.',
    { epfd: i32, events: grant, maximum: i32, timeout: i32, mask: grant },
    result,
  ),
  epollWait2: call(
    606,
    'epoll_pwait2(2): timeout as a timespec or null.',
    { epfd: i32, events: grant, maximum: i32, timeout: grant, mask: grant },
    result,
  ),
  timerCreate: call(607, 'timerfd_create(2).', { clock: i32, flags: i32 }, result),
  timerSet: call(608, 'timerfd_settime(2).', { fd: i32, flags: i32, value: grant, old: grant }, result),
  timerGet: call(609, 'timerfd_gettime(2).', { fd: i32, value: grant }, result),
  signalsPending: call(
    610,
    'Signals have come to wait for a process that reads them from descriptors.',
    { pid: i32 },
    nothing,
  ),
  signalfd: call(
    611,
    'signalfd(2), signalfd4(2): makes a descriptor, or gives one another set.',
    { fd: i32, mask: grant, size: i53, flags: i32 },
    result,
  ),
  pidfdOpen: call(612, 'pidfd_open(2).', { target: i32, flags: i32 }, result),
  pidfdGet: call(613, 'pidfd_getfd(2).', { pidfd: i32, fd: i32, flags: u32 }, result),
  pidfdFor: call(
    614,
    'A descriptor of a process for its parent, close-on-exec: clone(2) with CLONE_PIDFD.',
    { pid: i32, target: i32 },
    result,
  ),
  memfd: call(620, 'memfd_create(2).', { name: text, flags: u32 }, result),
  inotifyInit: call(630, 'inotify_init(2), inotify_init1(2).', { flags: i32 }, result),
  inotifyAdd: call(631, 'inotify_add_watch(2).', { fd: i32, path: text, mask: u32 }, result),
  inotifyRemove: call(632, 'inotify_rm_watch(2).', { fd: i32, watch: i32 }, result),
  openHow: call(
    672,
    'openat2(2): `how` is the structure with its size.',
    { dirfd: i32, path: text, how: grant, size: i53 },
    result,
  ),
  splice: call(
    673,
    'splice(2).',
    { infd: i32, inoffset: grant, outfd: i32, outoffset: grant, length: i53, flags: u32 },
    { result: i53 },
  ),
  tee: call(674, 'tee(2).', { infd: i32, outfd: i32, length: i53, flags: u32 }, { result: i53 }),
  vmsplice: call(675, 'vmsplice(2).', { fd: i32, buf: grant, flags: u32 }, { result: i53 }),
  syncRange: call(676, 'sync_file_range(2).', { fd: i32, offset: i53, length: i53, flags: u32 }, result),
} as const;
