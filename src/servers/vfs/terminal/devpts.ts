/**
 * devpts: the nodes of pseudo-terminals' slaves, and ptmx. An inode is a pair (ino = number + 3, as on Linux); names come and go
 * with the masters, nobody else adds or removes any. The first mount has the pairs; so has every other, for there is one set.
 */
import { EACCES, EINVAL, EISDIR, ENOENT, ENOTDIR, EPERM, ESPIPE, type Result } from '../../../abi/errno.ts';
import { DEVPTS_SUPER_MAGIC } from '../../../abi/mount.ts';
import { isRegular, makedev, S_IFCHR, S_IFDIR } from '../../../abi/stat.ts';
import type {
  AttributeChange,
  Attributes,
  DirectoryEntry,
  FileSystem,
  NewInode,
  SpaceUse,
} from '../../../fs/contract.ts';
import type { Vfs } from '../state.ts';
import type { PtyRow } from './pty-row.ts';
import { PTY_MAJOR } from './row.ts';

const ROOT = 1;
const PTMX = 2;
const FIRST = 3;
const CHARACTER = S_IFCHR >> 12;

export interface DevptsOptions {
  /** Group of new slaves; undefined: that of who opens the master. */
  readonly gid: number | undefined;
  readonly mode: number;
  readonly ptmxMode: number;
}

/** Reads the options of devpts as its documentation names them. EINVAL. */
export const devptsOptions = (options: ReadonlyMap<string, string>): Result<DevptsOptions> => {
  let gid: number | undefined;
  let mode = 0o600;
  let ptmxMode = 0;
  for (const [name, value] of options) {
    const octal = Number.parseInt(value, 8);
    if (name === 'gid' && /^\d+$/.test(value)) gid = Number(value);
    else if (name === 'mode' && !Number.isNaN(octal)) mode = octal & 0o777;
    else if (name === 'ptmxmode' && !Number.isNaN(octal)) ptmxMode = octal & 0o777;
    else if (name !== 'uid' && name !== 'newinstance' && name !== 'max') return EINVAL;
  }
  return { gid, mode, ptmxMode };
};

export class Devpts implements FileSystem {
  readonly type = 'devpts';
  readonly root = ROOT;
  readonly blockSize = 1024;
  readonly options: DevptsOptions;
  readonly #vfs: Vfs;
  readonly #ptmxMode: number;

  constructor(vfs: Vfs, options: DevptsOptions) {
    this.#vfs = vfs;
    this.options = options;
    this.#ptmxMode = options.ptmxMode;
  }

  #pty(ino: number): Readonly<PtyRow> | undefined {
    return ino >= FIRST ? this.#vfs.ptys.get(ino - FIRST) : undefined;
  }

  getattr(ino: number): Result<Attributes> {
    const { bootTime } = this.#vfs.kernel.system();
    const rest = { nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, blocks: 0, version: 1 };
    const times = { atime: bootTime, mtime: bootTime, ctime: bootTime };
    if (ino === ROOT) return { ...rest, ...times, mode: S_IFDIR | 0o755, nlink: 2 };
    if (ino === PTMX) return { ...rest, ...times, mode: S_IFCHR | this.#ptmxMode, rdev: makedev(5, 2) };
    const pty = this.#pty(ino);
    if (pty === undefined) return ENOENT;
    const { uid, gid, mode, atime, mtime, ctime } = pty;
    return {
      ...rest,
      mode: S_IFCHR | mode,
      nlink: pty.masterOpen ? 1 : 0,
      uid,
      gid,
      rdev: makedev(PTY_MAJOR, ino - FIRST),
      atime,
      mtime,
      ctime,
    };
  }

  touch(): void {}

  setattr(ino: number, change: AttributeChange): Result<void> {
    const row = ino >= FIRST ? this.#vfs.ptys.edit(ino - FIRST) : undefined;
    if (row === undefined) return EPERM;
    if (change.mode !== undefined) row.mode = change.mode & 0o7777;
    if (change.uid !== undefined) row.uid = change.uid;
    if (change.gid !== undefined) row.gid = change.gid;
    if (change.atime !== undefined) row.atime = change.atime;
    if (change.mtime !== undefined) row.mtime = change.mtime;
    row.ctime = this.#vfs.now();
    return undefined;
  }

  lookup(directory: number, name: string): Result<number> {
    if (directory !== ROOT) return ENOTDIR;
    if (name === 'ptmx') return PTMX;
    const number = /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : -1;
    return this.#vfs.ptys.get(number)?.masterOpen ? number + FIRST : ENOENT;
  }

  parent(): Result<number> {
    return ROOT;
  }

  nameOf(_directory: number, child: number): Result<string> {
    if (child === PTMX) return 'ptmx';
    return this.#pty(child)?.masterOpen ? String(child - FIRST) : ENOENT;
  }

  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void> {
    if (directory !== ROOT) return ENOTDIR;
    if (cookie < FIRST && !emit({ name: 'ptmx', ino: PTMX, type: CHARACTER, cookie: FIRST })) return undefined;
    const numbers = [...this.#vfs.ptys.entries()].filter(([, row]) => row.masterOpen).map(([number]) => number);
    for (const number of numbers.sort((a, b) => a - b)) {
      if (number + FIRST + 1 <= cookie) continue;
      const entry = { name: String(number), ino: number + FIRST, type: CHARACTER, cookie: number + FIRST + 1 };
      if (!emit(entry)) return undefined;
    }
    return undefined;
  }

  create = (_directory: number, _name: string, { mode }: NewInode): Result<number> =>
    isRegular(mode) ? EACCES : EPERM;
  link = (): Result<void> => EPERM;
  unlink = (): Result<void> => EPERM;
  rmdir = (): Result<void> => EPERM;
  rename = (): Result<void> => EPERM;
  readlink = (): Result<string> => EINVAL;
  read = (): Result<number> => EISDIR;
  write = (): Result<number> => EISDIR;
  truncate = (): Result<void> => EINVAL;
  seek = (): Result<number> => ESPIPE;
  punch = (): Result<void> => ESPIPE;
  sync = (): Result<void> => undefined;

  statfs(): Result<SpaceUse> {
    return {
      magic: DEVPTS_SUPER_MAGIC,
      blockSize: 4096,
      blocks: 0,
      blocksFree: 0,
      files: 0,
      filesFree: 0,
      nameLength: 255,
    };
  }

  forget(): void {}
  destroy(): void {}
}
