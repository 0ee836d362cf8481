/**
 * System V semaphores and message queues (semop(2), msgop(2); linux/sem.h, linux/msg.h) and the layouts of their structures
 * on x86-64. All begin with the ipc_perm of shm.ts (48 bytes).
 *
 *     semid_ds (104)   48 otime(8)  64 ctime(8)  80 nsems(8)
 *     seminfo (40)     map mni mns mnu msl opm ume usz vmx aem, each an int
 *     sembuf (6)       0 num u16  2 op i16  4 flg i16
 *     msqid_ds (120)   48 stime(8)  56 rtime(8)  64 ctime(8)  72 cbytes(8)  80 qnum(8)  88 qbytes(8)  96 lspid  100 lrpid
 *     msginfo (32)     pool map max mnb mni ssz tql, each an int, and seg u16
 */
export const IPC_NOWAIT = 0o4000;

export const GETPID = 11;
export const GETVAL = 12;
export const GETALL = 13;
export const GETNCNT = 14;
export const GETZCNT = 15;
export const SETVAL = 16;
export const SETALL = 17;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;
export const SEM_UNDO = 0x1000;

export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;
export const MSG_COPY = 0o40000;

/** Limits as Linux has them by default: /proc/sys/kernel/sem, msgmax, msgmnb, msgmni. */
export const SEMMNI = 32_000;
export const SEMMSL = 32_000;
export const SEMMNS = SEMMNI * SEMMSL;
export const SEMOPM = 500;
export const SEMVMX = 32_767;
export const SEMUSZ = 20;
export const MSGMNI = 32_000;
export const MSGMAX = 8192;
export const MSGMNB = 16_384;
export const MSGSSZ = 16;

export const SEMBUF_SIZE = 6;
export const SEMID_DS_SIZE = 104;
export const SEMINFO_SIZE = 40;
export const MSQID_DS_SIZE = 120;
export const MSGINFO_SIZE = 32;

export const semctlNames: Readonly<Record<string, number>> = {
  IPC_RMID: 0,
  IPC_SET: 1,
  IPC_STAT: 2,
  IPC_INFO: 3,
  GETPID,
  GETVAL,
  GETALL,
  GETNCNT,
  GETZCNT,
  SETVAL,
  SETALL,
  SEM_STAT,
  SEM_INFO,
  SEM_STAT_ANY,
};

export const msgctlNames: Readonly<Record<string, number>> = {
  IPC_RMID: 0,
  IPC_SET: 1,
  IPC_STAT: 2,
  IPC_INFO: 3,
  MSG_STAT,
  MSG_INFO,
  MSG_STAT_ANY,
};

export interface IpcPermission {
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
  readonly sequence: number;
}

/** Writes the ipc_perm at the start of a structure. */
export const putPermission = (view: DataView, row: IpcPermission): void => {
  view.setInt32(0, row.key, true);
  view.setUint32(4, row.uid, true);
  view.setUint32(8, row.gid, true);
  view.setUint32(12, row.cuid, true);
  view.setUint32(16, row.cgid, true);
  view.setUint32(20, row.mode, true);
  view.setUint16(24, row.sequence, true);
};

/** What IPC_SET takes of an ipc_perm. */
export const takePermission = (bytes: Uint8Array): { uid: number; gid: number; mode: number } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { uid: view.getUint32(4, true), gid: view.getUint32(8, true), mode: view.getUint32(20, true) & 0o777 };
};
