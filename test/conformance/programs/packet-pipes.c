/* Pipes with O_DIRECT: packets, their sizes, what short reads lose. */
#include "check.h"

static char buf[20000];
static void take(int fd, int length) {
    memset(buf, 0, 64);
    int n = read(fd, buf, length);
    if (n < 0)
        printf("%s\n", errno_name(errno));
    else
        printf("%d '%.20s'\n", n, buf);
    fflush(stdout);
}

int main(void) {
    int p[2];
    CALL(pipe2(p, O_DIRECT | O_NONBLOCK));
    HOLDS((fcntl(p[1], F_GETFL) & O_DIRECT) != 0);
    puts("-- one packet a read");
    CALL(write(p[1], "one", 3));
    CALL(write(p[1], "second", 6));
    CALL(write(p[1], "", 0));
    take(p[0], 100);
    take(p[0], 3);
    take(p[0], 100);
    puts("-- long ones are cut");
    memset(buf, 'x', sizeof buf);
    CALL(write(p[1], buf, 10000));
    take(p[0], 20000);
    take(p[0], 20000);
    take(p[0], 20000);
    take(p[0], 20000);
    puts("-- full");
    int count = 0;
    while (write(p[1], "p", 1) == 1)
        count++;
    printf("%d %s\n", count, errno_name(errno));
    take(p[0], 10);
    CALL(write(p[1], "p", 1));
    CALL(write(p[1], "p", 1));
    while (read(p[0], buf, 100) > 0)
        ;
    puts("-- mixed");
    CALL(write(p[1], "packet", 6));
    CALL(fcntl(p[1], F_SETFL, O_NONBLOCK));
    CALL(write(p[1], "stream", 6));
    CALL(write(p[1], "more", 4));
    take(p[0], 100);
    take(p[0], 100);
    puts("-- waiting");
    CALL(fcntl(p[1], F_SETFL, O_DIRECT));
    CALL(fcntl(p[0], F_SETFL, 0));
    fflush(stdout);
    if (fork() == 0) {
        for (int i = 0; i < 40; i++)
            write(p[1], "0123456789", 1 + i % 10);
        _exit(0);
    }
    close(p[1]);
    int n, total = 0, packets = 0;
    while ((n = read(p[0], buf, 100)) > 0)
        total += n, packets++;
    printf("%d bytes in %d packets\n", total, packets);
    wait(NULL);
    return 0;
}
