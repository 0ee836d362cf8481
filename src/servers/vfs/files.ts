/**
 * Open file descriptions and descriptors. A descriptor lives in the kernel's table and names a description here; the
 * description counts the descriptors that name it and, with the last one, lets go of inode, pipe end, locks and terminal.
 *
 * The host (caller 0) has no descriptor table: its descriptors are the descriptions' numbers.
 */
import { EBADF, Errno, type Result } from '../../abi/errno.ts';
import { O_ACCMODE, O_RDONLY } from '../../abi/fcntl.ts';
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE } from '../../abi/inotify.ts';
import { forgetAsync } from './events/async.ts';
import { notifyFile } from './events/notify.ts';
import { unwatchFile } from './events/ready.ts';
import { hold, release } from './inodes.ts';
import { fileIo } from './io/operations.ts';
import { dropLease } from './leases.ts';
import { dropFileLocks, dropRecordLocks } from './lock-table.ts';
import { objectOf } from './mounts.ts';
import type { OpenFile } from './rows.ts';
import type { Vfs } from './state.ts';

export const canRead = (file: Readonly<OpenFile>): boolean => {
  const mode = file.flags & O_ACCMODE;
  return file.kind !== 'path' && (mode === O_RDONLY || mode === 2);
};

export const canWrite = (file: Readonly<OpenFile>): boolean => {
  const mode = file.flags & O_ACCMODE;
  return file.kind !== 'path' && (mode === 1 || mode === 2);
};

/** The number of the description that a descriptor names. EBADF. */
export const fileNumber = (vfs: Vfs, pid: number, fd: number): Result<number> => {
  if (pid === 0) return vfs.files.has(fd) ? fd : EBADF;
  const entry = vfs.kernel.fd(pid, fd);
  return entry instanceof Errno ? EBADF : entry.file;
};

/** The description that a descriptor names, O_PATH ones too. EBADF. */
export const openFileOf = (vfs: Vfs, pid: number, fd: number): Result<Readonly<OpenFile>> => {
  const number = fileNumber(vfs, pid, fd);
  return number instanceof Errno ? number : (vfs.files.get(number) ?? EBADF);
};

/** As `openFileOf`, but descriptors opened with O_PATH count as not open. */
export const usableFileOf = (vfs: Vfs, pid: number, fd: number): Result<Readonly<OpenFile>> => {
  const file = openFileOf(vfs, pid, fd);
  return file instanceof Errno || file.kind !== 'path' ? file : EBADF;
};

/** Binds the lowest free descriptor ≥ `minimum` to a description. EMFILE. */
export const bindDescriptor = (
  vfs: Vfs,
  pid: number,
  file: number,
  minimum: number,
  cloexec: boolean,
): Result<number> => (pid === 0 ? file : vfs.kernel.allocFd(pid, file, minimum, cloexec));

/** Takes back a descriptor that `bindDescriptor` gave, when what was to be opened could not be. */
export const unbindDescriptor = (vfs: Vfs, pid: number, fd: number): void => {
  if (pid !== 0) vfs.kernel.freeFd(pid, fd);
};

/** Enters a description under a number from `vfs.fileNumbers`; it holds its inode from now on. */
export const addFile = (vfs: Vfs, number: number, file: OpenFile): void => {
  vfs.files.set(number, file);
  const held = hold(vfs, file);
  if (canWrite(file)) held.writers++;
};

/** A descriptor that named the description is gone; with the last one the description goes. */
export const releaseFile = (vfs: Vfs, number: number): void => {
  const file = vfs.files.edit(number);
  if (file === undefined) return;
  file.holders--;
  if (file.holders > 0) return;
  vfs.files.delete(number);
  if (vfs.marks.size > 0) notifyFile(vfs, file, canWrite(file) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
  fileIo[file.kind].close?.(vfs, file, number);
  if (vfs.watchers.size > 0) unwatchFile(vfs, number);
  if (vfs.asyncFiles.size > 0) forgetAsync(vfs, number);
  const object = objectOf(vfs, file);
  if (vfs.locks.size > 0) dropFileLocks(vfs, object, number);
  if (vfs.leases.size > 0) dropLease(vfs, object, number);
  if (canWrite(file)) {
    const held = vfs.held.edit(object);
    if (held !== undefined) held.writers--;
  }
  release(vfs, file);
};

/** close(2): frees the descriptor, and with it the process's record locks on the file. EBADF. */
export const closeDescriptor = (vfs: Vfs, pid: number, fd: number): Result<void> => {
  const number = pid === 0 ? fileNumber(vfs, pid, fd) : vfs.kernel.freeFd(pid, fd);
  if (number instanceof Errno) return EBADF;
  if (vfs.locks.size > 0) {
    const file = vfs.files.get(number);
    if (file !== undefined) dropRecordLocks(vfs, objectOf(vfs, file), pid);
  }
  releaseFile(vfs, number);
  return undefined;
};
