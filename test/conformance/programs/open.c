/* open, openat, creat, close: every flag, errors. */
#include "check.h"

static void flags_of(const char *label, int fd) {
    int flags = fcntl(fd, F_GETFL);
    printf("%s: access %d%s%s%s%s%s%s%s%s cloexec %d\n", label, flags & O_ACCMODE, flags & O_APPEND ? " append" : "",
           flags & O_NONBLOCK ? " nonblock" : "", (flags & O_SYNC) == O_SYNC ? " sync" : flags & O_DSYNC ? " dsync" : "",
           flags & O_CREAT ? " creat" : "", flags & O_TRUNC ? " trunc" : "", flags & O_PATH ? " path" : "",
           flags & O_NOFOLLOW ? " nofollow" : "", flags & O_NOATIME ? " noatime" : "", fcntl(fd, F_GETFD));
}

int main(void) {
    char buf[64];
    struct stat st;
    scratch_tmpfs("open");

    puts("-- names");
    CALL(open("none", O_RDONLY));
    CALL(open("", O_RDONLY));
    CALL(open("", O_RDONLY | O_CREAT, 0644));
    CALL(open(NULL, O_RDONLY));
    CALL(open(BAD_POINTER, O_RDONLY));
    CALL(open("none/f", O_RDONLY));
    CALL(open("none/f", O_RDWR | O_CREAT, 0644));
    CALL(open("none/", O_RDWR | O_CREAT, 0644));
    char long_name[300], *long_path = malloc(5000);
    memset(long_name, 'n', sizeof long_name);
    long_name[256] = 0;
    CALL(open(long_name, O_RDONLY));
    CALL(open(long_name, O_RDWR | O_CREAT, 0644));
    long_name[255] = 0;
    CALL(open(long_name, O_RDONLY));
    CALL(open(long_name, O_RDWR | O_CREAT, 0644));
    CALL(close(3));
    memset(long_path, '/', 5000);
    long_path[4095] = 'o';
    long_path[4096] = 0;
    CALL(open(long_path, O_RDONLY));
    long_path[4095] = 0;
    CALL(open(long_path, O_RDONLY));
    CALL(close(3));

    puts("-- create and exclude");
    CALL(open("f", O_CREAT | O_EXCL | O_RDWR, 0666));
    CALL(open("f", O_CREAT | O_EXCL | O_RDWR, 0666));
    CALL(write(3, "twelve bytes", 12));
    CALL(open("f", O_CREAT | O_RDONLY, 0));
    CALL(close(4));
    CALL(open("f/", O_RDONLY));
    CALL(open("f/.", O_RDONLY));
    CALL(open("f/x", O_RDONLY | O_CREAT, 0644));
    CALL(open("f", O_RDONLY | O_DIRECTORY));
    CALL(open("f", O_EXCL | O_RDONLY));
    CALL(close(4));
    CALL(open("f", O_TRUNC | O_RDONLY));
    fstat(3, &st);
    printf("size after O_RDONLY|O_TRUNC: %ld\n", (long)st.st_size);
    CALL(close(4));
    CALL(write(3, "again", 5));
    CALL(creat("f", 0600));
    fstat(3, &st);
    printf("after creat: size %ld mode %o\n", (long)st.st_size, st.st_mode);
    CALL(read(4, buf, 1));
    CALL(close(4));
    CALL(creat("g", 07777));
    fstat(4, &st);
    printf("creat 07777: mode %o\n", st.st_mode);
    CALL(close(4));
    CALL(open("h", O_CREAT | O_RDWR, 0));
    fstat(4, &st);
    printf("creat 0: mode %o\n", st.st_mode);
    CALL(write(4, "x", 1));
    CALL(close(4));
    CALL(creat("none/f", 0600));
    CALL(creat(".", 0600));
    CALL(creat("g/", 0600));
    CALL(open("f", O_CREAT | O_DIRECTORY | O_RDONLY, 0600));
    CALL(open("newdir", O_CREAT | O_DIRECTORY | O_RDONLY, 0600));
    CALL(access("newdir", F_OK));

    puts("-- directories");
    CALL(mkdir("d", 0755));
    CALL(open("d", O_WRONLY));
    CALL(open("d", O_RDWR));
    CALL(open("d", O_RDONLY | O_CREAT, 0644));
    CALL(open("d", O_RDONLY | O_CREAT | O_EXCL, 0644));
    CALL(open("d", O_RDONLY | O_TRUNC));
    CALL(open("d/", O_RDONLY | O_DIRECTORY));
    CALL(read(4, buf, 1));
    CALL(write(4, buf, 1));
    CALL(close(4));
    CALL(open("d/new/", O_RDWR | O_CREAT, 0644));

    puts("-- symbolic links");
    CALL(symlink("f", "to-f"));
    CALL(symlink("missing", "dangling"));
    CALL(symlink("loop", "loop"));
    CALL(symlink("d", "to-d"));
    CALL(open("to-f", O_RDONLY));
    CALL(close(4));
    CALL(open("to-f", O_RDONLY | O_NOFOLLOW));
    CALL(open("to-f", O_RDONLY | O_CREAT | O_EXCL, 0644));
    CALL(open("dangling", O_RDONLY));
    CALL(open("dangling", O_RDONLY | O_CREAT | O_EXCL, 0644));
    CALL(open("dangling", O_RDONLY | O_CREAT | O_NOFOLLOW, 0644));
    CALL(open("dangling", O_RDONLY | O_CREAT, 0644));
    CALL(close(4));
    CALL(access("missing", F_OK));
    CALL(open("loop", O_RDONLY));
    CALL(open("loop", O_RDONLY | O_NOFOLLOW));
    CALL(open("loop", O_RDONLY | O_CREAT, 0644));
    CALL(open("to-d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    CALL(open("to-d/", O_RDONLY | O_NOFOLLOW));
    CALL(close(4));
    CALL(open("to-f/", O_RDONLY));

    puts("-- O_PATH");
    CALL(open("f", O_PATH | O_RDWR | O_CLOEXEC | O_APPEND));
    flags_of("path", 4);
    CALL(read(4, buf, 1));
    CALL(write(4, buf, 1));
    CALL(lseek(4, 0, SEEK_SET));
    CALL(fstat(4, &st));
    CALL(fchmod(4, 0600));
    CALL(fchown(4, 0, 0));
    CALL(ftruncate(4, 0));
    CALL(fsync(4));
    CALL(fcntl(4, F_SETFL, O_APPEND));
    CALL(fcntl(4, F_DUPFD, 10));
    CALL(close(10));
    CALL(close(4));
    CALL(open("to-f", O_PATH | O_NOFOLLOW));
    fstat(4, &st);
    printf("link: %d\n", S_ISLNK(st.st_mode));
    memset(buf, 0, sizeof buf);
    CALL(readlinkat(4, "", buf, sizeof buf));
    printf("%s\n", buf);
    CALL(close(4));
    CALL(open("none", O_PATH | O_CREAT, 0644));
    CALL(open("d", O_PATH | O_DIRECTORY));
    CALL(openat(4, "in", O_CREAT | O_RDWR, 0644));
    CALL(close(5));
    CALL(fchdir(4));
    CALL(chdir(".."));
    CALL(close(4));

    puts("-- status flags");
    int fd = open("f", O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOATIME, 0644);
    flags_of("all", fd);
    close(fd);
    fd = open("f", O_WRONLY | O_DSYNC);
    flags_of("dsync", fd);
    CALL(read(fd, buf, 1));
    close(fd);
    fd = open("f", O_RDONLY);
    flags_of("read", fd);
    CALL(write(fd, buf, 1));
    close(fd);
    fd = open("f", 3);
    flags_of("neither", fd);
    CALL(read(fd, buf, 1));
    CALL(write(fd, buf, 1));
    close(fd);
    fd = open("f", O_RDWR | 0x10000000);
    printf("unknown flag: %s\n", fd < 0 ? errno_name(errno) : "ok");
    close(fd);

    puts("-- close");
    CALL(close(3));
    CALL(close(3));
    CALL(close(-1));
    CALL(close(1000000));
    leave_tmpfs();
    return 0;
}
