/** A message queue's descriptor: its state reads as a line, and it polls. mq_overview(7). */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import type { FileIo } from '../io/operations.ts';
import type { Vfs } from '../state.ts';

export const queueChannel = (queue: number): string => `mq:${queue}`;

/** Nobody is told any more. */
export const stopNotifying = (vfs: Vfs, queue: number): void => {
  const row = vfs.mqueues.edit(queue)!;
  row.notifyPid = 0;
  row.notifyFile = 0;
  row.notifySignal = 0;
};

export const mqueueIo: FileIo = {
  seekable: true,
  watchable: true,

  read: (vfs, { file, number, buf }, at) => {
    const { bytes, notifyPid, notifySignal } = vfs.mqueues.get(file.target)!;
    const pad = (value: number, width: number): string => String(value).padEnd(width);
    const line = `QSIZE:${pad(bytes, 10)} NOTIFY:${pad(0, 5)} SIGNO:${pad(notifySignal, 5)} NOTIFY_PID:${pad(notifyPid, 6)}\n`;
    const start = at ?? file.position;
    const part = Uint8Array.from(line.slice(start, start + buf.length), (char) => char.charCodeAt(0));
    if (part.length === 0) return 0;
    const copied = vfs.context.copyOut(buf, 0, part);
    if (copied instanceof Errno) return copied;
    if (at === undefined) vfs.files.edit(number)!.position = start + copied;
    return copied;
  },

  write: () => EINVAL,

  poll: (vfs, file) => {
    const { count, maxMessages } = vfs.mqueues.get(file.target)!;
    const events = (count > 0 ? POLLIN | POLLRDNORM : 0) | (count < maxMessages ? POLLOUT | POLLWRNORM : 0);
    return { events, channels: [queueChannel(file.target)] };
  },

  close: (vfs, file, number) => {
    if (vfs.mqueues.get(file.target)?.notifyFile === number) stopNotifying(vfs, file.target);
  },
};
