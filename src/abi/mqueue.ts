/**
 * POSIX message queues, mq_overview(7): limits as Linux has them by default (/proc/sys/fs/mqueue), and
 *
 *     struct mq_attr (64)   0 flags   8 maxmsg   16 msgsize   24 curmsgs, each 8 bytes
 *     struct sigevent (64)  0 value(8)   8 signo   12 notify
 */
export const MQ_ATTR_SIZE = 64;
export const SIGEVENT_SIZE = 64;
export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const MQ_PRIO_MAX = 32_768;
export const MSG_DEFAULT = 10;
export const MSGSIZE_DEFAULT = 8192;
export const MSG_HARD_MAX = 65_536;
export const MSGSIZE_HARD_MAX = 16 << 20;
export const QUEUES_MAX = 256;
