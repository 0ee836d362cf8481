/**
 * Constants and layouts of <sys/epoll.h>, <sys/eventfd.h>, <sys/timerfd.h>.
 *
 *     struct epoll_event (packed, 12 bytes)   0 events u32   4 data u64
 */
export const EFD_SEMAPHORE = 1;

export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

/** POLLRDHUP: the peer of a stream has shut its writing down. */
export const EPOLLRDHUP = 0x2000;
export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;

export const EPOLL_EVENT_BYTES = 12;
/** The most events that one epoll_wait may ask for: their bytes fit an int. */
export const EPOLL_MAX_EVENTS = Math.floor(0x7fff_ffff / EPOLL_EVENT_BYTES);

export const TFD_TIMER_ABSTIME = 1;
export const TFD_TIMER_CANCEL_ON_SET = 2;
export const ITIMERSPEC_BYTES = 32;
