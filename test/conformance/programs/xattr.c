/* setxattr, getxattr, listxattr, removexattr, with l and f: on a file system that has user attributes. */
#include "check.h"
#include <sys/xattr.h>

static void list(const char *path) {
    char names[256];
    ssize_t length = listxattr(path, names, sizeof names);
    printf("list %zd:", length);
    /* The order is the file system's: they are counted and looked for. */
    int user = 0, trusted = 0;
    for (ssize_t at = 0; at < length; at += strlen(names + at) + 1) {
        user += strncmp(names + at, "user.", 5) == 0;
        trusted += strncmp(names + at, "trusted.", 8) == 0;
    }
    printf(" %d user, %d trusted\n", user, trusted);
}

int main(void) {
    char buf[64], big[70000];
    memset(big, 'x', sizeof big);
    scratch("xattr");
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    mkdir("d", 0755);
    symlink("f", "l");
    symlink("none", "dangling");
    CALL(listxattr("f", NULL, 0));
    CALL(getxattr("f", "user.a", buf, sizeof buf));
    CALL(setxattr("f", "user.a", "hello", 5, 0));
    CALL(setxattr("f", "user.a", "again", 5, XATTR_CREATE));
    CALL(setxattr("f", "user.b", "", 0, XATTR_REPLACE));
    CALL(setxattr("f", "user.b", "", 0, XATTR_CREATE));
    CALL(setxattr("f", "user.a", "bye", 3, XATTR_REPLACE));
    CALL(getxattr("f", "user.a", NULL, 0));
    CALL(getxattr("f", "user.a", buf, sizeof buf));
    HOLDS(memcmp(buf, "bye", 3) == 0);
    CALL(getxattr("f", "user.b", buf, sizeof buf));
    CALL(getxattr("f", "user.a", buf, 2));
    CALL(getxattr("l", "user.a", buf, sizeof buf));
    CALL(lgetxattr("l", "user.a", buf, sizeof buf));
    CALL(fgetxattr(fd, "user.a", buf, sizeof buf));
    CALL(setxattr("f", "trusted.t", "1", 1, 0));
    list("f");
    CALL(listxattr("f", NULL, 0));
    CALL(listxattr("f", buf, 3));
    CALL(llistxattr("l", NULL, 0));
    CALL(flistxattr(fd, buf, sizeof buf));

    CALL(setxattr("f", "user.a", "x", 1, 4));
    CALL(setxattr("f", "", "x", 1, 0));
    CALL(setxattr("f", "user.", "x", 1, 0));
    CALL(setxattr("f", "plain", "x", 1, 0));
    CALL(setxattr("f", "other.x", "x", 1, 0));
    CALL(setxattr("f", "user.big", big, 65537, 0));
    CALL(setxattr("f", "user.big", big, 60000, 0));
    CALL(setxattr("f", "user.p", BAD_POINTER, 3, 0));
    CALL(setxattr("f", BAD_POINTER, "x", 1, 0));
    CALL(setxattr("none", "user.a", "x", 1, 0));
    CALL(setxattr("dangling", "user.a", "x", 1, 0));
    CALL(lsetxattr("dangling", "user.a", "x", 1, 0));
    CALL(lsetxattr("dangling", "trusted.a", "x", 1, 0));
    CALL(lgetxattr("dangling", "trusted.a", buf, sizeof buf));
    CALL(getxattr("f/x", "user.a", buf, sizeof buf));
    CALL(getxattr("f", "", buf, sizeof buf));
    CALL(getxattr("f", "user.a", BAD_POINTER, 10));
    CALL(fsetxattr(99, "user.a", "x", 1, 0));
    CALL(flistxattr(99, buf, sizeof buf));
    int path = open("f", O_PATH);
    CALL(fgetxattr(path, "user.a", buf, sizeof buf));
    close(path);
    memcpy(big, "user.", 5);
    big[255] = 0;
    CALL(setxattr("f", big, "x", 1, 0));
    CALL(removexattr("f", big));
    big[255] = 'x';
    big[256] = 0;
    CALL(setxattr("f", big, "x", 1, 0));
    CALL(removexattr("f", "user.none"));
    CALL(removexattr("f", "user.b"));
    CALL(removexattr("f", "user.b"));
    CALL(fsetxattr(fd, "user.f", "123", 3, 0));
    CALL(fremovexattr(fd, "user.f"));
    CALL(lremovexattr("l", "user.a"));
    CALL(setxattr("d", "user.d", "dir", 3, 0));
    CALL(getxattr("d", "user.d", buf, sizeof buf));
    mkfifo("p", 0600);
    CALL(setxattr("p", "user.a", "x", 1, 0));
    CALL(getxattr("p", "user.a", buf, sizeof buf));

    /* They go along with the inode. */
    link("f", "g");
    rename("f", "h");
    CALL(getxattr("g", "user.a", buf, sizeof buf));
    CALL(getxattr("h", "user.a", buf, sizeof buf));

    chmod("h", 0644);
    chmod("d", 0755);
    if (fork() == 0) {
        setuid(1000);
        CALL(getxattr("h", "user.a", buf, sizeof buf));
        CALL(setxattr("h", "user.a", "x", 1, 0));
        CALL(removexattr("h", "user.a"));
        CALL(getxattr("h", "trusted.t", buf, sizeof buf));
        CALL(setxattr("h", "trusted.t", "x", 1, 0));
        list("h");
        chmod("h", 0);
        _exit(0);
    }
    wait(NULL);
    chmod("h", 0600);
    if (fork() == 0) {
        setuid(1000);
        CALL(getxattr("h", "user.a", buf, sizeof buf));
        list("h");
        _exit(0);
    }
    wait(NULL);
    return 0;
}
