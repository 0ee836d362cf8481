/**
 * Names of AF_UNIX sockets, unix(7): in the file system, abstract (the first byte is NUL), or none. An address is kept as its
 * sockaddr bytes, one char a byte. `socketNames` says which socket a name belongs to: `a…` abstract, `p…` the object number of
 * the inode.
 */
import {
  EACCES,
  EADDRINUSE,
  ECONNREFUSED,
  EFAULT,
  EINVAL,
  ENOENT,
  EPROTOTYPE,
  Errno,
  type Result,
} from '../../../abi/errno.ts';
import { AT_FDCWD, W_OK } from '../../../abi/fcntl.ts';
import { ADDRESS_MAX, AF_UNIX, SOCKADDR_UN_SIZE } from '../../../abi/socket.ts';
import { S_IFMT, S_IFSOCK } from '../../../abi/stat.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { actorOf } from '../actor.ts';
import { hold } from '../inodes.ts';
import { fileSystemOf, objectOf } from '../mounts.ts';
import { createIn } from '../open.ts';
import { permits } from '../permission.ts';
import type { Vfs } from '../state.ts';
import { find, walk } from '../walk.ts';
import type { SocketRow } from './rows.ts';

const FAMILY = '\x01\0';

const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

export const toBytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** The bytes of an address that a call was given. EINVAL for an impossible length, EFAULT. */
export const readAddress = (vfs: Vfs, grant: Grant | null, length: number, offset = 0): Result<string> => {
  if (length < 0 || length > ADDRESS_MAX) return EINVAL;
  if (length === 0) return '';
  if (grant === null) return EFAULT;
  const bytes = vfs.context.copyIn(grant, offset, length);
  return bytes instanceof Errno ? bytes : latin1(bytes);
};

export const familyOf = (address: string): number =>
  address.length < 2 ? -1 : address.charCodeAt(0) | (address.charCodeAt(1) << 8);

/** Checks an address of the family and brings it into the form it is kept in: a path with just its NUL. EINVAL. */
export const normalize = (address: string): Result<string> => {
  if (address.length <= 2 || address.length > SOCKADDR_UN_SIZE || familyOf(address) !== AF_UNIX) return EINVAL;
  if (address[2] === '\0') return address;
  const end = address.indexOf('\0', 2);
  return `${end < 0 ? address : address.slice(0, end)}\0`;
};

/** The path in a normalized address; undefined for an abstract one. */
const pathIn = (address: string): string | undefined => (address[2] === '\0' ? undefined : address.slice(2, -1));

/** The socket that an address names. ECONNREFUSED if there is none, EPROTOTYPE if it is of another type, EACCES, ENOENT … */
export const socketAt = (vfs: Vfs, pid: number, address: string, type: number): Result<number> => {
  const path = pathIn(address);
  let key = `a${address}`;
  if (path !== undefined) {
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    const place = find(vfs, actor, AT_FDCWD, path, true);
    if (place instanceof Errno) return place;
    const attributes = fileSystemOf(vfs, place.mount).getattr(place.ino);
    if (attributes instanceof Errno) return attributes;
    if (!permits(actor, attributes, W_OK)) return EACCES;
    if ((attributes.mode & S_IFMT) !== S_IFSOCK) return ECONNREFUSED;
    key = `p${objectOf(vfs, place)}`;
  }
  const found = vfs.socketNames.get(key);
  if (found === undefined) return ECONNREFUSED;
  return vfs.sockets.get(found.socket)!.type === type ? found.socket : EPROTOTYPE;
};

const take = (vfs: Vfs, socket: number, row: SocketRow, address: string, key: string): void => {
  row.address = address;
  row.key = key;
  vfs.socketNames.set(key, { socket });
};

/** Gives the socket an abstract name that nobody has: five hexadecimal digits. */
export const autobind = (vfs: Vfs, socket: number): void => {
  const row = vfs.sockets.edit(socket)!;
  if (row.address !== '') return;
  for (;;) {
    const number = vfs.autobindNumbers.next() & 0xfffff;
    const address = `${FAMILY}\0${number.toString(16).padStart(5, '0')}`;
    if (vfs.socketNames.has(`a${address}`)) continue;
    take(vfs, socket, row, address, `a${address}`);
    return;
  }
};

/** bind(2): makes the inode of a path. EINVAL if it has a name already, EADDRINUSE. */
export const bindUnix = (vfs: Vfs, pid: number, socket: number, given: string): Result<void> => {
  if (given.length === 2 && familyOf(given) === AF_UNIX) {
    if (vfs.sockets.get(socket)!.address !== '') return undefined;
    autobind(vfs, socket);
    return undefined;
  }
  const address = normalize(given);
  if (address instanceof Errno) return address;
  const path = pathIn(address);
  if (path === undefined) {
    if (vfs.sockets.get(socket)!.address !== '') return EINVAL;
    if (vfs.socketNames.has(`a${address}`)) return EADDRINUSE;
    take(vfs, socket, vfs.sockets.edit(socket)!, address, `a${address}`);
    return undefined;
  }
  const actor = actorOf(vfs, pid);
  if (actor instanceof Errno) return actor;
  const found = walk(vfs, actor, AT_FDCWD, path, false);
  if (found instanceof Errno) return found;
  if (found.ino !== -1) return EADDRINUSE;
  if (found.slash) return ENOENT;
  if (vfs.sockets.get(socket)!.address !== '') return EINVAL;
  const mode = S_IFSOCK | (vfs.sockets.get(socket)!.mode & ~actor.process.umask);
  const ino = createIn(vfs, actor, found.parent, found.name, mode);
  if (ino instanceof Errno) return ino;
  const place = { mount: found.parent.mount, ino };
  hold(vfs, place);
  const row = vfs.sockets.edit(socket)!;
  row.boundObject = objectOf(vfs, place);
  take(vfs, socket, row, address, `p${row.boundObject}`);
  return undefined;
};

/** How an address is shown to programs: a socket without a name has its family only. */
export const shownAddress = (family: number, address: string): Uint8Array =>
  address === '' ? Uint8Array.of(family & 0xff, family >> 8) : toBytes(address);
