/* close, close_range, close-on-exec. */
#include "check.h"
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void which(void) {
    for (int fd = 0; fd < 40; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0)
            printf("%d%s ", fd, flags & FD_CLOEXEC ? "c" : "");
    }
    puts("");
    fflush(stdout);
}

int main(int count, char **arguments) {
    if (count > 1) {
        which();
        return 0;
    }
    for (int fd = 3; fd < 20; fd++)
        if (fd % 3 != 0)
            dup2(1, fd);
    which();
    CALL(syscall(SYS_close_range, 4, 7, 0));
    which();
    CALL(syscall(SYS_close_range, 10, 13, 4));
    which();
    CALL(syscall(SYS_close_range, 13, 10, 0));
    CALL(syscall(SYS_close_range, 3, 5, 8));
    CALL(syscall(SYS_close_range, 20, 30, 0));
    CALL(syscall(SYS_close_range, 16, 16, 2));
    which();
    CHILD(CALL(syscall(SYS_close_range, 10, ~0u, 2)); which());
    which();
    CALL(syscall(SYS_close_range, 14, ~0u, 4 | 2));
    which();
    fcntl(8, F_SETFD, FD_CLOEXEC);
    CHILD(execl("/proc/self/exe", "close-range", "again", NULL));
    which();
    CALL(syscall(SYS_close_range, 3, ~0u, 0));
    which();
    CALL(close(3));
    CALL(open("/dev/null", O_RDONLY | O_CLOEXEC));
    int p[2];
    CALL(pipe2(p, O_CLOEXEC));
    CALL(fcntl(1, F_DUPFD_CLOEXEC, 10));
    CALL(dup3(1, 20, O_CLOEXEC));
    CALL(dup(20));
    which();
    CHILD(execl("/proc/self/exe", "close-range", "again", NULL));
    return 0;
}
