/* Offsets beyond 4 GiB, the largest file, RLIMIT_FSIZE and SIGXFSZ. */
#include "check.h"
#include <sys/resource.h>

static void limit(rlim_t size) {
    struct rlimit limit = {size, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void xfsz(int signal) { write(1, "SIGXFSZ\n", 8); }

int main(void) {
    char buf[8] = "";
    struct stat st;
    scratch_tmpfs("big-files");
    CALL(open("f", O_CREAT | O_RDWR, 0644));
    CALL(pwrite(3, "far", 3, 0x123456789aL));
    fstat(3, &st);
    printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
    CALL(pread(3, buf, 3, 0x123456789aL));
    printf("%s\n", buf);
    CALL(lseek(3, 0x123456789bL, SEEK_SET));
    CALL(read(3, buf, 8));
    CALL(lseek(3, 0, SEEK_DATA));
    CALL(ftruncate(3, 0x200000000L));
    CALL(lseek(3, 0, SEEK_END));
    CALL(lseek(3, 0, SEEK_DATA));
    CALL(ftruncate(3, 0x100000000000L));
    CALL(lseek(3, 0, SEEK_END));
    CALL(pwrite(3, "x", 1, 0x100000000000L));
    CALL(pwrite(3, "x", 1, 0x7fffffffffffffff));
    CALL(pread(3, buf, 1, 0x7fffffffffffffff));
    CALL(ftruncate(3, 0));

    puts("-- RLIMIT_FSIZE");
    CHILD(limit(10); CALL(write(3, "123456", 6)); CALL(write(3, "789abc", 6)); CALL(write(3, "x", 1)));
    CALL(ftruncate(3, 0));
    CALL(lseek(3, 0, SEEK_SET));
    signal(SIGXFSZ, xfsz);
    limit(10);
    CALL(write(3, "123456", 6));
    CALL(write(3, "789abc", 6));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(write(3, "x", 1));
    CALL(write(3, "", 0));
    CALL(pwrite(3, "x", 1, 10));
    CALL(pwrite(3, "xy", 2, 9));
    CALL(ftruncate(3, 11));
    CALL(truncate("f", 11));
    CALL(ftruncate(3, 10));
    CALL(ftruncate(3, 3));
    CALL(truncate("f", 10));
    fstat(3, &st);
    printf("size %ld\n", (long)st.st_size);
    CALL(fallocate(3, 0, 0, 20));
    signal(SIGXFSZ, SIG_IGN);
    CALL(pwrite(3, "x", 1, 10));
    CALL(ftruncate(3, 11));
    int p[2];
    CALL(pipe(p));
    CALL(write(p[1], "this is no file", 15));
    close(3);
    leave_tmpfs();
    return 0;
}
