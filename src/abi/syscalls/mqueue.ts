/** System calls of POSIX message queues, which the VFS answers (ipc/protocols/sockets.ts). */
import { bufferIn, bufferOut, fd, flags, octal, path, size, structIn, structOut, uint } from '../arguments.ts';
import { openFlagNames } from '../fcntl.ts';
import { MQ_ATTR_SIZE, SIGEVENT_SIZE } from '../mqueue.ts';
import { syscall } from '../syscall.ts';

const attributes = structIn('mq_attr', MQ_ATTR_SIZE);
const timeout = structIn('timespec', 16);

export const mqueueSyscalls = {
  mq_open: syscall(240, 'vfs', 'mqOpen', {
    name: path,
    flags: flags('open flags', openFlagNames),
    mode: octal,
    attributes,
  }),
  mq_unlink: syscall(241, 'vfs', 'mqUnlink', { name: path }),
  mq_timedsend: syscall(242, 'vfs', 'mqSend', { fd, buf: bufferIn(2), length: size, priority: uint, timeout }),
  mq_timedreceive: syscall(243, 'vfs', 'mqReceive', {
    fd,
    buf: bufferOut(2),
    length: size,
    priority: structOut('unsigned int*', 4),
    timeout,
  }),
  mq_notify: syscall(
    244,
    'vfs',
    'mqNotify',
    { fd, event: structIn('sigevent', SIGEVENT_SIZE) },
    { partial: 'the signal carries no value; SIGEV_THREAD is refused' },
  ),
  mq_getsetattr: syscall(245, 'vfs', 'mqAttributes', {
    fd,
    wanted: attributes,
    old: structOut('mq_attr', MQ_ATTR_SIZE),
  }),
};
