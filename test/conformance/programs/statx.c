/* statx: masks, fields, attributes, errors. */
#include "check.h"
#include <sys/sysmacros.h>

static void show(const char *label, const struct statx *x) {
    printf("%s: mask %#x mode %o links %u %u:%u size %lld blocks %lld blksize %u rdev %u,%u\n", label,
           x->stx_mask & 0xfff, x->stx_mode, x->stx_nlink, x->stx_uid, x->stx_gid,
           S_ISDIR(x->stx_mode) ? 0LL : (long long)x->stx_size, (long long)x->stx_blocks, x->stx_blksize,
           x->stx_rdev_major, x->stx_rdev_minor);
}

int main(void) {
    struct statx x;
    struct stat st;
    scratch_tmpfs("statx");
    HOLDS(sizeof x == 256);
    CALL(close(open("f", O_CREAT | O_RDWR, 0640)));
    CALL(truncate("f", 4097));
    CALL(symlink("f", "l"));
    CALL(mkdir("d", 0700));
    memset(&x, 0xff, sizeof x);
    CALL(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
    show("f", &x);
    stat("f", &st);
    HOLDS(x.stx_ino == st.st_ino && makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev);
    HOLDS(x.stx_mtime.tv_sec == st.st_mtim.tv_sec && x.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
    HOLDS(x.stx_atime.tv_sec == st.st_atim.tv_sec && x.stx_ctime.tv_sec == st.st_ctim.tv_sec);
    HOLDS((x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0);
    CALL(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &x));
    HOLDS((x.stx_mask & STATX_BTIME) != 0);
    HOLDS(x.stx_btime.tv_sec > 0 && x.stx_btime.tv_sec <= x.stx_mtime.tv_sec);
    CALL(statx(AT_FDCWD, "f", 0, 0, &x));
    show("nothing asked", &x);
    CALL(statx(AT_FDCWD, "f", 0, STATX_ALL, &x));
    show("all asked", &x);
    CALL(statx(AT_FDCWD, "f", 0, STATX_MNT_ID, &x));
    HOLDS((x.stx_mask & STATX_MNT_ID) != 0);
    CALL(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x));
    show("l", &x);
    CALL(statx(AT_FDCWD, ".", 0, STATX_BASIC_STATS, &x));
    HOLDS((x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0);
    HOLDS((x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0);
    CALL(statx(AT_FDCWD, "d", AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &x));
    show("d", &x);
    CALL(open("f", O_RDONLY));
    CALL(statx(3, "", AT_EMPTY_PATH, STATX_SIZE, &x));
    printf("size %lld\n", (long long)x.stx_size);
    CALL(statx(3, "", 0, STATX_SIZE, &x));
    CALL(statx(3, "x", 0, STATX_SIZE, &x));
    CALL(statx(99, "f", 0, STATX_SIZE, &x));
    CALL(statx(AT_FDCWD, "none", 0, STATX_SIZE, &x));
    CALL(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_SIZE, &x));
    CALL(statx(AT_FDCWD, "f", AT_STATX_DONT_SYNC, STATX_SIZE, &x));
    CALL(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &x));
    CALL(statx(AT_FDCWD, "f", 0x10, STATX_SIZE, &x));
    CALL(statx(AT_FDCWD, "f", 0, 0x80000000u, &x));
    CALL(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_SIZE, UNMAPPED));
    CALL(syscall(SYS_statx, AT_FDCWD, BAD_POINTER, 0, STATX_SIZE, &x));
    CALL(syscall(SYS_statx, AT_FDCWD, NULL, AT_EMPTY_PATH, STATX_SIZE, &x));
    close(3);
    leave_tmpfs();
    return 0;
}
