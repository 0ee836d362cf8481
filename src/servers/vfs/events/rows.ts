/** Rows of what is made for events: eventfd counters, timers, what epoll instances watch. Keys of the first two: open files. */

export interface EventCounter {
  /** 0 … 2^64 − 2. */
  count: bigint;
  readonly semaphore: boolean;
}

/** A timer descriptor: timerfd_create(2). Times are nanoseconds; `at` counts on the timer's own clock. */
export interface Timer {
  readonly clock: number;
  /** When it is due next; undefined: it is not armed. */
  at: number | undefined;
  interval: number;
  /** Due times that were passed when it was last looked at and have not been read. */
  ticks: number;
  /** TFD_TIMER_CANCEL_ON_SET with an absolute time of day. */
  cancelOnSet: boolean;
  cancelled: boolean;
  /** Its key among the alarms, 0 if it has none. */
  alarm: number;
}

/** One interest of an epoll instance. */
export interface EpollItem {
  /** Open file numbers of the instance and of what it watches, and the descriptor under which it was added. */
  readonly epoll: number;
  readonly file: number;
  readonly fd: number;
  /** As given, with EPOLLERR and EPOLLHUP; after EPOLLONESHOT has reported, only the flags. */
  events: number;
  data: bigint;
  readonly channels: readonly string[];
  /** Its key in the list of those that may be ready, 0 if it is not in it. */
  ready: number;
}

export interface Watchers {
  /** Numbers of epoll items, in the order in which they were added. */
  readonly items: readonly number[];
}

/** An inotify instance, by open file. */
export interface Inotify {
  /** The real user it counts against. */
  readonly uid: number;
  /** Watch descriptor given last. */
  lastWatch: number;
  /** Bytes that reading all of the queue takes. */
  bytes: number;
}

/** A watch: partition of its table is the instance, key the watch descriptor. */
export interface Watch {
  readonly object: number;
  /** Events and flags. */
  mask: number;
}

/** Who watches an inode, by object number. */
export interface Marks {
  readonly watches: readonly { readonly instance: number; readonly watch: number }[];
}

/** An event in the queue of an instance. */
export interface Notice {
  readonly watch: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string;
}
