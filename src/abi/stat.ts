/**
 * File types, mode bits, device numbers, and the layouts of `struct stat`, `struct statx` and `struct statfs` (x86-64).
 *
 *     struct stat (144 bytes)
 *       0 dev  8 ino  16 nlink  24 mode  28 uid  32 gid  40 rdev  48 size  56 blksize  64 blocks  72 atim  88 mtim  104 ctim
 */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;

export const isDirectory = (mode: number): boolean => (mode & S_IFMT) === S_IFDIR;
export const isRegular = (mode: number): boolean => (mode & S_IFMT) === S_IFREG;
export const isSymlink = (mode: number): boolean => (mode & S_IFMT) === S_IFLNK;

/** Seconds and nanoseconds since the epoch. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A 32-bit device number as the kernel passes it to user space (new_encode_dev). */
export const makedev = (major: number, minor: number): number =>
  ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
export const major = (device: number): number => (device >>> 8) & 0xfff;
export const minor = (device: number): number => (device & 0xff) | ((device >>> 12) & 0xfff00);

/** What the three structures show of an inode. */
export interface StatSource {
  readonly device: number;
  readonly ino: number;
  readonly nlink: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blockSize: number;
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctime: Time;
}

const put64 = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
};

export const STAT_SIZE = 144;

/** Fills all of `struct stat`. */
export const writeStat = (view: DataView, s: StatSource): void => {
  put64(view, 0, s.device);
  put64(view, 8, s.ino);
  put64(view, 16, s.nlink);
  view.setUint32(24, s.mode, true);
  view.setUint32(28, s.uid, true);
  view.setUint32(32, s.gid, true);
  view.setUint32(36, 0, true);
  put64(view, 40, s.rdev);
  put64(view, 48, s.size);
  put64(view, 56, s.blockSize);
  put64(view, 64, s.blocks);
  put64(view, 72, s.atime.seconds);
  put64(view, 80, s.atime.nanoseconds);
  put64(view, 88, s.mtime.seconds);
  put64(view, 96, s.mtime.nanoseconds);
  put64(view, 104, s.ctime.seconds);
  put64(view, 112, s.ctime.nanoseconds);
  for (let at = 120; at < STAT_SIZE; at += 8) put64(view, at, 0);
};

export const STATX_SIZE = 256;
const STATX_BASIC_STATS = 0x7ff;
/** STATX_MTIME and STATX_CTIME. */
const STATX_CHANGES = 0xc0;
const STATX_BTIME = 0x800;
const STATX_MNT_ID = 0x1000;
const STATX_ATTR_MOUNT_ROOT = 0x2000;

/** What statx(2) says beyond stat(2). */
export interface StatxSource extends StatSource {
  readonly btime: Time | undefined;
  readonly mountId: number;
  readonly mountRoot: boolean;
}

/**
 * Fills all of `struct statx`: the basic fields always, but for change and modification time, which come (both) if `mask` asks
 * for one of them, as do birth time and mount.
 */
export const writeStatx = (view: DataView, s: StatxSource, mask: number): void => {
  for (let at = 0; at < STATX_SIZE; at += 8) put64(view, at, 0);
  let given = STATX_BASIC_STATS;
  if ((mask & STATX_CHANGES) === 0) given &= ~STATX_CHANGES;
  view.setUint32(4, s.blockSize, true);
  view.setUint32(16, s.nlink, true);
  view.setUint32(20, s.uid, true);
  view.setUint32(24, s.gid, true);
  view.setUint16(28, s.mode, true);
  put64(view, 32, s.ino);
  put64(view, 40, s.size);
  put64(view, 48, s.blocks);
  const time = (at: number, t: Time): void => {
    put64(view, at, t.seconds);
    view.setUint32(at + 8, t.nanoseconds, true);
  };
  time(64, s.atime);
  if (given & STATX_CHANGES) {
    time(96, s.ctime);
    time(112, s.mtime);
  }
  if (mask & STATX_BTIME && s.btime !== undefined) {
    time(80, s.btime);
    given |= STATX_BTIME;
  }
  given |= STATX_MNT_ID;
  put64(view, 144, s.mountId);
  put64(view, 8, s.mountRoot ? STATX_ATTR_MOUNT_ROOT : 0);
  put64(view, 56, STATX_ATTR_MOUNT_ROOT);
  view.setUint32(0, given, true);
  view.setUint32(128, major(s.rdev), true);
  view.setUint32(132, minor(s.rdev), true);
  view.setUint32(136, major(s.device), true);
  view.setUint32(140, minor(s.device), true);
};

export const STATFS_SIZE = 120;

export interface StatfsSource {
  /** Magic number of the file system type. */
  readonly magic: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly files: number;
  readonly filesFree: number;
  readonly nameLength: number;
}

/** Fills all of `struct statfs`; `flags` are the ST_* bits of the mount. */
export const writeStatfs = (view: DataView, s: StatfsSource, device: number, flags: number): void => {
  for (let at = 0; at < STATFS_SIZE; at += 8) put64(view, at, 0);
  put64(view, 0, s.magic);
  put64(view, 8, s.blockSize);
  put64(view, 16, s.blocks);
  put64(view, 24, s.blocksFree);
  put64(view, 32, s.blocksFree);
  put64(view, 40, s.files);
  put64(view, 48, s.filesFree);
  view.setUint32(56, device, true);
  put64(view, 64, s.nameLength);
  put64(view, 72, s.blockSize);
  put64(view, 80, flags | 0x20); // ST_VALID
};

export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;
