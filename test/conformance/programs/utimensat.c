/* utimensat, futimens, utimes, utime, futimesat: times set, UTIME_NOW, UTIME_OMIT, who may. */
#include "check.h"
#include <sys/time.h>
#include <utime.h>

static int fd;

static void show(const char *path) {
    struct stat st;
    lstat(path, &st);
    time_t now = time(NULL);
    for (int i = 0; i < 2; i++) {
        struct timespec t = i == 0 ? st.st_atim : st.st_mtim;
        if (t.tv_sec >= now - 10 && t.tv_sec <= now + 1)
            printf("%s now ", i == 0 ? "atime" : "mtime");
        else
            printf("%s %ld.%09ld ", i == 0 ? "atime" : "mtime", (long)t.tv_sec, t.tv_nsec);
    }
    puts(st.st_ctim.tv_sec >= now - 10 ? "ctime now" : "ctime old");
}

#define T(...) (struct timespec[]){__VA_ARGS__}

int main(void) {
    scratch_tmpfs("utimensat");
    fd = open("f", O_CREAT | O_RDWR, 0644);
    symlink("f", "l");
    CALL(utimensat(AT_FDCWD, "f", T({1000, 1}, {2000, 999999999}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({0, UTIME_OMIT}, {3000, 5}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({4000, 0}, {0, UTIME_OMIT}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({77, UTIME_OMIT}, {77, UTIME_OMIT}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({0, UTIME_NOW}, {5000, 0}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({1, 0}, {0, UTIME_NOW}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({-1, 500}, {-100000, 0}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", T({0x1ffffffff, 0}, {0x2ffffffff, 1}), 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "f", NULL, 0));
    show("f");
    CALL(utimensat(AT_FDCWD, "l", T({10, 0}, {20, 0}), AT_SYMLINK_NOFOLLOW));
    show("l"), show("f");
    CALL(utimensat(AT_FDCWD, "l", T({30, 0}, {40, 0}), 0));
    show("f");
    CALL(futimens(fd, T({50, 0}, {60, 0})));
    show("f");
    CALL(utimensat(fd, "", T({70, 0}, {80, 0}), AT_EMPTY_PATH));
    show("f");

    puts("-- errors");
    CALL(utimensat(AT_FDCWD, "f", T({0, 1000000000}, {0, 0}), 0));
    CALL(utimensat(AT_FDCWD, "f", T({0, -1}, {0, 0}), 0));
    CALL(utimensat(AT_FDCWD, "f", T({0, 0}, {0, 1000000000}), 0));
    CALL(utimensat(AT_FDCWD, "f", UNMAPPED, 0));
    CALL(utimensat(AT_FDCWD, "none", NULL, 0));
    CALL(utimensat(AT_FDCWD, "", NULL, 0));
    CALL(utimensat(AT_FDCWD, "f", NULL, 0x8000));
    CALL(utimensat(99, "f", NULL, 0));
    CALL(utimensat(fd, "f", NULL, 0));
    CALL(futimens(99, NULL));
    CALL(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
    CALL(syscall(SYS_utimensat, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW));
    CALL(syscall(SYS_utimensat, 99, NULL, T({0, UTIME_OMIT}, {0, UTIME_OMIT}), 0));
    CALL(syscall(SYS_utimensat, 99, "none", T({0, UTIME_OMIT}, {0, UTIME_OMIT}), 0));
    int path = open("f", O_PATH);
    CALL(futimens(path, NULL));

    puts("-- older forms");
    CALL(utimes("f", (struct timeval[]){{100, 5}, {200, 999999}}));
    show("f");
    CALL(utimes("f", (struct timeval[]){{100, 1000000}, {200, 0}}));
    CALL(utimes("f", (struct timeval[]){{100, -1}, {200, 0}}));
    CALL(utimes("l", (struct timeval[]){{300, 0}, {400, 0}}));
    show("f");
    CALL(syscall(SYS_utimes, "f", NULL));
    show("f");
    CALL(syscall(SYS_utimes, "none", NULL));
    CALL(syscall(SYS_utimes, "f", UNMAPPED));
    CALL(utime("f", &(struct utimbuf){500, 600}));
    show("f");
    CALL(syscall(SYS_utime, "f", NULL));
    show("f");
    CALL(syscall(SYS_utime, "f", UNMAPPED));
    CALL(syscall(SYS_utime, "none", NULL));
    CALL(syscall(SYS_futimesat, AT_FDCWD, "f", (struct timeval[]){{700, 0}, {800, 1}}));
    show("f");
    CALL(syscall(SYS_futimesat, fd, NULL, (struct timeval[]){{900, 0}, {950, 1}}));
    show("f");
    CALL(syscall(SYS_futimesat, 99, "f", NULL));

    puts("-- who may");
    chmod("f", 0644);
    close(open("mine", O_CREAT, 0400)), chown("mine", 1000, 1000);
    close(open("open", O_CREAT, 0666)), chmod("open", 0666);
    CHILD(become(1000, 1000); CALL(utimensat(AT_FDCWD, "f", NULL, 0)); CALL(utimensat(AT_FDCWD, "f", T({1, 0}, {1, 0}), 0));
          CALL(utimensat(AT_FDCWD, "f", T({0, UTIME_OMIT}, {0, UTIME_OMIT}), 0)); CALL(utimensat(AT_FDCWD, "mine", NULL, 0));
          CALL(utimensat(AT_FDCWD, "mine", T({1, 0}, {1, 0}), 0)); CALL(utimensat(AT_FDCWD, "open", NULL, 0));
          CALL(utimensat(AT_FDCWD, "open", T({0, UTIME_NOW}, {0, UTIME_NOW}), 0)); CALL(utimensat(AT_FDCWD, "open", T({1, 0}, {1, 0}), 0));
          CALL(utimensat(AT_FDCWD, "open", T({0, UTIME_NOW}, {0, UTIME_OMIT}), 0)); CALL(utime("open", &(struct utimbuf){1, 1})));
    close(fd), close(path);
    leave_tmpfs();
    return 0;
}
