/**
 * Protocol of the process manager (PID 3), numbers 200–299.
 *
 * The first group is what the kernel itself sends when calls cross servers or events arrive; the rest answers system calls.
 */
import { bool, bytes, i32, i53, text, u64 } from '../fields.ts';
import { call, protocol } from '../protocol.ts';

export const processProtocol = protocol('process', 200, {
  fork: call(
    200,
    'Makes the child of fork, vfork or a forking clone: a PID and a control block copied from the parent. The kernel then asks the other servers.',
    { parent: i32, tid: i32, flags: u64, exitSignal: i32 },
    { child: i32 },
  ),
  forkFailed: call(201, 'Another server refused the fork: the child is undone without a trace.', { child: i32 }, {}),
  exec: call(202, 'Checks that the process may replace its image.', { pid: i32, tid: i32 }, {}),
  execCommit: call(
    203,
    'The image was replaced: caught signals go back to default, ids change for setuid programs, the vfork parent goes on.',
    { pid: i32, tid: i32, name: text, setuid: i32, setgid: i32 },
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
    { pid: i32, tid: i32, signal: i32, code: i32, address: i53 },
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
    'Makes a process for the host, a child of init, in a session of its own; the kernel then loads its program.',
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
  ping: call(289, 'Answers at once: measures a round trip.', { value: i32 }, { result: i32 }),
});
