/** System calls that the process manager answers (ipc/protocols/process.ts). */
import {
  type ArgumentKind,
  address,
  type BufferRequest,
  choice,
  fd,
  flags,
  type GuestReader,
  int,
  raw64,
  size,
  structIn,
  structInOut,
  structOut,
  uint,
} from '../arguments.ts';
import { CAP_DATA_BYTES, CAP_HEADER_BYTES } from '../credentials.ts';
import { Errno } from '../errno.ts';
import * as prctl from '../prctl.ts';
import {
  PRIO_PGRP,
  PRIO_PROCESS,
  PRIO_USER,
  RLIMIT_BYTES,
  RLIMITS,
  RUSAGE_BYTES,
  RUSAGE_CHILDREN,
  RUSAGE_SELF,
  RUSAGE_THREAD,
  TMS_BYTES,
} from '../resource.ts';
import {
  decodeSigAction,
  decodeSigset,
  has,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGACTION_BYTES,
  SIGINFO_BYTES,
  SIGRTMAX,
  SIGSET_BYTES,
  signalName,
} from '../signals.ts';
import { syscall } from '../syscall.ts';
import * as time from '../time.ts';
import * as waits from '../wait.ts';

type Struct = ArgumentKind<BufferRequest | null>;

/** A structure that the trace shows decoded. */
const shown = (kind: Struct, bytes: number, render: (bytes: Uint8Array) => string): Struct => ({
  ...kind,
  show: (value, guest: GuestReader, result) => {
    if (value === null) return 'NULL';
    const read = result < 0 && kind.when === 'leave' ? undefined : guest.read(value.segments[0].address, bytes);
    return read === undefined || read instanceof Errno ? kind.show(value, guest, result) : render(read);
  },
});

const showSet = (set: bigint): string => {
  const names: string[] = [];
  // A nearly full set is shown by what it lacks.
  const inverted = set > 0xffff_ffff_0000_0000n;
  for (let signal = 1; signal <= SIGRTMAX; signal++)
    if (has(set, signal) !== inverted) names.push(signalName(signal).replace(/^SIG/, ''));
  return `${inverted ? '~' : ''}[${names.join(' ')}]`;
};

const showAction = (bytes: Uint8Array): string => {
  const { handler, flags: bits, mask } = decodeSigAction(0, bytes);
  const name = handler === SIG_DFL ? 'SIG_DFL' : handler === SIG_IGN ? 'SIG_IGN' : `0x${handler.toString(16)}`;
  return `{sa_handler=${name}, sa_mask=${showSet(mask)}, sa_flags=0x${bits.toString(16)}}`;
};

const signal: ArgumentKind<number> = { ...int, name: 'signal', show: signalName };
const setIn = shown(structIn('sigset_t', SIGSET_BYTES), SIGSET_BYTES, (b) => showSet(decodeSigset(b)));
const setOut = shown(structOut('sigset_t', SIGSET_BYTES), SIGSET_BYTES, (b) => showSet(decodeSigset(b)));
const actionIn = shown(structIn('sigaction', SIGACTION_BYTES), SIGACTION_BYTES, showAction);
const actionOut = shown(structOut('sigaction', SIGACTION_BYTES), SIGACTION_BYTES, showAction);
const infoIn = structIn('siginfo_t', SIGINFO_BYTES);
const infoOut = structOut('siginfo_t', SIGINFO_BYTES);

const seconds = (offset: number, digits: number) => (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return `${view.getBigInt64(offset, true)}.${String(view.getBigInt64(offset + 8, true)).padStart(digits, '0')}`;
};
const showTimespec = (bytes: Uint8Array): string => `{${seconds(0, 9)(bytes)}s}`;
const showItimerval = (bytes: Uint8Array): string =>
  `{it_interval=${seconds(0, 6)(bytes)}, it_value=${seconds(16, 6)(bytes)}}`;
const timespecIn = shown(structIn('timespec', time.TIMESPEC_BYTES), time.TIMESPEC_BYTES, showTimespec);
const timespecOut = shown(structOut('timespec', time.TIMESPEC_BYTES), time.TIMESPEC_BYTES, showTimespec);
const itimerIn = shown(structIn('itimerval', time.ITIMERVAL_BYTES), time.ITIMERVAL_BYTES, showItimerval);
const itimerOut = shown(structOut('itimerval', time.ITIMERVAL_BYTES), time.ITIMERVAL_BYTES, showItimerval);

const showItimerspec = (bytes: Uint8Array): string =>
  `{it_interval=${seconds(0, 9)(bytes)}, it_value=${seconds(16, 9)(bytes)}}`;
const itimerspecIn = shown(structIn('itimerspec', 32), 32, showItimerspec);
const itimerspecOut = shown(structOut('itimerspec', 32), 32, showItimerspec);

const showInt = (bytes: Uint8Array): string =>
  `[${new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0, true)}]`;
const intOut = shown(structOut('int', 4), 4, showInt);

const rusageOut = structOut('rusage', RUSAGE_BYTES);

const showRlimit = (bytes: Uint8Array): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const limit = (offset: number): string => {
    const value = view.getBigUint64(offset, true);
    return value === 0xffff_ffff_ffff_ffffn ? 'RLIM64_INFINITY' : String(value);
  };
  return `{rlim_cur=${limit(0)}, rlim_max=${limit(8)}}`;
};
const rlimitIn = shown(structIn('rlimit', RLIMIT_BYTES), RLIMIT_BYTES, showRlimit);
const rlimitOut = shown(structOut('rlimit', RLIMIT_BYTES), RLIMIT_BYTES, showRlimit);

/** An array of 32-bit ids whose count is another argument. */
const idList = (direction: 'in' | 'out', countIndex: number): Struct => ({
  name: 'gid_t[]',
  when: direction === 'out' ? 'leave' : 'enter',
  load: (args, index) => {
    const start = args.u53(index);
    const length = Math.min(Math.max(args.i32(countIndex), 0), 0x1_0000) * 4;
    return start === 0 || length === 0 ? null : { direction, segments: [{ address: start, length }], length };
  },
  show: (value, guest, result) => {
    if (value === null) return 'NULL';
    const count = direction === 'in' ? value.length >> 2 : Math.max(result, 0);
    const bytes = guest.read(value.segments[0].address, Math.min(count, 32) * 4);
    if (bytes instanceof Errno) return `0x${value.segments[0].address.toString(16)}`;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ids = Array.from({ length: bytes.length >> 2 }, (_, item) => view.getUint32(item * 4, true));
    return `[${ids.join(', ')}${count > 32 ? ', ...' : ''}]`;
  },
});

/** The second argument of prctl where the option (the first) has a pointer there, else null: its value is `prctlValue`. */
const prctlPointer: Struct = {
  name: 'prctl argument',
  when: 'enter',
  load: (args, index) => {
    const option = args.i32(0);
    const start = args.u53(index);
    const length = option === prctl.PR_SET_NAME || option === prctl.PR_GET_NAME ? prctl.COMM_BYTES : 4;
    const direction = PRCTL_POINTERS.get(option);
    if (direction === undefined || start === 0) return null;
    return { direction, segments: [{ address: start, length }], length };
  },
  show: (value, guest, result) => address.show(value?.segments[0].address ?? 0, guest, result),
};
const PRCTL_POINTERS: ReadonlyMap<number, 'in' | 'out'> = new Map([
  [prctl.PR_SET_NAME, 'in'],
  [prctl.PR_GET_NAME, 'out'],
  [prctl.PR_GET_PDEATHSIG, 'out'],
  [prctl.PR_GET_CHILD_SUBREAPER, 'out'],
]);
/** The second register once more, as a number: stands last, for prctl has but five arguments. */
const prctlValue: ArgumentKind<bigint> = { ...raw64, load: (args) => args.u64(1) };

const waitOptions = flags('wait options', {
  WNOHANG: waits.WNOHANG,
  WSTOPPED: waits.WSTOPPED,
  WEXITED: waits.WEXITED,
  WCONTINUED: waits.WCONTINUED,
  WNOWAIT: waits.WNOWAIT,
  __WNOTHREAD: waits.__WNOTHREAD,
  __WALL: waits.__WALL,
  __WCLONE: waits.__WCLONE,
});
const idType = choice('idtype_t', {
  P_ALL: waits.P_ALL,
  P_PID: waits.P_PID,
  P_PGID: waits.P_PGID,
  P_PIDFD: waits.P_PIDFD,
});
const how = choice('how', { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK });
const resource = choice('resource', RLIMITS);
const priority = choice('priority', { PRIO_PROCESS, PRIO_PGRP, PRIO_USER });
const usageOf = choice('who', { RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD });
const timer = choice('itimer', {
  ITIMER_REAL: time.ITIMER_REAL,
  ITIMER_VIRTUAL: time.ITIMER_VIRTUAL,
  ITIMER_PROF: time.ITIMER_PROF,
});
const timerFlags = flags('timer flags', { TIMER_ABSTIME: time.TIMER_ABSTIME });
const clock = choice('clockid_t', {
  CLOCK_REALTIME: time.CLOCK_REALTIME,
  CLOCK_MONOTONIC: time.CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID: time.CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID: time.CLOCK_THREAD_CPUTIME_ID,
  CLOCK_BOOTTIME: time.CLOCK_BOOTTIME,
  CLOCK_TAI: time.CLOCK_TAI,
});
const prctlOption = choice('prctl option', prctl.PRCTL_OPTIONS);
const capHeader = structInOut('cap_user_header_t', CAP_HEADER_BYTES);
const capData = structInOut('cap_user_data_t', CAP_DATA_BYTES * 2);

const interrupt = { restart: 'interrupt' } as const;
const restart = { restart: 'restart' } as const;

export const processSyscalls = {
  getpid: syscall(39, 'process', 'getpid', {}),
  getppid: syscall(110, 'process', 'getppid', {}),

  wait4: syscall(61, 'process', 'wait4', { pid: int, status: intOut, options: waitOptions, usage: rusageOut }, restart),
  waitid: syscall(
    247,
    'process',
    'waitid',
    { type: idType, id: int, info: infoOut, options: waitOptions, usage: rusageOut },
    restart,
  ),

  kill: syscall(62, 'process', 'kill', { pid: int, signal }),
  tkill: syscall(200, 'process', 'tkill', { tid: int, signal }),
  tgkill: syscall(234, 'process', 'tgkill', { tgid: int, tid: int, signal }),
  rt_sigqueueinfo: syscall(129, 'process', 'sigqueue', { tgid: int, signal, info: infoIn }),
  rt_tgsigqueueinfo: syscall(297, 'process', 'tgsigqueue', { tgid: int, tid: int, signal, info: infoIn }),
  pidfd_send_signal: syscall(424, 'process', 'pidfdSignal', { fd, signal, info: infoIn, flags: uint }),
  rt_sigaction: syscall(13, 'process', 'sigaction', { signal, action: actionIn, old: actionOut, setSize: size }),
  rt_sigprocmask: syscall(14, 'process', 'sigprocmask', { how, set: setIn, old: setOut, setSize: size }),
  rt_sigpending: syscall(127, 'process', 'sigpending', { set: setOut, setSize: size }),
  rt_sigsuspend: syscall(130, 'process', 'sigsuspend', { set: setIn, setSize: size }, interrupt),
  rt_sigtimedwait: syscall(
    128,
    'process',
    'sigtimedwait',
    { set: setIn, info: infoOut, timeout: timespecIn, setSize: size },
    interrupt,
  ),
  pause: syscall(34, 'process', 'pause', {}, interrupt),

  setpgid: syscall(109, 'process', 'setpgid', { pid: int, pgid: int }),
  getpgid: syscall(121, 'process', 'getpgid', { pid: int }),
  getpgrp: syscall(111, 'process', 'getpgid', {}, { with: { pid: 0 } }),
  setsid: syscall(112, 'process', 'setsid', {}),
  getsid: syscall(124, 'process', 'getsid', { pid: int }),

  getuid: syscall(102, 'process', 'getuid', {}),
  geteuid: syscall(107, 'process', 'geteuid', {}),
  getgid: syscall(104, 'process', 'getgid', {}),
  getegid: syscall(108, 'process', 'getegid', {}),
  setuid: syscall(105, 'process', 'setuid', { uid: uint }),
  setgid: syscall(106, 'process', 'setgid', { gid: uint }),
  setreuid: syscall(113, 'process', 'setreuid', { ruid: uint, euid: uint }),
  setregid: syscall(114, 'process', 'setregid', { rgid: uint, egid: uint }),
  setresuid: syscall(117, 'process', 'setresuid', { ruid: uint, euid: uint, suid: uint }),
  setresgid: syscall(119, 'process', 'setresgid', { rgid: uint, egid: uint, sgid: uint }),
  getresuid: syscall(118, 'process', 'getresuid', { ruid: intOut, euid: intOut, suid: intOut }),
  getresgid: syscall(120, 'process', 'getresgid', { rgid: intOut, egid: intOut, sgid: intOut }),
  setfsuid: syscall(122, 'process', 'setfsuid', { uid: uint }),
  setfsgid: syscall(123, 'process', 'setfsgid', { gid: uint }),
  getgroups: syscall(115, 'process', 'getgroups', { count: int, list: idList('out', 0) }),
  setgroups: syscall(116, 'process', 'setgroups', { count: int, list: idList('in', 0) }),

  times: syscall(100, 'process', 'times', { buf: structOut('tms', TMS_BYTES) }),
  getrusage: syscall(98, 'process', 'getrusage', { who: usageOf, usage: rusageOut }),
  getrlimit: syscall(
    97,
    'process',
    'prlimit',
    { resource, old: rlimitOut },
    { with: { pid: 0, limit: null, needed: 2 } },
  ),
  setrlimit: syscall(
    160,
    'process',
    'prlimit',
    { resource, limit: rlimitIn },
    { with: { pid: 0, old: null, needed: 1 } },
  ),
  prlimit64: syscall(
    302,
    'process',
    'prlimit',
    { pid: int, resource, limit: rlimitIn, old: rlimitOut },
    { with: { needed: 0 } },
  ),
  getpriority: syscall(140, 'process', 'getpriority', { which: priority, who: int }),
  setpriority: syscall(141, 'process', 'setpriority', { which: priority, who: int, nice: int }),
  alarm: syscall(37, 'process', 'alarm', { seconds: uint }),
  setitimer: syscall(38, 'process', 'setitimer', { which: timer, value: itimerIn, old: itimerOut }),
  getitimer: syscall(36, 'process', 'getitimer', { which: timer, value: itimerOut }),
  timer_create: syscall(222, 'process', 'timerCreate', {
    clock,
    event: structIn('sigevent', 64),
    id: intOut,
  }),
  timer_settime: syscall(
    223,
    'process',
    'timerSettime',
    { id: int, flags: timerFlags, value: itimerspecIn, old: itimerspecOut },
    { partial: 'absolute timers on CLOCK_REALTIME do not follow clock_settime' },
  ),
  timer_gettime: syscall(224, 'process', 'timerGettime', { id: int, value: itimerspecOut }),
  timer_getoverrun: syscall(225, 'process', 'timerGetoverrun', { id: int }),
  timer_delete: syscall(226, 'process', 'timerDelete', { id: int }),
  nanosleep: syscall(35, 'process', 'nanosleep', { request: timespecIn, remain: timespecOut }, interrupt),
  clock_nanosleep: syscall(
    230,
    'process',
    'clockNanosleep',
    {
      clock,
      flags: timerFlags,
      request: timespecIn,
      remain: timespecOut,
    },
    interrupt,
  ),

  prctl: syscall(
    157,
    'process',
    'prctl',
    { option: prctlOption, buf: prctlPointer, arg3: raw64, arg4: raw64, arg5: raw64, value: prctlValue },
    { partial: 'options without an effect here are EINVAL' },
  ),
  capget: syscall(125, 'process', 'capget', { header: capHeader, data: capData }),
  capset: syscall(126, 'process', 'capset', { header: capHeader, data: capData }),
  personality: syscall(
    135,
    'process',
    'personality',
    { persona: uint },
    {
      partial: 'PER_LINUX and PER_LINUX32 only; uname says x86_64 under both',
    },
  ),
};
