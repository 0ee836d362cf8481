/* mknod, mkfifo: types, numbers, who may; what opening the nodes does. */
#include "check.h"
#include <sys/sysmacros.h>

static void show(const char *path) {
    struct stat st;
    if (lstat(path, &st) == 0)
        printf("%s %o %u,%u\n", path, st.st_mode, major(st.st_rdev), minor(st.st_rdev));
}

int main(void) {
    char buf[8];
    char name[300];
    scratch_tmpfs("mknod");
    memset(name, 'm', sizeof name), name[256] = 0;
    CALL(mknod("plain", 0640, 77)); show("plain");
    CALL(mknod("reg", S_IFREG | 0604, 0)); show("reg");
    CALL(mknod("fifo", S_IFIFO | 0666, 77)); show("fifo");
    CALL(mknod("sock", S_IFSOCK | 0666, 0)); show("sock");
    CALL(mknod("char", S_IFCHR | 0666, makedev(1, 3))); show("char");
    CALL(mknod("block", S_IFBLK | 0666, makedev(4095, 1048575))); show("block");
    CALL(mknod("zero", S_IFCHR | 0666, makedev(1, 5))); show("zero");
    CALL(mknod("no", S_IFCHR | 0666, makedev(300, 3))); show("no");
    CALL(mknod("dir", S_IFDIR | 0755, 0));
    CALL(mknod("link", S_IFLNK | 0755, 0));
    CALL(mknod("odd", 0030000 | 0755, 0));
    CALL(mknod("setid", S_IFREG | 07777, 0)); show("setid");
    CALL(mknod("plain", S_IFREG | 0600, 0));
    CALL(mknod("none/x", S_IFREG | 0600, 0));
    CALL(mknod("plain/x", S_IFREG | 0600, 0));
    CALL(mknod("x/", S_IFREG | 0600, 0));
    CALL(mknod("", S_IFREG | 0600, 0));
    CALL(mknod(".", S_IFREG | 0600, 0));
    CALL(mknod("/", S_IFREG | 0600, 0));
    CALL(mknod(name, S_IFREG | 0600, 0));
    CALL(mknod(BAD_POINTER, S_IFREG | 0600, 0));
    symlink("nowhere", "dangling");
    CALL(mknod("dangling", S_IFREG | 0600, 0));

    puts("-- opening");
    CALL(open("char", O_RDWR));
    CALL(write(3, "gone", 4));
    CALL(read(3, buf, 8));
    CALL(close(3));
    CALL(open("zero", O_RDONLY));
    CALL(read(3, buf, 8));
    CALL(close(3));
    CALL(open("no", O_RDONLY));
    CALL(open("no", O_PATH));
    CALL(close(3));
    CALL(open("block", O_RDONLY));
    CALL(open("sock", O_RDONLY));
    CALL(open("sock", O_WRONLY | O_NONBLOCK));
    CALL(open("char", O_RDONLY | O_DIRECTORY));

    puts("-- who may");
    chmod(".", 0777);
    CHILD(become(1000, 1000); CALL(mknod("u-char", S_IFCHR | 0666, makedev(1, 3))); CALL(mknod("u-block", S_IFBLK | 0666, 0));
          CALL(mknod("u-fifo", S_IFIFO | 0600, 0)); CALL(mknod("u-sock", S_IFSOCK | 0600, 0)); CALL(mknod("u-reg", S_IFREG | 0600, 0));
          CALL(mknod("u-dir", S_IFDIR | 0600, 0)); CALL(mkfifo("char", 0600)); CALL(mknod("char", S_IFCHR | 0600, 0)));
    leave_tmpfs();
    return 0;
}
