/** Flags of mount(2), umount2(2) and statfs(2), and the magic numbers of <linux/magic.h>. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_SYNCHRONOUS = 16;
export const MS_REMOUNT = 32;
export const MS_NOATIME = 1024;
export const MS_NODIRATIME = 2048;
export const MS_BIND = 4096;
export const MS_MOVE = 8192;
export const MS_REC = 16384;
export const MS_SILENT = 32768;
export const MS_UNBINDABLE = 1 << 17;
export const MS_PRIVATE = 1 << 18;
export const MS_SLAVE = 1 << 19;
export const MS_SHARED = 1 << 20;
export const MS_RELATIME = 1 << 21;
export const MS_STRICTATIME = 1 << 24;
export const MS_MGC_VAL = 0xc0ed_0000 | 0;

export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const MNT_EXPIRE = 4;
export const UMOUNT_NOFOLLOW = 8;

export const ST_RELATIME = 4096;

export const RAMFS_MAGIC = 0x8584_58f6;
export const TMPFS_MAGIC = 0x0102_1994;
export const PROC_MAGIC = 0x9fa0;
export const PIPEFS_MAGIC = 0x5049_5045;
export const ANON_INODE_FS_MAGIC = 0x0904_1934;
export const OVERLAYFS_MAGIC = 0x794c_7630;
/** What a tar file that is mounted says it is: the nearest there is. */
export const SQUASHFS_MAGIC = 0x7371_7368;
/** 9p, which is what a directory of the host looks like to a guest elsewhere. */
export const V9FS_MAGIC = 0x0102_1997;
export const DEVPTS_SUPER_MAGIC = 0x1cd1;
export const SOCKFS_MAGIC = 0x534f_434b;
export const MQUEUE_MAGIC = 0x1980_0202;
