/* truncate, ftruncate. */
#include "check.h"
#include <sys/mman.h>

int main(void) {
    char buf[16];
    struct stat st;
    scratch_tmpfs("truncate");
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    write(fd, "0123456789", 10);
    CALL(truncate("f", 4));
    CALL(lseek(fd, 0, SEEK_CUR));
    CALL(pread(fd, buf, 16, 0));
    CALL(ftruncate(fd, 8));
    CALL(pread(fd, buf, 16, 0));
    HOLDS(memcmp(buf, "0123\0\0\0\0", 8) == 0);
    CALL(write(fd, "x", 1));
    CALL(lseek(fd, 0, SEEK_END));
    CALL(ftruncate(fd, 10000));
    fstat(fd, &st);
    printf("blocks %ld\n", (long)st.st_blocks);
    CALL(ftruncate(fd, 0));
    fstat(fd, &st);
    printf("blocks %ld\n", (long)st.st_blocks);
    CALL(truncate("f", -1));
    CALL(ftruncate(fd, -1));
    CALL(truncate("none", 0));
    CALL(truncate("", 0));
    CALL(truncate(".", 0));
    CALL(truncate("f/x", 0));
    CALL(truncate("none", -1));
    CALL(truncate(BAD_POINTER, 0));
    CALL(ftruncate(99, 0));
    CALL(ftruncate(99, -1));
    int ro = open("f", O_RDONLY);
    CALL(ftruncate(ro, 0));
    close(ro);
    int wo = open("f", O_WRONLY | O_APPEND);
    CALL(ftruncate(wo, 5));
    close(wo);
    int d = open(".", O_RDONLY);
    CALL(ftruncate(d, 0));
    close(d);
    int p[2];
    pipe(p);
    CALL(ftruncate(p[1], 0));
    CALL(mkfifo("p", 0600));
    CALL(truncate("p", 0));
    CALL(truncate("/dev/null", 0));
    int null = open("/dev/null", O_RDWR);
    CALL(ftruncate(null, 0));
    CALL(symlink("f", "l"));
    CALL(truncate("l", 3));
    CALL(lseek(fd, 0, SEEK_END));
    chmod("f", 0644);
    CHILD(become(1000, 1000); CALL(truncate("f", 0)); CALL(truncate("none", 0)));
    CHILD(close(open("ro", O_CREAT, 0)); chmod("ro", 0444); chown("ro", 1000, 1000); become(1000, 1000); CALL(truncate("ro", 0)));

    puts("-- mapped");
    ftruncate(fd, 0), ftruncate(fd, 8192);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(map, 'm', 8192);
    CALL(ftruncate(fd, 100));
    printf("%c %d %d\n", map[99], map[100], map[4095]);
    CHILD(map[4096] = 1);
    CALL(ftruncate(fd, 8192));
    printf("%c %d %d %d\n", map[99], map[100], map[4095], map[4096]);
    map[200] = 'x';
    CALL(pread(fd, buf, 1, 200));
    printf("%c\n", buf[0]);
    munmap(map, 8192);
    close(fd), close(p[0]), close(p[1]), close(null);
    leave_tmpfs();
    return 0;
}
