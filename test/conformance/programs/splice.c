/* splice, tee, vmsplice, sync_file_range. */
#include "check.h"
#include <sys/uio.h>

static char buf[200000];
static void left(int fd) {
    int n = read(fd, buf, sizeof buf);
    if (n < 0)
        printf("pipe: %s\n", errno_name(errno));
    else
        printf("pipe: %d '%.*s'\n", n, n < 40 ? n : 40, buf);
    fflush(stdout);
}

int main(void) {
    int p[2], q[2], flags = SPLICE_F_NONBLOCK;
    loff_t at;
    scratch_tmpfs("splice");
    pipe2(p, O_NONBLOCK), pipe2(q, O_NONBLOCK);
    int f = open("f", O_CREAT | O_RDWR, 0600), g = open("g", O_CREAT | O_RDWR, 0600);
    write(f, "the quick brown fox", 19);

    puts("-- file to pipe");
    lseek(f, 4, SEEK_SET);
    CALL(splice(f, NULL, p[1], NULL, 5, 0));
    left(p[0]);
    CALL(lseek(f, 0, SEEK_CUR));
    at = 10;
    CALL(splice(f, &at, p[1], NULL, 100, 0));
    printf("%ld\n", (long)at);
    CALL(lseek(f, 0, SEEK_CUR));
    left(p[0]);
    at = 100;
    CALL(splice(f, &at, p[1], NULL, 100, 0));
    CALL(splice(f, NULL, p[1], NULL, 0, 0));

    puts("-- pipe to file");
    write(p[1], "hello world", 11);
    CALL(splice(p[0], NULL, g, NULL, 5, 0));
    CALL(lseek(g, 0, SEEK_CUR));
    at = 20;
    CALL(splice(p[0], NULL, g, &at, 100, 0));
    printf("%ld\n", (long)at);
    CALL(pread(g, buf, 100, 0));
    HOLDS(memcmp(buf, "hello\0\0", 7) == 0 && memcmp(buf + 20, " world", 6) == 0);
    CALL(splice(p[0], NULL, g, NULL, 5, 0));

    puts("-- pipe to pipe");
    write(p[1], "abcdef", 6);
    CALL(splice(p[0], NULL, q[1], NULL, 4, 0));
    left(q[0]);
    left(p[0]);
    write(p[1], "abcdef", 6);
    CALL(tee(p[0], q[1], 4, 0));
    left(q[0]);
    left(p[0]);
    CALL(tee(p[0], q[1], 4, 0));
    CALL(tee(p[0], q[1], 0, 0));

    puts("-- memory");
    struct iovec v[2] = {{"one ", 4}, {"two", 3}};
    CALL(vmsplice(p[1], v, 2, 0));
    left(p[0]);
    write(p[1], "three four", 10);
    char a[5] = "", b[20] = "";
    struct iovec w[2] = {{a, 4}, {b, 20}};
    CALL(vmsplice(p[0], w, 2, 0));
    printf("%s|%s\n", a, b);
    CALL(vmsplice(p[0], w, 2, flags));
    CALL(vmsplice(p[1], w, 0, 0));

    puts("-- full and empty");
    memset(buf, 'x', 65536);
    write(p[1], buf, 65536);
    CALL(splice(f, &(loff_t){0}, p[1], NULL, 5, 0));
    CALL(vmsplice(p[1], v, 1, flags));
    CALL(splice(p[0], NULL, q[1], NULL, 1 << 20, 0));
    while (read(q[0], buf, sizeof buf) > 0)
        ;
    close(q[0]);
    signal(SIGPIPE, SIG_IGN);
    write(p[1], "x", 1);
    CALL(splice(p[0], NULL, q[1], NULL, 5, 0));
    CALL(splice(f, &(loff_t){0}, q[1], NULL, 5, 0));
    CALL(tee(p[0], q[1], 5, 0));
    CALL(vmsplice(q[1], v, 1, 0));
    left(p[0]);
    int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
    CALL(splice(zero, NULL, p[1], NULL, 5, 0));
    CALL(splice(p[0], NULL, null, NULL, 100, 0));
    left(p[0]);

    puts("-- waiting");
    fcntl(p[0], F_SETFL, 0), fcntl(p[1], F_SETFL, 0);
    CALL(splice(p[0], NULL, g, NULL, 5, flags));
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        write(p[1], "later", 5);
        _exit(0);
    }
    CALL(splice(p[0], NULL, g, NULL, 5, 0));
    wait(NULL);
    close(p[1]);
    CALL(splice(p[0], NULL, g, NULL, 5, 0));
    close(p[0]);

    puts("-- errors");
    pipe2(p, O_NONBLOCK), pipe2(q, O_NONBLOCK);
    write(p[1], "x", 1);
    CALL(splice(f, NULL, g, NULL, 5, 0));
    CALL(splice(p[0], NULL, p[1], NULL, 5, 0));
    CALL(tee(p[0], p[1], 5, 0));
    CALL(splice(p[0], &at, g, NULL, 5, 0));
    CALL(splice(f, NULL, p[1], &at, 5, 0));
    CALL(splice(p[1], NULL, g, NULL, 5, 0));
    CALL(splice(f, NULL, p[0], NULL, 5, 0));
    CALL(splice(99, NULL, p[1], NULL, 5, 0));
    CALL(splice(f, NULL, 99, NULL, 5, 0));
    CALL(splice(f, NULL, p[1], NULL, 5, 16));
    CALL(tee(f, p[1], 5, 0));
    CALL(tee(p[0], f, 5, 0));
    CALL(tee(99, f, 5, 0));
    CALL(tee(p[0], q[1], 5, 16));
    CALL(vmsplice(f, v, 1, 0));
    CALL(vmsplice(99, v, 1, 0));
    CALL(vmsplice(p[1], v, 1, 16));
    CALL(vmsplice(p[1], BAD_POINTER, 1, 0));
    CALL(vmsplice(p[1], v, 2000, 0));
    at = -1;
    CALL(splice(f, &at, p[1], NULL, 5, 0));
    CALL(splice(f, BAD_POINTER, p[1], NULL, 5, 0));
    int d = open(".", O_RDONLY), append = open("g", O_WRONLY | O_APPEND), path = open("f", O_PATH);
    CALL(splice(d, NULL, p[1], NULL, 5, 0));
    CALL(splice(p[0], NULL, append, NULL, 5, 0));
    CALL(splice(path, NULL, p[1], NULL, 5, 0));
    int r = open("f", O_RDONLY);
    CALL(splice(p[0], NULL, r, NULL, 5, 0));

    puts("-- sync_file_range");
    CALL(sync_file_range(f, 0, 0, SYNC_FILE_RANGE_WRITE));
    CALL(sync_file_range(f, 0, 10, 7));
    CALL(sync_file_range(f, 0, 10, 8));
    CALL(sync_file_range(f, -1, 10, 0));
    CALL(sync_file_range(f, 1, -10, 0));
    CALL(sync_file_range(f, 0x7fffffffffffffff, 10, 0));
    CALL(sync_file_range(p[0], 0, 10, 0));
    CALL(sync_file_range(99, 0, 10, 0));
    CALL(sync_file_range(path, 0, 10, 0));
    CALL(sync_file_range(d, 0, 10, 0));
    leave_tmpfs();
    return 0;
}
