/**
 * poll(2), ppoll(2), select(2), pselect6(2): one question about many descriptors. Each open file says what holds now and which
 * channels tell of changes; a call that finds nothing sleeps on all of them.
 *
 * The temporary signal masks of ppoll and pselect are the process manager's affair; the kernel installs them round the call
 * (the message carries the mask so that the log shows it).
 */
import { EBADF, EFAULT, EINTR, EINVAL, Errno, type Result } from '../../../abi/errno.ts';
import {
  POLLERR,
  POLLFD_SIZE,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../../../abi/poll.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, Wait, wait } from '../../../ipc/server.ts';
import { openFileOf } from '../files.ts';
import { fileIo, type Readiness } from '../io/operations.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

type Reply = Outcome<{ readonly result: number }>;

const MILLISECOND = 1_000_000;
const SECOND = 1_000_000_000;
/** What select calls readable, writable, exceptional. */
const READABLE = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
const WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
const EXCEPTIONAL = POLLPRI;

const readiness = (vfs: Vfs, pid: number, fd: number): Readiness | undefined => {
  const file = openFileOf(vfs, pid, fd);
  return file instanceof Errno ? undefined : fileIo[file.kind].poll(vfs, file, pid);
};

/** Monotonic deadline of a call that was made `timeout` nanoseconds before it; undefined: none. */
export const deadlineOf = (call: Delivery, timeout: number | undefined): number | undefined =>
  timeout === undefined ? undefined : call.since + timeout;

export const expired = (vfs: Vfs, call: Delivery, deadline: number | undefined): boolean =>
  deadline !== undefined && (call.reason === 'timeout' || vfs.context.now() >= deadline);

/** Reads a timespec (`unit` 1) or timeval (`unit` 1000). Undefined for null: wait for ever. */
export const readTimeout = (vfs: Vfs, grant: Grant | null, unit: number): Result<number | undefined> => {
  if (grant === null) return undefined;
  const bytes = vfs.context.copyIn(grant, 0, 16);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const seconds = Number(view.getBigInt64(0, true));
  const fraction = Number(view.getBigInt64(8, true)) * unit;
  if (seconds < 0 || fraction < 0) return EINVAL;
  // select accepts a timeval of more than a second's microseconds; a timespec must be normal.
  if (unit === 1 && fraction >= SECOND) return EINVAL;
  return Math.min(Number.MAX_SAFE_INTEGER, seconds * SECOND + fraction);
};

/** Linux gives back what is left of the timeout; a bad address is ignored, as there. */
const writeTimeout = (vfs: Vfs, grant: Grant | null, unit: number, deadline: number | undefined): void => {
  if (grant === null || deadline === undefined) return;
  const left = Math.max(0, deadline - vfs.context.now());
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.floor(left / SECOND)), true);
  view.setBigInt64(8, BigInt(Math.floor((left % SECOND) / unit)), true);
  vfs.context.copyOut(grant, 0, bytes);
};

const pollFds = (vfs: Vfs, call: Delivery, fds: Grant | null, timeout: number | undefined): Reply => {
  const length = fds?.length ?? 0;
  const bytes = fds === null || length === 0 ? new Uint8Array(0) : vfs.context.copyIn(fds, 0, length);
  if (bytes instanceof Errno) return EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels: string[] = [];
  let count = 0;
  for (let at = 0; at + POLLFD_SIZE <= length; at += POLLFD_SIZE) {
    const fd = view.getInt32(at, true);
    const wanted = (view.getInt16(at + 4, true) & 0xffff) | POLLERR | POLLHUP | POLLNVAL;
    let events = 0;
    if (fd >= 0) {
      const ready = readiness(vfs, call.caller.pid, fd);
      events = ready === undefined ? POLLNVAL : ready.events & wanted;
      if (ready !== undefined) channels.push(...ready.channels);
    }
    view.setInt16(at + 6, events, true);
    if (events !== 0) count++;
  }
  const deadline = deadlineOf(call, timeout);
  if (count === 0 && !expired(vfs, call, deadline)) {
    if (call.reason === 'cancelled') return EINTR;
    return wait(channels, { deadline });
  }
  if (fds !== null && length > 0) {
    const copied = vfs.context.copyOut(fds, 0, bytes);
    if (copied instanceof Errno || copied < length) return EFAULT;
  }
  return { result: count };
};

interface Sets {
  readonly count: number;
  readonly readfds: Grant | null;
  readonly writefds: Grant | null;
  readonly exceptfds: Grant | null;
}

const isIn = (set: Uint8Array | undefined, fd: number): boolean =>
  set !== undefined && (set[fd >>> 3] & (1 << (fd & 7))) !== 0;

const selectFds = (vfs: Vfs, call: Delivery, sets: Sets, timeout: number | undefined): Reply => {
  if (sets.count < 0) return EINVAL;
  const grants = [sets.readfds, sets.writefds, sets.exceptfds];
  const wanted: (Uint8Array | undefined)[] = [];
  for (const grant of grants) {
    if (grant === null || grant.length === 0) wanted.push(undefined);
    else {
      const bytes = vfs.context.copyIn(grant, 0, grant.length);
      if (bytes instanceof Errno) return EFAULT;
      wanted.push(bytes);
    }
  }
  const found = wanted.map((set) => (set === undefined ? undefined : new Uint8Array(set.length)));
  const masks = [READABLE, WRITABLE, EXCEPTIONAL];
  const channels: string[] = [];
  let hits = 0;
  const last = Math.min(sets.count, 8 * Math.max(0, ...wanted.map((set) => set?.length ?? 0)));
  for (let fd = 0; fd < last; fd++) {
    if (!isIn(wanted[0], fd) && !isIn(wanted[1], fd) && !isIn(wanted[2], fd)) continue;
    const ready = readiness(vfs, call.caller.pid, fd);
    if (ready === undefined) return EBADF;
    channels.push(...ready.channels);
    for (let kind = 0; kind < 3; kind++) {
      if (!isIn(wanted[kind], fd) || (ready.events & masks[kind]) === 0) continue;
      found[kind]![fd >>> 3] |= 1 << (fd & 7);
      hits++;
    }
  }
  const deadline = deadlineOf(call, timeout);
  if (hits === 0 && !expired(vfs, call, deadline)) {
    if (call.reason === 'cancelled') return EINTR;
    return wait(channels, { deadline });
  }
  for (let kind = 0; kind < 3; kind++) {
    const grant = grants[kind];
    const set = found[kind];
    if (grant === null || set === undefined) continue;
    const copied = vfs.context.copyOut(grant, 0, set);
    if (copied instanceof Errno || copied < set.length) return EFAULT;
  }
  return { result: hits };
};

/** Runs a call with a timeout in guest memory, and gives back what is left of it. */
const timed = (
  vfs: Vfs,
  call: Delivery,
  grant: Grant | null,
  unit: number,
  run: (timeout: number | undefined) => Reply,
): Reply => {
  // The time that was asked for is the sleeping call's state: its memory may change meanwhile.
  const asked = call.reason === 'first' ? readTimeout(vfs, grant, unit) : call.state === 0 ? undefined : call.state - 1;
  if (asked instanceof Errno) return asked;
  const outcome = run(asked);
  if (outcome instanceof Wait) return wait(outcome.channels, { deadline: outcome.deadline, state: (asked ?? -1) + 1 });
  writeTimeout(vfs, grant, unit, deadlineOf(call, asked));
  return outcome;
};

export const polling = (vfs: Vfs): CallsOf<'poll' | 'ppoll' | 'select' | 'pselect'> => ({
  poll: ({ fds, timeout }, call) => pollFds(vfs, call, fds, timeout < 0 ? undefined : timeout * MILLISECOND),
  ppoll: ({ fds, timeout }, call) => timed(vfs, call, timeout, 1, (asked) => pollFds(vfs, call, fds, asked)),
  select: (sets, call) => timed(vfs, call, sets.timeout, 1000, (asked) => selectFds(vfs, call, sets, asked)),
  pselect: (sets, call) => timed(vfs, call, sets.timeout, 1, (asked) => selectFds(vfs, call, sets, asked)),
});
