/* Permissions, owners, umask, sticky and set-id bits, access, chmod, chown, times: as root and as others. */
#include "check.h"
#include <grp.h>
#include <sys/time.h>
#include <utime.h>

static void act_as(int uid, int gid) {
    gid_t groups[] = {50};
    setgroups(1, groups);
    setresgid(gid, gid, gid);
    setresuid(uid, uid, uid);
}

static void put(const char *path, int mode) { close(open(path, O_CREAT | O_WRONLY | O_EXCL, mode)); }

static void show(const char *path) {
    struct stat st;
    if (lstat(path, &st))
        printf("%s: %s\n", path, errno_name(errno));
    else
        printf("%s: %o %d %d\n", path, st.st_mode, st.st_uid, st.st_gid);
}

int main(void) {
    scratch("permissions");
    setgroups(0, NULL);
    char here[200];
    getcwd(here, sizeof here);
    chmod(".", 01777);
    CALL(umask(027));
    put("masked", 0666);
    show("masked");
    mkdir("dir", 0777);
    show("dir");
    CALL(umask(01022));
    CALL(umask(022));
    put("root", 0600);
    put("all", 0666);
    chmod("all", 0666);
    put("group", 0640);
    chown("group", 0, 50);
    put("nox", 0644);
    put("x", 0755);
    mkdir("closed", 0700);
    put("closed/f", 0666);
    mkdir("blind", 0711);
    put("blind/f", 0644);
    mkdir("setgid", 0777);
    chown("setgid", 0, 50);
    chmod("setgid", 02777);
    CALL(access("nox", X_OK));
    CALL(access("x", X_OK | W_OK | R_OK));
    CALL(access("closed", X_OK));
    CALL(access("none", F_OK));
    CALL(access("x", 8));
    CALL(execl("nox", "nox", NULL));

    CHILD({
        act_as(1000, 1000);
        CALL(open("root", O_RDONLY));
        CALL(open("all", O_RDWR));
        CALL(open("group", O_RDONLY));
        CALL(open("group", O_WRONLY));
        CALL(open("closed/f", O_RDONLY));
        CALL(open("blind/f", O_RDONLY));
        CALL(open("blind", O_RDONLY));
        CALL(chdir("closed"));
        CALL(chdir("blind"));
        CALL(open("../root", O_RDONLY));
        CALL(chdir(here));
        CALL(unlink("all"));
        CALL(rename("all", "mine"));
        CALL(unlink("blind/f"));
        CALL(mkdir("closed/d", 0755));
        CALL(access("root", F_OK));
        CALL(access("root", R_OK));
        CALL(access("x", X_OK));
        CALL(chmod("all", 0600));
        CALL(chown("all", 1000, 1000));
        CALL(chown("all", -1, -1));
        put("mine", 0644);
        CALL(chown("mine", 0, -1));
        CALL(chown("mine", -1, 0));
        CALL(chown("mine", 1000, 50));
        show("mine");
        CALL(chmod("mine", 06755));
        show("mine");
        int fd = open("mine", O_WRONLY);
        CALL(write(fd, "x", 1));
        show("mine");
        CALL(chmod("mine", 06755));
        CALL(chown("mine", -1, 50));
        show("mine");
        CALL(chmod("mine", 02755));
        CALL(truncate("mine", 0));
        show("mine");
        put("setgid/f", 0644);
        show("setgid/f");
        mkdir("setgid/d", 0755);
        show("setgid/d");
        CALL(mknod("dev", S_IFCHR | 0666, 0x103));
        CALL(mknod("fifo", S_IFIFO | 0666, 0));
        CALL(chroot("."));
        CALL(link("root", "stolen"));
        CALL(symlink("root", "sym"));
        CALL(lchown("sym", 0, 0));
        CALL(utime("root", NULL));
        CALL(utime("all", NULL));
        struct utimbuf times = {1, 2};
        CALL(utime("all", &times));
        CALL(utime("mine", &times));
        CALL(fchmodat(AT_FDCWD, "mine", 0, 0));
        CALL(open("mine", O_RDONLY));
        CALL(open("mine", O_RDONLY | O_NOATIME));
        CALL(open("all", O_RDONLY | O_NOATIME));
        CALL(open("root", O_PATH) > 2);
        CALL(execl("nox", "nox", NULL));
        CALL(execl("closed/f", "f", NULL));
    });
    show("mine");
    CHILD({
        act_as(2000, 2000);
        CALL(unlink("mine"));
        CALL(open("new", O_CREAT | O_WRONLY, 0604));
        show("new");
        CALL(rename("new", "mine"));
        CALL(unlink("new"));
        CALL(chmod(".", 0777));
    });
    CHILD({
        setresuid(0, 1000, 0);
        CALL(open("root", O_RDONLY));
        CALL(access("root", R_OK));
        CALL(faccessat(AT_FDCWD, "root", R_OK, AT_EACCESS));
        setfsuid(0);
        CALL(open("root", O_RDONLY));
    });

    /* root may, and bits fall */
    CALL(chmod("x", 06755));
    CALL(chown("x", 1, 1));
    show("x");
    CALL(chmod("x", 06644));
    CALL(chown("x", 2, 2));
    show("x");
    CALL(chmod("dir", 06755));
    CALL(chown("dir", 2, 2));
    show("dir");
    CALL(fchmodat(AT_FDCWD, "none", 0, 0));
    CALL(fchownat(AT_FDCWD, "sym", 5, 6, AT_SYMLINK_NOFOLLOW));
    show("sym");
    show("root");
    CALL(fchownat(AT_FDCWD, "", 7, 7, AT_EMPTY_PATH));
    CALL(fchownat(AT_FDCWD, "x", 7, 7, 0x4000000));
    CALL(fchmod(99, 0));
    CALL(fchown(99, 0, 0));

    struct timespec times[2] = {{100, 5}, {200, 999999999}};
    struct stat st;
    CALL(utimensat(AT_FDCWD, "all", times, 0));
    stat("all", &st);
    printf("%ld %ld %ld %ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = -5;
    times[1].tv_nsec = 1;
    CALL(utimensat(AT_FDCWD, "all", times, 0));
    stat("all", &st);
    printf("%ld %ld %ld %ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    times[1].tv_nsec = 1000000000;
    CALL(utimensat(AT_FDCWD, "all", times, 0));
    times[1].tv_nsec = UTIME_OMIT;
    CALL(utimensat(AT_FDCWD, "none", times, 0));
    times[1].tv_nsec = UTIME_NOW;
    CALL(utimensat(AT_FDCWD, "none", times, 0));
    CALL(utimensat(AT_FDCWD, "all", times, 0x8000));
    CALL(utimensat(AT_FDCWD, "all", times, 0));
    stat("all", &st);
    HOLDS(st.st_mtim.tv_sec > 1000000000 && st.st_atim.tv_sec == 100);
    int fd = open("all", O_RDONLY);
    times[0].tv_sec = 7;
    times[0].tv_nsec = 8;
    CALL(futimens(fd, times));
    fstat(fd, &st);
    printf("%ld %ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec);
    struct timeval values[2] = {{1, 2}, {3, 4}};
    CALL(utimes("all", values));
    values[0].tv_usec = 1000000;
    CALL(utimes("all", values));
    stat("all", &st);
    printf("%ld %ld %ld\n", st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    CALL(utimensat(fd, NULL, NULL, 0));
    CALL(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
    CALL(lutimes("sym", NULL));

    /* a jail */
    CHILD({
        CALL(chroot("blind"));
        CALL(chdir("/"));
        CALL(access("/f", F_OK));
        CALL(access("/../../f", F_OK));
        CALL(access(here, F_OK));
        char cwd[100];
        CALL(syscall(SYS_getcwd, cwd, 100));
        printf("%s\n", cwd);
    });
    CALL(chroot("none"));
    CALL(chroot("all"));
    return 0;
}
