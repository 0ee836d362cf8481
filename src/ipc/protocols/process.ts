/**
 * Protocol of the process manager (PID 3), numbers 200–299.
 *
 * The first group is what the kernel itself sends when calls cross servers or events arrive; the rest answers system calls.
 */
import { bool, bytes, grant, i32, i53, text, u32, u64 } from '../fields.ts';
import { call, protocol } from '../protocol.ts';

export const processProtocol = protocol('process', 200, {
  fork: call(
    200,
    'Makes the child of fork, vfork or a forking clone: a PID and a control block copied from the parent. The kernel then asks the other servers.',
    { parent: i32, tid: i32, flags: u64, exitSignal: i32 },
    { child: i32 },
  ),
  forkFailed: call(201, 'Another server refused the fork: the child is undone without a trace.', { child: i32 }, {}),
  exec: call(
    202,
    'Checks that the process may replace its image; tells what personality(2) it has.',
    { pid: i32, tid: i32 },
    { personality: u32 },
  ),
  execCommit: call(
    203,
    'The image was replaced: caught signals go back to default, ids change for setuid programs.',
    { pid: i32, tid: i32, name: text, setuid: i32, setgid: i32, readable: bool },
    // secure: AT_SECURE of the auxiliary vector.
    { secure: bool },
  ),
  exit: call(
    204,
    'exit_group(2) or death of the last thread: zombie, SIGCHLD, children to init. `status` is as wait4 reports it.',
    { pid: i32, status: i32 },
    {},
  ),
  fault: call(
    205,
    'A processor fault of a thread becomes a forced signal.',
    { pid: i32, tid: i32, signal: i32, code: i32, address: i53, errno: i32, syscall: i32 },
    {},
  ),
  raise: call(
    206,
    'A signal on behalf of a terminal or a broken pipe: to a process group, or one process.',
    { target: i32, signal: i32, toProcess: bool },
    {},
  ),
  spawn: call(
    207,
    'Makes a process for the host, a child of init, in a session of its own; the kernel then loads its program. The first one is init itself, PID 1; `groups` are 32-bit ids.',
    { uid: i32, gid: i32, groups: bytes, name: text },
    { child: i32 },
  ),
  signalReturn: call(
    208,
    'rt_sigreturn(2): the mask of the signal frame is restored.',
    { pid: i32, tid: i32, mask: u64 },
    {},
  ),
  waitHost: call(209, 'The host waits for a process it has spawned, and reaps it.', { pid: i32 }, { status: i32 }),
  killHost: call(210, 'The host sends a signal to a process or, negative, a group.', { target: i32, signal: i32 }, {}),
  getpid: call(211, 'getpid(2).', {}, { result: i32 }),
  getppid: call(212, 'getppid(2).', {}, { result: i32 }),

  // ── From the kernel ─────────────────────────────────────────────────────────────────────────────────────────────
  timers: call(
    213,
    'Sent once at boot and never answered: it sleeps until the next alarm, interval timer or CPU limit is due, raises its signal and sleeps again. To be sent again should it ever be answered.',
    {},
    {},
  ),
  temporaryMask: call(
    214,
    'Before ppoll, pselect6, epoll_pwait with a mask: blocks it for the call. `interrupted`: a handler is already queued, so the call may look but not sleep (EINTR if nothing is ready).',
    { pid: i32, tid: i32, mask: u64 },
    { interrupted: bool },
  ),
  restoreMask: call(
    215,
    'After that call: the mask before `temporaryMask` is back, unless a signal frame has taken it.',
    { pid: i32, tid: i32 },
    {},
  ),
  thread: call(
    217,
    'clone(2) with CLONE_THREAD: a thread id, its signal mask copied from the creator.',
    { pid: i32, tid: i32 },
    { tid: i32 },
  ),
  signalTaken: call(
    219,
    'A pending signal was read from a signalfd: it is pending no more. `tid` 0: it waited for the process.',
    { target: i32, tid: i32, signal: i32 },
    {},
  ),
  threadExit: call(218, 'A thread ended that was not the last of its process.', { pid: i32, tid: i32 }, {}),

  // ── Waiting for children ────────────────────────────────────────────────────────────────────────────────────────
  wait4: call(
    220,
    'wait4(2): sleeps until a child has a status to report.',
    { pid: i32, status: grant, options: i32, usage: grant },
    { result: i32 },
  ),
  waitid: call(221, 'waitid(2).', { type: i32, id: i32, info: grant, options: i32, usage: grant }, { result: i32 }),

  // ── Signals ─────────────────────────────────────────────────────────────────────────────────────────────────────
  kill: call(222, 'kill(2): to a process, a group, or all.', { pid: i32, signal: i32 }, { result: i32 }),
  tkill: call(223, 'tkill(2): to one thread.', { tid: i32, signal: i32 }, { result: i32 }),
  tgkill: call(
    224,
    'tgkill(2): to one thread of the given process.',
    { tgid: i32, tid: i32, signal: i32 },
    { result: i32 },
  ),
  sigqueue: call(
    225,
    'rt_sigqueueinfo(2): a signal with the siginfo of the caller.',
    { tgid: i32, signal: i32, info: grant },
    { result: i32 },
  ),
  tgsigqueue: call(
    226,
    'rt_tgsigqueueinfo(2): the same to one thread.',
    { tgid: i32, tid: i32, signal: i32, info: grant },
    { result: i32 },
  ),
  sigaction: call(
    227,
    'rt_sigaction(2): sets and tells what a signal does.',
    { signal: i32, action: grant, old: grant, setSize: i53 },
    { result: i32 },
  ),
  sigprocmask: call(
    228,
    'rt_sigprocmask(2): changes and tells the mask of the thread.',
    { how: i32, set: grant, old: grant, setSize: i53 },
    { result: i32 },
  ),
  sigpending: call(229, 'rt_sigpending(2): blocked signals that wait.', { set: grant, setSize: i53 }, { result: i32 }),
  sigsuspend: call(
    230,
    'rt_sigsuspend(2): sleeps with another mask until a handler has run.',
    { set: grant, setSize: i53 },
    { result: i32 },
  ),
  sigtimedwait: call(
    231,
    'rt_sigtimedwait(2): takes a pending signal of a set, or sleeps for one.',
    { set: grant, info: grant, timeout: grant, setSize: i53 },
    { result: i32 },
  ),
  pidfdSignal: call(238, 'pidfd_send_signal(2).', { fd: i32, signal: i32, info: grant, flags: u32 }, { result: i32 }),
  pause: call(232, 'pause(2): sleeps until a handler has run.', {}, { result: i32 }),

  // ── Process groups and sessions ─────────────────────────────────────────────────────────────────────────────────
  setpgid: call(233, 'setpgid(2).', { pid: i32, pgid: i32 }, { result: i32 }),
  getpgid: call(234, 'getpgid(2), getpgrp(2).', { pid: i32 }, { result: i32 }),
  setsid: call(235, 'setsid(2).', {}, { result: i32 }),
  getsid: call(236, 'getsid(2).', { pid: i32 }, { result: i32 }),

  // ── Ids ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  getuid: call(240, 'getuid(2).', {}, { result: u32 }),
  geteuid: call(241, 'geteuid(2).', {}, { result: u32 }),
  getgid: call(242, 'getgid(2).', {}, { result: u32 }),
  getegid: call(243, 'getegid(2).', {}, { result: u32 }),
  setuid: call(244, 'setuid(2).', { uid: u32 }, { result: i32 }),
  setgid: call(245, 'setgid(2).', { gid: u32 }, { result: i32 }),
  setreuid: call(246, 'setreuid(2): 0xffffffff leaves an id as it is.', { ruid: u32, euid: u32 }, { result: i32 }),
  setregid: call(247, 'setregid(2).', { rgid: u32, egid: u32 }, { result: i32 }),
  setresuid: call(248, 'setresuid(2).', { ruid: u32, euid: u32, suid: u32 }, { result: i32 }),
  setresgid: call(249, 'setresgid(2).', { rgid: u32, egid: u32, sgid: u32 }, { result: i32 }),
  getresuid: call(250, 'getresuid(2).', { ruid: grant, euid: grant, suid: grant }, { result: i32 }),
  getresgid: call(251, 'getresgid(2).', { rgid: grant, egid: grant, sgid: grant }, { result: i32 }),
  setfsuid: call(252, 'setfsuid(2): answers the id before, changed or not.', { uid: u32 }, { result: u32 }),
  setfsgid: call(253, 'setfsgid(2).', { gid: u32 }, { result: u32 }),
  getgroups: call(254, 'getgroups(2).', { count: i32, list: grant }, { result: i32 }),
  setgroups: call(255, 'setgroups(2).', { count: i32, list: grant }, { result: i32 }),

  // ── Resources and time ──────────────────────────────────────────────────────────────────────────────────────────
  times: call(260, 'times(2).', { buf: grant }, { result: i53 }),
  getrusage: call(261, 'getrusage(2).', { who: i32, usage: grant }, { result: i32 }),
  prlimit: call(
    262,
    'getrlimit(2), setrlimit(2), prlimit64(2): sets and tells a limit.',
    { pid: i32, resource: i32, limit: grant, old: grant, needed: i32 },
    { result: i32 },
  ),
  getpriority: call(
    263,
    'getpriority(2): 20 − nice, as the trap returns it.',
    { which: i32, who: i32 },
    { result: i32 },
  ),
  setpriority: call(264, 'setpriority(2).', { which: i32, who: i32, nice: i32 }, { result: i32 }),
  alarm: call(265, 'alarm(2): answers the seconds that were left.', { seconds: u32 }, { result: u32 }),
  setitimer: call(266, 'setitimer(2).', { which: i32, value: grant, old: grant }, { result: i32 }),
  getitimer: call(267, 'getitimer(2).', { which: i32, value: grant }, { result: i32 }),
  nanosleep: call(268, 'nanosleep(2).', { request: grant, remain: grant }, { result: i32 }),
  clockNanosleep: call(
    269,
    'clock_nanosleep(2): relative, or until a time with TIMER_ABSTIME.',
    { clock: i32, flags: i32, request: grant, remain: grant },
    { result: i32 },
  ),

  // ── The rest ────────────────────────────────────────────────────────────────────────────────────────────────────
  prctl: call(
    275,
    'prctl(2): `buf` is what the second argument points at where the option has a pointer there, `value` the argument itself.',
    { option: i32, buf: grant, arg3: u64, arg4: u64, arg5: u64, value: u64 },
    { result: i32 },
  ),
  capget: call(276, 'capget(2).', { header: grant, data: grant }, { result: i32 }),
  capset: call(277, 'capset(2).', { header: grant, data: grant }, { result: i32 }),
  personality: call(278, 'personality(2): 0xffffffff asks.', { persona: u32 }, { result: u32 }),

  raiseIo: call(
    284,
    'A file with O_ASYNC can be read or written: its owner gets SIGIO, or the signal of F_SETSIG.',
    { owner: i32, thread: bool, signal: i32, fd: i32, readable: bool, uid: u32, euid: u32 },
    {},
  ),

  // ── POSIX timers ────────────────────────────────────────────────────────────────────────────────────────────────
  timerCreate: call(279, 'timer_create(2).', { clock: i32, event: grant, id: grant }, { result: i32 }),
  timerSettime: call(280, 'timer_settime(2).', { id: i32, flags: i32, value: grant, old: grant }, { result: i32 }),
  timerGettime: call(281, 'timer_gettime(2).', { id: i32, value: grant }, { result: i32 }),
  timerGetoverrun: call(282, 'timer_getoverrun(2).', { id: i32 }, { result: i32 }),
  timerDelete: call(283, 'timer_delete(2).', { id: i32 }, { result: i32 }),

  ping: call(289, 'Answers at once: measures a round trip.', { value: i32 }, { result: i32 }),
});
