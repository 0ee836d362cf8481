/**
 * Seals of files in memory: fcntl(2), "File sealing". Only what memfd_create made has any; other files of a tmpfs answer that they
 * are sealed against sealing, which asks nothing of anybody.
 */
import { EBUSY, EINVAL, EPERM, Errno, type Result } from '../../abi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
} from '../../abi/fcntl.ts';
import { isRegular } from '../../abi/stat.ts';
import { canWrite } from './files.ts';
import { fileSystemOf, objectOf } from './mounts.ts';
import type { OpenFile } from './rows.ts';
import type { Vfs } from './state.ts';

const ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;
/** No byte may be written by a call. */
export const UNWRITABLE = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
const PAGE = 4096;

/** The seals that are in force. */
export const sealsOf = (vfs: Vfs, object: number): number =>
  vfs.seals.size === 0 ? 0 : (vfs.seals.get(object)?.seals ?? 0);

/** F_GET_SEALS. EINVAL for what is not in memory. */
export const getSeals = (vfs: Vfs, file: Readonly<OpenFile>): Result<number> => {
  if (file.kind !== 'regular' || fileSystemOf(vfs, file.mount).type !== 'tmpfs') return EINVAL;
  return vfs.seals.get(objectOf(vfs, file))?.seals ?? F_SEAL_SEAL;
};

/** F_ADD_SEALS. */
export const addSeals = (vfs: Vfs, file: Readonly<OpenFile>, wanted: number): Result<number> => {
  if (!canWrite(file)) return EPERM;
  if (wanted & ~ALL) return EINVAL;
  const present = getSeals(vfs, file);
  if (present instanceof Errno) return present;
  if (present & F_SEAL_SEAL) return EPERM;
  const object = objectOf(vfs, file);
  if (wanted & F_SEAL_WRITE && !(present & F_SEAL_WRITE) && vfs.objects.get(object)?.shared) return EBUSY;
  const attributes = fileSystemOf(vfs, file.mount).getattr(file.ino);
  if (attributes instanceof Errno) return attributes;
  // Nobody may exchange the code of a program whose permission to run is fixed.
  const code = wanted & F_SEAL_EXEC && isRegular(attributes.mode) && attributes.mode & 0o111;
  const all = code ? wanted | F_SEAL_SHRINK | F_SEAL_GROW | UNWRITABLE : wanted;
  vfs.seals.set(object, { seals: present | all });
  return 0;
};

/** How many of `length` bytes may be written at `start`: pages that would reach past the end of a file that may not grow stop it. */
export const writable = (vfs: Vfs, object: number, start: number, length: number, size: number): Result<number> => {
  const seals = sealsOf(vfs, object);
  if (seals === 0 || length === 0) return length;
  if (seals & UNWRITABLE) return EPERM;
  if (!(seals & F_SEAL_GROW) || start + length <= size) return length;
  const whole = Math.floor(size / PAGE) * PAGE - start;
  return whole > 0 ? whole : EPERM;
};

/** Whether a file may get another size. */
export const mayResize = (vfs: Vfs, object: number, from: number, to: number): Errno | undefined => {
  const seals = sealsOf(vfs, object);
  return (to < from && seals & F_SEAL_SHRINK) || (to > from && seals & F_SEAL_GROW) ? EPERM : undefined;
};
