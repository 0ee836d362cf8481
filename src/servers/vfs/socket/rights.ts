/**
 * Descriptors in messages, unix(7) SCM_RIGHTS. A file in a message is held by it like by a descriptor; when the message is
 * received or dropped, so is the hold.
 *
 * Sockets may travel in messages to themselves, or to each other in circles, and then hold each other although nobody can ever
 * receive them. So when a socket is closed while others are in flight, those that no descriptor leads to, by way of the
 * queues of sockets, lose their messages (`collect`).
 */
import { Errno, ETOOMANYREFS, type Result } from '../../../abi/errno.ts';
import { releaseFile } from '../files.ts';
import type { Vfs } from '../state.ts';
import { dropQueue } from './queue.ts';

const RLIMIT_NOFILE = 7;

/** Takes files into a message of `uid`. ETOOMANYREFS if that user has more in flight than the limit of open files. */
export const launchFiles = (vfs: Vfs, pid: number, uid: number, files: readonly number[]): Result<void> => {
  const view = vfs.kernel.process(pid);
  const user = vfs.inFlightUsers.get(uid)?.count ?? 0;
  if (!(view instanceof Errno) && view.euid !== 0 && user > (view.limits[RLIMIT_NOFILE]?.[0] ?? Infinity))
    return ETOOMANYREFS;
  vfs.inFlightUsers.set(uid, { count: user + files.length });
  for (const number of files) {
    vfs.files.edit(number)!.holders++;
    vfs.inFlight.set(number, { count: (vfs.inFlight.get(number)?.count ?? 0) + 1 });
  }
  return undefined;
};

/** Files leave a message: `drop` lets go of them; else whoever took them holds them now. */
export const landFiles = (vfs: Vfs, files: readonly number[], uid: number, drop: boolean): void => {
  const user = (vfs.inFlightUsers.get(uid)?.count ?? 0) - files.length;
  if (user > 0) vfs.inFlightUsers.set(uid, { count: user });
  else vfs.inFlightUsers.delete(uid);
  for (const number of files) {
    const count = (vfs.inFlight.get(number)?.count ?? 0) - 1;
    if (count > 0) vfs.inFlight.set(number, { count });
    else vfs.inFlight.delete(number);
  }
  if (drop) releaseAll(vfs, files);
};

/** Lets go of files one after the other: a file's end may bring that of others, however deep the chain is. */
export const releaseAll = (vfs: Vfs, files: readonly number[]): void => {
  const { dying } = vfs;
  dying.push(...files);
  if (dying.length > files.length) return;
  for (let at = 0; at < dying.length; at++) releaseFile(vfs, dying[at]);
  dying.length = 0;
};

/** The files in the queues of a socket and of the connections that wait at it. */
const filesAt = (vfs: Vfs, socket: number, found: number[]): void => {
  const row = vfs.sockets.get(socket);
  if (row === undefined) return;
  if (row.packets > 0) for (const [, packet] of vfs.packets.range(socket)) found.push(...packet.files);
  for (const connection of row.pending) filesAt(vfs, connection, found);
};

/** Up to so many files in flight are looked through at every close; more only after as many closes as make it worth the time. */
const FEW = 256;

/** A socket was closed: looks for what nobody can receive any more, so that looking costs no more than the closing did. */
export const collectSoon = (vfs: Vfs): void => {
  vfs.closesSinceCollection++;
  if (vfs.inFlight.size > FEW && vfs.closesSinceCollection * 16 < vfs.inFlight.size) return;
  vfs.closesSinceCollection = 0;
  collect(vfs);
};

/** Empties the queues of sockets that only messages hold, and that no descriptor leads to. */
export const collect = (vfs: Vfs): void => {
  const suspects: number[] = [];
  for (const [number, { count }] of vfs.inFlight.entries()) {
    const file = vfs.files.get(number);
    if (file?.kind === 'socket' && file.holders === count) suspects.push(number);
  }
  if (suspects.length === 0) return;
  const doubtful = new Set(suspects);
  const toLook: number[] = [];
  // A connection that waits to be accepted belongs to its listener, and is looked at with it.
  for (const [number, row] of vfs.sockets.entries())
    if (row.file !== 0 && (row.packets > 0 || row.pending.length > 0) && !doubtful.has(row.file))
      filesAt(vfs, number, toLook);
  while (toLook.length > 0) {
    const number = toLook.pop()!;
    if (!doubtful.delete(number)) continue;
    filesAt(vfs, vfs.files.get(number)!.target, toLook);
  }
  for (const number of doubtful) {
    const file = vfs.files.get(number);
    if (file !== undefined) dropQueue(vfs, file.target);
  }
};
