/** POSIX message queues: mq_open(3), mq_unlink(3), mq_timedsend(3), mq_timedreceive(3), mq_notify(3), mq_getsetattr(2). */
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENAMETOOLONG,
  ENOENT,
  ENOSPC,
  Errno,
  ETIMEDOUT,
  type Result,
} from '../../../abi/errno.ts';
import { O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, R_OK, W_OK } from '../../../abi/fcntl.ts';
import * as q from '../../../abi/mqueue.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { type Actor, actorOf } from '../actor.ts';
import { bindDescriptor, canRead, canWrite, fileNumber } from '../files.ts';
import { forgetIfFree } from '../inodes.ts';
import { fileSystemOf } from '../mounts.ts';
import { queueChannel, stopNotifying } from '../mqueue/mqueue-io.ts';
import { MQUEUE_ROOT } from '../mqueue/mqueuefs.ts';
import type { MqueueRow } from '../mqueue/rows.ts';
import { enterFile } from '../open.ts';
import { done } from '../outcome.ts';
import { mayRemoveFrom, permits } from '../permission.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

const SECOND = 1_000_000_000;
/** Messages are keyed so that the first is the oldest of the highest priority. */
const PER_PRIORITY = 2 ** 36;

const keyOf = (priority: number, order: number): number => (q.MQ_PRIO_MAX - 1 - priority) * PER_PRIORITY + order;

/** The mount that holds the queues, wherever it can be seen. */
const queueMount = (vfs: Vfs): number => {
  for (const [mount, { superblock }] of vfs.mounts.entries())
    if (vfs.superblocks.get(superblock)!.type === 'mqueue') return mount;
  return -1;
};

const checkName = (name: string): Errno | undefined => {
  if (name === '') return ENOENT;
  if (name.includes('/') || name === '.' || name === '..') return EACCES;
  return name.length > 255 ? ENAMETOOLONG : undefined;
};

interface Attributes {
  readonly flags: number;
  readonly maxMessages: number;
  readonly messageSize: number;
}

const readAttributes = (vfs: Vfs, grant: Grant): Result<Attributes> => {
  const bytes = vfs.context.copyIn(grant, 0, q.MQ_ATTR_SIZE);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => Number(view.getBigInt64(at, true));
  return { flags: word(0), maxMessages: word(8), messageSize: word(16) };
};

const create = (vfs: Vfs, actor: Actor, name: string, mode: number, wanted: Attributes | undefined): Result<number> => {
  const maxMessages = wanted?.maxMessages ?? q.MSG_DEFAULT;
  const messageSize = wanted?.messageSize ?? q.MSGSIZE_DEFAULT;
  const root = actor.uid === 0;
  if (vfs.mqueues.size >= q.QUEUES_MAX && !root) return ENOSPC;
  if (maxMessages <= 0 || messageSize <= 0) return EINVAL;
  if (maxMessages > (root ? q.MSG_HARD_MAX : q.MSG_DEFAULT)) return EINVAL;
  if (messageSize > (root ? q.MSGSIZE_HARD_MAX : q.MSGSIZE_DEFAULT)) return EINVAL;
  const number = vfs.mqueueNumbers.next();
  const now = vfs.now();
  vfs.mqueues.set(number, {
    name,
    uid: actor.uid,
    gid: actor.gid,
    mode: mode & 0o7777 & ~actor.process.umask,
    maxMessages,
    messageSize,
    count: 0,
    bytes: 0,
    notifyPid: 0,
    notifyFile: 0,
    notifySignal: 0,
    atime: now,
    mtime: now,
    ctime: now,
  });
  vfs.mqueueNames.set(name, { queue: number });
  return number;
};

/** The open file of a queue's descriptor. EBADF for any other. */
const queueFile = (vfs: Vfs, pid: number, fd: number): Result<{ file: Readonly<OpenFile>; number: number }> => {
  const number = fileNumber(vfs, pid, fd);
  if (number instanceof Errno) return number;
  const file = vfs.files.get(number);
  return file?.kind === 'mqueue' ? { file, number } : EBADF;
};

/** An absolute time of day as nanoseconds from the call; undefined: for ever. */
const timeoutOf = (vfs: Vfs, grant: Grant | null): Result<number | undefined> => {
  if (grant === null) return undefined;
  const bytes = vfs.context.copyIn(grant, 0, 16);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const seconds = Number(view.getBigInt64(0, true));
  const nanoseconds = Number(view.getBigInt64(8, true));
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= SECOND) return EINVAL;
  const now = vfs.now();
  return Math.min((seconds - now.seconds) * SECOND + nanoseconds - now.nanoseconds, Number.MAX_SAFE_INTEGER / 4);
};

/** Sleeps until the queue changes; what a wait remembers is when it ends. */
const sleep = (vfs: Vfs, call: Delivery, file: Readonly<OpenFile>, timeout: Grant | null): Outcome<never> => {
  if (file.flags & O_NONBLOCK) return EAGAIN;
  const left = call.reason === 'first' ? timeoutOf(vfs, timeout) : undefined;
  if (left instanceof Errno) return left;
  const deadline = call.reason === 'first' ? (left === undefined ? 0 : vfs.context.now() + left) : call.state;
  if (deadline !== 0 && (call.reason === 'timeout' || vfs.context.now() >= deadline)) return ETIMEDOUT;
  return wait([queueChannel(file.target)], { deadline: deadline === 0 ? undefined : deadline, state: deadline });
};

/** A message came to an empty queue: who asked is told, once. */
const notify = (vfs: Vfs, queue: number, row: Readonly<MqueueRow>): void => {
  if (row.notifyPid === 0 || row.count !== 1) return;
  if (row.notifySignal !== 0) vfs.kernel.raiseSignal(row.notifyPid, row.notifySignal, true);
  stopNotifying(vfs, queue);
};

export const mqueues = (
  vfs: Vfs,
): CallsOf<'mqOpen' | 'mqUnlink' | 'mqSend' | 'mqReceive' | 'mqNotify' | 'mqAttributes'> => ({
  mqOpen: ({ name, flags, mode, attributes }, call) => {
    const { pid } = call.caller;
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    const wanted = attributes === null ? undefined : readAttributes(vfs, attributes);
    if (wanted instanceof Errno) return wanted;
    const refused = checkName(name);
    if (refused !== undefined) return refused;
    const access = flags & O_ACCMODE;
    if (access === 3) return EINVAL;
    let queue = vfs.mqueueNames.get(name)?.queue;
    if (queue !== undefined) {
      if (flags & O_CREAT && flags & O_EXCL) return EEXIST;
      const asked = access === 0 ? R_OK : access === 1 ? W_OK : R_OK | W_OK;
      if (!permits(actor, vfs.mqueues.get(queue)!, asked)) return EACCES;
    } else if ((flags & O_CREAT) === 0) return ENOENT;
    const number = vfs.fileNumbers.next();
    const fd = bindDescriptor(vfs, pid, number, 0, true);
    if (fd instanceof Errno) return fd;
    if (queue === undefined) {
      const made = create(vfs, actor, name, mode, wanted);
      if (made instanceof Errno) {
        vfs.kernel.freeFd(pid, fd);
        return made;
      }
      queue = made;
    }
    const place = { mount: queueMount(vfs), ino: queue + 1 };
    enterFile(vfs, number, place, 'mqueue', queue, flags & (O_ACCMODE | O_NONBLOCK), MQUEUE_ROOT, name);
    return { result: fd };
  },

  mqUnlink: ({ name }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const refused = checkName(name);
    if (refused !== undefined) return refused;
    const found = vfs.mqueueNames.get(name);
    if (found === undefined) return ENOENT;
    const mount = queueMount(vfs);
    const fs = fileSystemOf(vfs, mount);
    const directory = fs.getattr(MQUEUE_ROOT);
    if (directory instanceof Errno) return directory;
    if (!mayRemoveFrom(actor, directory, vfs.mqueues.get(found.queue)!)) return EACCES;
    const failed = fs.unlink(MQUEUE_ROOT, name);
    if (failed !== undefined) return failed;
    forgetIfFree(vfs, { mount, ino: found.queue + 1 });
    return done;
  },

  mqSend: ({ fd, buf, length, priority, timeout }, call) => {
    if (priority >= q.MQ_PRIO_MAX) return EINVAL;
    const checked = call.reason === 'first' ? timeoutOf(vfs, timeout) : undefined;
    if (checked instanceof Errno) return checked;
    const found = queueFile(vfs, call.caller.pid, fd);
    if (found instanceof Errno) return found;
    const { file } = found;
    if (!canWrite(file)) return EBADF;
    const row = vfs.mqueues.get(file.target)!;
    if (length > row.messageSize) return EMSGSIZE;
    if (buf === null) return EFAULT;
    const data = vfs.context.copyIn(buf, 0, length);
    if (data instanceof Errno) return data;
    if (row.count >= row.maxMessages) return sleep(vfs, call, file, timeout);
    vfs.mqueueMessages.set(file.target, keyOf(priority, vfs.mqueueOrder.next()), { data, priority });
    const changed = vfs.mqueues.edit(file.target)!;
    changed.count++;
    changed.bytes += length;
    vfs.wake(queueChannel(file.target), POLLIN | POLLRDNORM);
    notify(vfs, file.target, changed);
    return done;
  },

  mqReceive: ({ fd, buf, length, priority, timeout }, call) => {
    const checked = call.reason === 'first' ? timeoutOf(vfs, timeout) : undefined;
    if (checked instanceof Errno) return checked;
    const found = queueFile(vfs, call.caller.pid, fd);
    if (found instanceof Errno) return found;
    const { file } = found;
    if (!canRead(file)) return EBADF;
    const row = vfs.mqueues.get(file.target)!;
    if (length < row.messageSize) return EMSGSIZE;
    const first = vfs.mqueueMessages.ceiling(file.target, 0);
    if (first === undefined) return sleep(vfs, call, file, timeout);
    const [key, message] = first;
    vfs.mqueueMessages.delete(file.target, key);
    const changed = vfs.mqueues.edit(file.target)!;
    changed.count--;
    changed.bytes -= message.data.length;
    vfs.wake(queueChannel(file.target), POLLOUT | POLLWRNORM);
    if (buf === null) return EFAULT;
    if (message.data.length > 0) {
      const copied = vfs.context.copyOut(buf, 0, message.data);
      if (copied instanceof Errno || copied < message.data.length) return EFAULT;
    }
    if (priority !== null) {
      const told = vfs.context.copyOut(priority, 0, new Uint8Array(Uint32Array.of(message.priority).buffer));
      if (told instanceof Errno) return told;
    }
    return { result: message.data.length };
  },

  mqNotify: ({ fd, event }, call) => {
    const { pid } = call.caller;
    let signal = 0;
    if (event !== null) {
      const bytes = vfs.context.copyIn(event, 0, q.SIGEVENT_SIZE);
      if (bytes instanceof Errno) return bytes;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const kind = view.getInt32(12, true);
      if (kind !== q.SIGEV_SIGNAL && kind !== q.SIGEV_NONE) return EINVAL;
      if (kind === q.SIGEV_SIGNAL) {
        signal = view.getInt32(8, true);
        if (signal < 0 || signal > 64) return EINVAL;
      }
    }
    const found = queueFile(vfs, pid, fd);
    if (found instanceof Errno) return found;
    const { target } = found.file;
    const row = vfs.mqueues.get(target)!;
    if (event === null) {
      if (row.notifyPid === pid) stopNotifying(vfs, target);
      return done;
    }
    if (row.notifyPid !== 0) return EBUSY;
    const changed = vfs.mqueues.edit(target)!;
    changed.notifyPid = pid;
    changed.notifyFile = found.number;
    changed.notifySignal = signal;
    return done;
  },

  mqAttributes: ({ fd, wanted, old }, call) => {
    const asked = wanted === null ? undefined : readAttributes(vfs, wanted);
    if (asked instanceof Errno) return asked;
    if (asked !== undefined && asked.flags & ~O_NONBLOCK) return EINVAL;
    const found = queueFile(vfs, call.caller.pid, fd);
    if (found instanceof Errno) return found;
    const { file, number } = found;
    if (old !== null) {
      const row = vfs.mqueues.get(file.target)!;
      const bytes = new Uint8Array(q.MQ_ATTR_SIZE);
      const view = new DataView(bytes.buffer);
      for (const [at, value] of [file.flags & O_NONBLOCK, row.maxMessages, row.messageSize, row.count].entries())
        view.setBigInt64(at * 8, BigInt(value), true);
      const copied = vfs.context.copyOut(old, 0, bytes);
      if (copied instanceof Errno || copied < bytes.length) return EFAULT;
    }
    if (asked !== undefined) vfs.files.edit(number)!.flags = (file.flags & ~O_NONBLOCK) | (asked.flags & O_NONBLOCK);
    return done;
  },
});
