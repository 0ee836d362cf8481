/* stat, lstat, fstat: every field, by kind of file; times and link counts that move. */
#include "check.h"
#include <sys/sysmacros.h>

static const char *kind(mode_t mode) {
    return S_ISREG(mode)    ? "regular"
           : S_ISDIR(mode)  ? "directory"
           : S_ISLNK(mode)  ? "link"
           : S_ISFIFO(mode) ? "fifo"
           : S_ISCHR(mode)  ? "character"
           : S_ISBLK(mode)  ? "block"
                            : "?";
}

static void show(const char *label, const struct stat *st) {
    printf("%s: %s %04o links %ld %d:%d rdev %u,%u size %ld blksize %ld blocks %ld\n", label, kind(st->st_mode),
           st->st_mode & 07777, (long)st->st_nlink, st->st_uid, st->st_gid, major(st->st_rdev), minor(st->st_rdev),
           S_ISDIR(st->st_mode) ? 0L : (long)st->st_size, S_ISBLK(st->st_mode) ? 0L : (long)st->st_blksize, (long)st->st_blocks);
}

static int after(struct timespec a, struct timespec b) {
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void moved(const char *what, struct stat *old, const char *path) {
    struct stat now;
    lstat(path, &now);
    printf("%s moves:%s%s%s\n", what, after(now.st_atim, old->st_atim) ? " atime" : "",
           after(now.st_mtim, old->st_mtim) ? " mtime" : "", after(now.st_ctim, old->st_ctim) ? " ctime" : "");
    *old = now;
    usleep(12000);
}

int main(void) {
    struct stat st, st2;
    char buf[4];
    scratch_tmpfs("stat");
    CALL(close(open("f", O_CREAT | O_RDWR, 0640)));
    CALL(truncate("f", 5000));
    CALL(mkdir("d", 0751));
    CALL(symlink("f", "l"));
    CALL(symlink("nowhere", "dangling"));
    CALL(mkfifo("p", 0620));
    CALL(mknod("c", S_IFCHR | 0606, makedev(300, 70000)));
    CALL(mknod("b", S_IFBLK | 0660, makedev(7, 1)));
    CALL(stat("f", &st));
    show("f", &st);
    CALL(stat("l", &st2));
    HOLDS(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
    CALL(lstat("l", &st));
    show("l", &st);
    CALL(stat("dangling", &st));
    CALL(lstat("dangling", &st));
    show("dangling", &st);
    CALL(lstat("l/", &st));
    CALL(stat("d", &st));
    show("d", &st);
    CALL(stat("d/..", &st));
    CALL(stat(".", &st2));
    HOLDS(st.st_ino == st2.st_ino);
    CALL(stat("p", &st));
    show("p", &st);
    CALL(stat("c", &st));
    show("c", &st);
    CALL(stat("b", &st));
    show("b", &st);
    int p[2];
    CALL(pipe(p));
    CALL(fstat(p[0], &st));
    show("pipe", &st);
    CALL(fstat(p[1], &st2));
    HOLDS(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
    CALL(stat("/dev/null", &st));
    show("null", &st);
    CALL(stat("/dev/zero", &st));
    printf("zero %u,%u\n", major(st.st_rdev), minor(st.st_rdev));

    puts("-- errors");
    CALL(stat("none", &st));
    CALL(stat("", &st));
    CALL(stat("f/x", &st));
    CALL(stat("f/", &st));
    CALL(stat("none/..", &st));
    CALL(stat(BAD_POINTER, &st));
    CALL(stat("f", BAD_POINTER));
    CALL(stat("none", BAD_POINTER));
    CALL(lstat("f", UNMAPPED));
    CALL(fstat(99, &st));
    CALL(fstat(-1, &st));
    CALL(fstat(p[0], UNMAPPED));
    CALL(fstat(99, UNMAPPED));

    puts("-- links");
    CALL(link("f", "f2"));
    CALL(mkdir("d/e", 0700));
    CALL(stat("f", &st));
    printf("f %ld\n", (long)st.st_nlink);
    CALL(stat("d", &st));
    printf("d %ld\n", (long)st.st_nlink);
    CALL(rmdir("d/e"));
    CALL(stat("d", &st));
    printf("d %ld\n", (long)st.st_nlink);
    int fd = open("f2", O_RDWR);
    CALL(unlink("f"));
    CALL(unlink("f2"));
    CALL(fstat(fd, &st));
    printf("unlinked %ld\n", (long)st.st_nlink);
    close(fd);
    CALL(open("d", O_RDONLY));
    CALL(rmdir("d"));
    CALL(fstat(fd, &st));
    printf("removed directory %ld\n", (long)st.st_nlink);
    close(fd);

    puts("-- times");
    CALL(mkdir("t", 0755));
    fd = open("t/f", O_CREAT | O_RDWR, 0644);
    stat("t/f", &st);
    stat("t", &st2);
    usleep(12000);
    write(fd, "x", 1);
    moved("write", &st, "t/f");
    pread(fd, buf, 1, 0);
    moved("first read", &st, "t/f");
    pread(fd, buf, 1, 0);
    moved("second read", &st, "t/f");
    write(fd, "", 0);
    moved("empty write", &st, "t/f");
    fchmod(fd, 0600);
    moved("fchmod", &st, "t/f");
    fchown(fd, 0, 0);
    moved("fchown", &st, "t/f");
    fchown(fd, -1, -1);
    moved("fchown of nothing", &st, "t/f");
    ftruncate(fd, 1);
    moved("ftruncate to the same size", &st, "t/f");
    truncate("t/f", 1);
    moved("truncate to the same size", &st, "t/f");
    ftruncate(fd, 0);
    moved("ftruncate", &st, "t/f");
    close(open("t/f", O_RDWR | O_TRUNC));
    moved("O_TRUNC of an empty file", &st, "t/f");
    moved("all that: directory", &st2, "t");
    link("t/f", "t/g");
    moved("link: file", &st, "t/f");
    moved("link: directory", &st2, "t");
    rename("t/g", "t/h");
    moved("rename: file", &st, "t/f");
    moved("rename: directory", &st2, "t");
    unlink("t/h");
    moved("unlink: file", &st, "t/f");
    moved("unlink: directory", &st2, "t");
    mkdir("t/d", 0755);
    moved("mkdir", &st2, "t");
    rmdir("t/d");
    moved("rmdir", &st2, "t");
    chmod("t", 0700);
    moved("chmod", &st2, "t");
    close(fd);
    for (fd = 3; fd < 6; fd++)
        close(fd);
    leave_tmpfs();
    return 0;
}
