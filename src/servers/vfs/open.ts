/**
 * Opening: open(2) from path to open file description, openat(2) flags, creation, truncation, devices and FIFOs.
 *
 * A descriptor is taken before anything is created or truncated, so that EMFILE leaves no trace. A FIFO whose peer is missing
 * counts as opened while its opener sleeps (`openings`), so that the peer finds it.
 */
import { CAP_FSETID, CAP_SYS_ADMIN } from '../../abi/credentials.ts';
import {
  EACCES,
  EBUSY,
  EEXIST,
  EINTR,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  Errno,
  ETXTBSY,
  type Result,
} from '../../abi/errno.ts';
import {
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  R_OK,
  W_OK,
  X_OK,
} from '../../abi/fcntl.ts';
import { IN_CREATE, IN_MODIFY, IN_OPEN } from '../../abi/inotify.ts';
import { MS_NODEV } from '../../abi/mount.ts';
import {
  isDirectory,
  isRegular,
  isSymlink,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
} from '../../abi/stat.ts';
import type { Attributes } from '../../fs/contract.ts';
import { type Delivery, type Outcome, Wait, wait } from '../../ipc/server.ts';
import { type Actor, actorOf } from './actor.ts';
import { deviceKind } from './device-numbers.ts';
import { notifyEntry, notifyFile, notifyPlace } from './events/notify.ts';
import { addFile, bindDescriptor, unbindDescriptor } from './files.ts';
import { hold, release } from './inodes.ts';
import { dropPrivileges } from './io/regular.ts';
import { breakLease } from './leases.ts';
import { fileSystemOf, isReadOnly, objectOf } from './mounts.ts';
import { ptyOptions } from './open-slave.ts';
import { capable, inGroup, owns, permits } from './permission.ts';
import { canReadPipe, canWritePipe } from './pipe/ends.ts';
import { closeEnd, makePipe, openChannel, openPipeEnd } from './pipe/pipe.ts';
import type { FileKind, OpenFile, Place } from './rows.ts';
import type { Vfs } from './state.ts';
import { takeTerminal } from './terminal/job-control.ts';

import { makePty, openSlave } from './terminal/pty.ts';
import { isPty } from './terminal/pty-row.ts';
import { terminalOf } from './terminal/row.ts';
import { type Found, find, type Restrictions, walk } from './walk.ts';

/** Flags that only matter while opening; the rest stays in the description (F_GETFL). */
const OPENING_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;

/** What an open mode asks of the inode's permissions. O_TRUNC needs write permission whatever the mode. */
const wantedAccess = (flags: number): number => {
  const mode = flags & O_ACCMODE;
  const access = mode === O_RDONLY ? R_OK : mode === O_WRONLY ? W_OK : R_OK | W_OK;
  return flags & O_TRUNC ? access | W_OK : access;
};

/** Owner and mode of something new in a directory: a set-group-id directory gives its group, and to directories the bit. */
export const inheritFrom = (
  actor: Actor,
  directory: Attributes,
  mode: number,
): { mode: number; uid: number; gid: number } => {
  const gid = directory.mode & S_ISGID ? directory.gid : actor.gid;
  if (directory.mode & S_ISGID && isDirectory(mode)) mode |= S_ISGID;
  // A set-group-id file for a foreign group may not be made by the back door.
  else if (!isDirectory(mode) && mode & S_ISGID && mode & 0o010 && !inGroup(actor, gid) && !capable(actor, CAP_FSETID))
    mode &= ~S_ISGID;
  return { mode, uid: actor.uid, gid };
};

/** Checks that a name may be added to a directory and makes the inode there. EACCES, EROFS, and what the file system says. */
export const createIn = (
  vfs: Vfs,
  actor: Actor,
  parent: Place,
  name: string,
  mode: number,
  rest: { rdev?: number; target?: string } = {},
): Result<number> => {
  const fs = fileSystemOf(vfs, parent.mount);
  const directory = fs.getattr(parent.ino);
  if (directory instanceof Errno) return directory;
  if (isReadOnly(vfs, parent.mount)) return EROFS;
  if (!permits(actor, directory, W_OK | X_OK)) return EACCES;
  if (directory.nlink === 0) return ENOENT;
  const ino = fs.create(parent.ino, name, { ...inheritFrom(actor, directory, mode), ...rest });
  if (!(ino instanceof Errno)) notifyEntry(vfs, parent, name, IN_CREATE, isDirectory(mode));
  return ino;
};

/** The kind of open file an inode gives, and the number of its pipe or terminal. */
const kindOf = (
  vfs: Vfs,
  actor: Actor,
  place: Place,
  attributes: Attributes,
): Result<{ kind: FileKind; target: number }> => {
  switch (attributes.mode & S_IFMT) {
    case S_IFREG:
      if (fileSystemOf(vfs, place.mount).type === 'mqueue') return { kind: 'mqueue', target: place.ino - 1 };
      return { kind: 'regular', target: 0 };
    case S_IFIFO: {
      const object = objectOf(vfs, place);
      const pipefs = fileSystemOf(vfs, place.mount).type === 'pipefs';
      return { kind: 'pipe', target: pipefs ? place.ino : (vfs.held.get(object)?.pipe ?? 0) };
    }
    case S_IFSOCK:
      return ENXIO;
    case S_IFCHR:
      return vfs.mounts.get(place.mount)!.flags & MS_NODEV ? EACCES : deviceKind(vfs, actor.pid, attributes.rdev);
    default:
      return isDirectory(attributes.mode) ? { kind: 'directory', target: 0 } : ENXIO;
  }
};

/** Checks of an existing inode against the flags, in the order in which Linux makes them. */
const checkExisting = (
  vfs: Vfs,
  actor: Actor,
  found: Found,
  attributes: Attributes,
  flags: number,
): Errno | undefined => {
  if (flags & O_CREAT && flags & O_EXCL) return EEXIST;
  const { mode } = attributes;
  if ((flags & O_DIRECTORY || found.slash) && !isDirectory(mode)) return ENOTDIR;
  if (isSymlink(mode)) return flags & O_PATH ? undefined : ELOOP;
  if (flags & O_PATH) return undefined;
  const access = wantedAccess(flags);
  if (isDirectory(mode) && (access & W_OK || flags & O_CREAT)) return EISDIR;
  if (access & W_OK && (isRegular(mode) || isDirectory(mode)) && isReadOnly(vfs, found.mount)) return EROFS;
  if (!permits(actor, attributes, access)) return EACCES;
  if (access & W_OK && vfs.objects.get(objectOf(vfs, found))?.executed) return ETXTBSY;
  if (flags & O_NOATIME && !owns(actor, attributes)) return EPERM;
  return undefined;
};

/** Enters the description and counts pipe ends. The descriptor has been bound to `number` already. */
export const enterFile = (
  vfs: Vfs,
  number: number,
  place: Place,
  kind: FileKind,
  target: number,
  flags: number,
  parent: number,
  name: string,
): void => {
  const file: OpenFile = {
    kind,
    mount: place.mount,
    ino: place.ino,
    flags: flags & ~OPENING_FLAGS,
    position: kind === 'terminal' ? terminalOf(vfs, target).hangups : 0,
    holders: 1,
    target,
    parent,
    name,
    owner: 0,
  };
  addFile(vfs, number, file);
  if (vfs.marks.size > 0) notifyFile(vfs, file, IN_OPEN);
  if (kind === 'terminal' && isPty(target)) openSlave(vfs, target);
};

/** A session leader without a controlling terminal gets the one it opens. */
export const adoptTerminal = (vfs: Vfs, pid: number, terminal: number, flags: number): void => {
  if (flags & O_NOCTTY || (flags & O_ACCMODE) === O_WRONLY || pid === 0) return;
  const view = vfs.kernel.process(pid);
  if (view instanceof Errno || view.sid !== pid || view.terminal !== 0) return;
  const row = vfs.terminals.get(terminal);
  if (row === undefined || row.session === 0) takeTerminal(vfs, terminal, view);
};

/** A FIFO's open: waits for the other end unless O_NONBLOCK; ENXIO for a writer that does not want to wait. */
const rendezvous = (vfs: Vfs, place: Place, flags: number, call: Delivery): Result<number> | Wait => {
  const held = hold(vfs, place);
  if (held.pipe === 0) held.pipe = makePipe(vfs, 0, 0);
  const number = held.pipe;
  const pipe = vfs.pipes.get(number)!;
  const reads = canReadPipe(flags);
  const writes = canWritePipe(flags);
  if (!reads && flags & O_NONBLOCK && pipe.readers === 0) {
    release(vfs, place);
    return ENXIO;
  }
  openPipeEnd(vfs, number, flags);
  const alone = reads && !writes ? pipe.writers === 0 : writes && !reads && pipe.readers === 0;
  if (!alone || flags & O_NONBLOCK) return number;
  vfs.openings.set(call.caller.tid, {
    pid: call.caller.pid,
    pipe: number,
    mount: place.mount,
    ino: place.ino,
    flags,
    peers: reads ? pipe.writerOpens : pipe.readerOpens,
  });
  return wait([openChannel(number)]);
};

/** Gives up an end that waits for its peer: the opener was interrupted or ended. */
export const abandonOpening = (vfs: Vfs, tid: number): void => {
  const opening = vfs.openings.get(tid);
  if (opening === undefined) return;
  vfs.openings.delete(tid);
  closeEnd(vfs, opening.pipe, opening.flags);
  release(vfs, opening);
};

/** Goes on with a FIFO's open that slept: undefined if the peer is still missing. */
const finishOpening = (vfs: Vfs, call: Delivery): Result<number> | Wait | undefined => {
  const opening = vfs.openings.get(call.caller.tid);
  if (opening === undefined) return undefined;
  const pipe = vfs.pipes.get(opening.pipe)!;
  const peers = canReadPipe(opening.flags) ? pipe.writerOpens : pipe.readerOpens;
  if (peers === opening.peers) {
    if (call.reason !== 'cancelled') return wait([openChannel(opening.pipe)]);
    abandonOpening(vfs, call.caller.tid);
    return EINTR;
  }
  vfs.openings.delete(call.caller.tid);
  return opening.pipe;
};

/** O_TMPFILE: a file without a name in the file system of a directory. */
const openUnnamed = (
  vfs: Vfs,
  actor: Actor,
  dirfd: number,
  path: string,
  flags: number,
  mode: number,
  how?: Restrictions,
): Result<number> => {
  if ((wantedAccess(flags) & W_OK) === 0) return EINVAL;
  const found = find(vfs, actor, dirfd, path, (flags & O_NOFOLLOW) === 0, how);
  if (found instanceof Errno) return found;
  const fs = fileSystemOf(vfs, found.mount);
  const directory = fs.getattr(found.ino);
  if (directory instanceof Errno) return directory;
  if (!isDirectory(directory.mode)) return ENOTDIR;
  if (isReadOnly(vfs, found.mount)) return EROFS;
  if (!permits(actor, directory, W_OK | X_OK)) return EACCES;
  if (fs.createUnnamed === undefined) return EOPNOTSUPP;
  const number = vfs.fileNumbers.next();
  const fd = bindDescriptor(vfs, actor.pid, number, 0, (flags & O_CLOEXEC) !== 0);
  if (fd instanceof Errno) return fd;
  const permissions = S_IFREG | (mode & 0o7777 & ~actor.process.umask);
  const ino = fs.createUnnamed(inheritFrom(actor, directory, permissions));
  if (ino instanceof Errno) {
    unbindDescriptor(vfs, actor.pid, fd);
    return ino;
  }
  const place = { mount: found.mount, ino };
  enterFile(vfs, number, place, 'regular', 0, flags, found.ino, `#${ino}`);
  if (!(flags & O_EXCL)) vfs.held.edit(objectOf(vfs, place))!.linkable = true;
  return fd;
};

/** open(2) from start to end: the descriptor, or why not. */
export const open = (
  vfs: Vfs,
  call: Delivery,
  dirfd: number,
  path: string,
  flags: number,
  mode: number,
  how?: Restrictions,
): Outcome<number> => {
  const { pid } = call.caller;
  const actor = actorOf(vfs, pid);
  if (actor instanceof Errno) return actor;
  if (flags & O_PATH) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  else flags |= O_LARGEFILE;
  // The bit alone, without O_DIRECTORY, is what old kernels would have ignored: refused.
  if (flags & O_TMPFILE & ~O_DIRECTORY)
    return (flags & (O_TMPFILE | O_CREAT)) === O_TMPFILE
      ? openUnnamed(vfs, actor, dirfd, path, flags, mode, how)
      : EINVAL;
  if (flags & O_CREAT && flags & O_DIRECTORY) return EINVAL;

  if (call.reason !== 'first' && vfs.openings.size > 0) {
    const resumed = vfs.openings.get(call.caller.tid);
    const pipe = finishOpening(vfs, call);
    if (pipe instanceof Errno || pipe instanceof Wait) return pipe;
    if (pipe !== undefined && resumed !== undefined) return bindFifo(vfs, pid, resumed, pipe, flags);
  }

  const follow = (flags & O_NOFOLLOW) === 0 && (flags & (O_CREAT | O_EXCL)) !== (O_CREAT | O_EXCL);
  const found = walk(vfs, actor, dirfd, path, follow, how);
  if (found instanceof Errno) return found;
  const number = vfs.fileNumbers.next();
  const cloexec = (flags & O_CLOEXEC) !== 0;

  if (flags & O_CREAT && found.slash) return EISDIR;
  if (found.ino === -1) {
    if (!(flags & O_CREAT)) return ENOENT;
    const fd = bindDescriptor(vfs, pid, number, 0, cloexec);
    if (fd instanceof Errno) return fd;
    const permissions = S_IFREG | (mode & 0o7777 & ~actor.process.umask);
    const ino = createIn(vfs, actor, found.parent, found.name, permissions);
    if (ino instanceof Errno) {
      unbindDescriptor(vfs, pid, fd);
      return ino;
    }
    enterFile(vfs, number, { mount: found.parent.mount, ino }, 'regular', 0, flags, found.parent.ino, found.name);
    return fd;
  }

  const fs = fileSystemOf(vfs, found.mount);
  const attributes = fs.getattr(found.ino);
  if (attributes instanceof Errno) return attributes;
  const refused = checkExisting(vfs, actor, found, attributes, flags);
  if (refused !== undefined) return refused;
  if (!(flags & O_PATH) && isRegular(attributes.mode)) {
    const blocked = breakLease(vfs, found, (wantedAccess(flags) & W_OK) !== 0, flags);
    if (blocked !== undefined) return blocked;
  }
  // The name is of use only where directory and inode lie in one mount.
  const parent = found.last === 'name' && found.parent.mount === found.mount ? found.parent.ino : 0;
  const isPath = (flags & O_PATH) !== 0;
  const what: Result<{ kind: FileKind; target: number }> = isPath
    ? { kind: 'path', target: 0 }
    : kindOf(vfs, actor, found, attributes);
  if (what instanceof Errno) return what;
  if (what.kind === 'pipe') {
    if (fs.type === 'pipefs') {
      const fd = bindDescriptor(vfs, pid, number, 0, cloexec);
      if (fd instanceof Errno) return fd;
      openPipeEnd(vfs, what.target, flags);
      enterFile(vfs, number, found, 'pipe', what.target, flags, 0, '');
      return fd;
    }
    const place = { mount: found.mount, ino: found.ino };
    const pipe = rendezvous(vfs, place, flags, call);
    if (pipe instanceof Errno || pipe instanceof Wait) return pipe;
    return bindFifo(vfs, pid, place, pipe, flags, parent, found.name);
  }
  const fd = bindDescriptor(vfs, pid, number, 0, cloexec);
  if (fd instanceof Errno) return fd;
  let { target } = what;
  if (what.kind === 'terminal') {
    if (vfs.terminals.get(target)?.exclusive && !capable(actor, CAP_SYS_ADMIN)) {
      unbindDescriptor(vfs, pid, fd);
      return EBUSY;
    }
    adoptTerminal(vfs, pid, target, flags);
  }
  if (what.kind === 'master') {
    const made = makePty(vfs, actor, ptyOptions(vfs, found.mount));
    if (made instanceof Errno) {
      unbindDescriptor(vfs, pid, fd);
      return made;
    }
    target = made;
  }
  if (flags & O_TRUNC && what.kind === 'regular' && attributes.size >= 0) {
    dropPrivileges(vfs, pid, fs, found.ino);
    const cut = fs.truncate(found.ino, 0);
    if (cut instanceof Errno) {
      unbindDescriptor(vfs, pid, fd);
      return cut;
    }
    const object = objectOf(vfs, found);
    if (vfs.objects.has(object)) vfs.kernel.invalidatePages(object, 0, attributes.size, true);
  }
  enterFile(vfs, number, found, what.kind, target, flags, parent, found.name);
  if (flags & O_TRUNC && what.kind === 'regular') notifyPlace(vfs, found, IN_MODIFY);
  return fd;
};

/** The FIFO's end is open and counted, its inode held: makes description and descriptor. */
const bindFifo = (
  vfs: Vfs,
  pid: number,
  place: Place,
  pipe: number,
  flags: number,
  parent = 0,
  name = '',
): Result<number> => {
  const number = vfs.fileNumbers.next();
  const fd = bindDescriptor(vfs, pid, number, 0, (flags & O_CLOEXEC) !== 0);
  if (fd instanceof Errno) closeEnd(vfs, pipe, flags);
  else enterFile(vfs, number, { mount: place.mount, ino: place.ino }, 'pipe', pipe, flags, parent, name);
  release(vfs, place);
  return fd;
};

/** Flags that a description made by other means (a pipe, a stream) may carry. */
export const STATUS_FLAGS = O_APPEND | O_NONBLOCK;
