/** chmod(2), chown(2), utimensat(2) and their relatives. */
import { CAP_CHOWN, CAP_FSETID } from '../../../abi/credentials.ts';
import { EACCES, EFAULT, EINVAL, EOPNOTSUPP, EPERM, EROFS, Errno, type Result } from '../../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, F_SEAL_EXEC, W_OK } from '../../../abi/fcntl.ts';
import { IN_ACCESS, IN_ATTRIB, IN_MODIFY } from '../../../abi/inotify.ts';
import { isDirectory, isSymlink, S_ISGID, S_ISUID, type Time, UTIME_NOW, UTIME_OMIT } from '../../../abi/stat.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Actor, actorOf } from '../actor.ts';
import { notifyPlace } from '../events/notify.ts';
import { usableFileOf } from '../files.ts';
import { fileSystemOf, isReadOnly, objectOf } from '../mounts.ts';
import { done } from '../outcome.ts';
import { capable, inGroup, owns, permits } from '../permission.ts';
import type { Place } from '../rows.ts';
import { sealsOf } from '../seals.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';
import { placeOf } from './stat.ts';

type Done = Errno | typeof done;

const PATH_FLAGS = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

/** A change that was made is told to who watches. */
const noted = (vfs: Vfs, place: Place, result: Result<void>, mask: number): Done => {
  if (result instanceof Errno) return result;
  notifyPlace(vfs, place, mask);
  return done;
};

const changeMode = (vfs: Vfs, actor: Actor, place: Place, mode: number): Done => {
  const fs = fileSystemOf(vfs, place.mount);
  const attributes = fs.getattr(place.ino);
  if (attributes instanceof Errno) return attributes;
  if (isReadOnly(vfs, place.mount)) return EROFS;
  if (isSymlink(attributes.mode)) return EOPNOTSUPP;
  if (!owns(actor, attributes)) return EPERM;
  let bits = mode & 0o7777;
  if ((bits ^ attributes.mode) & 0o111 && sealsOf(vfs, objectOf(vfs, place)) & F_SEAL_EXEC) return EPERM;
  // Nobody but root may give a file to a group that is not theirs: chmod(2).
  if (!inGroup(actor, attributes.gid) && !capable(actor, CAP_FSETID)) bits &= ~S_ISGID;
  return noted(vfs, place, fs.setattr(place.ino, { mode: bits }), IN_ATTRIB);
};

const changeOwner = (vfs: Vfs, actor: Actor, place: Place, uid: number, gid: number): Done => {
  const fs = fileSystemOf(vfs, place.mount);
  const attributes = fs.getattr(place.ino);
  if (attributes instanceof Errno) return attributes;
  if (isReadOnly(vfs, place.mount)) return EROFS;
  const newUid = uid === -1 ? attributes.uid : uid >>> 0;
  const newGid = gid === -1 ? attributes.gid : gid >>> 0;
  if (!capable(actor, CAP_CHOWN)) {
    if (uid !== -1 && (actor.uid !== attributes.uid || newUid !== attributes.uid)) return EPERM;
    if (gid !== -1 && (actor.uid !== attributes.uid || (newGid !== attributes.gid && !inGroup(actor, newGid))))
      return EPERM;
  }
  let { mode } = attributes;
  // Set-id bits do not survive a change of owner, also root's: chown(2).
  if (!isDirectory(mode)) mode &= ~(S_ISUID | (mode & 0o010 ? S_ISGID : 0));
  const change = { uid: newUid, gid: newGid, ...(mode === attributes.mode ? {} : { mode: mode & 0o7777 }) };
  return noted(vfs, place, fs.setattr(place.ino, change), IN_ATTRIB);
};

/** Times to set: undefined leaves one, 'now' takes the present. */
type Wish = Time | 'now' | undefined;

const readTimes = (vfs: Vfs, grant: Grant | null, form: number): Result<readonly [Wish, Wish]> => {
  if (grant === null) return ['now', 'now'];
  const bytes = vfs.context.copyIn(grant, 0, form === 0 ? 16 : 32);
  if (bytes instanceof Errno) return EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => Number(view.getBigInt64(at, true));
  if (form === 0)
    return [
      { seconds: word(0), nanoseconds: 0 },
      { seconds: word(8), nanoseconds: 0 },
    ];
  const one = (at: number): Result<Wish> => {
    const seconds = word(at);
    const fraction = word(at + 8);
    if (form === 2) {
      if (fraction === UTIME_NOW) return 'now';
      if (fraction === UTIME_OMIT) return undefined;
      return fraction < 0 || fraction > 999_999_999 ? EINVAL : { seconds, nanoseconds: fraction };
    }
    return fraction < 0 || fraction > 999_999 ? EINVAL : { seconds, nanoseconds: fraction * 1000 };
  };
  const atime = one(0);
  if (atime instanceof Errno) return atime;
  const mtime = one(16);
  return mtime instanceof Errno ? mtime : [atime, mtime];
};

const changeTimes = (vfs: Vfs, actor: Actor, place: Place, wishes: readonly [Wish, Wish]): Done => {
  const [atime, mtime] = wishes;
  const fs = fileSystemOf(vfs, place.mount);
  const attributes = fs.getattr(place.ino);
  if (attributes instanceof Errno) return attributes;
  if (isReadOnly(vfs, place.mount)) return EROFS;
  // Only "both now" is open to whoever may write; anything else needs the owner.
  if (!owns(actor, attributes)) {
    if (atime !== 'now' || mtime !== 'now') return EPERM;
    if (!permits(actor, attributes, W_OK)) return EACCES;
  }
  const now = vfs.now();
  const set = (wish: Wish): Time | undefined => (wish === 'now' ? now : wish);
  const mask = atime === undefined ? IN_MODIFY : mtime === undefined ? IN_ACCESS : IN_ATTRIB;
  return noted(vfs, place, fs.setattr(place.ino, { atime: set(atime), mtime: set(mtime) }), mask);
};

export const attributes = (vfs: Vfs): CallsOf<'chmod' | 'fchmod' | 'chown' | 'fchown' | 'setTimes'> => ({
  chmod: ({ dirfd, path, mode, flags }, call) => {
    if (flags & ~PATH_FLAGS) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = placeOf(vfs, actor, dirfd, path, flags);
    return place instanceof Errno ? place : changeMode(vfs, actor, place, mode);
  },

  fchmod: ({ fd, mode }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const file = usableFileOf(vfs, actor.pid, fd);
    return file instanceof Errno ? file : changeMode(vfs, actor, file, mode);
  },

  chown: ({ dirfd, path, uid, gid, flags }, call) => {
    if (flags & ~PATH_FLAGS) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const place = placeOf(vfs, actor, dirfd, path, flags);
    return place instanceof Errno ? place : changeOwner(vfs, actor, place, uid, gid);
  },

  fchown: ({ fd, uid, gid }, call) => {
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const file = usableFileOf(vfs, actor.pid, fd);
    return file instanceof Errno ? file : changeOwner(vfs, actor, file, uid, gid);
  },

  setTimes: ({ dirfd, path, times, flags, form }, call) => {
    if (flags & ~PATH_FLAGS) return EINVAL;
    const actor = actorOf(vfs, call.caller.pid);
    if (actor instanceof Errno) return actor;
    const wishes = readTimes(vfs, times, form);
    if (wishes instanceof Errno) return wishes;
    if (wishes[0] === undefined && wishes[1] === undefined) return done;
    if (path === undefined && dirfd === AT_FDCWD) return EFAULT;
    if (path === undefined && flags !== 0) return EINVAL;
    const place = path === undefined ? usableFileOf(vfs, actor.pid, dirfd) : placeOf(vfs, actor, dirfd, path, flags);
    return place instanceof Errno ? place : changeTimes(vfs, actor, place, wishes);
  },
});
