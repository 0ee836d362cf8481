/* mkdir, rmdir, link, symlink, readlink, unlink, rename, mknod, getcwd, chdir, getdents and their *at forms. */
#include "check.h"
#include <dirent.h>
#include <sys/sysmacros.h>

static char buf[5000];

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void list(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) {
        printf("list %s: %s\n", path, errno_name(errno));
        return;
    }
    char *names[100];
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) && count < 100) {
        char line[300];
        sprintf(line, "%s(%d)", entry->d_name, entry->d_type);
        names[count++] = strdup(line);
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    printf("list %s:", path);
    for (int i = 0; i < count; i++)
        printf(" %s", names[i]);
    printf("\n");
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    write(fd, text, strlen(text));
    close(fd);
}

static long links(const char *path) {
    struct stat st;
    return stat(path, &st) ? -errno : (long)st.st_nlink;
}

int main(void) {
    scratch("names");
    CALL(mkdir("d", 0777));
    CALL(mkdir("d", 0777));
    CALL(mkdir("d/", 0777));
    CALL(mkdir("d/e/", 0777));
    CALL(mkdir("x/y", 0777));
    CALL(mkdir(".", 0777));
    CALL(mkdir("..", 0777));
    CALL(mkdir("/", 0777));
    CALL(mkdir("", 0777));
    memset(buf, 'n', 300);
    buf[256] = 0;
    CALL(mkdir(buf, 0777));
    buf[255] = 0;
    CALL(mkdir(buf, 0777));
    CALL(rmdir(buf));
    memset(buf, '/', 4096);
    buf[4096] = 0;
    CALL(mkdir(buf, 0777));
    CALL(links("d"));
    CALL(rmdir("d"));
    CALL(rmdir("d/e/."));
    CALL(rmdir("d/e/.."));
    CALL(rmdir("/"));
    CALL(rmdir("none"));
    put("f", "text");
    CALL(rmdir("f"));
    CALL(rmdir("f/"));
    CALL(unlink("d"));
    CALL(unlink("f/"));
    CALL(unlink("."));
    CALL(unlink("none"));
    CALL(unlink(""));
    CALL(unlink("f/x"));

    CALL(link("f", "g"));
    CALL(links("f"));
    CALL(link("f", "g"));
    CALL(link("none", "h"));
    CALL(link("d", "h"));
    CALL(link("f", "h/"));
    CALL(link("f", "none/h"));
    CALL(link("f", "d/"));
    CALL(symlink("f", "s"));
    CALL(symlink("f", "s"));
    CALL(symlink("", "t"));
    CALL(symlink("none", "dangling"));
    CALL(symlink("loop", "loop"));
    CALL(symlink("d", "sd"));
    CALL(symlink("f", "t/"));
    CALL(readlink("s", buf, 100));
    CALL(readlink("dangling", buf, 2));
    CALL(readlink("f", buf, 100));
    CALL(readlink("none", buf, 100));
    CALL(readlink("s", buf, 0));
    CALL(readlink("s", UNMAPPED, 100));
    CALL(open("loop", O_RDONLY));
    CALL(open("s", O_RDONLY | O_NOFOLLOW));
    CALL(open("sd", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
    CALL(open("sd/", O_RDONLY | O_NOFOLLOW));
    close(3);
    CALL(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600));
    CALL(open("dangling", O_CREAT | O_RDWR, 0600));
    close(3);
    CALL(links("none"));
    CALL(unlink("none"));
    CALL(mkdir("dangling", 0777));
    CALL(rmdir("sd"));
    CALL(rmdir("sd/"));
    CALL(unlink("sd/"));
    CALL(linkat(AT_FDCWD, "s", AT_FDCWD, "sl", 0));
    CALL(linkat(AT_FDCWD, "s", AT_FDCWD, "sf", AT_SYMLINK_FOLLOW));
    CALL(linkat(AT_FDCWD, "s", AT_FDCWD, "sx", 0x8000));
    CALL(links("f"));
    struct stat st;
    CALL(lstat("sl", &st));
    printf("%o %ld %ld\n", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    CALL(lstat("s/", &st));
    CALL(stat("sd/", &st));
    CALL(fstatat(AT_FDCWD, "", &st, 0));
    CALL(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
    CALL(fstatat(AT_FDCWD, "s", &st, 0x8000000));
    CALL(fstatat(99, "s", &st, 0));
    CALL(fstatat(99, "/", &st, 0));
    CALL(fstatat(0, "s", &st, 0));
    CALL(stat("f", BAD_POINTER));
    list(".");

    put("a", "A");
    put("b", "B");
    CALL(rename("a", "b"));
    CALL(open("b", O_RDONLY));
    CALL(read(3, buf, 9));
    printf("%c\n", buf[0]);
    close(3);
    CALL(rename("a", "b"));
    CALL(rename("b", "b"));
    CALL(rename("b", "d"));
    CALL(rename("d", "b"));
    CALL(rename("b", "c/"));
    CALL(rename("b/", "c"));
    CALL(rename("d", "d/e/f"));
    CALL(rename("d/e", "d"));
    CALL(rename("d/.", "x"));
    CALL(rename("d/e/..", "x"));
    CALL(rename("d", "."));
    CALL(mkdir("empty", 0755));
    CALL(rename("d", "empty"));
    CALL(links("empty"));
    CALL(rename("empty/", "d/"));
    CALL(mkdir("full", 0755));
    put("full/x", "");
    CALL(rename("d", "full"));
    CALL(rename("full", "d"));
    CALL(rename("f", "g"));
    CALL(links("f"));
    CALL(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "f", 1));
    CALL(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "full", 2));
    CALL(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "none", 2));
    CALL(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "none", 3));
    CALL(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "none", 64));
    list("b");
    list("d");
    list("f");
    CALL(rename("f", "/proc/f"));
    CALL(rename("s", "s2"));
    CALL(readlink("s2", buf, 10));

    CALL(mknod("fifo", S_IFIFO | 0666, 0));
    CALL(mknod("fifo", S_IFIFO | 0666, 0));
    CALL(mknod("reg", S_IFREG | 0666, 0));
    CALL(mknod("plain", 0666, 0));
    CALL(mknod("dir", S_IFDIR | 0666, 0));
    CALL(mknod("odd", 0170000 | 0666, 0));
    CALL(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
    CALL(stat("null", &st));
    printf("%o %lx\n", st.st_mode, (long)st.st_rdev);
    CALL(mknod("sock", S_IFSOCK | 0666, 0));
    CALL(open("sock", O_RDWR));
    CALL(mkfifoat(AT_FDCWD, "none/fifo", 0666));
    list(".");

    char where[300];
    HOLDS(getcwd(where, sizeof where) != NULL);
    CALL(syscall(SYS_getcwd, buf, 3));
    CALL(syscall(SYS_getcwd, UNMAPPED, 300));
    CALL(chdir("d/e"));
    HOLDS(getcwd(buf, 300) && !strncmp(buf, where, strlen(where)) && !strcmp(buf + strlen(where), "/d/e"));
    CALL(chdir(".."));
    CALL(chdir("e/../../full/x"));
    CALL(chdir("none"));
    CALL(chdir(where));
    int dir = open("d", O_RDONLY | O_DIRECTORY);
    CALL(fchdir(dir));
    CALL(rmdir("e"));
    CALL(mkdirat(dir, "made", 0700));
    CALL(rename("made", "../elsewhere"));
    CALL(unlinkat(dir, "../elsewhere", 0));
    CALL(unlinkat(dir, "../elsewhere", AT_REMOVEDIR));
    CALL(unlinkat(dir, "../elsewhere", 7));
    CALL(rmdir(where));
    CALL(rmdir("../d"));
    CALL(syscall(SYS_getcwd, buf, 300));
    CALL(open("x", O_CREAT | O_WRONLY, 0644));
    CALL(mkdir("x", 0755));
    list(".");
    CALL(fchdir(99));
    CALL(chdir(where));
    CALL(fchdir(open("f", O_RDONLY)));

    /* getdents goes on where it was */
    mkdir("many", 0755);
    for (int i = 0; i < 200; i++) {
        sprintf(buf, "many/%d", i);
        put(buf, "");
    }
    int many = open("many", O_RDONLY | O_DIRECTORY);
    int total = 0, removed = 0;
    for (;;) {
        long n = syscall(SYS_getdents64, many, buf, 200);
        if (n <= 0) {
            CALL(n);
            break;
        }
        for (long at = 0; at < n; at += *(unsigned short *)(buf + at + 16)) {
            total++;
            char name[300];
            sprintf(name, "many/%s", buf + at + 19);
            if (!unlink(name))
                removed++;
        }
    }
    printf("%d %d\n", total, removed);
    CALL(lseek(many, 0, SEEK_SET));
    total = 0;
    while (syscall(SYS_getdents64, many, buf, 200) > 0)
        total++;
    CALL(total);
    CALL(lseek(many, 0, SEEK_SET));
    CALL(syscall(SYS_getdents64, many, buf, 10));
    CALL(syscall(SYS_getdents64, open("f", O_RDONLY), buf, 100));
    CALL(syscall(SYS_getdents64, 99, buf, 100));
    CALL(syscall(SYS_getdents64, many, UNMAPPED, 100));
    CALL(rmdir("many"));
    return 0;
}
