/* pidfd_open, pidfd_send_signal, pidfd_getfd, waitid with P_PIDFD, poll of the end of a process. */
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
static int opened(pid_t pid, int flags) { return syscall(SYS_pidfd_open, pid, flags); }
static int sent(int fd, int signal, siginfo_t *info, int flags) { return syscall(SYS_pidfd_send_signal, fd, signal, info, flags); }
static int got(int fd, int target, int flags) { return syscall(SYS_pidfd_getfd, fd, target, flags); }
static void ready(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
    fflush(stdout);
}
static int waiting(void) {
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    return child;
}

int main(void) {
    siginfo_t info;
    fflush(stdout);
    puts("-- the end of a process");
    pid_t child = waiting();
    int fd = opened(child, 0);
    HOLDS(fd >= 0);
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_GETFL));
    ready("alive", fd);
    CALL(sent(fd, 0, NULL, 0));
    int ep = epoll_create1(0);
    struct epoll_event e = {EPOLLIN, {.u32 = 5}};
    CALL(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
    CALL(epoll_wait(ep, &e, 1, 0));
    CALL(sent(fd, SIGTERM, NULL, 0));
    CALL(epoll_wait(ep, &e, 1, 5000));
    struct pollfd p = {fd, POLLIN, 0};
    CALL(poll(&p, 1, 5000));
    ready("zombie", fd);
    CALL(sent(fd, SIGTERM, NULL, 0));
    CALL(got(fd, 0, 0));
    CALL(waitid(P_PIDFD, fd, &info, WEXITED | WNOWAIT));
    HOLDS(info.si_pid == child && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
    CALL(waitid(P_PIDFD, fd, &info, WEXITED));
    ready("reaped", fd);
    CALL(sent(fd, 0, NULL, 0));
    CALL(sent(fd, SIGTERM, NULL, 0));
    CALL(got(fd, 0, 0));
    CALL(waitid(P_PIDFD, fd, &info, WEXITED));
    CALL(opened(child, 0));
    CALL(epoll_wait(ep, &e, 1, 0));
    printf("%#x\n", e.events);
    close(fd);

    puts("-- signals with values");
    sigset_t set, old;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    fd = opened(getpid(), 0);
    CALL(sent(fd, SIGUSR1, NULL, 0));
    CALL(sigtimedwait(&set, &info, &(struct timespec){0}));
    HOLDS(info.si_code == SI_USER && info.si_pid == getpid());
    siginfo_t own = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    own.si_value.sival_int = 77;
    CALL(sent(fd, SIGUSR1, &own, 0));
    CALL(sigtimedwait(&set, &info, &(struct timespec){0}));
    printf("%d %d\n", info.si_code, info.si_value.sival_int);
    CALL(sent(fd, SIGUSR2, &own, 0));
    child = waiting();
    int other = opened(child, 0);
    own.si_code = SI_USER;
    CALL(sent(other, SIGUSR1, &own, 0));
    own.si_code = SI_TKILL;
    CALL(sent(other, SIGUSR1, &own, 0));
    CALL(sent(fd, SIGUSR1, NULL, 1));
    CALL(sigtimedwait(&set, &info, &(struct timespec){0}));
    CALL(sent(fd, SIGUSR1, NULL, 2));
    CALL(sigtimedwait(&set, &info, &(struct timespec){0}));
    CALL(sent(fd, SIGUSR1, NULL, 3));
    CALL(sent(fd, SIGUSR1, NULL, 8));
    CALL(sent(fd, 65, NULL, 0));
    CALL(sent(fd, -1, NULL, 0));
    CALL(sent(0, SIGUSR1, NULL, 0));
    CALL(sent(99, SIGUSR1, NULL, 0));
    CALL(sent(fd, SIGUSR1, BAD_POINTER, 0));
    CHILD(become(1000, 1000); CALL(sent(other, SIGKILL, NULL, 0)); CALL(got(other, 0, 0)));

    puts("-- waiting");
    CALL(waitid(P_PIDFD, other, &info, WEXITED | WNOHANG));
    int quiet = opened(child, O_NONBLOCK);
    CALL(fcntl(quiet, F_GETFL));
    CALL(waitid(P_PIDFD, quiet, &info, WEXITED));
    CALL(waitid(P_PIDFD, quiet, &info, WEXITED | WNOHANG));
    CALL(fcntl(other, F_SETFL, O_NONBLOCK));
    CALL(waitid(P_PIDFD, other, &info, WEXITED));
    CALL(fcntl(other, F_SETFL, 0));
    kill(child, SIGKILL);
    CALL(waitid(P_PIDFD, other, &info, WEXITED));
    CALL(waitid(P_PIDFD, fd, &info, WEXITED));
    CALL(waitid(P_PIDFD, 0, &info, WEXITED));
    CALL(waitid(P_PIDFD, 99, &info, WEXITED));
    CALL(waitid(P_PIDFD, -1, &info, WEXITED));

    puts("-- descriptors of others");
    int q[2], r[2];
    pipe(q), pipe(r);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        int mine = dup2(q[1], 50);
        close(q[1]);
        write(r[1], "x", 1);
        pause();
        _exit(0);
    }
    char c;
    read(r[0], &c, 1);
    int target = opened(child, 0);
    int copy = got(target, 50, 0);
    HOLDS(copy > 0);
    CALL(fcntl(copy, F_GETFD));
    CALL(write(copy, "hello", 5));
    char buf[8];
    CALL(read(q[0], buf, 5));
    CALL(got(target, 51, 0));
    CALL(got(target, -1, 0));
    CALL(got(target, 50, 1));
    CALL(got(0, 50, 0));
    CALL(got(99, 50, 0));
    kill(child, SIGKILL);
    wait(NULL);

    puts("-- errors");
    CALL(opened(0, 0));
    CALL(opened(-1, 0));
    CALL(opened(999999999, 0));
    CALL(opened(getpid(), 1));
    CALL(read(fd, buf, 8));
    CALL(write(fd, buf, 8));
    CALL(lseek(fd, 0, SEEK_SET));
    return 0;
}
