/**
 * Who of epoll hears when something changes. Each epoll item stands in the list of every channel of the file that it watches;
 * `Vfs.wake` calls `notifyWatchers`, which puts the items into the ready lists of their instances and wakes those. So waiting
 * costs as much as there is to report, however many interests an instance has.
 *
 * An item in a ready list *may* have something to report: whoever looks polls the file and takes the item out if it has not.
 * Instances that watch instances hear through the channel `epoll:N`; calls/epoll.ts keeps them from forming circles.
 */
import { POLLIN, POLLRDNORM } from '../../../abi/poll.ts';
import type { Vfs } from '../state.ts';
import type { EpollItem } from './rows.ts';

export const epollChannel = (epoll: number): string => `epoll:${epoll}`;

const READY = POLLIN | POLLRDNORM;

export const markReady = (vfs: Vfs, number: number): void => {
  const item = vfs.epollItems.get(number)!;
  if (item.ready === 0) enqueueItem(vfs, number);
  vfs.wake(epollChannel(item.epoll), READY);
};

/** Puts an item, which is in no list, at the end of its instance's ready list. */
export const enqueueItem = (vfs: Vfs, number: number): void => {
  const item = vfs.epollItems.edit(number)!;
  item.ready = vfs.epollOrder.next();
  vfs.epollReady.set(item.epoll, item.ready, { item: number });
};

export const dequeueItem = (vfs: Vfs, number: number): void => {
  const item = vfs.epollItems.edit(number)!;
  if (item.ready !== 0) vfs.epollReady.delete(item.epoll, item.ready);
  item.ready = 0;
};

/** The channel was woken, and `events` may have come to hold. */
export const notifyWatchers = (vfs: Vfs, channel: string, events: number): void => {
  const watchers = vfs.watchers.get(channel);
  if (watchers === undefined) return;
  for (const number of watchers.items)
    if ((vfs.epollItems.get(number)!.events & events & 0xffff) !== 0) markReady(vfs, number);
};

const keyOf = (item: Pick<EpollItem, 'epoll' | 'file' | 'fd'>): string => `${item.epoll}:${item.file}:${item.fd}`;

export const itemOf = (vfs: Vfs, epoll: number, file: number, fd: number): number | undefined =>
  vfs.epollKeys.get(keyOf({ epoll, file, fd }))?.item;

/** Enters an interest. */
export const addItem = (vfs: Vfs, item: EpollItem): number => {
  const number = vfs.epollNumbers.next();
  vfs.epollItems.set(number, item);
  vfs.epollKeys.set(keyOf(item), { item: number });
  vfs.epollMembers.set(item.epoll, number, { item: number });
  vfs.epollSources.set(item.file, number, { item: number });
  for (const channel of new Set(item.channels))
    vfs.watchers.set(channel, { items: [...(vfs.watchers.get(channel)?.items ?? []), number] });
  return number;
};

export const removeItem = (vfs: Vfs, number: number): void => {
  const item = vfs.epollItems.get(number);
  if (item === undefined) return;
  for (const channel of new Set(item.channels)) {
    const items = vfs.watchers.get(channel)?.items.filter((other) => other !== number) ?? [];
    if (items.length === 0) vfs.watchers.delete(channel);
    else vfs.watchers.set(channel, { items });
  }
  if (item.ready !== 0) vfs.epollReady.delete(item.epoll, item.ready);
  vfs.epollMembers.delete(item.epoll, number);
  vfs.epollSources.delete(item.file, number);
  vfs.epollKeys.delete(keyOf(item));
  vfs.epollItems.delete(number);
};

/** An open file description is gone: no instance watches it any more. */
export const unwatchFile = (vfs: Vfs, file: number): void => {
  for (const [number] of vfs.epollSources.range(file)) removeItem(vfs, number);
};
