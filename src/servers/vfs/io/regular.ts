/**
 * Reading and writing regular files: read(2), write(2). A transfer goes through the scratch buffer in pieces; EFAULT only if
 * nothing was transferred. Pages that are mapped elsewhere are pulled before a read and dropped after a write.
 */
import { CAP_FSETID, capabilityBit } from '../../../abi/credentials.ts';
import { EFBIG, Errno, type Result } from '../../../abi/errno.ts';
import { O_APPEND, O_NOATIME, RWF_APPEND } from '../../../abi/fcntl.ts';
import { MS_NOATIME, MS_RDONLY } from '../../../abi/mount.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../../abi/poll.ts';
import { S_ISGID, S_ISUID } from '../../../abi/stat.ts';
import type { FileSystem } from '../../../fs/contract.ts';
import type { Outcome } from '../../../ipc/server.ts';
import { copyInSome } from '../copy-in.ts';
import { fileSystemOf, objectOf } from '../mounts.ts';
import type { OpenFile } from '../rows.ts';
import { writable } from '../seals.ts';
import type { Vfs } from '../state.ts';
import type { FileIo, Transfer } from './operations.ts';

const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
const DAY = 86400;
const RLIMIT_FSIZE = 1;
const SIGXFSZ = 25;

/** relatime, mount(8): atime moves only if it lies before mtime or ctime, or is a day old (looked at on reads from the start). */
export const markRead = (vfs: Vfs, file: Readonly<OpenFile>, fs: FileSystem, offset: number): void => {
  if (file.flags & O_NOATIME || vfs.mounts.get(file.mount)!.flags & (MS_NOATIME | MS_RDONLY)) return;
  const attributes = fs.getattr(file.ino);
  if (attributes instanceof Errno) return;
  const { atime, mtime, ctime } = attributes;
  const stale =
    atime.seconds < mtime.seconds ||
    atime.seconds < ctime.seconds ||
    (atime.seconds === mtime.seconds && atime.nanoseconds <= mtime.nanoseconds) ||
    (atime.seconds === ctime.seconds && atime.nanoseconds <= ctime.nanoseconds);
  if (!stale && offset !== 0) return;
  const now = vfs.now();
  const same = now.seconds === atime.seconds && now.nanoseconds === atime.nanoseconds;
  if (stale ? !same : now.seconds - atime.seconds >= DAY) fs.touch(file.ino, now);
};

/** Writing takes set-user-id away, and set-group-id where the group may execute; root's writes do not (inode(7)). */
export const dropPrivileges = (vfs: Vfs, pid: number, fs: FileSystem, ino: number): void => {
  const attributes = fs.getattr(ino);
  if (attributes instanceof Errno || (attributes.mode & (S_ISUID | S_ISGID)) === 0 || pid === 0) return;
  const view = vfs.kernel.process(pid);
  if (!(view instanceof Errno) && (view.capabilities.effective & capabilityBit(CAP_FSETID)) !== 0n) return;
  const drop = S_ISUID | (attributes.mode & 0o010 ? S_ISGID : 0);
  if (attributes.mode & drop) fs.setattr(ino, { mode: attributes.mode & 0o7777 & ~drop });
};

/** How many of `length` bytes at `offset` RLIMIT_FSIZE permits; EFBIG with SIGXFSZ if none. */
export const withinLimit = (vfs: Vfs, pid: number, offset: number, length: number): Result<number> => {
  if (pid === 0 || length === 0) return length;
  const view = vfs.kernel.process(pid);
  const limit = view instanceof Errno ? Infinity : (view.limits[RLIMIT_FSIZE]?.[0] ?? Infinity);
  if (offset + length <= limit) return length;
  if (offset >= limit) {
    vfs.kernel.raiseSignal(pid, SIGXFSZ, true);
    return EFBIG;
  }
  return limit - offset;
};

const read = (vfs: Vfs, { file, number, buf }: Transfer, at: number | undefined): Outcome<number> => {
  const fs = fileSystemOf(vfs, file.mount);
  const start = at ?? file.position;
  if (vfs.objects.size > 0) {
    const object = objectOf(vfs, file);
    if (vfs.objects.get(object)?.shared) {
      const pulled = vfs.kernel.pullPages(object, start, buf.length);
      if (pulled instanceof Errno) return pulled;
    }
  }
  let done = 0;
  while (done < buf.length) {
    const wanted = Math.min(buf.length - done, vfs.scratch.length);
    const into = vfs.scratch.subarray(0, wanted);
    const count = fs.read(file.ino, start + done, into);
    if (count instanceof Errno) return done > 0 ? done : count;
    if (count === 0) break;
    const copied = vfs.context.copyOut(buf, done, count === wanted ? into : into.subarray(0, count));
    if (copied instanceof Errno) {
      if (done === 0) return copied;
      break;
    }
    done += copied;
    if (copied < count || count < wanted) break;
  }
  if (done > 0) {
    if (at === undefined) vfs.files.edit(number)!.position = start + done;
    markRead(vfs, file, fs, start);
  }
  return done;
};

const write = (vfs: Vfs, { file, number, call, buf, flags }: Transfer, at: number | undefined): Outcome<number> => {
  const fs = fileSystemOf(vfs, file.mount);
  const { pid } = call.caller;
  let start = at ?? file.position;
  if (file.flags & O_APPEND || flags & RWF_APPEND) {
    const attributes = fs.getattr(file.ino);
    if (attributes instanceof Errno) return attributes;
    start = attributes.size;
  }
  if (buf.length === 0) return 0;
  if (start + buf.length > MAX_OFFSET) return EFBIG;
  let length = withinLimit(vfs, pid, start, buf.length);
  if (length instanceof Errno) return length;
  if (vfs.seals.size > 0) {
    const attributes = fs.getattr(file.ino);
    if (attributes instanceof Errno) return attributes;
    length = writable(vfs, objectOf(vfs, file), start, length, attributes.size);
    if (length instanceof Errno) return length;
  }
  dropPrivileges(vfs, pid, fs, file.ino);
  const object = vfs.objects.size > 0 ? objectOf(vfs, file) : 0;
  const mapped = object !== 0 && vfs.objects.has(object);
  let done = 0;
  let failure: Errno | undefined;
  while (done < length) {
    const wanted = Math.min(length - done, vfs.scratch.length);
    const bytes = copyInSome(vfs, buf, done, wanted);
    if (bytes instanceof Errno) {
      failure = bytes;
      break;
    }
    const written = fs.write(file.ino, start + done, bytes);
    if (written instanceof Errno) {
      failure = written;
      break;
    }
    done += written;
    if (written < wanted) break;
  }
  if (done === 0) return failure ?? 0;
  if (mapped) vfs.kernel.invalidatePages(object, start, done);
  if (at === undefined) vfs.files.edit(number)!.position = start + done;
  return done;
};

const always = { events: POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, channels: [] };

export const regularIo: FileIo = { seekable: true, watchable: false, read, write, poll: () => always };
