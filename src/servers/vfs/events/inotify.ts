/** inotify instances as open files: reading takes whole events off the queue (notify.ts fills it). */
import { EAGAIN, EBADF, EFAULT, EINVAL, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { INOTIFY_EVENT_BYTES, inotifyNameBytes } from '../../../abi/inotify.ts';
import { POLLIN, POLLRDNORM } from '../../../abi/poll.ts';
import { wait } from '../../../ipc/server.ts';
import type { FileIo } from '../io/operations.ts';
import { inotifyChannel, noticeBytes } from './notify.ts';
import type { Notice } from './rows.ts';

const encode = ({ watch, mask, cookie, name }: Readonly<Notice>): Uint8Array => {
  const length = inotifyNameBytes(name);
  const bytes = new Uint8Array(INOTIFY_EVENT_BYTES + length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, watch, true);
  view.setUint32(4, mask, true);
  view.setUint32(8, cookie, true);
  view.setUint32(12, length, true);
  for (let i = 0; i < name.length; i++) bytes[INOTIFY_EVENT_BYTES + i] = name.charCodeAt(i);
  return bytes;
};

export const inotifyIo: FileIo = {
  seekable: 'still',
  watchable: true,

  read: (vfs, { file, number, buf }) => {
    let done = 0;
    for (;;) {
      const next = vfs.notices.ceiling(number, 0);
      if (next === undefined) break;
      const [key, notice] = next;
      const length = noticeBytes(notice);
      if (done + length > buf.length) return done > 0 ? done : EINVAL;
      vfs.notices.delete(number, key);
      vfs.inotifies.edit(number)!.bytes -= length;
      const copied = vfs.context.copyOut(buf, done, encode(notice));
      if (copied instanceof Errno || copied < length) return EFAULT;
      done += length;
    }
    if (done > 0) return done;
    return file.flags & O_NONBLOCK ? EAGAIN : wait([inotifyChannel(number)]);
  },

  write: () => EBADF,

  poll: (vfs, file) => ({
    events: vfs.notices.count(file.target) > 0 ? POLLIN | POLLRDNORM : 0,
    channels: [inotifyChannel(file.target)],
  }),

  close: (vfs, _file, number) => {
    for (const [watch, { object }] of vfs.watches.range(number)) {
      vfs.watches.delete(number, watch);
      const left = vfs.marks.get(object)?.watches.filter((other) => other.instance !== number) ?? [];
      if (left.length === 0) vfs.marks.delete(object);
      else vfs.marks.set(object, { watches: left });
    }
    vfs.notices.clear(number);
    vfs.inotifies.delete(number);
  },
};
