/* readv, writev, preadv, pwritev, preadv2, pwritev2. */
#include "check.h"
#include <sys/uio.h>

#define V(...) (struct iovec[]){__VA_ARGS__}

int main(void) {
    char a[8] = "", b[8] = "", c[8] = "";
    static struct iovec many[1025];
    static char bytes[2048];
    scratch_tmpfs("vectors");
    CALL(open("f", O_CREAT | O_RDWR, 0644));
    CALL(writev(3, V({"one", 3}, {"", 0}, {"two", 3}, {"three", 5}), 4));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(readv(3, V({a, 2}, {NULL, 0}, {b, 4}, {c, 7}), 4));
    printf("%s %s %s\n", a, b, c);
    CALL(readv(3, V({a, 2}), 1));
    CALL(readv(3, NULL, 0));
    CALL(writev(3, NULL, 0));
    CALL(writev(3, NULL, 1));
    CALL(readv(3, BAD_POINTER, 1));
    CALL(readv(3, V({a, 1}), -1));
    CALL(writev(3, V({a, 1}), 1025));
    for (int i = 0; i < 1025; i++)
        many[i] = (struct iovec){bytes + i, 1};
    CALL(writev(3, many, 1024));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(writev(3, V({a, -1}), 1));
    CALL(writev(3, V({a, 0x7fffffffffffffff}, {a, 0x7fffffffffffffff}), 2));
    CALL(writev(3, V({a, 1}, {a, -1}), 2));
    CALL(lseek(3, 0, SEEK_CUR));

    puts("-- bad buffers");
    CALL(ftruncate(3, 0));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(writev(3, V({UNMAPPED, 3}, {"good", 4}), 2));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(writev(3, V({"good", 4}, {UNMAPPED, 3}, {"more", 4}), 3));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(writev(3, V({UNMAPPED, 0}, {"good", 4}), 2));
    CALL(writev(3, V({BAD_POINTER, 1}, {"good", 4}), 2));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(readv(3, V({a, 2}, {UNMAPPED, 3}, {b, 2}), 3));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(readv(99, V({a, 2}), 1));
    CALL(writev(-1, V({a, 2}), 1));
    CALL(writev(99, UNMAPPED, 1));

    puts("-- at an offset");
    CALL(ftruncate(3, 0));
    CALL(pwritev(3, V({"abc", 3}, {"def", 3}), 2, 4));
    CALL(preadv(3, V({a, 6}, {b, 6}), 2, 2));
    printf("%d %d %.4s %.2s\n", a[0], a[1], a + 2, b);
    CALL(preadv(3, V({a, 6}), 1, -1));
    CALL(pwritev(3, V({a, 6}), 1, -1));
    CALL(preadv(3, V({a, 6}), 1, 100));
    CALL(preadv(3, V({a, 6}), -1, 0));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(preadv2(3, V({a, 3}), 1, 4, 0));
    printf("%.3s\n", a);
    CALL(lseek(3, 2, SEEK_SET));
    CALL(preadv2(3, V({a, 6}), 1, -1, 0));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(preadv2(3, V({a, 6}), 1, -2, 0));
    CALL(pwritev2(3, V({"end", 3}), 1, 0, RWF_APPEND));
    CALL(lseek(3, 0, SEEK_END));
    CALL(pwritev2(3, V({"sync", 4}), 1, 0, RWF_SYNC));
    CALL(pwritev2(3, V({"sync", 4}), 1, -1, RWF_DSYNC));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(preadv2(3, V({a, 6}), 1, 0, RWF_HIPRI));
    CALL(preadv2(3, V({a, 6}), 1, 0, 0x4000));
    CALL(pwritev2(3, V({a, 6}), 1, 0, 0x4000));
    int p[2];
    CALL(pipe(p));
    CALL(preadv(p[0], V({a, 6}), 1, 0));
    CALL(pwritev(p[1], V({a, 6}), 1, 0));
    CALL(writev(p[1], V({"pi", 2}, {"pe", 2}), 2));
    CALL(preadv2(p[0], V({a, 6}), 1, -1, 0));
    CALL(writev(p[0], V({"pi", 2}), 1));
    CALL(readv(p[1], V({a, 2}), 1));
    CALL(writev(p[1], NULL, 0));
    for (int fd = 3; fd < 8; fd++)
        close(fd);
    leave_tmpfs();
    return 0;
}
