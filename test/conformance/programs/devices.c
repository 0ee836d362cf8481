/* /dev/null, zero, full, random, urandom, tty, fd, stdin. */
#include "check.h"
#include <sys/sysmacros.h>
#include <sys/mman.h>

static void node(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        printf("%s: %s\n", path, errno_name(errno));
    else
        printf("%s: %o %u,%u %d:%d\n", path, st.st_mode, major(st.st_rdev), minor(st.st_rdev), st.st_uid, st.st_gid);
}

static int all_zero(const char *bytes, int count) {
    for (int i = 0; i < count; i++)
        if (bytes[i] != 0)
            return 0;
    return 1;
}

int main(void) {
    static char buf[10000], other[10000];
    node("/dev/null"), node("/dev/zero"), node("/dev/full"), node("/dev/random"), node("/dev/urandom"), node("/dev/tty");
    puts("-- null");
    int fd = open("/dev/null", O_RDWR);
    CALL(read(fd, buf, 100));
    CALL(write(fd, buf, 10000));
    CALL(write(fd, UNMAPPED, 100));
    CALL(read(fd, UNMAPPED, 100));
    CALL(pread(fd, buf, 10, 100));
    CALL(pwrite(fd, buf, 10, 100));
    CALL(fchmod(fd, 0666));
    close(fd);
    fd = open("/dev/null", O_RDONLY | O_TRUNC | O_CREAT, 0600);
    CALL(write(fd, buf, 1));
    close(fd);
    puts("-- zero");
    fd = open("/dev/zero", O_RDWR);
    memset(buf, 'x', sizeof buf);
    CALL(read(fd, buf, 10000));
    HOLDS(all_zero(buf, 10000));
    CALL(write(fd, buf, 123));
    CALL(write(fd, UNMAPPED, 100));
    CALL(read(fd, UNMAPPED, 100));
    CALL(pread(fd, buf, 10, 100));
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    HOLDS(map != MAP_FAILED);
    if (map != MAP_FAILED) {
        HOLDS(all_zero(map, 8192));
        map[5000] = 1;
    }
    close(fd);
    puts("-- full");
    fd = open("/dev/full", O_RDWR);
    memset(buf, 'x', sizeof buf);
    CALL(read(fd, buf, 100));
    HOLDS(all_zero(buf, 100));
    CALL(write(fd, buf, 1));
    CALL(write(fd, buf, 0));
    CALL(lseek(fd, 0, SEEK_SET));
    close(fd);
    for (int i = 0; i < 2; i++) {
        const char *path = i == 0 ? "/dev/random" : "/dev/urandom";
        printf("-- %s\n", path + 5);
        fd = open(path, O_RDWR);
        CALL(read(fd, buf, 64));
        CALL(read(fd, other, 64));
        HOLDS(memcmp(buf, other, 64) != 0);
        CALL(read(fd, buf, 1000));
        CALL(write(fd, buf, 10));
        CALL(read(fd, UNMAPPED, 10));
        close(fd);
    }
    puts("-- tty");
    setsid();
    CALL(open("/dev/tty", O_RDWR));
    puts("-- links");
    CALL(readlink("/dev/fd", buf, sizeof buf));
    printf("%.13s\n", buf);
    memset(buf, 0, 64);
    CALL(readlink("/dev/stdin", buf, sizeof buf));
    puts(buf);
    memset(buf, 0, 64);
    CALL(readlink("/dev/stdout", buf, sizeof buf));
    puts(buf);
    memset(buf, 0, 64);
    CALL(readlink("/dev/stderr", buf, sizeof buf));
    puts(buf);
    CHILD(close(0); CALL(open("/dev/stdin", O_RDONLY)); CALL(open("/dev/fd/77", O_RDONLY)));
    puts("-- others");
    CHILD(become(1000, 1000); CALL(open("/dev/null", O_RDWR)); CALL(open("/dev/zero", O_RDWR)); CALL(open("/dev/full", O_RDWR));
          CALL(open("/dev/urandom", O_RDWR)); CALL(open("/dev/new", O_CREAT | O_RDWR, 0600)); CALL(unlink("/dev/null")));
    return 0;
}
