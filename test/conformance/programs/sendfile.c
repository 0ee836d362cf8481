/* sendfile, copy_file_range: positions and offsets, kinds of files, errors. */
#include "check.h"
#include <sys/sendfile.h>

static void get(int fd) {
    char buf[64];
    int n = pread(fd, buf, sizeof buf, 0);
    printf("%d: ", n);
    for (int i = 0; i < n; i++)
        putchar(buf[i] ? buf[i] : '.');
    puts("");
}

int main(void) {
    static char big[100000];
    char buf[64];
    scratch_tmpfs("sendfile");
    int in = open("in", O_CREAT | O_RDWR, 0600), out = open("out", O_CREAT | O_RDWR, 0600);
    write(in, "0123456789", 10);
    CALL(lseek(in, 2, SEEK_SET));
    CALL(sendfile(out, in, NULL, 3));
    get(out);
    CALL(lseek(in, 0, SEEK_CUR));
    CALL(lseek(out, 0, SEEK_CUR));
    off_t at = 7;
    CALL(sendfile(out, in, &at, 100));
    printf("%ld\n", (long)at);
    CALL(lseek(in, 0, SEEK_CUR));
    get(out);
    CALL(sendfile(out, in, &at, 10));
    CALL(sendfile(out, in, NULL, 0));
    at = 100;
    CALL(sendfile(out, in, &at, 1));
    at = -1;
    CALL(sendfile(out, in, &at, 1));
    CALL(sendfile(out, in, UNMAPPED, 1));
    CALL(sendfile(99, in, NULL, 1));
    CALL(sendfile(out, 99, NULL, 1));
    int ro = open("out", O_RDONLY), wo = open("in", O_WRONLY), app = open("out", O_WRONLY | O_APPEND);
    CALL(sendfile(ro, in, NULL, 1));
    CALL(sendfile(out, wo, NULL, 1));
    CALL(sendfile(app, in, NULL, 1));
    int d = open(".", O_RDONLY);
    CALL(sendfile(out, d, NULL, 1));
    CALL(sendfile(d, in, NULL, 1));
    int p[2], null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    pipe(p);
    at = 0;
    CALL(sendfile(p[1], in, &at, 10));
    CALL(read(p[0], buf, 64));
    CALL(sendfile(null, in, &at, 10));
    at = 0;
    CALL(sendfile(null, in, &at, 10));
    CALL(sendfile(out, zero, NULL, 3));
    CALL(sendfile(p[1], p[0], NULL, 3));
    CALL(sendfile(p[1], in, &(off_t){0}, 3));
    CALL(sendfile(out, p[0], &(off_t){0}, 3));
    CALL(read(p[0], buf, 64));
    ftruncate(in, 100000);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    at = 0;
    CALL(sendfile(p[1], in, &at, 100000));
    CALL(sendfile(p[1], in, &at, 100000));
    close(p[0]);
    signal(SIGPIPE, SIG_IGN);
    CALL(sendfile(p[1], in, &at, 1));
    close(p[1]);

    puts("-- copy_file_range");
    ftruncate(in, 0), ftruncate(out, 0);
    pwrite(in, "0123456789", 10, 0);
    lseek(in, 0, SEEK_SET), lseek(out, 0, SEEK_SET);
    CALL(copy_file_range(in, NULL, out, NULL, 4, 0));
    get(out);
    CALL(lseek(in, 0, SEEK_CUR));
    CALL(lseek(out, 0, SEEK_CUR));
    off_t from = 8, to = 6;
    CALL(copy_file_range(in, &from, out, &to, 100, 0));
    printf("%ld %ld\n", (long)from, (long)to);
    get(out);
    CALL(copy_file_range(in, &from, out, &to, 100, 0));
    CALL(lseek(in, 0, SEEK_CUR));
    from = 0, to = 5;
    CALL(copy_file_range(in, &from, in, &to, 5, 0));
    from = 0, to = 3;
    CALL(copy_file_range(in, &from, in, &to, 5, 0));
    get(in);
    from = 0, to = 0;
    CALL(copy_file_range(in, &from, out, &to, 0, 0));
    CALL(copy_file_range(in, &from, out, &to, 1, 1));
    CALL(copy_file_range(99, &from, out, &to, 1, 0));
    CALL(copy_file_range(in, &from, 99, &to, 1, 0));
    CALL(copy_file_range(wo, &from, out, &to, 1, 0));
    CALL(copy_file_range(in, &from, ro, &to, 1, 0));
    CALL(copy_file_range(in, &from, app, NULL, 1, 0));
    CALL(copy_file_range(d, &from, out, &to, 1, 0));
    CALL(copy_file_range(null, NULL, out, NULL, 1, 0));
    CALL(copy_file_range(in, UNMAPPED, out, NULL, 1, 0));
    from = -5;
    CALL(copy_file_range(in, &from, out, &to, 1, 0));
    for (int i = 3; i < 14; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
