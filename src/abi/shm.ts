/**
 * System V shared memory (shmget(2), shmat(2), shmctl(2); linux/shm.h, linux/ipc.h) and the layouts of its structures:
 *
 *     shmid_ds (112)   0 key  4 uid  8 gid  12 cuid  16 cgid  20 mode  24 seq(2)     ipc_perm, 48 bytes
 *                      48 segsz(8)  56 atime(8)  64 dtime(8)  72 ctime(8)  80 cpid  84 lpid  88 nattch(8)
 *     shminfo (72)     0 shmmax  8 shmmin  16 shmmni  24 shmseg  32 shmall           8 bytes each
 *     shm_info (48)    0 used_ids(4)  8 shm_tot  16 shm_rss  24 shm_swp  32, 40 swap counters
 */
export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;

export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;

export const SHM_HUGETLB = 0o4000;
export const SHM_NORESERVE = 0o10000;

export const SHM_RDONLY = 0o10000;
export const SHM_RND = 0o20000;
export const SHM_REMAP = 0o40000;
export const SHM_EXEC = 0o100000;

/** Bits of shm_perm.mode beside the permissions. */
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;

/** Limits as Linux has them by default: smallest segment, and segments in all. */
export const SHMMIN = 1;
export const SHMMNI = 4096;
/** ULONG_MAX − 2^24, which shminfo reports for shmmax and shmall. */
export const SHM_UNLIMITED = 0xffff_ffff_feff_ffffn;

export const SHMID_DS_BYTES = 112;
export const SHMINFO_BYTES = 72;
export const SHM_INFO_BYTES = 48;

export const SHMGET_FLAGS = { IPC_CREAT, IPC_EXCL, SHM_HUGETLB, SHM_NORESERVE };
export const SHMAT_FLAGS = { SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC };
export const SHMCTL_COMMANDS = {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  SHM_LOCK,
  SHM_UNLOCK,
  SHM_STAT,
  SHM_INFO,
  SHM_STAT_ANY,
};

/** What shmid_ds tells. Times are seconds since the epoch. */
export interface SegmentStatus {
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
  readonly sequence: number;
  readonly size: number;
  readonly atime: number;
  readonly dtime: number;
  readonly ctime: number;
  readonly cpid: number;
  readonly lpid: number;
  readonly attached: number;
}

export const encodeShmidDs = (status: SegmentStatus): Uint8Array => {
  const bytes = new Uint8Array(SHMID_DS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, status.key, true);
  view.setUint32(4, status.uid, true);
  view.setUint32(8, status.gid, true);
  view.setUint32(12, status.cuid, true);
  view.setUint32(16, status.cgid, true);
  view.setUint32(20, status.mode, true);
  view.setUint16(24, status.sequence, true);
  view.setBigUint64(48, BigInt(status.size), true);
  view.setBigInt64(56, BigInt(status.atime), true);
  view.setBigInt64(64, BigInt(status.dtime), true);
  view.setBigInt64(72, BigInt(status.ctime), true);
  view.setInt32(80, status.cpid, true);
  view.setInt32(84, status.lpid, true);
  view.setBigUint64(88, BigInt(status.attached), true);
  return bytes;
};

/** What IPC_SET takes from a shmid_ds. */
export const decodeShmidDs = (bytes: Uint8Array): { uid: number; gid: number; mode: number } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { uid: view.getUint32(4, true), gid: view.getUint32(8, true), mode: view.getUint32(20, true) };
};

export const encodeShminfo = (): Uint8Array => {
  const bytes = new Uint8Array(SHMINFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, SHM_UNLIMITED, true);
  view.setBigUint64(8, BigInt(SHMMIN), true);
  view.setBigUint64(16, BigInt(SHMMNI), true);
  view.setBigUint64(24, BigInt(SHMMNI), true);
  view.setBigUint64(32, SHM_UNLIMITED, true);
  return bytes;
};

export const encodeShmInfo = (segments: number, pages: number, resident: number): Uint8Array => {
  const bytes = new Uint8Array(SHM_INFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, segments, true);
  view.setBigUint64(8, BigInt(pages), true);
  view.setBigUint64(16, BigInt(resident), true);
  return bytes;
};
