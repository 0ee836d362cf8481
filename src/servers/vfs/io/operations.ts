/**
 * What each kind of open file does when it is read, written, polled or given up. Handlers of calls/ have checked the descriptor
 * and its access mode; `at` is an explicit offset (pread), undefined means the file position, which the operation advances.
 *
 * The contract of polling (poll, select and epoll all rest on it):
 *  - `poll` says which POLL* bits hold now, whatever was asked for, and names the channels of the description;
 *  - those channels are the same as long as the description lives (signalfd: for a process);
 *  - whoever makes a bit come to hold calls `vfs.wake(channel, bits)`, or `vfs.edge(channel, bits)` if it held already and
 *    more has come (an edge-triggered epoll reports that once more).
 */
import type { Grant } from '../../../ipc/fields.ts';
import type { Delivery, Outcome } from '../../../ipc/server.ts';
import { epollIo } from '../events/epoll.ts';
import { eventfdIo } from '../events/eventfd.ts';
import { inotifyIo } from '../events/inotify.ts';
import { pidfdIo } from '../events/pidfd.ts';
import { signalfdIo } from '../events/signalfd.ts';
import { timerfdIo } from '../events/timerfd.ts';
import { mqueueIo } from '../mqueue/mqueue-io.ts';
import type { FileKind, OpenFile } from '../rows.ts';
import { socketIo } from '../socket/socket-io.ts';
import type { Vfs } from '../state.ts';
import { masterIo } from '../terminal/master.ts';
import { terminalIo } from '../terminal/terminal-io.ts';
import { fullDevice, nullDevice, randomDevice, zeroDevice } from './devices.ts';
import { directoryIo } from './directory.ts';
import { pathIo } from './path-only.ts';
import { pipeIo } from './pipe-io.ts';
import { regularIo } from './regular.ts';

export interface Transfer {
  readonly file: Readonly<OpenFile>;
  /** Number of the open file. */
  readonly number: number;
  readonly call: Delivery;
  readonly buf: Grant;
  /** Extra flags of preadv2/pwritev2 (RWF_*). */
  readonly flags: number;
}

export interface Readiness {
  /** POLL* bits that hold now. */
  readonly events: number;
  /** Channels that are woken when they may have changed; none if they never do. */
  readonly channels: readonly string[];
}

export interface FileIo {
  /** Whether there is a position: ESPIPE for lseek and pread if not; `still`: for pread only, lseek answers 0. */
  readonly seekable: boolean | 'still';
  read(vfs: Vfs, transfer: Transfer, at: number | undefined): Outcome<number>;
  write(vfs: Vfs, transfer: Transfer, at: number | undefined): Outcome<number>;
  /** `pid` is who asks. */
  poll(vfs: Vfs, file: Readonly<OpenFile>, pid: number): Readiness;
  /** Whether epoll takes it: EPERM if not. */
  readonly watchable: boolean;
  /** The last descriptor is gone; the description has been taken out already, its inode is still held. */
  close?(vfs: Vfs, file: Readonly<OpenFile>, number: number): void;
}

export const fileIo: Readonly<Record<FileKind, FileIo>> = {
  regular: regularIo,
  directory: directoryIo,
  pipe: pipeIo,
  null: nullDevice,
  zero: zeroDevice,
  full: fullDevice,
  random: randomDevice,
  terminal: terminalIo,
  master: masterIo,
  socket: socketIo,
  mqueue: mqueueIo,
  path: pathIo,
  eventfd: eventfdIo,
  epoll: epollIo,
  timerfd: timerfdIo,
  signalfd: signalfdIo,
  pidfd: pidfdIo,
  inotify: inotifyIo,
};
