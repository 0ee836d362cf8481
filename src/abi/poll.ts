/** Event bits of poll(2) and the layout of `struct pollfd`: fd i32 @0, events i16 @4, revents i16 @6. */
export const POLLIN = 0x001;
export const POLLPRI = 0x002;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;
export const POLLRDNORM = 0x040;
export const POLLRDBAND = 0x080;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLRDHUP = 0x2000;

export const POLLFD_SIZE = 8;
/** Number of descriptors in an fd_set. */
export const FD_SETSIZE = 1024;
