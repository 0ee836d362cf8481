/**
 * Sockets: families, types, flags, options, and the layouts of addresses and messages (x86-64).
 *
 *     struct msghdr (56)   0 name   8 namelen u32   16 iov   24 iovlen   32 control   40 controllen u64   48 flags u32
 *     struct mmsghdr (64)  the same, and 56 len u32
 *     struct cmsghdr (16)  0 len u64   8 level   12 type   then data, each padded to 8
 *     struct sockaddr_un   0 family u16   2 path[108]
 *     struct sockaddr_in   0 family u16   2 port (big-endian)   4 address   8 zeros to 16
 *     struct sockaddr_in6  0 family u16   2 port   4 flow   8 address[16]   24 scope
 */
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;

export const MSG_OOB = 0x1;
export const MSG_PEEK = 0x2;
export const MSG_DONTROUTE = 0x4;
export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_CMSG_CLOEXEC = 0x4000_0000;

export const messageFlagNames: Readonly<Record<string, number>> = {
  MSG_OOB,
  MSG_PEEK,
  MSG_DONTROUTE,
  MSG_TRUNC,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_WAITALL,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_MORE,
  MSG_WAITFORONE,
  MSG_CMSG_CLOEXEC,
};

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

export const SOL_SOCKET = 1;
export const SO_DEBUG = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_DONTROUTE = 5;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_PRIORITY = 12;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_RCVLOWAT = 18;
export const SO_SNDLOWAT = 19;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;
export const SO_ACCEPTCONN = 30;
export const SO_PEERSEC = 31;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_PEEK_OFF = 42;
export const SO_PEERGROUPS = 59;
export const SO_RCVTIMEO_NEW = 66;
export const SO_SNDTIMEO_NEW = 67;

export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
/** Descriptors in one message. */
export const SCM_MAX_FD = 253;

export const MSGHDR_SIZE = 56;
export const MMSGHDR_SIZE = 64;
export const CMSGHDR_SIZE = 16;
export const UCRED_SIZE = 12;
/** sizeof(struct sockaddr_storage): no address is longer. */
export const ADDRESS_MAX = 128;
/** sizeof(struct sockaddr_un). */
export const SOCKADDR_UN_SIZE = 110;
/** Longest queue of connections that listen(2) gives (net.core.somaxconn). */
export const SOMAXCONN = 4096;
/** Messages and segments in one call. */
export const UIO_MAXIOV = 1024;
