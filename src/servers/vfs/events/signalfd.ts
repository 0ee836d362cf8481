/**
 * signalfd(2): reading pending signals from a descriptor. What is pending is the process manager's affair; the kernel keeps a copy
 * of it (`queue` of the view), tells the VFS when something comes (`signalsPending`), and has a signal that was read taken off
 * the queue after the transaction (`takeSignal`). Whose signals are meant: always those of who reads or polls.
 */
import { EAGAIN, EFAULT, EINVAL, Errno } from '../../../abi/errno.ts';
import { O_NONBLOCK } from '../../../abi/fcntl.ts';
import { POLLIN } from '../../../abi/poll.ts';
import {
  has,
  infoCode,
  SI_USER,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGIO,
  SIGSEGV,
  SIGTRAP,
} from '../../../abi/signals.ts';
import type { PendingSignal } from '../../../ipc/kernel-calls.ts';
import { wait } from '../../../ipc/server.ts';
import type { FileIo } from '../io/operations.ts';
import type { Vfs } from '../state.ts';

export const SIGNALFD_INFO_BYTES = 128;
export const signalsChannel = (pid: number): string => `signals:${pid}`;

const FAULTS = [SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP];
const SI_TIMER = -2;
const SI_SIGIO = -5;
const SI_KERNEL = 0x80;

/**
 *     struct signalfd_siginfo   0 signo  4 errno  8 code  12 pid  16 uid  20 fd  24 tid  28 band  32 overrun  36 trapno
 *                               40 status  44 int  48 ptr (8)  56 utime (8)  64 stime (8)  72 addr (8)
 */
const encode = (signal: number, info: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(SIGNALFD_INFO_BYTES);
  const to = new DataView(bytes.buffer);
  const from = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const word = (target: number, source: number): void => to.setInt32(target, from.getInt32(source, true), true);
  const long = (target: number, source: number): void => to.setBigInt64(target, from.getBigInt64(source, true), true);
  const code = infoCode(info);
  to.setInt32(0, signal, true);
  word(4, 4);
  word(8, 8);
  const fromKernel = code > SI_USER && code < SI_KERNEL;
  if (code === SI_TIMER) {
    word(24, 16);
    word(32, 20);
    word(44, 24);
    long(48, 24);
  } else if (code === SI_SIGIO || (fromKernel && signal === SIGIO)) {
    word(28, 16);
    word(20, 24);
  } else if (fromKernel && FAULTS.includes(signal)) long(72, 16);
  else {
    word(12, 16);
    word(16, 20);
    if (fromKernel && signal === SIGCHLD) {
      word(40, 24);
      long(56, 32);
      long(64, 40);
    } else if (code < 0) {
      word(44, 24);
      long(48, 24);
    }
  }
  return bytes;
};

/** The signals of the set that wait for the thread or its process: its own first, then by number, the oldest first. */
const pendingOf = (vfs: Vfs, pid: number, tid: number, set: bigint): PendingSignal[] => {
  vfs.kernel.watchSignals(pid);
  const view = vfs.kernel.process(pid);
  if (view instanceof Errno) return [];
  const found = view.queue.filter((queued) => has(set, queued.signal) && (queued.tid === 0 || queued.tid === tid));
  if (found.length < 2) return found;
  const shared = (queued: PendingSignal): number => (queued.tid === 0 ? 1 : 0);
  return found.sort((a, b) => shared(a) - shared(b) || a.signal - b.signal);
};

export const signalfdIo: FileIo = {
  seekable: 'still',
  watchable: true,

  read: (vfs, { file, number, call, buf }) => {
    const { pid, tid } = call.caller;
    const room = Math.floor(buf.length / SIGNALFD_INFO_BYTES);
    if (room === 0) return EINVAL;
    const pending = pendingOf(vfs, pid, tid, vfs.signalSets.get(number)!.set);
    if (pending.length === 0) return file.flags & O_NONBLOCK ? EAGAIN : wait([signalsChannel(pid)]);
    let done = 0;
    for (const queued of pending.slice(0, room)) {
      const copied = vfs.context.copyOut(buf, done, encode(queued.signal, queued.info));
      vfs.kernel.takeSignal(pid, queued);
      if (copied instanceof Errno || copied < SIGNALFD_INFO_BYTES) return done > 0 ? done : EFAULT;
      done += SIGNALFD_INFO_BYTES;
    }
    return done;
  },

  write: () => EINVAL,

  // The signals of other threads are theirs to take, but a poller is not known by its thread: any will do to look.
  poll: (vfs, file, pid) => {
    const { set } = vfs.signalSets.get(file.target)!;
    return { events: pendingOf(vfs, pid, pid, set).length > 0 ? POLLIN : 0, channels: [signalsChannel(pid)] };
  },

  close: (vfs, _file, number) => {
    vfs.signalSets.delete(number);
  },
};
