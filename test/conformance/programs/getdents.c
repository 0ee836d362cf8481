/* getdents64, getdents: entries, cookies, seeking, deletion and creation while reading, errors. */
#include "check.h"
#include <dirent.h>

struct entry {
    unsigned long ino;
    long off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

struct old_entry {
    unsigned long ino;
    unsigned long off;
    unsigned short reclen;
    char name[];
};

static char buf[65536];

static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

/* Lists all names with types, sorted. */
static void list(int fd) {
    char *names[64];
    int count = 0;
    long n;
    while ((n = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0)
        for (long at = 0; at < n;) {
            struct entry *e = (void *)(buf + at);
            char text[300];
            snprintf(text, sizeof text, "%s/%d", e->name, e->type);
            names[count++] = strdup(text);
            at += e->reclen;
        }
    qsort(names, count, sizeof *names, compare);
    for (int i = 0; i < count; i++)
        printf("%s%s", names[i], i + 1 < count ? " " : "\n");
}

int main(void) {
    char name[32];
    scratch_tmpfs("getdents");
    mkdir("d", 0755);
    CALL(open("d", O_RDONLY | O_DIRECTORY));
    list(3);
    close(open("d/file", O_CREAT, 0600));
    mkdir("d/dir", 0700), symlink("x", "d/link"), mkfifo("d/fifo", 0600), mknod("d/null", S_IFCHR | 0600, 0x103);
    mknod("d/sock", S_IFSOCK | 0600, 0), mknod("d/block", S_IFBLK | 0600, 0x103);
    CALL(lseek(3, 0, SEEK_SET));
    list(3);
    CALL(syscall(SYS_getdents64, 3, buf, sizeof buf));

    puts("-- records");
    struct stat st;
    CALL(lseek(3, 0, SEEK_SET));
    long n = syscall(SYS_getdents64, 3, buf, sizeof buf);
    int good = 1, inodes = 1, dots = 0;
    for (long at = 0; at < n;) {
        struct entry *e = (void *)(buf + at);
        good = good && e->reclen % 8 == 0 && e->reclen >= 19 + strlen(e->name) + 1 && e->reclen <= 19 + strlen(e->name) + 1 + 8;
        if (fstatat(3, e->name, &st, AT_SYMLINK_NOFOLLOW) != 0 || (st.st_ino != e->ino && strcmp(e->name, "..") != 0))
            inodes = 0;
        dots += at == 0 ? strcmp(e->name, ".") == 0 : strcmp(e->name, "..") == 0;
        at += e->reclen;
    }
    HOLDS(good);
    HOLDS(inodes);
    HOLDS(dots == 2);
    CALL(lseek(3, 0, SEEK_SET));
    n = syscall(SYS_getdents, 3, buf, sizeof buf);
    int count = 0, types = 1;
    for (long at = 0; at < n;) {
        struct old_entry *e = (void *)(buf + at);
        int type = buf[at + e->reclen - 1];
        fstatat(3, e->name, &st, AT_SYMLINK_NOFOLLOW);
        types = types && type == (int)IFTODT(st.st_mode);
        count++;
        at += e->reclen;
    }
    printf("old form: %d entries\n", count);
    HOLDS(types);

    puts("-- buffers");
    CALL(lseek(3, 0, SEEK_SET));
    CALL(syscall(SYS_getdents64, 3, buf, 0));
    CALL(syscall(SYS_getdents64, 3, buf, 10));
    CALL(syscall(SYS_getdents64, 3, buf, 23));
    CALL(syscall(SYS_getdents64, 3, buf, 24));
    printf("%s\n", ((struct entry *)buf)->name);
    CALL(syscall(SYS_getdents64, 3, buf, 24));
    printf("%s\n", ((struct entry *)buf)->name);
    CALL(syscall(SYS_getdents64, 3, UNMAPPED, 1000));
    count = 0;
    while ((n = syscall(SYS_getdents64, 3, buf, 40)) > 0)
        count++;
    printf("one at a time: %d\n", count);
    CALL(syscall(SYS_getdents64, 99, buf, 1000));
    CALL(close(open("f", O_CREAT, 0600)));
    CALL(open("f", O_RDONLY));
    CALL(syscall(SYS_getdents64, 4, buf, 1000));
    CALL(close(4));
    CALL(open("d", O_PATH));
    CALL(syscall(SYS_getdents64, 4, buf, 1000));
    CALL(close(4));

    puts("-- cookies");
    CALL(lseek(3, 0, SEEK_SET));
    n = syscall(SYS_getdents64, 3, buf, sizeof buf);
    int again = 1;
    for (long at = 0; at < n;) {
        struct entry *e = (void *)(buf + at), *next = (void *)(buf + at + e->reclen);
        char other[400];
        if (lseek(3, e->off, SEEK_SET) != e->off)
            again = 0;
        long m = syscall(SYS_getdents64, 3, other, sizeof other);
        if (at + e->reclen < n ? m <= 0 || strcmp(((struct entry *)other)->name, next->name) != 0 : m != 0)
            again = 0;
        at += e->reclen;
    }
    HOLDS(again);

    puts("-- deletion while reading");
    mkdir("many", 0755);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "many/%d", i);
        close(open(name, O_CREAT, 0600));
    }
    CALL(open("many", O_RDONLY));
    count = 0;
    while ((n = syscall(SYS_getdents64, 4, buf, 512)) > 0)
        for (long at = 0; at < n;) {
            struct entry *e = (void *)(buf + at);
            if (e->name[0] != '.' && unlinkat(4, e->name, 0) == 0)
                count++;
            at += e->reclen;
        }
    printf("deleted %d\n", count);
    CALL(rmdir("many"));
    CALL(syscall(SYS_getdents64, 4, buf, 512));
    CALL(lseek(4, 0, SEEK_SET));
    CALL(syscall(SYS_getdents64, 4, buf, 512));
    CALL(close(4));

    puts("-- creation while reading");
    mkdir("grow", 0755);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "grow/%d", i);
        close(open(name, O_CREAT, 0600));
    }
    CALL(open("grow", O_RDONLY));
    syscall(SYS_getdents64, 4, buf, 24);
    close(open("grow/late", O_CREAT, 0600));
    unlink("grow/3");
    int old = 0, gone = 0;
    while ((n = syscall(SYS_getdents64, 4, buf, sizeof buf)) > 0)
        for (long at = 0; at < n;) {
            struct entry *e = (void *)(buf + at);
            old += strchr("0124", e->name[0]) != NULL && e->name[1] == 0;
            gone += strcmp(e->name, "3") == 0;
            at += e->reclen;
        }
    printf("old entries %d, removed %d\n", old, gone);

    puts("-- shared position");
    DIR *d = opendir("d");
    struct dirent *first = readdir(d);
    printf("%s\n", first->d_name);
    long where = telldir(d);
    struct dirent *second = readdir(d);
    snprintf(name, sizeof name, "%s", second->d_name);
    seekdir(d, where);
    HOLDS(strcmp(readdir(d)->d_name, name) == 0);
    rewinddir(d);
    printf("%s\n", readdir(d)->d_name);
    closedir(d);
    CALL(lseek(3, 0, SEEK_SET));
    CALL(dup(3));
    syscall(SYS_getdents64, 3, buf, sizeof buf);
    CALL(syscall(SYS_getdents64, 5, buf, sizeof buf));
    close(3), close(4), close(5);
    leave_tmpfs();
    return 0;
}
