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

export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const SPLICE_F_MORE = 4;
export const SPLICE_F_GIFT = 8;

/** `struct open_how` of openat2(2): 0 flags u64, 8 mode u64, 16 resolve u64. */
export const OPEN_HOW_BYTES = 24;
export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 16;
export const RESOLVE_CACHED = 32;
