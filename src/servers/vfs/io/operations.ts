/**
 * What each kind of open file does when it is read, written or polled. Handlers of calls/ have checked the descriptor and its
 * access mode; `at` is an explicit offset (pread), undefined means the file position, which the operation advances.
 */
import type { Grant } from '../../../ipc/fields.ts';
import type { Delivery, Outcome } from '../../../ipc/server.ts';
import type { FileKind, OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
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
  /** Whether there is a position: ESPIPE for lseek and pread if not. */
  readonly seekable: boolean;
  read(vfs: Vfs, transfer: Transfer, at: number | undefined): Outcome<number>;
  write(vfs: Vfs, transfer: Transfer, at: number | undefined): Outcome<number>;
  poll(vfs: Vfs, file: Readonly<OpenFile>): Readiness;
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
  path: pathIo,
};
