/**
 * epoll instances as open files: epoll(7). What an instance watches and which of that may be ready lies in tables (ready.ts);
 * `collect` is epoll_wait's look at the ready list, `poll` that of whoever watches the instance itself.
 */
import { EINVAL } from '../../../abi/errno.ts';
import { EPOLLET, EPOLLEXCLUSIVE, EPOLLONESHOT, EPOLLWAKEUP } from '../../../abi/events.ts';
import { POLLIN, POLLRDNORM } from '../../../abi/poll.ts';
import { type FileIo, fileIo } from '../io/operations.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { dequeueItem, enqueueItem, epollChannel, removeItem } from './ready.ts';
import type { EpollItem } from './rows.ts';

/** Bits of an item that are no events. */
export const ITEM_FLAGS = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;

/** What holds now of what an item asks for. */
export const eventsOf = (vfs: Vfs, item: Readonly<EpollItem>, pid: number): number => {
  const file = vfs.files.get(item.file);
  if (file === undefined) return 0;
  return fileIo[file.kind].poll(vfs, file, pid).events & item.events & ~ITEM_FLAGS;
};

/**
 * Takes up to `maximum` reports off the ready list. Level-triggered items go back to its end, so that an instance with more than
 * fits serves all in turn; edge-triggered ones wait for the next wake; EPOLLONESHOT disarms.
 */
export const collect = (
  vfs: Vfs,
  epoll: number,
  pid: number,
  maximum: number,
  give: (events: number, data: bigint) => boolean,
): void => {
  const end = vfs.epollOrder.last;
  let given = 0;
  let next = vfs.epollReady.ceiling(epoll, 0);
  while (next !== undefined && next[0] <= end && given < maximum) {
    const [key, { item: number }] = next;
    const item = vfs.epollItems.get(number)!;
    const events = eventsOf(vfs, item, pid);
    if (events !== 0 && !give(events, item.data)) return;
    dequeueItem(vfs, number);
    if (events !== 0) {
      given++;
      if (item.events & EPOLLONESHOT) vfs.epollItems.edit(number)!.events &= ITEM_FLAGS;
      else if (!(item.events & EPOLLET)) enqueueItem(vfs, number);
    }
    next = vfs.epollReady.ceiling(epoll, key + 1);
  }
};

const hasReady = (vfs: Vfs, epoll: number, pid: number): boolean => {
  for (const [, { item }] of vfs.epollReady.range(epoll)) {
    if (eventsOf(vfs, vfs.epollItems.get(item)!, pid) !== 0) return true;
    dequeueItem(vfs, item);
  }
  return false;
};

export const epollIo: FileIo = {
  seekable: 'still',
  watchable: true,
  read: () => EINVAL,
  write: () => EINVAL,
  poll: (vfs: Vfs, file: Readonly<OpenFile>, pid) => ({
    events: hasReady(vfs, file.target, pid) ? POLLIN | POLLRDNORM : 0,
    channels: [epollChannel(file.target)],
  }),
  close: (vfs, _file, number) => {
    for (const [item] of vfs.epollMembers.range(number)) removeItem(vfs, item);
  },
};
