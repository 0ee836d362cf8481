/** epoll_create(2), epoll_ctl(2), epoll_wait(2), epoll_pwait(2), epoll_pwait2(2). The tables behind them: events/ready.ts. */
import {
  EBADF,
  EEXIST,
  EFAULT,
  EINTR,
  EINVAL,
  ELOOP,
  ENOENT,
  ENOSPC,
  EPERM,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_EVENT_BYTES,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLWAKEUP,
} from '../../../abi/events.ts';
import { O_CLOEXEC, O_RDWR } from '../../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../../../abi/poll.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { openAnonymous } from '../events/anonymous.ts';
import { collect, eventsOf } from '../events/epoll.ts';
import { addItem, dequeueItem, epollChannel, itemOf, markReady, removeItem } from '../events/ready.ts';
import { fileNumber } from '../files.ts';
import { fileIo } from '../io/operations.ts';
import { done } from '../outcome.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';
import { deadlineOf, expired, readTimeout } from './polling.ts';

type Reply = Outcome<{ readonly result: number }>;

const MILLISECOND = 1_000_000;
/** Interests in the whole system: /proc/sys/fs/epoll/max_user_watches. */
const ITEMS_MAX = 1 << 20;
/** How deep instances may watch each other. */
const NESTS_MAX = 4;
/** What may accompany EPOLLEXCLUSIVE: epoll_ctl(2). */
const EXCLUSIVE_BITS = EPOLLEXCLUSIVE | EPOLLET | EPOLLWAKEUP | POLLIN | POLLOUT | POLLERR | POLLHUP;

interface Named {
  readonly number: number;
  readonly file: Readonly<OpenFile>;
}

const named = (vfs: Vfs, pid: number, fd: number): Result<Named> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const file = vfs.files.get(number);
  return file === undefined || file.kind === 'path' ? EBADF : { number, file };
};

/** How many levels of instances lie below one; Infinity if `ep` is among them or there are too many. */
const depthBelow = (vfs: Vfs, epoll: number, ep: number, depth: number, known: Map<number, number>): number => {
  const before = known.get(epoll);
  if (before !== undefined) return before;
  let result = 0;
  for (const [number] of vfs.epollMembers.range(epoll)) {
    const { file } = vfs.epollItems.get(number)!;
    if (vfs.files.get(file)?.kind !== 'epoll') continue;
    if (file === ep || depth >= NESTS_MAX) return Infinity;
    result = Math.max(result, depthBelow(vfs, file, ep, depth + 1, known) + 1);
    if (result > NESTS_MAX) break;
  }
  known.set(epoll, result);
  return result;
};

const depthAbove = (vfs: Vfs, epoll: number, known: Map<number, number>): number => {
  const before = known.get(epoll);
  if (before !== undefined) return before;
  let result = 0;
  for (const [number] of vfs.epollSources.range(epoll))
    result = Math.max(result, depthAbove(vfs, vfs.epollItems.get(number)!.epoll, known) + 1);
  known.set(epoll, result);
  return result;
};

const add = (vfs: Vfs, pid: number, epoll: number, target: Named, fd: number, events: number, data: bigint): Reply => {
  if (vfs.epollItems.size >= ITEMS_MAX) return ENOSPC;
  const { channels } = fileIo[target.file.kind].poll(vfs, target.file, pid);
  const number = addItem(vfs, { epoll, file: target.number, fd, events, data, channels, ready: 0 });
  if (eventsOf(vfs, vfs.epollItems.get(number)!, pid) !== 0) markReady(vfs, number);
  return done;
};

const modify = (vfs: Vfs, pid: number, number: number, events: number, data: bigint): Reply => {
  const item = vfs.epollItems.edit(number)!;
  item.events = events;
  item.data = data;
  if (eventsOf(vfs, item, pid) !== 0) markReady(vfs, number);
  else if (item.ready !== 0) dequeueItem(vfs, number);
  return done;
};

const control = (
  vfs: Vfs,
  pid: number,
  request: { epfd: number; operation: number; fd: number; event: Grant | null },
): Reply => {
  const { operation, fd } = request;
  let events = 0;
  let data = 0n;
  if (operation !== EPOLL_CTL_DEL) {
    if (request.event === null) return EFAULT;
    const bytes = vfs.context.copyIn(request.event, 0, EPOLL_EVENT_BYTES);
    if (bytes instanceof Errno) return EFAULT;
    const view = new DataView(bytes.buffer, bytes.byteOffset, EPOLL_EVENT_BYTES);
    events = view.getInt32(0, true);
    data = view.getBigUint64(4, true);
  }
  const epoll = named(vfs, pid, request.epfd);
  if (epoll instanceof Errno) return epoll;
  const target = named(vfs, pid, fd);
  if (target instanceof Errno) return target;
  if (!fileIo[target.file.kind].watchable) return EPERM;
  if (target.number === epoll.number || epoll.file.kind !== 'epoll') return EINVAL;
  if (operation !== EPOLL_CTL_DEL && events & EPOLLEXCLUSIVE) {
    if (operation === EPOLL_CTL_MOD) return EINVAL;
    if (operation === EPOLL_CTL_ADD && (target.file.kind === 'epoll' || events & ~EXCLUSIVE_BITS)) return EINVAL;
  }
  if (operation === EPOLL_CTL_ADD && target.file.kind === 'epoll') {
    const below = depthBelow(vfs, target.number, epoll.number, 0, new Map());
    if (below + 1 + depthAbove(vfs, epoll.number, new Map()) > NESTS_MAX) return ELOOP;
  }
  const item = itemOf(vfs, epoll.number, target.number, fd);
  const wanted = events | POLLERR | POLLHUP;
  switch (operation) {
    case EPOLL_CTL_ADD:
      return item === undefined ? add(vfs, pid, epoll.number, target, fd, wanted, data) : EEXIST;
    case EPOLL_CTL_DEL:
      if (item === undefined) return ENOENT;
      removeItem(vfs, item);
      return done;
    case EPOLL_CTL_MOD:
      if (item === undefined) return ENOENT;
      return vfs.epollItems.get(item)!.events & EPOLLEXCLUSIVE ? EINVAL : modify(vfs, pid, item, wanted, data);
    default:
      return EINVAL;
  }
};

/** Reports what is ready; sleeps on the instance while nothing is. */
const waitFor = (
  vfs: Vfs,
  call: Delivery,
  request: { epfd: number; events: Grant | null; maximum: number },
  timeout: number | undefined,
): Reply => {
  const { pid } = call.caller;
  const epoll = named(vfs, pid, request.epfd);
  if (epoll instanceof Errno) return epoll;
  if (epoll.file.kind !== 'epoll') return EINVAL;
  const bytes = new Uint8Array(EPOLL_EVENT_BYTES);
  const view = new DataView(bytes.buffer);
  let count = 0;
  let failed = false;
  collect(vfs, epoll.number, pid, request.maximum, (events, data) => {
    view.setInt32(0, events, true);
    view.setBigUint64(4, data, true);
    const copied =
      request.events === null ? EFAULT : vfs.context.copyOut(request.events, count * EPOLL_EVENT_BYTES, bytes);
    failed = copied instanceof Errno || copied < EPOLL_EVENT_BYTES;
    if (!failed) count++;
    return !failed;
  });
  if (count > 0) return { result: count };
  if (failed) return EFAULT;
  const deadline = deadlineOf(call, timeout);
  if (expired(vfs, call, deadline)) return { result: 0 };
  if (call.reason === 'cancelled') return EINTR;
  return wait([epollChannel(epoll.number)], { deadline, state: (timeout ?? -1) + 1 });
};

export const epoll = (vfs: Vfs): CallsOf<'epollCreate' | 'epollControl' | 'epollWait' | 'epollWait2'> => ({
  epollCreate: ({ size, flags }, call) => {
    if (size <= 0 || flags & ~O_CLOEXEC) return EINVAL;
    const made = openAnonymous(vfs, call.caller.pid, 'epoll', O_RDWR, flags);
    return made instanceof Errno ? made : { result: made.fd };
  },

  epollControl: (request, call) => control(vfs, call.caller.pid, request),

  epollWait: (request, call) =>
    waitFor(vfs, call, request, request.timeout < 0 ? undefined : request.timeout * MILLISECOND),

  epollWait2: (request, call) => {
    // The time that was asked for is the sleeping call's state: its memory may change meanwhile.
    const asked =
      call.reason === 'first' ? readTimeout(vfs, request.timeout, 1) : call.state === 0 ? undefined : call.state - 1;
    return asked instanceof Errno ? asked : waitFor(vfs, call, request, asked);
  },
});
