/** Control data of messages: cmsg(3), unix(7) SCM_RIGHTS and SCM_CREDENTIALS. */
import { EBADF, EINVAL, EPERM, Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import {
  CMSGHDR_SIZE,
  MSG_CTRUNC,
  SCM_CREDENTIALS,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOL_SOCKET,
  UCRED_SIZE,
} from '../../../abi/socket.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { bindDescriptor, fileNumber } from '../files.ts';
import type { Vfs } from '../state.ts';
import type { Credentials } from './rows.ts';

const aligned = (length: number): number => (length + 7) & ~7;

/** What a message carries besides data. */
export interface Ancillary {
  readonly files: readonly number[];
  readonly credentials: Credentials | undefined;
}

export const NO_ANCILLARY: Ancillary = Object.freeze({ files: [], credentials: undefined });

/** Who may say to be whom: oneself with any of one's ids, root anybody. */
const checkCredentials = (vfs: Vfs, pid: number, view: DataView): Result<Credentials> => {
  const sender = vfs.kernel.process(pid);
  if (sender instanceof Errno) return sender;
  const claimed = { pid: view.getInt32(0, true), uid: view.getInt32(4, true), gid: view.getInt32(8, true) };
  const root = sender.euid === 0;
  if (claimed.uid === -1 || claimed.gid === -1) return EINVAL;
  if (!root && claimed.pid !== pid) return EPERM;
  if (!root && ![sender.uid, sender.euid, sender.suid].includes(claimed.uid)) return EPERM;
  if (!root && ![sender.gid, sender.egid, sender.sgid].includes(claimed.gid)) return EPERM;
  return claimed.pid !== pid && vfs.kernel.process(claimed.pid) instanceof Errno ? ESRCH : claimed;
};

/** Reads what a sender put into its control data. EINVAL, EBADF, EPERM. */
export const readControl = (vfs: Vfs, pid: number, bytes: Uint8Array): Result<Ancillary> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files: number[] = [];
  let credentials: Credentials | undefined;
  for (let at = 0; at + CMSGHDR_SIZE <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (view.getUint32(at + 4, true) !== 0 || length < CMSGHDR_SIZE || at + length > bytes.length) return EINVAL;
    const type = view.getInt32(at + 12, true);
    if (view.getInt32(at + 8, true) === SOL_SOCKET) {
      const data = at + CMSGHDR_SIZE;
      if (type === SCM_RIGHTS) {
        const count = (length - CMSGHDR_SIZE) >> 2;
        if (files.length + count > SCM_MAX_FD) return EINVAL;
        for (let i = 0; i < count; i++) {
          const number = fileNumber(vfs, pid, view.getInt32(data + i * 4, true));
          if (number instanceof Errno) return EBADF;
          files.push(number);
        }
      } else if (type === SCM_CREDENTIALS) {
        if (length !== CMSGHDR_SIZE + UCRED_SIZE) return EINVAL;
        const claimed = checkCredentials(vfs, pid, new DataView(bytes.buffer, bytes.byteOffset + data, UCRED_SIZE));
        if (claimed instanceof Errno) return claimed;
        credentials = claimed;
      } else return EINVAL;
    }
    at += aligned(length);
  }
  return { files, credentials };
};

/** Writes control data for a receiver, as much as its room takes. */
export class ControlWriter {
  /** Bytes used, and the message flags that follow (MSG_CTRUNC). */
  used = 0;
  flags = 0;
  readonly #vfs: Vfs;
  readonly #grant: Grant;
  readonly #offset: number;
  readonly #room: number;

  constructor(vfs: Vfs, grant: Grant, offset: number, room: number) {
    this.#vfs = vfs;
    this.#grant = grant;
    this.#offset = offset;
    this.#room = room;
  }

  credentials({ pid, uid, gid }: Credentials): void {
    this.#put(SCM_CREDENTIALS, new Uint8Array(Int32Array.of(pid, uid, gid).buffer));
  }

  /** Gives the receiver descriptors of files, each of which gains a holder. */
  rights(pid: number, files: readonly number[], closeOnExec: boolean): void {
    const room = this.#room - this.used;
    const most = room < CMSGHDR_SIZE ? 0 : Math.min(files.length, (room - CMSGHDR_SIZE) >> 2);
    const fds: number[] = [];
    for (const number of files.slice(0, most)) {
      const fd = bindDescriptor(this.#vfs, pid, number, 0, closeOnExec);
      if (fd instanceof Errno) break;
      this.#vfs.files.edit(number)!.holders++;
      fds.push(fd);
    }
    if (fds.length > 0) this.#put(SCM_RIGHTS, new Uint8Array(Int32Array.from(fds).buffer));
    if (fds.length < files.length) this.flags |= MSG_CTRUNC;
  }

  #put(type: number, data: Uint8Array): void {
    const room = this.#room - this.used;
    if (room < CMSGHDR_SIZE) {
      this.flags |= MSG_CTRUNC;
      return;
    }
    const length = CMSGHDR_SIZE + data.length;
    const taken = Math.min(length, room);
    if (taken < length) this.flags |= MSG_CTRUNC;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, taken, true);
    view.setInt32(8, SOL_SOCKET, true);
    view.setInt32(12, type, true);
    bytes.set(data, CMSGHDR_SIZE);
    this.#vfs.context.copyOut(this.#grant, this.#offset + this.used, bytes.subarray(0, taken));
    this.used += Math.min(aligned(length), room);
  }
}
