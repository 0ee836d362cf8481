/* CLONE_PIDFD with clone and clone3. */
#include "check.h"
#include <linux/sched.h>
#include <poll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
int main(void) {
    int fd = -1;
    fflush(stdout);
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
    if (pid == 0)
        _exit(3);
    HOLDS(pid > 0 && fd >= 0);
    CALL(fcntl(fd, F_GETFD));
    struct pollfd p = {fd, POLLIN, 0};
    CALL(poll(&p, 1, 5000));
    siginfo_t info;
    CALL(waitid(P_PIDFD, fd, &info, WEXITED));
    HOLDS(info.si_pid == pid && info.si_status == 3);
    close(fd);
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)&fd, .exit_signal = SIGCHLD};
    pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(4);
    HOLDS(pid > 0 && fd >= 0);
    CALL(waitid(P_PIDFD, fd, &info, WEXITED));
    printf("%d\n", info.si_status);
    CALL(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0));
    CALL(syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, &fd, 0, 0));
    CALL(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, BAD_POINTER, 0, 0));
    return 0;
}
