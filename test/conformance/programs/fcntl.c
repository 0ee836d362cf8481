/* fcntl: flags, owners, signals, pipe sizes, leases, seals, unknown commands. */
#include "check.h"

static int at, seen;
static void on_io(int signal, siginfo_t *info, void *context) { at++, seen = signal; }

int main(void) {
    char buf[64];
    scratch_tmpfs("fcntl");
    CALL(open("f", O_CREAT | O_RDWR, 0600));
    CALL(fcntl(99, F_GETFD));
    CALL(fcntl(3, 12345));
    CALL(fcntl(3, -1));

    puts("-- descriptor flags");
    CALL(fcntl(3, F_GETFD));
    CALL(fcntl(3, F_SETFD, FD_CLOEXEC));
    CALL(fcntl(3, F_GETFD));
    CALL(fcntl(3, F_SETFD, 0xfe));
    CALL(fcntl(3, F_GETFD));
    CALL(fcntl(3, F_SETFD, 0xff));
    CALL(fcntl(3, F_GETFD));

    puts("-- status flags");
    HOLDS(fcntl(3, F_GETFL) == (O_RDWR | 0100000));
    CALL(fcntl(3, F_SETFL, O_APPEND | O_NONBLOCK | O_CREAT | O_TRUNC | O_WRONLY));
    HOLDS(fcntl(3, F_GETFL) == (O_RDWR | O_APPEND | O_NONBLOCK | 0100000));
    CALL(fcntl(3, F_SETFL, O_NOATIME));
    HOLDS(fcntl(3, F_GETFL) == (O_RDWR | O_NOATIME | 0100000));
    CALL(fcntl(3, F_SETFL, O_SYNC));
    HOLDS(fcntl(3, F_GETFL) == (O_RDWR | 0100000));
    CALL(fcntl(3, F_SETFL, 0));
    CALL(write(3, "abc", 3));
    CALL(fcntl(3, F_SETFL, O_APPEND));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(write(3, "d", 1));
    CALL(lseek(3, 0, SEEK_CUR));
    chmod("f", 0666), chmod(".", 0777);
    CHILD(int fd = open("f", O_RDONLY); become(1000, 1000); CALL(fcntl(fd, F_SETFL, O_NOATIME)); CALL(fcntl(fd, F_SETFL, O_NONBLOCK)));

    puts("-- pipes");
    int p[2];
    CALL(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    CALL(fcntl(p[0], F_GETFL));
    CALL(fcntl(p[1], F_GETFL));
    CALL(fcntl(p[0], F_GETFD));
    CALL(fcntl(p[0], F_GETPIPE_SZ));
    CALL(fcntl(p[0], F_SETPIPE_SZ, 4096));
    CALL(fcntl(p[1], F_GETPIPE_SZ));
    CALL(fcntl(p[1], F_SETPIPE_SZ, 5000));
    CALL(fcntl(p[1], F_SETPIPE_SZ, 0));
    CALL(fcntl(p[1], F_SETPIPE_SZ, 1048576));
    CHILD(become(1000, 1000); CALL(fcntl(p[1], F_SETPIPE_SZ, 1048577)); CALL(fcntl(p[1], F_SETPIPE_SZ, 65536)));
    CALL(fcntl(p[1], F_SETPIPE_SZ, 8192));
    static char big[8192];
    CALL(write(p[1], big, 8192));
    CALL(fcntl(p[1], F_SETPIPE_SZ, 4096));
    CALL(fcntl(3, F_GETPIPE_SZ));
    CALL(fcntl(3, F_SETPIPE_SZ, 4096));
    CALL(fcntl(p[0], F_SETFL, O_APPEND));
    CALL(fcntl(p[0], F_SETFL, O_DIRECT));

    puts("-- owner");
    CALL(fcntl(3, F_GETOWN));
    CALL(fcntl(3, F_SETOWN, getpid()));
    HOLDS(fcntl(3, F_GETOWN) == getpid());
    CALL(fcntl(3, F_SETOWN, -getpgrp()));
    CALL(fcntl(3, F_SETOWN, 0));
    CALL(fcntl(3, F_GETOWN));
    CALL(fcntl(3, F_SETOWN, 999999999));
    CALL(fcntl(3, F_GETSIG));

    puts("-- locks need");
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CALL(fcntl(99, F_SETLK, &lock));
    CALL(fcntl(3, F_SETLK, UNMAPPED));
    CALL(fcntl(3, F_SETLK, NULL));
    int path = open("f", O_PATH);
    CALL(fcntl(path, F_GETFD));
    HOLDS((fcntl(path, F_GETFL) & O_PATH) != 0);
    CALL(fcntl(path, F_SETLK, &lock));
    CALL(fcntl(path, F_SETFL, 0));
    CALL(fcntl(path, F_GETOWN));
    close(path), close(3), close(p[0]), close(p[1]);
    leave_tmpfs();
    return 0;
}
