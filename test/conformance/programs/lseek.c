/* lseek: all of whence, sparse files, what cannot seek. */
#include "check.h"

int main(void) {
    struct stat st;
    char buf[16];
    scratch_tmpfs("lseek");
    CALL(open("f", O_CREAT | O_RDWR, 0644));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(write(3, "0123456789", 10));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(lseek(3, 4, SEEK_SET));
    CALL(lseek(3, -2, SEEK_CUR));
    CALL(lseek(3, -3, SEEK_CUR));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(lseek(3, -1, SEEK_SET));
    CALL(lseek(3, -4, SEEK_END));
    CALL(lseek(3, -11, SEEK_END));
    CALL(lseek(3, 100, SEEK_END));
    CALL(read(3, buf, 1));
    CALL(lseek(3, 0, 5));
    CALL(lseek(3, 0, -1));
    CALL(lseek(3, 0x7fffffffffffffff, SEEK_CUR));
    CALL(lseek(3, 0x7fffffffffffffff, SEEK_END));
    CALL(lseek(3, 0x10000000000, SEEK_SET));
    CALL(read(3, buf, 1));
    CALL(fstat(3, &st));
    printf("size %ld\n", (long)st.st_size);
    CALL(lseek(99, 0, SEEK_SET));
    CALL(lseek(99, 0, 17));
    int p[2];
    CALL(pipe(p));
    CALL(lseek(p[0], 0, SEEK_CUR));
    CALL(lseek(p[0], 0, 17));
    close(p[0]), close(p[1]);

    puts("-- holes");
    CALL(ftruncate(3, 0));
    CALL(lseek(3, 0, SEEK_DATA));
    CALL(lseek(3, 0, SEEK_HOLE));
    CALL(ftruncate(3, 40960));
    CALL(lseek(3, 0, SEEK_DATA));
    CALL(lseek(3, 0, SEEK_HOLE));
    CALL(lseek(3, 40959, SEEK_HOLE));
    CALL(lseek(3, 40960, SEEK_HOLE));
    CALL(pwrite(3, "x", 1, 8192));
    CALL(pwrite(3, "y", 1, 20480 + 4095));
    CALL(lseek(3, 0, SEEK_DATA));
    CALL(lseek(3, 8192, SEEK_HOLE));
    CALL(lseek(3, 8200, SEEK_DATA));
    CALL(lseek(3, 12288, SEEK_DATA));
    CALL(lseek(3, 20480, SEEK_HOLE));
    CALL(lseek(3, 24576, SEEK_DATA));
    CALL(lseek(3, 40960, SEEK_DATA));
    CALL(lseek(3, -1, SEEK_DATA));
    CALL(lseek(3, -1, SEEK_HOLE));
    CALL(lseek(3, 0, SEEK_CUR));
    fstat(3, &st);
    printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);

    puts("-- directories and devices");
    CALL(open(".", O_RDONLY));
    CALL(lseek(4, 0, SEEK_SET));
    CALL(lseek(4, -1, SEEK_SET));
    CALL(close(4));
    CALL(open("/dev/null", O_RDWR));
    CALL(lseek(4, 100, SEEK_SET));
    CALL(lseek(4, 0, SEEK_CUR));
    CALL(lseek(4, 10, SEEK_END));
    CALL(close(4));
    CALL(open("/dev/zero", O_RDWR));
    CALL(lseek(4, 100, SEEK_SET));
    CALL(close(4));
    close(3);
    leave_tmpfs();
    return 0;
}
