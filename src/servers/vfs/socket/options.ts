/** getsockopt(2) and setsockopt(2): socket(7), unix(7). Options that would change nothing here are kept and given back. */
import {
  EDOM,
  EFAULT,
  EINVAL,
  ENODATA,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPERM,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import * as s from '../../../abi/socket.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { Vfs } from '../state.ts';
import { takeError } from './connect.ts';
import type { SocketRow } from './rows.ts';
import { wakeWriters } from './socket.ts';

/** net.core.wmem_max, rmem_max. */
const BUFFER_MAX = 4_194_304;
const SEND_MIN = 4608;
const RECEIVE_MIN = 2304;
const SECOND = 1_000_000_000;

/** Switches that are kept as 0 or 1, and numbers that are kept as they are. */
const switches: readonly number[] = [
  s.SO_DEBUG,
  s.SO_REUSEADDR,
  s.SO_DONTROUTE,
  s.SO_BROADCAST,
  s.SO_KEEPALIVE,
  s.SO_OOBINLINE,
];

const key = (level: number, name: number): number => level * 1000 + name;

const int = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

const timeval = (nanoseconds: number): Uint8Array => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.floor(nanoseconds / SECOND)), true);
  view.setBigInt64(8, BigInt(Math.floor((nanoseconds % SECOND) / 1000)), true);
  return bytes;
};

const parseTimeval = (bytes: Uint8Array): Result<number> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seconds = Number(view.getBigInt64(0, true));
  const microseconds = Number(view.getBigInt64(8, true));
  if (microseconds < 0 || microseconds >= 1_000_000) return EDOM;
  // A time before now counts as none to wait: as short as there is.
  return seconds < 0 ? 1 : Math.min(seconds * SECOND + microseconds * 1000, Number.MAX_SAFE_INTEGER / 4);
};

const credentials = ({ peerCredentials: { pid, uid, gid } }: Readonly<SocketRow>): Uint8Array =>
  new Uint8Array(Int32Array.of(pid, uid, gid).buffer);

/** The value of an option. */
export const getOption = (vfs: Vfs, socket: number, level: number, name: number): Result<Uint8Array> => {
  const row = vfs.sockets.get(socket)!;
  if (level !== s.SOL_SOCKET) return row.family === s.AF_UNIX ? EOPNOTSUPP : ENOPROTOOPT;
  if (switches.includes(name)) return int(row.options[key(level, name)] ?? 0);
  switch (name) {
    case s.SO_TYPE:
      return int(row.type);
    case s.SO_DOMAIN:
      return int(row.family);
    case s.SO_PROTOCOL:
      return int(row.protocol);
    case s.SO_ERROR:
      return int(takeError(vfs, socket)?.number ?? 0);
    case s.SO_ACCEPTCONN:
      return int(row.state === 'listening' ? 1 : 0);
    case s.SO_SNDBUF:
      return int(row.sendBuffer);
    case s.SO_RCVBUF:
      return int(row.receiveBuffer);
    case s.SO_RCVLOWAT:
      return int(row.lowWater);
    case s.SO_SNDLOWAT:
      return int(1);
    case s.SO_PRIORITY:
    case s.SO_REUSEPORT:
      return int(row.options[key(level, name)] ?? 0);
    case s.SO_PASSCRED:
      return int(row.passCredentials ? 1 : 0);
    case s.SO_PEERCRED:
      return credentials(row);
    case s.SO_PEERGROUPS:
      return ENODATA;
    case s.SO_RCVTIMEO:
    case s.SO_RCVTIMEO_NEW:
      return timeval(row.receiveTimeout);
    case s.SO_SNDTIMEO:
    case s.SO_SNDTIMEO_NEW:
      return timeval(row.sendTimeout);
    case s.SO_LINGER:
      return new Uint8Array(Int32Array.of(row.lingerOn, row.linger).buffer);
    case s.SO_PEEK_OFF:
      return int(row.peekOffset);
    default:
      return ENOPROTOOPT;
  }
};

const bytesOf = (vfs: Vfs, grant: Grant | null, length: number, size: number): Result<Uint8Array> => {
  if (length < size) return EINVAL;
  if (grant === null) return EFAULT;
  return vfs.context.copyIn(grant, 0, size);
};

export const setOption = (
  vfs: Vfs,
  pid: number,
  socket: number,
  level: number,
  name: number,
  grant: Grant | null,
  length: number,
): Result<void> => {
  const row = vfs.sockets.get(socket)!;
  if (level !== s.SOL_SOCKET) return row.family === s.AF_UNIX ? EOPNOTSUPP : ENOPROTOOPT;
  const bytes = bytesOf(vfs, grant, length, 4);
  if (bytes instanceof Errno) return bytes;
  const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
  const changed = vfs.sockets.edit(socket)!;
  if (switches.includes(name)) {
    changed.options = { ...changed.options, [key(level, name)]: value === 0 ? 0 : 1 };
    return undefined;
  }
  const root = ((): boolean => {
    const view = vfs.kernel.process(pid);
    return !(view instanceof Errno) && view.euid === 0;
  })();
  switch (name) {
    case s.SO_SNDBUF:
    case s.SO_SNDBUFFORCE: {
      if (name === s.SO_SNDBUFFORCE && !root) return EPERM;
      const wanted = name === s.SO_SNDBUF ? Math.min(value >>> 0, BUFFER_MAX) : Math.max(value, 0);
      changed.sendBuffer = Math.max(SEND_MIN, Math.min(wanted * 2, 0x7fff_ffff));
      wakeWriters(vfs, socket);
      return undefined;
    }
    case s.SO_RCVBUF:
    case s.SO_RCVBUFFORCE: {
      if (name === s.SO_RCVBUFFORCE && !root) return EPERM;
      const wanted = name === s.SO_RCVBUF ? Math.min(value >>> 0, BUFFER_MAX) : Math.max(value, 0);
      changed.receiveBuffer = Math.max(RECEIVE_MIN, Math.min(wanted * 2, 0x7fff_ffff));
      return undefined;
    }
    case s.SO_RCVLOWAT:
      changed.lowWater = value < 0 ? 0x7fff_ffff : Math.max(1, value);
      return undefined;
    case s.SO_PRIORITY:
      if (!root && (value < 0 || value > 6)) return EPERM;
      changed.options = { ...changed.options, [key(level, name)]: value };
      return undefined;
    case s.SO_PASSCRED:
      changed.passCredentials = value !== 0;
      return undefined;
    case s.SO_PEEK_OFF:
      changed.peekOffset = value;
      return undefined;
    case s.SO_LINGER: {
      const both = bytesOf(vfs, grant, length, 8);
      if (both instanceof Errno) return both;
      changed.lingerOn = value === 0 ? 0 : 1;
      if (value !== 0) changed.linger = new DataView(both.buffer, both.byteOffset, 8).getInt32(4, true);
      return undefined;
    }
    case s.SO_RCVTIMEO:
    case s.SO_RCVTIMEO_NEW:
    case s.SO_SNDTIMEO:
    case s.SO_SNDTIMEO_NEW: {
      const time = bytesOf(vfs, grant, length, 16);
      if (time instanceof Errno) return time;
      const nanoseconds = parseTimeval(time);
      if (nanoseconds instanceof Errno) return nanoseconds;
      if (name === s.SO_RCVTIMEO || name === s.SO_RCVTIMEO_NEW) changed.receiveTimeout = nanoseconds;
      else changed.sendTimeout = nanoseconds;
      return undefined;
    }
    case s.SO_REUSEPORT:
      if (row.family === s.AF_UNIX) return EOPNOTSUPP;
      changed.options = { ...changed.options, [key(level, name)]: value === 0 ? 0 : 1 };
      return undefined;
    default:
      return ENOPROTOOPT;
  }
};
