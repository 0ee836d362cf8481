/* read, write, pread64, pwrite64: results, positions, errors. */
#include "check.h"
#include <sys/mman.h>

static char buf[100000];

int main(void) {
    scratch_tmpfs("read-write");
    CALL(open("f", O_CREAT | O_RDWR, 0644));
    CALL(read(3, buf, sizeof buf));
    CALL(write(3, "hello, world", 12));
    CALL(read(3, buf, sizeof buf));
    CALL(lseek(3, 7, SEEK_SET));
    CALL(read(3, buf, sizeof buf));
    printf("%.5s\n", buf);
    CALL(read(3, buf, sizeof buf));
    CALL(read(3, UNMAPPED, 0));
    CALL(read(3, UNMAPPED, 1));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(read(3, UNMAPPED, 0));
    CALL(read(3, UNMAPPED, 1));
    CALL(read(3, BAD_POINTER, 1));
    CALL(read(3, BAD_POINTER, 0));
    CALL(write(3, UNMAPPED, 0));
    CALL(write(3, UNMAPPED, 1));
    CALL(write(3, BAD_POINTER, 1));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(read(3, buf, -1));
    CALL(read(3, buf, 1));
    CALL(read(-1, buf, 1));
    CALL(read(99, buf, 1));
    CALL(write(-1, buf, 1));
    CALL(write(99, UNMAPPED, 1));

    puts("-- buffers that end early");
    char *pages = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 4096, 4096, PROT_NONE);
    memset(pages, 'a', 4096);
    CALL(ftruncate(3, 0));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(write(3, pages + 4000, 200));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(write(3, buf, 1000));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(read(3, pages + 4000, 1000));
    CALL(lseek(3, 0, SEEK_CUR));
    mprotect(pages + 4096, 4096, PROT_READ);
    CALL(read(3, pages + 4096, 10));
    CALL(write(3, pages + 4096, 10));

    puts("-- at an offset");
    CALL(ftruncate(3, 0));
    CALL(lseek(3, 3, SEEK_SET));
    CALL(pwrite(3, "0123456789", 10, 0));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(pread(3, buf, 4, 6));
    printf("%.4s\n", buf);
    CALL(pread(3, buf, 4, 8));
    CALL(pread(3, buf, 4, 10));
    CALL(pread(3, buf, 4, 1000));
    CALL(pread(3, buf, 4, -1));
    CALL(pread(3, buf, 0, -1));
    CALL(pwrite(3, "x", 1, -1));
    CALL(pwrite(3, "x", 1, 20));
    CALL(pread(3, buf, 100, 0));
    HOLDS(memcmp(buf, "0123456789\0\0\0\0\0\0\0\0\0\0x", 21) == 0);
    CALL(pread(99, buf, 1, 0));
    CALL(pread(3, UNMAPPED, 1, 0));
    CALL(pwrite(3, UNMAPPED, 1, 0));
    CALL(lseek(3, 0, SEEK_CUR));
    int p[2];
    CALL(pipe(p));
    CALL(pread(p[0], buf, 1, 0));
    CALL(pwrite(p[1], "x", 1, 0));
    CALL(pread(p[1], buf, 1, 0));

    puts("-- append");
    CALL(open("f", O_WRONLY | O_APPEND));
    CALL(lseek(6, 0, SEEK_CUR));
    CALL(write(6, "end", 3));
    CALL(lseek(6, 0, SEEK_CUR));
    CALL(pwrite(6, "more", 4, 0));
    CALL(lseek(6, 0, SEEK_CUR));
    CALL(pread(3, buf, 100, 0));
    printf("%.*s %.7s\n", 4, buf, buf + 21);

    puts("-- beyond the end");
    CALL(lseek(3, 50000, SEEK_SET));
    CALL(read(3, buf, 1));
    CALL(write(3, "far", 3));
    CALL(pread(3, buf, sizeof buf, 0));
    int zeros = 1;
    for (int i = 28; i < 50000; i++)
        zeros = zeros && buf[i] == 0;
    HOLDS(zeros);
    CALL(lseek(3, 0, SEEK_SET));
    for (int i = 0; i < 70000; i++)
        buf[i] = i % 251;
    CALL(write(3, buf, 70000));
    memset(buf, 0, sizeof buf);
    CALL(pread(3, buf, sizeof buf, 0));
    int same = 1;
    for (int i = 0; i < 70000; i++)
        same = same && buf[i] == (char)(i % 251);
    HOLDS(same);
    for (int fd = 3; fd < 8; fd++)
        close(fd);
    leave_tmpfs();
    return 0;
}
