/* fallocate: modes, sizes, holes, errors. */
#include "check.h"
#include <linux/falloc.h>

static void size_of(int fd) {
    struct stat st;
    fstat(fd, &st);
    printf("size %ld\n", (long)st.st_size);
}

int main(void) {
    char buf[16], zero[16] = "";
    struct stat st;
    scratch_tmpfs("fallocate");
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CALL(fallocate(fd, 0, 0, 10000));
    size_of(fd);
    CALL(fallocate(fd, 0, 5, 5));
    size_of(fd);
    CALL(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000));
    size_of(fd);
    pwrite(fd, "data", 4, 4094);
    CALL(fallocate(fd, 0, 0, 20000));
    CALL(pread(fd, buf, 4, 4094));
    HOLDS(memcmp(buf, "data", 4) == 0);
    size_of(fd);
    static char page[4096];
    memset(page, 'x', sizeof page);
    for (int i = 0; i < 5; i++)
        pwrite(fd, page, 4096, i * 4096);
    fstat(fd, &st);
    long before = st.st_blocks;
    CALL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192));
    fstat(fd, &st);
    printf("size %ld freed %ld\n", (long)st.st_size, before - (long)st.st_blocks);
    CALL(pread(fd, buf, 8, 8192));
    HOLDS(memcmp(buf, zero, 8) == 0);
    CALL(pread(fd, buf, 8, 4092));
    HOLDS(memcmp(buf, "xxxx\0\0\0\0", 8) == 0);
    CALL(lseek(fd, 0, SEEK_HOLE));
    CALL(lseek(fd, 4096, SEEK_DATA));
    CALL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 10));
    CALL(pread(fd, buf, 12, 99));
    HOLDS(memcmp(buf, "x\0\0\0\0\0\0\0\0\0\0x", 12) == 0);
    CALL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100000, 10));
    size_of(fd);
    CALL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 12288, 100000));
    size_of(fd);
    CALL(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
    CALL(fallocate(fd, 0x80, 0, 10));
    CALL(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
    CALL(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096));

    puts("-- errors");
    CALL(fallocate(fd, 0, 0, 0));
    CALL(fallocate(fd, 0, 0, -1));
    CALL(fallocate(fd, 0, -1, 10));
    CALL(fallocate(99, 0, 0, 10));
    int ro = open("f", O_RDONLY), d = open(".", O_RDONLY), null = open("/dev/null", O_RDWR), p[2];
    pipe(p);
    CALL(fallocate(ro, 0, 0, 10));
    CALL(fallocate(d, 0, 0, 10));
    CALL(fallocate(null, 0, 0, 10));
    CALL(fallocate(p[1], 0, 0, 10));
    CALL(fallocate(p[0], 0, 0, 10));
    CALL(fallocate(fd, 0, 0x7fffffffffffffff, 10));
    CALL(posix_fallocate(fd, 0, 30000));
    size_of(fd);
    for (int i = 3; i < 14; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
